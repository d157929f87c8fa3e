"""The settings that follow from a choice of devices, each with its reason, and notes for the user. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from daemon.runtime.frame_budget import MIN_FPS
from daemon.tune.figures import Conditions, DescriberFigures, kind_of
from daemon.tune.pairing import Pair, gets_hot, sustained_fps, wanted_fps
from pipeline.models.loader import AUTO, STARTER
from pipeline.models.precision import Precision

DECODE_SHARE = 0.25
"""Part of one core that decoding a camera's pictures may take."""


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with its values by name, so that it can be said in the user's language."""

    text: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return self.text.format(**self.values)


@dataclass(frozen=True, slots=True)
class PlannedSetting:
    """A setting, its value, and the reason."""

    key: str
    value: str | int | float
    reason: Message


def planned_settings(pair: Pair, describers: Sequence[DescriberFigures]) -> Iterator[PlannedSetting]:
    """`describers`: every one that was measured, refused ones too."""
    yield from _detector(pair)
    yield _rate(pair)
    yield _share(pair)
    yield from _describer(pair, describers)
    yield from _camera_size(pair.on, pair.fps)


def _detector(pair: Pair) -> Iterator[PlannedSetting]:
    one, named = pair.detector, pair.on.model_setting
    if named not in (AUTO, one.model):
        slow = Message("{name} is too slow here or does not compute right", {"name": named})
        yield PlannedSetting("pipeline.model", one.model, slow)
    rate = Message("{fps} frames a second were measured there", {"fps": f"{one.fps:.0f}"})
    yield PlannedSetting("pipeline.device", one.device, rate)
    on_cpu = kind_of(one.device) == "CPU"
    # Only the CPU's precision is ours to choose, and the starter chooses by itself.
    if one.model != STARTER and on_cpu and one.precision in tuple(Precision):
        yield PlannedSetting("pipeline.precision", one.precision, rate)
    work = Message("{ms} ms of processor time a picture", {"ms": f"{one.cpu_ms:.0f}"})
    yield PlannedSetting("pipeline.threads", one.threads if on_cpu else 0, work)


def _rate(pair: Pair) -> PlannedSetting:
    on, sustained = pair.on, sustained_fps(pair.detector)
    limit = max(MIN_FPS, math.floor(min(wanted_fps(on), sustained)))
    if sustained < wanted_fps(on):
        reason = Message("more than {fps} a second could not be kept up", {"fps": f"{limit:.0f}"})
    elif on.battery:
        reason = Message("for the battery; every frame is assessed while a hazard is suspected")
    elif gets_hot(on):
        reason = Message("the processor reached {celsius} °C", {"celsius": f"{on.hottest_c:.0f}"})
    else:
        return PlannedSetting("pipeline.max_fps", AUTO, Message("it keeps up with the camera"))
    return PlannedSetting("pipeline.max_fps", float(limit), reason)


def _share(pair: Pair) -> PlannedSetting:
    if pair.describer is not None and pair.apart and not pair.is_late:
        reason = Message("the describer has a device of its own")
        return PlannedSetting("pipeline.cpu_share", 1.0, reason)
    reason = Message("half of the time is left to a describer on the same device, if there is one")
    return PlannedSetting("pipeline.cpu_share", AUTO, reason)


def _describer(pair: Pair, measured: Sequence[DescriberFigures]) -> Iterator[PlannedSetting]:
    chosen, seconds = pair.describer, {"seconds": f"{pair.first_sentence_s:.1f}"}
    if chosen is None:
        # All were refused: loading one at every start would only cost time.
        if measured:
            yield PlannedSetting("describe.backend", "tags", Message("no describer answers right here"))
        return
    if pair.is_late:
        late = Message("the first sentence takes {seconds} s, longer than describe.deadline_s", seconds)
        yield PlannedSetting("describe.backend", "tags", late)
        return
    spoken = Message("the first sentence takes {seconds} s beside the detector", seconds)
    # The devices of other backends have other names, and their figures say nothing about them.
    if chosen.backend == "openvino":
        # The choice of `auto`: a first GPU, even one that was refused and would be tried at every start.
        usual = min((one.device for one in measured if kind_of(one.device) == "GPU"), default="CPU")
        yield PlannedSetting("describe.device", AUTO if chosen.device == usual else chosen.device, spoken)
    if chosen.image_side != pair.on.image_side:
        yield PlannedSetting("describe.image_side", chosen.image_side, spoken)


def _camera_size(on: Conditions, fps: float) -> Iterator[PlannedSetting]:
    """The largest size, up to the present one, whose decoding takes little of one core."""
    width, height = on.camera_size
    known = sorted(on.sizes, key=lambda size: size.width * size.height)
    known = [size for size in known if size.width * size.height <= width * height]
    # With 0 the camera chooses its size itself.
    if on.camera != "device" or not known:
        return
    light = [size for size in known if size.decode_ms * fps / 1000 <= DECODE_SHARE]
    chosen = light[-1] if light else known[0]
    reason = Message("decoding a picture takes {ms} ms", {"ms": f"{chosen.decode_ms:.1f}"})
    yield PlannedSetting("capture.device_width", chosen.width, reason)
    yield PlannedSetting("capture.device_height", chosen.height, reason)


def planned_notes(pair: Pair) -> Iterator[Message]:
    """Notes for the user besides the settings."""
    one, on = pair.detector, pair.on
    if one.fps < MIN_FPS:
        slow = "only {fps} frames a second: dangers are noticed late; use a smaller model or a faster machine"
        yield Message(slow, {"fps": f"{one.fps:.1f}"})
    if on.battery:
        yield Message("planned for the battery; `watchword tune --power mains` plans for mains power")
    if gets_hot(on):
        hot = "the processor reached {celsius} °C under load; clean the fan and give it air"
        yield Message(hot, {"celsius": f"{on.hottest_c:.0f}"})
    if one.outdated:
        names = {"names": ", ".join(one.outdated)}
        yield Message("made for another model or precision, and not used: {names}", names)
    if on.camera == "stream":
        yield Message("a network camera has its own size and rate: set them in the camera")
