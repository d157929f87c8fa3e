"""The `[journal]` section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class JournalSettings(BaseModel, frozen=True, extra="forbid"):
    """What is kept of what happened, in the state folder, and for how long. It never leaves the machine."""

    enabled: bool = Field(
        True, description="false keeps nothing from now on; `watchword journal purge` forgets"
    )
    keep_days: float = Field(14.0, gt=0, le=3650, description="days after which everything is forgotten")
    keep_mb: int = Field(
        500, ge=2, le=1_000_000, description="megabytes all of it may take; the oldest goes first"
    )
    leave_free_mb: int = Field(
        100, ge=0, le=1_000_000, description="megabytes of the disk left to others; with less nothing is kept"
    )
    pictures: Literal["off", "pixelated", "full"] = Field(
        "full",
        description="off | pixelated | full; of alerts and of views described; pixelated cannot be undone",
    )
    picture_side: int = Field(640, ge=64, le=1920, description="pixels of a picture's longer side at most")
    picture_quality: int = Field(75, ge=10, le=95, description="JPEG quality of pictures")
    pixel_blocks: int = Field(
        32, ge=4, le=64, description="blocks along the longer side of a pixelated picture; fewer hide more"
    )
    black_boxes: bool = Field(
        True, description="keep the minute around an alert as numbers, so that its decision can be repeated"
    )
    black_box_after_s: float = Field(
        5.0, ge=0, le=30, description="seconds after the alert that are in its black box too"
    )
    black_box_every_s: float = Field(
        60.0,
        ge=1,
        le=3600,
        description="seconds at least between two black boxes; each reaches back a minute",
    )
    black_box_mb: int = Field(
        100, ge=1, le=1_000_000, description="megabytes of keep_mb that black boxes may take"
    )
