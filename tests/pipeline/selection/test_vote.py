"""The vote of two models: who may alert alone, and whose judgement a hazard is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibration.table import Calibration
from pipeline.models.base import Scores
from pipeline.selection.vote import STRICT, VoteBank, Voter, VotingModel, joint_margin
from pipeline.types import Encoding
from tests.fakes import ColourModel, plain

margins = st.floats(-20, 20)


@given(margins, margins)
def test_an_alert_needs_both_at_normal_or_either_at_strict(one: float, other: float) -> None:
    joint = float(joint_margin(np.array(one), np.array(other)))
    assert (joint >= 0) == ((one >= 0 and other >= 0) or max(one, other) - STRICT >= 0)


@given(margins, margins, st.floats(0, 5))
def test_more_evidence_never_lowers_it_and_both_count_alike(one: float, other: float, more: float) -> None:
    def joint(a: float, b: float) -> float:
        return float(joint_margin(np.array(a), np.array(b)))

    assert joint(one + more, other) >= joint(one, other)
    assert joint(one, other) == joint(other, one)


class Fixed:
    """A bank that scores every picture alike."""

    fingerprint = "fixed"

    def __init__(self, **scores: float) -> None:
        self.names = tuple(scores)
        self._scores = np.array(list(scores.values()), np.float32)

    def scores(self, encoding: Encoding) -> Scores:
        return self._scores


def calibration(names: tuple[str, ...], offset: float, threshold: float) -> Calibration:
    count = len(names)
    return Calibration(
        names,
        np.ones(count, np.float32),
        np.full(count, offset, np.float32),
        np.full(count, threshold, np.float32),
        np.full(count, threshold, np.float32),
    )


@pytest.mark.parametrize(
    ("words", "starter", "seen"),
    [(2.5, 0.5, True), (2.5, -1.0, False), (4.5, -9.0, True), (-9.0, 0.5, False), (-9.0, 1.7, True)],
)
def test_the_thresholds_of_both_are_kept(words: float, starter: float, seen: bool) -> None:
    """The words count from 2.2 on, strictly from 4.2; the starter from -0.4 (0.4), strictly from 1.6."""
    bank = Fixed(fire=words, ice=words)
    voter = Voter(Fixed(fire=starter), calibration(("fire",), 0, 0.4))
    vote = VoteBank(bank, calibration(bank.names, -2.2, 0.5), voter, ("fire",))
    fire, ice = vote.scores(Encoding(np.zeros(3, np.float32))).tolist()
    assert (fire >= 0) == seen
    assert ice == pytest.approx(words - 2.2)  # a hazard that is not voted on is judged by its words alone


def test_embeddings_and_words_are_the_main_model_s_and_the_evidence_the_starter_s() -> None:
    class Starter(ColourModel):
        name, fingerprint = "starter", "starter-1"

        def encode(self, image: np.ndarray) -> Encoding:
            return Encoding(np.ones(5, np.float32), np.full(7, 3, np.float32))

    main = ColourModel()
    model = VotingModel(main, Starter())
    encoding = model.encode(plain((200, 10, 10)))
    assert np.array_equal(encoding.embedding, main.encode(plain((200, 10, 10))).embedding)
    assert encoding.evidence.tolist() == [3] * 7
    assert (model.name, model.fingerprint, model.device) == (main.name, main.fingerprint, main.device)
