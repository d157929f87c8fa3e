"""What it is told to do or say."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from daemon.control import protocol as wire
from daemon.control.base import Language, Words
from daemon.web.dependencies import Web
from daemon.web.routes import problems

router = APIRouter(tags=["orders"], responses=problems(409, 415))


class Order(BaseModel, extra="forbid"):
    """Nothing more is to be said."""


class SayOrder(BaseModel):
    """Words to speak."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "Dinner is ready."}})

    text: Words
    language: Language | None = Field(None, description="else speech.language")


class AskOrder(BaseModel):
    """A question about what is seen; without one it is described."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"question": "Is the door open?"}}
    )

    question: Annotated[str, Field(max_length=500)] | None = None


class MuteOrder(BaseModel):
    """Silence for all but danger; asked for twice, for danger too. 0 ends it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"seconds": 600}})

    seconds: float = Field(ge=0, le=86400, allow_inf_nan=False)


class Done(BaseModel, extra="allow"):
    """It was taken; `/events` tells what becomes of it."""


async def _told(web: Web, command: wire.Command) -> Done:
    return Done.model_validate(await web.ask(command))


@router.post("/say", summary="Say this")
async def say(web: Web, order: SayOrder) -> Done:
    return await _told(web, wire.SayCommand(text=order.text, language=order.language))


@router.post("/ask", summary="Describe what is seen, or answer a question about it")
async def ask(web: Web, order: AskOrder | None = None) -> Done:
    """The answer is spoken, and comes as a `describe` event."""
    question = order.question.strip() if order and order.question else None
    return await _told(web, wire.AskCommand(question=question or None))


@router.post("/describe", summary="Describe what is seen")
async def describe(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.DescribeCommand())


@router.post("/hush", summary="Stop talking")
async def hush(web: Web, _order: Order | None = None) -> Done:
    """Danger is still said."""
    return await _told(web, wire.HushCommand())


@router.post("/repeat", summary="Say the last thing again")
async def repeat(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.RepeatCommand())


@router.post("/louder", summary="A step louder, now and after the next start")
async def louder(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.LouderCommand())


@router.post("/softer", summary="A step softer")
async def softer(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.SofterCommand())


@router.post("/faster", summary="Speech a step faster")
async def faster(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.FasterCommand())


@router.post("/slower", summary="Speech a step slower")
async def slower(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.SlowerCommand())


@router.post("/mute", summary="Nothing but danger for so long")
async def mute(web: Web, order: MuteOrder) -> Done:
    return await _told(web, wire.MuteCommand(seconds=order.seconds))


@router.post("/false-alarm", summary="The last warning was wrong")
async def false_alarm(web: Web, _order: Order | None = None) -> Done:
    return await _told(web, wire.FalseAlarmCommand())
