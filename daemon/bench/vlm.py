"""How fast each vision-language model here is: loading, first word, tokens, cancelling, memory."""

from __future__ import annotations

import logging
import queue
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from daemon import app
from daemon.bench.harness import Figure, interleave, unmeasured
from daemon.settings import Settings
from pipeline.describer import DescribeError, DescribeRequest
from pipeline.describers.factory import UnusableError, local_choice
from pipeline.describers.job import Job, Spec
from pipeline.describers.keeper import Keeper, Limits
from pipeline.describers.memory import peak_bytes
from pipeline.describers.messages import Ended, Failed, Inbox, Message, Piece
from pipeline.describers.models import LocalBackend, backends_of, known_models
from pipeline.describers.picture import bounded, golden_picture
from pipeline.describers.prompts import Prompts
from pipeline.describers.sentences import SentenceSplitter
from pipeline.settings import DescribeSettings
from pipeline.store.errors import StoreError
from pipeline.tags import builtin_words
from pipeline.types import Trigger

log = logging.getLogger(__name__)

_ANSWER_S = 300.0


@dataclass(frozen=True, slots=True)
class Timing:
    """One answer, in seconds since it was asked for."""

    first_token_s: float
    first_sentence_s: float
    whole_s: float
    tokens: int

    @property
    def tokens_per_s(self) -> float:
        """After the first token: prefill is counted apart."""
        return (self.tokens - 1) / max(self.whole_s - self.first_token_s, 1e-6)


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """Every describer in the store, and the folder in `describe.model` if that is one."""
    found = dict(_folders(settings))
    if not found:
        why = "no describer in the store; `watchword models pull qwen3-vl-2b`, or a folder in describe.model"
        yield unmeasured("vlm.first_sentence_ms", "ms", None, why)
    for name, folder in found.items():
        yield from _model(settings, name, folder, samples)


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    folder = Path(settings.describe.model)
    if folder.is_dir():
        yield folder.name, folder
    store = app.open_store(settings)
    for name in known_models():
        try:
            yield name, store.path(name)
        except StoreError:
            continue


def _model(settings: Settings, name: str, folder: Path, samples: int) -> Iterator[Figure]:
    """Each backend that runs the files, then the one over the other."""
    open_ones: dict[LocalBackend, Keeper] = {}
    if not backends_of(folder):
        yield unmeasured(f"vlm.{name}", "s", None, f"{folder} holds no model")
    try:
        for backend in backends_of(folder):
            prefix = f"vlm.{name}.{backend}"
            yield from _loading(settings, prefix, folder, backend, open_ones)
            yield from _answering(settings.describe, prefix, open_ones[backend], samples)
        if len(open_ones) == 2:
            yield _over(settings.describe, name, open_ones, samples)
    except (UnusableError, DescribeError) as error:
        yield unmeasured(f"vlm.{name}", "s", None, str(error))
    finally:
        for keeper in open_ones.values():
            keeper.close()


def _loading(
    settings: Settings, prefix: str, folder: Path, backend: LocalBackend, into: dict[LocalBackend, Keeper]
) -> Iterator[Figure]:
    """From nothing compiled, then again; the second one stays open."""
    choice = local_choice(settings.describe, folder, backend, settings.paths.cache)
    with tempfile.TemporaryDirectory() as cache:
        spec = replace(choice.spec, cache=cache)
        limits = Limits(choice.memory_bytes, settings.describe.load_s)
        log.info("%s: loading cold, then warm", prefix)
        cold_s, first = _opened(spec, limits)
        first.close()
        warm_s, into[backend] = _opened(spec, limits)
    yield Figure(f"{prefix}.load_cold_s", cold_s, "s", note=into[backend].status.reason)
    yield Figure(f"{prefix}.load_warm_s", warm_s, "s")


def _opened(spec: Spec, limits: Limits) -> tuple[float, Keeper]:
    began_s = time.perf_counter()
    keeper = Keeper(spec, limits)
    if not keeper.wait_ready(limits.load_s):
        with closing(keeper):
            raise DescribeError(keeper.status.reason)
    return time.perf_counter() - began_s, keeper


def _answering(describe: DescribeSettings, prefix: str, keeper: Keeper, samples: int) -> Iterator[Figure]:
    job = _job(describe)
    answer(keeper, job)
    timings = [answer(keeper, job) for _ in range(samples)]
    yield Figure.median(f"{prefix}.first_token_ms", [t.first_token_s * 1e3 for t in timings], "ms")
    yield Figure.median(f"{prefix}.first_sentence_ms", [t.first_sentence_s * 1e3 for t in timings], "ms")
    yield Figure.median(f"{prefix}.tokens_per_s", [t.tokens_per_s for t in timings], "1/s")
    cancels = [cancelled_after(keeper, job) * 1e3 for _ in range(samples)]
    yield Figure.p95(f"{prefix}.cancel_ms_p95", cancels, "ms", note="from cancelling to the next job's turn")
    if keeper.pid is not None:
        yield Figure(f"{prefix}.memory_mb", peak_bytes(keeper.pid) / 2**20, "MB")


def _over(describe: DescribeSettings, name: str, keepers: dict[LocalBackend, Keeper], samples: int) -> Figure:
    """Whole answers of the same model, interleaved."""
    job = _job(describe)
    ours, reference = (keepers[backend] for backend in ("openvino", "transformers"))
    pairs = interleave(lambda: answer(reference, job).whole_s, lambda: answer(ours, job).whole_s, samples)
    note = "answers a second of openvino over those of transformers"
    return Figure.median(f"vlm.{name}.openvino_over_transformers", pairs.ratios, "ratio", note=note)


def _job(describe: DescribeSettings) -> Job:
    """The golden picture with the safe prompt, as the daemon would ask about it."""
    image = bounded(golden_picture(describe.image_side), describe.image_side)
    request = DescribeRequest("bench", image, Trigger.SCENE_CHANGE, "en")
    prompt = Prompts("en", builtin_words(), describe.prompts).prompt(request)
    return Job(0, image, prompt.system, prompt.user, describe.max_tokens, deadline_s=_ANSWER_S)


def answer(keeper: Keeper, job: Job) -> Timing:
    """Have one answer written to its end. Raises DescribeError."""
    began_s = time.perf_counter()
    _, inbox = keeper.submit(job)
    splitter, first_token_s, first_sentence_s = SentenceSplitter(), 0.0, 0.0
    while True:
        message = _next(inbox)
        now_s = time.perf_counter() - began_s
        match message:
            case Piece(text):
                first_token_s = first_token_s or now_s
                if splitter.feed(text):
                    first_sentence_s = first_sentence_s or now_s
            case Ended(tokens):
                return Timing(first_token_s or now_s, first_sentence_s or now_s, now_s, tokens)
            case Failed(reason):
                raise DescribeError(reason)


def cancelled_after(keeper: Keeper, job: Job) -> float:
    """Seconds from cancelling in mid-answer until the child has given the next job its one token."""
    job_id, inbox = keeper.submit(job)
    _next(inbox)
    began_s = time.perf_counter()
    keeper.cancel(job_id)
    answer(keeper, replace(job, max_tokens=1))
    return time.perf_counter() - began_s


def _next(inbox: Inbox) -> Message:
    try:
        return inbox.get(timeout=_ANSWER_S)
    except queue.Empty:
        raise DescribeError(f"no answer within {_ANSWER_S:g} s") from None
