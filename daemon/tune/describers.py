"""Measures the describer of the settings on every device; its model always runs in a process of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from capture.test_image import draw_test_image
from common.memory import available_bytes, peak_bytes
from daemon.bench.vlm import Timing, answer
from daemon.config.settings import Settings
from daemon.tune.detectors import Note
from daemon.tune.figures import DescriberFigures, kind_of
from daemon.wiring.describer import slow_reason
from daemon.wiring.store import open_store
from pipeline.description.base import DescribeError, DescribeRequest
from pipeline.description.factory import DescriberChoice, UnusableError, choose
from pipeline.description.template import builtin_words
from pipeline.description.vlm.image import bounded
from pipeline.description.vlm.job import GenerationJob
from pipeline.description.vlm.prompts import Prompts
from pipeline.description.vlm.worker_supervisor import Limits, WorkerSupervisor
from pipeline.store.catalogue.backends import BACKENDS
from pipeline.types import Trigger

ANSWERS = 3
ANSWER_S = 60.0
"""Seconds for one answer; a model that needs longer is killed and refused."""
LOAD_S = 300.0
"""Seconds for loading at most; a GPU or NPU compiles a model of billions of weights for minutes."""
SMALLER = 0.5
"""Share of `describe.image_side` that is tried too if the first sentence comes too late."""


@dataclass(frozen=True, slots=True)
class Describers:
    """The describer that can be measured here, and the devices to try."""

    choice: DescriberChoice | None
    devices: tuple[str, ...] = ()
    why_not: str = ""
    """Why there is none."""


def find_describer(settings: Settings, devices: Sequence[str]) -> Describers:
    """The model that the settings choose. `devices`: those of OpenVINO."""
    wanted = settings.describe
    if wanted.backend in ("off", "tags"):
        return Describers(None, why_not=f'describe.backend = "{wanted.backend}"')
    if wanted.backend in BACKENDS and BACKENDS[wanted.backend].is_server:
        return Describers(None, why_not="a server describes")
    try:
        models, cache = open_store(settings), settings.paths.cache
        choice = choose(
            wanted,
            settings.speech.language,
            models.path,
            cache,
            available_bytes,
            lambda name: slow_reason(settings, name),
        )
    except (UnusableError, DescribeError) as error:
        return Describers(None, why_not=str(error))
    if choice is None:
        return Describers(None, why_not="no model is in the store that fits into memory and is fast enough")
    # The devices of torch have other names, and one of them is set already.
    return Describers(choice, tuple(devices) if choice.spec.backend == "openvino" else (wanted.device,))


def measure_describers(settings: Settings, found: Describers, note: Note) -> Iterator[DescriberFigures]:
    """Yield a row a device; one more with a smaller picture if the first sentence comes too late."""
    if found.choice is None:
        return
    side = settings.describe.image_side
    for device in found.devices:
        note(f"{found.choice.spec.model} on {device}")
        row = _measured(settings, found.choice, device, side)
        yield row
        if not row.refused and row.first_sentence_s > settings.describe.deadline_s:
            note(f"{found.choice.spec.model} on {device} with a smaller picture")
            yield _measured(settings, found.choice, device, round(side * SMALLER))


def _measured(settings: Settings, choice: DescriberChoice, device: str, side: int) -> DescriberFigures:
    prompts = Prompts(settings.speech.language, builtin_words(), settings.describe.prompts)
    # At ordinary priority: at idle priority another program would make the model look slow.
    spec = replace(choice.spec, device=device, warm=prompts.instructions, idle=False)
    limits = Limits(choice.memory_bytes, min(settings.describe.load_s, LOAD_S))
    bare = DescriberFigures(model=spec.model, device=device, backend=spec.backend, image_side=side)
    began_s = time.monotonic()
    with closing(WorkerSupervisor(spec, limits)) as keeper:
        # A second more than the limit, after which the supervisor gives the model up.
        if not keeper.wait_ready(limits.load_s + 1):
            return replace(bare, refused=keeper.status.reason)
        bare = replace(bare, load_s=time.monotonic() - began_s)
        used, doubt = device_of(keeper.status.reason, spec.model)
        if spec.backend != "openvino":
            # torch chose the device: it may be the CPU, which the detector needs too.
            bare = replace(bare, device=used)
        elif kind_of(used) != kind_of(device):
            return replace(bare, refused=doubt or f"it runs on {used} instead")
        try:
            timings = [answer(keeper, job) for job in _jobs(settings, prompts, side)]
        except DescribeError as error:
            return replace(bare, refused=str(error))
        memory_mb = peak_bytes(keeper.pid) / 2**20 if keeper.pid else 0.0
    # The first answer allocates the buffers.
    return _with_times(replace(bare, memory_mb=memory_mb), timings[1:])


def device_of(ready: str, model: str) -> tuple[str, str]:
    """The device of `MODEL on DEVICE (not used: WHY)`, and why the wanted one is not used, if it is not."""
    used, _, why = ready.removeprefix(f"{model} on ").partition(" (not used: ")
    return used, why.removesuffix(")")


def _jobs(settings: Settings, prompts: Prompts, side: int) -> Iterator[GenerationJob]:
    """The test picture as the daemon would ask about it, each time a little further to the side."""
    language = settings.speech.language
    for number in range(ANSWERS + 1):
        # Never the same picture twice: a backend that caches its results would know the answer.
        image = np.roll(draw_test_image(side, side), 7 * number, 1)
        request = DescribeRequest("tune", bounded(image, side), Trigger.SCENE_CHANGE, language)
        prompt = prompts.prompt(request)
        yield GenerationJob(
            0, request.image, prompt.system, prompt.user, settings.describe.max_tokens, deadline_s=ANSWER_S
        )


def _with_times(row: DescriberFigures, timings: Sequence[Timing]) -> DescriberFigures:
    return replace(
        row,
        first_token_s=statistics.median(one.first_token_s for one in timings),
        first_sentence_s=statistics.median(one.first_sentence_s for one in timings),
        tokens_per_s=statistics.median(one.tokens_per_s for one in timings),
    )
