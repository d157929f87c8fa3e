"""How it is set, and what another setting would have done."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from daemon.control import commands as wire
from daemon.control.commands import Name
from daemon.web.dependencies import Web, shaped
from daemon.web.routes import problems

router = APIRouter(tags=["settings"], responses=problems(409, 415))

PATIENCE_S = 30.0
"""Seconds for what reads files or goes through the last minute again."""
Key = Annotated[Name, Field(examples=["hazards.fire.threshold"])]


class Setting(BaseModel, extra="allow"):
    key: str
    value: Any = None
    default: Any = None
    layer: str = Field("default", description="default | config | overrides | environment | command line")
    where: str | None = Field(None, description="file and line")
    live: bool = Field(False, description="holds at once; else after the next start")
    description: str = ""
    type: str = ""
    choices: list[Any] | None = None
    minimum: float | None = None
    maximum: float | None = None


class Section(BaseModel, extra="allow"):
    name: str
    settings: list[Setting]


class ConfigBody(BaseModel, extra="allow"):
    """Every setting, with its value and where that comes from."""

    sections: list[Section]


class SetOrder(BaseModel):
    """Values by dotted key, kept in overrides.toml."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"values": {"hazards.fire.threshold": 0.6}}}
    )

    values: dict[Name, Any] = Field(min_length=1, max_length=100)


class ResetOrder(BaseModel):
    """Keys whose overrides are dropped."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"keys": ["hazards.fire.threshold"]}}
    )

    keys: list[Name] = Field(min_length=1, max_length=100)


class Changed(BaseModel, extra="allow"):
    changed: list[str] = Field(description="holds already")
    needs_restart: list[str] = Field(description="holds after the next start")


class TryOrder(BaseModel):
    """Thresholds by hazard."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"thresholds": {"vehicle": 0.8}}})

    thresholds: dict[Name, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1, max_length=100)


class Alerted(BaseModel, extra="allow"):
    t: float
    hazard: str
    severity: str | None = None
    probability: float | None = None


class Tried(BaseModel, extra="allow"):
    """The alerts of the last minute, as they were and as they would have been."""

    seconds: float
    before: list[Alerted]
    after: list[Alerted]


@router.get("/config", summary="Every setting, and where its value comes from")
async def config(web: Web) -> ConfigBody:
    return shaped(ConfigBody, await web.ask(wire.ConfigCommand(), PATIENCE_S))


@router.post("/config", summary="Change settings, now and for the next start")
async def change(web: Web, order: SetOrder) -> Changed:
    """All or none: with one mistake in it nothing is changed, and 422 says which."""
    return shaped(Changed, await web.ask(wire.SetCommand(values=order.values), PATIENCE_S))


@router.post("/config/reset", summary="Drop what was changed here")
async def reset(web: Web, order: ResetOrder) -> Changed:
    return shaped(Changed, await web.ask(wire.ResetCommand(keys=tuple(order.keys)), PATIENCE_S))


@router.post("/try", summary="What would the last minute have been with these thresholds?")
async def try_(web: Web, order: TryOrder) -> Tried:
    """Nothing is changed."""
    return shaped(Tried, await web.ask(wire.TryCommand(thresholds=order.thresholds), PATIENCE_S))
