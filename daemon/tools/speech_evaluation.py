"""Replays labelled clips with the real voice and measures the speech that a listener would have heard."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from typing import Any

from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.tools.cached_model import CachedModel
from daemon.tools.scripted_describer import ScriptedDescriber
from daemon.wiring.describer import tags_describer
from daemon.wiring.detector import build_detector
from daemon.wiring.models import load_model
from daemon.wiring.replay import build_replay
from daemon.wiring.sources import open_recorded
from daemon.wiring.voice import build_renderer
from pipeline.description.template import builtin_words
from pipeline.evaluation.clip_counts import AlertTime
from pipeline.evaluation.dataset import LabelledClip
from pipeline.evaluation.speech import HeardClip, RaisedAlert, SaidText, speech_figures
from pipeline.hazards import LANGUAGES
from pipeline.models.base import ImageTextModel
from speech.sound.audio import Audio
from speech.sound.earcons import danger_earcon, earcon
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import EARCON_GAP_S, Renderer
from speech.utterance import Utterance

log = logging.getLogger(__name__)

DESCRIBERS = ("tags", "scripted")
RATE = 22050
"""Hertz at which the length of an earcon is measured."""
EARCONS_S = {
    severity: len(earcon(danger_earcon(severity), RATE).samples) / RATE + EARCON_GAP_S
    for severity in (1, 2, 3)
}
"""Seconds from the first sample of a warning to its first word, by severity."""
SEVERITIES = {"notice": 1, "warning": 2, "critical": 3}


class NotedVoice:
    """A voice that notes which utterances began with an earcon."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.with_earcon: set[str] = set()

    def render(self, utterance: Utterance) -> Audio:
        """Render it as the renderer does. Raises SynthesisError."""
        if utterance.earcon is not None:
            self.with_earcon.add(utterance.id)
        return self._renderer.render(utterance)


class SoundTimes:
    """A sink that keeps when something sounds."""

    def __init__(self) -> None:
        self._sounds: list[tuple[float, float]] = []

    @property
    def sounds(self) -> tuple[tuple[float, float], ...]:
        return tuple(self._sounds)

    def place(self, audio: Audio, at_s: float) -> None:
        """Note the sound; one that still sounds ends."""
        # The replay, like the loudspeaker, has one voice: a new sound ends the one before.
        self.cut(at_s)
        self._sounds.append((at_s, at_s + audio.duration_s))

    def cut(self, at_s: float) -> None:
        """End the present sound."""
        if self._sounds and self._sounds[-1][1] > at_s:
            self._sounds[-1] = (self._sounds[-1][0], at_s)

    def close(self, at_s: float) -> None:
        """Holds nothing."""


def evaluate_speech(
    settings: Settings, clips: Sequence[LabelledClip]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The figures by way of speaking ("en, tags"), and the same for each clip ("en, tags: clip.mp4").

    Raises CameraUnusable, SynthesisError.
    """
    model = load_model(settings)
    heard: dict[str, list[tuple[LabelledClip, HeardClip]]] = {}
    with ExitStack() as stack:
        voices = []
        for language in LANGUAGES:
            # Hazards' words, the voice and the describer all follow this one setting.
            speech = settings.speech.model_copy(update={"language": language})
            spoken = settings.model_copy(update={"speech": speech})
            synthesizer = stack.enter_context(EspeakSynthesizer(speech))
            voices.append((language, spoken, build_renderer(spoken, synthesizer)))
        for clip in clips:
            # Every way of speaking is shown the same pictures: they are encoded once.
            cached = CachedModel(model)
            for (language, spoken, renderer), describer in product(voices, DESCRIBERS):
                one = hear(spoken, cached, renderer, describer, clip)
                heard.setdefault(f"{language}, {describer}", []).append((clip, one))
    by_clip = {
        f"{name}: {clip.path.name}": speech_figures([(clip, one)])
        for name, ones in heard.items()
        for clip, one in ones
    }
    return {name: speech_figures(ones) for name, ones in heard.items()}, by_clip


def hear(
    settings: Settings, model: ImageTextModel, renderer: Renderer, describer: str, clip: LabelledClip
) -> HeardClip:
    """Replay one clip with the voice of `renderer`. Raises CameraUnusable."""
    events: list[Event] = []
    sink, voice = SoundTimes(), NotedVoice(renderer)
    camera = open_recorded(settings, str(clip.path))
    words = builtin_words()
    try:
        build_replay(
            settings=settings,
            # A detector for each clip: its baseline and static-scene check remember earlier frames.
            bundle=build_detector(settings, model),
            voice=voice,
            sink=sink,
            describer=ScriptedDescriber(words) if describer == "scripted" else tags_describer(model),
            write=events.append,
        ).run(camera)
    finally:
        camera.close()
    log.info("%s, %s, %s: heard", settings.speech.language, describer, clip.path.name)
    return heard_clip(events, sink.sounds, settings.speech.language, voice.with_earcon)


def heard_clip(
    events: Iterable[Event],
    sounds: tuple[tuple[float, float], ...],
    language: str,
    with_earcon: Collection[str],
) -> HeardClip:
    """Extract the utterances from the events of a replay; the summary comes last.

    `with_earcon`: ids of the utterances that began with one.
    """
    # Listed once: an iterator would be empty after the first of the loops below.
    events = list(events)
    alerts = {e.id: _alert(e) for e in events if e.kind == "alert"}
    severities = {e.id: SEVERITIES[e.fields["severity"]] for e in events if e.kind == "alert"}
    warnings, descriptions = [], []
    for event in events:
        if event.kind != "speak" or not event.fields["text"]:
            continue
        text, cause = event.fields["text"], event.cause
        if event.fields["priority"] == "danger" and cause in alerts:
            # A listener knows the danger from its first word, and not from the earcon.
            first_word_s = event.t + (EARCONS_S[severities[cause]] if event.id in with_earcon else 0.0)
            warnings.append(SaidText(first_word_s, text, alerts[cause].hazard, cause))
        elif event.fields["priority"] == "text":
            descriptions.append(SaidText(event.t, text, None, cause))
    return HeardClip(
        duration_s=events[-1].fields["last_frame_s"],
        language=language,
        alerts=tuple(alerts.values()),
        clears=tuple(AlertTime(e.fields["hazard"], e.t) for e in events if e.kind == "clear"),
        warnings=tuple(warnings),
        descriptions=tuple(descriptions),
        sounds=sounds,
    )


def _alert(event: Event) -> RaisedAlert:
    fields = event.fields
    return RaisedAlert(
        event.id, fields["hazard"], event.t, fields["severity"] == "critical", bool(fields["again"])
    )
