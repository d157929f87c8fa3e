"""`watchword bench`: measures parts and compares the figures with their targets."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from common.errors import WatchwordError
from daemon.bench import figures_page, tables
from daemon.bench.harness import Figure, unmeasured
from daemon.bench.quietness import QUIET_SHARE, LoadMeter
from daemon.config.settings import Settings
from daemon.errors import CommandError, UsageError

PARTS = {
    "encoder": "encoder",
    "pipeline": "pipeline",
    "peers": "peers",
    "ear": "frame_to_sound",
    "start": "start",
    "vlm": "vlm",
    "speech": "speech",
    "journal": "journal",
    "web": "web",
}
"""The module of `daemon.bench` that measures each part: `measure(settings, samples) -> Iterator[Figure]`."""
SHORT = "short"
"""The module of `--short`, likewise."""


def configure(parser: argparse.ArgumentParser) -> None:
    parts = (*PARTS, "all")
    parser.add_argument(
        "part",
        nargs="?",
        choices=parts,
        default="all",
        # The choices by themselves are longer than a line of the man page.
        metavar="PART",
        help=f"{', '.join(parts[:-1])} or all (all)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures for programs")
    parser.add_argument(
        "--markdown", metavar="FILE", type=Path, help="write the figures as tables for a page"
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write the figures on a page with charts: quartiles, times of frames, their rate over time",
    )
    parser.add_argument(
        "--compare", metavar="FILE", type=Path, help="beside the figures of an earlier run, written by --json"
    )
    parser.add_argument("--targets", action="store_true", help="exit 1 when a figure falls short")
    parser.add_argument(
        "--short",
        action="store_true",
        help="in place of all parts: four ratios in less than a minute, exit 1 when one is below its floor",
    )
    parser.add_argument(
        "--clips",
        metavar="PATH",
        type=Path,
        help="for bench peers: a folder of pictures, or a manifest of clips or pictures (the demo clip)",
    )
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
    """Measure the parts that were asked for. Raises UsageError, CommandError and the errors of the parts."""
    options = part_options(args)
    parts = (SHORT,) if args.short else tuple(PARTS) if args.part == "all" else (args.part,)
    measured = measure(parts, settings, args.samples, options)
    return run(measured, args.json, args.targets or args.short, args.markdown, args.compare, args.html)


def part_options(args: argparse.Namespace) -> Mapping[str, Mapping[str, Any]]:
    """The options that go to a single part, by its name. Raises UsageError if another part is to be run."""
    describers: dict[str, Any] = {"models": args.model} if args.model else {}
    describers |= {"idle": False} if args.ordinary else {}
    if describers and args.part != "vlm":
        raise UsageError("--model and --ordinary go with `watchword bench vlm` only")
    if args.clips is not None and args.part not in ("peers", "all"):
        raise UsageError("--clips goes with `watchword bench peers`")
    if args.short and (args.part != "all" or args.clips):
        raise UsageError("--short is a choice of its own; leave the part and its options out")
    return {"vlm": describers, "peers": {} if args.clips is None else {"clips": args.clips}}


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


def measure(
    parts: Sequence[str], settings: Settings, samples: int, options: Mapping[str, Mapping[str, Any]]
) -> Iterator[Figure]:
    """Every figure of the parts, as soon as it is known; `options` go to the parts by their names."""
    for part in parts:
        # Imported when its turn comes: a benchmark's libraries must not slow those before it.
        module = import_module(f"daemon.bench.{PARTS.get(part, part)}")
        try:
            yield from module.measure(settings, samples, **options.get(part, {}))
        except WatchwordError as error:
            # The other parts of a run of many minutes must not be lost with this one.
            if len(parts) == 1:
                raise
            yield unmeasured(part, "", None, f"could not be measured: {error}")


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
    missed = [
        f"{figure.name} ({tables.shown(figure)}, {figure.target})"
        for figure in figures
        # `is False`: a figure without a target has None and cannot fall short.
        if figure.met is False
    ]
    met = sum(figure.met is True for figure in figures)
    sys.stdout.write(f"falls short: {', '.join(missed)}\n" if missed else f"all {met} targets met\n")
    return 1 if missed else 0


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    # ARM's /proc/cpuinfo has no "model name".
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1")
    return int(text)
