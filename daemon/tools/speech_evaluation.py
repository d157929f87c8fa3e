"""Replays labelled clips with the real voice and measures the speech that a listener would have heard."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from typing import Any

from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.tools.cached_model import cached
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
from speech.sound.earcons import lead_s
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Utterance

log = logging.getLogger(__name__)

DESCRIBERS = ("tags", "scripted")


class Listener:
    """A voice and a sink that keep when each sound is heard, and when the first word of each utterance is."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._sounds: list[tuple[float, float]] = []
        self._rendered: tuple[str, float] = ("", 0.0)
        self._words: list[tuple[str, float]] = []

    @property
    def sounds(self) -> tuple[tuple[float, float], ...]:
        """Begin and end of each sound, in order."""
        return tuple(self._sounds)

    @property
    def first_words_s(self) -> Mapping[str, float]:
        """The time at which the first word of an utterance began, by its id. One cut off before has none."""
        ends = (end for _, end in self._sounds)
        heard = [(id, at_s) for (id, at_s), end in zip(self._words, ends, strict=True) if end > at_s]
        # Backwards: of an utterance that was resumed, the first time counts.
        return dict(reversed(heard))

    def render(self, utterance: Utterance) -> Audio:
        """Render it as the renderer does. Raises SynthesisError."""
        self._rendered = (utterance.id, lead_s(utterance.earcon))
        return self._renderer.render(utterance)

    def place(self, audio: Audio, at_s: float) -> None:
        """Note the sound that was rendered last; one that still sounds ends."""
        # The replay, like the loudspeaker, has one voice: a new sound ends the one before.
        self.cut(at_s)
        id, lead = self._rendered
        self._sounds.append((at_s, at_s + audio.duration_s))
        self._words.append((id, at_s + lead))

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
            known = cached(model)
            for (language, spoken, renderer), describer in product(voices, DESCRIBERS):
                one = hear(spoken, known, renderer, describer, clip)
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
    listener = Listener(renderer)
    camera = open_recorded(settings, str(clip.path))
    words = builtin_words()
    try:
        build_replay(
            settings=settings,
            # A detector for each clip: its baseline and static-scene check remember earlier frames.
            bundle=build_detector(settings, model),
            voice=listener,
            sink=listener,
            describer=ScriptedDescriber(words) if describer == "scripted" else tags_describer(model),
            write=events.append,
        ).run(camera)
    finally:
        camera.close()
    log.info("%s, %s, %s: heard", settings.speech.language, describer, clip.path.name)
    return heard_clip(events, listener.sounds, settings.speech.language, listener.first_words_s)


def heard_clip(
    events: Iterable[Event],
    sounds: tuple[tuple[float, float], ...],
    language: str,
    first_words_s: Mapping[str, float],
) -> HeardClip:
    """Extract the utterances from the events of a replay; the summary comes last.

    `first_words_s`: when the first word of an utterance began, by its id.
    """
    # Listed once: an iterator would be empty after the first of the loops below.
    events = list(events)
    alerts = {e.id: _alert(e) for e in events if e.kind == "alert"}
    warnings, descriptions = [], []
    for event in events:
        if event.kind != "speak" or not event.fields["text"]:
            continue
        text, cause = event.fields["text"], event.cause
        if event.fields["priority"] == "danger" and cause in alerts:
            # A listener knows the danger from its name, and not from the earcon. Each of several that come at
            # once is an utterance of its own, and its first word is its own name.
            if event.id in first_words_s:
                warnings.append(SaidText(first_words_s[event.id], text, alerts[cause].hazard, cause))
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
