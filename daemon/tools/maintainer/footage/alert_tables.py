"""Tables of alerts on clips of sources left out.

`python -m daemon.tools.maintainer.footage.alert_tables FOLDER...` prints what each threshold is worth on each
kind of footage, and what slow cameras are worth, as it stands in docs/evaluation.md; each FOLDER holds files
of `score_series`. `ablation` prints what each rule is worth. Locked sources take no part.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from daemon.tools.maintainer.document import write_table
from daemon.tools.maintainer.footage.alert_figures import Tally, judged, tally
from daemon.tools.maintainer.footage.score_series import LabelledSeries, open_series
from daemon.tools.maintainer.footage.tune_alerts import base_hazards
from daemon.tools.maintainer.heads.starter_calibration import FOOTAGE_THRESHOLD
from daemon.tools.maintainer.heads.training_set import ALIKE
from daemon.tools.maintainer.printing import print_lines
from pipeline.alerting.rivals import NO_RULES, AlertRules
from pipeline.alerting.rules import builtin_rules
from pipeline.calibration.sweep import replay_alerts
from pipeline.evaluation.clip_counts import ClipEvents
from pipeline.evaluation.intervals import poisson_interval
from pipeline.hazards import builtin_hazards
from pipeline.settings import PipelineSettings, WatchSettings

KINDS = ("people signing, cards of text", "other footage", "clips made of photographs")
SIGNING, OTHER, MADE = KINDS
THRESHOLDS = (0.37, 0.5, 0.6, 0.7)
RATES = (0.5, 1.0, 2.0, 5.0)
"""Frames a second of the table of slow cameras."""
_MADE = re.compile(rf"(harmless|{'|'.join(builtin_hazards())})_\d{{4}}")
"""File names of `make_clips`."""
_FEW = ("construction", "stove_hot", "crosswalk_signal")
"""Hazards with pictures from few sources."""


def kind_of(one: LabelledSeries) -> str:
    """One of KINDS."""
    if _MADE.fullmatch(one.clip.path.stem):
        return MADE
    return SIGNING if one.clip.source in ALIKE else OTHER


@dataclass(frozen=True, slots=True)
class AlertVariant:
    """The options of the ablation between a score and an alert. The defaults are the shipped ones."""

    name: str = "as shipped"
    threshold: float = FOOTAGE_THRESHOLD
    settings: WatchSettings = field(default_factory=WatchSettings)
    rules: AlertRules = field(default_factory=builtin_rules)
    usual_s: float = 0.0
    """Time constant of the baseline; clips are too short for it, so none is taken off as a rule."""
    memory_s: float = 0.0
    """Seconds over which log-odds are averaged first."""


def variants(picture_threshold: float) -> tuple[AlertVariant, ...]:
    """The shipped way and each of its parts left out or changed."""
    base, rules = WatchSettings(), builtin_rules()
    no_lead = {name: dict.fromkeys(leads, 0.0) for name, leads in rules.yields_to.items()}
    alone = base.model_copy(update={"smoothing_s": 0.0})
    return (
        AlertVariant(),
        AlertVariant("without rivals", rules=NO_RULES),
        AlertVariant("rivals without a lead", rules=replace(rules, yields_to=no_lead)),
        AlertVariant("more votes for hazards of few sources", rules=_more_votes(rules)),
        AlertVariant("without votes", settings=base.model_copy(update={"vote_s": 0.0})),
        AlertVariant("without smoothing", settings=alone),
        AlertVariant("without memory: each frame alone", settings=alone.model_copy(update={"vote_s": 0.0})),
        AlertVariant("log-odds of a second averaged, not smoothed", settings=alone, memory_s=1.0),
        AlertVariant("threshold of a single picture", threshold=picture_threshold),
        AlertVariant("with the baseline taken off", usual_s=PipelineSettings().usual_s),
    )


def _more_votes(rules: AlertRules) -> AlertRules:
    return replace(rules, vote_factor={**rules.vote_factor, **dict.fromkeys(_FEW, 1.5)})


def tally_of(series: Iterable[LabelledSeries], variant: AlertVariant) -> Tally:
    """The sums over some clips, by the real alert policy."""
    return tally((one, _events(_remembered(one, variant.memory_s), variant)) for one in series)


def _events(one: LabelledSeries, variant: AlertVariant) -> ClipEvents:
    hazards = base_hazards(one.hazards, variant.threshold)
    return replay_alerts(one.series, hazards, variant.settings, variant.usual_s, variant.rules)


def _remembered(one: LabelledSeries, seconds: float) -> LabelledSeries:
    """Log-odds averaged over the last seconds before each frame, itself included."""
    if not seconds:
        return one
    first = np.searchsorted(one.times_s, one.times_s - seconds + 1e-6)
    total = np.vstack([np.zeros((1, one.log_odds.shape[1])), np.cumsum(one.log_odds, 0, dtype=np.float64)])
    last = np.arange(1, len(one.times_s) + 1)
    mean = (total[last] - total[first]) / (last - first)[:, None]
    return replace(one, log_odds=np.asarray(mean, np.float32))


def rule_table(series: Sequence[LabelledSeries], picture_threshold: float) -> Iterable[str]:
    """The ablation of each part between scores and alerts. People signing are listed separately."""
    signing = [one for one in series if kind_of(one) == SIGNING]
    others = [one for one in series if kind_of(one) != SIGNING]
    yield "| alerts | hazards within a second | false alerts an hour | wrong alerts | signing, an hour |"
    yield "|---|--:|--:|--:|--:|"
    for variant in variants(picture_threshold):
        cells = _cells(tally_of(others, variant)), _rate(tally_of(signing, variant))
        yield f"| {variant.name} | {' | '.join(cells)} |"


def threshold_table(
    series: Sequence[LabelledSeries], thresholds: Sequence[float] = THRESHOLDS
) -> Iterable[str]:
    """The figures of each threshold on each kind of footage."""
    yield "| clips of the folds | threshold | hazards within a second | false alerts an hour | wrong alerts |"
    yield "|---|--:|--:|--:|--:|"
    for kind in KINDS:
        own = [one for one in series if kind_of(one) == kind]
        for threshold in thresholds if own else ():
            hazards = base_hazards(own[0].hazards, threshold)
            sums = judged(own, hazards, WatchSettings(), builtin_rules())
            yield f"| {kind}, {sums.safe_s / 3600:.2f} h | {threshold:g} | {_cells(sums)} |"


def rate_table(series: Sequence[LabelledSeries], rates: Sequence[float] = RATES) -> Iterable[str]:
    """The figures at several frame rates, with and without the rule for frames far apart. Without signing."""
    others = [one for one in series if kind_of(one) != SIGNING]
    waiting = WatchSettings(sparse_logit=20)
    yield "| frames a second | hazards within a second | false alerts an hour | wrong alerts | two frames |"
    yield "|---|--:|--:|--:|--:|"
    for rate in rates:
        thinned = [thin(one, rate) for one in others]
        shipped, two = (tally_of(thinned, v) for v in (AlertVariant(), AlertVariant(settings=waiting)))
        yield f"| {rate:g} | {_cells(shipped)} | {two.in_time} of {two.spans} |"


def thin(one: LabelledSeries, rate: float) -> LabelledSeries:
    """A clip as a camera of `rate` frames a second sees it; a slower one is left as it is."""
    # Half a frame of 60 a second: times are rounded.
    due = np.floor((one.times_s - one.times_s[0]) * rate + rate / 120)
    kept = np.flatnonzero(np.diff(due, prepend=-1) > 0)
    return replace(
        one, times_s=one.times_s[kept], log_odds=one.log_odds[kept], embeddings=one.embeddings[kept]
    )


def _cells(sums: Tally) -> str:
    return f"{sums.in_time} of {sums.spans} | {_rate(sums)} | {sums.wrong} of {sums.alerts}"


def _rate(sums: Tally) -> str:
    hours = sums.safe_s / 3600
    if not hours:
        return "-"
    low, high = poisson_interval(sums.false_alerts)
    return f"{sums.false_alerts / hours:.1f} [{low / hours:.1f}, {high / hours:.1f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="alert_tables", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="scores of clips, by score_series")
    parser.add_argument("--document", type=Path, help="write the table into this document")
    return print_lines(_table(parser.parse_args(arguments)))


def _table(options: argparse.Namespace) -> Iterable[str]:
    series = open_series(options.folders)
    for name, table in (("left-out clips", threshold_table), ("slow cameras", rate_table)):
        lines = list(table(series))
        yield from lines
        if options.document:
            write_table(options.document, name, lines)


if __name__ == "__main__":
    sys.exit(main())
