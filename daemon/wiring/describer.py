"""Builds the describer and the encoder that compares its sentences."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from daemon.config.settings import Settings
from daemon.core.view import SentenceEncoder, no_encoder
from daemon.wiring.models import machine_name, pulled_at
from daemon.wiring.store import open_store
from pipeline.description import factory as describers
from pipeline.description.fallback import StaticDescriber
from pipeline.description.similarity import SentenceVector
from pipeline.description.speed import Circumstances, SpeedRecorder, current_speed, read_speed
from pipeline.description.status import WatchedDescriber
from pipeline.description.template import PlaceFinder, TemplateDescriber, builtin_words
from pipeline.models.base import ImageTextModel
from pipeline.models.starter.errors import StarterUnusableError
from pipeline.store.catalogue.vlms import known_models
from pipeline.store.errors import StoreError

log = logging.getLogger(__name__)


def build_describer(
    settings: Settings, model: ImageTextModel, *, idle: bool = True
) -> WatchedDescriber | None:
    """Build the describer of the settings, or None if `describe.backend` is "off".

    `idle`: run it with SCHED_IDLE, as beside the detector.
    """
    words = builtin_words()
    return describers.build(
        settings.describe,
        language=settings.speech.language,
        tags=TemplateDescriber(words, PlaceFinder(model, words)),
        locate=open_store(settings).path,
        cache=settings.paths.cache,
        words=words,
        idle=idle,
        slow=lambda name: slow_reason(settings, name),
        timed=partial(_recorder, settings),
    )


def _recorder(settings: Settings, name: str) -> SpeedRecorder:
    return SpeedRecorder(settings.paths.state, name, describer_circumstances(settings, name))


def slow_reason(settings: Settings, name: str) -> str:
    """Why a describer is too slow on this machine; empty if it is not, or if that is not known."""
    # Most were never timed: what their speed depends on need not be looked up.
    if read_speed(settings.paths.state, name) is None:
        return ""
    speed = current_speed(settings.paths.state, name, describer_circumstances(settings, name))
    return speed.turned_down(settings.describe.deadline_s) if speed else ""


def slow_describers(settings: Settings) -> Mapping[str, str]:
    """The reason of each describer in the store that `auto` turns down for its speed."""
    reasons = {name: slow_reason(settings, name) for name in known_models()}
    return {name: reason for name, reason in reasons.items() if reason}


def describer_circumstances(settings: Settings, name: str) -> Circumstances:
    """What a describer's speed depends on here."""
    describe = settings.describe
    machine = f"{machine_name()}, {describe.device}"
    return Circumstances(pulled_at(settings, name), machine, describe.deadline_s)


def tags_describer(model: ImageTextModel) -> WatchedDescriber:
    """Build the describer that needs no model of its own."""
    words = builtin_words()
    return StaticDescriber(TemplateDescriber(words, PlaceFinder(model, words)))


def build_sentence_encoder(settings: Settings) -> SentenceEncoder:
    """The starter's text encoder, whichever model detects; without it, sentences are compared by words.

    It is loaded with the first sentence: it takes a quarter of a second and 65 MB, which a start without
    descriptions need not spend. Used by one thread.
    """
    loaded: list[SentenceEncoder] = []

    def encode(sentence: str) -> SentenceVector:
        if not loaded:
            loaded.append(_load_sentence_encoder(settings))
        try:
            return loaded[0](sentence)
        except StarterUnusableError as error:
            log.warning("sentences are compared by their words: %s", error)
            loaded[0] = no_encoder
            return no_encoder(sentence)

    return encode


def _load_sentence_encoder(settings: Settings) -> SentenceEncoder:
    from pipeline.models.starter.model import TEXT_FILE, TOKENIZER_FILE
    from pipeline.models.starter.text_encoder import TextEncoder

    try:
        folder = open_store(settings).path("starter")
        encoder = TextEncoder(folder / TEXT_FILE, folder / TOKENIZER_FILE, settings.paths.cache)
    except (StoreError, StarterUnusableError) as error:
        # The starter may not be pulled; comparing words is worse, yet enough to avoid repetitions.
        log.warning("sentences are compared by their words: %s", error)
        return no_encoder
    return lambda sentence: tuple(encoder.encode([sentence])[0].tolist())
