"""A core with a shell around it that answers at once, or only when told to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from daemon.core.core import Core
from daemon.core.messages import Assessed, DescribeView, Effect, Input, Record
from pipeline.description.policy import AnswerFinished, CancelDescription, SentenceReady
from pipeline.types import Direction, PartReading
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech, StopSpeech
from speech.utterance import Utterance
from tests.fakes import assessment, core_spec

FPS = 25


class World:
    """Feeds a core. The voice takes `talks_s` for everything; 0 is an instant voice."""

    def __init__(self, talks_s: float = 0.0, **spec: object) -> None:
        self.core = Core(core_spec(**spec))
        self.effects: list[Effect] = []
        self.heard: list[tuple[float, Utterance]] = []
        self.seq, self.now = 0, 0.0
        self._talks_s = talks_s
        self._speaking: tuple[float, str] | None = None
        self.views: list[str] = []

    def tell(self, *events: Input) -> World:
        """Steps whose sounds are carried out; views are only noted, for `describe`."""
        for event in events:
            for effect in self.core.step(event, self.now):
                self.effects.append(effect)
                self._carry_out(effect)
        return self

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case StartSpeech(utterance):
                self.heard.append((self.now, utterance))
                self._speaking = (self.now + self._talks_s, utterance.id)
                self.tell(PlaybackBegan(utterance.id))
                if not self._talks_s:
                    self.finish()
            case StopSpeech():
                self._speaking = None
            case CancelDescription(scene_id):
                self.tell(AnswerFinished(scene_id))
            case DescribeView(scene):
                self.views.append(scene.id)

    def finish(self) -> World:
        """What is being said comes to its end."""
        if self._speaking is not None:
            (_, id), self._speaking = self._speaking, None
            self.tell(PlaybackEnded(id))
        return self

    def watch(
        self, seconds: float, *, view: int = 0, sides: Mapping[str, Direction] | None = None, **p: float
    ) -> World:
        """So many seconds of frames; `sides` says where a hazard is seen when its part is looked at."""
        for _ in range(round(seconds * FPS)):
            self.now = self.seq / FPS
            if self._speaking is not None and self.now >= self._speaking[0]:
                self.finish()
            seen = assessment(self.seq, self.now, view=view, **p)
            self.tell(Assessed(replace(seen, parts=self._parts(sides or {}, p))))
            self.seq += 1
        return self

    def _parts(self, sides: Mapping[str, Direction], p: Mapping[str, float]) -> tuple[PartReading, ...]:
        if (focus := self.core.alert_policy.next_crop()) is None or not sides:
            return ()
        there = [p.get(n, 0.01) if sides.get(n) is focus else 0.01 for n in self.core.alert_policy.names]
        return (PartReading(focus, np.array(there, np.float32)),)

    def describe(self, *sentences: str) -> World:
        """The describer answers about the newest view."""
        scene_id = self.views[-1]
        return self.tell(*(SentenceReady(scene_id, s, "fake") for s in sentences), AnswerFinished(scene_id))

    def records(self, kind: str) -> list[dict[str, Any]]:
        events = [e.event for e in self.effects if isinstance(e, Record) and e.event.kind == kind]
        return [json.loads(e.to_json()) for e in events]

    @property
    def said(self) -> list[str]:
        """Every text that was heard, signs as their earcon in brackets."""
        return [u.text or f"[{u.earcon}]" for _, u in self.heard]
