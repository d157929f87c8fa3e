"""Which changes of the settings a running daemon takes over, and which need a restart.

The fields themselves say it, by the marks of `common.live_settings`; hazards that come or go are live too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from common.live_settings import LIVE, VOICE
from daemon.config.layers import leaves
from daemon.config.schema import dotted
from daemon.config.settings import SCHEMA, Settings


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """Dotted keys whose values differ."""

    live: tuple[str, ...]
    restart: tuple[str, ...]

    @property
    def voice(self) -> bool:
        """True if words sound different from now on, so that phrases must be rendered again."""
        return any(_is_marked(key, VOICE) for key in self.live)

    def only(self, keys: Collection[str]) -> ReloadPlan:
        """The changes of these settings and of keys below them."""
        return ReloadPlan(
            tuple(key for key in self.live if _is_among(key, keys)),
            tuple(key for key in self.restart if _is_among(key, keys)),
        )

    def without(self, keys: Collection[str]) -> ReloadPlan:
        """All changes but those of these settings and of keys below them."""
        return ReloadPlan(
            tuple(key for key in self.live if not _is_among(key, keys)),
            tuple(key for key in self.restart if not _is_among(key, keys)),
        )


def plan(old: Settings, new: Settings) -> ReloadPlan:
    """Compare two valid settings."""
    before, after = _values(old), _values(new)
    # A hazard may exist in one of the two only, so the keys of both are compared.
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    whole = old.hazards.keys() ^ new.hazards.keys()
    live = tuple(
        key
        for key in changed
        # A hazard that comes or goes is live as a whole, whatever its single settings are.
        if _hazard_of(key) in whole or (key in before and key in after and is_live(key))
    )
    return ReloadPlan(live, tuple(key for key in changed if key not in live))


def merged(old: Settings, new: Settings, plan: ReloadPlan) -> Settings:
    """The old settings with the live ones taken from the new; hazards come and go as a whole."""
    tree, given = old.model_dump(mode="json"), new.model_dump(mode="json")
    for key in plan.live:
        name = _hazard_of(key)
        if name is None or (name in old.hazards and name in new.hazards):
            _put(tree, key.split("."), _get(given, key.split(".")))
        elif name in new.hazards:
            tree["hazards"][name] = given["hazards"][name]
        else:
            tree["hazards"].pop(name, None)
    # Validated again: the mixture of two valid settings need not be valid.
    return Settings.model_validate(tree)


def is_live(key: str) -> bool:
    """True if a running daemon takes this setting over."""
    return _is_marked(key, LIVE)


def _is_among(key: str, keys: Collection[str]) -> bool:
    """True if the key is one of these or below one."""
    # With a dot at the end, so that `speech.rate` does not select `speech.rate_wpm`.
    return f"{key}.".startswith(tuple(f"{one}." for one in keys))


def _is_marked(key: str, mark: str) -> bool:
    spec = SCHEMA.at(tuple(key.split(".")))
    return bool(spec and spec.get(mark))


def _hazard_of(key: str) -> str | None:
    section, _, rest = key.partition(".")
    # A hazard's name may hold dots; the key is the part behind the last one.
    return rest.rpartition(".")[0] if section == "hazards" else None


def _values(settings: Settings) -> dict[str, Any]:
    return {dotted(path): value for path, value in leaves(settings.model_dump(mode="json"))}


def _get(tree: Mapping[str, Any], path: list[str]) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        tree = tree[name]
    tree[path[-1]] = value
