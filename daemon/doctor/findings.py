"""The findings of `watchword check`, each with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from daemon.config.settings import Settings

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one thing; `fail` if Watchword cannot do its work without it."""

    name: str
    state: State
    says: str
    todo: str = ""


Probe = Callable[[Settings], Iterator[Finding]]
