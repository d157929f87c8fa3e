"""A daemon that answers the web interface as the real one does, with what a test wants it to see and say."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from daemon.control import commands
from daemon.control import commands as web
from daemon.control import protocol as wire
from daemon.control.event_feed import EventFeed
from daemon.control.server import ControlServer
from daemon.errors import CommandError

PATIENCE_S = 10.0
STATUS = {
    "version": "0.1.0",
    "fps": 25.0,
    "source": "demo",
    "model": "starter",
    "components": {"camera": {"reason": "ok", "since_s": 12.0, "detail": ""}},
    "active": ["vehicle"],
    "dangers": [{"hazard": "vehicle", "severity": "warning", "direction": "left", "alert": "a12"}],
    "muted_s": 0.0,
    "lost": [],
}
EVENT = {"row": 7, "wall_s": 1.7e9, "run": "r1", "id": "a12", "kind": "alert", "hazard": "vehicle"}
SETTING = {
    "key": "hazards.fire.threshold",
    "value": 0.6,
    "default": "auto",
    "layer": "overrides",
    "where": None,
    "live": True,
    "description": "probability from which it counts",
    "type": "number",
    "choices": None,
    "minimum": 0.0,
    "maximum": 1.0,
}
METRICS = {
    "counters": {"frames_captured": 1000, "frames_assessed": 990, "alerts": 3, "vlm_calls_saved": 40},
    "drops": [{"place": "camera", "policy": "newest", "count": 10}],
    "histograms": {"encode_seconds": {"buckets": [[0.01, 3], [0.1, 9]], "sum": 0.4, "count": 10}},
    "alerts_by_hazard": {"vehicle": 3},
    "components": {"camera": {"ok": True, "reason": "ok"}, "loudspeaker": {"ok": False, "reason": "lost"}},
    "gauges": {"fps": 24.9, "uptime_s": 61.0, "muted_s": 0.0},
}


def jpeg(side: int = 64, shade: int = 90) -> bytes:
    return cv2.imencode(".jpg", np.full((side // 2, side, 3), shade, np.uint8))[1].tobytes()


class Pretender:
    """`say[name]` replaces an answer: a mapping, or an error to raise. `asked` keeps every command."""

    def __init__(self, path: Path) -> None:
        self.feed = EventFeed()
        self.asked: list[commands.Command] = []
        self.say: dict[str, Any] = {}
        self.held = threading.Event()
        self.held.set()
        self._started_s = time.monotonic()
        self.server = ControlServer(path, self.handle, self.feed)

    def handle(self, request: wire.Request) -> Mapping[str, Any]:
        command = request.command
        self.asked.append(command)
        answer = self.say.get(command.do, _ANSWERS.get(command.do, {}))
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(self, command)
        result: Mapping[str, Any] = answer
        return result

    def happen(self, **fields: Any) -> None:
        self.feed.publish(json.dumps({"v": 1, **fields}))

    def picture(self, command: web.PictureCommand) -> Mapping[str, Any]:
        """Twenty new ones a second."""
        seq = int((time.monotonic() - self._started_s) * 20)
        if command.after == seq:
            time.sleep(min(0.05, command.wait_s))
            seq += 1
        picture = base64.b64encode(jpeg(shade=seq % 200)).decode()
        return {"seq": seq, "t": 1.0, "age_s": 0.02, "width": 64, "height": 32, "jpeg": picture}

    def process(self, command: web.ProcessCommand) -> Mapping[str, Any]:
        """Says how large the picture is that it got."""
        assert self.held.wait(PATIENCE_S)
        bytes_ = np.frombuffer(base64.b64decode(command.picture), np.uint8)
        image = cv2.imdecode(bytes_, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise CommandError("that is no picture", "invalid")
        height, width = image.shape[:2]
        names = command.objects or ("car",)
        return {
            "objects": [{"name": name, "score": 0.9} for name in names],
            "hazards": [
                {
                    "hazard": "vehicle",
                    "probability": 0.9,
                    "threshold": 0.6,
                    "severity": "warning",
                    "dangerous": True,
                }
            ],
            "prompt": "question" if command.text else "danger",
            "text": f"{width}x{height} {command.text or ''}".strip(),
            "model": "tags",
            "image_text_model": "starter",
            "timings": {"wait_s": 0.0, "recognise_s": 0.1, "describe_s": 0.0},
            **({"wav": base64.b64encode(b"RIFF....WAVE").decode()} if command.speech else {}),
        }


_ANSWERS: Mapping[str, Any] = {
    "status": STATUS,
    "picture": Pretender.picture,
    "process": Pretender.process,
    "scores": {
        "now": 9.0,
        "hazards": ["fire", "vehicle"],
        "thresholds": {"fire": 0.6, "vehicle": 0.7},
        "severities": {"fire": "critical", "vehicle": "warning"},
        "rows": [[8.0, [0.1, 0.9]]],
    },
    "try": {"seconds": 60.0, "before": [], "after": []},
    "set": {"changed": ["hazards.fire.threshold"], "needs_restart": []},
    "reset": {"changed": [], "needs_restart": ["capture.source"]},
    "config": {"sections": [{"name": "hazards", "settings": [SETTING]}]},
    "metrics": METRICS,
    "journal": {"events": [{**EVENT, "snapshot": True, "black_box": True}], "next": None},
    "snapshot": lambda _, command: {"jpeg": base64.b64encode(jpeg()).decode(), "pixelated": False},
    "mark": {"file": "/var/lib/watchword/journal/marks/marks.csv"},
    "purge": {"events": 3, "pictures": 2, "black_boxes": 1},
    "why": {"text": "it was seen", "steps": []},
}


@contextmanager
def pretending(path: Path) -> Iterator[Pretender]:
    daemon = Pretender(path)
    thread = threading.Thread(target=daemon.server.run, daemon=True)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.held.set()
        daemon.server.close()
        thread.join(PATIENCE_S)


Answer = Callable[[Pretender, Any], Mapping[str, Any]]
