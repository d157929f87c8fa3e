"""The `[capture]` section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, field_validator

from common import addresses

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https")
"""The schemes of a camera's address."""


Facing = Literal["ahead", "left", "right", "back"]


class CaptureSettings(BaseModel, frozen=True, extra="forbid"):
    """The source of pictures, how they are turned upright, and when they count as faulty."""

    source: str = Field(
        "auto",
        description="auto | demo | 0 | /dev/v4l/by-id/... | rtsp://... | rtmp://... | http://... | a file | "
        "a folder; auto takes the first camera, else the demo clip (as a service it waits for one)",
    )
    rotate: Literal[0, 90, 180, 270] = Field(0, description="degrees clockwise until the picture is upright")
    facing: Facing = Field(
        "ahead",
        description="ahead | left | right | back, as seen by the wearer; a camera that does not look ahead "
        "gives its own side to all its dangers",
    )
    mirror: bool = Field(False, description="swap left and right (a camera that delivers a mirror image)")
    max_side: int = Field(1280, ge=64, le=7680, description="pixels; larger pictures are scaled down to this")
    folder_fps: float = Field(1.0, gt=0, le=60, description="pictures a second when the source is a folder")
    loop: bool = Field(False, description="begin a file or folder again when it ends (run, not replay)")
    device_width: int = Field(
        1280, ge=0, le=7680, description="pixels asked of a camera device; 0 its own choice"
    )
    device_height: int = Field(
        720, ge=0, le=4320, description="pixels asked of a camera device; 0 its own choice"
    )
    device_fps: int = Field(
        0, ge=0, le=240, description="pictures a second asked of a device; 0 its own choice"
    )
    open_timeout_s: float = Field(10.0, ge=1, le=120, description="seconds to open a camera or stream")
    read_timeout_s: float = Field(
        10.0, ge=1, le=120, description="seconds without a picture until a stream is opened again"
    )
    stall_s: float = Field(
        3.0, ge=0.5, le=60, description="seconds without a picture until the camera is lost"
    )
    retry_max_s: float = Field(
        5.0, ge=0.1, le=300, description="seconds at most between two attempts to open it"
    )
    slow_fps: float = Field(
        1.5, ge=0, le=30, description="fewer pictures a second than this are announced; 0 never"
    )
    inspect_interval_s: float = Field(
        0.25,
        ge=0,
        le=10,
        description="seconds between two looks at how dark, covered, blurred or frozen it is",
    )
    trouble_after_s: float = Field(
        2.0, ge=0, le=60, description="seconds a picture is dark, covered or blurred until it is announced"
    )
    trouble_clear_s: float = Field(
        1.0, ge=0, le=60, description="seconds it is good again until that is announced"
    )
    dark_luma: float = Field(
        14.0, ge=0, le=255, description="mean brightness, 0 to 255, below which it is dark"
    )
    covered_contrast: float = Field(
        5.0, ge=0, le=128, description="standard deviation of the brightness below which the lens is covered"
    )
    blurred_sharpness: float = Field(
        3.0,
        ge=0,
        le=255,
        description="standard deviation of the Laplacian at 320 pixels; below it is blurred",
    )
    frozen_s: float = Field(
        10.0, gt=0, le=600, description="seconds of exactly equal pictures until the camera counts as frozen"
    )

    @field_validator("source")
    @classmethod
    def _tidy_source(cls, source: str) -> str:
        # Checked with the settings, so that a typing error is shown with its line before any camera is
        # opened.
        bare = source.strip()
        # Not of files: a name may begin or end with a space.
        if bare in ("auto", "demo") or bare.isdecimal() or bare.startswith("/dev/"):
            return bare
        return addresses.normalize(source, SCHEMES) if addresses.is_address(source) else source
