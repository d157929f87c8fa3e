"""The `[worker]` section."""

from __future__ import annotations

from pydantic import BaseModel, Field


class WorkerSettings(BaseModel, frozen=True, extra="forbid"):
    """Pictures that others hand in (POST /process) and thresholds being tried: one at a time, in a process
    that only runs while nobody else wants the processor.
    """

    enabled: bool = Field(True, description="false turns both away")
    deadline_s: float = Field(30.0, gt=0, le=300, description="seconds after which a guest is turned away")
    describe_s: float = Field(
        10.0,
        gt=0,
        le=120,
        description="of these, seconds the describer may take; the wearer's views go first",
    )
    memory_mb: int = Field(
        2048, ge=256, le=65536, description="megabytes that process may use; it takes no more than is free"
    )
    idle_s: float = Field(300.0, ge=1, le=86400, description="seconds without a guest until it is let go")
    most_pixels: int = Field(50_000_000, ge=10_000, le=120_000_000, description="pixels a picture may have")
