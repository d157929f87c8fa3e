"""A daemon that is none: it answers the control socket as the real one does, from a script, so that what the
page shows can be told to the letter.
"""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from capture.frame import Image
from daemon.control.event_feed import EventFeed
from daemon.control.protocol import Request
from daemon.control.server import ControlServer
from daemon.core.events import VERSION
from daemon.errors import CommandError

HAZARDS = {
    "fire": "critical",
    "knife": "critical",
    "vehicle": "critical",
    "two_wheeler": "warning",
    "stairs": "warning",
    "dog": "notice",
}
PICTURES_PER_S = 4.0
ROWS_PER_S = 5.0
RUN = "pretend"

Painter = Callable[[int], Image]


def moving_bar(number: int) -> Image:
    """A picture unlike the one before."""
    picture = np.full((270, 480, 3), 90, np.uint8)
    x = number * 24 % 480
    picture[:, x : x + 40] = (60, 200, 240)
    return picture


class Stage:
    """A context manager; `emit` publishes an event, `asked` holds every command but the endless questions."""

    def __init__(self, socket: Path, paint: Painter = moving_bar) -> None:
        self.path = socket
        self._paint = paint
        self._began_s = time.monotonic()
        self._number = 0
        self.reset()

    def reset(self) -> None:
        """Nothing has happened, and nothing was asked or changed."""
        self.asked: list[dict[str, Any]] = []
        self.journal: list[dict[str, Any]] = []
        self.components: dict[str, dict[str, Any]] = {
            component: {"reason": "ok", "since_s": 812.0, "detail": ""}
            for component in ("camera", "picture", "detector", "describer", "voice", "loudspeaker")
        }
        self.active: dict[str, str | None] = {}
        self.alerts: dict[str, str] = {}
        """Ids by hazard."""
        self.muted_s = 0.0
        self.overrides: dict[str, Any] = {}
        self.before: list[dict[str, Any]] = []
        self.after: list[dict[str, Any]] = []
        self.refusals: dict[str, CommandError] = {}
        """What is refused, by the command's name."""
        self.quiet: set[str] = set()
        """Hazards whose probability stays near zero."""
        self.held = threading.Event()
        """Cleared, a trial of thresholds takes until it is set."""
        self.held.set()
        self.more_status: dict[str, Any] = {}
        """Further entries of the status, or others in place of the usual ones."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, or begin anew after `stop`."""
        self.feed = EventFeed()
        self._server = ControlServer(self.path, self._answer, self.feed)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.close()
        self._thread.join(5)

    def emit(
        self, kind: str, id: str | None = None, cause: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Publish an event as the daemon does; it is in the journal too."""
        self._number += 1
        event = {
            "v": VERSION,
            "id": id or f"x{self._number}",
            "cause": cause,
            "t": round(self._now(), 3),
            "frame": self._number,
            "kind": kind,
            **fields,
            "timing": {"wall_s": time.time(), **fields.get("timing", {})},
        }
        if kind == "alert":
            self.active[fields["hazard"]] = fields.get("direction")
            self.alerts[fields["hazard"]] = event["id"]
        elif kind == "direction":
            self.active[fields["hazard"]] = fields["direction"]
        elif kind == "clear":
            self.active.pop(fields["hazard"], None)
        self.journal.append(
            {
                "row": self._number,
                "run": RUN,
                "wall_s": event["timing"]["wall_s"],
                **event,
                "snapshot": kind == "alert",
                "black_box": kind == "alert",
            }
        )
        self.feed.publish(json.dumps(event, ensure_ascii=False))
        return event

    def alert(self, hazard: str, id: str, direction: str | None = None, **fields: Any) -> dict[str, Any]:
        told = {
            "severity": HAZARDS.get(hazard, "warning"),
            "probability": 0.91,
            "escalated": False,
            "again": False,
        }
        return self.emit("alert", id, hazard=hazard, direction=direction, **{**told, **fields})

    def commands(self, do: str) -> list[dict[str, Any]]:
        return [each for each in self.asked if each["do"] == do]

    def _now(self) -> float:
        return time.monotonic() - self._began_s + 100.0

    def _answer(self, request: Request) -> Mapping[str, Any]:
        command = request.command.model_dump()
        do = command["do"]
        if do not in ("status", "picture", "scores", "metrics"):
            self.asked.append(command)
        if refusal := self.refusals.get(do):
            raise refusal
        answer = getattr(self, f"_{do}", None)
        return answer(command) if answer else {}

    def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "version": "0.1.0",
            "uptime_s": 4000.0,
            "source": "rtsp://camera.local/street",
            "model": "starter",
            "device": "CPU",
            "describer": "tags: ready",
            "fps": 14.93,
            "frames": 59720,
            "assessed": 59718,
            "skipped": 2,
            "outlet": "loudspeaker",
            "components": self.components,
            "active": sorted(self.active),
            "dangers": [
                {
                    "hazard": name,
                    "severity": HAZARDS.get(name, "warning"),
                    "direction": direction,
                    "alert": self.alerts.get(name),
                }
                for name, direction in sorted(self.active.items())
            ],
            "journal": {"run": RUN, "disk": "ok"},
            "muted_s": self.muted_s,
            "danger_muted_s": 0.0,
            "counts": {"alerts": 3},
            "latency": {"frame_to_ear": {"p50_ms": 143.2, "p95_ms": 181.9, "p99_ms": 230.1, "count": 12}},
            "lost": [],
            **self.more_status,
        }

    def _mute(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        self.muted_s = command["seconds"]
        return {}

    def _picture(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        seq = int(self._now() * PICTURES_PER_S)
        after = command["after"]
        if after is not None and seq <= after:
            time.sleep(min((after + 1) / PICTURES_PER_S - self._now(), command["wait_s"]) + 0.001)
            seq = after + 1
        picture = self._paint(seq)
        _, jpeg = cv2.imencode(".jpg", picture)
        return {
            "seq": seq,
            "t": self._now(),
            "age_s": 0.01,
            "width": picture.shape[1],
            "height": picture.shape[0],
            "jpeg": base64.b64encode(jpeg.tobytes()).decode(),
            "probabilities": {},
            "active": [],
        }

    def threshold(self, hazard: str) -> float:
        value: float = self.overrides.get(f"hazards.{hazard}.threshold", 0.5)
        return value

    def _scores(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        now = self._now()
        since = max(command["since_s"] or 0.0, now - 120.0)
        first = math.ceil((since + 1e-6) * ROWS_PER_S)
        times = [n / ROWS_PER_S for n in range(first, int(now * ROWS_PER_S) + 1)]
        return {
            "now": now,
            "hazards": list(HAZARDS),
            "thresholds": {name: self.threshold(name) for name in HAZARDS},
            "severities": HAZARDS,
            "rows": [
                [t, [0.0 if name in self.quiet else _wave(t, n) for n, name in enumerate(HAZARDS)]]
                for t in times
            ],
        }

    def _try(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self.held.wait(20)
        return {"seconds": 58.4, "before": self.before, "after": self.after}

    def _set(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        self.overrides.update(command["values"])
        return {"changed": list(command["values"]), "needs_restart": []}

    def _reset(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        for key in command["keys"]:
            self.overrides.pop(key, None)
        return {"changed": list(command["keys"]), "needs_restart": []}

    def _config(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        half = {"type": "number|string", "choices": ["auto"], "minimum": 0, "maximum": 1}
        thresholds = [
            self._setting(f"hazards.{name}.threshold", "auto", "probability from which it counts", **half)
            for name in HAZARDS
        ]
        tongues = {"type": "string", "choices": ["en", "ko"]}
        speech = [
            self._setting("speech.language", "en", "language of everything that is said", **tongues),
            self._setting("speech.rate_wpm", 180, "words a minute", type="integer", minimum=80, maximum=500),
            self._setting("speech.keep_awake", False, "a tone that keeps headsets awake", type="boolean"),
        ]
        kept = {"type": "string", "choices": ["off", "pixelated", "full"], "live": False, "settable": False}
        journal = [self._setting("journal.pictures", "full", "pictures kept with events", **kept)]
        capture = [
            self._setting(
                "capture.source", "auto", "auto | 0 | rtsp://… | a file", live=False, settable=False
            )
        ]
        return {
            "most_used": ["capture.source", "speech.language", "speech.rate_wpm"],
            "sections": [
                {"name": "capture", "settings": capture},
                {"name": "speech", "settings": speech},
                {"name": "journal", "settings": journal},
                {"name": "hazards", "settings": thresholds},
            ],
        }

    def _setting(self, key: str, default: Any, description: str, **more: Any) -> dict[str, Any]:
        here = key in self.overrides
        return {
            "key": key,
            "value": self.overrides.get(key, default),
            "default": default,
            "layer": "overrides" if here else "default",
            "where": None,
            "live": True,
            "settable": True,
            "description": description,
            "type": "string",
            "choices": None,
            "minimum": None,
            "maximum": None,
            **more,
        }

    def _journal(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        found = list(self._kept(command))
        limit = command["limit"]
        return {"events": found[:limit], "next": found[limit - 1]["row"] if len(found) > limit else None}

    def _kept(self, command: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for event in reversed(self.journal):
            older = command["before"] is None or event["row"] < command["before"]
            kind = not command["kinds"] or event["kind"] in command["kinds"]
            within = (command["since"] or 0) <= event["wall_s"] <= (command["until"] or math.inf)
            if older and kind and within and command["hazard"] in (None, event.get("hazard")):
                yield event

    def _snapshot(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        _, jpeg = cv2.imencode(".jpg", self._paint(command["row"]))
        return {"jpeg": base64.b64encode(jpeg.tobytes()).decode(), "pixelated": False}

    def _why(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        told = {
            "en": "at 101.20 s: fire (new, critical): probability 0.91, its threshold is 0.50",
            "ko": "101.20초: 불 (처음, 위급): 확률 0.91, 기준 0.50",
        }
        text = f"{command['event']}, {told[command['language']]}"
        return {"text": text, "steps": [text]}

    def _mark(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        for event in self.journal:
            if event["row"] == command["row"]:
                event["mark"] = command["verdict"]
        return {"file": "/state/journal/marks/marks.csv"}

    def _purge(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        gone = len(self.journal)
        self.journal.clear()
        return {"events": gone, "pictures": 0, "black_boxes": 0}


def _wave(t: float, number: int) -> float:
    """Something that looks like a probability."""
    base = 0.5 + 0.5 * math.sin(t / (7 + 3 * number) + number)
    return round(base ** (3 + number % 3), 4)
