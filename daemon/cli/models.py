"""`watchword models list|pull|fit|verify|remove`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from common.errors import WatchwordError
from common.progress import TextProgress, readable_size
from daemon.config.settings import Settings
from daemon.wiring.describer import slow_describers
from daemon.wiring.models import run_trial, turned_down_models
from daemon.wiring.store import open_calibrations, open_store
from pipeline.calibration.repository import NOT_MEASURED
from pipeline.description.speed import speed_cure
from pipeline.models.loader import require_chosen
from pipeline.selection.trial import cure, with_cure, with_remedy
from pipeline.store.errors import ConsentError, StoreError, UnknownModelError
from pipeline.store.inspection import ListedModel, ModelState
from pipeline.store.manifest import Kind
from pipeline.store.store import PullOptions, Store

FINE, FAILED, USAGE = 0, 1, 2
DEFAULT = "*"
Verb = Callable[[str, argparse.Namespace, Store, Settings | None], int]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser of `watchword models`."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    known = verbs.add_parser("list", help="what is known and what is here, with sizes and memory")
    known.add_argument("--json", action="store_true", help="for programs")
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
        "--anyway", action="store_true", help="even where there is too little memory to convert or run it"
    )
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
    pull.add_argument(
        "--calibrate",
        metavar="SOURCE",
        help="then fit thresholds to this footage WITHOUT danger: a video, a folder, a camera, an address",
    )
    fit = verbs.add_parser("fit", help="train heads for a model on your labelled pictures")
    fit.add_argument("names", metavar="NAME", nargs=1, help="an image-text model that is here")
    what = fit.add_mutually_exclusive_group(required=True)
    what.add_argument("--labelled", metavar="MANIFEST.csv", type=Path, help="labelled pictures and clips")
    what.add_argument("--remove", action="store_true", help="forget the heads; the model is as before")
    verify = verbs.add_parser("verify", help="read every byte of the models that are here")
    verify.add_argument("names", metavar="NAME", nargs="*", help="all that are here if none is named")
    remove = verbs.add_parser("remove", help="delete models from this machine")
    remove.add_argument("names", metavar="NAME", nargs="+")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Carry out the parsed command on the store of the settings; returns the exit code."""
    return run(args, open_store(settings), settings)


def run(args: argparse.Namespace, store: Store, settings: Settings | None = None) -> int:
    """Carry out the parsed command; each failure is one line on stderr.

    Without `settings` the results of trials are left out, and nothing is fitted.
    """
    if args.verb == "list":
        return _list(store, _turned_down(settings) if settings else {}, as_json=args.json)
    verb = {"pull": _pull, "verify": _verify, "remove": _remove, "fit": _fit}[args.verb]
    # `verify` without names takes all that are here.
    names = args.names or [line.name for line in store.list() if line.state is not ModelState.ABSENT]
    if not names:
        _say(f"no model is in {store.root}")
    # Before anything is changed: a mistyped name must not leave half of the command done.
    if code := max((_guarded(_require, name, args, store, settings) for name in names), default=FINE):
        return code
    # Every name is tried; the worst exit code counts.
    return max((_guarded(verb, name, args, store, settings) for name in names), default=FINE)


def _guarded(verb: Verb, name: str, args: argparse.Namespace, store: Store, settings: Settings | None) -> int:
    try:
        return verb(name, args, store, settings)
    except (UnknownModelError, ConsentError) as error:
        _complain(str(error))
        return USAGE
    except WatchwordError as error:
        _complain(str(error))
        return FAILED
    # One line and no traceback: pulls are made in a folder of their own and moved when complete.
    except KeyboardInterrupt:
        _complain(f"{name}: interrupted; the store is as it was")
        return FAILED


def _require(name: str, args: argparse.Namespace, store: Store, _: Settings | None) -> int:
    if args.verb != "pull":
        store.require(name)
    elif args.carried is not None and not args.carried.is_dir():
        _complain(f"--from {args.carried}: no such folder")
        return USAGE
    else:
        store.require_source(name, args.carried)
    return FINE


def _turned_down(settings: Settings) -> Mapping[str, tuple[str, str]]:
    """Reason and cure of each model that `auto` turns down."""
    detectors, describers = turned_down_models(settings), slow_describers(settings)
    return {
        **{name: (reason, cure(name, reason)) for name, reason in detectors.items()},
        **{name: (reason, speed_cure(name)) for name, reason in describers.items()},
    }


def _list(store: Store, turned_down: Mapping[str, tuple[str, str]], *, as_json: bool) -> int:
    lines = store.list()
    if as_json:
        records = [{**_record(line), "turned_down": turned_down.get(line.name, (None,))[0]} for line in lines]
        report = {"store": str(store.root), "models": records}
        _say(json.dumps(report, ensure_ascii=False, indent=2))
        return FINE
    _say(tables(lines))
    _say("\n".join(_legend(lines)))
    for name, (reason, remedy) in turned_down.items():
        _say(f"auto turns {name} down: {with_remedy(reason, remedy)}")
    _say(f"in {store.root}")
    return FINE


def _pull(name: str, args: argparse.Namespace, store: Store, settings: Settings | None) -> int:
    frames = args.frames or _demo_clip(store)
    options = PullOptions(args.carried, args.accept_licence, frames, anyway=args.anyway, both=args.both)
    place = store.pull(name, TextProgress(sys.stderr), options)
    _say(f"{place.name}: ready in {place}")
    manifest = store.manifest(place.name)
    # Only an image-text model that was converted here has anything to try.
    if settings is None or manifest.kind != Kind.IMAGE_TEXT or manifest.conversion is None:
        return FINE
    return _prepare_to_run(place.name, args.calibrate, settings)


def _prepare_to_run(name: str, source: str | None, settings: Settings) -> int:
    """Try a pulled model on this machine, calibrate it if asked to, and print the next step."""
    # At once: a model that is too slow here is reported now, and not at the daemon's next start.
    trial = run_trial(settings, name)
    reason = trial.turned_down(measured=open_calibrations(settings).known(name))
    if trial.failed:
        _complain(f"{name}: {reason}")
        return FAILED
    quiet = f"false alarms on {trial.false_views} of {trial.views} harmless views"
    _say(f"{name}: {trial.speed}, {quiet}")
    if reason:
        _say(f"{name}: auto does not take it: {with_cure(name, reason)}")
    else:
        _say(f"{name}: auto takes it from the next start on, {NOT_MEASURED}; the starter votes beside it")
    if source is not None:
        return _calibrate(name, source, settings)
    _say(
        f"next: `watchword calibrate SOURCE` with footage of your own without danger sets its thresholds; "
        f"`watchword models fit {name} --labelled MANIFEST.csv` makes it better with labelled pictures"
    )
    return FINE


def _calibrate(name: str, source: str, settings: Settings) -> int:
    # Lazy: listing models must not import the calibration.
    from daemon.tools.calibrate import CalibrationRequest, calibrate

    # The pulled model by its name: `auto` could choose another one.
    chosen = settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"model": name})})
    made = calibrate(chosen, CalibrationRequest(source, 1.0), keep=True, report=_say, progress=_silent)
    _say(f"written to {made.place}; `watchword calibrate --undo` takes it back")
    return FINE


def _silent(_seconds: float, _longest_s: float) -> None:
    """Footage passes without a progress line."""


def _fit(name: str, args: argparse.Namespace, store: Store, settings: Settings | None) -> int:
    from daemon.tools.fit_heads import fit_model, remove_heads

    if settings is None:
        raise StoreError("models fit: needs settings")
    require_chosen(store, name)
    if args.remove:
        removed = remove_heads(settings, name)
        _say(
            f"{name}: heads removed; it is as before from the next start on"
            if removed
            else f"{name}: had no heads"
        )
        return FINE
    path = fit_model(settings, name, args.labelled, _say)
    _say(f"written to {path}; a restart uses them, `watchword models fit {name} --remove` takes them back")
    _say(
        "thresholds of your own and taught hazards of this model must be made again: they belong to its words"
    )
    return FINE


def _demo_clip(store: Store) -> Path | None:
    try:
        return store.path("demo") / "bikes.mp4"
    except StoreError:
        return None


def _verify(name: str, _: argparse.Namespace, store: Store, __: Settings | None) -> int:
    findings = store.verify(name)
    for finding in findings:
        _complain(str(finding))
    if not findings:
        _say(f"{name}: every byte is as it should be")
    return FAILED if findings else FINE


def _remove(name: str, _: argparse.Namespace, store: Store, __: Settings | None) -> int:
    _say(f"{name}: removed" if store.remove(name) else f"{name}: was not here")
    return FINE


def tables(lines: Sequence[ListedModel]) -> str:
    """One table a kind, in the order of the lines; the defaults are marked."""
    kinds = dict.fromkeys(line.kind for line in lines)
    return "\n\n".join(_table(kind, [line for line in lines if line.kind == kind]) for kind in kinds)


def _table(kind: str, lines: Sequence[ListedModel]) -> str:
    """Aligned columns; columns without a figure in any row are left out."""
    cells = [_columns(line) for line in lines]
    # The first row decides the order of the columns; all rows have the same.
    known = [name for name in cells[0] if any(row[name] for row in cells)]
    rows = [[kind.upper(), *known[1:]], *([row[name] for name in known] for row in cells)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _columns(line: ListedModel) -> dict[str, str]:
    figures = line.figures
    return {
        "NAME": f"{line.name} {DEFAULT}" if line.default else line.name,
        "STATE": line.state,
        "SIZE": readable_size(line.size) if line.size else "?",
        "DOWNLOAD": readable_size(figures.download) if figures else "",
        "MEMORY": readable_size(figures.answering) if figures else "",
        "SPEAKS": " ".join(figures.languages) if figures else "",
        "BACKENDS": " ".join(figures.memory) if figures else "",
        "LICENCE": _short_licence(line.licence),
    }


def _short_licence(licence: str) -> str:
    """Without the conditions in brackets, which only `…` stands for."""
    name, bracket, _ = licence.partition(" (")
    return f"{name}…" if bracket else licence


def _legend(lines: Sequence[ListedModel]) -> Iterator[str]:
    """Explain the marks that the tables contain."""
    yield ""
    if any(line.default for line in lines):
        yield f"{DEFAULT} the default of its kind"
    if any(_short_licence(line.licence) != line.licence for line in lines):
        yield "… conditions apply: --json has the whole licence"
    if any(line.figures for line in lines):
        yield "estimates: download, memory to answer (first backend), size of what is not here"


def _record(line: ListedModel) -> dict[str, object]:
    """A model for programs; null if a value is not known."""
    figures = line.figures
    return {
        "name": line.name,
        "kind": line.kind,
        "default": line.default,
        "state": line.state,
        "summary": line.summary,
        "licence": line.licence,
        "size_bytes": line.size or None,
        "download_bytes": figures.download if figures else None,
        "memory_bytes": figures.memory if figures else None,
        "languages": figures.languages if figures else None,
        "backends": list(figures.memory) if figures else None,
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"watchword: {text}\n")
