"""Learning a hazard from a handful of pictures: where, among harmless ones, does it begin?

The kernel needs no training (see `pipeline.calibration.few_shot`), so only three numbers are found: the mean
and deviation of the scores of harmless pictures, each judged by the others, and the boundary, above every
harmless picture and some of the way to the typical example.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.calibration.few_shot import (
    LOGIT_PER_DEVIATION,
    SHARPNESS,
    Estimate,
    TeachError,
    Vectors,
    density,
)

LEAST_UNLIKE = 8
MOST_LIKE, MOST_UNLIKE = 50, 300
_PORTION = 0.15
"""Of the way from the harmless to the typical example."""
_MARGIN = 0.5
"""Log-odds above the most alarming harmless picture, at least."""
_LEAST_DEVIATIONS = 2.0
"""Standard deviations above the harmless mean, at least."""
# A few harmless pictures that are nearly equal would give a spread near 0 and every new picture a huge score.
_LEAST_SPREAD = 0.05
_ALONE = 4.0
"""A single example cannot be judged by others: it is taken to lie this many deviations out."""

Rows = NDArray[np.float64]


# All cosines are computed once; leaving one picture out only selects rows and columns.
@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Cosines among examples and harmless pictures, and the log-odds their words give them."""

    like_like: Rows
    like_unlike: Rows
    unlike_unlike: Rows
    like_words: Rows
    unlike_words: Rows

    @classmethod
    def of(cls, like: Vectors, unlike: Vectors, like_words: Rows, unlike_words: Rows) -> TrainingSet:
        a, b = np.asarray(like, np.float64), np.asarray(unlike, np.float64)
        return cls(a @ a.T, a @ b.T, b @ b.T, like_words, unlike_words)

    def without_like(self, row: int) -> TrainingSet:
        keep = np.arange(len(self.like_words)) != row
        return TrainingSet(
            self.like_like[np.ix_(keep, keep)],
            self.like_unlike[keep],
            self.unlike_unlike,
            self.like_words[keep],
            self.unlike_words,
        )

    def without_unlike(self, row: int) -> TrainingSet:
        keep = np.arange(len(self.unlike_words)) != row
        return TrainingSet(
            self.like_like,
            self.like_unlike[:, keep],
            self.unlike_unlike[np.ix_(keep, keep)],
            self.like_words,
            self.unlike_words[keep],
        )


@dataclass(frozen=True, slots=True)
class FewShotFit:
    """The three numbers of a taught hazard."""

    centre: float
    deviation: float
    boundary: float

    def log_odds(self, words: float, like: Rows, unlike: Rows) -> float:
        """Of a picture with these cosines to the examples and to the harmless pictures."""
        score = float(density(like) - density(unlike))
        return words + LOGIT_PER_DEVIATION * (score - self.centre) / self.deviation - self.boundary


def fit(lesson: TrainingSet, sharpness: float = SHARPNESS) -> FewShotFit:
    """`sharpness` of the kernel. Raises TeachError if there are too few harmless pictures."""
    if len(lesson.unlike_words) < LEAST_UNLIKE:
        raise TeachError(
            f"{len(lesson.unlike_words)} harmless pictures are too few; name at least {LEAST_UNLIKE} "
            "ordinary ones with --unlike"
        )
    harmless = density(lesson.like_unlike.T, sharpness) - _others(lesson.unlike_unlike, sharpness)
    centre, deviation = float(harmless.mean()), max(float(harmless.std()), _LEAST_SPREAD)
    odds = lesson.unlike_words + LOGIT_PER_DEVIATION * (harmless - centre) / deviation
    low = max(float(odds.max()), float(odds.mean() + _LEAST_DEVIATIONS * odds.std()))
    examples = _examples(lesson, centre, deviation, sharpness)
    typical = float(np.mean(lesson.like_words + LOGIT_PER_DEVIATION * examples))
    return FewShotFit(centre, deviation, max(low + _MARGIN, low + _PORTION * (typical - low)))


def _examples(lesson: TrainingSet, centre: float, deviation: float, sharpness: float) -> Rows:
    """The number of standard deviations of each example, by the scores of the others."""
    if len(lesson.like_words) == 1:
        # No other example is there to compare it with.
        return np.full(1, _ALONE)
    own = _others(lesson.like_like, sharpness) - density(lesson.like_unlike, sharpness)
    return (own - centre) / deviation


def _others(cosines: Rows, sharpness: float) -> Rows:
    """The density at each picture by all others of a square matrix: (N,)."""
    count = len(cosines)
    return density(cosines[~np.eye(count, dtype=bool)].reshape(count, count - 1), sharpness)


def estimate(lesson: TrainingSet, threshold_odds: float, *, worded: bool) -> Estimate:
    """Leave-one-out over both kinds; `threshold_odds` is the hazard's threshold as log-odds."""
    like, unlike = len(lesson.like_words), len(lesson.unlike_words)
    by_words = worded & (lesson.like_words >= threshold_odds)
    false_by_words = worded & (lesson.unlike_words >= threshold_odds)
    seen = [bool(by_words[i]) or _like_alone(lesson, i) >= threshold_odds for i in range(like)]
    false = [bool(false_by_words[i]) or _unlike_alone(lesson, i) >= threshold_odds for i in range(unlike)]
    return Estimate(
        like=like,
        recognised_by_words=int(by_words.sum()),
        recognised=sum(seen),
        unlike=unlike,
        false_by_words=int(false_by_words.sum()),
        false=sum(false),
    )


def _like_alone(lesson: TrainingSet, row: int) -> float:
    if len(lesson.like_words) == 1:
        # Without its only example nothing is taught, so the picture counts as not recognised.
        return -np.inf
    learnt, keep = fit(lesson.without_like(row)), np.arange(len(lesson.like_words)) != row
    words = float(lesson.like_words[row])
    return learnt.log_odds(words, lesson.like_like[row, keep], lesson.like_unlike[row])


def _unlike_alone(lesson: TrainingSet, row: int) -> float:
    if len(lesson.unlike_words) <= LEAST_UNLIKE:
        # One fewer would be too few to fit; then only the words can give a false alarm.
        return -np.inf
    learnt, keep = fit(lesson.without_unlike(row)), np.arange(len(lesson.unlike_words)) != row
    words = float(lesson.unlike_words[row])
    return learnt.log_odds(words, lesson.like_unlike[:, row], lesson.unlike_unlike[row, keep])
