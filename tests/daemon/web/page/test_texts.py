"""The page's words: complete in both languages, and every one that is asked for is there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from daemon.config.most_used import MOST_USED
from daemon.config.schema import dotted
from daemon.config.settings import SCHEMA
from daemon.web.static_files import FOLDER, page_texts, setting_texts
from pipeline.hazards import builtin

LANGUAGES = ("en", "ko")
ASKED = re.compile(r"""(?:\bt|tOr|attempt)\(\s*["'`]([a-z][\w.-]*)["'`]""")
MADE = re.compile(r"`([a-z][a-z.]*\.)\$\{")
"""The beginning of keys that are made of it and something else."""


def texts(language: str) -> dict[str, str]:
    """Without the texts of settings, which are not the same in both languages."""
    found = page_texts(FOLDER / f"texts/{language}.json")
    return {key: text for key, text in found.items() if not key.startswith("setting.")}


def setting_descriptions() -> dict[str, str]:
    """The English description of every setting; `*` stands for the name of a hazard, key or field."""
    found = {}
    for path in SCHEMA.leaves():
        spec = SCHEMA.at(path) or {}
        # The schema has no entry for the fields of a table of any content.
        key = dotted((*path, "*") if spec.get("additionalProperties") is True else path)
        found[key] = spec["description"]
    return found


def test_every_setting_has_its_korean_texts_and_none_is_left_of_a_setting_that_is_gone() -> None:
    keys = set(setting_descriptions())
    texts = setting_texts("ko")
    assert set(texts) == {f"{key}.{part}" for key in keys for part in ("title", "description")}
    titles = {f"{key}.title" for key in keys}
    assert {f"{key}.title" for key in MOST_USED} <= set(setting_texts("en")) <= titles
    assert set(page_texts(FOLDER / "texts/ko.json")) >= {f"setting.{key}" for key in texts}


CHOICE = re.compile(r"[\w./:]+(?= \|)|(?<=\| )[a-zA-Z]+(?=;|$)")
"""One of several values, as in `off | critical | all`."""
LITERAL = re.compile(r"`[^`]+`|\{.*\}|-?\d+(?:\.\d+)?|[a-z]+_[a-z_]+")
"""A command, an example, a number or the name of a setting."""


@pytest.mark.parametrize(("key", "english"), setting_descriptions().items())
def test_a_korean_description_keeps_values_units_and_examples(key: str, english: str) -> None:
    korean = setting_texts("ko")[f"{key}.description"]
    title = setting_texts("ko")[f"{key}.title"]
    choices = {word for word in CHOICE.findall(english) if word not in ("file", "folder", "unix", "name")}
    kept = {*choices, *LITERAL.findall(english)}
    assert {literal for literal in kept if literal not in korean} == set()
    for unit, name in (("seconds", "초"), ("milliseconds", "밀리초"), ("minutes", "분"), ("pixels", "픽셀")):
        assert name in korean + title if re.search(rf"\b{unit}\b", english) else True


def test_korean_descriptions_end_their_statements_alike() -> None:
    texts = setting_texts("ko")
    descriptions = {key: text for key, text in texts.items() if key.endswith(".description")}
    assert {key for key, text in descriptions.items() if re.search(r"(?<!니)다\.|요\.", text)} == set()


class Texts(HTMLParser):
    """Each `data-text` and `data-label` of the page with what stands there before the script runs."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._key: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._key = named.get("data-text")
        if label := named.get("data-label"):
            self.found[label] = named.get("aria-label") or ""

    def handle_data(self, data: str) -> None:
        if self._key is not None:
            self.found[self._key] = data
            self._key = None


def test_both_languages_have_the_same_keys() -> None:
    assert list(texts("en")) == list(texts("ko"))


def test_both_languages_fill_in_the_same_values() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    en, ko = texts("en"), texts("ko")
    assert {key for key in en if places(en[key]) != places(ko[key])} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in texts(language).items() if not text.strip()] == []


def test_korean_is_korean() -> None:
    same = {
        key for key, text in texts("ko").items() if not re.search(r"[가-힣]", re.sub(r"\{\w+\}", "", text))
    }
    bare = {key for key in same if re.sub(r"\{\w+\}|[\W_]", "", texts("ko")[key])}
    assert bare == {"layer.config"}


def test_the_page_shows_the_english_texts_before_its_script_runs() -> None:
    page = Texts()
    page.feed((FOLDER / "index.html").read_text("utf-8"))
    en = texts("en")
    assert page.found == {key: en.get(key) for key in page.found}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("js/*.js")), ids=lambda file: file.name)
def test_every_text_that_is_asked_for_is_there(file: Path) -> None:
    asked = set(ASKED.findall(file.read_text("utf-8")))
    assert {key for key in asked if "." in key} - set(texts("en")) == set()


def test_no_text_is_left_over() -> None:
    sources = "".join(path.read_text("utf-8") for path in (*FOLDER.glob("js/*.js"), FOLDER / "index.html"))
    made = tuple(MADE.findall(sources))
    unused = {key for key in texts("en") if f'"{key}"' not in sources and not key.startswith(made)}
    assert unused == set()


def test_every_builtin_hazard_has_a_name() -> None:
    assert {f"hazard.{name}" for name in builtin()} <= set(texts("en")) & set(texts("ko"))
