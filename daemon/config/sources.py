"""The layers of the settings, as sources of pydantic-settings; `Settings` puts them in order."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from daemon import paths
from daemon.config.layers import Layer, from_command_line, from_environment, read_layer
from daemon.config.schema import Schema
from daemon.errors import ConfigError
from pipeline import hazards
from pipeline.calibration.few_shot import few_shot_names


class LayerSource(PydanticBaseSettingsSource):
    """A source that also knows where each of its values was written, for messages and `config show`."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_cls)
        self.layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return a whole section. It has its final types, so pydantic-settings need not decode it."""
        return self.layer.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        # pydantic-settings merges the sources in place; the layer must keep its own values for messages.
        return deepcopy(dict(self.layer.values))


class CommandLineSource(LayerSource):
    """Options such as `--source`, by dotted key."""

    def __init__(self, settings_cls: type[BaseSettings], options: Mapping[str, Any]) -> None:
        super().__init__(settings_cls, from_command_line(options))


class EnvironmentSource(LayerSource):
    """Variables such as WATCHWORD_SPEECH__RATE_WPM. Unknown ones are kept, and refused by validation."""

    def __init__(self, settings_cls: type[BaseSettings], env: Mapping[str, str], schema: Schema) -> None:
        super().__init__(settings_cls, from_environment(env, schema))


class OverridesSource(LayerSource):
    """`overrides.toml`, or values that replace it. Raises ConfigError."""

    def __init__(
        self, settings_cls: type[BaseSettings], file: Path, instead: Mapping[str, Any] | None = None
    ) -> None:
        # An empty mapping means "no overrides", None means "read the file".
        layer = Layer("overrides", instead) if instead is not None else read_layer(file, "overrides")
        super().__init__(settings_cls, layer or Layer("overrides", {}))
        # The file itself is in paths.state, so it cannot move that folder.
        if "paths" in self.layer.values:
            where = self.layer.where(("paths",))
            raise ConfigError(f"{where}: paths cannot be overridden; set them in config.toml")


class TaughtSource(LayerSource):
    """An empty table for each hazard that was taught by pictures. config.toml may add words to it."""

    def __init__(self, settings_cls: type[BaseSettings], state: Path) -> None:
        super().__init__(
            settings_cls, Layer("default", {"hazards": {name: {} for name in few_shot_names(state)}})
        )


class ConfigSource(LayerSource):
    """`config.toml`, or a layer in its place. Raises ConfigError if a file that was named does not exist."""

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        file: Path | None,
        env: Mapping[str, str],
        instead: Layer | None = None,
    ) -> None:
        super().__init__(settings_cls, instead or _config_layer(file, env) or Layer("config", {}))


class BuiltinSource(LayerSource):
    """The built-in hazards. All other defaults are in the fields of the settings classes."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, Layer("default", {"hazards": hazards.builtin()}))


@dataclass(frozen=True)
class Sources:
    """Everything that settings are read from. Built by `load`."""

    command_line: CommandLineSource
    environment: EnvironmentSource
    overrides: OverridesSource
    taught: TaughtSource
    config: ConfigSource
    builtin: BuiltinSource

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers, from the lowest to the highest."""
        sources: tuple[LayerSource, ...] = (
            self.builtin,
            self.config,
            self.taught,
            self.overrides,
            self.environment,
            self.command_line,
        )
        return tuple(source.layer for source in sources)


def named_file(file: Path | None, env: Mapping[str, str]) -> Path | None:
    """The configuration file that was asked for by option or variable, if any."""
    return file or (Path(env["WATCHWORD_CONFIG"]) if env.get("WATCHWORD_CONFIG") else None)


def _config_layer(file: Path | None, env: Mapping[str, str]) -> Layer | None:
    named = named_file(file, env)
    if named is None:
        # The first file that exists is read alone; files are not merged.
        return next((layer for p in paths.config_files(env) if (layer := read_layer(p, "config"))), None)
    if (layer := read_layer(named, "config")) is None:
        raise ConfigError(f"{named}: does not exist; name a configuration file that does")
    return layer
