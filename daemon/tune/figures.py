"""The figures that a plan is made from, as they were measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CameraKind = Literal["device", "stream", "none"]
"""A device is asked for a size and a rate; a stream has its own, and a file needs none."""


def kind_of(device: str) -> str:
    """`GPU` of `GPU.1`: devices of one kind share drivers, and mostly the hardware."""
    kind = device.partition(".")[0].partition(":")[0].upper()
    # torch's name for an Intel GPU.
    return "GPU" if kind == "XPU" else kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorFigures:
    """One image-text model on one device in one precision, with the starter if that votes beside it."""

    model: str
    device: str
    precision: str = "float"
    threads: int = 0
    """Of the encoder; 0 if OpenVINO chose."""
    ms: float = 0.0
    """Median time of a 720p picture, from the picture to the embedding."""
    p95_ms: float = 0.0
    cpu_ms: float = 0.0
    """Processor time of a picture, summed over the cores."""
    load_s: float = 0.0
    outdated: tuple[str, ...] = ()
    """Calibrations and lessons of the user that do not belong to the model in this precision."""
    refused: str = ""
    """Why it may not be taken, such as wrong numbers; empty if it may."""

    @property
    def fps(self) -> float:
        """Pictures a second, one after the other; 0 if it was not measured."""
        return 1000 / self.ms if self.ms > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriberFigures:
    """One vision-language model on one device, alone on the machine."""

    model: str
    device: str
    backend: str = "openvino"
    image_side: int = 448
    load_s: float = 0.0
    first_token_s: float = 0.0
    first_sentence_s: float = 0.0
    tokens_per_s: float = 0.0
    memory_mb: float = 0.0
    refused: str = ""
    """Why it may not be taken; empty if it may."""


@dataclass(frozen=True, slots=True)
class CameraSize:
    """A size that camera devices offer, and the time to decode a JPEG picture of it."""

    width: int
    height: int
    decode_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The machine and the settings that a plan is for."""

    cores: int = 2
    battery: bool = False
    """Plan for running on the battery."""
    hottest_c: float | None = None
    """Highest temperature of the processor while it was measured; None if nothing measures it."""
    camera: CameraKind = "device"
    camera_fps: float = 30.0
    """Pictures a second that the camera is expected to send."""
    camera_size: tuple[int, int] = (1280, 720)
    """The size that is asked of it today."""
    sizes: tuple[CameraSize, ...] = ()
    deadline_s: float = 7.0
    """Seconds that a describer has for its first sentence."""
    model_setting: str = "auto"
    """`pipeline.model`."""
    image_side: int = 448
    """`describe.image_side`."""
