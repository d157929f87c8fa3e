"""`watchword calibrate SOURCE --false-alerts-per-hour N`: thresholds from the user's own ordinary footage."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from daemon.cli.output_file import require_writable, write
from daemon.config.settings import Settings
from daemon.errors import UsageError
from daemon.tools.calibrate import CAMERA_MINUTES, CalibrationRequest, calibrate, undo
from daemon.tools.calibration_page import page


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", nargs="?", help="footage WITHOUT danger: a video, a folder, a camera, an address"
    )
    parser.add_argument(
        "--false-alerts-per-hour",
        dest="budget",
        metavar="N",
        type=_above_zero,
        default=1.0,
        help="how many false alerts an hour are acceptable in all (default: 1)",
    )
    parser.add_argument(
        "--minutes",
        metavar="M",
        type=_above_zero,
        help=f"how long to look (a camera: {CAMERA_MINUTES:g} unless given; a file: to its end)",
    )
    parser.add_argument(
        "--labelled",
        metavar="MANIFEST.csv",
        type=Path,
        help="labelled pictures and clips: fits slope and offset of every hazard that has pictures from "
        "enough sources, and tells what the new thresholds cost in recall",
    )
    parser.add_argument(
        "--html",
        metavar="OUT.html",
        type=Path,
        help="the thresholds before and now on one page, with a timeline of the footage",
    )
    parser.add_argument("--dry-run", action="store_true", help="tell, but change nothing")
    parser.add_argument("--undo", action="store_true", help="go back to the calibration before this one")


def _above_zero(text: str) -> float:
    value = float(text)
    # The upper limit also refuses infinity and NaN, which `float` accepts.
    if not 0 < value < 10_000:
        raise argparse.ArgumentTypeError("a number above 0, such as 0.5")
    return value


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Raises UsageError, CommandError, CalibrationError, CameraError, ManifestError."""
    if args.undo:
        if args.html is not None:
            raise UsageError("--undo fits nothing that --html could show; leave one of them out")
        name, basis = undo(settings)
        sys.stdout.write(f"{name} uses {basis} again, from the next start on\n")
        return 0
    if args.source is None:
        raise UsageError("calibrate: name footage without danger, a camera, or --undo")
    # Before the footage, which takes as long as it lasts.
    require_writable("--html", args.html)
    progress = FootageProgress()

    def report(line: str) -> None:
        # The progress line has no newline of its own.
        progress.end()
        sys.stdout.write(f"{line}\n")

    request = CalibrationRequest(args.source, args.budget, args.minutes, args.labelled)
    try:
        made = calibrate(settings, request, keep=not args.dry_run, report=report, progress=progress)
    finally:
        progress.end()
    if args.html is not None:
        write("--html", args.html, page(settings, made, request.source))
    if made.place is None:
        report("dry run: nothing was changed")
    else:
        report(
            f"written to {made.place}; `watchword reload` or a restart makes it hold, --undo takes it back"
        )
    return 0


class FootageProgress:
    """One line on a terminal, at most once a second of footage."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._shown = False

    def __call__(self, seconds: float, longest_s: float) -> None:
        # Only on a terminal: a log file would fill with carriage returns.
        if seconds >= self._next_s and sys.stderr.isatty():
            self._next_s, self._shown = seconds + 1, True
            of = "" if longest_s == float("inf") else f" of {longest_s / 60:.0f}"
            sys.stderr.write(f"\r{seconds / 60:.1f}{of} minutes seen")

    def end(self) -> None:
        """End the line, so that later output begins on its own."""
        if self._shown:
            self._shown = False
            sys.stderr.write("\n")
