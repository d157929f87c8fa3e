"""Formats figures as tables: describers side by side, and all figures as markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.bench.harness import Figure
from daemon.errors import CommandError

PREFIX = "vlm."
COLUMNS = {
    "load_cold_s": "load cold",
    "load_warm_s": "load warm",
    "first_token_ms": "first token",
    "first_token_new_prompt_ms": "with a new prompt",
    "first_sentence_ms": "first sentence",
    "first_word_ms": "first spoken word",
    "tokens_per_s": "tokens",
    "beside_first_word_ms": "first word beside the lane",
    "beside_tokens_per_s": "tokens beside the lane",
    "beside_frame_ms_p99": "lane's frame p99",
    "cancel_ms_p95": "cancel p95",
    "memory_mb": "peak memory",
}
"""Column heads of the quantities measured of a describer, by the last part of the figure's name.

`beside` means: while the danger lane runs at full rate on the same machine.
"""
OVER = "openvino_over_transformers"
"""Last part of the name of a figure that compares the speed of one model on both backends."""

NOT_THERE = "not there"
"""How the note of a figure begins if the machine lacks the device."""
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text; `rows` are as long as `head`."""

    head: Row
    rows: tuple[Row, ...]

    def as_text(self) -> str:
        """Aligned columns, the first two to the left."""
        lines = (self.head, *self.rows)
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def as_markdown(self) -> str:
        lines = (self.head, ("---",) * len(self.head), *self.rows)
        return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def describers(figures: Sequence[Figure]) -> Table | None:
    """One row a describer and backend; None if none was measured."""
    measured: dict[tuple[str, str], dict[str, str]] = {}
    for figure in figures:
        # Such a name is vlm.MODEL.BACKEND.QUANTITY; MODEL may hold dots.
        stem, _, quantity = figure.name.removeprefix(PREFIX).rpartition(".")
        if figure.name.startswith(PREFIX) and quantity in COLUMNS:
            model, _, backend = stem.rpartition(".")
            measured.setdefault((model, backend), {})[quantity] = shown(figure)
    if not measured:
        return None
    speedups = {
        figure.name.removeprefix(PREFIX).removesuffix(f".{OVER}"): shown(figure)
        for figure in figures
        if figure.name.endswith(f".{OVER}")
    }
    rows = [
        (
            *key,
            *(cells.get(quantity, "") for quantity in COLUMNS),
            speedups.get(key[0], "") if key[1] == "openvino" else "",
        )
        for key, cells in measured.items()
    ]
    return Table(("model", "backend", *COLUMNS.values(), "over transformers"), tuple(rows))


def every(figures: Sequence[Figure]) -> Table:
    """One row a figure."""
    rows = [
        (
            figure.name,
            shown(figure),
            spread(figure),
            str(figure.target or ""),
            {True: "yes", False: "no", None: ""}[figure.met],
            str(figure.samples or ""),
            figure.note,
        )
        for figure in figures
    ]
    return Table(("figure", "value", "quartiles", "target", "met", "samples", "note"), tuple(rows))


def markdown(figures: Sequence[Figure]) -> str:
    """The table of describers if one was measured, then the table of every figure."""
    side_by_side = describers(figures)
    parts = [side_by_side.as_markdown()] if side_by_side else []
    return "\n\n".join([*parts, every(figures).as_markdown()]) + "\n"


def read_report(file: Path) -> Mapping[str, float | None]:
    """The values by name of a run written by `--json`. Raises CommandError."""
    try:
        results = json.loads(file.read_text(encoding="utf-8"))["results"]
        return {str(name): each["value"] for name, each in results.items()}
    except OSError as error:
        raise CommandError(f"--compare {file}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CommandError(f"--compare {file}: not written by `watchword bench --json`") from None


def compared(figures: Sequence[Figure], earlier: Mapping[str, float | None]) -> Table:
    """One row a figure that the earlier run has too: both values and how many times the earlier it is."""
    rows = []
    for figure in figures:
        before = earlier.get(figure.name)
        if before is None or figure.value is None:
            continue
        times = f"{figure.value / before:.2f}" if before else ""
        rows.append((figure.name, f"{before:.3g} {figure.unit}".rstrip(), shown(figure), times))
    return Table(("figure", "earlier", "now", "times"), tuple(rows))


def spread(figure: Figure) -> str:
    """Lower and upper quartile of the samples; empty if there is only one."""
    if figure.spread is None or figure.samples < 2:
        return ""
    return f"{figure.spread[0]:.3g} to {figure.spread[1]:.3g}"


def shown(figure: Figure) -> str:
    """Value and unit."""
    if figure.value is None:
        return NOT_THERE if figure.note.startswith(NOT_THERE) else "not measured"
    return f"{figure.value:.3g} {figure.unit}".rstrip()
