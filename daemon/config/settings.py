"""All settings of the process, and where each value came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from capture.settings import CaptureSettings
from daemon import paths
from daemon.config.hazard_tables import (
    hazard_problems,
    readable_hazards,
    threshold_warnings,
    without_forgotten,
)
from daemon.config.layers import Layer, origins
from daemon.config.problems import SettingProblem, refusal, setting_problems
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
from daemon.config.shape import refuse_misshapen
from daemon.config.sources import (
    BuiltinSource,
    CommandLineSource,
    ConfigSource,
    EnvironmentSource,
    OverridesSource,
    Sources,
    TaughtSource,
)
from daemon.core.health import HealthSettings
from daemon.errors import ConfigError
from pipeline.calibration.few_shot import few_shot_names
from pipeline.settings import DescribeSettings, HazardSettings, PipelineSettings, SceneSettings, WatchSettings
from speech.settings import SpeechSettings

OVERRIDES = "overrides.toml"


_sources: ContextVar[Sources | None] = ContextVar("sources", default=None)
"""pydantic-settings asks the class for its sources, so `load` cannot hand them over as an argument."""


class StrictModel(BaseModel):
    """Validates its input as strict JSON: "10" is no number there, but a list may become a tuple."""

    def __init__(self, **values: Any) -> None:
        self.__pydantic_validator__.validate_json(
            # Strict Python mode would refuse a list for a tuple and a text for a Path; strict JSON accepts
            # both.
            json.dumps(values, default=_plain),
            strict=True,
            self_instance=self,
        )


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


class Settings(BaseSettings, StrictModel):
    """The whole tree. A part gets its own section, never the tree.

    `load` reads it; made directly, it holds the given values and the defaults, and reads nothing.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(frozen=True, extra="forbid")

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as the library calls it
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as the library calls it
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as the library calls it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as the library calls it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources, highest first. `init_settings` holds the folders only, which `load` has found."""
        sources = _sources.get()
        # Made directly, as in tests: only the given values and the defaults.
        if sources is None:
            return (init_settings,)
        return (
            init_settings,
            sources.command_line,
            sources.environment,
            sources.overrides,
            sources.taught,
            sources.config,
            sources.builtin,
        )

    @classmethod
    def read(cls, sources: Sources, folders: Mapping[str, Any]) -> Self:
        """Merge and check. Raises ValidationError."""
        # Reset below: the next `Settings(...)` in this thread must not read the sources.
        token = _sources.set(sources)
        try:
            return cls(paths=folders)
        finally:
            _sources.reset(token)


SCHEMA = Schema.of(Settings)


@dataclass(frozen=True)
class Loaded:
    """Settings that hold, the layer each value was written in, and the files that were read."""

    settings: Settings
    origins: Mapping[KeyPath, Layer]
    layers: tuple[Layer, ...]
    """Lowest first."""
    overrides: Path
    """The file of changes made while running; it may not exist."""
    again: Callable[[Mapping[str, Any] | None], Loaded]
    """Read everything again, with these overrides instead of the stored ones if given. Raises ConfigError."""
    warnings: tuple[str, ...] = ()
    """Settings that are ignored or changed, one line each."""
    refused: tuple[str, ...] = ()
    """Mistakes of the current configuration, if the last good one replaces it; else empty."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read, lowest first."""
        return tuple(Path(layer.source) for layer in self.layers if layer.source)


def load(
    config: Path | None,
    env: Mapping[str, str],
    cli: Mapping[str, Any],
    overriding: Mapping[str, Any] | None = None,
    *,
    watches: bool = True,
    files: Layer | None = None,
) -> Loaded:
    """Read and check every source. Raises ConfigError with one line a problem.

    `config` is the file asked for, if any; `cli` holds values by dotted key. `overriding` is tried in place
    of the overrides' file, `files` in place of both files. `watches=False` accepts hazards without words: for
    processes that cannot read the daemon's lessons.
    """
    sources, folders = _open_sources(config, env, cli, {} if files else overriding, files)
    layers, state = sources.layers, Path(folders["state"])
    # Before merging, which recurses and would fail on endless nesting.
    refuse_misshapen(layers)
    found = origins(layers)
    wrong: list[SettingProblem] = []
    try:
        settings = Settings.read(sources, folders)
        hazards = settings.hazards
    except ValidationError as error:
        wrong += setting_problems(error, SCHEMA, found)
        # Hazards are checked although other settings are wrong, so that one run reports all mistakes.
        hazards = readable_hazards(layers)
    hazards, warnings = without_forgotten(hazards, state, found)
    if watches:
        wrong += hazard_problems(hazards, found, few_shot_names(state))
    if wrong or any(layer.mistakes for layer in layers):
        raise refusal(wrong, layers)
    settings = settings.model_copy(update={"hazards": hazards})
    # Not with `overriding` or `files`: those were a trial.
    again = partial(load, config, env, cli, watches=watches)
    warnings = (*warnings, *threshold_warnings(hazards, found))
    return Loaded(settings, found, layers, state / OVERRIDES, again, warnings)


def defaults(env: Mapping[str, str]) -> Settings:
    """The settings that hold if nothing is configured."""
    return Settings(paths=paths.resolved({}, env), **BuiltinSource(Settings)())


def overrides_file(config: Path | None, env: Mapping[str, str], cli: Mapping[str, Any]) -> Path:
    """The path of the overrides, found even if they or other settings are invalid. Raises ConfigError."""
    # Without the overrides, which may be the broken part.
    given = (ConfigSource(Settings, config, env), *_given(env, cli))
    return Path(_folders(tuple(source.layer for source in given), env)["state"]) / OVERRIDES


def _open_sources(
    config: Path | None,
    env: Mapping[str, str],
    cli: Mapping[str, Any],
    overriding: Mapping[str, Any] | None,
    files: Layer | None,
) -> tuple[Sources, dict[str, Any]]:
    """Every source, and the folders, which say where the overrides are. Raises ConfigError."""
    lower = ConfigSource(Settings, config, env, instead=files)
    environment, command_line = _given(env, cli)
    # The overrides lie in the state folder, so the folders come from the other layers.
    folders = _folders((lower.layer, environment.layer, command_line.layer), env)
    state = Path(folders["state"])
    overrides = OverridesSource(Settings, state / OVERRIDES, instead=overriding)
    taught, builtin = TaughtSource(Settings, state), BuiltinSource(Settings)
    return Sources(command_line, environment, overrides, taught, lower, builtin), folders


def _given(env: Mapping[str, str], cli: Mapping[str, Any]) -> tuple[EnvironmentSource, CommandLineSource]:
    return EnvironmentSource(Settings, env, SCHEMA), CommandLineSource(Settings, cli)


def _folders(layers: tuple[Layer, ...], env: Mapping[str, str]) -> dict[str, Any]:
    """The `[paths]` section with every `auto` replaced; `layers` lowest first. Raises ConfigError."""
    refuse_misshapen(layers)
    section: dict[str, Any] = {}
    for layer in layers:
        if not isinstance(written := layer.values.get("paths", {}), dict):
            raise ConfigError(f"{layer.where(('paths',))}: paths = {written!r}: should be a table")
        section.update(written)
    folders = paths.resolved(section, env)
    if not isinstance(state := folders["state"], str):
        raise ConfigError(f"paths.state = {state!r}: should be text in quotes, the folder to keep state in")
    return folders
