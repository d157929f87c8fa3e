"""Names of keys, of ways to press them, and of their actions.

Keys are named as in linux/input-event-codes.h, without KEY_ and in lower case: `playpause`, `kp5`. Any other
key is named by its number, `key_582`; `evtest` or `libinput debug-events` show both.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Literal, cast, get_args

from daemon.control.commands import KEY_ACTIONS

CODES: Mapping[str, int] = {
    # headsets and remote controls
    "playpause": 164,
    "play": 207,
    "pause": 119,
    "playcd": 200,
    "pausecd": 201,
    "stopcd": 166,
    "nextsong": 163,
    "previoussong": 165,
    "fastforward": 208,
    "rewind": 168,
    "volumeup": 115,
    "volumedown": 114,
    "mute": 113,
    "micmute": 248,
    "media": 226,
    "phone": 169,
    "hangup_phone": 446,
    "voicecommand": 582,
    "power": 116,
    "ok": 352,
    "select": 353,
    "help": 138,
    "camera": 212,
    # keypads
    # The keypad's codes follow its rows from the top: 7 8 9, 4 5 6, 1 2 3.
    **{f"kp{digit}": code for digit, code in enumerate((82, 79, 80, 81, 75, 76, 77, 71, 72, 73))},
    "kpenter": 96,
    "kpplus": 78,
    "kpminus": 74,
    "kpasterisk": 55,
    "kpslash": 98,
    "kpdot": 83,
    "numlock": 69,
    **{f"numeric_{digit}": 512 + digit for digit in range(10)},
    "numeric_star": 522,
    "numeric_pound": 523,
    # keyboards, presenters and button boxes
    **dict(zip("1234567890", range(2, 12), strict=True)),
    "enter": 28,
    "space": 57,
    "esc": 1,
    "tab": 15,
    "backspace": 14,
    "up": 103,
    "down": 108,
    "left": 105,
    "right": 106,
    "pageup": 104,
    "pagedown": 109,
    "home": 102,
    "end": 107,
    "insert": 110,
    "delete": 111,
    **{f"f{number}": 58 + number for number in range(1, 11)},
    "f11": 87,
    "f12": 88,
    **{f"btn_{number}": 256 + number for number in range(10)},
    **dict(zip("qwertyuiop", range(16, 26), strict=True)),
    **dict(zip("asdfghjkl", range(30, 39), strict=True)),
    **dict(zip("zxcvbnm", range(44, 51), strict=True)),
}

_NUMBER = re.compile(r"key_(\d{1,3})")


def code_of(name: str) -> int:
    """The kernel's number of a key. Raises ValueError with the name that was probably meant."""
    if (code := CODES.get(name)) is not None:
        return code
    if match := _NUMBER.fullmatch(name):
        return int(match[1])
    # People copy KEY_PLAYPAUSE from the kernel's header.
    near = difflib.get_close_matches(name.lower().removeprefix("key_"), CODES, n=1)
    hint = f"did you mean {near[0]}?" if near else "use its number, such as key_164"
    raise ValueError(f"no key is called {name!r}; {hint}")


Kind = Literal["short", "double", "long"]
"""How a key was pressed."""
KINDS: tuple[str, ...] = get_args(Kind)


def actions(text: str) -> Mapping[Kind, str]:
    """Parse `"describe, double repeat, long hush"`. Raises ValueError with the reason."""
    found: dict[Kind, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        # "double repeat": the action is the last word, a press without a kind is a short one.
        kind, _, name = part.rpartition(" ")
        kind = kind.strip() or "short"
        if kind not in KINDS:
            raise ValueError(f"{part!r}: a press is short, double or long")
        if name not in KEY_ACTIONS:
            near = difflib.get_close_matches(name, KEY_ACTIONS, n=1)
            raise ValueError(f"{name!r} is no action; {_hint(near)}")
        if kind in found:
            raise ValueError(f"{text!r}: two actions for one {kind} press")
        found[cast(Kind, kind)] = name
    return found


def _hint(near: list[str]) -> str:
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(KEY_ACTIONS)}"
