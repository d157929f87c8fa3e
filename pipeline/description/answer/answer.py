"""From the pieces of text a model writes to the sentences that are spoken. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipeline.description.answer.cleaning import clean, is_repetitive, shorten
from pipeline.description.answer.denial import NO_WORDS, DenialWords, denial_sentence, detect
from pipeline.description.answer.permission import CANNOT_SAY, asks_permission
from pipeline.description.answer.rejection import rejection
from pipeline.description.answer.sentences import SentenceSplitter
from pipeline.description.answer.thinking import ThoughtFilter, sounds_thought
from pipeline.description.similarity import is_repetition

MOST_SENTENCES = {"danger": 2, "safe": 3, "question": 3}
MOST_WORDS = {"danger": 12, "safe": 90, "question": 90}
"""Of the whole answer; a first sentence that is longer ends at its last pause within."""
MOST_JUDGED = 4
"""Sentences about a danger that are read for a contradiction, spoken or not."""
LONGEST_ANSWER = 2000
"""Characters after which an answer is ended, even if the model has not finished."""


@dataclass(frozen=True, slots=True)
class Danger:
    """The hazard in question, as the answer may deny it."""

    noun: str
    """Bare name to look for: `fire`, `knife`."""
    name: str
    """The form within a sentence: `a knife`, Korean `칼이`."""
    words: DenialWords = NO_WORDS
    """Other nouns that deny it, or show it."""


class Answer:
    """One answer: `feed` each piece, call `finish` at the end; `full` is true if no more is wanted."""

    def __init__(
        self,
        purpose: str,
        prompt: str,
        language: str,
        danger: Danger | None = None,
        *,
        question: str | None = None,
        thinks: bool = False,
    ) -> None:
        """`prompt` must not be recited. If `question` asks for leave to walk on, the safety notice comes
        first.

        `thinks`: the model is known to think first without saying so, so nothing is spoken before its thought
        has ended.
        """
        self._purpose = purpose
        self._prompt = prompt
        self._language = language
        self._danger = danger if purpose == "danger" else None
        self._splitter = SentenceSplitter()
        self._raw = ""
        self._said: list[str] = []
        self._thoughts = ThoughtFilter()
        self._held: list[str] | None = [] if thinks else None
        """Sentences that may turn out to be thoughts; None if what comes is spoken at once."""
        self._judged = 0
        self._shown = False
        self._enough = False
        self._permission = purpose == "question" and asks_permission(question)
        self._cautioned = False
        self.full = False
        self.denied = False
        """The model does not see the danger it was asked about."""
        self.withheld: Counter[str] = Counter()
        """Sentences that were not fit to be spoken, by reason."""

    @property
    def unmarked_thought(self) -> bool:
        """The answer began with a thought of which only the end was marked: the next ones will, too."""
        return self._thoughts.unopened

    @property
    def empty(self) -> bool:
        """True while nothing has been given to be spoken."""
        return not self._said and not self.denied and not self._cautioned

    def feed(self, piece: str) -> list[str]:
        """Sentences ready to be spoken."""
        if self.full:
            return []
        # Everything is kept, thoughts included: a model that repeats itself may do so inside a thought.
        self._raw += piece
        # Judged before the check for endless answers, so that sentences complete by then may still be spoken.
        given = self._all(self._settled(self._splitter.feed(self._aloud(piece))))
        if len(self._raw) > LONGEST_ANSWER or is_repetitive(self._raw):
            self.full = True
            self.withheld["endless"] += 1
        return given

    def finish(self, *, cut: bool = False) -> list[str]:
        """The last sentence; none if it was `cut` short by a limit and others were given."""
        sentences = self._splitter.feed(self._thoughts.flush())
        if rest := self._splitter.flush():
            sentences.append(rest)
        if self._thoughts.thinking:
            self.withheld["thought"] += 1  # it never ended
        if self._held is not None:
            sentences, self._held = [*self._held, *sentences], None
            spoken = [] if cut and self._thoughts.thought else [s for s in sentences if not sounds_thought(s)]
            self.withheld["thought"] += len(sentences) - len(spoken)
            sentences = spoken
        # A sentence cut by the token limit is dropped, unless it is all there is.
        if self.full or (cut and not self.empty):
            return []
        return [*self._all(sentences), *self._caution()]

    def break_off(self) -> list[str]:
        """The last sentence of an answer of which more was expected, if it is whole."""
        return [] if self.full else self._all(self._settled(self._splitter.settle()))

    def _aloud(self, piece: str) -> str:
        """Return the piece without the model's thoughts."""
        before = self._thoughts.unopened
        aloud = self._thoughts.feed(piece)
        if self._thoughts.unopened and not before:
            self._splitter.flush()  # what it wrote so far was a thought
            self.withheld["thought"] += len(self._held or ()) or 1
        if self._thoughts.thought and not self._thoughts.thinking:
            self._held = None
        return aloud

    def _settled(self, sentences: list[str]) -> list[str]:
        """The sentences; none as long as they may be thoughts of which only the end is marked."""
        if self._held is None and not self._thoughts.thought and not self._said:
            first = next(iter(sentences), "")
            self._held = [] if sounds_thought(first) else None
        if self._held is None:
            return sentences
        self._held += sentences
        return []

    def _all(self, sentences: list[str]) -> list[str]:
        return [ready for sentence in sentences for ready in self._one(sentence)]

    def _one(self, sentence: str) -> list[str]:
        if self.full:
            return []
        lead = self._caution()
        if self._danger is not None and not self.denied:
            lead, sentence = self._judge(self._danger, sentence)
        said = [ready] if not self._enough and (ready := self._fit(sentence)) else []
        self._said += said
        most = MOST_SENTENCES[self._purpose], MOST_WORDS[self._purpose]
        self._enough = self._enough or len(self._said) >= most[0] or _words(self._said) >= most[1]
        self.full = self.full or (self._enough and self._judged_enough)
        return lead + said

    @property
    def _judged_enough(self) -> bool:
        """Nothing that is still to come could be a contradiction."""
        return self._danger is None or self.denied or self._shown or self._judged >= MOST_JUDGED

    def _caution(self) -> list[str]:
        """Return the safety notice: once, before the first sentence, if the question asks for leave."""
        # Both at once: `due` needs the value from before.
        due, self._cautioned = self._permission and not self._cautioned, self._permission
        return [CANNOT_SAY[self._language]] if due else []

    def _judge(self, danger: Danger, sentence: str) -> tuple[list[str], str]:
        """A contradiction is said first, in fixed words, then the model's own finding.

        Once a sentence has named the danger as being there, only the mark denies it.
        """
        self._judged += 1
        verdict = detect(sentence, danger.noun, self._language, danger.words)
        self.denied = verdict.denied and (verdict.marked or not self._shown)
        self._shown = self._shown or verdict.shown
        return ([denial_sentence(danger.name, self._language)] if self.denied else []), verdict.rest

    def _fit(self, sentence: str) -> str:
        most = MOST_WORDS[self._purpose]
        ready = shorten(clean(sentence), most)
        if not ready:
            return ""
        if self._said and _words([*self._said, ready]) > most:
            self._enough = True
            return ""
        reason = rejection(ready, self._prompt, self._language, permission=self._permission)
        if reason is None and any(is_repetition(ready, given) for given in self._said):
            reason = "repeats"
        if reason is not None:
            self.withheld[reason] += 1
            return ""
        return ready


def _words(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)
