"""What the baseline may take off: `ORDINARY` and `MOST` of `pipeline.alerting.baseline`.

Each clip is judged as by a camera that has seen its harmless seconds for hours: their mean log-odds, learnt
as the filter learns them (nothing while a hazard is over its threshold, nor for a while after), less what is
ordinary, is taken off the whole clip.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.footage.alert_figures import Tally
from daemon.tools.maintainer.footage.alert_tables import AlertVariant, tally_of
from daemon.tools.maintainer.footage.score_series import LabelledSeries
from daemon.tools.maintainer.heads.starter_calibration import FOOTAGE_THRESHOLD
from pipeline.alerting.baseline import AFTER_S
from pipeline.evaluation.clip_counts import is_safe
from pipeline.log_odds import logit

ORDINARIES, MOSTS = (-4.0, -3.0, -2.5, -2.0, -1.0), (0.5, 1.0, 1.5, 2.0)
_BOUND = 6.0


def learnt(one: LabelledSeries) -> NDArray[np.float64]:
    """(H,): the mean log-odds that a camera would have learnt of a clip's harmless seconds."""
    odds = np.clip(one.log_odds.astype(np.float64), -_BOUND, _BOUND)
    harmless = np.array([is_safe(one.clip, time_s) for time_s in one.times_s.tolist()])
    out = np.full(odds.shape[1], -_BOUND)
    for column in range(odds.shape[1]):
        over_s = one.times_s[odds[:, column] >= logit(FOOTAGE_THRESHOLD)]
        last = np.searchsorted(over_s, one.times_s, side="right") - 1
        since = one.times_s - over_s[np.maximum(last, 0)] if len(over_s) else np.full(len(odds), np.inf)
        rows = harmless & ((last < 0) | (since > AFTER_S))
        if rows.any():
            out[column] = odds[rows, column].mean()
    return out


def taken_off(one: LabelledSeries, ordinary: float, most: float) -> LabelledSeries:
    """The clip with its baseline subtracted."""
    excess = np.clip(learnt(one) - ordinary, 0, most)
    return replace(one, log_odds=np.asarray(one.log_odds - excess, np.float32))


def lines(series: Sequence[LabelledSeries]) -> Iterable[str]:
    """Every pair of limits with the alerts that it leaves."""
    means = np.concatenate([learnt(one) for one in series])
    quantiles = np.quantile(means, (0.5, 0.9, 0.95, 0.99)).round(2).tolist()
    yield f"baseline: mean log-odds of harmless seconds, 50, 90, 95 and 99 % of {len(means)}: {quantiles}"
    yield f"  nothing taken off: {_judged(series)}"
    for ordinary, most in itertools.product(ORDINARIES, MOSTS):
        kept = _judged([taken_off(one, ordinary, most) for one in series])
        yield f"  above {ordinary:g}, at most {most:g}: {kept}"


def _judged(series: Sequence[LabelledSeries]) -> Tally:
    return tally_of(series, AlertVariant())
