"""The page's modules without the page: parsers, dangers, and the alerts that a threshold would mean."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.slow

SETTLING = """async ({ steps }) => {
  const { Dangers } = await import('./js/dangers.js');
  const dangers = new Dangers();
  return steps.map(([what, first, second]) => {
    const changed = what === 'event' ? dangers.applyEvent(first) : dangers.applyStatus(first, second);
    const words = ({ hazard, severity, direction, alert }) => `${hazard} ${severity} ${direction} ${alert}`;
    return [changed, dangers.list.map(words)];
  });
}"""


def test_a_guessed_severity_is_corrected_once_it_is_known(tab: Page) -> None:
    alert = {"kind": "alert", "hazard": "fire", "severity": "critical", "direction": "left", "id": "a1"}
    told = {"hazard": "fire", "severity": "notice", "direction": "right", "alert": "a2"}
    steps = [
        ["status", {"active": ["fire"]}, {}],
        ["status", {"active": ["fire"]}, {"fire": "critical"}],
        ["status", {"active": ["fire"]}, {"fire": "critical"}],
        ["event", alert],
        ["status", {"active": ["fire"]}, {"fire": "warning"}],
        ["status", {"active": ["fire"], "dangers": [told]}, {"fire": "warning"}],
        ["status", {"active": []}, {}],
    ]
    assert tab.evaluate(SETTLING, {"steps": steps}) == [
        [True, ["fire warning null null"]],
        [True, ["fire critical null null"]],
        [False, ["fire critical null null"]],
        [True, ["fire critical left a1"]],
        [False, ["fire critical left a1"]],
        [True, ["fire notice right a2"]],
        [True, []],
    ]


def test_streams_are_understood_however_they_are_cut(tab: Page) -> None:
    """The parsers of the page: events and pictures, with a cut at each byte."""
    cuts = tab.evaluate(
        """async () => {
            const { SseParser } = await import('/js/sse.js');
            const { MultipartParser } = await import('/js/multipart.js');
            const events = ': hello\\n\\nid: r-1\\ndata: {"a":1}\\n\\n' +
                'event: daemon\\r\\ndata: x\\r\\ndata: y\\r\\n\\r\\n';
            const head = (n) => `--w\\r\\nContent-Type: image/jpeg\\r\\nContent-Length: ${n}\\r\\n\\r\\n`;
            const parts = new TextEncoder().encode(head(4) + 'abcd\\r\\n' + head(2) + '\\r\\n\\r\\n');
            const sse = new Set(), multi = new Set();
            for (let cut = 0; cut <= events.length; cut++) {
                const parser = new SseParser();
                const got = [...parser.feed(events.slice(0, cut)), ...parser.feed(events.slice(cut))];
                sse.add(JSON.stringify(got));
            }
            for (let cut = 0; cut <= parts.length; cut++) {
                const parser = new MultipartParser();
                const got = [...parser.feed(parts.slice(0, cut)), ...parser.feed(parts.slice(cut))];
                multi.add(JSON.stringify(got.map((part) => [...part.body])));
            }
            return [[...sse], [...multi]];
        }"""
    )
    sse = '[{"id":"r-1","type":"message","data":"{\\"a\\":1}"},{"id":"r-1","type":"daemon","data":"x\\ny"}]'
    assert cuts == [[sse], ["[[97,98,99,100],[13,10]]"]]


ESTIMATE = """async ([result, hazard]) => {
  const { estimateOf } = await import('/js/estimates.js');
  return estimateOf(result, hazard);
}"""


def test_new_alerts_of_a_hazard_are_counted_and_a_short_time_gives_no_rate(tab: Page) -> None:
    def alert(hazard: str, *, again: bool = False, escalated: bool = False) -> dict[str, object]:
        return {"hazard": hazard, "again": again, "escalated": escalated}

    after = [
        alert("fire"),
        alert("fire", again=True),
        alert("fire", escalated=True),
        alert("dog"),
        alert("fire"),
    ]
    found = tab.evaluate(ESTIMATE, [{"seconds": 60, "after": after}, "fire"])
    assert found == {"alerts": 2, "seconds": 60, "hourly": 120}
    assert tab.evaluate(ESTIMATE, [{"seconds": 60, "after": after}, "knife"])["hourly"] == 0
    assert tab.evaluate(ESTIMATE, [{"seconds": 12, "after": after}, "fire"])["hourly"] is None
