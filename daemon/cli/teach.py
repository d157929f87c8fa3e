"""`watchword teach NAME PICTURES... [--unlike PICTURES...]`: a hazard from a few pictures of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from daemon.config.settings import Settings
from daemon.errors import UsageError
from daemon.tools.teach import find_pictures, forget, report_lines, teach
from daemon.wiring.models import load_model
from pipeline.calibration.few_shot_fit import MOST_LIKE
from pipeline.hazards import require_name


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the hazard: one that is known, or a new one such as wet_floor")
    parser.add_argument(
        "pictures", nargs="*", type=Path, help=f"1 to {MOST_LIKE} pictures of it, or folders of them"
    )
    parser.add_argument(
        "--unlike",
        nargs="+",
        type=Path,
        default=[],
        metavar="PICTURE",
        help="ordinary pictures without it, or folders of them; the more the better",
    )
    parser.add_argument("--remove", action="store_true", help="forget what was taught of it")
    parser.add_argument("--dry-run", action="store_true", help="tell, but change nothing")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Raises HazardError, UsageError, TeachError, and CameraUnusable for a file that is no picture."""
    require_name(args.name)
    if args.remove:
        forget(settings, args.name)
        _print([f"{args.name}: forgotten, after `watchword reload`"])
        return 0
    left_out: list[str] = []
    like = find_pictures(args.pictures, left_out.append)
    if not 1 <= len(like) <= MOST_LIKE:
        raise UsageError(f"teach {args.name}: {len(like)} pictures; show 1 to {MOST_LIKE}")
    model, unlike = load_model(settings), find_pictures(args.unlike, left_out.append)
    taught = teach(settings, model, args.name, like, unlike, left_out.append)
    _print([*report_lines(taught), *left_out])
    if args.dry_run:
        _print(["dry run: nothing was changed"])
        return 0
    place = taught.write(settings.paths.state)
    _print([f"written to {place}; it holds after `watchword reload`, --remove takes it back"])
    return 0


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
