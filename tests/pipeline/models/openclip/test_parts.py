"""What the open_clip runtime decides by itself: cleaning of text, scores, devices. No torch."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.models.base import ZERO_SHOT_LOG_ODDS
from pipeline.models.openclip.bank import PairLogit, bank_of
from pipeline.models.openclip.devices import GoldenImages, compile_tested, device_order, self_test
from pipeline.models.openclip.model import OpenClipModel
from pipeline.models.openclip.model_config import ModelUnusableError
from pipeline.models.openclip.prompts import PromptSides, prompt_sides
from pipeline.models.openclip.tokens import clean
from pipeline.models.prompts import contrast_prompts
from pipeline.types import Encoding, PromptSet
from tests.logs import records_of

WORDS = ("a fire", "a street", "smoke", "a knife", "a park", "fog", "a kitchen")


@given(st.text(max_size=40), st.sampled_from(["lower", "whitespace", "canonicalize"]))
def test_cleaning_twice_changes_no_spaces_and_no_case(text: str, how: str) -> None:
    once = clean(text, how)
    assert once == " ".join(once.split())
    assert how == "whitespace" or once == once.lower()


@pytest.mark.parametrize(
    ("text", "how", "cleaned"),
    [
        ("  A  “Dog”\n", "lower", 'a "dog"'),
        ("A Dog", "whitespace", "A Dog"),
        ("Snake_case: it's!", "canonicalize", "snake case its"),
        ("rock &amp;amp; roll", "lower", "rock & roll"),
        ("cafe\u0301", "lower", "caf\u00e9"),
    ],
)
def test_text_is_cleaned_as_models_were_trained(text: str, how: str, cleaned: str) -> None:
    assert clean(text, how) == cleaned


def unit_rows(count: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


prompt_lists = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(tuple)


def sides_of(hazards: Sequence[tuple[str, ...]], contrast: tuple[str, ...]) -> tuple[PromptSides, ...]:
    prompts = PromptSet(tuple((f"h{i}", own) for i, own in enumerate(hazards)), contrast)
    return prompt_sides(prompts, korean=False)


@given(
    hazards=st.lists(prompt_lists, min_size=1, max_size=4),
    contrast=prompt_lists,
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1.0, 14.0, 100.0]),
    bias=st.sampled_from([None, 0.0, -10.0]),
)
def test_scores_are_the_log_odds_of_own_prompts_against_rivals(
    hazards: list[tuple[str, ...]], contrast: tuple[str, ...], seed: int, scale: float, bias: float | None
) -> None:
    rows = dict(zip(WORDS, unit_rows(len(WORDS), seed), strict=True))
    picture = unit_rows(1, seed + 1)[0]
    bank = bank_of(sides_of(hazards, contrast), rows, PairLogit(scale, bias), "mark")
    scores = bank.scores(Encoding(picture))
    assert scores.dtype == np.float32

    def weight(text: str) -> float:
        return float(np.exp(scale * float(rows[text] @ picture) + (bias or 0)))

    for score, own in zip(scores, hazards, strict=True):
        mine = sum(weight(text) for text in set(own))
        theirs = sum(weight(text) for text in contrast_prompts(own, contrast))
        theirs += 0 if bias is None else math.exp(-ZERO_SHOT_LOG_ODDS)
        expected = np.clip(np.log(mine) - np.log(theirs), -30, 30) if theirs else 30.0
        assert score == pytest.approx(expected, abs=0.01)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_sigmoid_alone_decides_where_the_rivals_are_far(own: float, rival: float) -> None:
    """The bound is passed where the pair's own sigmoid passes one half, if no rival is near."""
    rows = {"a fire": np.array([own, 0], np.float32), "fog": np.array([min(rival, -0.9), 0], np.float32)}
    bank = bank_of(sides_of([("a fire",)], ("fog",)), rows, PairLogit(100, -10), "mark")
    score = float(bank.scores(Encoding(np.array([1, 0], np.float32)))[0])
    if abs(100 * own - 10) > 0.01:
        assert (score > ZERO_SHOT_LOG_ODDS) == (100 * own - 10 > 0)


def test_a_bank_without_hazards_has_no_scores() -> None:
    bank = bank_of((), {}, PairLogit(100), "mark")
    assert bank.scores(Encoding(unit_rows(1, 1)[0])).shape == (0,)


@pytest.mark.parametrize(
    ("wanted", "present", "order"),
    [
        ("best", ["CPU"], ("CPU",)),
        ("best", ["CPU", "GPU", "NPU"], ("NPU", "GPU", "CPU")),
        ("best", ["CPU", "GPU.0", "GPU.1"], ("GPU", "CPU")),
        ("GPU.1, NPU", ["CPU", "GPU.0", "GPU.1"], ("GPU.1", "CPU")),
        ("CPU,GPU", ["CPU", "GPU"], ("CPU", "GPU")),
        ("NPU", ["CPU"], ("CPU",)),
    ],
)
def test_only_devices_that_are_there_are_tried_in_order(
    wanted: str, present: list[str], order: tuple[str, ...]
) -> None:
    assert device_order(wanted, present) == order


@pytest.mark.parametrize("wanted", ["AUTO:GPU,CPU", "MULTI:CPU", "HETERO:GPU,CPU", "GPU,BATCH:CPU"])
def test_devices_that_choose_for_themselves_are_refused(wanted: str) -> None:
    with pytest.raises(ModelUnusableError, match="name CPU, GPU, NPU or best"):
        device_order(wanted, ["CPU", "GPU"])


class Request:
    """An infer request of a device that answers every picture with one row."""

    def __init__(self, answer: NDArray[np.float32]) -> None:
        self.data = answer[None]

    def infer(self, inputs: object) -> None: ...

    def get_output_tensor(self, index: int) -> Request:
        return self

    def create_infer_request(self) -> Request:
        return self


class Machine:
    """A machine whose devices answer right, wrong, or not at all (None)."""

    def __init__(self, answers: Mapping[str, NDArray[np.float32] | None]) -> None:
        self.available_devices = list(answers)
        self.options: dict[str, dict[str, Any]] = {}
        self._answers = answers

    def compile_model(self, graph: Path, device: str, options: dict[str, Any]) -> Request:
        self.options[device] = options
        answer = self._answers[device]
        if answer is None:
            raise RuntimeError("[ GPU ] out of resources\nat somewhere")
        return Request(answer)


RIGHT = unit_rows(1, 3)[0]
WRONG = unit_rows(1, 4)[0]
NOTHING = np.full(16, np.nan, np.float32)
GOLDEN = GoldenImages(np.zeros((2, 4, 4, 3), np.uint8), np.stack([RIGHT, RIGHT]))


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        ({"CPU": RIGHT, "GPU": RIGHT, "NPU": RIGHT}, "NPU"),
        ({"CPU": RIGHT, "GPU": RIGHT, "NPU": WRONG}, "GPU"),
        ({"CPU": RIGHT, "GPU": NOTHING, "NPU": None}, "CPU"),
    ],
)
def test_a_device_that_computes_something_else_is_logged_and_skipped(
    answers: dict[str, NDArray[np.float32]], chosen: str, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(answers)
    with caplog.at_level(logging.WARNING):
        _, device = compile_tested(machine, Path("image.xml"), "best", {}, GOLDEN, 0.99)
    assert device == chosen
    assert len(records_of(caplog, "pipeline.models")) == list(answers)[::-1].index(chosen)
    assert machine.options[chosen] == ({"INFERENCE_PRECISION_HINT": "f32"} if chosen == "CPU" else {})


def test_a_model_that_no_device_computes_right_is_refused() -> None:
    with pytest.raises(ModelUnusableError, match="no device here"):
        compile_tested(Machine({"CPU": WRONG}), Path("m/image.xml"), "CPU", {}, GOLDEN, 0.99)


def test_the_self_test_takes_the_worst_picture() -> None:
    golden = GoldenImages(GOLDEN.pictures, np.stack([RIGHT, WRONG]))
    assert self_test(Request(RIGHT * 5), golden) == pytest.approx(float(RIGHT @ WRONG), abs=1e-5)


@pytest.mark.parametrize("content", [None, "", "{}", '{"format": "openclip/9"}'])
def test_a_folder_without_a_good_recipe_is_refused_in_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(ModelUnusableError, match=r"model\.json.*pull the model again") as caught:
        OpenClipModel(tmp_path)
    assert "\n" not in str(caught.value)
