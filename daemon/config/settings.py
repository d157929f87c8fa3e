"""All settings of the process, and where each value came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from capture.settings import CaptureSettings
from daemon import paths
from daemon.config.layers import Layer, from_command_line, from_environment, merge, read_file
from daemon.config.problems import hazard_problems, problems, refuse_misshapen
from daemon.config.schema import KeyPath, Schema
from daemon.config.sections import (
    ControlSettings,
    JournalSettings,
    KeysSettings,
    LogSettings,
    MqttSettings,
    PathsSettings,
    WebSettings,
    WorkerSettings,
)
from daemon.core.health import HealthSettings
from daemon.errors import ConfigError
from pipeline import hazards as known_hazards
from pipeline.calibration.few_shot import few_shot_names
from pipeline.settings import DescribeSettings, HazardSettings, PipelineSettings, SceneSettings, WatchSettings
from speech.settings import SpeechSettings


class Settings(BaseModel, frozen=True, extra="forbid"):
    """The whole tree. A part gets its own section, never the tree."""

    capture: CaptureSettings = CaptureSettings()
    speech: SpeechSettings = SpeechSettings()
    hazards: dict[str, HazardSettings] = Field(default_factory=dict)
    watch: WatchSettings = WatchSettings()
    scene: SceneSettings = SceneSettings()
    describe: DescribeSettings = DescribeSettings()
    health: HealthSettings = HealthSettings()
    pipeline: PipelineSettings = PipelineSettings()
    control: ControlSettings = ControlSettings()
    keys: KeysSettings = KeysSettings()
    web: WebSettings = WebSettings()
    mqtt: MqttSettings = MqttSettings()
    journal: JournalSettings = JournalSettings()
    worker: WorkerSettings = WorkerSettings()
    paths: PathsSettings = PathsSettings()
    log: LogSettings = LogSettings()


@dataclass(frozen=True)
class Loaded:
    """Settings that hold, the layer each value was written in, and the files that were read."""

    settings: Settings
    origins: Mapping[KeyPath, Layer]
    files: tuple[Path, ...]
    overrides: Path
    """Where changes made while running are kept, whether there are any or not."""
    again: Callable[[Mapping[str, Any] | None], Loaded]
    """Everything read anew, with these overrides in place of the kept ones, if any. Raises ConfigError."""


SCHEMA = Schema.of(Settings)
OVERRIDES = "overrides.toml"


def load(
    config: Path | None,
    env: Mapping[str, str],
    cli: Mapping[str, Any],
    overriding: Mapping[str, Any] | None = None,
    *,
    watches: bool = True,
) -> Loaded:
    """Read and check every layer. Raises ConfigError with one line a problem.

    `config` is the file asked for, if any; `cli` holds values by dotted key. `overriding` is tried in place
    of what the overrides' file holds. Without `watches` a hazard may lack words: who does not watch need not
    see what the daemon was taught.
    """
    lower, upper = _files(config, env), _given(env, cli)
    state = _state_folder((*lower, *upper), env)
    file = state / OVERRIDES
    overrides = read_file(file, "overrides") if overriding is None else Layer("overrides", overriding)
    if overrides is not None:
        _refuse_paths(overrides)
    layers = (*lower, _taught(state), *([overrides] if overrides else []), *upper)
    refuse_misshapen(layers)
    read = tuple(Path(layer.source) for layer in layers if layer.source)
    values, origins = merge(layers)
    settings = _checked(values, origins, env)
    if watches and (
        wrong := hazard_problems(settings.hazards, origins, few_shot_names(settings.paths.state))
    ):
        raise ConfigError(*wrong)
    again = partial(load, config, env, cli, watches=watches)
    return Loaded(settings, origins, read, file, again)


def defaults(env: Mapping[str, str]) -> Settings:
    """What holds where nothing is configured."""
    values, origins = merge((_builtin(),))
    return _checked(values, origins, env)


def overrides_file(config: Path | None, env: Mapping[str, str], cli: Mapping[str, Any]) -> Path:
    """Where overrides are kept; found even when they, or other settings, are broken."""
    return _state_folder((*_files(config, env), *_given(env, cli)), env) / OVERRIDES


def _files(config: Path | None, env: Mapping[str, str]) -> tuple[Layer, ...]:
    file = _config_file(config, env)
    return (_builtin(), file) if file else (_builtin(),)


def _given(env: Mapping[str, str], cli: Mapping[str, Any]) -> tuple[Layer, ...]:
    return (from_environment(env, SCHEMA), from_command_line(cli))


def _builtin() -> Layer:
    return Layer("default", {"hazards": known_hazards.builtin()})


def _taught(state: Path) -> Layer:
    """Every hazard that was taught here has a table; its file may say more, a built-in one has it all."""
    return Layer("default", {"hazards": {name: {} for name in few_shot_names(state)}})


def _config_file(config: Path | None, env: Mapping[str, str]) -> Layer | None:
    named = config or (Path(env["WATCHWORD_CONFIG"]) if env.get("WATCHWORD_CONFIG") else None)
    if named is None:
        return next((layer for path in paths.config_files(env) if (layer := read_file(path, "config"))), None)
    layer = read_file(named, "config")
    if layer is None:
        raise ConfigError(f"{named}: does not exist; name a configuration file that does")
    return layer


def _state_folder(layers: tuple[Layer, ...], env: Mapping[str, str]) -> Path:
    refuse_misshapen(layers)
    values, _ = merge(layers)
    state = paths.resolved(_section(values), env)["state"]
    if not isinstance(state, str):
        raise ConfigError(f"paths.state = {state!r}: should be text in quotes, the folder to keep state in")
    return Path(state)


def _section(values: Mapping[str, Any]) -> Mapping[str, Any]:
    section = values.get("paths", {})
    if not isinstance(section, dict):
        raise ConfigError(f"paths = {section!r}: should be a table")
    return section


def _refuse_paths(overrides: Layer) -> None:
    if "paths" in overrides.values:
        where = overrides.where(("paths",))
        raise ConfigError(f"{where}: paths cannot be overridden; set them in config.toml")


def _checked(values: Mapping[str, Any], origins: Mapping[KeyPath, Layer], env: Mapping[str, str]) -> Settings:
    """Strict, so that "10" is no number; through JSON, so that a list may become a tuple."""
    tree = json.dumps({**values, "paths": paths.resolved(_section(values), env)}, default=str)
    try:
        return Settings.model_validate_json(tree, strict=True)
    except ValidationError as error:
        raise ConfigError(*problems(error, SCHEMA, origins)) from None
