"""Prints the resident memory that each part of the daemon adds, loaded one after the other in one process.

Shared libraries count as far as their pages were read. The processes for voice and sound are started as the
daemon starts them and counted by themselves.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

# Nothing heavy is imported here: each part imports what it needs, so that it is counted there.
from common.memory import limit_arenas, resident_bytes, return_free_memory
from daemon.tools.maintainer.printing import print_lines

VOICE_S = 3.0
"""Seconds until the children have loaded everything."""

Kept = list[Any]
"""Keeps the objects of the parts alive."""


def _settings(kept: Kept) -> None:
    from daemon.config.settings import load

    kept.append(load(None, os.environ, {}).settings)


def _opencv(_: Kept) -> None:
    import cv2

    cv2.setNumThreads(2)


def _openvino(_: Kept) -> None:
    from daemon.wiring.light_openvino import import_light

    import_light()
    import openvino as ov

    ov.Core()


def _network(kept: Kept) -> None:
    from daemon.wiring.models import load_model

    kept.append(load_model(kept[0]))


def _sentences(kept: Kept) -> None:
    from daemon.wiring.describer import build_sentence_encoder

    encode = build_sentence_encoder(kept[0])
    encode("A car on the left.")
    kept.append(encode)


def _inference(kept: Kept) -> None:
    from capture.test_image import draw_test_image

    kept[1].encode(draw_test_image(1280, 720))


def _program(kept: Kept) -> None:
    import daemon.wiring.live

    kept.append(daemon.wiring.live)


def _phrases(kept: Kept) -> None:
    from daemon.wiring.voice import prepare_voice

    voice = prepare_voice(kept[0])
    kept.append(voice)
    # Its process is counted below, by itself.
    voice.close()


def _clip(kept: Kept) -> None:
    from capture.factory import open_camera
    from daemon.wiring.sources import source_path

    camera = open_camera(source_path(kept[0], "demo"), kept[0].capture)
    kept.extend([camera, *(camera.read() for _ in range(8))])


PARTS: tuple[tuple[str, Callable[[Kept], None]], ...] = (
    ("settings (pydantic, numpy)", _settings),
    ("OpenCV", _opencv),
    ("OpenVINO's runtime", _openvino),
    ("the starter's network, compiled", _network),
    ("first inference", _inference),
    ("the rest of the program", _program),
    ("the prepared phrases", _phrases),
    ("the demo clip and its decoder", _clip),
    ("the sentence encoder, from the first description on", _sentences),
)


def report() -> Iterator[str]:
    """One line a part."""
    kept: Kept = []
    limit_arenas()
    before = resident_bytes(os.getpid())
    yield f"  {'interpreter':<52} {before / 2**20:5.0f} MB"
    for name, load_part in PARTS:
        load_part(kept)
        return_free_memory()
        now = resident_bytes(os.getpid())
        yield f"  {name:<52} {(now - before) / 2**20:+5.0f} MB"
        before = now
    yield f"  {'all of it':<52} {before / 2**20:5.0f} MB"
    yield from _children(kept[0])


def _children(settings: Any) -> Iterator[str]:
    from speech.playback.process_player import ProcessPlayer
    from speech.synthesis.espeak import EspeakSynthesizer

    player = ProcessPlayer(settings.speech, lambda _: None)
    voice = EspeakSynthesizer(settings.speech)
    try:
        _ = voice.name
        time.sleep(VOICE_S)
        for pid in _descendants(os.getpid()):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            module = next((part for part in command if part.startswith(b"speech.")), b"?").decode()
            yield f"  process {module:<44} {resident_bytes(pid) / 2**20:5.0f} MB"
    finally:
        voice.close()
        player.close()


def _descendants(pid: int) -> Iterator[int]:
    # proc(5): children are listed for each thread.
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text(encoding="ascii").split()):
            yield child
            yield from _descendants(child)


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="profile_memory", description=__doc__).parse_args(arguments)
    return print_lines(report())


if __name__ == "__main__":
    sys.exit(main())
