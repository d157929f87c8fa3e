"""From the pieces of text a model writes to the sentences that are spoken. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipeline.describers.cleaning import clean, loops, shortened
from pipeline.describers.sentences import SentenceSplitter
from pipeline.describers.unfit import unfit
from pipeline.describers.verdict import judge, probably_not
from pipeline.likeness import alike

MOST_SENTENCES = {"danger": 2, "safe": 3, "question": 3}
MOST_WORDS = {"danger": 12, "safe": 90, "question": 90}
"""Of the whole answer; a first sentence that is longer ends at its last pause within."""
THINKS = "<think>"
LONGEST_ANSWER = 2000
"""Characters after which an answer is over, whatever a model still has to say."""


@dataclass(frozen=True, slots=True)
class Danger:
    """The hazard in question, as the answer may deny it."""

    noun: str
    """Bare name to look for: `fire`, `knife`."""
    name: str
    """As it stands in a sentence: `a knife`, Korean `칼이`."""


class Answer:
    """One answer: `feed` what comes, `finish` at its end; `full` says that no more is wanted."""

    def __init__(self, purpose: str, prompt: str, language: str, danger: Danger | None = None) -> None:
        self._purpose = purpose
        self._prompt = prompt
        self._language = language
        self._danger = danger if purpose == "danger" else None
        self._splitter = SentenceSplitter()
        self._raw = ""
        self._said: list[str] = []
        self._thinking = True
        self._judged = False
        self.full = False
        self.denied = False
        """The model does not see the danger it was asked about."""
        self.withheld: Counter[str] = Counter()
        """Sentences that were not fit to be spoken, by reason."""

    @property
    def empty(self) -> bool:
        """True while nothing has been given to be spoken."""
        return not self._said and not self.denied

    def feed(self, piece: str) -> list[str]:
        """Sentences ready to be spoken."""
        if self.full:
            return []
        self._raw += piece
        given = self._all(self._splitter.feed(self._aloud(piece)))
        if len(self._raw) > LONGEST_ANSWER or loops(self._raw):
            self.full = True
            self.withheld["endless"] += 1
        return given

    def finish(self, *, cut: bool = False) -> list[str]:
        """The last sentence; none where it was `cut` short by a limit and others were given."""
        rest = self._splitter.flush()
        if self.full or (cut and not self.empty):
            return []
        return self._all([rest]) if rest else []

    def _aloud(self, piece: str) -> str:
        """The piece without what a model only thinks, between `<think>` and `</think>` at the beginning."""
        if not self._thinking:
            return piece
        begun = self._raw.lstrip()
        if begun.startswith(THINKS):
            self._thinking = "</think>" not in begun
            return begun.partition("</think>")[2]
        self._thinking = THINKS.startswith(begun)
        return "" if self._thinking else begun

    def _all(self, sentences: list[str]) -> list[str]:
        return [ready for sentence in sentences for ready in self._one(sentence)]

    def _one(self, sentence: str) -> list[str]:
        if self.full:
            return []
        lead: list[str] = []
        if self._danger is not None and not self._judged:
            lead, sentence = self._judge(self._danger, sentence)
        said = [ready] if (ready := self._fit(sentence)) else []
        self._said += said
        most = MOST_SENTENCES[self._purpose], MOST_WORDS[self._purpose]
        self.full = self.full or len(self._said) >= most[0] or _words(self._said) >= most[1]
        return lead + said

    def _judge(self, danger: Danger, sentence: str) -> tuple[list[str], str]:
        """A contradiction is said first, in fixed words, then what the model sees instead."""
        self._judged = True
        verdict = judge(sentence, danger.noun, self._language)
        self.denied = verdict.denied
        return ([probably_not(danger.name, self._language)] if verdict.denied else []), verdict.rest

    def _fit(self, sentence: str) -> str:
        most = MOST_WORDS[self._purpose]
        ready = shortened(clean(sentence), most)
        if not ready:
            return ""
        if self._said and _words([*self._said, ready]) > most:
            self.full = True
            return ""
        reason = unfit(ready, self._prompt, self._language)
        if reason is None and any(alike(ready, given) for given in self._said):
            reason = "repeats"
        if reason is not None:
            self.withheld[reason] += 1
            return ""
        return ready


def _words(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)
