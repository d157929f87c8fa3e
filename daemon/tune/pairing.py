"""Which detector and describer run best together, by their figures. Pure.

The danger lane comes first: a detector that keeps up with the camera is preferred to anything that a
describer would gain. Then come the describer's first sentence and the time of a picture; on a battery, or on
a machine that gets hot, the device that takes the least power and the least processor time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.processor_heat import HOT_C
from daemon.runtime.frame_budget import MIN_FPS
from daemon.tune.figures import Conditions, DescriberFigures, DetectorFigures, kind_of
from pipeline.models.precision import INT8_GAIN, Precision

SUSTAINED = 0.8
"""Share of a rate measured back to back that is planned: the core, the journal and speech need time too."""
BATTERY_FPS, HOT_FPS = 12.0, 15.0
"""Pictures a second planned on a battery, and on a machine that gets hot: a walker moves 12 cm in a twelfth
of a second, and while a hazard is suspected every picture is assessed anyway.
"""
WORTH = 0.9
"""Share of the time, or of the processor time, up to which fewer threads are worth a setting."""
LATE = 1.2
"""Share of the deadline by which a first sentence must miss it, so that a busy moment does not decide."""
_SHARED = 0.5
"""Part of the time that the detector takes of a device that it shares (`pipeline.cpu_share` = "auto")."""
_HOT_UNDER_LOAD_C = HOT_C - 5.0
_POWER_ORDER = {"NPU": 0, "GPU": 1}
"""By the power they take for a picture; the CPU takes the most."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A detector and a describer that run together; None is no describer but the template sentences."""

    detector: DetectorFigures
    describer: DescriberFigures | None
    on: Conditions

    @property
    def apart(self) -> bool:
        """True if they use different devices."""
        return self.describer is None or kind_of(self.detector.device) != kind_of(self.describer.device)

    @property
    def fps(self) -> float:
        """Pictures a second that are assessed."""
        shared = math.inf if self.apart else max(MIN_FPS, _SHARED * self.detector.fps)
        return min(wanted_fps(self.on), sustained_fps(self.detector), shared)

    @property
    def first_sentence_s(self) -> float:
        """Seconds to the describer's first sentence beside the detector; 0 without a describer."""
        if self.describer is None:
            return 0.0
        if kind_of(self.describer.device) == "CPU":
            # The detector prepares pictures on the CPU, wherever its network runs.
            busy = self.detector.cpu_ms * self.fps / 1000 / self.on.cores
        else:
            busy = 0.0 if self.apart else self.detector.ms * self.fps / 1000
        return self.describer.first_sentence_s / max(1 - busy, 0.1)

    @property
    def is_late(self) -> bool:
        """True if the first sentence comes too late to be spoken."""
        return self.first_sentence_s > LATE * self.on.deadline_s

    @property
    def cost(self) -> tuple[object, ...]:
        """Smaller is better. The last items only make the choice independent of the figures' order."""
        one, other = self.detector, self.describer
        saving = self.on.battery or gets_hot(self.on)
        return (
            -min(MIN_FPS, one.fps),
            -math.floor(self.fps),
            self.is_late,
            _POWER_ORDER.get(kind_of(one.device), 2) if saving else 0,
            # Half seconds: less is not noticed, and noise must not move the detector.
            round(2 * self.first_sentence_s),
            *((one.cpu_ms, one.ms) if saving else (one.ms, one.cpu_ms)),
            (one.device, one.precision, one.threads),
            (other.model, other.device, -other.image_side) if other else (),
        )


def gets_hot(on: Conditions) -> bool:
    """True if the machine came near the temperature at which it slows itself down."""
    return on.hottest_c is not None and on.hottest_c >= _HOT_UNDER_LOAD_C


def wanted_fps(on: Conditions) -> float:
    """Pictures a second to aim for."""
    limits = [on.camera_fps]
    if on.battery:
        limits.append(BATTERY_FPS)
    if gets_hot(on):
        limits.append(HOT_FPS)
    return max(MIN_FPS, min(limits))


def sustained_fps(one: DetectorFigures) -> float:
    """Pictures a second that a detector keeps up beside the rest of the program."""
    return SUSTAINED * one.fps


def eligible(detectors: Sequence[DetectorFigures]) -> tuple[DetectorFigures, ...]:
    """The figures of the preferred model that may be taken. `detectors`: preferred models first."""
    names = dict.fromkeys(one.model for one in detectors)
    by_model = [tuple(_admitted([one for one in detectors if one.model == name])) for name in names]
    fast = (own for own in by_model if any(one.fps >= MIN_FPS for one in own))
    # If none is fast enough, the fastest warns at least late.
    fastest = max(by_model, key=lambda own: max((one.fps for one in own), default=0.0), default=())
    return next(fast, fastest)


def _admitted(own: Sequence[DetectorFigures]) -> Iterator[DetectorFigures]:
    """Those of one model."""
    usable = [one for one in own if not one.refused and one.ms > 0]
    # A precision to which nothing here was fitted would silently drop the user's calibration.
    fitting = [one for one in usable if not one.outdated] or usable
    yield from (one for one in fitting if _is_worth_it(one, fitting))


def _is_worth_it(one: DetectorFigures, others: Sequence[DetectorFigures]) -> bool:
    """False for 8 bits, or a number of threads, that gain too little over the ordinary figures."""
    plain = [o for o in others if o.device == one.device and o.threads == 0]
    if one.threads:
        same = [o for o in plain if o.precision == one.precision]
        return all(one.ms <= WORTH * o.ms or one.cpu_ms <= WORTH * o.cpu_ms for o in same)
    if one.precision != Precision.INT8:
        return True
    floats = (o.ms for o in plain if o.precision != Precision.INT8)
    return one.ms <= INT8_GAIN * min(floats, default=math.inf)
