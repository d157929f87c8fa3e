"""The tasks of the worker process: inspect a picture, speak, and try other thresholds."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from capture.camera import CameraUnusable
from capture.frame import Image
from capture.image_file import decode_image
from capture.orient import limit_size
from common.errors import WatchwordError
from common.image_header import ImageKind, is_truncated, read_header
from daemon.config.settings import Settings
from daemon.core.black_box import Recording
from daemon.wiring.detector import DetectorBundle, build_detector
from daemon.wiring.models import load_model
from daemon.wiring.store import open_store
from daemon.worker import what_if
from daemon.worker.image_report import ImageReport, make_report
from pipeline.description.answer.permission import asks_permission, with_caution
from pipeline.description.base import DescribeRequest
from pipeline.description.lexicon import HazardLexicon, words_of
from pipeline.description.objects import ObjectRecognizer, object_classes
from pipeline.description.template import (
    NOTHING_KNOWN,
    ONLY_NAMES,
    PlaceFinder,
    TemplateDescriber,
    builtin_words,
)
from pipeline.detection.scorer import state_version
from pipeline.hazards import builtin_hazards, from_settings
from pipeline.models.base import ImageTextModel
from pipeline.reading.passages import MODEL, spoken
from pipeline.reading.reader import TextReader
from pipeline.types import Encoding, Trigger
from speech.sound.effects import joined
from speech.sound.wav_format import wav_header
from speech.synthesis.base import SpeechRequest
from speech.synthesis.espeak import EspeakSynthesizer
from speech.text.normalize import normalize

MAX_SIDE = 1280
"""Pixels of the longer side of the inspected image."""
FORMATS = (ImageKind.JPEG, ImageKind.PNG, ImageKind.WEBP)
LONGEST_SOUND_S = 60.0

Answer = tuple[dict[str, Any], bytes]


class TaskRefused(WatchwordError):
    """The task cannot be carried out; `code` as in `CommandError`."""

    def __init__(self, message: str, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model with its recognizers of objects and places."""

    settings_key: str
    """Changes with the settings that the model was loaded by."""
    model: ImageTextModel
    recognizer: ObjectRecognizer
    template: TemplateDescriber


@dataclass(frozen=True, slots=True)
class ImageReporter:
    """The detector of external pictures, for one set of settings."""

    settings_key: str
    bundle: DetectorBundle
    lexicon: HazardLexicon


class WorkerTasks:
    """The loaded models; every method is one request."""

    def __init__(self) -> None:
        self._model: LoadedModel | None = None
        self._reporter: ImageReporter | None = None
        self._settings: Settings | None = None
        self._text_reader: TextReader | None = None
        self._voice: tuple[str, EspeakSynthesizer] | None = None

    def ready(self, request: Mapping[str, Any], _: bytes) -> Answer:
        """Load the model, and rebuild its detector, if their settings have changed."""
        tree = request["settings"]
        settings = self._settings = Settings.model_validate(tree)
        # Only these two sections decide which model is loaded, and how.
        loaded_by = json.dumps([tree["pipeline"], tree["paths"]])
        if self._model is None or self._model.settings_key != loaded_by:
            # The old one goes first: two models at once may not fit into memory.
            self._model = self._reporter = None
            self._model = _load(settings, loaded_by)
        # The state folder's version as well: calibration and taught pictures belong to the detector.
        settings_key = json.dumps([tree, sorted(state_version(settings.paths.state))])
        if self._reporter is None or self._reporter.settings_key != settings_key:
            bundle = build_detector(settings, self._model.model)
            self._reporter = ImageReporter(settings_key, bundle, _lexicon(settings, bundle))
        return {}, b""

    def inspect(self, request: Mapping[str, Any], picture: bytes) -> Answer:
        """Report the objects and hazards of a picture; the payload is the picture for the describer."""
        model, reporter = self._model, self._reporter
        if model is None or reporter is None:
            raise TaskRefused("the model is not loaded yet", "unavailable")
        began_s = time.monotonic()
        image = decode_picture(picture, request["most_pixels"])
        encoding, probabilities = reporter.bundle.detector.score_image(image)
        report = make_report(
            reporter.bundle.picture_hazards,
            probabilities.tolist(),
            model.recognizer.find(encoding),
            request["objects"],
            reporter.lexicon,
        )
        sentence = _sentence(model.template, report, image, encoding, request)
        # Contiguous, since the bytes are sent as they lie in memory.
        small = np.ascontiguousarray(limit_size(image, request["side"]))
        header = {
            **report.as_json(request["language"]),
            "prompt": report.prompt(request["text"]),
            "seen": [
                [one.hazard, one.probability, one.called] for one in report.seen_in(request["language"])
            ],
            "hazard": report.seen[0].hazard if report.seen else None,
            "said": sentence,
            "asks": report.asks(request["language"]),
            "size": list(small.shape[:2]),
            "image_text_model": model.model.name,
            "recognise_s": round(time.monotonic() - began_s, 4),
        }
        return header, small.tobytes()

    def read(self, request: Mapping[str, Any], picture: bytes) -> Answer:
        """Read the words of a picture, for a listener in the language of the request."""
        image = decode_picture(picture, request["most_pixels"])
        if self._text_reader is None:
            self._text_reader = TextReader(self._model_folder(MODEL))
        read = self._text_reader.read(image)
        return {"passages": [asdict(one) for one in spoken(read, request["language"])]}, b""

    def _model_folder(self, name: str) -> Path:
        if self._settings is None:
            raise TaskRefused("the model is not loaded yet", "unavailable")
        return open_store(self._settings).path(name)

    def speak(self, request: Mapping[str, Any], _: bytes) -> Answer:
        """Speak a text into a WAV file in base64."""
        began_s = time.monotonic()
        settings = Settings.model_validate(request["settings"]).speech
        settings_key = settings.model_dump_json()
        if self._voice is None or self._voice[0] != settings_key:
            if self._voice is not None:
                self._voice[1].close()
            self._voice = (settings_key, EspeakSynthesizer(settings))
        language = request["language"]
        # The configured voice speaks the configured language; another language needs another voice.
        own_voice = language == settings.language and settings.voice != "auto"
        speech = SpeechRequest(
            normalize(request["text"], language),
            language,
            rate_wpm=settings.rate_wpm,
            pitch=settings.pitch,
            voice=settings.voice if own_voice else None,
        )
        chunks = list(self._voice[1].stream(speech))
        if not chunks:
            raise TaskRefused("there is nothing to say", "unavailable")
        sound = joined(chunks, chunks[0].rate, 1)
        # Bounded: the WAV goes through the control socket as one line.
        if sound.duration_s > LONGEST_SOUND_S:
            raise TaskRefused(f"the answer takes more than {LONGEST_SOUND_S:g} s to say")
        samples = np.asarray(sound.samples, np.int16)
        wav = wav_header(len(samples), sound.rate, 1) + samples.tobytes()
        return {"speech_s": round(time.monotonic() - began_s, 4)}, base64.b64encode(wav)

    def what_if(self, request: Mapping[str, Any], numbers: bytes) -> Answer:
        """The alerts of a minute with its own thresholds, and with others."""
        return _tried(what_if.Minute.decode(request["minute"], numbers), request["thresholds"])

    def what_if_recorded(self, request: Mapping[str, Any], _: bytes) -> Answer:
        """The same of a black box of the journal, which is read here: it can be some megabytes."""
        minute = what_if.Minute.of(Recording.load(Path(request["file"])))
        if unknown := request["thresholds"].keys() - {hazard.name for hazard in minute.hazards}:
            raise TaskRefused(
                f"that alert's run had no hazard called {', '.join(sorted(unknown))}", "unknown"
            )
        return _tried(minute, request["thresholds"])


def _tried(minute: what_if.Minute, thresholds: Mapping[str, float]) -> Answer:
    return {
        "seconds": round(minute.seconds, 3),
        "before": what_if.as_json(what_if.alerts(minute, {})),
        "after": what_if.as_json(what_if.alerts(minute, thresholds)),
    }, b""


def _load(settings: Settings, settings_key: str) -> LoadedModel:
    model, words = load_model(settings), builtin_words()
    return LoadedModel(
        settings_key,
        model,
        ObjectRecognizer(model, object_classes()),
        TemplateDescriber(words, PlaceFinder(model, words)),
    )


def _lexicon(settings: Settings, bundle: DetectorBundle) -> HazardLexicon:
    """Knows the hazards of the bundle, the user's own by all words that the settings have for them."""
    names = [hazard.name for hazard in bundle.spec.hazards]
    # The built-in ones are in the lexicon already.
    own = from_settings(
        {
            name: one
            for name, one in settings.hazards.items()
            if name in names and name not in builtin_hazards()
        },
        taught=names,
    )
    words = words_of(own, {name: settings.hazards[name].words for name in names if name in settings.hazards})
    return HazardLexicon(names, object_classes(), words)


def decode_picture(picture: bytes, most_pixels: int) -> Image:
    """Decode a JPEG, PNG or WebP in base64, upright and bounded.

    Raises TaskRefused before anything large is decoded.
    """
    try:
        data = base64.b64decode(picture, validate=True)
    except binascii.Error:
        raise TaskRefused("the picture is no base64", "invalid") from None
    # The header first: decoding a huge picture could exhaust the memory before it is refused.
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


def _sentence(
    template: TemplateDescriber,
    report: ImageReport,
    image: Image,
    encoding: Encoding,
    request: Mapping[str, Any],
) -> str:
    """Template sentences: hazards and the kind of place, else the objects; never empty.

    The reply to a question begins with the statement that it is not answered, or with the safety notice.
    """
    language, question = request["language"], request["text"]
    description = DescribeRequest(
        id="external",
        image=image,
        trigger=Trigger.SCENE_CHANGE,
        language=language,
        seen=report.seen_in(language),
        encoding=encoding,
    )
    parts = list(template.describe(description))
    if not report.seen and (things_said := report.sentence(language)):
        parts.append(things_said)
    if asks_permission(question):
        return with_caution(" ".join(parts), question, language)
    if question:
        parts.insert(0, ONLY_NAMES[language])
    return " ".join(parts) or NOTHING_KNOWN[language]
