"""Errors of the starter's folder."""

from __future__ import annotations

from pathlib import Path

from common.errors import WatchwordError


class StarterUnusableError(WatchwordError):
    """The folder does not hold the starter model; the message has the cure."""


def damaged(path: Path, why: object) -> StarterUnusableError:
    """The error for a file that is there but not as it was pulled; `why` becomes one line."""
    reason = " ".join(str(why).split())[:200]
    return StarterUnusableError(f"{path}: is damaged ({reason}); run `watchword models pull starter`")
