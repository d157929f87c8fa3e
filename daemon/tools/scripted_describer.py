"""A describer that says real sentences without a model, so that the figures of speech include
descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.description.base import DescribeRequest
from pipeline.description.status import DescriberStatus, Phase
from pipeline.description.template import WHERE, Vocabulary
from pipeline.types import Trigger
from speech.text.particles import with_particle

PLACES: Mapping[str, Sequence[str]] = {
    "en": (
        "You are in a street with shops on both sides.",
        "A wide road with two lanes and a kerb on the right.",
        "An open square with benches; people walk from left to right.",
        "A corridor with a door at its end.",
        "A pavement along a wall, with a lamp post ahead.",
    ),
    "ko": (
        "양쪽에 가게가 있는 거리입니다.",
        "차선이 두 개인 넓은 도로이고 오른쪽에 연석이 있습니다.",
        "벤치가 있는 광장이고 사람들이 오른쪽으로 걸어갑니다.",
        "끝에 문이 있는 복도입니다.",
        "담을 따라 난 보도이고 앞에 가로등이 있습니다.",
    ),
}
"""Sentences for views, in turn."""
DETAILS: Mapping[str, Sequence[str]] = {
    "en": (
        "It moves from left to right.",
        "The pavement beside it is closed by a barrier.",
        "Two people stand next to it.",
    ),
    "ko": (
        "왼쪽에서 오른쪽으로 움직입니다.",
        "옆 보도는 차단봉으로 막혀 있습니다.",
        "그 옆에 두 사람이 서 있습니다.",
    ),
}
"""Second sentences after a danger, in turn."""


class ScriptedDescriber:
    """A `WatchedDescriber` whose answers depend on nothing but the requests before."""

    model = "scripted"

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self.calls = 0
        self.status = DescriberStatus(Phase.READY, "")

    def wait_ready(self, timeout_s: float) -> bool:  # noqa: ARG002 -- nothing to wait for
        return True

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """Name the danger, as a model does, then a detail; else a place."""
        language, turn = request.language, self.calls
        self.calls += 1
        if request.trigger is Trigger.DANGER and request.seen:
            seen = request.seen[0]
            where, noun = WHERE[language][seen.direction], self._words.noun(seen.hazard, language)
            if language == "ko":
                yield f"{where}{with_particle(noun, '이/가')} 있습니다."
            else:
                yield f"There is {noun}{where}."
            # In turn and not at random: two runs must give the same figures.
            yield DETAILS[language][turn % len(DETAILS[language])]
        else:
            yield PLACES[language][turn % len(PLACES[language])]

    def cancel(self) -> None:
        """Answers at once, so there is nothing to cancel."""

    def close(self) -> None:
        """Holds nothing."""
