"""Decides when a probability becomes an alert. A pure state machine: no I/O, no clock, no threads.

It has four steps, each over all hazards at once in numpy, so that a thousand hazards cost about as much as
ten:

1. smoothing: `s += (1 - exp(-dt / tau)) * (p - s)`, a first-order low-pass filter for uneven intervals;
2. votes over *seconds*: the interval between two frames counts for the frame at its start, so a vote needs at
   least two frames, and means the same at 2 and at 60 frames a second. Of frames further apart than the
   window a single one suffices, if it is surer;
3. hysteresis: a hazard starts at the threshold and ends only after `clear_s` below `off_ratio` of it;
4. rivals: of hazards that are easily confused only the clearer one is raised (`pipeline.alerting.rivals`).

Python code for a single hazard runs only if the hazard passes these steps or is active.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.settings import Facing
from pipeline.alerting.direction import DirectionEstimator
from pipeline.alerting.rivals import NO_RULES, AlertRules, Rivals
from pipeline.log_odds import bounded_logit, logits, sigmoid
from pipeline.settings import WatchSettings
from pipeline.types import Alert, Assessment, Clear, Direction, Located, Probabilities, Severity

WatchEvent = Alert | Located | Clear

GROWTH_S = 1.0
"""Seconds that a rise of the score must last before it is announced: a short rise is noise."""

REMINDERS_DOUBLED = 3
"""How often the wait between two reminders of a lasting hazard doubles, at most."""

_SETTLED = 4.0
"""Time constants of the smoothing after an alert until the smoothed value has arrived within 1 %."""


@dataclass(frozen=True, slots=True)
class HazardThreshold:
    """One hazard as the policy sees it."""

    name: str
    severity: Severity
    threshold: float
    """Calibrated probability from which it counts as present."""


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """A hazard whose alert was raised and has not ended."""

    alert_id: str
    severity: Severity
    alerted_at_s: float
    level: float
    """Log-odds at the alert, once the smoothed value has arrived. A rise above this is an escalation."""
    spoken_at_s: float | None = None
    below_since_s: float | None = None
    retries: int = 0
    direction: Direction | None = None
    reminders: int = 0
    """How often it was said again without a change."""
    grown_since_s: float | None = None
    """Since when it has been higher than `level` by `escalate_logit`."""


@dataclass(frozen=True, slots=True)
class SpokenAlert:
    """When a hazard was last spoken of, and the level of that alert."""

    at_s: float
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """An interval, and the hazards that were over their threshold in the frame at its start."""

    start_s: float
    end_s: float
    over: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HazardEvidence:
    """The evidence for one hazard after a frame."""

    smoothed: float
    """Smoothed probability."""
    voted_s: float
    """Seconds of the vote's window in which it was over its threshold."""
    over: bool
    """It is over its threshold in this frame."""
    confirmed: bool
    """Votes and smoothing suffice for an alert. None is raised if one is active or was spoken just now."""
    withheld_by: str | None = None
    """The clearer rival because of which no alert is raised."""


class AlertPolicy:
    """Turns assessments into alerts. Serialisable by `state` and `restore`."""

    def __init__(
        self,
        settings: WatchSettings,
        hazards: Sequence[HazardThreshold],
        rules: AlertRules = NO_RULES,
        *,
        facing: Facing = "ahead",
    ) -> None:
        """`facing`: where the camera looks, as seen by the wearer."""
        self._settings = settings
        self._hazards = tuple(hazards)
        self._index = {h.name: i for i, h in enumerate(hazards)}
        self._on = np.array([h.threshold for h in hazards], dtype=np.float64)
        self._off = self._on * settings.off_ratio
        self._suspect = self._on * settings.suspect_ratio
        self._on_odds = logits(self._on)
        self._sure = sigmoid(self._on_odds + settings.sparse_logit)
        factors = np.array([rules.vote_factor.get(h.name, 1.0) for h in hazards], dtype=np.float64)
        # Capped at the window: a factor that asked for more could never be met, and the hazard would stay
        # silent.
        self._needed_s = np.minimum(settings.vote_s * factors, settings.vote_window_s)
        self._rivals = Rivals(self.names, rules)
        self._smoothed = np.zeros(len(hazards), dtype=np.float64)
        self._none_over = np.zeros(len(hazards), dtype=np.bool_)
        self._no_votes = np.zeros(len(hazards), dtype=np.float64)
        # Shared by votes and told by identity, so nothing may write into them.
        self._none_over.setflags(write=False)
        self._no_votes.setflags(write=False)
        self._over = self._none_over
        self._votes: tuple[Vote, ...] = ()
        self._voted_s = self._no_votes
        self._last_s: float | None = None
        self._interval_s = 0.0
        self._active: dict[str, ActiveAlert] = {}
        self._spoken: dict[str, SpokenAlert] = {}
        self._where = DirectionEstimator(settings, {h.name: h.threshold for h in hazards}, facing)
        self._withheld_by: dict[int, int] = {}
        self._issued = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Hazards in the order of the probability vectors."""
        return tuple(h.name for h in self._hazards)

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """Smoothed probability of each hazard, shape (H,); a copy."""
        return self._smoothed.copy()

    @property
    def voted_s(self) -> NDArray[np.float64]:
        """Seconds of the last window that each hazard was over its threshold, shape (H,)."""
        return self._voted_s

    @property
    def suspected(self) -> bool:
        """True while a hazard is present, or may be about to be."""
        # Read by the frame budget, which must leave out no frame now: each one decides whether an alert is in
        # time.
        return bool(self._active) or bool((self._smoothed >= self._suspect).any())

    @property
    def active(self) -> Mapping[str, ActiveAlert]:
        """The hazards that are present now."""
        return dict(self._active)

    @property
    def needed_s(self) -> NDArray[np.float64]:
        """Seconds over its threshold that each hazard needs within the vote's window, shape (H,)."""
        return self._needed_s

    def evidence(self, hazard: str) -> HazardEvidence:
        """Return the evidence for one hazard after the last step. Raises KeyError for an unknown one."""
        i = self._index[hazard]
        rival = self._withheld_by.get(i)
        return HazardEvidence(
            smoothed=float(self._smoothed[i]),
            voted_s=float(self._voted_s[i]),
            over=bool(self._over[i]),
            confirmed=bool(self._confirmed()[i]),
            withheld_by=None if rival is None else self._hazards[rival].name,
        )

    def next_crop(self) -> Direction | None:
        """Return the part of the next frame to score too, for a model that needs crops; None for no part."""
        return self._where.next_crop()

    def step(self, assessment: Assessment) -> tuple[WatchEvent, ...]:
        """Process one frame's probabilities and return the resulting events. Time is the frame's capture
        time.

        A probability that is not finite is ignored: the hazard stays as likely as it was.
        """
        now = assessment.captured_at_s
        # Order matters: the vote and the directions use this frame's smoothed values.
        p = self._finite(assessment.probabilities)
        self._smooth(p, now)
        self._vote(p, now)
        located = self._locate(assessment, now)
        confirmed = self._confirmed()
        self._withheld_by = self._withheld(confirmed)
        alerts = [
            alert
            for i in confirmed.nonzero()[0].tolist()
            if i not in self._withheld_by and (alert := self._onset(self._hazards[i], assessment))
        ]
        # Over a copy of the names: `_continue` may remove a hazard that has ended.
        lasting = [e for name in tuple(self._active) if (e := self._continue(name, assessment))]
        return (*alerts, *lasting, *located)

    def mark_spoken(self, alert_id: str, now: float) -> None:
        """Record that the alert's first sample sounded: its cool-down starts now."""
        for name, active in self._active.items():
            if active.alert_id == alert_id:
                # Heard: if a later one is not, retries begin with the shortest wait again.
                self._active[name] = replace(active, spoken_at_s=now, retries=0)
                self._spoken[name] = SpokenAlert(now, active.level)

    def mark_unheard(self, since_s: float) -> None:
        """Record that alerts spoken since `since_s` were not heard. Raise those still present again."""
        self._spoken = {name: spoken for name, spoken in self._spoken.items() if spoken.at_s < since_s}
        for name, active in self._active.items():
            if active.spoken_at_s is not None and active.spoken_at_s >= since_s:
                self._active[name] = replace(active, spoken_at_s=None, retries=0)

    def _finite(self, p: Probabilities) -> Probabilities:
        good = np.isfinite(p)
        # The smoothed value replaces it, so that one broken inference neither raises nor ends an alert.
        return p if good.all() else np.where(good, p, self._smoothed).astype(np.float32)

    def _smooth(self, p: Probabilities, now: float) -> None:
        tau, last = self._settings.smoothing_s, self._last_s
        if last is None or now - last > self._settings.max_gap_s:
            # After a gap the old evidence is about another scene. Starting at `p` instead of 0 loses no time.
            self._smoothed[:] = p
            self._votes = ()
            self._over = self._none_over
        else:
            # expm1 is precise for intervals far shorter than tau. If the clock went back, no time has passed.
            weight = 1.0 if tau == 0 else -math.expm1(-max(now - last, 0.0) / tau)
            self._smoothed += weight * (p - self._smoothed)

    def _vote(self, p: Probabilities, now: float) -> None:
        """Sum the seconds that each hazard was over its threshold within the last `vote_window_s`."""
        window_s, last_interval_s = self._settings.vote_window_s, self._interval_s
        since, self._interval_s = now - window_s, 0.0 if self._last_s is None else now - self._last_s
        # Both: a single long interval is a stall, after which the next frame comes soon.
        sparse = min(last_interval_s, self._interval_s) > window_s
        if self._last_s is not None and now > self._last_s:
            # The interval counts for the frame at its start: only that state is known to have lasted.
            self._votes = (*self._votes, Vote(self._last_s, now, self._over))
        self._votes = tuple(v for v in self._votes if v.end_s > since)
        over = np.asarray(p >= self._on)
        self._over = over if over.any() else self._none_over
        # Never back: a frame that arrives out of order must not make the next interval longer.
        self._last_s = now if self._last_s is None else max(now, self._last_s)
        self._voted_s = self._summed(since)
        if sparse and over.any():
            # To wait for the next frame would make the warning late.
            self._voted_s = np.where(p >= self._sure, window_s, self._voted_s)

    def _summed(self, since: float) -> NDArray[np.float64]:
        # Most views show no danger, and their sums are nothing but zeros.
        if all(vote.over is self._none_over for vote in self._votes):
            return self._no_votes
        weights = np.array([vote.end_s - max(vote.start_s, since) for vote in self._votes])
        votes = np.array([vote.over for vote in self._votes]).reshape(-1, len(self._hazards))
        return np.asarray((weights[:, None] * votes).sum(0), np.float64)

    def _confirmed(self) -> NDArray[np.bool_]:
        """Return the hazards that are over their threshold now, in the votes, and in the smoothed value."""
        # The tolerance: sums of frame intervals miss `vote_s` by rounding errors at some frame rates.
        voted = self._over & (self._voted_s >= self._needed_s - 1e-9)
        return np.asarray(voted & (self._smoothed >= self._on))

    def _withheld(self, confirmed: NDArray[np.bool_]) -> dict[int, int]:
        """Return the hazards that are not raised because of a clearer rival, with that rival."""
        if not confirmed.any():
            return {}
        active = self._mask([self._index[name] for name in self._active])
        return self._rivals.withheld_by(logits(self._smoothed) - self._on_odds, confirmed, active)

    def _onset(self, hazard: HazardThreshold, a: Assessment) -> Alert | None:
        if hazard.name in self._active or not self._may_speak(hazard.name, a.captured_at_s):
            return None
        return self._alert(hazard.name, hazard.severity, a)

    def _may_speak(self, name: str, now: float) -> bool:
        last = self._spoken.get(name)
        return (
            last is None
            or now - last.at_s >= self._settings.cooldown_s
            # Within the cool-down only a danger that has clearly come nearer may speak again.
            or self._risen(name, last.level, now - last.at_s)
        )

    def _risen(self, name: str, level: float, since_s: float) -> bool:
        rise = bounded_logit(float(self._smoothed[self._index[name]])) - level
        return rise >= self._settings.escalate_logit and since_s >= self._settings.escalate_min_s

    def _alert(
        self,
        name: str,
        severity: Severity,
        a: Assessment,
        *,
        escalated: bool = False,
        again: bool = False,
        retries: int = 0,
        reminders: int = 0,
    ) -> Alert:
        self._issued += 1
        probability = float(self._smoothed[self._index[name]])
        alert = Alert(
            id=f"a{self._issued}",
            hazard=name,
            severity=severity,
            probability=probability,
            captured_at_s=a.captured_at_s,
            seq=a.seq,
            direction=self._where.of(name),
            escalated=escalated,
            again=again,
        )
        self._active[name] = ActiveAlert(
            alert.id,
            severity,
            a.captured_at_s,
            bounded_logit(probability),
            retries=retries,
            direction=alert.direction,
            reminders=reminders,
        )
        return alert

    def _continue(self, name: str, a: Assessment) -> Alert | Clear | None:
        active, now = self._active[name], a.captured_at_s
        # Raised in this step: it has no history yet.
        if active.alerted_at_s == now:
            return None
        i = self._index[name]
        if self._smoothed[i] < self._off[i]:
            return self._fade(name, active, a)
        active = self._active[name] = replace(
            active,
            below_since_s=None,
            level=self._level(name, active, now),
            grown_since_s=self._grown_since_s(name, active, now),
        )
        # Between the two thresholds the alert lasts, but nothing new is said about it.
        if not self._over[i]:
            return None
        if active.grown_since_s is not None and now - active.grown_since_s >= GROWTH_S:
            # One step more severe, because only a higher severity cuts off a warning that is being spoken.
            severity = Severity(min(active.severity + 1, Severity.CRITICAL))
            return self._alert(name, severity, a, escalated=True)
        if active.spoken_at_s is None:
            return self._retry(name, active, a)
        # Doubling: a danger that stays for minutes, such as a parked car, is said ever more rarely.
        remind_s = self._settings.remind_s * 2 ** min(active.reminders, REMINDERS_DOUBLED)
        if 0 < remind_s <= now - active.spoken_at_s and active.severity > Severity.NOTICE:
            return self._alert(name, active.severity, a, again=True, reminders=active.reminders + 1)
        return None

    def _grown_since_s(self, name: str, active: ActiveAlert, now: float) -> float | None:
        """Return the time since which the score has stayed risen; None if it has not."""
        if not self._risen(name, active.level, now - active.alerted_at_s):
            return None
        return now if active.grown_since_s is None else active.grown_since_s

    def _level(self, name: str, active: ActiveAlert, now: float) -> float:
        """Return the level from which a rise counts. It follows the score until the smoothing has arrived.

        An alert is raised while its smoothed score still rises, which does not mean that the danger comes
        nearer.
        """
        if now - active.alerted_at_s > _SETTLED * self._settings.smoothing_s:
            return active.level
        return max(active.level, bounded_logit(float(self._smoothed[self._index[name]])))

    def _retry(self, name: str, active: ActiveAlert, a: Assessment) -> Alert | None:
        """Raise an alert that was not heard again, each time after twice the wait (at most 2**5)."""
        # Doubled each time: without a loudspeaker for hours, alerts would otherwise fill the journal.
        wait = self._settings.unspoken_retry_s * 2 ** min(active.retries, 5)
        if a.captured_at_s - active.alerted_at_s < wait:
            return None
        return self._alert(name, active.severity, a, again=True, retries=active.retries + 1)

    def _fade(self, name: str, active: ActiveAlert, a: Assessment) -> Clear | None:
        since = a.captured_at_s if active.below_since_s is None else active.below_since_s
        if a.captured_at_s - since < self._settings.clear_s:
            self._active[name] = replace(active, below_since_s=since)
            return None
        if active.spoken_at_s is not None:  # the level may have settled only after the first sample
            self._spoken[name] = SpokenAlert(active.spoken_at_s, active.level)
        del self._active[name]
        return Clear(f"c{active.alert_id[1:]}", name, active.alert_id, a.captured_at_s, a.seq)

    def _locate(self, a: Assessment, now: float) -> list[Located]:
        # `nonzero` and not `flatnonzero`, which takes six times as long for so few numbers.
        suspected = [self._hazards[i].name for i in (self._smoothed >= self._suspect).nonzero()[0].tolist()]
        self._where.step(suspected, a.parts, self._index, now)
        found = []
        for name, active in self._active.items():
            if active.direction is None and (direction := self._where.of(name)):
                self._active[name] = replace(active, direction=direction)
                found.append(Located(active.alert_id, name, direction, now, a.seq))
        return found

    def state(self) -> dict[str, Any]:
        """Everything a later `restore` needs, in plain JSON types; floats survive JSON exactly."""
        return {
            "hazards": list(self.names),
            "smoothed": self._smoothed.tolist(),
            "over": self._over.tolist(),
            "votes": [[v.start_s, v.end_s, np.flatnonzero(v.over).tolist()] for v in self._votes],
            "last_s": self._last_s,
            "interval_s": self._interval_s,
            "active": {name: asdict(active) for name, active in self._active.items()},
            "spoken": {name: asdict(spoken) for name, spoken in self._spoken.items()},
            "where": self._where.state(),
            "issued": self._issued,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`. Raises ValueError if it was made for other hazards."""
        if tuple(state["hazards"]) != self.names:
            raise ValueError(f"saved for hazards {state['hazards']}, not for {list(self.names)}")
        self._smoothed = np.array(state["smoothed"], dtype=np.float64)
        self._over = np.array(state["over"], dtype=np.bool_)
        self._votes = tuple(Vote(start, end, self._mask(over)) for start, end, over in state["votes"])
        self._last_s = state["last_s"]
        self._interval_s = state.get("interval_s", 0.0)
        self._active = {name: _active(fields) for name, fields in state["active"].items()}
        self._spoken = {name: SpokenAlert(**fields) for name, fields in state["spoken"].items()}
        self._where.restore(state["where"])
        self._issued = state["issued"]

    def _mask(self, indices: Sequence[int]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self._hazards), dtype=np.bool_)
        mask[list(indices)] = True
        return mask


def remap_state(state: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Convert a state to other hazards. Those that stay keep their values; new ones start from nothing."""
    old = {name: i for i, name in enumerate(state["hazards"])}
    new = {name: i for i, name in enumerate(names)}
    place = {i: new[name] for name, i in old.items() if name in new}

    def row(values: Sequence[Any], unseen: Any) -> list[Any]:
        return [values[old[name]] if name in old else unseen for name in names]

    def kept(by_name: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in by_name.items() if name in new}

    return {
        **state,
        "hazards": list(names),
        "smoothed": row(state["smoothed"], 0.0),
        "over": row(state["over"], False),
        "votes": [
            [start, end, sorted(place[i] for i in over if i in place)] for start, end, over in state["votes"]
        ],
        "active": kept(state["active"]),
        "spoken": kept(state["spoken"]),
        "where": {**state["where"], "sought": kept(state["where"]["sought"])},
    }


def _active(fields: Mapping[str, Any]) -> ActiveAlert:
    direction = fields["direction"]
    return ActiveAlert(
        **{
            **fields,
            "severity": Severity(fields["severity"]),
            "direction": Direction(direction) if direction else None,
        }
    )
