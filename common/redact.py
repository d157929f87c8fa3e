"""Taking credentials out of addresses before they are logged, shown or stored."""

from __future__ import annotations

import re

_SECRET_NAMES = "token|passw|pwd|pass|secret|key|auth|cred|sig|session|user|usr|login|account"  # noqa: S105 - names, not values
# Within the host part; in a query, a fragment or (some recorders) the path: /user=admin&password=x.
# One slash will do: that is what is left of an address that was taken for a path.
_USER_INFO = re.compile(r"(:/{1,2})[^/?#\s]*@")
# Only tried where a word begins: a long word would take seconds, and other threads wait meanwhile.
_SECRET_VALUE = re.compile(rf"(?<![\w.%-])([\w.%-]*(?:{_SECRET_NAMES})[\w.%-]*=)[^&\s]+", re.IGNORECASE)
# People leave /, # and ? in passwords unescaped. Hiding too much of a strange address is better than
# showing a part of a password.
_STRANGE_USER_INFO = re.compile(r"(:/{1,2})\S*@")

# An address whose scheme was forgotten: admin:password@192.168.1.5. Bounded, for a long text without spaces.
_BARE_USER_INFO = re.compile(r"(?<![\w.%+:@/-])[\w.%+-]{1,100}:[^\s@/\"']{1,200}@(?=[\w\[])")


def redact(text: str) -> str:
    """An address, or any text that contains addresses, with user names, passwords and tokens as `***`."""
    text = _USER_INFO.sub(r"\1***@", text)
    text = _SECRET_VALUE.sub(r"\1***", text)
    text = _STRANGE_USER_INFO.sub(r"\1***@", text)
    return _BARE_USER_INFO.sub("***@", text)
