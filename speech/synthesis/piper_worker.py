"""The process in which Piper runs: `python -m speech.synthesis.piper_worker FD PARENT`.

piper-tts (GPL-3) is imported here and nowhere else. It stays behind the detector in the queue for the
processor, and uses one core: on two busy ones that was quicker than both.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from common.framing import ConnectionLost, receive, send
from common.own_process import exit_with_parent

NICE = 5
THREADS = 1


def main(fd: int, parent: int) -> int:
    """Answer requests until the parent goes away."""
    exit_with_parent(parent)
    os.nice(NICE)
    link = socket.socket(fileno=fd)
    try:
        voice = _Voice()
    except ImportError:
        send(link, {"error": "piper"})
        return 1
    send(link, {"name": f"piper-tts {importlib.metadata.version('piper-tts')}"})
    with contextlib.suppress(ConnectionLost):
        while True:
            request, _ = receive(link)
            send(link, *_answer(voice, request))
    return 0


def _answer(voice: _Voice, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        return voice.render(request)
    except Exception as error:  # the library raises what it likes; the parent tells it in one line
        return {"error": "engine", "message": f"{type(error).__name__}: {error}"}, b""


class _Voice:
    """One model, loaded when first asked for. Raises ImportError if Piper is not installed."""

    def __init__(self) -> None:
        import onnxruntime
        import piper

        self._piper = piper
        self._runtime = onnxruntime
        self._loaded: tuple[str, Any] | None = None

    def render(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Hertz and mono 16-bit samples; without text the model is only loaded."""
        voice = self._voice(request["model"])
        how = self._piper.SynthesisConfig(
            length_scale=voice.config.length_scale * request["slower"], volume=request["volume"]
        )
        chunks = voice.synthesize(request["text"], how) if request["text"] else ()
        return {"rate": voice.config.sample_rate}, b"".join(chunk.audio_int16_bytes for chunk in chunks)

    def _voice(self, model: str) -> Any:
        if self._loaded is None or self._loaded[0] != model:
            self._loaded = (model, self._load(model))
        return self._loaded[1]

    def _load(self, model: str) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = self._runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        config = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
        return self._piper.PiperVoice(session, self._piper.PiperConfig.from_dict(config))


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
