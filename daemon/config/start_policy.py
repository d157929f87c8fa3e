"""Chooses the configuration of a daemon: the current one, or, at the start of a service, the last good one.

A person at a terminal sees the mistake and can mend it. A service that does not start leaves its wearer
without any warning, for a comma in a file.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from daemon.config import last_good, settings
from daemon.config.settings import Loaded
from daemon.errors import ConfigError

log = logging.getLogger(__name__)


class StartPolicy:
    """`load` reads the configuration: at the start, and again at every reload."""

    def __init__(
        self, config: Path | None, env: Mapping[str, str], cli: Mapping[str, Any], *, service: bool
    ) -> None:
        """`config`, `env` and `cli` as in `settings.load`. `service`: started by a service manager."""
        self._given = (config, env, cli)
        self._service = service
        self._started = False

    def load(self) -> Loaded:
        """The current configuration, which is kept as the last good one. Raises ConfigError.

        At the start of a service the last good one stands in for one with a mistake; `refused` is then set.
        """
        try:
            loaded = settings.load(*self._given)
        except ConfigError as error:
            # Only at a start: at a reload the running settings are better than old ones from disk.
            stand_in = None if self._started or not self._service else self._last_good(error)
            if stand_in is None:
                raise
            loaded = stand_in
        else:
            self._keep(loaded)
        self._started = True
        return loaded

    def _last_good(self, error: ConfigError) -> Loaded | None:
        layer = last_good.find(*self._given)
        if layer is None:
            return None
        try:
            return replace(settings.load(*self._given, files=layer), refused=error.problems)
        # A mistake in the environment, or settings of another version.
        except ConfigError:
            return None

    def _keep(self, loaded: Loaded) -> None:
        try:
            last_good.keep(loaded)
        # A full disk must not keep the daemon from starting.
        except OSError as error:
            log.warning("the configuration cannot be kept as the last good one: %s", error)
