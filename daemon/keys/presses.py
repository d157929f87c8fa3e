"""Key events in, presses out: short, double, long. A pure state machine; times in seconds, rising.

A double press is reported when its second press goes down, a long one as soon as it has lasted long enough,
a short one at its release, or, if a double press of the key has an action, once none has followed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from daemon.config.key_names import Kind


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """A key went down, or up."""

    code: int
    down: bool
    at_s: float


@dataclass(frozen=True, slots=True)
class Press:
    """One use of a key."""

    code: int
    kind: Kind


@dataclass(slots=True)
class _Key:
    """A key that is held, or whose short press may still become a double one."""

    down_at_s: float | None = None
    up_at_s: float | None = None


class PressDetector:
    """Call `step` for every event and `tick` as time passes; `due_s` is when the next `tick` matters."""

    def __init__(self, double_s: float, long_s: float, doubled: Collection[int]) -> None:
        """`double_s`, `long_s`: seconds. `doubled`: codes of the keys whose double press has an action."""
        self._double_s = double_s
        self._long_s = long_s
        self._doubled = frozenset(doubled)
        self._keys: dict[int, _Key] = {}

    def step(self, event: KeyEvent) -> tuple[Press, ...]:
        """Process one event; return the presses that are certain now."""
        # Waits that ended before this event come first: a late `tick` must not turn a long press into a short
        # one.
        ended = self.tick(event.at_s)
        now = self._down(event) if event.down else self._up(event)
        return (*ended, *now)

    def tick(self, now: float) -> tuple[Press, ...]:
        """The presses that became certain by `now`, in the order of their times."""
        # Sorted by time: two keys can become due in one `tick`.
        due = sorted((due, code, kind) for code, due, kind in self._due() if due <= now)
        for _, code, _ in due:
            del self._keys[code]
        return tuple(Press(code, kind) for _, code, kind in due)

    def due_s(self) -> float | None:
        """When the next `tick` is needed if no event comes before; None if no key waits."""
        return min((due for _, due, _ in self._due()), default=None)

    def reset(self) -> None:
        """Forget everything: events were lost, or the device is gone."""
        self._keys.clear()

    def _due(self) -> Iterator[tuple[int, float, Kind]]:
        for code, key in self._keys.items():
            if key.down_at_s is not None:
                yield code, key.down_at_s + self._long_s, "long"
            elif key.up_at_s is not None:
                yield code, key.up_at_s + self._double_s, "short"

    def _down(self, event: KeyEvent) -> tuple[Press, ...]:
        # A release within `double_s` still waits here, so this press is its second.
        key = self._keys.get(event.code)
        if key is not None and key.up_at_s is not None:
            # Forgotten: the release of this second press has no meaning any more.
            del self._keys[event.code]
            return (Press(event.code, "double"),)
        self._keys[event.code] = _Key(down_at_s=event.at_s)
        return ()

    def _up(self, event: KeyEvent) -> tuple[Press, ...]:
        key = self._keys.get(event.code)
        # Its press was reported already (long or double), or it went down before the device was opened.
        if key is None or key.down_at_s is None:
            return ()
        if event.code in self._doubled:
            self._keys[event.code] = _Key(up_at_s=event.at_s)
            return ()
        del self._keys[event.code]
        return (Press(event.code, "short"),)
