"""Settings to a describer that always answers."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import WatchwordError
from common.memory import RESERVE_BYTES, available_bytes
from pipeline.description.base import DescribeError, Describer
from pipeline.description.fallback import FailedDescriber, FallbackDescriber, StaticDescriber
from pipeline.description.status import WatchedDescriber
from pipeline.description.template import Vocabulary, builtin_words
from pipeline.settings import DescribeSettings
from pipeline.store.catalogue.backends import BACKENDS, backends_of
from pipeline.store.catalogue.vlms import (
    VlmEntry,
    known_models,
    nearest,
    too_large,
    weight_bytes,
)
from pipeline.store.errors import StoreError

# What belongs to models is imported when one is chosen: a start without one need not wait for it.
if TYPE_CHECKING:
    from pipeline.description.vlm.describer import OnAnswer, VlmDescriber
    from pipeline.description.vlm.job import ModelSpec

log = logging.getLogger(__name__)

Locate = Callable[[str], Path]
"""Folder of a model in the store. Raises StoreError if it is not there."""

SlowReason = Callable[[str], str]
"""Why a model by that name is too slow here; empty if it is not, or if that is not known."""


def never_slow(name: str) -> str:
    """No speed is known."""
    del name
    return ""


SERVER_MEMORY_BYTES = 512 * 2**20
"""Memory limit of a process that only talks to a server."""


class UnusableError(WatchwordError):
    """This model cannot be used on this machine; one line with the reason and the cure."""


@dataclass(frozen=True, slots=True)
class DescriberChoice:
    """The model to load, and the memory that it may take."""

    spec: ModelSpec
    memory_bytes: int
    doubt: str = ""
    """Why it may not do although it was wanted."""


@dataclass(frozen=True, slots=True)
class _Search:
    """The choice of `auto`, and its reasons for passing over other models in the store."""

    choice: DescriberChoice | None
    passed_over: tuple[str, ...]

    @property
    def why(self) -> str:
        return "; ".join(self.passed_over) or "no model for more is in the store"


def build(
    settings: DescribeSettings,
    *,
    language: str,
    tags: Describer,
    locate: Locate,
    cache: Path,
    words: Vocabulary | None = None,
    idle: bool = True,
    available: Callable[[], int] = available_bytes,
    slow: SlowReason = never_slow,
    timed: Callable[[str], OnAnswer] | None = None,
) -> WatchedDescriber | None:
    """Build the describer of the settings; None if they want no descriptions.

    With `idle` a local model runs at idle priority, as it must beside the danger lane; a replay waits for it,
    so there it may be False. A missing model or library, prompts that cannot be read, and settings that
    contradict each other are no errors: the describer is then failed, with the reason, and `tags` answers.
    `timed` gives what records how long the answers of a model take; it is asked
    for a model that `auto` can choose, and with `idle` only, as other times do not hold beside the danger
    lane.
    """
    if settings.backend == "off":
        return None
    if settings.backend == "tags":
        return StaticDescriber(tags)
    try:
        if settings.prompts:
            from pipeline.description.vlm.prompts import Prompts

            # A mistake in the folder is told now, and not only once a model is chosen.
            Prompts(language, words or builtin_words(), settings.prompts)
        search = _search(settings, language, locate, cache, available, slow)
    # Told, and no reason to end: warnings of danger need no descriptions.
    except (UnusableError, DescribeError) as error:
        log.warning("descriptions by %s only: %s", tags.model, error)
        return FallbackDescriber(FailedDescriber(settings.model, str(error)), tags)
    if (choice := search.choice) is None:
        log.info("descriptions by %s: %s", tags.model, search.why)
        return StaticDescriber(tags, search.why)
    model = _describer(settings, choice, language, words or builtin_words(), idle=idle, timed=timed)
    return FallbackDescriber(model, tags, choice.doubt)


def _describer(
    settings: DescribeSettings,
    choice: DescriberChoice,
    language: str,
    words: Vocabulary,
    *,
    idle: bool,
    timed: Callable[[str], OnAnswer] | None,
) -> VlmDescriber:
    from pipeline.description.vlm.describer import GenerationOptions, VlmDescriber
    from pipeline.description.vlm.prompts import Prompts
    from pipeline.description.vlm.worker_supervisor import Limits, WorkerSupervisor

    prompts = Prompts(language, words, settings.prompts)
    spec = replace(choice.spec, idle=choice.spec.idle and idle, warm=prompts.instructions)
    limits = Limits(choice.memory_bytes, settings.load_s)
    style = GenerationOptions(settings.max_tokens, settings.image_side, settings.temperature, settings.top_p)
    on_answer = timed(spec.model) if timed and spec.idle and spec.model in known_models() else None
    keeper = WorkerSupervisor(spec, limits)
    return VlmDescriber(spec.model, keeper, prompts, language, style, on_answer=on_answer)


def choose(
    settings: DescribeSettings,
    language: str,
    locate: Locate,
    cache: Path,
    available: Callable[[], int],
    slow: SlowReason = never_slow,
) -> DescriberChoice | None:
    """Resolve the settings on this machine; None if `auto` finds no model. Raises UnusableError."""
    return _search(settings, language, locate, cache, available, slow).choice


def _search(
    settings: DescribeSettings,
    language: str,
    locate: Locate,
    cache: Path,
    available: Callable[[], int],
    slow: SlowReason,
) -> _Search:
    if settings.backend in BACKENDS and BACKENDS[settings.backend].is_server:
        return _Search(_server(settings), ())
    room = available()
    if settings.model != "auto":
        return _Search(_named(settings, language, locate, cache, room), ())
    search = _automatic(settings, language, locate, cache, room, slow)
    # A backend that was asked for and cannot be had is an error; `auto` settles for the template sentences.
    if search.choice is None and settings.backend != "auto":
        default = next(entry.name for entry in known_models().values() if entry.default)
        why = "; ".join(search.passed_over) or "none is in the store"
        raise UnusableError(
            f"no model for describe.backend = {settings.backend!r}: {why}; "
            f"run `watchword models pull {default}`"
        )
    return search


def _server(settings: DescribeSettings) -> DescriberChoice:
    if not settings.server_url or settings.model == "auto":
        raise DescribeError(
            f"describe.backend = {settings.backend!r} needs describe.server_url, "
            "and describe.model as the server calls it"
        )
    from pipeline.description.vlm.job import ModelSpec

    log.warning("pictures are sent to the server in describe.server_url")
    spec = ModelSpec(
        backend=settings.backend,
        model=settings.model,
        url=settings.server_url,
        key_file=settings.server_key_file,
        connect_s=settings.server_connect_s,
        load_s=settings.load_s,
        keep_alive_s=settings.server_keep_alive_s,
        extra=dict(settings.server_extra),
        idle=False,  # it computes nothing, and what arrives must be read
    )
    return DescriberChoice(spec, SERVER_MEMORY_BYTES)


def _named(
    settings: DescribeSettings, language: str, locate: Locate, cache: Path, room: int
) -> DescriberChoice:
    folder = Path(settings.model)
    entry = known_models().get(folder.name)
    if not folder.is_dir():
        try:
            folder = locate(settings.model)
        except StoreError as error:
            hint = "" if entry else f"; {nearest(settings.model)}"
            raise UnusableError(f"{error}{hint}") from None
    backend = _backend(settings, folder)
    if backend is None:
        forms = " and ".join(backends_of(folder)) or "no backend"
        raise UnusableError(
            f"describe.backend = {settings.backend!r}, but the files in {folder} are for {forms}"
        )
    needed = entry.needs_bytes(backend) if entry and backend in entry.memory_gb else weight_bytes(folder)
    if why := too_large(settings.model, needed, room):
        raise UnusableError(why)
    choice = _local(settings, settings.model, folder, backend, entry, cache, room)
    if entry is None or not language or language in entry.languages:
        return choice
    doubt = f"{entry.name} is not known to speak {language}, only {', '.join(entry.languages)}"
    log.warning("%s: what it says in another language is withheld", doubt)
    return replace(choice, doubt=doubt)


def local_choice(settings: DescribeSettings, folder: Path, backend: str, cache: Path) -> DescriberChoice:
    """The model in `folder` with `backend`, instead of those in the settings. Raises UnusableError."""
    named = settings.model_copy(update={"model": str(folder), "backend": backend})
    return _named(named, "", lambda name: folder / name, cache, available_bytes())


def _automatic(
    settings: DescribeSettings, language: str, locate: Locate, cache: Path, room: int, slow: SlowReason
) -> _Search:
    """Return the best model in the store that can be used here. Logs why others are rejected."""
    passed_over: list[str] = []
    for entry in known_models().values():
        try:
            folder = locate(entry.name)
        except StoreError:
            continue
        backend = _backend(settings, folder)
        if backend is None:
            continue
        if why := _unfit(entry, backend, language, room) or slow(entry.name):
            log.warning("describe.model = auto passes over %s: %s", entry.name, why)
            passed_over.append(f"{entry.name} is passed over: {why}")
            continue
        choice = _local(settings, entry.name, folder, backend, entry, cache, room)
        return _Search(choice, tuple(passed_over))
    return _Search(None, tuple(passed_over))


def _backend(settings: DescribeSettings, folder: Path) -> str | None:
    """The backend asked for, if it runs the files."""
    return next((b for b in backends_of(folder) if settings.backend in ("auto", b)), None)


def _unfit(entry: VlmEntry, backend: str, language: str, room: int) -> str | None:
    if language not in entry.languages:
        return f"it does not speak {language}"
    if not importlib.util.find_spec(BACKENDS[backend].requires):
        return f"{backend} is not installed"
    return too_large(entry.name, entry.needs_bytes(backend), room)


def _local(
    settings: DescribeSettings,
    name: str,
    folder: Path,
    backend: str,
    entry: VlmEntry | None,
    cache: Path,
    room: int,
) -> DescriberChoice:
    from pipeline.description.vlm.job import ModelSpec

    spec = ModelSpec(
        backend=backend,
        model=Path(name).name,
        folder=str(folder),
        device=settings.device,
        cache=str(cache / "describer"),
        template=entry.template if entry else "",
        square=entry.square if entry else False,
    )
    limit = settings.memory_mb * 2**20 or room - RESERVE_BYTES
    return DescriberChoice(spec, limit)
