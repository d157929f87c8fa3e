"""Whether words can be read, and Korean too, as `watchword check` tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config.settings import load
from daemon.doctor.reading import assess_languages, reading


@pytest.mark.parametrize(
    ("wanted", "there", "state"),
    [(True, True, "ok"), (False, True, "ok"), (False, False, "ok"), (True, False, "warn")],
)
def test_korean_is_missed_by_those_who_speak_it(wanted: bool, there: bool, state: str) -> None:
    found = assess_languages(korean_wanted=wanted, korean_there=there)
    assert found.state == state
    assert ("tesseract-ocr-kor" in found.todo) is (state == "warn")


def test_a_missing_model_is_named_with_its_cure(tmp_path: Path) -> None:
    settings = load(None, {"HOME": str(tmp_path)}, {}).settings
    (found,) = reading(settings)
    assert (found.state, found.todo) == ("warn", "watchword models pull pp-ocrv4")
