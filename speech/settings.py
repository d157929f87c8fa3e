"""The `[speech]` section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class SpeechSettings(BaseModel, frozen=True, extra="forbid"):
    """How the voice sounds and how much it says."""

    language: Literal["en", "ko"] = Field("en", description="en | ko")
    rate_wpm: int = Field(180, ge=80, le=500, description="words a minute")
    volume: float = Field(1.0, ge=0, le=1, description="0 to 1")
    pitch: int = Field(50, ge=0, le=99, description="0 to 99; 50 is the voice's own")
    voice: str = Field("auto", description="the engine's name of a voice; auto takes its voice for the language")
    sample_rate: int = Field(22050, ge=8000, le=48000, description="hertz of the output")
