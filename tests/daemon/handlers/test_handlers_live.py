"""What the web interface asks of the real daemon: one start for all of it."""

from __future__ import annotations

import base64
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from daemon.control.client import ControlClient
from daemon.control.commands import (
    Command,
    MetricsCommand,
    PictureCommand,
    ProcessCommand,
    ResetCommand,
    ScoresCommand,
    SetCommand,
    TryCommand,
)
from daemon.errors import CommandError
from pipeline.reading.passages import MODEL
from tests.daemon.living import Living
from tests.pipeline.reading.signs import model_folder, sign

pytestmark = pytest.mark.timeout(420)

SETTINGS = "[capture]\nloop = true\n"
ROUNDS, ROUND_S = 3, 1.5
"""How often, and how long each time, frames are counted with guests and without."""


@pytest.fixture(scope="module")
def living(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    clip = str(models / "demo" / "bikes.mp4")
    with Living(tmp_path_factory.mktemp("web"), models, clip, SETTINGS) as daemon:
        daemon.until(lambda: bool(daemon.status()["assessed"]), 30, "the first picture")
        yield daemon


def ask(living: Living, command: Command) -> dict[str, Any]:
    with ControlClient(living.socket, timeout_s=200) as client:
        return client.ask(command)


def test_the_newest_picture_and_the_one_after_it(living: Living) -> None:
    first = ask(living, PictureCommand(side=200))
    image = cv2.imdecode(np.frombuffer(base64.b64decode(first["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[:2] == (first["height"], first["width"])
    assert max(image.shape) == 200
    assert set(first["probabilities"]) == set(ask(living, ScoresCommand())["hazards"])
    then = ask(living, PictureCommand(side=200, after=first["seq"], wait_s=5))
    assert then["seq"] > first["seq"]
    assert then["t"] > first["t"]


def test_an_alert_stands_on_the_picture_with_the_probabilities_that_led_to_it(living: Living) -> None:
    living.await_event("alert", hazard="vehicle")
    found: list[dict[str, Any]] = []

    def shown() -> bool:
        found[:] = ask(living, PictureCommand(side=64))["active"]
        return any(one["hazard"] == "vehicle" for one in found)

    living.until(shown, 30, "the vehicle")
    one = next(one for one in found if one["hazard"] == "vehicle")
    assert one["severity"] in ("warning", "critical")
    assert one["alert"].startswith("a")
    scores = ask(living, ScoresCommand())
    column = scores["hazards"].index("vehicle")
    assert max(row[1][column] for row in scores["rows"]) >= scores["thresholds"]["vehicle"] - 0.001
    times = [row[0] for row in scores["rows"]]
    assert min(b - a for a, b in pairwise(times)) >= 0.2 - 1e-3
    assert ask(living, ScoresCommand(since_s=times[-1]))["rows"][:1] != scores["rows"][:1]


def test_metrics_agree_with_each_other(living: Living) -> None:
    living.await_event("speak")
    told = ask(living, MetricsCommand())
    counters, encode = told["counters"], told["histograms"]["encode_seconds"]
    assert counters["frames_captured"] >= counters["frames_assessed"] >= encode["count"] - 1 > 0
    assert counters["vlm_calls_saved"] <= counters["frames_assessed"]
    assert sum(told["alerts_by_hazard"].values()) == counters["alerts"]
    for histogram in told["histograms"].values():
        counts = [count for _, count in histogram["buckets"]]
        assert counts == sorted(counts)
        assert counts[-1] <= histogram["count"]
    skipped = next(d for d in told["drops"] if d["place"] == "frames")
    assert skipped["policy"] == "newest"
    assert told["components"]["camera"]["ok"]
    assert told["gauges"]["rss_bytes"] > 10e6


def patiently(living: Living, command: Command) -> dict[str, Any]:
    """Again and again while the backroom is loading, or somebody else is there."""
    answers: list[dict[str, Any]] = []

    def served() -> bool:
        try:
            answers.append(ask(living, command))
        except CommandError as error:
            assert error.code == "busy", error
        return bool(answers)

    living.until(served, 400, "a turn")
    return answers[0]


def base64_of(picture: Path) -> str:
    return base64.b64encode(picture.read_bytes()).decode()


@pytest.fixture
def taxi(living: Living, tmp_path: Path) -> str:
    """What the camera sees while a vehicle is there."""
    living.await_event("alert", hazard="vehicle")
    living.until(lambda: bool(ask(living, PictureCommand())["active"]), 60, "something dangerous")
    return str(ask(living, PictureCommand(side=640))["jpeg"])


@pytest.mark.slow
def test_a_guests_picture_without_and_with_objects_and_a_question(living: Living, taxi: str) -> None:
    told = patiently(living, ProcessCommand(picture=taxi))
    assert told["prompt"] == "danger"
    vehicle = next(one for one in told["hazards"] if one["hazard"] == "vehicle")
    assert vehicle["dangerous"]
    assert vehicle["probability"] >= vehicle["threshold"]
    assert "vehicle" in {one["hazard"] for one in told["objects"]}
    assert all(0 < one["score"] <= 1 for one in told["objects"])
    assert "vehicles" in told["text"]
    assert (told["model"], told["image_text_model"]) == ("tags", living.status()["model"])
    wall = base64.b64encode(cv2.imencode(".png", np.full((200, 300, 3), 200, np.uint8))[1].tobytes()).decode()
    safe = patiently(living, ProcessCommand(picture=wall, objects=("a cup", "table")))
    assert safe["prompt"] == "safe"
    assert [one["name"] for one in safe["objects"]] == ["a cup", "table"]
    danger = patiently(living, ProcessCommand(picture=wall, objects=("식칼",), language="ko"))
    assert danger["prompt"] == "danger"
    assert danger["objects"] == [{"name": "식칼", "score": None, "hazard": "knife"}]
    assert "칼이" in danger["text"]
    asked = patiently(living, ProcessCommand(picture=wall, text="What is this?", speech=True))
    assert asked["prompt"] == "question"
    assert asked["text"]
    sound = base64.b64decode(asked["wav"])
    assert sound[:4] == b"RIFF"
    assert np.abs(np.frombuffer(sound[44:], np.int16)).max() > 1000
    assert set(asked["timings"]) == {"wait_s", "recognise_s", "describe_s", "speech_s"}


@pytest.mark.slow
def test_the_words_of_a_picture_are_read_if_they_are_asked_for(living: Living) -> None:
    model_folder()
    picture = base64.b64encode(cv2.imencode(".png", sign(("EXIT", 90)))[1].tobytes()).decode()
    for wish in ({"read": True}, {"text": "What does it say?"}):
        told = patiently(living, ProcessCommand(picture=picture, **wish))
        assert (told["prompt"], told["model"], told["text"]) == ("read", MODEL, "EXIT.")
        assert told["read"] == [{"text": "EXIT.", "language": "en"}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (b"no picture at all", "no picture"),
        (b"GIF89a" + bytes(40), "no picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + (60_000).to_bytes(4, "big") * 2, "60000 x 60000 pixels"),
    ],
)
def test_what_is_no_picture_is_refused(living: Living, picture: bytes, told: str) -> None:
    with pytest.raises(CommandError, match=told) as caught:
        patiently_refused(living, ProcessCommand(picture=base64.b64encode(picture).decode()))
    assert caught.value.code == "invalid"


def patiently_refused(living: Living, command: Command) -> None:
    patiently(living, MetricsCommand())
    while True:
        try:
            ask(living, command)
        except CommandError as error:
            if error.code != "busy":
                raise


@pytest.mark.slow
def test_a_threshold_is_tried_then_set_then_reset(living: Living) -> None:
    living.await_event("alert", hazard="vehicle")
    never = patiently(living, TryCommand(thresholds={"vehicle": 1.0}))
    assert never["seconds"] > 0
    assert "vehicle" not in {one["hazard"] for one in never["after"]}
    same = patiently(living, TryCommand(thresholds={"train": 1.0}))
    assert [one for one in same["before"] if one["hazard"] != "train"] == [
        one for one in same["after"] if one["hazard"] != "train"
    ]
    with pytest.raises(CommandError, match="no hazard is called nessie") as caught:
        ask(living, TryCommand(thresholds={"nessie": 0.5}))
    assert caught.value.code == "unknown"
    before = ask(living, ScoresCommand())["thresholds"]["vehicle"]
    assert ask(living, SetCommand(values={"hazards.vehicle.threshold": 0.99}))["changed"]
    assert ask(living, ScoresCommand())["thresholds"]["vehicle"] == 0.99
    assert ask(living, ResetCommand(keys=("hazards.vehicle.threshold",)))["changed"]
    assert ask(living, ScoresCommand())["thresholds"]["vehicle"] == before


@pytest.mark.slow
def test_guests_and_onlookers_cost_the_danger_lane_next_to_nothing(living: Living, taxi: str) -> None:
    """Frames assessed a second with guests in a loop and somebody looking on, over those without; in turn."""
    patiently(living, ProcessCommand(picture=taxi))  # loaded
    alone, together, served = [], [], Counter[str]()

    def rate(meanwhile: Callable[[], None]) -> float:
        began_s, before = time.monotonic(), living.status()["assessed"]
        while time.monotonic() < began_s + ROUND_S:
            meanwhile()
        return float((living.status()["assessed"] - before) / (time.monotonic() - began_s))

    def quiet() -> None:
        threading.Event().wait(0.1)

    def crowd() -> None:
        for command in (
            ProcessCommand(picture=taxi),
            TryCommand(thresholds={"vehicle": 0.5}),
            PictureCommand(),
            ScoresCommand(),
        ):
            with suppress(CommandError):  # busy, where the process had no turn
                ask(living, command)
                served[command.do] += 1

    for _ in range(ROUNDS):
        alone.append(rate(quiet))
        together.append(rate(crowd))
    ratio = float(np.median(together) / np.median(alone))
    sys.stdout.write(f"frames/s with guests over without: {ratio:.2f} ({served.total()} requests)\n")
    assert all(served[each] >= ROUNDS for each in ("process", "picture", "scores")), served
    assert ratio > 0.6
