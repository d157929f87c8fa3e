"""What the process for guests can do: look at a picture, speak, and ask what would have been if."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from capture.camera import CameraUnusable
from capture.frame import Image
from capture.image_file import decode_image
from capture.orient import limit_size
from common.errors import WatchwordError
from common.image_header import ImageKind, is_truncated, read_header
from daemon.config.settings import Settings
from daemon.wiring.detector import DetectorBundle, build_detector, load_model
from daemon.worker import what_if
from daemon.worker.image_report import ImageReport, recognised
from pipeline.description.base import DescribeRequest
from pipeline.description.objects import HazardLexicon, ObjectRecognizer, object_classes
from pipeline.description.template import NOTHING_KNOWN, PlaceFinder, TemplateDescriber, builtin_words
from pipeline.detection.scorer import state_version
from pipeline.models.base import ImageTextModel
from pipeline.types import Embedding, Trigger
from speech.sound.effects import joined
from speech.sound.wav_format import wav_header
from speech.synthesis.base import SpeechRequest
from speech.synthesis.espeak import EspeakSynthesizer
from speech.text.normalize import normalize

MAX_SIDE = 1280
"""Pixels of the longer side that is looked at."""
FORMATS = (ImageKind.JPEG, ImageKind.PNG, ImageKind.WEBP)
LONGEST_SOUND_S = 60.0

Answer = tuple[dict[str, Any], bytes]


class TaskRefused(WatchwordError):
    """This cannot be done; `code` as in `CommandError`."""

    def __init__(self, message: str, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is loaded, and what it names things and places by."""

    mark: str
    """Changes with what it was loaded by."""
    model: ImageTextModel
    finder: ObjectRecognizer
    tags: TemplateDescriber


@dataclass(frozen=True, slots=True)
class ImageReporter:
    """What looks at guests' pictures, for one set of settings."""

    mark: str
    detector: DetectorBundle
    words: HazardLexicon


class WorkerTasks:
    """What the process knows; every method is a request."""

    def __init__(self) -> None:
        self._eyes: LoadedModel | None = None
        self._guide: ImageReporter | None = None
        self._voice: tuple[str, EspeakSynthesizer] | None = None

    def ready(self, asked: Mapping[str, Any], _: bytes) -> Answer:
        """Load the model and fit the settings to it, each where that has changed."""
        tree = asked["settings"]
        settings = Settings.model_validate(tree)
        loaded_by = json.dumps([tree["pipeline"], tree["paths"]])
        if self._eyes is None or self._eyes.mark != loaded_by:
            self._eyes = self._guide = None  # one model at a time
            self._eyes = _eyes(settings, loaded_by)
        mark = json.dumps([tree, sorted(state_version(settings.paths.state))])
        if self._guide is None or self._guide.mark != mark:
            detector = build_detector(settings, self._eyes.model)
            names = [hazard.name for hazard in detector.spec.hazards]
            self._guide = ImageReporter(mark, detector, HazardLexicon(names, object_classes()))
        return {}, b""

    def look(self, asked: Mapping[str, Any], picture: bytes) -> Answer:
        """What is on a picture, and whether it is dangerous; with the picture for the describer."""
        eyes, guide = self._eyes, self._guide
        if eyes is None or guide is None:
            raise TaskRefused("the room is not ready", "unavailable")
        began_s = time.monotonic()
        image = decoded(picture, asked["most_pixels"])
        embedding, probabilities = guide.detector.detector.score_image(image)
        seeing = recognised(
            guide.detector.spec.hazards,
            probabilities.tolist(),
            eyes.finder.find(embedding),
            asked["objects"],
            guide.words,
        )
        said = _said(eyes.tags, seeing, image, embedding, asked)
        small = np.ascontiguousarray(limit_size(image, asked["side"]))
        header = {
            **seeing.told(asked["language"]),
            "prompt": seeing.prompt(asked["text"]),
            "seen": [[one.hazard, one.probability] for one in seeing.seen],
            "hazard": seeing.seen[0].hazard if seeing.seen else None,
            "said": said,
            "size": list(small.shape[:2]),
            "image_text_model": eyes.model.name,
            "recognise_s": round(time.monotonic() - began_s, 4),
        }
        return header, small.tobytes()

    def speak(self, asked: Mapping[str, Any], _: bytes) -> Answer:
        """Words as a WAV file in base64."""
        began_s = time.monotonic()
        settings = Settings.model_validate(asked["settings"]).speech
        mark = settings.model_dump_json()
        if self._voice is None or self._voice[0] != mark:
            if self._voice is not None:
                self._voice[1].close()
            self._voice = (mark, EspeakSynthesizer(settings))
        own = settings.voice if asked["language"] == settings.language and settings.voice != "auto" else None
        request = SpeechRequest(
            normalize(asked["text"], asked["language"]),
            asked["language"],
            rate_wpm=settings.rate_wpm,
            pitch=settings.pitch,
            voice=own,
        )
        chunks = list(self._voice[1].stream(request))
        if not chunks:
            raise TaskRefused("there is nothing to say", "unavailable")
        sound = joined(chunks, chunks[0].rate, 1)
        if sound.duration_s > LONGEST_SOUND_S:
            raise TaskRefused(f"the answer takes more than {LONGEST_SOUND_S:g} s to say")
        samples = np.asarray(sound.samples, np.int16)
        wav = wav_header(len(samples), sound.rate, 1) + samples.tobytes()
        return {"speech_s": round(time.monotonic() - began_s, 4)}, base64.b64encode(wav)

    def what_if(self, asked: Mapping[str, Any], numbers: bytes) -> Answer:
        """The alerts of a minute with its own thresholds, and with others."""
        minute = what_if.Minute.unpacked(asked["minute"], numbers)
        return {
            "seconds": round(minute.seconds, 3),
            "before": what_if.told(what_if.alerts(minute, {})),
            "after": what_if.told(what_if.alerts(minute, asked["thresholds"])),
        }, b""


def _eyes(settings: Settings, mark: str) -> LoadedModel:
    model, words = load_model(settings), builtin_words()
    return LoadedModel(
        mark,
        model,
        ObjectRecognizer(model, object_classes()),
        TemplateDescriber(words, PlaceFinder(model, words)),
    )


def decoded(picture: bytes, most_pixels: int) -> Image:
    """A JPEG, PNG or WebP in base64, upright, bounded. Raises Refused before anything large is decoded."""
    try:
        data = base64.b64decode(picture, validate=True)
    except binascii.Error:
        raise TaskRefused("the picture is no base64", "invalid") from None
    header = read_header(data)
    if header is None or header.kind not in FORMATS:
        raise TaskRefused("this is no picture; JPEG, PNG and WebP can be read", "invalid")
    if header.pixels > most_pixels:
        most = f"{most_pixels / 1e6:g} million"
        raise TaskRefused(
            f"the picture has {header.width} x {header.height} pixels, more than {most}", "invalid"
        )
    if is_truncated(data):
        raise TaskRefused("the picture is cut off", "invalid")
    try:
        return decode_image(data, MAX_SIDE)
    except CameraUnusable as error:
        raise TaskRefused(f"the picture {error}", "invalid") from None


def _said(
    tags: TemplateDescriber, seeing: ImageReport, image: Image, embedding: Embedding, asked: Mapping[str, Any]
) -> str:
    """Template sentences: hazards and the kind of place, else the things; always something."""
    request = DescribeRequest(
        id="guest",
        image=image,
        trigger=Trigger.SCENE_CHANGE,
        language=asked["language"],
        seen=seeing.seen,
        embedding=embedding,
    )
    parts = list(tags.describe(request))
    if not seeing.seen and (things_said := seeing.sentence(asked["language"])):
        parts.append(things_said)
    return " ".join(parts) or NOTHING_KNOWN[asked["language"]]
