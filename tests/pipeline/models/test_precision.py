"""Which precision is chosen from figures."""

from __future__ import annotations

import pytest

from pipeline.models.precision import Precision, PrecisionTrial, fastest

F32, BF16, INT8 = Precision.F32, Precision.BF16, Precision.INT8


def trial(precision: Precision, ms: float, cosine: float = 1.0) -> PrecisionTrial:
    return PrecisionTrial(precision, cosine, 0.95 if precision is INT8 else 0.999, ms)


@pytest.mark.parametrize(
    ("trials", "chosen"),
    [
        ([trial(F32, 30), trial(BF16, 18), trial(INT8, 11)], INT8),
        ([trial(F32, 30), trial(BF16, 18), trial(INT8, 11, 0.9)], BF16),
        ([trial(F32, 30), trial(BF16, 18, 0.9985), trial(INT8, 40)], F32),
        ([trial(F32, 30), trial(BF16, 33)], F32),
        ([trial(F32, 30), trial(INT8, 28)], F32),  # too little for its error
        ([trial(F32, 30), trial(INT8, 27)], INT8),
        ([trial(F32, 30, float("nan")), trial(BF16, 18, float("nan"))], F32),
        ([trial(F32, 30, 0.5), trial(INT8, 60)], INT8),
    ],
)
def test_the_fastest_that_agrees(trials: list[PrecisionTrial], chosen: Precision) -> None:
    assert fastest(trials) is chosen


def test_a_trial_says_why_it_is_not_used() -> None:
    assert "less than 0.999: not used" in str(trial(BF16, 18, 0.99))
    assert str(trial(BF16, 18, 0.9995)) == "bf16 18.0 ms, cosine 0.99950"
