"""The `[speech]` and `[speech.outbox]` sections."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from common.live_settings import Live, LiveVoice

Verbosity = Literal["alerts", "brief", "full"]
ClearEarcon = Literal["off", "critical", "all"]


class OutboxSettings(BaseModel, frozen=True, extra="forbid"):
    """Timeouts and queue sizes of the outbox."""

    waiting_limit: Live[int] = Field(16, ge=1, le=256, description="utterances that may wait at most")
    start_timeout_s: Live[float] = Field(
        3.0, gt=0, le=60, description="seconds an utterance may take to sound before it is given up"
    )
    longest_s: Live[float] = Field(
        30.0,
        gt=0,
        le=600,
        description="seconds an utterance may sound before it is cut, plus 0.5 s a character",
    )
    text_cuts_text: Live[bool] = Field(
        False, description="true cuts a description mid-sentence for a newer one"
    )


class SpeechSettings(BaseModel, frozen=True, extra="forbid"):
    """The sound of the voice, and how much it says."""

    language: Literal["en", "ko"] = Field("en", description="en | ko")
    rate_wpm: LiveVoice[int] = Field(180, ge=80, le=500, description="words a minute")
    danger_rate_wpm: LiveVoice[int] = Field(
        180, ge=80, le=500, description="words a minute of danger phrases; fast ones are misheard"
    )
    korean_rate: LiveVoice[float] = Field(
        1.25,
        ge=0.5,
        le=2,
        description="factor on both rates for Korean, whose words are longer",
    )
    volume: LiveVoice[float] = Field(1.0, ge=0, le=1, description="0 to 1")
    verbosity: Live[Verbosity] = Field(
        "full",
        description="alerts | brief | full; alerts: danger, failing sight and answers; brief: the first "
        "sentence of each description too",
    )
    description_gap_s: Live[float] = Field(
        4.0,
        ge=0,
        le=600,
        description="seconds of silence at least before a description that was not asked for",
    )
    talk_share: Live[float] = Field(
        0.3,
        ge=0,
        le=1,
        description="unasked descriptions pause if sound filled this share of the last minute; 1 never",
    )
    clear_earcon: Live[ClearEarcon] = Field(
        "critical", description="off | critical | all; dangers whose end is marked by a short sound"
    )
    tick_s: Live[float] = Field(
        0.0, ge=0, le=3600, description="seconds of silence until a quiet tick says that it watches; 0 never"
    )
    engine: Literal["espeak", "piper"] = Field(
        "espeak",
        description="espeak | piper; piper sounds natural (extra `piper`, English voices); dangers, prepared "
        "phrases, Korean and what Piper is late for are espeak's all the same",
    )
    piper_voice: str = Field(
        "piper-en-us-joe", min_length=1, description="name in the store, or folder, of Piper's voice"
    )
    late_ms: int = Field(
        300, ge=50, le=5000, description="milliseconds Piper has for its first words before espeak says them"
    )
    pitch: LiveVoice[int] = Field(50, ge=0, le=99, description="0 to 99; 50 is the voice's own; espeak only")
    voice: LiveVoice[str] = Field(
        "auto",
        description="espeak's name of a voice (`espeak-ng --voices`); auto takes the language's own",
    )
    sample_rate: int = Field(22050, ge=8000, le=48000, description="hertz of the output")
    pan_width: LiveVoice[float] = Field(
        0.7, ge=0, le=1, description="how far left and right dangers sound; 1 leaves one ear silent"
    )
    synthesis_timeout_s: float = Field(
        5.0, gt=0, le=60, description="seconds the voice may take for one sentence"
    )
    keep_awake: bool = Field(
        False,
        description="true plays a tone below hearing (20 Hz, -60 dB) so that Bluetooth headsets do not sleep",
    )
    device: str = Field("default", description="name or number of the loudspeaker (`python -m sounddevice`)")
    outbox: OutboxSettings = Field(default_factory=OutboxSettings, description="what waits, and how long")
