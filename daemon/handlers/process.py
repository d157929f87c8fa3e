"""The commands `process` and `try`, carried out in the worker process at a low priority."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from daemon.config.settings import Settings
from daemon.control.commands import ProcessCommand, TryCommand
from daemon.core.black_box import Recording
from daemon.errors import CommandError
from daemon.handlers.requests import Handler
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from daemon.runtime.description_loop import DescriptionLoop, ExternalDescription
from daemon.wiring.worker import settings_for_worker
from daemon.worker.client import TURN_S, WorkerClient, WorkerSession
from daemon.worker.image_report import TRIGGERS
from daemon.worker.what_if import Minute
from pipeline.description.answer.permission import with_caution
from pipeline.description.base import DescribeRequest, DetectedHazard
from pipeline.description.template import TemplateDescriber
from pipeline.reading.passages import MODEL, asks_to_read

LEAST_DESCRIBE_S = 0.5
"""Seconds: with less time left than this, the describer is not asked."""


@dataclass(frozen=True, slots=True)
class InspectedImage:
    """The worker's report on a picture."""

    facts: Mapping[str, Any]
    pixels: bytes
    """BGR, of `facts["size"]`."""


class ProcessHandler:
    """Answers both commands, in the client's thread."""

    def __init__(
        self,
        *,
        worker: WorkerClient,
        description_loop: DescriptionLoop,
        snapshot: Callable[[], Recording],
        settings: Callable[[], Settings],
        model: str,
        journal: JournalPaths,
    ) -> None:
        """`model`: the image-text model of the detector, which the worker uses for external pictures too."""
        self._journal = journal
        self._worker = worker
        self._description_loop = description_loop
        self._snapshot = snapshot
        self._settings = settings
        self._model = model

    def load_ahead(self) -> None:
        """Have the worker load its model now, so that the first picture need not wait; never raises."""
        self._worker.load_ahead(settings=settings_for_worker(self._settings(), self._model))

    def handlers(self) -> Mapping[str, Handler]:
        """By the name of the command; each raises CommandError."""
        return {"process": self.process, "try": self.what_if}

    def what_if(self, wanted: TryCommand) -> Mapping[str, Any]:
        """The alerts of a minute with the thresholds that held, and with others."""
        if wanted.row is not None:
            with reading(self._journal) as reader:
                file = reader.recording_file(wanted.row)
            with self._worker.open_session() as session:
                return session.request("what_if_recorded", file=str(file), thresholds=wanted.thresholds)[0]
        with self._worker.open_session() as session:
            minute = Minute.of(self._snapshot())
            # Refused here and not in the worker: a typing mistake must not cost a second of computing.
            unknown = wanted.thresholds.keys() - {hazard.name for hazard in minute.hazards}
            if unknown:
                raise CommandError(f"no hazard is called {', '.join(sorted(unknown))}", "unknown")
            header, numbers = minute.encode()
            return session.request("what_if", numbers, minute=header, thresholds=wanted.thresholds)[0]

    def process(self, wanted: ProcessCommand) -> Mapping[str, Any]:
        """The objects and hazards on a picture, and a description of it."""
        settings = self._settings()
        language = wanted.language or settings.speech.language
        with self._worker.open_session(TURN_S) as session:
            session.request("ready", settings=settings_for_worker(settings, self._model))
            loaded_s = session.spent_s
            image = self._inspect(session, wanted, language, settings)
            read = self._read(session, wanted, language, settings)
            description = None
            if read is None:
                description = self._describe(session, wanted, image, language, settings)
            if description and description.model == TemplateDescriber.model:
                # The worker's own sentence also names the objects.
                description = None
            text = description.text if description else str(image.facts["said"])
            text = " ".join(one["text"] for one in read) if read else text
            # Whichever model answered: a question about safety gets the safety notice.
            text = with_caution(text, wanted.text, language)
            if read is None and (asks := str(image.facts["asks"])):
                text = f"{text} {asks}"
            timings = {
                "wait_s": round(loaded_s + (description.waited_s if description else 0.0), 4),
                "recognise_s": image.facts["recognise_s"],
                "describe_s": round(description.took_s if description else 0.0, 4),
            }
            wav = None
            if wanted.speech:
                tree = settings_for_worker(settings, self._model)
                facts, sound = session.request("speak", text=text, language=language, settings=tree)
                timings["speech_s"], wav = facts["speech_s"], sound.decode("ascii")
        model = description.model if description else TemplateDescriber.model
        return {
            **{name: image.facts[name] for name in ("objects", "hazards", "prompt", "image_text_model")},
            "text": text,
            "language": language,
            "model": MODEL if read else model,
            **({"prompt": "read", "read": read} if read else {}),
            "timings": timings,
            **({"wav": wav} if wav else {}),
        }

    def _inspect(
        self, session: WorkerSession, wanted: ProcessCommand, language: str, settings: Settings
    ) -> InspectedImage:
        facts, pixels = session.request(
            "inspect",
            wanted.picture.encode(),
            objects=list(wanted.objects),
            text=wanted.text,
            language=language,
            side=settings.describe.image_side,
            most_pixels=settings.worker.most_pixels,
        )
        return InspectedImage(facts, pixels)

    def _read(
        self, session: WorkerSession, wanted: ProcessCommand, language: str, settings: Settings
    ) -> Sequence[Mapping[str, str]] | None:
        """The words in the picture, passage by passage; None if they are not asked for."""
        if not (wanted.read or asks_to_read(wanted.text)):
            return None
        most = settings.worker.most_pixels
        facts, _ = session.request("read", wanted.picture.encode(), language=language, most_pixels=most)
        passages: Sequence[Mapping[str, str]] = facts["passages"]
        return passages

    def _describe(
        self,
        session: WorkerSession,
        wanted: ProcessCommand,
        image: InspectedImage,
        language: str,
        settings: Settings,
    ) -> ExternalDescription | None:
        """The daemon's describer's answer; None if it has no time or speaks another language."""
        # One second of the deadline is kept for the answer itself.
        wait_s = min(session.left_s - 1.0, settings.worker.describe_s)
        # The running describer is loaded for one language.
        if language != settings.speech.language or wait_s < LEAST_DESCRIBE_S:
            return None
        facts = image.facts
        request = DescribeRequest(
            id="external",
            image=np.frombuffer(image.pixels, np.uint8).reshape(*facts["size"], 3),
            trigger=TRIGGERS[facts["prompt"]],
            language=language,
            seen=tuple(
                DetectedHazard(hazard, probability, called=called)
                for hazard, probability, called in facts["seen"]
            ),
            hazard=facts["hazard"],
            question=wanted.text,
            known=tuple(
                one["name"] for one in facts["objects"] if one["score"] is None and not one["hazard"]
            ),
            deadline_s=wait_s,
        )
        return self._description_loop.describe_external(request, wait_s)
