"""The page's words: complete in both languages, and every one that is asked for is there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from daemon.config.layers import leaves
from daemon.config.most_used import MOST_USED
from daemon.config.schema import dotted
from daemon.config.settings import defaults
from daemon.web.static_files import FOLDER, page_texts, setting_titles
from pipeline.hazards import builtin

LANGUAGES = ("en", "ko")
ASKED = re.compile(r"""(?:\bt|tOr|attempt)\(\s*["'`]([a-z][\w.-]*)["'`]""")
MADE = re.compile(r"`([a-z][a-z.]*\.)\$\{")
"""The beginning of keys that are made of it and something else."""


def texts(language: str) -> dict[str, str]:
    """Without the titles of settings, of which a new one may have none in English yet."""
    found = page_texts(FOLDER / f"texts/{language}.json")
    return {key: text for key, text in found.items() if not key.startswith("setting.")}


def test_every_setting_has_a_korean_title_and_no_title_is_left_over() -> None:
    values = leaves(defaults({"HOME": "/"}).model_dump(mode="json"))
    keys = {re.sub(r"^(hazards|keys\.on)\.[^.]+", r"\1.*", dotted(path)) for path, _ in values}
    titles = setting_titles("ko")
    assert set(titles) == keys
    assert all(re.search("[가-힣]", title) for title in titles.values())
    assert set(MOST_USED) <= set(setting_titles("en")) <= keys
    assert set(page_texts(FOLDER / "texts/ko.json")) >= {f"setting.{key}" for key in keys}


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
