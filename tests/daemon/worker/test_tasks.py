"""The room itself, with the real starter: pictures, words and sound."""

from __future__ import annotations

import base64
import csv
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from daemon.config import settings
from daemon.worker.requests import answer
from daemon.worker.tasks import WorkerTasks
from pipeline.description.answer.permission import CANNOT_SAY
from pipeline.description.template import NOTHING_KNOWN, ONLY_NAMES
from pipeline.reading.passages import MODEL, NO_TEXT
from tests.daemon.living import own_cache
from tests.pipeline.reading.signs import sign

ASKED: dict[str, Any] = {
    "objects": [],
    "text": None,
    "language": "en",
    "side": 448,
    "most_pixels": 50_000_000,
}


@pytest.fixture(scope="module")
def tree(models: Path) -> dict[str, Any]:
    cli = {
        "paths.cache": str(own_cache() / "watchword"),
        "paths.models": str(models),
        "paths.state": "/nowhere",
    }
    found = settings.load(None, {"HOME": os.environ["HOME"]}, cli).settings.model_dump(mode="json")
    return {**found, "pipeline": {**found["pipeline"], "model": "starter", "threads": 1}}


@pytest.fixture(scope="module")
def room(tree: dict[str, Any]) -> WorkerTasks:
    room = WorkerTasks()
    room.ready({"settings": tree}, b"")
    return room


def ask(room: WorkerTasks, picture: bytes, **asked: object) -> dict[str, Any]:
    return answer(room, {"do": "inspect", **ASKED, **asked}, base64.b64encode(picture))[0]


def encoded(image: np.ndarray[Any, Any], ending: str) -> bytes:
    return bytes(cv2.imencode(ending, image)[1].tobytes())


WALL = np.full((200, 300, 3), 200, np.uint8)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_each_form_is_read_and_the_describers_picture_comes_along(room: WorkerTasks, ending: str) -> None:
    header, pixels = answer(
        room, {"do": "inspect", **ASKED, "side": 100}, base64.b64encode(encoded(WALL, ending))
    )
    assert header["size"] == [67, 100]
    assert len(pixels) == 67 * 100 * 3
    assert header["prompt"] == "safe"


def test_the_words_of_a_picture_are_read_and_their_absence_is_said(room: WorkerTasks, models: Path) -> None:
    if not (models / MODEL).is_dir():
        pytest.skip(f"no {MODEL} in {models}: run script/setup")

    def read(image: np.ndarray[Any, Any]) -> list[dict[str, str]]:
        picture = base64.b64encode(encoded(image, ".png"))
        header, _ = answer(room, {"do": "read", "language": "ko", "most_pixels": 50_000_000}, picture)
        return list(header["passages"])

    assert read(sign(("EXIT", 90)))[0] == {"text": "EXIT.", "language": "en"}
    assert read(WALL)[0] == {"text": NO_TEXT["ko"], "language": "ko"}


def test_a_picture_lying_on_its_side_is_turned_upright(room: WorkerTasks) -> None:
    jpeg = encoded(WALL, ".jpg")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    assert ask(room, turned)["size"] == [300, 200]


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (b"", "no picture"),
        (b"no picture at all", "no picture"),
        (encoded(WALL, ".bmp"), "no picture"),
        (encoded(WALL, ".jpg")[:-40], "cut off"),
        (encoded(WALL, ".png")[:-40], "cut off"),
        (b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + (60_000).to_bytes(4, "big") * 2, "60000 x 60000"),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\xff\xff\x00\xff\xff\x00", "65536 x 65536"),
        (encoded(WALL, ".webp")[:-4], "cut off"),
        (encoded(WALL, ".png")[:60] + b"IEND", "cannot be decoded"),
    ],
)
def test_what_is_no_picture_is_refused(room: WorkerTasks, picture: bytes, told: str) -> None:
    found = ask(room, picture)
    assert found["code"] == "invalid"
    assert told in found["error"]


def test_no_base64_no_verb_and_nonsense_are_answered(room: WorkerTasks) -> None:
    assert answer(room, {"do": "inspect", **ASKED}, b"%%%")[0]["code"] == "invalid"
    assert "a bug" in answer(room, {"do": "dance"}, b"")[0]["error"]
    assert answer(WorkerTasks(), {"do": "inspect", **ASKED}, b"")[0]["code"] == "unavailable"


def test_a_model_that_is_not_there_is_told(tree: dict[str, Any]) -> None:
    missing = {**tree, "pipeline": {**tree["pipeline"], "model": "nessie"}}
    found = answer(WorkerTasks(), {"do": "ready", "settings": missing}, b"")[0]
    assert found["code"] == "unavailable"
    assert "nessie" in found["error"]


def test_what_somebody_says_is_on_it_counts_and_a_question_goes_first(room: WorkerTasks) -> None:
    jpeg = encoded(WALL, ".jpg")
    told = ask(room, jpeg, objects=["a kitchen knife", "plate"])
    assert told["prompt"] == "danger"
    assert told["seen"][0][0] == "knife"
    assert [(one["name"], one["hazard"]) for one in told["objects"]] == [
        ("a kitchen knife", "knife"),
        ("plate", None),
    ]
    assert "knife" in told["said"]
    safe = ask(room, jpeg, objects=["컵"], language="ko")
    assert (safe["prompt"], safe["said"]) == ("safe", "컵이 보입니다.")
    assert ask(room, jpeg, objects=["knife"], text="Where?")["prompt"] == "question"


def test_a_thing_keeps_the_name_that_it_was_given(room: WorkerTasks) -> None:
    """A lorry is dangerous as a vehicle is, but it is not called one."""
    jpeg = encoded(WALL, ".jpg")
    assert ask(room, jpeg, objects=["lorries"])["said"].startswith("I see lorries")
    told = ask(room, jpeg, objects=["wolf"])
    assert told["said"].startswith("I see a wolf")
    assert told["seen"][0][2] == "a wolf"
    assert "늑대가" in ask(room, jpeg, objects=["늑대가"], language="ko")["said"]
    assert ask(room, jpeg, objects=["teddy bear"])["prompt"] == "safe"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Can I cross the road?"),
        ("ko", "지금 건너도 되나요?"),
        ("en", "지금 건너도 되나요?"),
        ("ko", "Is it safe?"),
    ],
)
@pytest.mark.parametrize("objects", [[], ["plate"], ["knife"]])
def test_a_question_for_leave_is_never_answered_by_what_sounds_like_one(
    room: WorkerTasks, language: str, question: str, objects: list[str]
) -> None:
    said = ask(room, encoded(WALL, ".jpg"), language=language, text=question, objects=objects)["said"]
    assert said.startswith(CANNOT_SAY[language])
    assert NOTHING_KNOWN[language] not in said
    assert ("knife" in said) == ("knife" in objects)


def test_another_question_hears_that_it_is_not_answered(room: WorkerTasks) -> None:
    said = ask(room, encoded(WALL, ".jpg"), text="What colour is the wall?")["said"]
    assert said.startswith(ONLY_NAMES["en"])


def test_a_hazard_of_ones_own_is_known_by_words_of_both_languages(tree: dict[str, Any]) -> None:
    mine = {"prompts": ["broken glass on the floor"], "words": ["shards"]}
    room = WorkerTasks()
    room.ready({"settings": {**tree, "hazards": {**tree["hazards"], "broken_glass": mine}}}, b"")
    for word in ("깨진 유리", "shard", "broken glass"):
        told = ask(room, encoded(WALL, ".jpg"), objects=[word])
        assert (told["prompt"], told["seen"][0][0]) == ("danger", "broken_glass"), word


def test_photographs_are_recognised_and_judged(room: WorkerTasks, media: Path) -> None:
    rows = list(csv.DictReader((media / "images.csv").open()))
    wanted = ["fire", "knife", "vehicle", "two_wheeler", "dog", "dangerous_animal", "safe"]
    right = total = named = 0
    for label in wanted:
        for row in [row for row in rows if row["label"] == label][:4]:
            told = ask(room, (media / row["file"]).read_bytes())
            total += 1
            right += told["prompt"] == ("safe" if label == "safe" else "danger")
            named += bool(told["objects"])
            dangerous = {one["hazard"] for one in told["hazards"] if one["dangerous"]}
            assert dangerous <= {one["hazard"] for one in told["objects"]}, "what is dangerous has a name"
    assert right >= 0.75 * total
    assert named >= 0.75 * total


def test_a_new_threshold_holds_without_loading_the_model_again(
    tree: dict[str, Any], room: WorkerTasks
) -> None:
    before = room._model
    changed = {**tree, "hazards": {**tree["hazards"]}}
    changed["hazards"]["knife"] = {**tree["hazards"]["knife"], "threshold": 0.0}
    room.ready({"settings": changed}, b"")
    told = ask(room, encoded(WALL, ".jpg"))
    assert next(one for one in told["hazards"] if one["hazard"] == "knife")["dangerous"]
    assert room._model is before
    room.ready({"settings": tree}, b"")
    assert ask(room, encoded(WALL, ".jpg"))["prompt"] == "safe"


def test_words_become_a_wav_in_both_languages(room: WorkerTasks, tree: dict[str, Any]) -> None:
    lengths = []
    for language, text in (("en", "I see a car."), ("ko", "차가 보입니다.")):
        asked = {"do": "speak", "text": text, "language": language, "settings": tree}
        header, wav = answer(room, asked, b"")
        assert header["speech_s"] > 0
        sound = base64.b64decode(wav)
        assert sound[:4] == b"RIFF"
        assert np.abs(np.frombuffer(sound[44:], np.int16)).max() > 1000
        lengths.append(len(sound))
    assert min(lengths) > 10_000
