"""The `[capture]` section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class CaptureSettings(BaseModel, frozen=True, extra="forbid"):
    """Where pictures come from and how they are turned upright."""

    source: str = Field(
        "auto",
        description="auto | demo | 0 | /dev/v4l/by-id/... | rtsp://... | rtmp://... | http://... | a file | a folder; "
        "auto takes the first camera, else the demo clip",
    )
    rotate: Literal[0, 90, 180, 270] = Field(0, description="degrees clockwise until the picture is upright")
    mirror: bool = Field(False, description="swap left and right (a camera that delivers a mirror image)")
    max_side: int = Field(1280, ge=64, le=7680, description="pixels; larger pictures are scaled down to this")
    folder_fps: float = Field(1.0, gt=0, le=60, description="pictures a second when the source is a folder")
