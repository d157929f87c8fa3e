"""A measurement and its plan as lines for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from unicodedata import east_asian_width

from daemon.bench.quietness import QUIET_SHARE
from daemon.tune.figures import DescriberFigures, DetectorFigures
from daemon.tune.measurement import Measurement
from daemon.tune.plan import Plan
from daemon.tune.proposals import PlannedSetting

Say = Callable[..., str]
"""A message in the user's language, with its values by name."""


def lines(found: Measurement, plan: Plan, present: Mapping[str, Any], say: Say) -> Iterator[str]:
    """`present`: the settings in force by dotted key."""
    yield from _machine(found, say)
    yield ""
    yield from _table(_DETECTOR_HEAD, [_detector(row) for row in found.detectors], found.detectors, plan, say)
    yield ""
    if found.describers:
        yield from _table(
            _DESCRIBER_HEAD, [_describer(r) for r in found.describers], found.describers, plan, say
        )
    else:
        yield say("no describer was measured: {reason}", reason=found.no_describer)
    yield ""
    for one in plan.settings:
        yield _setting(one, present.get(one.key), say)
    for note in plan.notes:
        yield f"{say('note')}: {say(note.text, **note.values)}"


def _machine(found: Measurement, say: Say) -> Iterator[str]:
    for name, full in found.machine.devices.items():
        yield f"{name:5} {full}"
    if found.machine.problem:
        yield say("the devices could not be listed: {reason}", reason=found.machine.problem)
    yield _power(found, say)
    if found.conditions.hottest_c is not None:
        yield say("hottest: {celsius} °C", celsius=f"{found.conditions.hottest_c:.0f}")
    if found.others_share > QUIET_SHARE:
        share = f"{found.others_share:.0%}"
        yield say(
            "other programs used {share} of the processors: measure again when the machine is quiet",
            share=share,
        )


def _power(found: Measurement, say: Say) -> str:
    if not found.power.has_battery:
        return say("on mains power")
    percent = "?" if found.power.percent is None else str(found.power.percent)
    if found.power.on_battery:
        return say("on the battery ({percent}%)", percent=percent)
    return say("on mains power, with a battery ({percent}%)", percent=percent)


_DETECTOR_HEAD = ("model", "device", "precision", "threads", "ms", "p95 ms", "frames/s", "CPU ms")
_DESCRIBER_HEAD = ("model", "device", "picture", "load s", "first word s", "sentence s", "tokens/s", "MB")


def _detector(row: DetectorFigures) -> tuple[str, ...]:
    about = row.model, row.device, row.precision, str(row.threads or "auto")
    if not row.ms:
        return (*about, "", "", "", "")
    return (*about, f"{row.ms:.1f}", f"{row.p95_ms:.1f}", f"{row.fps:.0f}", f"{row.cpu_ms:.1f}")


def _describer(row: DescriberFigures) -> tuple[str, ...]:
    about = row.model, row.device, f"{row.image_side} px"
    if not row.first_sentence_s:
        return (*about, "", "", "", "", "")
    times = (row.load_s, row.first_token_s, row.first_sentence_s)
    return (*about, *(f"{s:.1f}" for s in times), f"{row.tokens_per_s:.1f}", f"{row.memory_mb:.0f}")


def _table(
    head: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    figures: Sequence[DetectorFigures | DescriberFigures],
    plan: Plan,
    say: Say,
) -> Iterator[str]:
    """The verdict stands behind each row: reasons are long, and would widen a column."""
    first, *others = _aligned((tuple(map(say, head)), *rows))
    yield first
    for line, row in zip(others, figures, strict=True):
        verdict = f"  {say('not used: {reason}', reason=row.refused)}" if row.refused else ""
        yield line + (f"  <- {say('planned')}" if row in (plan.detector, plan.describer) else verdict)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of the same width on a terminal, the first three to the left."""
    widths = [max(map(_columns, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        gaps = [" " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = (
            f"{c}{gap}" if n < 3 else f"{gap}{c}" for n, (c, gap) in enumerate(zip(row, gaps, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _columns(text: str) -> int:
    """Columns of a terminal that a text takes: a Korean syllable takes two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _setting(one: PlannedSetting, present: Any, say: Say) -> str:
    value, reason = json.dumps(one.value), say(one.reason.text, **one.reason.values)
    if present == one.value:
        return f"{one.key} = {value}  ({say('as now')}): {reason}"
    return f"{one.key} = {value}  ({say('now {value}', value=json.dumps(present))}): {reason}"


def as_json(found: Measurement, plan: Plan, present: Mapping[str, Any]) -> dict[str, Any]:
    """Figures, circumstances and plan; messages are in English."""
    return {
        "devices": dict(found.machine.devices),
        "problem": found.machine.problem,
        "power": asdict(found.power),
        "conditions": asdict(found.conditions),
        "others_share": round(found.others_share, 3),
        "detectors": [{**asdict(row), "planned": row == plan.detector} for row in found.detectors],
        "describers": [{**asdict(row), "planned": row == plan.describer} for row in found.describers],
        "no_describer": found.no_describer,
        "plan": {
            one.key: {"value": one.value, "now": present.get(one.key), "reason": str(one.reason)}
            for one in plan.settings
        },
        "notes": [str(note) for note in plan.notes],
    }
