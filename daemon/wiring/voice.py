"""Builds everything from text to loudspeaker: the instance's own, or another's on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common.child_process import ChildProcess
from common.spawn import ChildHandle
from daemon.config.settings import Settings
from daemon.control.paths import server_socket
from daemon.core.health import OK, Report
from daemon.core.health_sources import loudspeaker_report
from daemon.core.messages import CoreSpec
from daemon.paths import NAME
from daemon.runtime.engine import CoreRunner
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.metrics import Metrics
from daemon.runtime.phrase_prefetch import Phrase, PhrasePrefetch
from daemon.wiring.detector import enabled_hazards
from daemon.wiring.store import open_store
from pipeline.hazards import Hazard
from pipeline.wording import HEALTH, danger_phrases, own_phrases
from speech.playback.process_player import ProcessPlayer
from speech.playback.speaker import Speaker
from speech.synthesis.base import SynthesisError, Synthesizer
from speech.synthesis.espeak import ESPEAK_WORKER, EspeakSynthesizer, UnknownVoiceError
from speech.synthesis.renderer import Renderer
from speech.synthesis.with_deadline import DeadlineSynthesizer, open_neural
from speech.utterance import Priority

log = logging.getLogger(__name__)

HazardTexts = tuple[str, str]
"""The spoken text of a hazard, and its name alone ("" if that is taken from the text)."""


@dataclass(frozen=True, slots=True)
class Voice:
    """This instance's own synthesizers and loudspeaker; their threads run from the start."""

    synthesizer: EspeakSynthesizer
    neural: DeadlineSynthesizer | None
    """Speaks everything but alerts; None if `speech.engine` is "espeak"."""
    speaker: Speaker[ProcessPlayer]
    prefetch: PhrasePrefetch
    """Renders the other language's phrases in the background."""

    @property
    def player(self) -> ProcessPlayer:
        """The loudspeaker."""
        return self.speaker.player

    @property
    def alive(self) -> bool:
        """False if only a restart helps."""
        return self.player.alive and self.speaker.alive

    def close_synthesizers(self) -> None:
        """End their processes and the prefetch; the speaker is closed on its own."""
        self.prefetch.close()
        self.synthesizer.close()
        if self.neural is not None:
            self.neural.close()


@dataclass(frozen=True, slots=True)
class PreparedVoice:
    """Synthesizers whose danger phrases are ready; no loudspeaker yet."""

    synthesizer: EspeakSynthesizer
    neural: DeadlineSynthesizer | None
    renderer: Renderer

    def close(self) -> None:
        """End the processes of the synthesizers."""
        self.synthesizer.close()
        if self.neural is not None:
            self.neural.close()


def prepare_voice(settings: Settings, started: ChildHandle | None = None) -> PreparedVoice:
    """Open the synthesizers and prepare the phrases. Needs no model, so that it can run beside its loading.

    `started`: the process that synthesises, if it runs. Raises SynthesisError; HazardError; StoreError if
    the voice of `speech.engine` has not been pulled.
    """
    # Until the voice is returned, only this code can end the processes.
    with ExitStack() as opened:
        synthesizer = EspeakSynthesizer(settings.speech, ChildProcess(ESPEAK_WORKER, started=started))
        opened.callback(synthesizer.close)
        neural = open_neural(settings.speech, synthesizer, open_store(settings).path)
        if neural is not None:
            opened.callback(neural.close)
        language = settings.speech.language
        texts = _texts(enabled_hazards(settings), language)
        renderer = build_renderer(settings, synthesizer, neural)
        try:
            _prepare(renderer, texts, language)
        # A voice that an update of espeak-ng took away must not end the warnings.
        except UnknownVoiceError as error:
            log.warning("%s; the usual voice speaks in its place", error)
            usual = settings.speech.model_copy(update={"voice": "auto"})
            renderer = build_renderer(settings.model_copy(update={"speech": usual}), synthesizer, neural)
            _prepare(renderer, texts, language)
        opened.pop_all()
        return PreparedVoice(synthesizer, neural, renderer)


def build_voice(
    *,
    prepared: PreparedVoice,
    settings: Settings,
    runner: CoreRunner,
    metrics: Metrics,
    fallback: Path,
    clock: Callable[[], float],
    started: ChildHandle | None = None,
) -> Voice:
    """Build everything from text to loudspeaker; the danger phrases are prepared already.

    `fallback`: WAV file that gets the sound while there is no loudspeaker. `started`: the process that owns
    the loudspeaker, if it runs already.
    """
    synthesizer, neural, renderer = prepared.synthesizer, prepared.neural, prepared.renderer
    speaker = Speaker(
        renderer=renderer,
        open_player=lambda on_event: ProcessPlayer(
            settings.speech, on_event, fallback=fallback, started=started
        ),
        report=lambda event, at_s: runner.step(event, {"output_s": at_s - clock()}),
        on_output_change=lambda change: runner.step(loudspeaker_report(change)),
        on_synthesis=partial(metrics.record, "synthesise"),
        on_voice_change=lambda why: runner.step(Report("voice", "failed" if why else OK, why)),
    )
    # In the background: another instance may forward utterances in the other language.
    prefetch = PhrasePrefetch()
    prefetch.prefetch(renderer, other_phrases(enabled_hazards(settings), settings.speech.language))
    return Voice(synthesizer=synthesizer, neural=neural, speaker=speaker, prefetch=prefetch)


def replace_voice(voice: Voice, settings: Settings, spec: CoreSpec, hazards: Sequence[Hazard]) -> None:
    """Prepare the phrases of other settings, then speak with them. Raises SynthesisError; nothing changes."""
    # A new renderer: the present one is used until all phrases of the new one are ready.
    renderer = build_renderer(settings, voice.synthesizer, voice.neural)
    prepare_phrases(renderer, spec)
    voice.speaker.replace_renderer(renderer)
    voice.prefetch.prefetch(renderer, other_phrases(hazards, spec.language))


def build_forwarder(
    *, settings: Settings, runner: CoreRunner, env: Mapping[str, str], clock: Callable[[], float]
) -> Forwarder:
    """Build the connection to the instance on this machine whose loudspeaker is used."""
    control = settings.control
    return Forwarder(
        name=control.instance or NAME,
        socket=server_socket(env, settings.paths.state, control.forward_to),
        # The other instance measures the latency of its own loudspeaker; here it is not known.
        on_playback=partial(runner.step, timing={"output_s": 0.0}),
        report=runner.step,
        clock=clock,
    )


def build_renderer(
    settings: Settings, synthesizer: Synthesizer, neural: Synthesizer | None = None
) -> Renderer:
    """Build the renderer; prepared phrases are kept in the cache folder."""
    return Renderer(settings.speech, settings.paths.cache / "phrases", synthesizer, neural)


def prepare_phrases(renderer: Renderer, spec: CoreSpec) -> None:
    """Render every danger phrase, so that none is synthesised when it is needed. Raises SynthesisError.

    The phrases about the program itself are prepared too; a failure of these is only logged.
    """
    _prepare(renderer, [(hazard.say, hazard.call) for hazard in spec.hazards], spec.language)


def _texts(hazards: Iterable[Hazard], language: str) -> list[HazardTexts]:
    return [(hazard.say[language], hazard.call.get(language, "")) for hazard in hazards]


def _prepare(renderer: Renderer, texts: Iterable[HazardTexts], language: str) -> None:
    renderer.prepare(_danger_phrases(texts, language))
    try:
        renderer.prepare(_own_phrases(language))
    # Not as vital as the danger phrases: these words are then synthesised when they are needed.
    except SynthesisError as error:
        log.warning("the phrases about failing parts are not prepared: %s", error)


def other_phrases(hazards: Sequence[Hazard], own: str) -> Iterator[Phrase]:
    """The prepared phrases of all other languages: another instance may forward them."""
    for language in HEALTH:
        if language != own:
            yield from _danger_phrases(_texts(hazards, language), language)
            yield from _own_phrases(language)


def _danger_phrases(texts: Iterable[HazardTexts], language: str) -> list[Phrase]:
    phrases = (phrase for say, call in texts for phrase in danger_phrases(say, language, call))
    # `fromkeys` removes phrases that hazards share, and keeps their order.
    return [(phrase, language, Priority.DANGER) for phrase in dict.fromkeys(phrases)]


def _own_phrases(language: str) -> list[Phrase]:
    return [(text, language, Priority.MESSAGE) for text in own_phrases(language)]
