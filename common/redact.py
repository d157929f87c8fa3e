"""Hides the credentials in addresses before they are logged, shown or stored."""

from __future__ import annotations

import re
from typing import Any

_SECRET_NAMES = "token|passw|pwd|pass|secret|key|auth|cred|sig|session|user|usr|login|account"  # noqa: S105 - names, not values
# user:password@ before the host. One slash is enough: pathlib merges two if an address was taken for a path.
_USER_INFO = re.compile(r"(:/{1,2})[^/?#\s]*@")
# password=x in a query, a fragment or (some recorders) the path: /user=admin&password=x. The pattern starts
# at the beginning of a word only: within a long word, matching would take seconds, and other threads wait
# meanwhile.
_SECRET_VALUE = re.compile(rf"(?<![\w.%-])([\w.%-]*(?:{_SECRET_NAMES})[\w.%-]*=)[^&\s]+", re.IGNORECASE)
# People leave /, # and ? in passwords unescaped. Hiding too much of a strange address is better than
# showing a part of a password.
_STRANGE_USER_INFO = re.compile(r"(:/{1,2})\S*@")

# An address whose scheme was forgotten: admin:password@192.168.1.5. Bounded, for a long text without spaces.
_BARE_USER_INFO = re.compile(r"(?<![\w.%+:@/-])[\w.%+-]{1,100}:[^\s@/\"']{1,200}@(?=[\w\[])")


def redact(text: str) -> str:
    """Return an address, or a text that contains some, with user names, passwords and tokens as `***`."""
    text = _USER_INFO.sub(r"\1***@", text)
    text = _SECRET_VALUE.sub(r"\1***", text)
    text = _STRANGE_USER_INFO.sub(r"\1***@", text)
    return _BARE_USER_INFO.sub("***@", text)


def redact_values(value: Any) -> Any:
    """Any JSON value with the credentials in its texts hidden."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: redact_values(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [redact_values(inner) for inner in value]
    return value
