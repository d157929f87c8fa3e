"""The page in a real browser, on the real web, before a daemon that plays a script.

One browser, one server and one tab serve all tests of this folder; each test gets the page opened anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page

from tests.daemon.web.browsing import chromium, opened
from tests.daemon.web.page.watching import painted, watching
from tests.daemon.web.serving import Serving
from tests.daemon.web.stage import Stage


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="package")
def pair() -> Iterator[tuple[Stage, Serving]]:
    # A socket's path is short.
    with (
        TemporaryDirectory(prefix="ww") as folder,
        Stage(Path(folder) / "c.sock") as daemon,
        Serving(daemon.path) as serving,
    ):
        yield daemon, serving


@pytest.fixture
def stage(pair: tuple[Stage, Serving]) -> Stage:
    pair[0].reset()
    return pair[0]


@pytest.fixture
def web(pair: tuple[Stage, Serving]) -> Serving:
    return pair[1]


@pytest.fixture(scope="package")
def tab(browser: Browser, pair: tuple[Stage, Serving]) -> Iterator[Page]:
    with opened(browser, pair[1].address) as page:
        yield page


@pytest.fixture
def page(tab: Page, stage: Stage, web: Serving) -> Page:
    """The page opened anew, with nothing remembered: opening a tab for each test takes longer."""
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.evaluate("() => localStorage.clear()")
    tab.goto("about:blank")
    tab.goto(web.address)
    watching(tab)
    painted(tab)
    return tab
