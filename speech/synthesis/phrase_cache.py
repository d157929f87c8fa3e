"""Phrases made before they are needed, kept in memory and on disk, or on disk alone.

A phrase is stored as it leaves preparation: mono, leading silence cut, levelled, at the output rate. The
file's name is the sha256 of all that shaped it, so a change of voice, rate or text never meets an old sound.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from common import atomic_file
from speech.sound.audio import Audio
from speech.sound.effects import joined, trimmed
from speech.sound.loudness import normalize_loudness
from speech.sound.resample import resample
from speech.sound.wav_format import HEADER_BYTES, wav_header
from speech.synthesis.base import SpeechRequest, SynthesisError, Synthesizer

log = logging.getLogger(__name__)

PREPARATION = 1
"""Raised if the preparation changes, so that phrases on disk are synthesised again."""
MEMORY_LIMIT = 512
"""Phrases kept in memory, or as many as were prepared in one go; the oldest goes first."""
DISK_LIMIT = 1000
"""Phrases kept on disk, some 60 MB, or all that may be wanted; the one read least lately goes first."""


class PhraseCache:
    """Ready sound for known requests. `get` waits for no engine; `prepare` and `prefetch` may take a while.

    Any thread may `get`, while others prepare and store.
    """

    def __init__(self, folder: Path | None, rate: int, disk_limit: int = DISK_LIMIT) -> None:
        self._folder = folder
        self._rate = rate
        self._disk_limit = disk_limit
        # Without a lock: single operations of a dict are atomic, and a phrase that is missed is only made
        # again.
        self._ready: dict[SpeechRequest, Audio] = {}
        self._stored: dict[SpeechRequest, Path] = {}
        self._limit = MEMORY_LIMIT

    def get(self, request: SpeechRequest) -> Audio | None:
        """The phrase, mono at the output rate, if it is in memory or was stored."""
        if (ready := self._ready.get(request)) is not None:
            return ready
        path = self._stored.get(request)
        return None if path is None else self._read(path)

    def prepare(
        self,
        requests: Iterable[SpeechRequest],
        synthesizer: Synthesizer,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Have all of them in memory. Raises SynthesisError if one can neither be read nor made."""
        # Without repetitions, in the given order: the progress must count each once.
        wanted = list(dict.fromkeys(requests))
        # Prepared phrases must all stay in memory: a danger phrase that was evicted would come late.
        self._limit = max(self._limit, len(wanted))
        engine = self._engine(synthesizer)
        for done, request in enumerate(wanted, start=1):
            if request not in self._ready:
                path = self._path(request, engine)
                self._remember(request, self._read(path) or self._render(request, path, synthesizer))
            if progress is not None:
                progress(done, len(wanted))
        self._evict()

    def prefetch(
        self, requests: Iterable[SpeechRequest], synthesizer: Synthesizer, go_on: Callable[[], bool]
    ) -> None:
        """Have those that are not in memory on disk; nothing is done without a folder.

        `go_on` is asked before each that must be made; it ends there if the answer is no. Raises
        SynthesisError if one cannot be made.
        """
        if self._folder is None:
            return
        engine = self._engine(synthesizer)
        for request in dict.fromkeys(requests):
            path = self._path(request, engine)
            if path is None or request in self._ready:
                continue
            if not path.is_file():
                if not go_on():
                    break
                self._render(request, path, synthesizer)
            self._stored[request] = path
        self._evict()

    def _remember(self, request: SpeechRequest, audio: Audio) -> None:
        self._ready[request] = audio
        while len(self._ready) > self._limit:
            # A dict keeps the order of insertion, so its first key is the oldest.
            del self._ready[next(iter(self._ready))]

    def _render(self, request: SpeechRequest, path: Path | None, synthesizer: Synthesizer) -> Audio:
        audio = render_phrase(synthesizer.stream(request), self._rate)
        if path is not None:
            _write(path, audio)
        return audio

    def _read(self, path: Path | None) -> Audio | None:
        if path is None:
            return None
        try:
            audio = _load(path, self._rate)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("the phrase file %s is broken (%s) and is made anew", path, error)
            return None
        with suppress(OSError):  # then it is only deleted the sooner
            os.utime(path)
        return audio

    def _path(self, request: SpeechRequest, engine: str) -> Path | None:
        if self._folder is None:
            return None
        # Everything that changes the sound is in the name, so a stale phrase can never be read.
        key = {"preparation": PREPARATION, "engine": engine, "hertz": self._rate, **asdict(request)}
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest}.wav"

    def _engine(self, synthesizer: Synthesizer) -> str:
        """The engine's name; while it does not start, the one that filled the folder."""
        engine_file = None if self._folder is None else self._folder / "engine.txt"
        try:
            name = synthesizer.name
        except SynthesisError:
            if engine_file is None or not engine_file.is_file():
                raise
            # The cached phrases still play while the engine is broken: dangers keep their words.
            return engine_file.read_text(encoding="utf-8")
        if engine_file is not None:
            _replace(engine_file, name.encode())
        return name

    def _evict(self) -> None:
        if self._folder is not None:
            _evict(self._folder, max(self._disk_limit, len(self._ready) + len(self._stored)))


def render_phrase(chunks: Iterable[Audio], rate: int) -> Audio:
    """All chunks as one sound: leading silence cut, each levelled, at `rate`, mono."""
    return joined(render_chunks(chunks, rate), rate, 1)


def render_chunks(chunks: Iterable[Audio], rate: int) -> Iterable[Audio]:
    """The same, chunk by chunk as they come."""
    first = True
    for chunk in chunks:
        audio = normalize_loudness(resample(_mono(trimmed(chunk) if first else chunk), rate))
        if len(audio.samples):
            first = False
            yield audio


def _mono(audio: Audio) -> Audio:
    if audio.channels == 1:
        return audio
    return Audio(np.round(audio.samples.mean(axis=1, keepdims=True)).astype(np.int16), audio.rate)


def _load(path: Path, rate: int) -> Audio:
    """Raises FileNotFoundError; OSError or ValueError for a broken file."""
    content = path.read_bytes()
    # Compared with the very bytes that `_write` wrote: a start reads hundreds of these files, and the library
    # for any WAV file would take ten reads for each.
    frames, odd = divmod(len(content) - HEADER_BYTES, 2)
    if frames < 0 or odd or not content.startswith(wav_header(frames, rate, 1)):
        raise ValueError("it is cut short, or has another format")
    return Audio(np.frombuffer(content, np.int16, offset=HEADER_BYTES).reshape(-1, 1), rate)


def _write(path: Path, audio: Audio) -> None:
    _replace(path, wav_header(len(audio.samples), audio.rate, 1) + audio.samples.tobytes())


def _replace(path: Path, data: bytes) -> None:
    """Write all or nothing. A folder that cannot be written costs time at the next start, not a voice."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not synchronised: a first start writes hundreds of phrases, and a broken one is synthesised again.
        atomic_file.write(path, data, durable=False)
    except OSError as error:
        log.warning("phrases cannot be kept in %s: %s", path.parent, error.strerror)


def _evict(folder: Path, limit: int) -> None:
    """Delete the oldest phrases beyond the limit, and files that a crash left half written."""
    try:
        files = [
            (file.stat().st_mtime, file) for file in folder.iterdir() if file.suffix in (".wav", ".part")
        ]
        for _, file in sorted(files, reverse=True)[limit:]:
            file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("old phrases cannot be deleted in %s: %s", folder, error.strerror)
