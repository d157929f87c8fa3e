"""`watchword evaluate MANIFEST.csv`: the detector measured on labelled pictures and clips."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.tools.evaluate import evaluate
from daemon.tools.report_lines import readable
from daemon.tools.report_page import page
from pipeline.evaluation.dataset import read_dataset


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("manifest", type=Path, help="CSV of file,label or file,label,start_s,end_s")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write every figure there")
    parser.add_argument(
        "--html", type=Path, metavar="OUT.html", help="the figures on one page, with the worst mistakes"
    )


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Print the figures, and write them to files if asked. Raises ManifestError, CameraUnusable."""
    dataset = read_dataset(args.manifest, settings.hazards.keys())
    _require_writable("--json", args.json)
    _require_writable("--html", args.html)
    report, mistakes = evaluate(settings, dataset, collect_mistakes=args.html is not None)
    sys.stdout.writelines(f"{line}\n" for line in readable(report))
    sys.stdout.flush()
    if args.json is not None:
        _write("--json", args.json, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    if args.html is not None:
        _write("--html", args.html, page(report, mistakes, str(args.manifest)))
    return 0


def _require_writable(option: str, path: Path | None) -> None:
    """Fail before the long work; an existing file keeps its content. Raises CommandError."""
    if path is None:
        return
    there = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from error


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from error
