"""Korean takes hardly longer than English: every prepared phrase of both languages, rendered."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping

import pytest

from pipeline import wording
from pipeline.hazards import builtin_hazards
from pipeline.types import Direction
from pipeline.wording import danger_phrase
from speech.settings import SpeechSettings
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority
from tests.pipeline.description.vlm.made import cache as cache_folder
from tests.speech.made import needs_espeak, utterance

MOST = 1.2
"""Times the English median that the Korean one may last."""
LONGEST_S = 3.0
"""Seconds that a danger phrase may last in either language."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), needs_espeak]


def dangers(language: str) -> Iterator[str]:
    """Each hazard without a side and on the left, new and come closer."""
    for hazard in builtin_hazards().values():
        say = hazard.say_ko if language == "ko" else hazard.say_en
        for direction in (None, Direction.LEFT):
            for escalated in (False, True):
                yield danger_phrase(say, direction, language, escalated=escalated)


FILLED = {"percent": 80, "wpm": 200, "count": 40, "names": "scooter"}


def own_words(language: str) -> Iterator[str]:
    """Every phrase of the program itself, in the same order for both languages."""
    for name, texts in vars(wording).items():
        # Not the parts of a sentence, nor figures by language.
        if (
            name.isupper()
            and isinstance(texts, Mapping)
            and "ko" in texts
            and name not in ("WHERE", "BEFORE")
        ):
            what = {"en": "Fire.", "ko": "불."}[language]
            yield from (text.format(**FILLED, what=what) for text in leaves(texts[language]))
    for seconds, danger in ((0.0, False), (600.0, False), (600.0, True)):
        yield wording.mute_phrase(seconds, language, danger=danger)


def leaves(texts: object) -> Iterator[str]:
    match texts:
        case str():
            yield texts
        case Mapping():
            yield from (leaf for value in texts.values() for leaf in leaves(value))
        case tuple():
            yield from (leaf for value in texts for leaf in leaves(value))


def durations(texts: Iterable[str], language: str, priority: Priority) -> dict[str, float]:
    settings = SpeechSettings(language=language)
    with EspeakSynthesizer(settings) as voice:
        renderer = Renderer(settings, cache_folder() / "phrases", voice)
        wanted = list(dict.fromkeys(texts))
        renderer.prepare([(text, language, priority) for text in wanted])
        said = (utterance(text, language=language, priority=priority) for text in wanted)
        return dict(zip(wanted, (renderer.render(one).duration_s for one in said), strict=True))


def test_a_korean_median_lasts_at_most_a_fifth_longer_than_the_english_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kinds = {"dangers": (dangers, Priority.DANGER), "own words": (own_words, Priority.MESSAGE)}
    spoken = {
        kind: {language: durations(texts(language), language, priority) for language in ("en", "ko")}
        for kind, (texts, priority) in kinds.items()
    }
    with capsys.disabled():
        sys.stdout.writelines(lines(spoken))
    for both in spoken.values():
        assert statistics.median(both["ko"].values()) <= MOST * statistics.median(both["en"].values())
    longest = max(seconds for said in spoken["dangers"].values() for seconds in said.values())
    assert longest <= LONGEST_S


def lines(spoken: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    """Both languages side by side, then the medians."""
    for kind, both in spoken.items():
        yield f"\n{kind}\n"
        for (en, en_s), (ko, ko_s) in zip(both["en"].items(), both["ko"].items(), strict=True):
            yield f"{en_s:5.2f} s  {en:66} {ko_s:5.2f} s  {ko}\n"
        medians = {language: statistics.median(said.values()) for language, said in both.items()}
        ratio = medians["ko"] / medians["en"]
        yield f"median: en {medians['en']:.2f} s, ko {medians['ko']:.2f} s, {ratio:.2f} times\n"
