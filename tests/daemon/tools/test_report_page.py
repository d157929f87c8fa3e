"""The page of an evaluation: complete, escaped, and in need of nothing from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from daemon.cli.main import main
from daemon.config.settings import load
from daemon.tools.evaluate import EvaluationDetails
from daemon.tools.mistakes import of_clips
from daemon.tools.report_lines import readable
from daemon.tools.report_mistakes import SHOWN, Mistake, Mistakes, thumbnail
from daemon.tools.report_page import page as page_of
from pipeline.evaluation.clip_counts import AlertTime, ClipEvents
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.evaluation.pictures import evaluate_pictures
from tests.daemon.tools.svg_reading import charts_of
from tests.fakes import plain

EVIL = '<script>alert("x")</script>&\'"'


class Strict(HTMLParser):
    """Collects tags; every one that is opened must be closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def report(hazard: str = "fire") -> dict[str, object]:
    names, labels = [hazard, "dog"], [hazard, hazard, "dog", "safe", "safe"]
    p = np.array([[0.9, 0], [0.2, 0], [0, 0.8], [0.7, 0], [0.1, 0]])
    return {"model": "m", **evaluate_pictures(names, p, np.array([0.5, 0.5]), labels, list("abcde"))}


def mistake(title: str, badness: float = 1.0) -> Mistake:
    return Mistake(title, title, badness, thumbnail(plain((0, 0, 255), 600)))


def page(figures: Mapping[str, Any], mistakes: Mistakes, manifest: str) -> str:
    return page_of(figures, EvaluationDetails(mistakes=mistakes), manifest)


def test_everything_from_outside_is_escaped() -> None:
    text = page(report(EVIL), Mistakes((mistake(EVIL),), (mistake(EVIL),)), EVIL)
    assert "<script" not in text
    assert not {"script", "link", "iframe"} & {tag for tag, _ in Strict(text).seen}


def test_nothing_is_fetched() -> None:
    text = page(report(), Mistakes((mistake("a"),)), "images.csv")
    sources = [attrs["src"] for tag, attrs in Strict(text).seen if tag == "img"]
    assert len(sources) == 1
    assert all(source and source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"https?://|url\((?!#)|@import", text)


def test_the_worst_come_first_and_not_too_many() -> None:
    many = tuple(mistake(f"n{i:02}", badness=i) for i in range(SHOWN + 5))
    text = page(report(), Mistakes(false_alarms=many), "images.csv")
    assert f"False alarms: {SHOWN + 5} (the worst {SHOWN} are shown)" in text
    assert text.index("n16") < text.index("n15")
    assert "n00" not in text
    assert "Misses: 0<" in text


def test_pictures_that_cannot_be_shown_are_said_to_be() -> None:
    assert "cannot be shown" in page(report(), Mistakes((Mistake("a", "b", 1, None),)), "x")


def test_a_thumbnail_is_small_and_keeps_its_shape() -> None:
    assert thumbnail(np.zeros((1080, 1920, 3), np.uint8)).shape == (112, 200, 3)


@pytest.mark.slow
def test_the_page_of_a_real_evaluation(
    tmp_path: Path, models: Path, short_street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("grey.png", plain((127, 127, 127)))
    Path("demo.mp4").symlink_to(short_street)
    Path("m.csv").write_text(
        "file,label,start_s,end_s\ngrey.png,fire,,\ngrey.png,safe,,\ndemo.mp4,safe,0,3\ndemo.mp4,stairs,3,4\n"
    )
    assert main(["evaluate", "m.csv", "--html", "out.html", "--json", "out.json"]) == 0
    text = Path("out.html").read_text(encoding="utf-8")
    # A timeline for the one clip, and curves of the one hazard that pictures show.
    assert {"roc", "hazard0", "operating", "clip0"} <= charts_of(text).keys()
    images = [attrs for tag, attrs in Strict(text).seen if tag == "img"]
    assert "grey.png" in text
    assert "alert of vehicle" in text
    assert "stairs never alerted" in text
    assert len(images) >= 2
    written = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert written["hazards"]["fire"]["recall_ci"] is None
    assert written["videos"]["in_time_ci"] is None


def test_what_cannot_be_written_is_told_before_the_long_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no model here: the work cannot even begin."""
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("grey.png", plain((127, 127, 127)))
    Path("m.csv").write_text("file,label\ngrey.png,fire\n")
    Path("old.json").write_text("kept")
    assert main(["evaluate", "m.csv", "--json", "old.json", "--html", "no/such/folder.html"]) == 1
    assert "--html no/such/folder.html: cannot be written" in capsys.readouterr().err
    assert Path("old.json").read_text() == "kept"
    assert main(["evaluate", "m.csv", "--json", "new.json"]) == 1
    assert not Path("new.json").exists()


def test_figures_without_an_interval_are_said_to_be_unknown() -> None:
    p = np.array([[0.9, 0], [0.2, 0], [0, 0.8], [0.7, 0], [0.1, 0]])
    labels, names = ["fire", "fire", "dog", "safe", "safe"], ["fire", "dog"]
    one = {"model": "m", **evaluate_pictures(names, p, np.array([0.5, 0.5]), labels, list("aabcd"))}
    assert "0.500 <small>[unknown]</small>" in page(one, Mistakes(), "x")
    lines = [line for line in readable(one) if line.startswith("fire  ")]
    assert "0.500 [unknown]" in lines[0]


def test_mistakes_at_the_same_moment_are_all_kept(tmp_path: Path, short_street: Path) -> None:
    settings = load(None, {"HOME": str(tmp_path)}, {"paths.state": str(tmp_path)}).settings
    spans = (Span("safe", 0, 2), Span("fire", 2, 4), Span("dog", 2, 4))
    alerts = (AlertTime("fire", 1.0), AlertTime("dog", 1.0))
    clip = LabelledClip(short_street, spans, "street")
    found = of_clips(
        settings, [(clip, ClipEvents(4.0, alerts, (AlertTime("fire", 1.5), AlertTime("dog", 1.5)), ()))]
    )
    assert [one.says for one in found.misses] == ["fire never alerted", "dog never alerted"]
    assert [one.says for one in found.false_alarms] == ["alert of fire", "alert of dog"]
    assert all(one.image is not None for one in (*found.misses, *found.false_alarms))
