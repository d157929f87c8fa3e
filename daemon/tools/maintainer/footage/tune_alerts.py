"""Tries alert settings on scored clips: `python -m daemon.tools.maintainer.footage.tune_alerts FOLDER...`.

Each FOLDER holds files of `score_series`. For every combination of the grid the thresholds are chosen on all
folds but one to keep a budget of false alerts an hour, and judged on that one by the real alert policy; the
sums over the folds are printed. Locked sources take no part.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from daemon.tools.maintainer.footage.alert_figures import (
    LevelCounts,
    Tally,
    common_shift,
    judged,
    level_counts,
    own_shifts,
    summed,
)
from daemon.tools.maintainer.footage.score_series import LabelledSeries, SeriesError, open_series
from daemon.tools.maintainer.printing import print_lines
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.alerting.rivals import NO_RULES, AlertRules
from pipeline.alerting.rules import builtin_rules
from pipeline.hazards import builtin_hazards
from pipeline.log_odds import logit
from pipeline.settings import WatchSettings
from pipeline.types import Severity

SHIFTS = tuple(np.arange(-1.5, 4.01, 0.25).tolist())
"""Log-odds by which thresholds are moved from the base."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One combination of the grid and its figures on folds that its thresholds were not chosen on."""

    settings: WatchSettings
    with_rules: bool
    common: Tally
    """One shift for all thresholds."""
    own: Tally
    """A shift for each hazard."""
    thresholds: tuple[float, ...]
    """Of each hazard, chosen on all folds."""
    common_threshold: float


@dataclass(frozen=True, slots=True)
class Grid:
    """The values to be tried; every combination is."""

    smoothing_s: Sequence[float]
    vote_s: Sequence[float]
    vote_window_s: Sequence[float]
    rules: Sequence[bool] = (True,)

    def combinations(self, base: WatchSettings) -> Iterable[tuple[WatchSettings, bool]]:
        for tau, vote, window, rules in itertools.product(
            self.smoothing_s, self.vote_s, self.vote_window_s, self.rules
        ):
            # A vote longer than its window can never be met.
            if vote <= window:
                changed = {"smoothing_s": tau, "vote_s": vote, "vote_window_s": window}
                yield base.model_copy(update=changed), rules


def run_trial(
    series: Sequence[LabelledSeries],
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    rules: AlertRules,
    budget: float,
    price: float,
) -> Trial:
    """Choose on all folds but one and judge on that one, in turn. Raises SeriesError for a single fold."""
    folds = sorted({one.part for one in series})
    if len(folds) < 2:
        raise SeriesError(f"clips of the one part {folds[0]} alone: thresholds need others to be chosen on")
    counts = {
        fold: _counts([one for one in series if one.part == fold], hazards, settings, rules) for fold in folds
    }
    common, own = Tally(), Tally()
    for fold in folds:
        rest, left_out = summed(counts, without=fold), [one for one in series if one.part == fold]
        level = common_shift(rest, budget)
        common += judged(left_out, _moved(hazards, [level] * len(hazards)), settings, rules)
        own += judged(left_out, _moved(hazards, own_shifts(rest, hazards, budget, price)), settings, rules)
    whole = summed(counts)
    # These thresholds are for use; the figures above are of thresholds that had not seen the clips.
    chosen = _moved(hazards, own_shifts(whole, hazards, budget, price))
    together = _moved(hazards[:1], [common_shift(whole, budget)])[0]
    return Trial(
        settings,
        rules is not NO_RULES,
        common,
        own,
        tuple(hazard.threshold for hazard in chosen),
        together.threshold,
    )


def _counts(
    series: Iterable[LabelledSeries],
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    rules: AlertRules,
) -> LevelCounts:
    counted = [level_counts(one, hazards, SHIFTS, settings, rules) for one in series]
    return summed({str(number): one for number, one in enumerate(counted)})


def _moved(hazards: Sequence[HazardThreshold], levels: Sequence[int]) -> list[HazardThreshold]:
    odds = [logit(one.threshold) + SHIFTS[level] for one, level in zip(hazards, levels, strict=True)]
    return [
        replace(one, threshold=float(1 / (1 + np.exp(-value))))
        for one, value in zip(hazards, odds, strict=True)
    ]


def base_hazards(names: Sequence[str], threshold: float) -> list[HazardThreshold]:
    """The hazards with their built-in severities and one threshold."""
    known = builtin_hazards()
    return [HazardThreshold(name, Severity[known[name].severity.upper()], threshold) for name in names]


def lines(trial: Trial, names: Sequence[str]) -> Iterable[str]:
    settings = trial.settings
    yield (
        f"smoothing {settings.smoothing_s:g} vote {settings.vote_s:g} of {settings.vote_window_s:g} "
        f"rules {'on' if trial.with_rules else 'off'}"
    )
    yield f"  one threshold ({trial.common_threshold:.3f}): {trial.common}"
    yield f"  one a hazard: {trial.own}"
    chosen = zip(names, trial.thresholds, strict=True)
    yield "  chosen on all folds: " + " ".join(f"{name} {value:.3f}" for name, value in chosen)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main(arguments: Sequence[str] | None = None) -> int:
    base = WatchSettings()
    parser = argparse.ArgumentParser(prog="tune_alerts", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="scores of clips, by score_series")
    parser.add_argument("--budget", type=float, default=10.0, help="false alerts an hour")
    parser.add_argument("--price", type=float, default=0.2, help="spans that one wrong alert weighs")
    parser.add_argument("--threshold", type=float, default=0.5, help="probability that the shifts start at")
    parser.add_argument("--smoothing", type=_numbers, default=(base.smoothing_s,))
    parser.add_argument("--vote", type=_numbers, default=(base.vote_s,))
    parser.add_argument("--window", type=_numbers, default=(base.vote_window_s,))
    parser.add_argument("--rules", choices=("on", "off", "both"), default="on")
    args = parser.parse_args(arguments)
    return print_lines(_trials(args, base))


def _trials(args: argparse.Namespace, base: WatchSettings) -> Iterable[str]:
    """The lines of each combination of the grid. Raises SeriesError."""
    rules = {"on": (True,), "off": (False,), "both": (True, False)}[args.rules]
    grid = Grid(args.smoothing, args.vote, args.window, rules)
    series = open_series(args.folders)
    hazards = base_hazards(series[0].hazards, args.threshold)
    for settings, ruled in grid.combinations(base):
        chosen = builtin_rules() if ruled else NO_RULES
        trial = run_trial(series, hazards, settings, chosen, args.budget, args.price)
        yield from lines(trial, series[0].hazards)


if __name__ == "__main__":
    sys.exit(main())
