"""Undoes the Content-Encoding of an answer while it arrives.

Cameras are asked for none, but a proxy before one may compress everything.
"""

from __future__ import annotations

import zlib

from common.image_header import HEAD_BYTES, image_kind

_GZIP_START = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""Values of zlib's `wbits`."""


class BodyDecoder:
    """Decompresses gzip or deflate piece by piece; a body that is not compressed after all stays as it is."""

    def __init__(self, encoding: str) -> None:
        """Raises ValueError for an encoding that is unknown."""
        name = encoding.strip().lower()
        if name not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(name)
        self._gzip = name != "deflate"
        self._head: bytes | None = b""
        """The beginning, until it is long enough to tell what it is; None after that."""
        self._inflate: zlib._Decompress | None = None
        self._rest = b""
        self._ended = False

    @property
    def waiting(self) -> bool:
        """True if `decode(b"")` may return more."""
        return bool(self._rest) or (self._head is not None and len(self._head) >= HEAD_BYTES)

    def decode(self, data: bytes, size: int) -> bytes:
        """At most `size` bytes, the rest with the next call. Raises ValueError if the data is damaged."""
        if self._head is not None:
            self._head += data
            if len(self._head) < HEAD_BYTES:
                return b""
            data, self._head = self._head, None
            # A gzip file may consist of several (RFC 1952, 2.2). What else follows is padding.
            if self._ended and not (self._gzip and data.startswith(_GZIP_START)):
                self._head = b""
                return b""
            self._begin(data)
        data = self._rest + data
        if self._inflate is None:
            self._rest = data[size:]
            return data[:size]
        try:
            text = self._inflate.decompress(data, size)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        self._rest = self._inflate.unconsumed_tail
        if self._inflate.eof:
            self._ended, self._head = True, self._inflate.unused_data
        return text

    def _begin(self, head: bytes) -> None:
        if self._gzip:
            wbits = _GZIP if head.startswith(_GZIP_START) else None
        elif image_kind(head[:HEAD_BYTES]) is not None or head.lstrip().startswith(b"--"):
            wbits = None
        else:
            # RFC 9110 means the zlib format, but some servers send the bare one.
            is_zlib = head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0
            wbits = _ZLIB if is_zlib else _RAW
        self._inflate = None if wbits is None else zlib.decompressobj(wbits)
