"""Heads fitted to labelled embeddings: the gradient, the folds, the figures, and what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.calibration.fit_heads import HeadExamples, fit_heads, folds_of
from pipeline.calibration.head_training import loss_gradient, platt, train_heads
from pipeline.calibration.table import CalibrationError
from pipeline.log_odds import sigmoid

pytestmark = pytest.mark.slow

HAZARDS = ("fire", "dog", "hole")


def examples(width: int = 24, sources: int = 6, noise: float = 0.6, seed: int = 0) -> HeadExamples:
    """Fire and dog lie in directions of their own, four pictures a source; holes come from two sources."""
    random = np.random.default_rng(seed)
    labels = [*["fire", "dog"] * sources, *["hole"] * 2, *["safe"] * 12]
    axes = {name: random.normal(size=width) for name in (*HAZARDS, "safe")}
    rows, shown, names = [], [], []
    for number, label in enumerate(labels):
        place = 0.3 * random.normal(size=width)  # pictures of one source resemble each other
        for _ in range(4):
            row = axes[label] + place + noise * random.normal(size=width)
            rows.append(row / np.linalg.norm(row))
            shown.append([name == label for name in HAZARDS])
            names.append(f"{label}{number}")
    return HeadExamples(
        HAZARDS,
        np.array(rows, np.float32),
        np.array(shown, np.float32),
        np.ones((len(rows), len(HAZARDS)), np.float32),
        np.array(names),
        np.ones(len(rows), np.bool_),
        np.array([name.startswith("safe") for name in names]),
    )


def loss(scores: NDArray[np.float64], shown: NDArray[np.float64]) -> float:
    """Focal loss and that of "any hazard", in plain words."""
    chance = sigmoid(scores)
    cross = -(shown * np.log(chance) + (1 - shown) * np.log(1 - chance))
    anything = sigmoid(np.log(np.exp(scores).sum(keepdims=True)))[0]
    some = shown.max()
    return float((cross * np.abs(chance - shown)).sum() - np.log(anything if some else 1 - anything))


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=3), st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_gradient_is_that_of_the_loss(scores: list[float], shown: list[bool]) -> None:
    z, y = np.array(scores), np.array(shown, np.float64)
    found = loss_gradient(z[None].astype(np.float32), y[None].astype(np.float32), np.ones((1, 3), np.float32))
    for index in range(3):
        step = np.eye(3)[index] * 1e-5
        assert found[0, index] == pytest.approx((loss(z + step, y) - loss(z - step, y)) / 2e-5, abs=2e-3)


@pytest.mark.parametrize("width", [3, 64])
def test_heads_of_any_width_find_what_they_were_shown_on_sources_unseen(width: int) -> None:
    fitted = fit_heads(examples(width, noise=0.2))
    assert fitted.hazards == ("fire", "dog")
    assert "from 2 sources, at least 3" in fitted.reasons["hole"]
    for fit in fitted.fits.values():
        assert fit.measured is not None
        assert fit.measured.auc is not None and fit.measured.auc > 0.9
        assert fit.measured.harmless == 48
    other = examples(width, noise=0.2).embeddings
    assert fitted.net.scores(other).shape == (len(other), 2)


def test_labels_without_meaning_are_worth_nothing_on_sources_unseen() -> None:
    """Heads learn such labels by heart; only the folds by source tell."""
    real = examples(width=64, noise=0.1)
    random = np.random.default_rng(3)
    noise = random.normal(size=(len(real.embeddings), 64))
    place = {name: random.normal(size=64) for name in dict.fromkeys(real.sources.tolist())}
    rows = np.stack([place[name] for name in real.sources.tolist()]) + 0.1 * noise
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    fitted = fit_heads(
        HeadExamples(
            HAZARDS,
            rows.astype(np.float32),
            real.shown,
            real.known,
            real.sources,
            real.photographs,
            real.harmless,
        )
    )
    quality = fitted.fits["fire"].measured
    assert quality is not None and quality.auc is not None and quality.auc < 0.85


def test_a_source_is_in_one_fold_and_every_fold_shows_every_hazard() -> None:
    some = examples().of(("fire", "dog"))
    folds = folds_of(some)
    for source in set(some.sources.tolist()):
        assert len(set(folds[some.sources == source].tolist())) == 1
    for fold in set(folds.tolist()):
        assert some.shown[folds == fold].sum(0).min() > 0
        assert some.harmless[folds == fold].any()


def test_without_enough_harmless_sources_nothing_is_fitted() -> None:
    few = examples()
    kept = [not name.startswith("safe") or name.endswith(("4", "5")) for name in few.sources.tolist()]
    with pytest.raises(CalibrationError, match="harmless photographs from"):
        fit_heads(
            HeadExamples(
                HAZARDS, few.embeddings[kept], few.shown[kept], few.known[kept], few.sources[kept],
                few.photographs[kept], few.harmless[kept],
            )
        )  # fmt: skip


def test_the_same_examples_give_the_same_heads() -> None:
    some = examples()
    one, two = (train_heads(some.embeddings, some.shown, some.known, some.weights()) for _ in "12")
    assert np.array_equal(one.hidden_weight, two.hidden_weight)
    assert np.array_equal(one.output_bias, two.output_bias)


def test_calibration_finds_the_line_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=20_000) * 3
    shown = (random.random(20_000) < sigmoid(1.7 * scores - 0.8)).astype(np.float64)
    assert platt(scores, shown) == pytest.approx((1.7, -0.8), abs=0.1)
