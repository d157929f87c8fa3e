"""Descriptions a minute and scene recall of our scene gate and of the rules that others use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from common.install_hint import install_hint
from daemon.bench.harness import Figure, unmeasured
from daemon.bench.peers.clips import RATE, SceneClip, find_clips
from daemon.bench.peers.outcome import ClipOutcome, RuleOutcome, SceneChange, total
from daemon.bench.peers.rules import (
    DIFFERENCE,
    NAMES,
    SCENE_GATE,
    Make,
    SceneGateRule,
    plain_rules,
    scenedetect_rules,
    shown,
)
from daemon.bench.tables import NOT_THERE
from daemon.config.settings import Settings
from daemon.wiring.detector import build_detector
from pipeline.store.errors import StoreError

PER_MINUTE, RECALL = "peers.{}.per_minute", "peers.{}.recall"
_SECONDS_A_SAMPLE = 20.0
"""Seconds of clips for each sample: five minutes at the usual fifteen."""


def measure(settings: Settings, samples: int, clips: Path | None = None) -> Iterator[Figure]:
    """Both figures of every rule, all on the same frames.

    `clips`: a folder of pictures or a manifest; None: the demo clip. Raises DatasetError, CameraUnusable,
    CommandError.
    """
    try:
        found = find_clips(settings, clips, _SECONDS_A_SAMPLE * samples)
        bundle = build_detector(settings)
    except StoreError as error:
        yield unmeasured(PER_MINUTE.format(SCENE_GATE), "1/min", None, str(error))
        return
    rules: dict[str, Make] = {SCENE_GATE: lambda: SceneGateRule(bundle), **plain_rules()}
    missing = ""
    try:
        rules |= scenedetect_rules(RATE)
    except ImportError:
        missing = f"{NOT_THERE}: PySceneDetect is not installed: {install_hint('bench')}"
    outcomes = {name: total(each) for name, each in play(found, rules).items()}
    for name, (outcome, note) in best_difference(outcomes).items():
        yield from figures(name, outcome, note)
    for name in NAMES if missing else ():
        if name not in rules and name != DIFFERENCE:
            yield unmeasured(PER_MINUTE.format(name), "1/min", None, missing)


def play(clips: list[SceneClip], rules: Mapping[str, Make]) -> Mapping[str, list[ClipOutcome]]:
    """Every clip once, each frame shown to all rules."""
    outcomes: dict[str, list[ClipOutcome]] = {name: [] for name in rules}
    for clip in clips:
        at_work = {name: make() for name, make in rules.items()}
        described: dict[str, list[float]] = {name: [] for name in rules}
        changes: list[SceneChange] = []
        end_s = 0.0
        for number, frame in enumerate(clip.play()):
            end_s = frame.at_s + 1 / RATE
            if frame.change is not None:
                changes.append(SceneChange(frame.at_s, frame.change))
            seen = shown(number, frame.at_s, frame.image)
            for name, rule in at_work.items():
                if rule.step(seen):
                    described[name].append(frame.at_s)
        for name, times in described.items():
            outcomes[name].append(ClipOutcome(end_s, tuple(changes), tuple(times)))
    return outcomes


def best_difference(outcomes: Mapping[str, RuleOutcome]) -> Mapping[str, tuple[RuleOutcome, str]]:
    """The outcomes by rule with a note, in the order of NAMES.

    Of the frame difference only the threshold with the best F1 on these very clips stays: that favours it.
    """
    chosen: dict[str, tuple[RuleOutcome, str]] = {}
    tried = {name: one for name, one in outcomes.items() if name.startswith(f"{DIFFERENCE}@")}
    for name in NAMES:
        if name in outcomes:
            chosen[name] = outcomes[name], ""
        elif name == DIFFERENCE and tried:
            best = max(tried, key=lambda one: tried[one].f1)
            bound = best.partition("@")[2]
            chosen[name] = tried[best], f"; above {bound} grey levels, the best of {len(tried)} thresholds"
    return chosen


def figures(name: str, outcome: RuleOutcome, note: str) -> Iterator[Figure]:
    """Both figures of one rule."""
    changes = sum(outcome.changes.values())
    yield Figure(PER_MINUTE.format(name), outcome.per_minute, "1/min", samples=outcome.described)
    if outcome.recall is None:
        yield unmeasured(RECALL.format(name), "ratio", None, "no scene change that can be judged")
        return
    yield Figure(RECALL.format(name), outcome.recall, "ratio", samples=changes, note=f"{outcome}{note}")
