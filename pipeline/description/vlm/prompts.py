"""The prompts of a model: one file a purpose and language, instructions above a line of dashes, request
below.

The instructions never change, so that a backend may keep them computed; the changing part comes after them.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pipeline.description.answer.answer import Danger
from pipeline.description.answer.denial import strip_article
from pipeline.description.base import DescribeError, DescribeRequest, DetectedHazard
from pipeline.description.template import Vocabulary
from pipeline.types import Direction, Trigger

PURPOSES = ("danger", "safe", "question")
DASHES = "---"
LONGEST_QUESTION = 300
"""Characters of a question that are passed on."""
MOST_SEEN = 3
MOST_KNOWN = 8
LONGEST_KNOWN = 60
"""Characters of something known that are passed on."""
FIELDS = frozenset(["seen", "question"])

_SIDES: Mapping[str, Mapping[Direction | None, str]] = {
    "en": {
        None: "",
        Direction.LEFT: " on the left",
        Direction.AHEAD: " ahead",
        Direction.RIGHT: " on the right",
        Direction.BOTH: " on both sides",
        Direction.BEHIND: " behind",
    },
    "ko": {
        None: "",
        Direction.LEFT: " 왼쪽",
        Direction.AHEAD: " 앞",
        Direction.RIGHT: " 오른쪽",
        Direction.BOTH: " 양쪽",
        Direction.BEHIND: " 뒤쪽",
    },
}
_CERTAIN = {"en": "{percent}% certain", "ko": "확률 {percent}%"}
_NOTHING = {"en": "nothing", "ko": "없음"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """The instructions (`system`, always the same for a purpose) and the request (`user`)."""

    purpose: str
    system: str
    user: str


class Prompts:
    """The prompts of one language. Raises DescribeError if a file is missing or broken."""

    def __init__(self, language: str, words: Vocabulary, folder: str = "") -> None:
        self._language = language
        self._words = words
        self._parts = {purpose: _parts(_text(language, purpose, folder), purpose) for purpose in PURPOSES}

    @property
    def instructions(self) -> tuple[str, ...]:
        """The instructions before every request, one a purpose, danger first."""
        return tuple(system for system, _ in self._parts.values())

    def prompt(self, request: DescribeRequest) -> Prompt:
        """The prompt that fits why a view is to be described."""
        purpose = purpose_of(request)
        system, user = self._parts[purpose]
        question = " ".join((request.question or "").split())[:LONGEST_QUESTION]
        known = () if purpose == "danger" else request.known
        return Prompt(
            purpose, system, user.format(seen=self.seen(main_first(request), known), question=question)
        )

    def seen(self, seen: Sequence[DetectedHazard], known: Sequence[str] = ()) -> str:
        """The reported hazards, with side and certainty: `fire on the left (92% certain)`; then the known."""
        things = (" ".join(word.split())[:LONGEST_KNOWN] for word in known[:MOST_KNOWN])
        return ", ".join([*map(self._one, seen[:MOST_SEEN]), *things]) or _NOTHING[self._language]

    def _one(self, seen: DetectedHazard) -> str:
        if seen.called:  # named by the client: a probability would be read as doubt about that
            called = " ".join(seen.called.split())[:LONGEST_KNOWN]
            return called + _SIDES[self._language][seen.direction]
        certain = _CERTAIN[self._language].format(percent=round(seen.probability * 100))
        return f"{self.hazard(seen.hazard)}{_SIDES[self._language][seen.direction]} ({certain})"

    def danger(self, hazard: str) -> Danger:
        """A hazard as an answer may deny it, and as that is said."""
        noun = self.hazard(hazard)
        plain = self._words.hazards.get(hazard, {}).get(self._language, noun)
        return Danger(strip_article(noun) if self._language == "en" else noun, plain)

    def hazard(self, name: str) -> str:
        """A hazard's name as a noun."""
        return self._words.noun(name, self._language)


def purpose_of(request: DescribeRequest) -> str:
    """A request without a question wants a description like any other."""
    if request.trigger is Trigger.DANGER and request.seen:
        return "danger"
    return "question" if request.trigger is Trigger.REQUEST and request.question else "safe"


def main_first(request: DescribeRequest) -> tuple[DetectedHazard, ...]:
    """The reported hazards, the one in question first."""
    # False sorts before True, and sorting is stable: the others keep their order.
    return tuple(sorted(request.seen, key=lambda seen: seen.hazard != request.hazard))


def _text(language: str, purpose: str, folder: str) -> str:
    name = f"{language}/{purpose}.txt"
    try:
        if folder:
            return (Path(folder) / name).read_text("utf-8")
        return resources.files(__package__).joinpath("prompt_texts", name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DescribeError(f"describe.prompts: {folder}/{name} cannot be read ({error})") from None


def _parts(text: str, purpose: str) -> tuple[str, str]:
    system, dashes, user = text.partition(f"\n{DASHES}\n")
    try:
        unknown = {name for _, name, _, _ in string.Formatter().parse(user) if name is not None} - FIELDS
    except ValueError:
        unknown = {"a lone brace"}
    if not dashes or unknown:
        raise DescribeError(
            f"describe.prompts: {purpose}.txt needs instructions, a line {DASHES}, and a request in which "
            "only {seen} and {question} stand in braces"
        )
    return system.strip(), user.strip()
