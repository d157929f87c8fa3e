"""Addresses as people write them (`rtsp://user:password@host/path`): tidied, or refused with the cure.

Pure: nothing is looked up and nothing is connected to. Messages never contain user names or passwords.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from urllib.parse import SplitResult, quote, urlsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//?|\\\\)")
_BARE = re.compile(
    r"(?:[^\s/@:]+:[^\s@]*@[A-Za-z0-9][\w.-]*(?::\d{1,5})?|\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|[A-Za-z0-9][\w.-]*:\d{1,5})"
    r"(?:[/?].*)?"
)
"""Without a scheme: `user:password@host`, an IPv4 address, or `host:port`."""
_HOST_BEHIND_AT = re.compile(
    r"@(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9A-Fa-f:]+\]|[\w-]+:\d{1,5})(?::\d{1,5})?(?:[/?#]|$)"
)
_ANY_HOST_BEHIND_AT = re.compile(r"@(?:[\w.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:[/?#]|$)")
"""Also a name without a dot: enough if what stands before it is no host with a port."""
_HALF_SCHEME = re.compile(r"(?:https?|rtsps?|rtmps?)(?::|//)[^\s/]", re.IGNORECASE)
"""A camera's scheme whose colon or slashes are missing: `https:host`, `rtsp//host`."""
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_QUOTES = "\"'“”„‟‘’‚‛«»「」`"
_LONGEST = 2048
"""Characters; longer ones are pasted by mistake, and FFmpeg cuts them."""


class AddressError(ValueError):
    """The text is no address that can be used; the message names the wrong part and the right form."""


def is_address(text: str) -> bool:
    """True if the text is meant as a network address, even one with a mistake in it.

    False for paths, device names and words, also for a file name that has a colon in it.
    """
    bare = text.strip().strip(_QUOTES).strip()
    return bool(_SCHEME.match(bare) or _BARE.fullmatch(bare) or _HALF_SCHEME.match(bare))


def normalize(text: str, schemes: Collection[str]) -> str:
    """The address without spaces around it and with its scheme in lower case. Raises AddressError."""
    bare = text.strip()
    _refuse_quotes(bare)
    scheme, rest = _split_scheme(bare, schemes)
    _refuse_raw_signs(rest)
    address = f"{scheme}://{rest}"
    _refuse_without_host(address)
    return address


def split(text: str, schemes: Collection[str]) -> SplitResult:
    """The parts of an address. Raises AddressError."""
    return urlsplit(normalize(text, schemes))


def _refuse_quotes(bare: str) -> None:
    if len(bare) > _LONGEST:
        raise AddressError(f"is longer than an address may be ({_LONGEST} characters)")
    if inside := [sign for sign in bare if sign in _QUOTES and sign not in "'`"]:
        raise AddressError(f"remove {inside[0]} from the address; only straight quotes stand around it")
    if bare[:1] in ("'", "`") or bare[-1:] in ("'", "`"):
        raise AddressError("remove the second pair of quotes around the address")


def _split_scheme(bare: str, schemes: Collection[str]) -> tuple[str, str]:
    allowed = _listed(schemes)
    match = _SCHEME.match(bare)
    if match is None:
        near = next(
            (scheme for scheme in schemes if bare.lower().startswith((f"{scheme}:", f"{scheme}//"))), None
        )
        wanted = [f"{scheme}://" for scheme in ("http", "rtsp") if scheme in schemes]
        said = f"write {near}:// in front of the host" if near else f"write {' or '.join(wanted)} before it"
        raise AddressError(f"has no scheme; {said}")
    scheme, rest = match[1].lower(), bare[match.end() :]
    if scheme == "file":
        raise AddressError("a file is named by its path alone, without file://")
    if scheme not in schemes:
        near = next(iter(difflib.get_close_matches(scheme, schemes, n=1, cutoff=0.6)), None)
        hint = f"did you mean {near}://?" if near else f"use one of {allowed}"
        raise AddressError(f"{scheme}:// cannot be read; {hint}")
    if match[2] != "//":
        raise AddressError(f"write two slashes behind the scheme: {scheme}://")
    return scheme, rest


def _refuse_raw_signs(rest: str) -> None:
    """Signs that end a part of an address must be written as %XX inside a user name or password."""
    if any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in rest):
        raise AddressError("has a control character in it; remove it")
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    user_info = _cut_password(authority, rest) or authority.rpartition("@")[0]
    where = "the user name or password"
    raw = {sign for sign in user_info if sign in "/?#\\[]@" or sign.isspace()}
    raw |= {"%"} if _STRAY_PERCENT.search(user_info) else set()
    if not raw:
        where, raw = "the address", {sign for sign in rest if sign.isspace()}
    if raw:
        cures = " and ".join(f"{_name(sign)} as {quote(sign, safe='')}" for sign in sorted(raw))
        raise AddressError(f"in {where}, write {cures}")


def _cut_password(authority: str, rest: str) -> str:
    """User name and password if a raw sign in them would end the host; empty if there is none."""
    host, colon, port = authority.partition(":")
    # An @ may stand in a path or a query; behind something that is no port, or no host, it ends a password.
    is_port = not port or (port.isdecimal() and len(port) <= 5)
    pattern = _HOST_BEHIND_AT if is_port else _ANY_HOST_BEHIND_AT
    if "@" in authority or not (at := list(pattern.finditer(rest))):
        return ""
    user_info = rest[: at[-1].start()]
    cut = bool(colon) and (not is_port or ("." not in host and "=" not in user_info))
    return user_info if cut else ""


def _refuse_without_host(address: str) -> None:
    scheme = address.partition(":")[0]
    user = "" if scheme.startswith("http") else "user:password@"
    example = f"write it like {scheme}://{user}host:port/path"
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressError(f"is not an address; {example}") from None
    if not host or port == 0:
        raise AddressError(f"is not an address, it names no host; {example}")


def _name(sign: str) -> str:
    return "a space" if sign.isspace() else sign


def _listed(schemes: Collection[str]) -> str:
    return ", ".join(f"{scheme}://" for scheme in schemes)
