"""The measuring harness: order, ratios, targets, and what `bench` says of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.bench.harness import Cost, Figure, at_least, at_most, interleave, percentile, timed, unmeasured
from daemon.cli.bench import PARTS, SHORT, configure, measure, part_options, run
from daemon.config.settings import defaults
from daemon.errors import CommandError, UsageError


def _scripted(name: str, order: list[str], cost: float) -> Cost:
    def measured() -> float:
        order.append(name)
        return cost

    return measured


def test_pairs_alternate_and_take_turns_at_going_first() -> None:
    order: list[str] = []
    pairs = interleave(_scripted("a", order, 3.0), _scripted("b", order, 2.0), pairs=3, warmup=0)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert pairs.ratios == (1.5, 1.5, 1.5)


def test_the_first_calls_are_not_counted() -> None:
    order: list[str] = []
    pairs = interleave(_scripted("a", order, 1.0), _scripted("b", order, 1.0), pairs=2, warmup=3)
    assert (len(order), len(pairs.ratios)) == (10, 2)


def test_timed_counts_calls() -> None:
    calls: list[int] = []
    assert timed(lambda: calls.append(1), repeat=4)() >= 0
    assert len(calls) == 4


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_lies_among_the_samples(values: list[float], q: float) -> None:
    assert min(values) <= percentile(values, q) <= max(values)


def test_targets_bind_in_their_own_direction() -> None:
    assert Figure("f", 0.9, "ratio", at_least(0.9)).met is True
    assert Figure("f", 0.89, "ratio", at_least(0.9)).met is False
    assert Figure("f", 2.1, "ratio", at_most(2)).met is False
    assert Figure("f", 2.1, "ratio").met is None
    assert unmeasured("f", "ratio", at_most(2), "no torch").met is False


def test_figures_are_shown_written_and_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = [
        Figure.median("good", [1.0, 2.0, 3.0], "ratio", at_least(2)),
        Figure.p95("slow", [float(n) for n in range(101)], "ms", at_most(90)),
        Figure("plain", 7.0, "MB"),
        unmeasured("absent", "ratio", at_least(1), "needs torch"),
    ]
    assert run(iter(figures), tmp_path / "out.json", targets=True) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "falls short: slow (95 ms, <= 90), absent (not measured, >= 1)"
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert results["good"] == {
        "value": 2.0, "unit": "ratio", "target": ">= 2", "met": True, "samples": 3, "spread": [1.5, 2.5],
    }  # fmt: skip
    assert (results["plain"]["target"], results["plain"]["met"]) == (None, None)
    assert (results["absent"]["value"], results["absent"]["note"]) == (None, "needs torch")


def test_a_run_stands_beside_an_earlier_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "earlier.json"
    run([Figure("rate", 4.0, "ratio"), Figure("gone", 1.0, "ms")], file, targets=False)
    assert set(json.loads(file.read_text())["load"]) == {"others_share", "quiet"}
    capsys.readouterr()
    now = [Figure("rate", 6.0, "ratio"), Figure("new", 1.0, "ms")]
    assert run(now, None, targets=False, compared=file) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["rate", "4", "ratio", "6", "ratio", "1.50"] in [line.split() for line in lines]
    assert not [line for line in lines if line.startswith("gone")]
    assert "of the processors" in lines[-1]
    file.write_text("{}")
    with pytest.raises(CommandError, match="not written by"):
        run(now, None, targets=False, compared=file)


def test_what_is_met_passes_and_without_targets_nothing_is_judged() -> None:
    assert run([Figure("f", 1.0, "ratio", at_least(0.9))], None, targets=True) == 0
    assert run([Figure("f", 0.1, "ratio", at_least(0.9))], None, targets=False) == 0


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("pipeline --clips x", "--clips goes with"),
        ("--ordinary", "--model and --ordinary go with"),
        ("pipeline --short", "--short is a choice of its own"),
        ("--short --clips x", "--short is a choice of its own"),
    ],
)
def test_an_option_of_another_part_is_refused(words: str, refused: str) -> None:
    with pytest.raises(UsageError, match=refused):
        part_options(_arguments(words))


def test_options_go_to_their_own_part() -> None:
    assert part_options(_arguments("vlm --model a --model b --ordinary"))["vlm"] == {
        "models": ["a", "b"],
        "idle": False,
    }
    assert part_options(_arguments("--clips x"))["peers"] == {"clips": Path("x")}
    assert not any(part_options(_arguments("all")).values())


@pytest.mark.parametrize("part", [*PARTS.values(), SHORT])
def test_every_part_has_a_module_that_measures(part: str) -> None:
    assert callable(import_module(f"daemon.bench.{part}").measure)


def test_a_part_that_fails_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Iterator[Figure]:
        yield Figure("journal.first", 1.0, "ms")
        raise CommandError("no room")

    def fine(*_: object) -> Iterator[Figure]:
        yield Figure("web.first", 2.0, "ms")

    for name, measured in (("journal", failing), ("web", fine)):
        monkeypatch.setitem(sys.modules, f"daemon.bench.{name}", SimpleNamespace(measure=measured))
    settings = defaults({"HOME": "/nowhere"})
    figures = list(measure(("journal", "web"), settings, 1, {}))
    assert [figure.name for figure in figures] == ["journal.first", "journal", "web.first"]
    assert figures[1].note == "could not be measured: no room"
    with pytest.raises(CommandError, match="no room"):
        list(measure(("journal",), settings, 1, {}))


def _arguments(words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words.split())


def test_a_file_that_cannot_be_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    def never() -> Figure:
        raise AssertionError

    with pytest.raises(CommandError, match="there is no folder"):
        run((never() for _ in range(1)), tmp_path / "none/out.json", targets=False)
