"""`watchword config`: show settings and their origin, check, change and reset them, print their schema."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tomli_w

from common import atomic_file
from common.errors import WatchwordError
from common.redact import redact
from daemon.config.layers import Layer, decode, leaves, read_file, walk
from daemon.config.overrides import drop, edited, keep
from daemon.config.reload_plan import is_live
from daemon.config.schema import KeyPath, dotted
from daemon.config.settings import SCHEMA, Loaded, overrides_file
from daemon.errors import CommandError

_DEFAULT = Layer("default", {})


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="every setting in force and the layer it came from")
    show.add_argument("key", nargs="?", default="", help="only this setting or section")
    show.add_argument("--json", action="store_true", help="for programs")
    actions.add_parser("check", help="whether the settings hold")
    change = actions.add_parser("set", help="change a setting for good; `reset` takes it back")
    change.add_argument("key", metavar="KEY", help="such as speech.rate_wpm")
    change.add_argument("value", metavar="VALUE", help="such as 200, true, ko, or ['a', 'b']")
    actions.add_parser("schema", help="a JSON schema of config.toml, for editors")
    reset = actions.add_parser("reset", help="drop a setting that was changed by `set` or while running")
    reset.add_argument("key", metavar="KEY", help="such as speech.rate_wpm")


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    if args.action == "schema":
        sys.stdout.write(SCHEMA.to_json())
        return 0
    if args.action == "set":
        return _set(args.key, args.value, load())
    if args.action == "reset":
        # Without loading the settings: an override that makes them invalid must be removable.
        return _reset(args.key, overrides_file(args.config, os.environ, {}))
    loaded = load()
    if args.action == "check":
        for warning in loaded.warnings:
            sys.stdout.write(f"warning: {warning}\n")
        for warning in _unrecognised(loaded):
            sys.stdout.write(f"warning: {warning}\n")
        files = ", ".join(str(path) for path in loaded.files) or "no file, only defaults"
        sys.stdout.write(f"settings are fine ({files})\n")
        return 0
    return _show(loaded, args.key, args.json)


def _unrecognised(loaded: Loaded) -> Iterator[str]:
    """Warn of hazards that the model cannot recognise, and of hazards without a Korean phrase."""
    # Imported here: only `check` needs models, and the import takes a second.
    from daemon.wiring.detector import unrecognised_hazards

    for name, one in loaded.settings.hazards.items():
        if one.enabled and not one.say_ko.strip() and loaded.settings.speech.language == "ko":
            yield f'hazards.{name}: has no say_ko; its English name is said. Add say_ko = "...{{where}}"'
    try:
        for name in unrecognised_hazards(loaded.settings):
            yield (
                f"hazards.{name}: the model cannot recognise it by its prompts and will never warn of it; "
                f"teach it with pictures: `watchword teach {name} FOLDER`"
            )
    # A warning, not an error: a model that is missing makes no setting invalid.
    except WatchwordError as error:
        yield f"whether the model recognises the hazards could not be looked at: {error}"


def _unknown(key: str) -> CommandError:
    near = SCHEMA.nearest(tuple(key.split(".")))
    hint = f"did you mean {dotted(near)}?" if near else "`watchword config show` lists them all"
    return CommandError(f"{key}: no such setting; {hint}")


def _show(loaded: Loaded, key: str, as_json: bool) -> int:
    chosen = [
        (path, value) for path, value in _values(loaded.settings.model_dump(mode="json")) if _below(path, key)
    ]
    if not chosen:
        raise _unknown(key)
    if as_json:
        tree = {dotted(path): {"value": value, **_origin(path, loaded)} for path, value in chosen}
        sys.stdout.write(json.dumps(tree, ensure_ascii=False, indent=2) + "\n")
        return 0
    for path, value in chosen:
        origin = _origin(path, loaded)
        shown = json.dumps(value, ensure_ascii=False)
        sys.stdout.write(f"{dotted(path)} = {shown}  # {origin['where'] or origin['layer']}\n")
    return 0


def _below(path: KeyPath, key: str) -> bool:
    # With a dot at the end, so that `web` matches `web.port` and not `website`.
    return not key or f"{dotted(path)}.".startswith(f"{key}.")


def _values(tree: dict[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    for path, value in leaves(tree):
        yield path, redact(value) if isinstance(value, str) else value


def _origin(path: KeyPath, loaded: Loaded) -> dict[str, str]:
    layer = loaded.origins.get(path, _DEFAULT)
    return {"layer": layer.name, "where": layer.where(path)}


def _set(key: str, written: str, loaded: Loaded) -> int:
    """Keep a value among the overrides, if all settings hold with it. Raises ConfigError, CommandError."""
    path = tuple(key.split("."))
    # The overrides are stored in paths.state, so they cannot set the path of their own folder.
    if path[0] == "paths":
        raise CommandError(f"{key}: folders cannot be changed here; write them into config.toml")
    if SCHEMA.at(path) is None or SCHEMA.names(path):
        raise _unknown(key)
    value = decode(written, path, SCHEMA)
    # Checked together with all other layers before anything is written.
    changed = loaded.again(edited(loaded.overrides, {key: value}))
    keep(loaded.overrides, {key: value})
    sys.stdout.write(f"{key} = {_shown(value)}, kept in {loaded.overrides}\n")
    stronger = changed.origins.get(path, _DEFAULT)
    if stronger.name != "overrides":
        # The user must learn that the value has no effect.
        sys.stdout.write(f"but {stronger.where(path)} is stronger: without it, this holds\n")
    elif is_live(key):
        sys.stdout.write("it holds at the next start, in a running daemon after `watchword reload`\n")
    else:
        sys.stdout.write("it holds at the next start\n")
    return 0


def _shown(value: object) -> str:
    return json.dumps(redact(value) if isinstance(value, str) else value, ensure_ascii=False, default=str)


def _reset(key: str, file: Path) -> int:
    layer = read_file(file, "overrides")
    values = dict(layer.values) if layer else {}
    if not drop(values, tuple(key.split("."))):
        known = ", ".join(dotted(path) for path in walk(values)) or "nothing"
        raise CommandError(f"{key} is not overridden in {file}; overridden there: {known}")
    atomic_file.write(file, tomli_w.dumps(values))
    sys.stdout.write(f"dropped {key} from {file}\n")
    return 0
