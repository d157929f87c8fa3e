"""`watchword evaluate MANIFEST.csv`: measure the detector on labelled pictures and clips."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daemon.cli.output_file import require_writable, write
from daemon.config.settings import Settings
from daemon.errors import UsageError
from daemon.tools.cross_validate import WAYS, cross_validate
from daemon.tools.evaluate import evaluate
from daemon.tools.report_lines import readable
from daemon.tools.report_page import page
from daemon.tools.speech_evaluation import evaluate_speech
from pipeline.evaluation.dataset import Dataset, read_dataset
from pipeline.evaluation.speech import rows


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("manifest", type=Path, help="CSV of file,label or file,label,start_s,end_s")
    parser.add_argument(
        "--speech",
        action="store_true",
        help="measure what is heard of the clips, in both languages, in place of what is detected",
    )
    parser.add_argument(
        "--cross-validate",
        nargs="?",
        const=WAYS[0],
        choices=WAYS,
        help="judge each source by a detector fitted to the others: calibration, as `calibrate --labelled` "
        "fits it (default), or heads, as `models fit` does; nothing is kept",
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write every figure there")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="OUT.html",
        help="the figures on one page, with curves, a timeline of each clip and the worst mistakes",
    )


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Print the figures, and write them to files if asked. Raises ManifestError, CameraUnusable."""
    dataset = read_dataset(args.manifest, settings.hazards.keys())
    # Before the measurement, which takes minutes to hours.
    require_writable("--json", args.json)
    require_writable("--html", args.html)
    if args.speech:
        return _speech(args, settings, dataset)
    if args.cross_validate:
        return _cross_validation(args, settings, dataset)
    report, details = evaluate(settings, dataset, details=args.html is not None, progress=args.note)
    sys.stdout.writelines(f"{line}\n" for line in readable(report))
    sys.stdout.flush()
    _write_json(args.json, report)
    if args.html is not None:
        write("--html", args.html, page(report, details, str(args.manifest)))
    return 0


def _cross_validation(args: argparse.Namespace, settings: Settings, dataset: Dataset) -> int:
    if args.html is not None:
        raise UsageError("--html shows mistakes of the detector in use; leave it or --cross-validate out")
    report = cross_validate(settings, dataset, args.cross_validate)
    sys.stdout.writelines(f"{line}\n" for line in readable(report))
    _write_json(args.json, report)
    return 0


def _speech(args: argparse.Namespace, settings: Settings, dataset: Dataset) -> int:
    if args.cross_validate:
        raise UsageError("--speech measures the detector in use; leave it or --cross-validate out")
    if not dataset.clips:
        raise UsageError(f"--speech: {args.manifest} lists no clips; give spans with start_s and end_s")
    if args.html is not None:
        raise UsageError("--html shows mistakes of the detector; leave it or --speech out")
    totals, by_clip = evaluate_speech(settings, dataset.clips)
    sys.stdout.writelines(f"{line}\n" for line in rows({**by_clip, **totals}))
    _write_json(args.json, {"speech": totals, "speech_by_clip": by_clip})
    return 0


def _write_json(path: Path | None, report: Mapping[str, Any]) -> None:
    if path is not None:
        write("--json", path, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
