"""Maps names of objects, as people and object detectors write them, to hazards. English and Korean. Pure."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.description.misspelling import meant_word
from pipeline.description.objects import ObjectClass
from pipeline.hazards import Hazard

LONGEST_WORDS = 12
"""Words of a name that are read; the rest is ignored."""
_ARTICLES = frozenset(
    ["a", "an", "the", "some", "one", "two", "three", "four", "five", "several", "many", "this", "that"]
)
_IRREGULAR: Mapping[str, str] = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "mice": "mouse",
    "geese": "goose", "feet": "foot", "oxen": "ox", "policemen": "policeman",
}  # fmt: skip
_BETWEEN_NOUNS = frozenset((
    "in", "on", "with", "near", "behind", "at", "by", "beside", "under", "over", "above", "below",
    "across", "along", "next", "holding", "carrying", "riding", "and", "or", "from", "inside",
    "outside", "towards", "approaching", "crossing", "who", "which", "that", "wearing", "plus", "including",
    "든", "들고", "쥔", "쥐고", "가진", "탄", "타고", "끄는", "있는", "그리고", "및",
    "또는", "혹은", "또", "함께", "근처", "근처에", "근처의", "사이", "사이에", "사이의", "중인",
    "옆", "옆에", "옆의", "앞", "앞에", "앞의", "뒤", "뒤에", "뒤의", "위", "위에", "위의", "안에", "아래",
))  # fmt: skip
"""Words between two nouns: in "a dog in a basket" and "칼을 든 사람" each side is a name of its own."""
_STATES = frozenset((
    "ahead", "detected", "visible", "present", "nearby", "here", "there", "seen", "spotted",
    "중", "있음", "있다", "있어요", "있습니다", "보임", "보여요", "보입니다", "발생", "감지", "감지됨",
    "발견", "발견됨", "주의", "조심", "위험", "상태", "상황",
))  # fmt: skip
"""Words behind a name that say that the thing is there: "공사 중", "knife detected"."""
_PARTICLES_CLOSED = ("이랑", "이나", "으로", "이", "은", "을", "과")
_PARTICLES_OPEN = ("가", "는", "를", "와", "랑", "나", "로")
_PARTICLES_BOTH = (
    "입니다", "이에요", "예요", "이다", "에서", "에게", "까지", "부터", "처럼", "하고", "이랑",
    "도", "만", "의", "에",
)  # fmt: skip
_KO_NUMBER = r"(?:\d+|한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|몇|여러|서너|두세)"
_TOGETHER = ("하고", "이랑", "이나", "과", "와", "랑", "나")
"""Particles that join a noun to the next one."""
_COUNT = rf"{_KO_NUMBER}\s*(?:개|마리|대|자루|명|사람|그루|송이|채|권|병|잔|장|척|벌|켤레|량|정|곳|군데)"
_COUNTED = re.compile(rf"\s*{_COUNT}(?:이|가|를|을|은|는|의|도)?$")
"""A number with its counter word. It is removed: the 개 of "사과 세 개" is a counter here, no dog."""
_COUNTED_TOGETHER = re.compile(rf"(?<=\S)\s+{_COUNT}(?:{'|'.join(_TOGETHER)})(?=\s)")
_REMARK = re.compile(r"(?<=\S)[\s_]*[(\[]([^)\]]*)[)\]]")
"""A remark in brackets, as in `gun (toy)`, `person (with a knife)` or `bow (weapon)`."""
_SIGNS = re.compile(r"(?:[,;，；、/&+|·ㆍ・\r\n]+|\s[-–—]\s)(?![^(\[]*[)\]])")
"""Signs between names, outside of brackets."""
MOST_NAMES = 24
"""Names in one text that are read; the rest is ignored."""
_KO_NUMERALS = frozenset(["하나", "둘", "셋", "넷", "여럿", "하나가", "둘이"])


@dataclass(frozen=True, slots=True)
class NamedHazard:
    """A name within a text, and its hazard, if it has one."""

    name: str
    hazard: str | None
    meant: str = ""
    """The word of the hazard that a misspelt name was taken for; empty if the name is none."""


@dataclass(frozen=True, slots=True)
class Misspelling:
    """The word that was probably meant, and its hazard."""

    meant: str
    hazard: str


class HazardLexicon:
    """Maps the name of an object to a hazard, or to None.

    The longest known ending of a name decides: "sea lion" is known as harmless, so "lion" is not looked up.
    """

    def __init__(
        self,
        hazards: Collection[str],
        known: Iterable[ObjectClass],
        own: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """`hazards`: names of the enabled hazards. An object of any other hazard maps to None.

        `own`: further words of a hazard, such as those in a user's settings.
        """
        table = _table()
        self._glossary: Mapping[str, str] = table["glossary"]
        self._copies = frozenset(table["copies"])
        self._copies_of = frozenset(table["copies_of"])
        self._real = frozenset(_plain(word) for word in table["real"])
        self._qualities = tuple(
            (re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?!\w)"), NamedHazard(name, hazard))
            for hazard, named in table["qualities"].items()
            for name, words in named.items()
            if hazard in hazards
        )
        # `setdefault` keeps the first meaning of a word. Order of precedence: names of hazards, the user's
        # words, harmless words, the words of words.toml, the object classes.
        self._meant: dict[str, str | None] = {_plain(name): name for name in hazards}
        for hazard, words in (own or {}).items():
            for form in (form for word in words for form in _forms_of_head(_plain(word))):
                self._meant.setdefault(form, hazard if hazard in hazards else None)
        for word in table["harmless"]:
            self._meant.setdefault(_plain(word), None)
        for hazard, words in table["more"].items():
            for word in words:
                self._meant.setdefault(_plain(word), hazard if hazard in hazards else None)
        self._endings: tuple[str, ...] = tuple(sorted(table["endings"], key=len, reverse=True))
        for thing in known:
            meant = thing.hazard if thing.hazard in hazards else None
            for word in (thing.name, thing.ko, *thing.also):
                self._meant.setdefault(_plain(word), meant)
        # Single words: a mistake in `fire truck` is one in `truck`. Only the user's own names may need more.
        self._nouns = tuple(sorted(word for word, meant in self._meant.items() if meant and " " not in word))
        named = (*hazards, *(word for words in (own or {}).values() for word in words))
        self._phrases = tuple(sorted({plain for word in named if " " in (plain := _plain(word))}))
        parts = (part for name in self._meant for part in name.split())
        self._known_words = frozenset([*parts, *table["spelt_right"]])

    def hazard(self, word: str) -> str | None:
        """The first hazard that a text names; None if there is none."""
        return next((one.hazard for one in self._read(word) if one.hazard), None)

    def names(self, text: str) -> tuple[NamedHazard, ...]:
        """The text with its hazard; if it names several, each name with its own: `칼과 불`."""
        found = tuple(map(self._corrected, itertools.islice(self._read(text), MOST_NAMES)))
        hazardous = [one for one in found if one.hazard]
        if len({one.hazard for one in hazardous}) > 1:
            return found
        return (replace(hazardous[0], name=text) if hazardous else NamedHazard(text, None),)

    def _corrected(self, one: NamedHazard) -> NamedHazard:
        if one.hazard is not None or (mistake := self.misspelt(one.name)) is None:
            return one
        # A warning too many costs less than a bicycle that counts as harmless because of a letter.
        return NamedHazard(one.name, mistake.hazard, mistake.meant)

    def _read(self, text: str) -> Iterator[NamedHazard]:
        """Every name in a text, by its head noun: `two red sports cars` are cars."""
        if (whole := _plain(text)) in self._meant:
            yield NamedHazard(text, self._meant[whole])
            return
        items = [item for item in _SIGNS.split(text) if item.strip()]
        for item in items:
            named = list(self._bracketed(item) if _REMARK.search(item) else self._listed(item))
            yield from self._with_qualities(named, item)

    def _with_qualities(self, named: list[NamedHazard], text: str) -> Iterator[NamedHazard]:
        """The names, and hazards that a quality shows: a burning car is a fire too."""
        is_copy = self._is_copy(_plain(text).split())
        for quality, shown in self._qualities:
            known = is_copy or any(one.hazard == shown.hazard for one in named)
            if known or not quality.search(text.casefold()):
                continue
            at = (i for i, one in enumerate(named) if not one.hazard and quality.search(one.name.casefold()))
            if (place := next(at, None)) is None:
                named.append(shown)
            else:
                named[place] = replace(named[place], hazard=shown.hazard)
        yield from named

    def _bracketed(self, text: str) -> Iterator[NamedHazard]:
        """A remark in brackets qualifies the name, says what kind of thing it is, or names another one."""
        remark = " ".join(found[1] for found in _REMARK.finditer(text))
        name = _REMARK.sub(" ", text).strip()
        words, plain = _plain(remark).split(), _plain(name).split()
        if words and words[0] in _BETWEEN_NOUNS:
            yield from self._listed(f"{name} {remark}")
            return
        meaning = self._longest_ending(plain)
        if (qualified := self._longest_ending([*words, *plain])) is not None and qualified != meaning:
            yield NamedHazard(name, qualified[0])
            return
        named = list(self._listed(name))
        yield from named
        if not any(one.hazard for one in named):
            yield from self._read(remark)

    def _listed(self, text: str) -> Iterator[NamedHazard]:
        """The names between words such as `and`, and behind particles such as 와."""
        counted = _COUNTED_TOGETHER.sub(" 그리고", re.sub(r"(?<=\w)중인(?!\w)", " 중인", text))
        every = _plain(_COUNTED.sub("", counted) or counted).split()
        known = next((form for form in _forms_of_head(" ".join(every)) if form in self._meant), None)
        parts = _parts(every) if known is None else [every]
        for part in parts[:MOST_NAMES]:
            words = part[:LONGEST_WORDS]
            while len(words) > 1 and (words[-1] in _KO_NUMERALS or words[-1] in _STATES):
                words.pop()
            found = self._part(words, parts[-1])
            yield NamedHazard(
                self._bare(words) if len(parts) > 1 else text.strip(), found[0] if found else None
            )

    def _bare(self, words: list[str]) -> str:
        """A name without the particle of its last word, if there is one."""
        stem = _without_particle(words[-1])
        known = words[-1] not in self._meant and stem in self._meant
        return " ".join([*words[:-1], stem if known else words[-1]])

    def misspelt(self, name: str) -> Misspelling | None:
        """The hazard's word that an unknown name was probably meant to be; None if there is none."""
        if self.hazard(name) is not None:
            return None
        for part in _parts(_plain(name).split()[:LONGEST_WORDS]):
            if (found := self._misspelt_phrase(part) or self._misspelt_head(part)) is not None:
                return found
        return None

    def _misspelt_phrase(self, part: list[str]) -> Misspelling | None:
        if all(word in self._known_words for word in part):
            return None
        word = meant_word(" ".join(part), self._phrases)
        return Misspelling(word, hazard) if word and (hazard := self._meant.get(word)) else None

    def _misspelt_head(self, part: list[str]) -> Misspelling | None:
        # A part whose meaning is known is no mistake, and nor is a word of other things.
        if self._longest_ending(part) is not None or part[-1] in self._known_words:
            return None
        forms = (form for form in _forms_of_head(part[-1]) if form not in self._known_words)
        word = next((near for form in forms if (near := meant_word(form, self._nouns))), None)
        return Misspelling(word, hazard) if word and (hazard := self._meant[word]) else None

    def _part(self, words: list[str], last: list[str]) -> tuple[str | None] | None:
        """The meaning of one of several names, which may share a head noun: `traffic or street sign`."""
        shared = " ".join([*words, last[-1]])
        if len(last) > 1 and words != last and shared in self._meant:
            return (self._meant[shared],)
        return self._longest_ending(words)

    def _longest_ending(self, words: list[str]) -> tuple[str | None] | None:
        """The meaning of the longest known ending, as a tuple of one; None if no ending is known."""
        if any(word in _BETWEEN_NOUNS for word in words):
            return (self._meant[whole],) if (whole := " ".join(words)) in self._meant else None
        if "of" in words:
            return self._of(words)
        # From the longest ending to the shortest.
        for start in range(len(words)):
            for form in self._forms(words[start:]):
                if form in self._meant:
                    is_copy = self._is_copy(words[:start]) and not self._is_real(words)
                    return (None,) if is_copy else (self._meant[form],)
        return self._closed_compound(words)

    def _closed_compound(self, words: list[str]) -> tuple[str | None] | None:
        """The meaning of the last part of a Korean compound: 나일악어 (Nile crocodile) is a crocodile."""
        for stem in _korean_stems(words[-1]) if words else ():
            ending = next((e for e in self._endings if stem.endswith(e) and stem != e), None)
            if ending is not None and ending in self._meant:
                is_copy = self._is_copy([*words[:-1], stem.removesuffix(ending)])
                return (None,) if is_copy else (self._meant[ending],)
        return None

    def _of(self, words: list[str]) -> tuple[str | None] | None:
        """The meaning of a name with "of": `a pair of scissors` cuts, `a statue of a lion` is harmless."""
        if (whole := " ".join(words)) in self._meant:
            return (self._meant[whole],)
        at = words.index("of")
        if any(word in self._copies_of for word in words[:at]):
            return (None,)
        return self._longest_ending(words[at + 1 :]) or self._longest_ending(words[:at])

    def _is_copy(self, before: list[str]) -> bool:
        return any(word in self._copies for word in before)

    def _is_real(self, words: list[str]) -> bool:
        texts = [f" {form} " for form in _forms_of_head(" ".join(words))]
        return any(f" {name} " in text for name in self._real for text in texts)

    def _forms(self, words: list[str]) -> Iterator[str]:
        """The words as they may stand in the table: in the singular, without particle, in English."""
        yield from _forms_of_head(" ".join(words))
        stems = [next((s for s in _korean_stems(word) if s in self._glossary), "") for word in words]
        if all(stems):
            yield " ".join(self._glossary[stem] for stem in stems)


def words_of(hazards: Iterable[Hazard], extra: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """The words that refer to hazards of the user: their prompts, their spoken text, and `extra`."""
    return {
        hazard.name: tuple(
            word
            for word in (*extra.get(hazard.name, ()), *hazard.prompts, *map(_noun, hazard.say.values()))
            if _plain(word)
        )
        for hazard in hazards
    }


def _noun(say: str) -> str:
    """The name in an announcement: `Careful! Broken glass{where}.`, `{where}깨진 유리가 있습니다.`"""
    clause = re.split(r"[!?.]\s*", say.replace("{where}", " ").strip().rstrip(".!"))[-1].strip()
    clause = re.sub(
        r"\s*(?:있습니다|있어요|보입니다|조심하세요|주의|입니다|났습니다|납니다|조심)$", "", clause
    ).strip()
    words = clause.split()
    return " ".join([*words[:-1], next(reversed(list(_korean_stems(words[-1]))), "")]) if words else ""


def _forms_of_head(name: str) -> list[str]:
    """A name with its last word as it is, in the singular, and without particle."""
    before, _, last = name.rpartition(" ")
    heads = dict.fromkeys([*_korean_stems(last), *_singulars(last)])
    return [f"{before} {head}".strip() for head in heads if head]


def _parts(words: list[str]) -> list[list[str]]:
    """The words between prepositions, and behind nouns with a particle that joins them to the next one."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word not in _BETWEEN_NOUNS:
            parts[-1].append(word)
        if word in _BETWEEN_NOUNS or _is_joined(word):
            parts.append([])
    return [part for part in parts if part]


def _is_joined(word: str) -> bool:
    stem = _without_particle(word)
    return word.removeprefix(stem) in _TOGETHER


_ENDINGS = (
    ("ies", ("y",)),
    ("ves", ("f", "fe")),
    ("es", ("", "e")),
    ("s", ("",)),
    # Programs that only cut off the s make `knive` and `lorrie` of knives and lorries.
    ("ve", ("f", "fe")),
    ("ie", ("y",)),
)
"""Endings of a plural and of its singulars."""


def _singulars(word: str) -> Iterator[str]:
    yield word
    if word in _IRREGULAR:
        yield _IRREGULAR[word]
    for ending, singulars in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            yield from (word.removesuffix(ending) + singular for singular in singulars)


def _korean_stems(word: str) -> Iterator[str]:
    """The word, and its stem without particle and without the plural 들."""
    yield word
    for stem in (word, _without_particle(word)):
        if stem != word:
            yield stem
        if stem.endswith("들") and len(stem) > 1:
            yield stem[:-1]


def _without_particle(word: str) -> str:
    """Remove a particle that fits the syllable before it: `차가` becomes 차; `차이` is a word."""
    for particle in _PARTICLES_BOTH:
        if word.endswith(particle) and len(word) > len(particle):
            return word.removesuffix(particle)
    for particles, closed in ((_PARTICLES_CLOSED, True), (_PARTICLES_OPEN, False)):
        for particle in particles:
            stem = word.removesuffix(particle)
            if stem and stem != word and _is_closed(stem) is closed:
                return stem
    return word


def _is_closed(word: str) -> bool | None:
    """True if the last syllable ends in a consonant (Unicode 3.12); None if it is not Hangul."""
    at = ord(word[-1]) - ord("가")
    return at % 28 != 0 if 0 <= at < 11172 else None


def _plain(word: str) -> str:
    """The word in lower case, without articles, digits and punctuation."""
    letters = "".join(c if c.isalnum() else " " for c in word.casefold())
    return " ".join(part for part in letters.split() if part not in _ARTICLES and not part.isdigit())


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
