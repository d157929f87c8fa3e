"""The commands `process` and `try`, carried out in the backroom: they cost the daemon next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from daemon.config.settings import Settings
from daemon.control.commands import ProcessCommand, TryCommand
from daemon.core.black_box import Recording
from daemon.errors import CommandError
from daemon.runtime.description_loop import DescriptionLoop, ExternalDescription
from daemon.worker.client import WorkerClient, WorkerSession
from daemon.worker.image_report import TRIGGERS
from daemon.worker.what_if import Minute
from pipeline.description.base import DescribeRequest, DetectedHazard
from pipeline.description.template import TemplateDescriber

Handler = Callable[[Any], Mapping[str, Any]]

LEAST_DESCRIBE_S = 0.5
"""Seconds below which a describer is not even asked."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What the backroom made of a picture."""

    facts: Mapping[str, Any]
    pixels: bytes
    """BGR, of `facts["size"]`."""


class ProcessHandler:
    """Answers both commands, in the thread of whoever asks."""

    def __init__(
        self,
        backroom: WorkerClient,
        narrator: DescriptionLoop | None,
        frozen: Callable[[], Recording],
        settings: Callable[[], Settings],
        model: str,
    ) -> None:
        """`model`: the image-text model that looks; guests' pictures are looked at by the same."""
        self._backroom = backroom
        self._narrator = narrator
        self._frozen = frozen
        self._settings = settings
        self._model = model

    def handlers(self) -> Mapping[str, Handler]:
        """By the name of the command; each raises CommandError."""
        return {"process": self.process, "try": self.what_if}

    def what_if(self, wanted: TryCommand) -> Mapping[str, Any]:
        """The alerts of the last minute as it was, and with other thresholds."""
        with self._backroom.visit() as visit:
            minute = Minute.of(self._frozen())
            unknown = wanted.thresholds.keys() - {hazard.name for hazard in minute.hazards}
            if unknown:
                raise CommandError(f"no hazard is called {', '.join(sorted(unknown))}", "unknown")
            header, numbers = minute.packed()
            return visit.ask("what_if", numbers, minute=header, thresholds=wanted.thresholds)[0]

    def process(self, wanted: ProcessCommand) -> Mapping[str, Any]:
        """What is on a picture, whether that is dangerous, and what is to be said of it."""
        settings = self._settings()
        language = wanted.language or settings.speech.language
        with self._backroom.visit() as visit:
            before_s = visit.left_s
            visit.ask("ready", settings=self._for_child(settings))
            loaded_s = visit.left_s
            looked = self._look(visit, wanted, language, settings)
            told = self._described(visit, wanted, looked, language, settings)
            if told and told.model == TemplateDescriber.model:
                told = None  # it knows less than the backroom, which has named the things as well
            text = told.text if told else str(looked.facts["said"])
            timings = {
                "wait_s": round(before_s - loaded_s + (told.waited_s if told else 0.0), 4),
                "recognise_s": looked.facts["recognise_s"],
                "describe_s": round(told.took_s if told else 0.0, 4),
            }
            wav = None
            if wanted.speech:
                tree = self._for_child(settings)
                facts, sound = visit.ask("speak", text=text, language=language, settings=tree)
                timings["speech_s"], wav = facts["speech_s"], sound.decode("ascii")
        return {
            **{name: looked.facts[name] for name in ("objects", "hazards", "prompt", "image_text_model")},
            "text": text,
            "language": language,
            "model": told.model if told else TemplateDescriber.model,
            "timings": timings,
            **({"wav": wav} if wav else {}),
        }

    def _look(
        self, visit: WorkerSession, wanted: ProcessCommand, language: str, settings: Settings
    ) -> LookedAt:
        facts, pixels = visit.ask(
            "look",
            wanted.picture.encode(),
            objects=list(wanted.objects),
            text=wanted.text,
            language=language,
            side=settings.describe.image_side,
            most_pixels=settings.worker.most_pixels,
        )
        return LookedAt(facts, pixels)

    def _described(
        self,
        visit: WorkerSession,
        wanted: ProcessCommand,
        looked: LookedAt,
        language: str,
        settings: Settings,
    ) -> ExternalDescription | None:
        """By the daemon's describer, where it has time and speaks the language; else by nobody."""
        wait_s = min(visit.left_s - 1.0, settings.worker.describe_s)
        if self._narrator is None or language != settings.speech.language or wait_s < LEAST_DESCRIBE_S:
            return None
        facts = looked.facts
        request = DescribeRequest(
            id="guest",
            image=np.frombuffer(looked.pixels, np.uint8).reshape(*facts["size"], 3),
            trigger=TRIGGERS[facts["prompt"]],
            language=language,
            seen=tuple(DetectedHazard(hazard, probability) for hazard, probability in facts["seen"]),
            hazard=facts["hazard"],
            question=wanted.text,
            known=tuple(
                one["name"] for one in facts["objects"] if one["score"] is None and not one["hazard"]
            ),
            deadline_s=wait_s,
        )
        return self._narrator.describe_external(request, wait_s)

    def _for_child(self, settings: Settings) -> Mapping[str, Any]:
        """The settings with the model that looks, on one core: devices are left to the camera."""
        tree = settings.model_dump(mode="json")
        tree["pipeline"] |= {"model": self._model, "device": "CPU", "threads": 1}
        tree["capture"]["source"] = "auto"  # may hold credentials
        return tree
