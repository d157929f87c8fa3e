"""Any server that speaks the OpenAI protocol: Ollama, llama.cpp, OpenVINO Model Server, vLLM.

Nothing it sends is trusted: every wait ends by the job's deadline, every answer is bounded, redirects are not
followed, no proxy is used. A key is read from a file and goes over TLS, or to this machine, only.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any
from urllib.parse import SplitResult

import cv2

from common import addresses
from common.redact import redact
from common.secret_file import SecretError, read_secret
from pipeline.description.vlm.job import (
    Emit,
    GenerateError,
    GenerationJob,
    GenerationStats,
    ModelLoadError,
    ModelSpec,
)
from pipeline.description.vlm.token_text import first_line
from pipeline.settings import SERVER_SCHEMES

MOST_BYTES = 2**20
"""Of one answer; a hundred tokens of a stream take about 30 kB."""
LONGEST_LINE = 2**16
PIECE = 2**14
JPEG_QUALITY = 85
STRANGE = "the server's answer is not of the OpenAI protocol"


def load(spec: ModelSpec) -> ServerGenerator:
    """The generator for a spec. Raises ModelLoadError."""
    return ServerGenerator(spec)


class ServerGenerator:
    """One request a job, streamed. Raises ModelLoadError for an address or a key that cannot be used."""

    def __init__(self, spec: ModelSpec) -> None:
        self._url = checked_url(spec.url)
        self._model = spec.model
        self._key = read_key(spec.key_file) if spec.key_file else ""
        self._connect_s = spec.connect_s
        self._socket: socket.socket | None = None
        self._interrupted = False
        self.device = str(self._url.netloc)
        if self._key and self._url.scheme == "http" and not is_here(self._url):
            raise ModelLoadError(f"describe.server_url: a key goes to {self.device} over https only")

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        """Raises GenerateError within the job's deadline, or soon after `interrupt`."""
        self._interrupted = False
        until_s = time.monotonic() + job.deadline_s
        try:
            with closing(self._connect()) as connection:
                return self._answer(self._ask(connection, job), emit, until_s)
        except TimeoutError:
            raise GenerateError(f"{self.device} did not answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            if self._interrupted:
                return GenerationStats(0, cut=False)
            raise GenerateError(f"{self.device}: {first_line(error)}") from None
        finally:
            self._socket = None

    def interrupt(self) -> None:
        """Ends a read that waits."""
        self._interrupted = True
        if (waiting := self._socket) is not None:
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=self._connect_s, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._connect_s)
        connection.connect()
        self._socket = connection.sock
        return connection

    def _ask(self, connection: http.client.HTTPConnection, job: GenerationJob) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Connection": "close"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        connection.sock.settimeout(job.deadline_s)
        path = self._url.path.rstrip("/") + "/chat/completions"
        connection.request("POST", path, json.dumps(body(self._model, job)).encode(), headers)
        return connection.getresponse()

    def _answer(self, response: http.client.HTTPResponse, emit: Emit, until_s: float) -> GenerationStats:
        kind = response.headers.get_content_type()
        lines = self._lines(response, until_s)
        if response.status != http.HTTPStatus.OK:
            raise GenerateError(f"{self.device} answered {response.status}: {complaint(''.join(lines))}")
        if kind == "text/event-stream":
            return read_stream(lines, emit)
        if kind == "application/json":
            return read_whole("\n".join(lines), emit)
        raise GenerateError(f"{self.device} answered with {kind}; is server_url the address of an API?")

    def _lines(self, response: http.client.HTTPResponse, until_s: float) -> Iterator[str]:
        """Lines of the body, bounded in length, number of bytes and time."""
        rest, total = b"", 0
        while True:
            remaining = until_s - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            if self._socket is not None:
                self._socket.settimeout(remaining)
            piece = response.read1(PIECE)
            total += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            if total > MOST_BYTES or len(rest) > LONGEST_LINE:
                raise GenerateError(f"{self.device} sends more than any answer takes")
            yield from (line.rstrip(b"\r").decode("utf-8", "replace") for line in lines)
            if not piece:
                yield rest.decode("utf-8", "replace")
                return


def body(model: str, job: GenerationJob) -> dict[str, Any]:
    """The request, with the picture in it as JPEG."""
    done, jpeg = cv2.imencode(".jpg", job.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise GenerateError("the picture cannot be compressed")
    picture = "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
    content = [{"type": "text", "text": job.user}, {"type": "image_url", "image_url": {"url": picture}}]
    return {
        "model": model,
        "messages": [{"role": "system", "content": job.system}, {"role": "user", "content": content}],
        "max_tokens": job.max_tokens,
        "temperature": job.temperature,
        "top_p": job.top_p,
        "stream": True,
    }


def read_stream(lines: Iterator[str], emit: Emit) -> GenerationStats:
    """Server-sent events up to `[DONE]` or a finish reason. Raises GenerateError where they break off."""
    tokens, finish = 0, None
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return GenerationStats(tokens, finish == "length")
        choice = first_choice(data)
        finish = choice.get("finish_reason") or finish
        if piece := text_of(choice.get("delta")):
            tokens += 1
            if not emit(piece):
                return GenerationStats(tokens, cut=False)
    if finish is None:
        raise GenerateError("the server's answer broke off")
    return GenerationStats(tokens, finish == "length")


def read_whole(text: str, emit: Emit) -> GenerationStats:
    """The answer of a server that does not stream."""
    choice = first_choice(text)
    emit(text_of(choice.get("message")))
    return GenerationStats(0, choice.get("finish_reason") == "length", "the server does not stream")


def first_choice(data: str) -> dict[str, Any]:
    """The first choice of an answer; empty where an event carries none. Raises GenerateError."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        raise GenerateError(STRANGE) from None
    if not isinstance(answer, dict):
        raise GenerateError(STRANGE)
    if "error" in answer:
        raise GenerateError(f"the server failed: {complaint(data)}")
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else {}
    if not isinstance(choices, list) or not isinstance(choice, dict):
        raise GenerateError(STRANGE)
    if choice.get("finish_reason") == "content_filter":
        raise GenerateError("the server's filter withheld the answer")
    return choice


def text_of(message: object) -> str:
    """The text of a message or a part of one. Raises GenerateError where it is none."""
    content = message.get("content") if isinstance(message, dict) else None
    if content is not None and not isinstance(content, str):
        raise GenerateError(STRANGE)
    return content or ""


def complaint(text: str) -> str:
    """What a server says of an error, in one short line."""
    try:
        told = json.loads(text)["error"]
        text = told["message"] if isinstance(told, dict) else told
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    printable = "".join(c if c.isprintable() else " " for c in str(text)[:400])
    return " ".join(printable.split())[:160] or "no reason given"


def checked_url(url: str) -> SplitResult:
    """An http(s) address without credentials. Raises ModelLoadError."""
    try:
        parts = addresses.split(url, SERVER_SCHEMES)
    except addresses.AddressError as error:
        raise ModelLoadError(f"describe.server_url = {redact(url)!r}: {error}") from None
    if parts.username or parts.password:
        raise ModelLoadError(
            "describe.server_url: no credentials in an address; name a file in describe.server_key_file"
        )
    return parts


def is_here(url: SplitResult) -> bool:
    """Whether an address is this machine's own."""
    host = url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_key(name: str) -> str:
    """The key in a file; a bare name is one of the service's systemd credentials. Raises ModelLoadError."""
    try:
        key = read_secret("describe.server_key_file", name)
    except SecretError as error:
        raise ModelLoadError(str(error)) from None
    if not key.isascii():
        raise ModelLoadError(f"describe.server_key_file = {name!r} holds no key of one line")
    return key
