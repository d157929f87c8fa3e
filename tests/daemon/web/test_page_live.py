"""The page before the real web and the real daemon, each a process of its own, on the street clip."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from daemon.control.commands import ScoresCommand
from tests.daemon.living import ROOT, START_S, Living, usual_priority
from tests.daemon.web.browsing import chromium, opened
from tests.daemon.web.page.watching import go

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = '[watch]\ncooldown_s = 1\nremind_s = 2\n[capture]\nloop = true\n[web]\nport = 0\nsocket = ""\n'
WORKING_MS = 60_000
"""A machine that runs other tests too takes its time; figures are printed, not asserted."""
NOTE_ALERTS = """() => {
    window.delays = [];
    const list = document.getElementById('events');
    new MutationObserver((changes) => {
        for (const added of changes.flatMap((change) => [...change.addedNodes])) {
            const emitted = added.matches?.('.story.alert') && added.querySelector('time')?.dateTime;
            if (emitted) window.delays.push(Date.now() - Date.parse(emitted));
        }
    }).observe(list, { childList: true });
}"""


@pytest.fixture(scope="module")
def living(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    clip = str(models / "demo" / "bikes.mp4")
    with Living(tmp_path_factory.mktemp("page"), models, clip, SETTINGS) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def address(living: Living) -> Iterator[str]:
    log = living.folder / "web.log"
    env = living.env | usual_priority(living.folder)
    with log.open("wb") as written:
        command = [sys.executable, "-m", "daemon.cli.main", "web", "--config", str(living.config)]
        web = subprocess.Popen(command, env=env, cwd=ROOT, stderr=written)
    try:
        found: list[str] = []

        def told() -> bool:
            assert web.poll() is None, log.read_text()
            found[:] = re.findall(r"http://[\d.:]+/", log.read_text())
            return bool(found) and lives(found[0])

        living.until(told, START_S, "the web interface")
        yield found[0]
    finally:
        web.terminate()
        web.wait(20)


def lives(address: str) -> bool:
    try:
        with urlopen(f"{address}healthz", timeout=5):
            return True
    except OSError:
        return False


def test_the_real_daemon_is_seen_and_set(
    living: Living, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def threshold() -> float:
        value: float = living.ask(ScoresCommand())["thresholds"]["vehicle"]
        return value

    with chromium() as browser, opened(browser, address) as page:
        page.set_default_timeout(WORKING_MS)
        expect(page.locator("#frame-note")).to_be_hidden(timeout=WORKING_MS)
        page.wait_for_function("() => Number(document.getElementById('picture').dataset.pictures) > 5")
        page.evaluate(NOTE_ALERTS)
        page.wait_for_function("() => window.delays.length >= 1")

        before = threshold()
        go(page, "Tune")
        page.get_by_label("Threshold of Vehicle", exact=True).fill("0.97")
        result = page.locator("#proposal-result")
        page.get_by_role("button", name="Try on the last minute").click()
        expect(result).to_have_text(re.compile(r"Alerts as it was: \d+"), timeout=WORKING_MS)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(result).to_have_text(re.compile(r"Saved and in force: Vehicle .* → 0\.97"), timeout=WORKING_MS)
        assert threshold() == pytest.approx(0.97)
        kept = tomllib.loads(next(living.folder.rglob("overrides.toml")).read_text())
        assert kept["hazards"]["vehicle"]["threshold"] == 0.97
        page.get_by_role("button", name="Back to what was: Vehicle").click()
        expect(result).to_have_text(re.compile("Back to what was: Vehicle"), timeout=WORKING_MS)
        assert threshold() == pytest.approx(before)

        go(page, "Live")
        page.locator("#more summary").click()
        page.get_by_label("Words to be spoken").fill("The web interface is here.")
        page.get_by_role("button", name="Say").click()
        said = page.locator("#events").get_by_text("The web interface is here.")
        expect(said.first).to_be_visible(timeout=WORKING_MS)
        delays = page.evaluate("window.delays")
    with capsys.disabled():
        figures = f"median {statistics.median(delays):.0f} ms, worst {max(delays)} ms of {len(delays)}"
        sys.stdout.write(f"\nalert of the real daemon to page: {figures}\n")
