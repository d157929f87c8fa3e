"""Explains why an address could not be opened, and the cure: by its HTTP or RTSP status, or by knocking."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from urllib.parse import SplitResult

from capture.http.stream import Deadline, answer_challenge, without_credentials

_MOST_HEAD_BYTES = 65_536
_WEB_PAGE = "is a web server, not an RTSP one; check the port (554 is usual)"
_NO_STREAM = (
    "describes its stream but sends no pictures over TCP or UDP; allow one of them in the camera's settings "
    "and in the firewall"
)
_NO_PICTURES = "answers but sends no pictures; check user, password and path"
_STATUS = {
    403: "refuses this user; give the user the right to see the pictures, in the camera's settings",
    404: "has no such path; look the path of its stream up in the camera's manual",
    410: "has no such path any more; look the path of its stream up in the camera's manual",
    429: "is asked too often; close other programs that show its pictures",
    453: "has too many viewers; close other programs that show its pictures",
    454: "has lost the connection; restart the camera",
    461: "sends over no transport that we know; allow TCP or UDP in its settings",
    503: "is busy; close other programs that show its pictures, or wait until it has started",
}


def listens(parts: SplitResult) -> bool:
    """True for an address at which we wait for a camera that pushes."""
    return parts.query in ("listen", "listen=1")


def explain_status(parts: SplitResult, status: int) -> str:
    """Meaning and cure of an HTTP or RTSP status of a camera; wants the camera's name before it."""
    if status == 401:
        if parts.username is None:
            return f"asks for a user and password; write {parts.scheme}://USER:PASSWORD@ in front of the host"
        return "refuses this user and password; check both"
    if status in _STATUS:
        return f"{_STATUS[status]} ({status})"
    if status >= 500:
        return f"has a fault of its own ({status}); restart the camera"
    return f"answers with status {status}; check the path"


def explain_failure(parts: SplitResult, usual_port: int, timeout_s: float) -> str:
    """A guess why an address could not be opened, by knocking at its port; an RTSP server is asked."""
    if listens(parts):
        return "was not called by any camera; check that the camera pushes to this machine and port"
    where = parts.hostname or "", parts.port or usual_port
    try:
        with socket.create_connection(where, timeout_s) as link:
            return _ask(parts, link, timeout_s) if parts.scheme.startswith("rtsp") else _NO_PICTURES
    except socket.gaierror:
        return "has a host name that is not known here; check the spelling and the network"
    except TimeoutError:
        return "does not answer; check the camera's power and address"
    except OSError as error:
        return f"cannot be reached ({error.strerror}); check the camera's power, address and port"


def _ask(parts: SplitResult, link: socket.socket, timeout_s: float) -> str:
    """Let an RTSP server describe its stream (RFC 2326, 10.2), with the password if it wants one."""
    try:
        if parts.scheme == "rtsps":
            link = ssl._create_unverified_context().wrap_socket(link)  # noqa: S323 - as the stream itself
        # A server that sends byte by byte would otherwise be listened to for hours. Less than a session's
        # grace (`capture/session.py`): with more, the explanation would come too late to be told.
        with Deadline(1.5 * timeout_s, link):
            link.settimeout(timeout_s)
            status, head = _describe(parts, link, None)
            if status == 401 and parts.username is not None:
                challenges = re.findall(r"(?im)^WWW-Authenticate:\s*(.+?)\s*$", head)
                answer = answer_challenge(parts.geturl(), parts, challenges, "DESCRIBE")
                status, head = _describe(parts, link, answer)
    # This only looks for a better explanation; a failure leaves the general one.
    except (OSError, ValueError, http.client.HTTPException):
        return _NO_PICTURES
    if head.startswith("HTTP/"):
        return _WEB_PAGE
    if status == 200:
        return _NO_STREAM
    return explain_status(parts, status) if status else _NO_PICTURES


def _describe(parts: SplitResult, link: socket.socket, authorization: str | None) -> tuple[int, str]:
    """The status, 0 if it is no answer, and the head of the answer. Raises OSError."""
    lines = [
        f"DESCRIBE {without_credentials(parts.geturl())} RTSP/1.0",
        f"CSeq: {1 if authorization is None else 2}",
        "Accept: application/sdp",
        "User-Agent: watchword",
        *([] if authorization is None else [f"Authorization: {authorization}"]),
    ]
    link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD_BYTES and (more := link.recv(4096)):
        head += more
    text = head.decode("latin-1")
    found = re.match(r"(?:RTSP|HTTP)/\d\.\d (\d{3})", text)
    return (int(found[1]) if found else 0), text
