"""A web interface before a pretended daemon, for a file of tests at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.daemon.web.pretending import Pretender, pretending
from tests.daemon.web.serving import Serving


@pytest.fixture(scope="module", autouse=True)
def patient(usual_priorities: None) -> None:
    """The decoder of pictures runs at idle priority otherwise."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ww") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def pretender(folder: Path) -> Iterator[Pretender]:
    with pretending(folder / "watchword.sock") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def serving(folder: Path, pretender: Pretender) -> Iterator[Serving]:
    with Serving(folder / "watchword.sock") as web:
        yield web


@pytest.fixture
def web(serving: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.address, timeout=30, trust_env=False) as client:
        yield client
        assert client.get("/healthz").status_code == 200  # whatever was done, it goes on
