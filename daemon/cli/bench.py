"""`watchword bench`: measures parts and compares the figures with their targets."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from daemon.bench import figures_page, tables
from daemon.bench.harness import Figure
from daemon.bench.quietness import QUIET_SHARE, LoadMeter
from daemon.config.settings import Settings
from daemon.errors import CommandError

PARTS = {
    "encoder": "encoder",
    "pipeline": "pipeline",
    "ear": "frame_to_sound",
    "start": "start",
    "vlm": "vlm",
    "speech": "speech",
    "journal": "journal",
    "web": "web",
}
"""The module of `daemon.bench` that measures each part: `measure(settings, samples) -> Iterator[Figure]`."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="?", choices=(*PARTS, "all"), default="all", help="what to measure")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures for programs")
    parser.add_argument(
        "--markdown", metavar="FILE", type=Path, help="write the figures as tables for a page"
    )
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="write the figures on a page with charts of their quartiles"
    )
    parser.add_argument(
        "--compare", metavar="FILE", type=Path, help="beside the figures of an earlier run, written by --json"
    )
    parser.add_argument("--targets", action="store_true", help="exit 1 when a figure falls short")
    parser.add_argument(
        "--model",
        metavar="NAME",
        action="append",
        default=[],
        help="for bench vlm: a describer of the store or a folder; repeat it to compare some (all)",
    )
    parser.add_argument(
        "--ordinary",
        action="store_true",
        help="for bench vlm: describers at ordinary priority, for machines that are busy otherwise",
    )
    parser.add_argument("--samples", metavar="N", type=_positive, default=15, help="pairs a figure (15)")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    chosen: dict[str, Any] = {"models": args.model} if args.model else {}
    chosen |= {"idle": False} if args.ordinary else {}
    if chosen and args.part != "vlm":
        raise CommandError("--model and --ordinary go with `watchword bench vlm` only")
    parts = tuple(PARTS) if args.part == "all" else (args.part,)
    measured = measure(parts, settings, args.samples, **chosen)
    return run(measured, args.json, args.targets, args.markdown, args.compare, args.html)


def run(
    measured: Iterable[Figure],
    file: Path | None,
    targets: bool,
    page: Path | None = None,
    compared: Path | None = None,
    html: Path | None = None,
) -> int:
    """Print each figure as it is measured, then write all to `file`, `page` and `html`.

    Returns the exit code.

    `targets`: 1 if a figure misses its target. `compared`: an earlier run's `file`. Raises CommandError if a
    folder is missing, or the earlier run cannot be read.
    """
    earlier = tables.read_report(compared) if compared else None
    # Before measuring, which takes minutes, and not when the result is to be written.
    for option, wanted in (("--json", file), ("--markdown", page), ("--html", html)):
        if wanted is not None and not wanted.parent.is_dir():
            raise CommandError(f"{option} {wanted}: there is no folder {wanted.parent}")
    figures, load = [], LoadMeter()
    for figure in measured:
        sys.stdout.write(f"{row(figure)}\n")
        # Each figure takes seconds to minutes; a reader of a pipe sees it at once.
        sys.stdout.flush()
        figures.append(figure)
    others = load.share()
    if file is not None:
        file.write_text(json.dumps(report(figures, others), indent=2) + "\n", encoding="utf-8")
    if page is not None:
        page.write_text(tables.markdown(figures), encoding="utf-8")
    if html is not None:
        html.write_text(figures_page.page(figures, report(figures, others)), encoding="utf-8")
    if side_by_side := tables.describers(figures):
        sys.stdout.write(f"\n{side_by_side.as_text()}\n\n")
    if earlier is not None:
        sys.stdout.write(f"\n{tables.compared(figures, earlier).as_text()}\n\n")
    quiet = "quiet" if others <= QUIET_SHARE else "NOT quiet, the figures are not to be compared"
    sys.stdout.write(f"other programs used {others:.0%} of the processors: {quiet}\n")
    return _verdict(figures) if targets else 0


def measure(parts: tuple[str, ...], settings: Settings, samples: int, **chosen: Any) -> Iterator[Figure]:
    """Every figure of the parts, as soon as it is known; `chosen` goes to each part."""
    for part in parts:
        # Imported when its turn comes: a benchmark's libraries must not slow those before it.
        yield from import_module(f"daemon.bench.{PARTS[part]}").measure(settings, samples, **chosen)


def report(figures: list[Figure], others: float) -> dict[str, object]:
    """The figures by name, the machine they hold for, and the share of it that other programs used."""
    load = {"others_share": round(others, 3), "quiet": others <= QUIET_SHARE}
    return {
        "machine": machine(),
        "load": load,
        "results": {figure.name: figure.as_json() for figure in figures},
    }


def machine() -> dict[str, object]:
    """The machine that the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        # A container or an affinity mask may leave fewer than the machine has.
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "openvino": version("openvino"),
        "watchword": version("watchword"),
    }


def row(figure: Figure) -> str:
    """One line of the table."""
    target = f"{figure.target} {'ok' if figure.met else 'SHORT'}" if figure.target else ""
    shown = f"{tables.shown(figure):>14} {tables.spread(figure):>16}"
    return f"{figure.name:<38} {shown}  {target:<14} {figure.note}".rstrip()


def _verdict(figures: list[Figure]) -> int:
    short = [
        f"{figure.name} ({tables.shown(figure)}, {figure.target})"
        for figure in figures
        # `is False`: a figure without a target has None and cannot fall short.
        if figure.met is False
    ]
    met = sum(figure.met is True for figure in figures)
    sys.stdout.write(f"falls short: {', '.join(short)}\n" if short else f"all {met} targets met\n")
    return 1 if short else 0


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    # ARM's /proc/cpuinfo has no "model name".
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1")
    return int(text)
