"""The `[pipeline]`, `[watch]`, `[scene]`, `[describe]` and `[hazards.NAME]` sections."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from common import addresses
from common.live_settings import Live, LiveVoice

SERVER_SCHEMES = ("http", "https")
Distance = Annotated[float, Field(gt=0, le=2)] | Literal["auto"]
_CHOOSERS = ("AUTO", "MULTI", "HETERO", "BATCH")


class PipelineSettings(BaseModel, frozen=True, extra="forbid"):
    """The image-text model and its device."""

    model: str = Field("auto", description="auto | starter | a name from `watchword models list`")
    device: str = Field(
        "CPU",
        description="best | OpenVINO devices in order of preference, as in NPU,GPU,CPU; each is tested",
    )
    precision: Literal["auto", "f32", "bf16", "int8"] = Field(
        "auto",
        description="auto | f32 | bf16 | int8: of the model's arithmetic on the CPU; auto takes the fastest "
        "that agrees with the reference",
    )
    threads: int = Field(0, ge=0, le=64, description="threads of the encoder; 0 lets OpenVINO choose")
    still_s: float = Field(
        0.5,
        ge=0,
        le=5,
        description="seconds an encoding may stand for frames that show the same, up to four times as long "
        "once nothing has changed for a while; 0 encodes every frame",
    )
    still_level: float = Field(
        2.0,
        ge=0,
        le=20,
        description="largest change of any spot, in grey levels, that still counts as the same view",
    )
    usual_s: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="seconds over which a camera's normal view is learnt, to be taken off; 0 never",
    )

    max_fps: Literal["auto"] | Annotated[float, Field(ge=1, le=240)] = Field(
        "auto",
        description="pictures a second of a live camera that are assessed at most; auto sets no limit; never "
        "fewer than 8, and all of them while a hazard is suspected",
    )
    cpu_share: Literal["auto"] | Annotated[float, Field(gt=0, le=1)] = Field(
        "auto",
        description="part of the time that assessing a live camera may take; 1 all of it; auto one half "
        "beside a describer that is a model or while the processor is hot, else all",
    )

    @field_validator("device")
    @classmethod
    def _names_devices(cls, device: str) -> str:
        """Refuse OpenVINO's device choosers: their choice cannot be tested beforehand."""
        names = device.upper().replace(" ", "").split(",")
        if not all(names) or any(name.startswith(_CHOOSERS) for name in names):
            raise ValueError('name devices in order of preference, as in "NPU,GPU,CPU", or "best"')
        return device


class WatchSettings(BaseModel, frozen=True, extra="forbid"):
    """When a probability becomes an alert, and when an alert is over."""

    smoothing_s: Live[float] = Field(0.2, ge=0, le=10, description="seconds; time constant of the smoothing")
    vote_window_s: Live[float] = Field(
        0.6, gt=0, le=10, description="seconds; how far back votes are counted"
    )
    vote_s: Live[float] = Field(
        0.35, ge=0, le=10, description="seconds within the window that must be over threshold"
    )
    sparse_logit: Live[float] = Field(
        0.45,
        ge=0,
        le=20,
        description="log-odds above its threshold from which a single frame suffices, if frames are further"
        " apart than vote_window_s",
    )
    off_ratio: Live[float] = Field(
        0.6, gt=0, lt=1, description="share of the threshold below which a hazard may end"
    )
    clear_s: Live[float] = Field(2.0, ge=0, le=60, description="seconds below that until a hazard is over")
    cooldown_s: Live[float] = Field(
        5.0, ge=0, le=600, description="seconds after a spoken alert until the same may be said again"
    )
    remind_s: Live[float] = Field(
        30.0, ge=0, le=3600, description="seconds until a lasting hazard is said again; 0 never"
    )
    unspoken_retry_s: Live[float] = Field(
        3.0, gt=0, le=60, description="seconds until an alert that was not spoken is raised again"
    )
    escalate_logit: Live[float] = Field(
        1.5, gt=0, le=10, description="rise of the log-odds since the alert that counts as coming nearer"
    )
    escalate_min_s: Live[float] = Field(
        2.0, ge=0, le=60, description="seconds at least between an alert and its escalation"
    )
    # At least a second: evidence that starts afresh with each frame never becomes an alert.
    max_gap_s: Live[float] = Field(
        5.0, ge=1, le=60, description="seconds without a frame after which evidence starts afresh"
    )
    suspect_ratio: Live[float] = Field(
        0.5,
        gt=0,
        le=1,
        description="share of the threshold from which parts of the picture are looked at too",
    )
    locate_s: Live[float] = Field(
        2.0, ge=0, le=60, description="seconds at most in which a direction is looked for; 0 never"
    )
    locate_looks: Live[int] = Field(
        2, ge=1, le=20, description="times each part is looked at before a direction is given"
    )
    locate_margin: Live[float] = Field(
        1.0, ge=0, le=10, description="log-odds by which the best part must lead the next"
    )


class SceneSettings(BaseModel, frozen=True, extra="forbid"):
    """When a view has changed enough to be described."""

    distance: Live[Distance] = Field(
        "auto", description="cosine distance from the view last described, up to 2; auto takes the model's"
    )
    smoothing_s: Live[float] = Field(0.15, ge=0, le=10, description="seconds; time constant of the smoothing")
    settle_distance: Live[Distance] = Field(
        "auto",
        description="cosine distance to the smoothed view that counts as settled, up to 2; auto takes the "
        "model's",
    )
    settle_s: Live[float] = Field(0.3, ge=0, le=10, description="seconds the view must have been settled")
    min_interval_s: Live[float] = Field(
        1.5, ge=0, le=600, description="seconds at least between two scene changes"
    )
    budget_per_minute: Live[int] = Field(
        12, ge=0, le=600, description="scene changes described a minute at most; 0 none"
    )

    def with_distances(self, *, distance: float, settle_distance: float) -> SceneSettings:
        """The same with a model's distances for those that are "auto"."""
        return self.model_copy(
            update={
                "distance": distance if self.distance == "auto" else self.distance,
                "settle_distance": settle_distance
                if self.settle_distance == "auto"
                else self.settle_distance,
            }
        )


class DescribeSettings(BaseModel, frozen=True, extra="forbid"):
    """The describer, and its time limits."""

    backend: Literal["auto", "tags", "openvino", "transformers", "openai", "off"] = Field(
        "auto",
        description="auto | tags | openvino | transformers | openai | off; auto takes the best model in the "
        "store that this machine can hold, else tags; openai sends pictures to server_url",
    )
    model: str = Field(
        "auto",
        description="auto | a name from `watchword models list` | a folder | with openai the server's name",
    )
    device: str = Field("auto", description="auto | CPU | GPU | NPU; with transformers cpu | cuda | xpu")
    max_tokens: int = Field(80, ge=1, le=1000, description="tokens an answer may have")
    image_side: int = Field(
        448, ge=56, le=2048, description="pixels of the longer side a model is shown; fewer answer sooner"
    )
    temperature: float = Field(0.0, ge=0, le=2, description="0 takes the likeliest word each time")
    top_p: float = Field(
        1.0,
        gt=0,
        le=1,
        description="probability mass of the likeliest words to choose from, if temperature is above 0",
    )
    memory_mb: int = Field(
        0, ge=0, description="megabytes a model may use; 0 takes what is free at the start, but for a reserve"
    )
    load_s: float = Field(600.0, gt=0, le=7200, description="seconds after which loading a model is given up")
    prompts: str = Field(
        "", description="folder with en/ and ko/ of danger.txt, safe.txt, question.txt; empty takes ours"
    )
    server_url: str = Field("", description="address of an OpenAI-compatible API, http://127.0.0.1:11434/v1")
    server_key_file: str = Field(
        "", description="file that holds the server's key; a bare name means a systemd credential"
    )
    server_connect_s: float = Field(3.0, gt=0, le=60, description="seconds the server may take to accept us")
    server_keep_alive_s: float = Field(
        240.0,
        ge=0,
        le=86400,
        description="seconds without a question until the server is asked one, to keep its model; 0 never",
    )
    server_extra: dict[str, Any] = Field(
        {},
        description='further fields of each request, as in { reasoning_effort = "none" }; "" leaves one out',
    )
    deadline_s: Live[float] = Field(
        7.0,
        gt=0,
        le=120,
        description="seconds until the first sentence; then `tags` answers, while it is still true (stale_s)",
    )
    stale_s: Live[float] = Field(
        8.0,
        gt=0,
        le=120,
        description="seconds after its picture that a description is still true",
    )
    replay_s: float = Field(0.5, ge=0, le=60, description="stream seconds a description takes in a replay")

    @field_validator("server_url")
    @classmethod
    def _tidy_address(cls, url: str) -> str:
        return addresses.normalize(url, SERVER_SCHEMES) if url.strip() else ""

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        # The fallback for a late model describes the same picture, so it needs time before that is stale.
        if self.deadline_s >= self.stale_s:
            raise ValueError(
                f"deadline_s {self.deadline_s:g} must be below stale_s {self.stale_s:g}, "
                "or what answers instead of a late model comes too late as well"
            )
        return self


class HazardSettings(BaseModel, frozen=True, extra="forbid"):
    """One hazard; built-in ones are complete, users add their own."""

    enabled: LiveVoice[bool] = Field(True, description="false leaves it out altogether")
    severity: Live[Literal["critical", "warning", "notice"]] = Field(
        "warning", description="critical | warning | notice"
    )
    threshold: Live[Annotated[float, Field(ge=0, le=1)] | Literal["auto"]] = Field(
        "auto", description="probability 0 to 1; auto takes the calibration's"
    )
    # Bounded: a warning of many words is over too late, and another instance takes no longer text.
    say_en: LiveVoice[str] = Field(
        "", max_length=200, description="spoken in English; {where} stands for the direction"
    )
    say_ko: LiveVoice[str] = Field(
        "", max_length=200, description="spoken in Korean; {where} stands for the direction"
    )
    prompts: Live[tuple[str, ...]] = Field((), description="concrete scenes that show it, in English")

    words: Live[tuple[str, ...]] = Field(
        (), description="other words for it in any language, by which a client of /process may name it"
    )

    @field_validator("say_en", "say_ko")
    @classmethod
    def _has_one_gap(cls, say: str) -> str:
        try:
            # Tried when the settings are read: a wrong brace would otherwise fail at the moment of the
            # danger.
            say.format(where="")
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError("only {where} may stand in braces") from error
        # A danger whose side is not known would be announced by nothing at all.
        if say.strip() and not say.format(where="").strip():
            raise ValueError('says only the side; name the danger before it, as in "Cart{where}!"')
        return say
