"""Reports on pictures whose objects are named by the request, misspelt ones too."""

from __future__ import annotations

import pytest

from daemon.core.messages import HazardSpec
from daemon.worker.image_report import ImageReport, make_report
from pipeline.description.lexicon import HazardLexicon
from pipeline.description.objects import object_classes
from pipeline.hazards import builtin
from pipeline.types import Severity

NAMES = ("vehicle", "two_wheeler", "knife")
SPECS = [
    HazardSpec(name=name, severity=int(Severity.WARNING), threshold=0.5, say=f"{name}{{where}}")
    for name in NAMES
]
WORDS = HazardLexicon(builtin(), object_classes())


def report(*given: str) -> ImageReport:
    return make_report(SPECS, [0.01, 0.02, 0.01], (), given, WORDS)


@pytest.mark.parametrize(
    ("given", "language", "asks"),
    [
        (("bycicle",), "en", "Did you mean bicycle?"),
        (("bycicle", "tree", "truk"), "en", "Did you mean bicycle and truck?"),
        (("자정거",), "ko", "혹시 자전거인가요?"),
    ],
)
def test_a_misspelt_hazard_is_a_danger_and_is_asked_about(
    given: tuple[str, ...], language: str, asks: str
) -> None:
    found = report(*given)
    assert found.prompt(None) == "danger"
    assert found.asks(language) == asks
    first = found.as_json(language)["objects"][0]
    assert (first["name"], first["hazard"]) == (given[0], "two_wheeler")
    assert first["meant"] in asks


def test_the_hazard_is_called_by_the_word_that_was_meant() -> None:
    assert [one.called for one in report("bycicle").seen_in("en")] == ["a bicycle"]


@pytest.mark.parametrize("given", [("bicycle",), ("tree",), ("frame",), ("xyzzy",), ()])
def test_a_name_that_is_right_or_like_nothing_is_not_asked_about(given: tuple[str, ...]) -> None:
    found = report(*given)
    assert found.asks("en") == ""
    assert not any("meant" in one for one in found.as_json("en")["objects"])
    assert found.prompt(None) == ("danger" if given == ("bicycle",) else "safe")


def test_each_of_several_hazards_in_one_text_is_dangerous_and_called_by_its_own_name() -> None:
    found = report("칼과 자전거")
    assert [(one.hazard, one.called) for one in found.seen_in("ko")] == [
        ("two_wheeler", "자전거"),
        ("knife", "칼"),
    ]
    assert [one["name"] for one in found.as_json("ko")["objects"]] == ["칼", "자전거"]
