"""Korean takes hardly longer than English: every prepared phrase of both languages, rendered."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Iterator

import pytest

from pipeline.hazards import builtin_hazards
from pipeline.types import Direction
from pipeline.wording import EARCONS, HEALTH, danger_phrase, own_phrases
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
    spoken = {language: durations(dangers(language), language, Priority.DANGER) for language in ("en", "ko")}
    own = {
        language: durations((*own_phrases(language), *EARCONS[language].values()), language, Priority.MESSAGE)
        for language in HEALTH
    }
    with capsys.disabled():
        for (en, en_s), (ko, ko_s) in zip(spoken["en"].items(), spoken["ko"].items(), strict=True):
            sys.stdout.write(f"{en_s:5.2f} s  {en:46} {ko_s:5.2f} s  {ko}\n")
        for language in ("en", "ko"):
            dangers_s = statistics.median(spoken[language].values())
            own_s = statistics.median(own[language].values())
            sys.stdout.write(f"{language}: median of dangers {dangers_s:.2f} s, of own words {own_s:.2f} s\n")
    every = {name: [*spoken[name].values(), *own[name].values()] for name in ("en", "ko")}
    assert statistics.median(spoken["ko"].values()) <= MOST * statistics.median(spoken["en"].values())
    assert statistics.median(every["ko"]) <= MOST * statistics.median(every["en"])
    assert max(*spoken["en"].values(), *spoken["ko"].values()) <= LONGEST_S
