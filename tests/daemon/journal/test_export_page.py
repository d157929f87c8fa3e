"""The index page of an exported journal."""

from __future__ import annotations

from html.parser import HTMLParser

from daemon.journal.export_page import index_page

WALL_S = 1_790_000_000.0


class Elements(HTMLParser):
    """The page's tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


def test_every_event_is_on_the_page_by_day_with_its_picture_and_markup_stays_text() -> None:
    alert = {"kind": "alert", "hazard": "fire", "severity": "critical", "probability": 0.88, "again": False}
    hostile = "<script>alert(1)</script>"
    page = Elements(
        index_page(
            [
                {**alert, "escalated": False, "wall_s": WALL_S, "picture": "pictures/7.jpg"},
                {"kind": "speak", "text": hostile, "language": 'ko" onload="x', "wall_s": WALL_S},
                {"kind": "health", "component": "camera", "reason": "lost", "wall_s": WALL_S - 86_400 * 2},
                {"kind": "alert", "wall_s": WALL_S - 86_400 * 2},  # of another version
            ]
        )
    )
    assert "fire (critical, 0.88)" in page.text
    assert hostile in page.text
    names = [name for name, _ in page.tags]
    assert (names.count("h2"), names.count("li")) == (2, 4)
    assert "script" not in names
    assert not any("onload" in attributes for _, attributes in page.tags)
    assert {attributes["src"] for name, attributes in page.tags if name == "img"} == {"pictures/7.jpg"}
    # Nothing is fetched from elsewhere.
    assert not [value for _, held in page.tags for value in held.values() if value and "//" in value]
