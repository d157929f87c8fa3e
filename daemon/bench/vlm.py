"""How fast each vision-language model here is: loading, first word, tokens, cancelling, memory."""

from __future__ import annotations

import itertools
import logging
import queue
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from capture.test_image import draw_test_image
from common.memory import peak_bytes
from daemon.bench.harness import Cost, Figure, interleave, unmeasured
from daemon.bench.tables import NOT_THERE, OVER
from daemon.bench.vlm_beside import PacedLane, describer_budget
from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.wiring.detector import build_detector
from daemon.wiring.store import open_store
from pipeline.description.answer.sentences import SentenceSplitter
from pipeline.description.base import DescribeError, DescribeRequest
from pipeline.description.factory import UnusableError, local_choice
from pipeline.description.template import builtin_words
from pipeline.description.vlm.image import bounded
from pipeline.description.vlm.job import GenerationJob, ModelSpec
from pipeline.description.vlm.messages import Inbox, JobFailed, JobFinished, Message, TextPiece
from pipeline.description.vlm.prompts import Prompts
from pipeline.description.vlm.worker_supervisor import Limits, WorkerSupervisor
from pipeline.settings import DescribeSettings
from pipeline.store.catalogue.backends import backends_of
from pipeline.store.catalogue.vlms import known_models
from pipeline.store.errors import StoreError
from pipeline.types import Trigger
from speech.synthesis.base import SpeechRequest, SynthesisError, Synthesizer
from speech.synthesis.espeak import EspeakSynthesizer
from speech.text.normalize import normalize

log = logging.getLogger(__name__)

_ANSWER_S = 300.0
ALONE_S, MOST_ALONE_S = 1.0, 3.0
"""Seconds for which the danger lane is measured by itself: a sample, and at most."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One answer, in seconds since it was asked for."""

    first_token_s: float
    first_sentence_s: float
    whole_s: float
    tokens: int
    first_sentence: str

    @property
    def tokens_per_s(self) -> float:
        """After the first token: prefill is counted apart."""
        # The floor allows an answer of one token.
        return (self.tokens - 1) / max(self.whole_s - self.first_token_s, 1e-6)


def measure(
    settings: Settings, samples: int, models: Sequence[str] = (), *, idle: bool = True
) -> Iterator[Figure]:
    """Every describer in the store, and the folder in `describe.model` if that is one.

    With `models` (names in the store, or folders) those instead. `idle`: at idle priority, as in the daemon;
    else they get on beside other programs too. Raises StoreError if a model is not there.
    """
    found = _named(settings, models) if models else dict(_folders(settings))
    if not found:
        why = "no describer in the store; `watchword models pull qwen3-vl-2b`, or a folder in describe.model"
        yield unmeasured("vlm.first_sentence_ms", "ms", None, why)
    lane = _lane(settings, samples) if found else None
    for name, folder in found.items():
        yield from _model(settings, name, folder, samples, lane, idle)


def _lane(settings: Settings, samples: int) -> PacedLane | None:
    """The danger lane to measure beside; None if its model is not in the store."""
    try:
        alone_s = min(MOST_ALONE_S, ALONE_S * samples)
        return PacedLane(build_detector(settings), alone_s, describer_budget(settings))
    except (StoreError, CommandError) as error:
        log.warning("not measured beside the danger lane: %s", error)
        return None


def _named(settings: Settings, models: Sequence[str]) -> dict[str, Path]:
    """Their folders by name; for a folder the shortest end of its path that no other one has."""
    store = open_store(settings)
    folders = [Path(model).resolve() if Path(model).is_dir() else store.path(model) for model in models]
    ends = [["/".join(folder.parts[-count:]) for folder in folders] for count in range(1, 4)]
    names = next((each for each in ends if len(set(each)) == len(each)), [str(folder) for folder in folders])
    return dict(zip(names, folders, strict=True))


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    folder = Path(settings.describe.model)
    # A name is not a folder; then it is found in the store below.
    if folder.is_dir():
        yield folder.name, folder
    store = open_store(settings)
    for name in known_models():
        try:
            yield name, store.path(name)
        except StoreError:
            continue


def _model(
    settings: Settings, name: str, folder: Path, samples: int, lane: PacedLane | None, idle: bool
) -> Iterator[Figure]:
    """Each backend that runs the files, then the one over the other, then the other devices."""
    views = _views(settings.describe)
    open_ones: dict[str, WorkerSupervisor] = {}
    if not backends_of(folder):
        yield unmeasured(f"vlm.{name}", "s", None, f"{folder} holds no model")
    try:
        for backend in backends_of(folder):
            prefix = f"vlm.{name}.{backend}"
            yield from _loading(settings, prefix, folder, backend, open_ones, idle)
            yield from _answering(settings, prefix, open_ones[backend], views, samples)
            if lane is not None:
                yield from _beside(settings, prefix, open_ones[backend], views, samples, lane)
        # Both at once need their memory together, so the comparison comes last.
        if len(open_ones) == 2:
            yield _over(name, open_ones, views, samples)
    except (UnusableError, DescribeError) as error:
        yield unmeasured(f"vlm.{name}", "s", None, str(error))
    finally:
        for keeper in open_ones.values():
            keeper.close()
    # After the others are closed, so that their memory is free.
    if "openvino" in backends_of(folder):
        for device in ("GPU", "NPU"):
            yield from _on_device(settings, name, folder, device, samples, idle)


def _on_device(
    settings: Settings, name: str, folder: Path, device: str, samples: int, idle: bool
) -> Iterator[Figure]:
    """openvino on another device, if this machine has it."""
    import openvino

    prefix = f"vlm.{name}.openvino-{device.lower()}"
    if not any(each.startswith(device) for each in openvino.Core().available_devices):
        yield unmeasured(f"{prefix}.load_cold_s", "s", None, f"{NOT_THERE}: no {device}")
        return
    there = settings.model_copy(update={"describe": settings.describe.model_copy(update={"device": device})})
    opened: dict[str, WorkerSupervisor] = {}
    try:
        yield from _loading(there, prefix, folder, "openvino", opened, idle)
        yield from _answering(there, prefix, opened["openvino"], _views(there.describe), samples)
    except (UnusableError, DescribeError) as error:
        yield unmeasured(f"{prefix}.load_cold_s", "s", None, str(error))
    finally:
        for keeper in opened.values():
            keeper.close()


def _beside(
    settings: Settings,
    prefix: str,
    keeper: WorkerSupervisor,
    views: Iterator[GenerationJob],
    samples: int,
    lane: PacedLane,
) -> Iterator[Figure]:
    """The same while the danger lane runs at a camera's pace, and the effect on the lane."""
    with lane.running():
        timings = [answer(keeper, next(views)) for _ in range(samples)]
    note = "beside the danger lane at a camera's pace"
    yield Figure.median(f"{prefix}.beside_tokens_per_s", [t.tokens_per_s for t in timings], "1/s", note=note)
    yield _spoken(settings, f"{prefix}.beside_first_word_ms", timings)
    yield from lane.figures(prefix)


def _loading(
    settings: Settings,
    prefix: str,
    folder: Path,
    backend: str,
    into: dict[str, WorkerSupervisor],
    idle: bool,
) -> Iterator[Figure]:
    """From nothing compiled, then again; the second one stays open."""
    choice = local_choice(settings.describe, folder, backend, settings.paths.cache)
    # An empty cache: the first load compiles everything.
    with tempfile.TemporaryDirectory() as cache:
        warm = Prompts("en", builtin_words(), settings.describe.prompts).instructions
        spec = replace(choice.spec, cache=cache, warm=warm, idle=idle)
        limits = Limits(choice.memory_bytes, settings.describe.load_s)
        log.info("%s: loading cold, then warm", prefix)
        cold_s, first = _opened(spec, limits)
        first.close()
        warm_s, into[backend] = _opened(spec, limits)
    yield Figure(f"{prefix}.load_cold_s", cold_s, "s", note=into[backend].status.reason)
    yield Figure(f"{prefix}.load_warm_s", warm_s, "s")


def _opened(spec: ModelSpec, limits: Limits) -> tuple[float, WorkerSupervisor]:
    began_s = time.perf_counter()
    keeper = WorkerSupervisor(spec, limits)
    if not keeper.wait_ready(limits.load_s):
        with closing(keeper):
            raise DescribeError(keeper.status.reason)
    return time.perf_counter() - began_s, keeper


def _answering(
    settings: Settings, prefix: str, keeper: WorkerSupervisor, views: Iterator[GenerationJob], samples: int
) -> Iterator[Figure]:
    # Not counted: the first answer allocates the buffers.
    answer(keeper, next(views))
    timings = [answer(keeper, next(views)) for _ in range(samples)]
    yield Figure.median(f"{prefix}.first_token_ms", [t.first_token_s * 1e3 for t in timings], "ms")
    unknown = [answer(keeper, _unknown(next(views), number)) for number in range(samples)]
    first_ms = [t.first_token_s * 1e3 for t in unknown]
    note = "with instructions it has never seen"
    yield Figure.median(f"{prefix}.first_token_new_prompt_ms", first_ms, "ms", note=note)
    yield Figure.median(f"{prefix}.first_sentence_ms", [t.first_sentence_s * 1e3 for t in timings], "ms")
    yield _spoken(settings, f"{prefix}.first_word_ms", timings)
    yield Figure.median(f"{prefix}.tokens_per_s", [t.tokens_per_s for t in timings], "1/s")
    cancels = [cancelled_after(keeper, next(views)) * 1e3 for _ in range(samples)]
    yield Figure.p95(f"{prefix}.cancel_ms_p95", cancels, "ms", note="from cancelling to the next job's turn")
    if keeper.pid is not None:
        yield Figure(f"{prefix}.memory_mb", peak_bytes(keeper.pid) / 2**20, "MB")


def _spoken(settings: Settings, name: str, timings: list[Timing]) -> Figure:
    """Until sound of the first sentence is there to be played."""
    try:
        with EspeakSynthesizer(settings.speech) as voice:
            next(voice.stream(SpeechRequest("Ready.", "en")), None)
            spoken = [(t.first_sentence_s + _until_sound(voice, t.first_sentence)) * 1e3 for t in timings]
    except SynthesisError as error:
        return unmeasured(name, "ms", None, str(error))
    return Figure.median(name, spoken, "ms", note="first sentence, and espeak-ng's first sound of it")


def _until_sound(voice: Synthesizer, text: str) -> float:
    """Seconds."""
    began_s = time.perf_counter()
    next(voice.stream(SpeechRequest(normalize(text, "en"), "en")), None)
    return time.perf_counter() - began_s


def _over(
    name: str, keepers: dict[str, WorkerSupervisor], views: Iterator[GenerationJob], samples: int
) -> Figure:
    """Whole answers of the same model about the same views, interleaved."""
    ours, reference = (keepers[backend] for backend in ("openvino", "transformers"))
    # Both get the same views in the same order; one more for the warm-up.
    shown = [next(views) for _ in range(samples + 1)]
    costs = {each: iter([*shown]) for each in (ours, reference)}

    def cost(keeper: WorkerSupervisor) -> Cost:
        return lambda: answer(keeper, next(costs[keeper])).whole_s

    pairs = interleave(cost(reference), cost(ours), samples)
    note = "answers a second of openvino over those of transformers"
    return Figure.median(f"vlm.{name}.{OVER}", pairs.ratios, "ratio", note=note)


def _views(describe: DescribeSettings) -> Iterator[GenerationJob]:
    """The test picture shifted a little further each time, with the safe prompt, as the daemon would ask.

    Never the same picture twice: a backend that caches its results would know the answer's beginning.
    """
    prompts = Prompts("en", builtin_words(), describe.prompts)
    for number in itertools.count():
        # Down a row every 50 views: shifts to the side alone would soon return to the first picture.
        image = np.roll(
            draw_test_image(describe.image_side, describe.image_side), (number // 50, 7 * number), (0, 1)
        )
        request = DescribeRequest("bench", bounded(image, describe.image_side), Trigger.SCENE_CHANGE, "en")
        prompt = prompts.prompt(request)
        yield GenerationJob(
            0, request.image, prompt.system, prompt.user, describe.max_tokens, deadline_s=_ANSWER_S
        )


def _unknown(job: GenerationJob, number: int) -> GenerationJob:
    """The same, with instructions that differ from the first word on."""
    return replace(job, system=f"Number {number}. {job.system}")


def answer(keeper: WorkerSupervisor, job: GenerationJob) -> Timing:
    """Have one answer written to its end. Raises DescribeError."""
    began_s = time.perf_counter()
    _, inbox = keeper.submit(job)
    splitter, first_token_s, first_sentence_s, first = SentenceSplitter(), 0.0, 0.0, ""
    while True:
        message = _next(inbox)
        now_s = time.perf_counter() - began_s
        match message:
            case TextPiece(text):
                first_token_s = first_token_s or now_s
                if (finished := splitter.feed(text)) and not first:
                    first_sentence_s, first = now_s, finished[0]
            case JobFinished(tokens):
                first = first or splitter.flush()
                return Timing(first_token_s or now_s, first_sentence_s or now_s, now_s, tokens, first)
            case JobFailed(reason):
                raise DescribeError(reason)


def cancelled_after(keeper: WorkerSupervisor, job: GenerationJob) -> float:
    """Seconds from cancelling in mid-answer until the child has given the next job its one token."""
    job_id, inbox = keeper.submit(job)
    # The first piece: cancelling before it would only remove a waiting job.
    _next(inbox)
    began_s = time.perf_counter()
    keeper.cancel(job_id)
    # One token: a measure for the moment at which the worker is free again.
    answer(keeper, replace(job, max_tokens=1))
    return time.perf_counter() - began_s


def _next(inbox: Inbox) -> Message:
    try:
        return inbox.get(timeout=_ANSWER_S)
    except queue.Empty:
        raise DescribeError(f"no answer within {_ANSWER_S:g} s") from None
