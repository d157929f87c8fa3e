"""Fakes of devices and models: simple, but working implementations of the protocols."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from capture.frame import Frame, Image
from daemon.core.health import HealthSettings
from daemon.core.messages import CoreSpec, HazardSpec
from pipeline.description.base import DescribeError, DescribeRequest
from pipeline.description.status import DescriberStatus, Phase
from pipeline.models.base import EmbeddingGeometry, Scores
from pipeline.settings import DescribeSettings, SceneSettings, WatchSettings
from pipeline.types import Assessment, Encoding, Probabilities, PromptSet, Severity
from speech.settings import OutboxSettings
from speech.sound.audio import Audio
from speech.synthesis.base import SynthesisError
from speech.utterance import Utterance

COLOURS = {"fire": (0, 0, 255), "vehicle": (255, 0, 0), "dog": (0, 255, 0)}
"""BGR colour by which `ColourModel` recognises a hazard."""


SCENE = SceneSettings(distance=0.25, settle_distance=0.08)
"""Scene settings with distances that fit `ColourModel`."""


def core_spec(**changes: object) -> CoreSpec:
    """A core that knows three hazards."""
    severities = {"fire": Severity.CRITICAL, "vehicle": Severity.WARNING, "dog": Severity.NOTICE}
    spec = CoreSpec(
        language="en",
        hazards=tuple(
            HazardSpec(name=name, severity=int(s), threshold=0.5, say=f"Stop! {name}{{where}}.")
            for name, s in severities.items()
        ),
        watch=WatchSettings(),
        scene=SCENE,
        describe=DescribeSettings(),
        health=HealthSettings(),
        outbox=OutboxSettings(),
    )
    return spec.model_copy(update=changes)


def assessment(
    seq: int, t: float, fire: float = 0.01, vehicle: float = 0.01, dog: float = 0.01, view: int = 0
) -> Assessment:
    """The assessment of one frame, with `core_spec`'s hazards. Another `view` (0 to 7) is another scene."""
    embedding = np.zeros(8, np.float32)
    embedding[view] = 1
    return Assessment(seq, t, Encoding(embedding), np.array([fire, vehicle, dog], np.float32))


@dataclass(slots=True)
class ListCamera:
    """Delivers given pictures at a steady rate."""

    pictures: Iterable[Image]
    fps: float = 25.0
    source: str = "list"
    live: bool = False
    closed: bool = False
    _frames: Iterator[tuple[int, Image]] = field(init=False)

    def __post_init__(self) -> None:
        self._frames = iter(enumerate(self.pictures))

    def read(self) -> Frame | None:
        seq, picture = next(self._frames, (-1, None))
        if picture is None:
            return None
        return Frame(picture, (picture.shape[1], picture.shape[0]), seq, seq / self.fps, self.source)

    def close(self) -> None:
        self.closed = True


class ColourBank:
    """Scores an embedding by its similarity to each hazard's colour, as log-odds."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.fingerprint = hashlib.sha256(repr(names).encode()).hexdigest()
        self._rows = np.array([COLOURS.get(n, (0, 0, 0)) for n in names], np.float32).reshape(-1, 3) / 255

    def scores(self, encoding: Encoding) -> Scores:
        # 0.75 lies between the similarity of a picture in that colour (near 1) and of a grey one (0.58).
        return np.asarray((self._rows @ encoding.embedding - 0.75) * 20, np.float32)


class ColourModel:
    """An image-text model that knows colours: the embedding is the mean colour, unit length."""

    name = "colour"
    fingerprint = "colour-1"
    device = "CPU"
    geometry = EmbeddingGeometry(scene_distance=0.25, settle_distance=0.08)

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return 8, 8

    def encode(self, image: Image) -> Encoding:
        mean = image.reshape(-1, 3).mean(0).astype(np.float32) + 1e-3
        return Encoding(np.asarray(mean / np.linalg.norm(mean), np.float32))

    def bind(self, prompts: PromptSet) -> ColourBank:
        return ColourBank(prompts.names)


class Logistic:
    """Turns log-odds into probabilities without a calibration."""

    def probabilities(self, scores: Scores) -> Probabilities:
        return np.asarray(1 / (1 + np.exp(-scores)), np.float32)


def plain(colour: tuple[int, int, int], side: int = 32) -> Image:
    """A picture of one colour with soft patches, always the same. Fine ones would count as noise."""
    picture = np.full((side, side, 3), colour, np.int16)
    patches = np.random.default_rng(0).integers(-40, 40, (8, 8, 3)).astype(np.float32)
    picture += cv2.resize(patches, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.int16)
    return np.clip(picture, 0, 255).astype(np.uint8)


@dataclass(slots=True)
class FakeVoice:
    """Renders every text to a tone as long as its words take; fails for texts in `mute`."""

    seconds_a_word: float = 0.3
    mute: frozenset[str] = frozenset()
    said: list[Utterance] = field(default_factory=list)

    def render(self, utterance: Utterance) -> Audio:
        if utterance.text in self.mute:
            raise SynthesisError("no voice for this text")
        self.said.append(utterance)
        seconds = self.seconds_a_word * len(utterance.text.split())
        return Audio(np.full((int(seconds * 8000), 2), 1000, np.int16), 8000)


@dataclass(slots=True)
class FakeSink:
    """Records each sound with the time at which it was placed."""

    placed: list[tuple[float, Audio]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)
    closed_at_s: float | None = None

    def place(self, audio: Audio, at_s: float) -> None:
        self.placed.append((at_s, audio))

    def cut(self, at_s: float) -> None:
        self.cuts.append(at_s)

    def close(self, at_s: float) -> None:
        self.closed_at_s = at_s


@dataclass(slots=True)
class FakeDescriber:
    """Answers with given sentences, or fails."""

    sentences: tuple[str, ...] = ("A quiet street.",)
    failure: str | None = None
    model: str = "fake"
    asked: list[DescribeRequest] = field(default_factory=list)
    status: DescriberStatus = field(default=DescriberStatus(Phase.READY))

    @property
    def calls(self) -> int:
        return len(self.asked)

    def wait_ready(self, timeout_s: float) -> bool:
        return True

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        self.asked.append(request)
        if self.failure:
            raise DescribeError(self.failure)
        yield from self.sentences

    def cancel(self) -> None: ...

    def close(self) -> None: ...
