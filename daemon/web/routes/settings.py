"""Settings, and trials of thresholds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from daemon.control import commands as wire
from daemon.control.commands import Name
from daemon.web.dependencies import Web, validate_reply
from daemon.web.routes import problems

router = APIRouter(tags=["settings"], responses=problems(409, 415))

TIMEOUT_S = 30.0
"""Seconds for reading files, or for repeating the last minute."""
Key = Annotated[Name, Field(examples=["hazards.fire.threshold"])]


class SettingBody(BaseModel, extra="allow"):
    key: str
    value: Any = None
    default: Any = None
    layer: str = Field("default", description="default | config | overrides | environment | command line")
    where: str | None = Field(None, description="file and line")
    live: bool = Field(False, description="takes effect at once, else after a restart")
    description: str = ""
    type: str = ""
    choices: list[Any] | None = None
    minimum: float | None = None
    maximum: float | None = None


class SectionBody(BaseModel, extra="allow"):
    name: str
    settings: list[SettingBody]


class ConfigBody(BaseModel, extra="allow"):
    """Every setting with its value and its origin."""

    sections: list[SectionBody]
    most_used: list[str] = Field([], description="keys that most people change, in their order")


class SetBody(BaseModel):
    """Values by dotted key, kept in overrides.toml."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"values": {"hazards.fire.threshold": 0.6}}}
    )

    values: dict[Name, Any] = Field(min_length=1, max_length=100)


class ResetBody(BaseModel):
    """Keys whose overrides are removed."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"keys": ["hazards.fire.threshold"]}}
    )

    keys: list[Name] = Field(min_length=1, max_length=100)


class ChangeBody(BaseModel, extra="allow"):
    changed: list[str] = Field(description="in effect already")
    needs_restart: list[str] = Field(description="in effect after a restart")


class TryBody(BaseModel):
    """Thresholds by hazard."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"thresholds": {"vehicle": 0.8}}})

    thresholds: dict[Name, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1, max_length=100)
    row: int | None = Field(
        None, ge=0, le=wire.MOST_ROWS, description="an alert of the journal that has a black box; else now"
    )


class TrialAlertBody(BaseModel, extra="allow"):
    t: float
    hazard: str
    severity: str | None = None
    probability: float | None = None


class TrialBody(BaseModel, extra="allow"):
    """The alerts of a minute, with the current and with the tried thresholds."""

    seconds: float
    before: list[TrialAlertBody]
    after: list[TrialAlertBody]


@router.get("/config", summary="Every setting and the origin of its value")
async def config(web: Web) -> ConfigBody:
    return validate_reply(ConfigBody, await web.ask(wire.ConfigCommand(), TIMEOUT_S))


@router.post("/config", summary="Change settings, now and for the next start")
async def change(web: Web, body: SetBody) -> ChangeBody:
    """All or none: with one mistake nothing is changed, and 422 names it."""
    return validate_reply(ChangeBody, await web.ask(wire.SetCommand(values=body.values), TIMEOUT_S))


@router.post("/config/reset", summary="Remove overrides")
async def reset(web: Web, body: ResetBody) -> ChangeBody:
    return validate_reply(ChangeBody, await web.ask(wire.ResetCommand(keys=tuple(body.keys)), TIMEOUT_S))


@router.post(
    "/try", summary="Which alerts would a minute have had with these thresholds?", responses=problems(404)
)
async def try_(web: Web, body: TryBody) -> TrialBody:
    """The last minute, or the minute around an alert of the journal. Nothing is changed."""
    command = wire.TryCommand(thresholds=body.thresholds, row=body.row)
    return validate_reply(TrialBody, await web.ask(command, TIMEOUT_S))
