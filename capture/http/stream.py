"""Opens a camera's address over HTTP: redirects, passwords, and a time limit for all of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from capture.http.encoding import BodyDecoder
from common.redact import redact

_REDIRECTS = 5
_CONNECT_S = 5.0
_SLACK_S = 0.5
_HEADERS = {
    "Accept": "multipart/x-mixed-replace, image/jpeg, */*",
    "User-Agent": "watchword",
    "Connection": "close",
}


class UnreadableAnswer(http.client.HTTPException):
    """An answer that cannot be used, with words that say why and what to do."""


@dataclass(frozen=True, slots=True)
class HttpStream:
    """An answer whose body is read as it comes."""

    response: http.client.HTTPResponse
    socket: socket.socket
    """The connection below; its timeout is that of one `read1`."""
    content_type: str
    decoder: BodyDecoder | None = None
    """None if the body is not encoded."""

    def read1(self, size: int) -> bytes:
        """At most `size` bytes, as soon as there are any; empty at the end.

        Raises OSError, HTTPException; ValueError if the body is damaged.
        """
        if self.decoder is None:
            return self.response.read1(size)
        while True:
            data = b"" if self.decoder.waiting else self.response.read1(size)
            if (decoded := self.decoder.decode(data, size)) or not (data or self.decoder.waiting):
                return decoded

    def limited(self, seconds: float) -> Deadline:
        """A context that ends the connection if it lasts longer than `seconds` and a moment.

        The length of a chunk is read up to its end, and each of its bytes starts the socket's timeout anew.
        The moment lets the socket's own timeout come first, after which the stream can be read further.
        """
        return Deadline(seconds + _SLACK_S, self.socket)

    @property
    def length(self) -> int | None:
        """Bytes that are still to come; None if that was not announced."""
        return self.response.length

    def close(self) -> None:
        """End the connection; a `read1` in another thread returns or raises."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Free the connection, once no other thread reads."""
        self.close()
        with contextlib.suppress(OSError, ValueError):
            self.response.close()
            self.socket.close()


class Deadline:
    """Shuts a socket down when the time is up: a socket's own timeout starts again with each byte."""

    def __init__(self, seconds: float, link: socket.socket | None = None) -> None:
        self.until_s = time.monotonic() + seconds
        self.socket = link
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    @property
    def left_s(self) -> float:
        # Never 0, which would make the socket non-blocking.
        return max(0.05, self.until_s - time.monotonic())

    def _expire(self) -> None:
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


def open_stream(url: str, timeout_s: float) -> HttpStream:
    """The answer to GET, after at most 5 redirects, within `timeout_s` altogether.

    Raises OSError if there is no answer, HTTPException if it is none that can be used (its status in `args`,
    unless 200).
    """
    authorization: str | None = None
    with Deadline(timeout_s) as deadline:
        credentials = urlsplit(url)
        for _ in range(_REDIRECTS):
            response, sock = _get(urlsplit(url), authorization, deadline)
            location = response.getheader("Location")
            if response.status in (301, 302, 303, 307, 308) and location:
                before, url = url, _follow(url, location)
                # A digest answers for one path only.
                if authorization is not None and authorization.startswith("Digest"):
                    authorization = None
                if _machine(url) != _machine(before):
                    # The password is for the camera alone, whatever it refers to.
                    credentials, authorization = urlsplit(url), None
            elif response.status == 401 and authorization is None and credentials.username is not None:
                challenges = response.headers.get_all("WWW-Authenticate")
                authorization = answer_challenge(url, credentials, challenges)
            elif response.status == 200:
                # The answer has begun; from here on the reader sets its own timeouts.
                deadline.socket = None
                return HttpStream(
                    response, sock, response.getheader("Content-Type") or "", _decoder(response)
                )
            else:
                raise http.client.HTTPException(response.status)
            response.close()
            sock.close()
    raise http.client.HTTPException("too many redirects")


def _get(
    parts: SplitResult, authorization: str | None, deadline: Deadline
) -> tuple[http.client.HTTPResponse, socket.socket]:
    timeout_s = min(_CONNECT_S, deadline.left_s)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        # Cameras sign their certificates themselves, and their pictures are not trusted anyway.
        connection = http.client.HTTPSConnection(
            host,
            parts.port,
            timeout=timeout_s,
            context=ssl._create_unverified_context(),  # noqa: S323
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    connection.connect()
    # Kept here: with `Connection: close`, http.client drops its own reference once the headers are read.
    sock: socket.socket = connection.sock
    deadline.socket = sock
    sock.settimeout(deadline.left_s)
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    connection.request("GET", target, headers=_HEADERS | _optional("Authorization", authorization))
    return connection.getresponse(), sock


def _decoder(response: http.client.HTTPResponse) -> BodyDecoder | None:
    encoding = response.getheader("Content-Encoding", "").strip()
    if encoding.lower() in ("", "identity"):
        return None
    try:
        return BodyDecoder(encoding)
    except ValueError:
        response.close()
        told = "".join(letter for letter in encoding[:20] if letter.isprintable())
        raise UnreadableAnswer(
            f"compresses its answer ({told}), which cannot be read; switch compression off in the camera or "
            "in the proxy before it (gzip and deflate can be read)"
        ) from None


def _optional(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}


def _machine(url: str) -> str:
    return urlsplit(url).hostname or ""


def _follow(url: str, location: str) -> str:
    # Spaces and letters that are not ASCII would end the request line; what is quoted already stays.
    target = urljoin(url, quote(location, safe="%/:=&?~#+!$,;'@()*[]"))
    if urlsplit(target).scheme not in ("http", "https"):
        raise UnreadableAnswer(f"redirects to {redact(target)}; write that address")
    return target


def answer_challenge(
    url: str, credentials: SplitResult, challenges: list[str] | None, method: str = "GET"
) -> str:
    """The `Authorization` header for a user and password. Raises HTTPException for a kind that is unknown."""
    user, password = unquote(credentials.username or ""), unquote(credentials.password or "")
    schemes = [challenge.partition(" ") for challenge in challenges or []]
    unknown: http.client.HTTPException | None = None
    for scheme, _, rest in schemes:
        if scheme.lower() == "digest":
            try:
                return _digest(url, user, password, rest, method)
            # Cameras offer several kinds, the best first (RFC 7616, 3.7): the next may be known.
            except http.client.HTTPException as error:
                unknown = error
    if unknown is not None and not any(scheme.lower() == "basic" for scheme, _, _ in schemes):
        raise unknown
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def without_credentials(url: str) -> str:
    """The address as it is named in a request."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class _DigestHandler(urllib.request.HTTPDigestAuthHandler):
    """The standard library's, with SHA-256, names in small letters, and passwords that are not ASCII."""

    def get_algorithm_impls(self, algorithm: str) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
        """The functions `H` and `KD` of RFC 7616. Raises ValueError for an algorithm that is unknown."""
        new = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256, "SHA": hashlib.sha1}.get(algorithm.upper())
        if new is None:
            raise ValueError(f"digest algorithm {algorithm!r} is unknown")

        def digest(text: str) -> str:
            return new(text.encode(), usedforsecurity=False).hexdigest()

        return digest, lambda secret, data: digest(f"{secret}:{data}")


def _digest(url: str, user: str, password: str, challenge: str, method: str) -> str:
    """The answer to a digest challenge (RFC 7616), by the standard library's own implementation."""
    plain = without_credentials(url)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, plain, user, password)
    handler = _DigestHandler(passwords)
    fields = urllib.request.parse_keqv_list(urllib.request.parse_http_list(challenge))
    request = urllib.request.Request(plain, method=method)  # noqa: S310 - nothing is opened
    if method != "GET":
        request.selector = plain  # RTSP names the whole address (RFC 2326, 15.1)
    try:
        answer = handler.get_authorization(request, fields)
    except (ValueError, KeyError) as error:
        raise http.client.HTTPException("asks for an unknown kind of password") from error
    if not answer:
        raise http.client.HTTPException(401)
    return f"Digest {answer}"
