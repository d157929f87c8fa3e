"""`watchword models list|pull|verify|remove`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.store.errors import ConsentError, StoreError, UnknownModelError
from pipeline.store.inspection import Listed, State
from pipeline.store.progress import TextProgress, readable_size
from pipeline.store.store import PullOptions, Store

FINE, FAILED, USAGE = 0, 1, 2
Verb = Callable[[str, argparse.Namespace, Store], int]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser of `watchword models`."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("list", help="what is known and what is here")
    pull = verbs.add_parser("pull", help="fetch models, or mend those that are damaged")
    pull.add_argument(
        "names",
        metavar="NAME",
        nargs="+",
        help="from the list, or local-dir:FOLDER, hf-hub:OWNER/NAME, open_clip:ARCHITECTURE/WEIGHTS",
    )
    pull.add_argument(
        "--from",
        dest="carried",
        metavar="FOLDER",
        type=Path,
        help="take the files from a folder instead of the network",
    )
    pull.add_argument("--accept-licence", action="store_true", help="agree to a licence that asks for it")
    pull.add_argument(
        "--frames",
        metavar="PATH",
        type=Path,
        help="video or folder of pictures a conversion learns 8-bit computing from (default: the demo clip)",
    )
    pull.add_argument(
        "--both",
        action="store_true",
        help="keep a describer's own weights beside the converted ones, for `bench vlm` to compare them",
    )
    verify = verbs.add_parser("verify", help="read every byte of the models that are here")
    verify.add_argument("names", metavar="NAME", nargs="*", help="all that are here if none is named")
    remove = verbs.add_parser("remove", help="delete models from this machine")
    remove.add_argument("names", metavar="NAME", nargs="+")


def execute(args: argparse.Namespace, root: Path) -> int:
    """Do what was parsed with the store in a folder; returns the exit code."""
    return run(args, Store(root))


def run(args: argparse.Namespace, store: Store) -> int:
    """Do what was parsed; one line to stderr for each thing that failed."""
    if args.verb == "list":
        return _list(store)
    verb = {"pull": _pull, "verify": _verify, "remove": _remove}[args.verb]
    names = args.names or [line.name for line in store.list() if line.state is not State.ABSENT]
    if not names:
        _say(f"no model is in {store.root}")
    return max((_guarded(verb, name, args, store) for name in names), default=FINE)


def _guarded(verb: Verb, name: str, args: argparse.Namespace, store: Store) -> int:
    try:
        return verb(name, args, store)
    except (UnknownModelError, ConsentError) as error:
        _complain(str(error))
        return USAGE
    except StoreError as error:
        _complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        _complain(f"{name}: interrupted; the store is as it was")
        return FAILED


def _list(store: Store) -> int:
    lines = store.list()
    _say(table(lines))
    _say(f"in {store.root}")
    return FINE


def _pull(name: str, args: argparse.Namespace, store: Store) -> int:
    if args.carried is not None and not args.carried.is_dir():
        _complain(f"--from {args.carried}: no such folder")
        return USAGE
    frames = args.frames or _demo_clip(store)
    options = PullOptions(args.carried, args.accept_licence, frames, args.both)
    place = store.pull(name, TextProgress(sys.stderr), options)
    _say(f"{place.name}: ready in {place}")
    return FINE


def _demo_clip(store: Store) -> Path | None:
    try:
        return store.path("demo") / "bikes.mp4"
    except StoreError:
        return None


def _verify(name: str, args: argparse.Namespace, store: Store) -> int:  # noqa: ARG001 (one shape for all verbs)
    findings = store.verify(name)
    for finding in findings:
        _complain(str(finding))
    if not findings:
        _say(f"{name}: every byte is as it should be")
    return FAILED if findings else FINE


def _remove(name: str, args: argparse.Namespace, store: Store) -> int:  # noqa: ARG001 (one shape for all verbs)
    _say(f"{name}: removed" if store.remove(name) else f"{name}: was not here")
    return FINE


def table(lines: Sequence[Listed]) -> str:
    """Models as aligned columns."""
    head = ("NAME", "KIND", "STATE", "SIZE", "LICENCE")
    rows = [head, *((li.name, li.kind, li.state, _size(li), li.licence) for li in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _size(line: Listed) -> str:
    return readable_size(line.size) if line.size else "?"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"watchword: {text}\n")
