"""Separates a model's thoughts from its answer. Pure."""

from __future__ import annotations

import re

_NAMES = (
    r"(?:think|thinking|thoughts?|reasoning|reason|reflection|analysis|scratch_?pad|internal|inner_monologue"
    r"|chain_of_thought|cot|planning|생각|추론)"
)
_TAG = re.compile(
    rf"(?P<open><\s*(?:\w+[:_])?{_NAMES}(?:\s[^<>]*)?>|<\|(?:start_|begin_of_)?{_NAMES}\|>|◁think▷|\[think\]"
    # OpenAI's harmony format, Gemma's channels, and MedGemma's unnamed tokens.
    r"|(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>"
    r"|<\|channel>\s*thought|<unused94>)"
    rf"|(?P<close><\s*/\s*(?:\w+[:_])?{_NAMES}\s*>|<\|(?:end_|end_of_|/){_NAMES}\|>|◁/think▷|\[/think\]"
    r"|(?:<\|end\|>\s*)?(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*final[^<]*<\|message\|>"
    r"|<channel\|>|<unused95>)",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"\s*(?:analysis(?=[A-Z\"'])|here is my thought process:"
    r"|\W*(?:thinking|thoughts?|reasoning|analysis)\W{0,3}:)",
    re.IGNORECASE,
)
_FIRST_WORDS = ("analysis", "here is my thought process:", "thinking:", "thoughts:", "thought:", "reasoning:")
"""An answer may begin so: harmony after a tokenizer took its special tokens away, Granite, and others."""
_FIRST_CLOSE = re.compile(
    r"assistantfinal|here is my response:|\W*\b(?:final )?(?:answer|response)\b\W{0,3}:\W*", re.IGNORECASE
)
_BEGUN = re.compile(
    r"(?:<\|(?:end|start|channel)\|?>?[^.!?]{0,60}|<[^<>]{0,40}|[◁\[][^▷\]\s]{0,8})\Z", re.IGNORECASE
)
"""The end of a piece that may become a tag with the next one."""
_BROKEN = re.compile(r"<\s*[/|\w][^<>]{0,40}\Z")
"""A tag that an answer breaks off in."""
_LONGEST_TAG = 120
_OPENING = r"(?:(?:okay|ok|alright|hmm+|so|well|first|now|wait|got it)[,.!\s]+)*"
_SOUNDS = re.compile(
    rf"^\W*{_OPENING}(?:the user\b|user (?:wants|asks|asked|is asking)\b"
    r"|i(?:'m| am) (?:asked|supposed|being asked|to)\b|i (?:need to|should|have to|must)\b|let me\b|let's\b"
    r"|we (?:need to|are asked|should|must|have to)\b|my task\b|the (?:task|prompt|instructions?|question)\b"
    r"|(?:먼저,?\s*|좋아,?\s*|자,?\s*)?사용자(?:가|는|의|께서|에게)|(?:지시|질문)(?:사항)?(?:은|는|에))",
    re.IGNORECASE,
)


class ThoughtFilter:
    """`feed` pieces of text; returns the answer without the text between thinking tags.

    Some templates open the tag in the prompt, so that only its end is written: all before it is a thought.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._fresh = True
        self._unmarked = False
        self.thinking = False
        self.thought = False
        """Something was thought."""
        self.unopened = False
        """The reasoning ended without a beginning: the text returned before was reasoning too."""

    def feed(self, piece: str) -> str:
        """Return the answer so far. Text returned before was a thought if `unopened` has become true."""
        self._rest += piece
        if self._fresh and (first := _FIRST.match(self._rest)):
            self._rest = self._rest[first.end() :]
            self.thinking = self.thought = self._unmarked = True
        said = ""
        while match := self._tag():
            before, self._rest = self._rest[: match.start()], self._rest[match.end() :]
            self._fresh = False
            if match.re is _TAG and match["open"]:
                said += "" if self.thinking else before
                self.thinking = self.thought = True
                continue
            self.unopened = self.unopened or not self.thinking
            said = ""
            self.thinking, self.thought = False, True
        return said + self._ready()

    def flush(self) -> str:
        """The rest at the end of the answer."""
        rest, self._rest = _BROKEN.sub("", self._rest), ""
        return "" if self.thinking else rest

    def _tag(self) -> re.Match[str] | None:
        if self._unmarked and self.thinking and (close := _FIRST_CLOSE.search(self._rest)):
            return close
        return _TAG.search(self._rest)

    def _ready(self) -> str:
        """Return everything except a tail that may become a tag."""
        if self.thinking:
            # Only as much as a tag can be long: thoughts may run to thousands of words.
            self._rest = self._rest[-_LONGEST_TAG:]
            return ""
        begun = self._rest.lstrip(" \n*#_").casefold()
        if self._fresh and any(word.startswith(begun) for word in _FIRST_WORDS):
            return ""
        self._fresh = False
        tag = _BEGUN.search(self._rest)
        cut = tag.start() if tag else len(self._rest)
        ready, self._rest = self._rest[:cut], self._rest[cut:]
        return ready


def sounds_thought(sentence: str) -> bool:
    """Does a sentence speak of the task, as a model does to itself, and not of the view?"""
    return bool(_SOUNDS.search(sentence.replace("’", "'")))
