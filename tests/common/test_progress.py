"""The bar on a terminal, the few lines elsewhere."""

from __future__ import annotations

import io

import pytest

from common.progress import TextProgress, readable_size


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (14990, "15 kB"), (22_716_958, "22.7 MB"), (5_500_000_000, "5.5 GB")],
)
def test_sizes_are_readable(size: int, text: str) -> None:
    assert readable_size(size) == text


def test_a_terminal_gets_a_bar_that_is_wiped_at_the_end() -> None:
    stream = Terminal()
    progress = TextProgress(stream)
    progress.begin("x.whl", 2000)
    progress.advance(1000)
    assert "50%  1 kB of 2 kB" in stream.getvalue()
    assert "\n" not in stream.getvalue()
    progress.advance(5000)
    assert "100%" in stream.getvalue()
    progress.end()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_log_gets_one_line_and_then_one_every_ten_seconds() -> None:
    stream, now = io.StringIO(), [0.0]
    progress = TextProgress(stream, clock=lambda: now[0])
    progress.begin("x.whl", 2000)
    for second in range(25):
        now[0] = float(second)
        progress.advance(second * 10)
    progress.end()
    assert stream.getvalue().splitlines() == ["x.whl (2 kB)", "x.whl: 100 B of 2 kB", "x.whl: 200 B of 2 kB"]


def test_a_reader_that_went_away_does_not_stop_the_work() -> None:
    stream = Terminal()
    progress = TextProgress(stream)
    stream.close()
    progress.begin("x.whl", 2000)
    progress.report("still here")
