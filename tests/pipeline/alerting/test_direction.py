"""Where it is and whether it comes nearer: photographs pasted to the sides of others, and growing."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.frame import Frame, Image
from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold, WatchEvent
from pipeline.calibration.table import shipped_starter
from pipeline.detection.detector import Detector
from pipeline.evaluation.dataset import read_dataset
from pipeline.hazards import builtin, from_settings, prompt_set
from pipeline.models.starter.model import StarterModel
from pipeline.settings import HazardSettings, WatchSettings
from pipeline.types import Alert, Direction, Encoding, Located
from tests.pipeline.models.starter.files import starter_folder

WIDTH, HEIGHT = 960, 540
CENTRES = {Direction.LEFT: 160, Direction.AHEAD: 480, Direction.RIGHT: 800}
SOUGHT = ("vehicle", "train", "dog", "dangerous_animal", "knife", "person_with_weapon")
"""Things rather than scenes, which are everywhere at once."""
PICTURES_EACH = 3
FPS = 10


class Remembering(StarterModel):
    """The same, which looks at the same picture once: most of these stand still."""

    def encode(self, image: Image) -> Encoding:
        seen = hashlib.sha256(image.tobytes()).digest()
        if seen not in self._remembered:
            self._remembered[seen] = super().encode(image)
        return self._remembered[seen]

    @cached_property
    def _remembered(self) -> dict[bytes, Encoding]:
        return {}


class Looker:
    """The detector and the watch, over pictures that follow each other."""

    def __init__(self, cache: Path) -> None:
        self.hazards = from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()})
        prompts = prompt_set(self.hazards)
        self._model = Remembering(starter_folder(), cache_dir=cache)
        self._bank = self._model.bind(prompts)
        self._fits = shipped_starter().bind(self._model.name, self._model.fingerprint, prompts)

    def watch(self, pictures: Iterator[Image], seconds: float, fps: int = FPS) -> list[WatchEvent]:
        assessor = Detector(self._model, self._bank, self._fits)
        limits = zip(self.hazards, self._fits.thresholds.tolist(), strict=True)
        watch = AlertPolicy(
            WatchSettings(), [HazardThreshold(h.name, h.severity, limit) for h, limit in limits]
        )
        events: list[WatchEvent] = []
        for seq in range(int(seconds * fps)):
            image = next(pictures)
            frame = Frame(image, (image.shape[1], image.shape[0]), seq, seq / fps, "test")
            for event in watch.step(assessor.assess(frame, watch.next_crop())):
                events.append(event)
                if isinstance(event, Alert):
                    watch.mark_spoken(event.id, frame.captured_at_s)
        return events


def pasted(background: Image, thing: Image, centre: int, side: int) -> Image:
    """The thing, `side` pixels at most, standing near the lower edge of the background."""
    rows, columns = thing.shape[:2]
    scale = side / max(rows, columns)
    small = cv2.resize(thing, (round(columns * scale), round(rows * scale)), interpolation=cv2.INTER_AREA)
    image = background.copy()
    left = min(max(centre - small.shape[1] // 2, 0), WIDTH - small.shape[1])
    top = max(0, HEIGHT - 20 - small.shape[0])
    image[top : top + small.shape[0], left : left + small.shape[1]] = small[: HEIGHT - top]
    return image


def photographs(media: Path, labels: tuple[str, ...]) -> Iterator[tuple[str, Image]]:
    """A few of each label, as (label, picture)."""
    taken: Counter[str] = Counter()
    for picture in read_dataset(media / "images.csv", list(builtin())).pictures:
        image = cv2.imread(str(picture.path))
        if picture.label in labels and image is not None and taken[picture.label] < PICTURES_EACH:
            taken[picture.label] += 1
            yield picture.label, np.asarray(image, np.uint8)


def street(media: Path) -> Image:
    """A wide view without danger, out of focus: before a sharp one the starter overlooks what is pasted."""
    safe = (image for _, image in photographs(media, ("safe",)))
    wide = max(safe, key=lambda image: image.shape[1] / image.shape[0])
    sharp = cv2.resize(wide, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(sharp, (0, 0), 30), np.uint8)


@pytest.mark.slow
def test_a_side_follows_the_alert_and_is_the_right_one(media: Path, warm_cache: Path) -> None:
    """So few pictures allow one wrong side. Of 253 pasted training pictures 147 got the right one, 4 a wrong
    one, the others none.
    """
    looker, background = Looker(warm_cache), street(media)
    found: Counter[str] = Counter()
    for label, thing in photographs(media, SOUGHT):
        for side, centre in CENTRES.items():
            image = pasted(background, thing, centre, 340)
            events = looker.watch(repeat(image), 1.2)
            alert = next((e for e in events if isinstance(e, Alert) and e.hazard == label), None)
            if alert is None:
                continue
            where = [e for e in events if isinstance(e, Located) and e.alert_id == alert.id]
            assert all(e.captured_at_s >= alert.captured_at_s for e in where)
            direction = alert.direction or (where[0].direction if where else None)
            found["none" if direction is None else "right" if direction is side else "wrong"] += 1
    assert found["right"] >= 8, found
    assert found["wrong"] <= 0.1 * (found["right"] + found["wrong"]), found


@pytest.mark.slow
def test_what_grows_in_the_picture_is_said_to_come_nearer(
    media: Path, warm_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a quarter of the height to all of it within six seconds; what appears and then stays does not."""
    looker, background, fps = Looker(warm_cache), street(media), FPS // 2
    nearer: Counter[str] = Counter()
    for label, thing in photographs(media, ("vehicle", "dangerous_animal")):
        growing = (pasted(background, thing, 480, min(500, 140 + 70 * i // fps)) for i in range(6 * fps))
        still = pasted(background, thing, 480, 340)
        appearing = chain(repeat(background, fps), repeat(still))
        for way, pictures in (("grows", growing), ("stays", appearing)):
            seen = looker.watch(pictures, 6.0, fps)
            alerts = [event for event in seen if isinstance(event, Alert) and event.hazard == label]
            nearer[way] += any(alert.escalated for alert in alerts)
            nearer[f"{way}, alerted"] += bool(alerts)
    with capsys.disabled():
        sys.stdout.write(f"\nsaid to come nearer: {dict(nearer)}\n")
    assert nearer["stays"] == 0, nearer
    assert nearer["stays, alerted"] >= 2, nearer
    assert nearer["grows"] >= 2, nearer
