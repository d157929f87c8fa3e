"""Any server that speaks the OpenAI protocol: Ollama, llama.cpp, OpenVINO Model Server, vLLM.

Nothing it sends is trusted: every wait ends by the job's deadline, every answer is bounded, redirects are not
followed, no proxy is used. A key is read from a file and goes over TLS, or to this machine, only.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult

import httpx

from capture.test_image import draw_test_image
from common import addresses
from common.redact import redact
from common.secret_file import SecretError, read_secret
from pipeline.description.vlm.backends.openai_answer import (
    SWITCHES,
    ThinksError,
    body,
    explain,
    read_stream,
    read_whole,
)
from pipeline.description.vlm.backends.sse import TooMuchError, bounded, events
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

log = logging.getLogger(__name__)

WAIT_PRELOAD_S = 3.0
"""Seconds in which a server that has its model loaded answers; for longer the describer does not wait."""
PRELOAD_SIDE = 112
PRELOAD_TOKENS = 2
TICK_S = 1.0
THINKS_ONLY = (
    "the model only thinks, and the server knows none of the usual switches against it; "
    "name another model, or its switch in describe.server_extra"
)


def load(spec: ModelSpec) -> ServerGenerator:
    """The generator for a spec, whose server is asked to load its model meanwhile. Raises ModelLoadError."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes a line a request
    generator = ServerGenerator(spec)
    generator.start_preload()
    return generator


class ServerGenerator:
    """One request a job, streamed. Raises ModelLoadError for an address or a key that cannot be used."""

    def __init__(self, spec: ModelSpec) -> None:
        self._url = checked_url(spec.url)
        self._spec = spec
        self._key = read_key(spec.key_file) if spec.key_file else ""
        self._tls = ssl.create_default_context() if self._url.scheme == "https" else False
        self._switch = 0
        self._call: _Call | None = None
        self._preload: threading.Thread | None = None
        self._asked_at_s = time.monotonic()
        self._closed = threading.Event()
        self.device = str(self._url.netloc)
        if self._key and self._url.scheme == "http" and not is_here(self._url):
            raise ModelLoadError(f"describe.server_url: a key goes to {self.device} over https only")

    def start_preload(self) -> None:
        """Have the server load its model, with a long time limit, and keep it loaded from then on.

        Ollama gives up loading when the client that asked leaves, and a job's client leaves at its deadline.
        """
        self._preload = threading.Thread(target=self._load_model, name="preload", daemon=True)
        self._preload.start()
        self._preload.join(WAIT_PRELOAD_S)
        if self._spec.keep_alive_s > 0:
            threading.Thread(target=self._keep_alive, name="keep-alive", daemon=True).start()

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        """Raises GenerateError within the job's deadline, or soon after `interrupt`."""
        if self._preload is not None and self._preload.is_alive():
            raise GenerateError(f"{self.device} is still loading {self._spec.model}")
        with _Call(job.deadline_s) as call:
            self._call = call
            try:
                return self._answer(call, job, emit)
            except GenerateError:
                if call.interrupted:
                    return GenerationStats(0, cut=False)
                raise
            finally:
                self._call = None

    def interrupt(self) -> None:
        """Ends a read that waits."""
        if (call := self._call) is not None:
            call.interrupt()

    def close(self) -> None:
        """Stop keeping the model loaded."""
        self._closed.set()

    def _load_model(self) -> None:
        picture = draw_test_image(PRELOAD_SIDE, PRELOAD_SIDE)
        job = GenerationJob(0, picture, "Answer with one word.", "What is this?", PRELOAD_TOKENS)
        began_s = time.monotonic()
        try:
            with _Call(self._spec.load_s) as call:
                self._answer(call, replace(job, deadline_s=self._spec.load_s), lambda _: False)
        except GenerateError as error:
            log.warning("%s", error)
        else:
            log.info("%s answers after %.1f s", self.device, time.monotonic() - began_s)

    def _keep_alive(self) -> None:
        while not self._closed.wait(TICK_S):
            if time.monotonic() - self._asked_at_s >= self._spec.keep_alive_s:
                self._load_model()

    def _answer(self, call: _Call, job: GenerationJob, emit: Emit) -> GenerationStats:
        """The answer; a server that thinks first is asked again with the next switch against it."""
        self._asked_at_s = time.monotonic()
        while True:
            try:
                return self._once(call, job, emit)
            except ThinksError:
                if not self._next_switch():
                    raise GenerateError(THINKS_ONLY) from None
            except _RefusedError as error:
                if not self._switch or not self._next_switch():
                    raise GenerateError(str(error)) from None

    def _next_switch(self) -> bool:
        """Try the next way to have no thought; the last is kept, so that a short thought may end in time."""
        if self._switch + 1 >= len(SWITCHES):
            return False
        self._switch += 1
        log.info(
            "%s thinks first; asking it not to with %s", self._spec.model, json.dumps(SWITCHES[self._switch])
        )
        return True

    def _once(self, call: _Call, job: GenerationJob, emit: Emit) -> GenerationStats:
        try:
            with self._response(call, job) as response:
                return self._read(response, call, emit)
        except TooMuchError:
            raise GenerateError(f"{self.device} sends more than any answer takes") from None
        except httpx.HTTPError as error:
            if call.late or isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout | httpx.ConnectTimeout):
                raise GenerateError(f"{self.device} did not answer in time") from None
            raise GenerateError(f"{self.device}: {first_line(error)}") from None

    @contextmanager
    def _response(self, call: _Call, job: GenerationJob) -> Iterator[httpx.Response]:
        headers = {"Accept": "text/event-stream", "Connection": "close"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        fields = body(self._spec.model, job, {**SWITCHES[self._switch], **self._spec.extra})
        times = httpx.Timeout(
            max(call.left_s, 0.01), connect=min(self._spec.connect_s, max(call.left_s, 0.01))
        )
        url = self._url._replace(path=self._url.path.rstrip("/") + "/chat/completions").geturl()
        with (
            httpx.Client(trust_env=False, verify=self._tls, timeout=times, follow_redirects=False) as client,
            client.stream(
                "POST", url, json=fields, headers=headers, extensions={"trace": call.trace}
            ) as response,
        ):
            yield response

    def _read(self, response: httpx.Response, call: _Call, emit: Emit) -> GenerationStats:
        pieces = call.within(bounded(response.iter_bytes()))
        if response.status_code != httpx.codes.OK:
            raise self._refusal(response.status_code, b"".join(pieces).decode("utf-8", "replace"))
        first = next(pieces, b"")
        kind = _kind(response.headers.get("content-type", ""), first)
        whole = _chained(first, pieces)
        if kind == "events":
            return read_stream(
                events(whole),
                emit,
                abort_thought=self._switch + 1 < len(SWITCHES),
                end_is_marked=_end_is_marked(response.headers),
            )
        if kind == "json":
            return read_whole(b"".join(whole).decode("utf-8", "replace"), emit)
        told = f"{self.device} answered with {kind or 'nothing'}; is server_url the address of an API?"
        raise GenerateError(told + self._hint())

    def _refusal(self, status: int, text: str) -> GenerateError:
        told = f"{self.device} answered {status}: {explain(text)}"
        if status in (400, 422):
            return _RefusedError(told)
        return GenerateError(told + (self._hint() if status in (404, 405) else ""))

    def _hint(self) -> str:
        if self._url.path.rstrip("/").endswith("/v1"):
            return ""
        meant = self._url._replace(path=self._url.path.rstrip("/") + "/v1").geturl()
        return f"; most servers have their API at {redact(meant)}"


class _RefusedError(GenerateError):
    """The server does not like something about the request."""


class _Call:
    """The connection of one job, which is ended at its deadline or from another thread.

    Time limits of single reads are not enough: a server that sends a byte now and then keeps to all of them.
    """

    def __init__(self, deadline_s: float) -> None:
        self._until_s = time.monotonic() + deadline_s
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(deadline_s, self._end)
        self._timer.daemon = True
        self.interrupted = False

    @property
    def left_s(self) -> float:
        return self._until_s - time.monotonic()

    @property
    def late(self) -> bool:
        return self.left_s <= 0

    def __enter__(self) -> _Call:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's trace extension: the only way to the socket before the response has come."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
            if self.interrupted or self.late:
                self._end()

    def within(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces until the deadline. Raises httpx.ReadTimeout."""
        for piece in pieces:
            if self.late:
                raise httpx.ReadTimeout("too late")
            yield piece
        if self.late:  # cut off by the timer, which looks like an end
            raise httpx.ReadTimeout("too late")

    def interrupt(self) -> None:
        """End the connection: the rest of the answer is not needed."""
        self.interrupted = True
        self._end()

    def _end(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


def _kind(content_type: str, first: bytes) -> str:
    """`events`, `json`, or the type of something else: servers are careless about it."""
    named = content_type.partition(";")[0].strip().lower()
    start = first.lstrip(b"\xef\xbb\xbf \r\n")[:16]
    # First: no event begins so, and some servers that do not stream name the type that was asked for.
    if named == "application/json" or start.startswith(b"{"):
        return "json"
    if named == "text/event-stream" or start.startswith((b"data:", b":", b"event:", b"id:")):
        return "events"
    return named


def _end_is_marked(headers: httpx.Headers) -> bool:
    """True if a body that is cut short is told from a whole one (RFC 9112, 6.3); httpx then raises."""
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def try_server(spec: ModelSpec, wait_s: float) -> str:
    """Return the server's answer about a red picture. Raises GenerateError or ModelLoadError."""
    import numpy as np

    said: list[str] = []

    def take(piece: str) -> bool:
        said.append(piece)
        return True

    red = np.full((PRELOAD_SIDE, PRELOAD_SIDE, 3), (0, 0, 220), np.uint8)
    job = GenerationJob(0, red, "Answer with one word.", "Which colour is this?", 24, deadline_s=wait_s)
    ServerGenerator(spec).generate(job, take)
    return "".join(said).strip()


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
    """True if an address is this machine's own."""
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
