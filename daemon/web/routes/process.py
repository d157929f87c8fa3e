"""`/process`: objects and hazards in a picture, and a description or an answer."""

from __future__ import annotations

import base64
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from daemon.control.commands import ProcessCommand
from daemon.web import forms
from daemon.web.dependencies import Dependencies, Web, validate_reply
from daemon.web.forms import ProcessForm, ProcessRequest
from daemon.web.problems import RETRY_S, Problem
from daemon.web.routes import problems

router = APIRouter(tags=["picture"], responses=problems(413, 415))

WAV = "audio/wav"
SPARE_S = 5.0
"""The daemon's time limit is this much shorter than the request's, so that its own error is returned."""


class ObjectBody(BaseModel):
    """An object in the picture."""

    name: str
    score: float | None = Field(None, description="null for objects named in the request")
    meant: str | None = Field(
        None, description="the word of a hazard that an unknown name was taken for: it is probably misspelt"
    )


class HazardBody(BaseModel):
    """A hazard's probability in the picture."""

    hazard: str
    probability: float
    threshold: float
    severity: str
    dangerous: bool


class ReadBody(BaseModel):
    """Words in one language."""

    text: str
    language: str


class ProcessedBody(BaseModel):
    """The answer."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "objects": [{"name": "car", "score": 0.93}],
                "hazards": [
                    {
                        "hazard": "vehicle",
                        "probability": 0.93,
                        "threshold": 0.7,
                        "severity": "warning",
                        "dangerous": True,
                    }
                ],
                "prompt": "danger",
                "text": "Careful: a car is coming from the left.",
                "model": "qwen3-vl-2b-int4",
                "image_text_model": "vit-b-32-256",
                "timings": {"wait_s": 0.0, "recognise_s": 0.12, "describe_s": 3.4},
            }
        },
    )

    objects: list[ObjectBody]
    hazards: list[HazardBody]
    prompt: Literal["danger", "safe", "question", "read"]
    text: str
    read: list[ReadBody] | None = Field(None, description="the words in it, the largest first, if asked for")
    model: str | None = Field(None, description="the describing model")
    image_text_model: str | None = Field(None, description="the model that recognised objects and hazards")
    timings: dict[str, float] = Field({}, description="seconds")
    wav: str | None = Field(None, description="the answer as speech, in base64")


def _schema(image: dict[str, Any]) -> dict[str, Any]:
    schema = ProcessForm.model_json_schema()
    schema.pop("example", None)
    return {**schema, "properties": {**schema["properties"], "image": image}}


_TEXT = ProcessForm.model_json_schema()["properties"]["image"]
_FILE = {"type": "string", "format": "binary", "description": "a JPEG, PNG or WebP"}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            forms.MULTIPART: {"schema": _schema(_FILE)},
            forms.FORM: {"schema": _schema(_TEXT)},
            forms.JSON: {"schema": ProcessForm.model_json_schema()},
        },
    }
}
SOUND: dict[int | str, dict[str, Any]] = {
    200: {"content": {WAV: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post(
    "/process",
    openapi_extra=BODY,
    responses=SOUND,
    response_model=ProcessedBody,
    response_model_exclude_none=True,
    summary="Recognise and describe a picture",
)
async def process(request: Request, web: Web) -> ProcessedBody | Response:
    """One picture at a time: 503 with `Retry-After` while another is being processed.

    Without `objects` the image-text model names them. If one of them is dangerous, the description warns;
    `text` is a question that is answered instead. With `Accept: audio/wav` the response is the speech alone.
    """
    # Read before the turn is taken: a slow upload must not block others.
    form = await forms.read_form(request, round(web.settings.largest_body_mb * 1e6))
    # Refused and not queued: the daemon's worker takes one request, and a waiting client would time out.
    if web.processing.locked():
        raise Problem(
            503, "another picture is being processed; try again in a moment", "busy", retry_s=RETRY_S
        )
    sound = WAV in request.headers.get("accept", "")
    async with web.processing:
        reply = await _processed(web, form, form.speech or sound)
    answer = validate_reply(ProcessedBody, reply)
    if sound and answer.wav:
        return Response(base64.b64decode(answer.wav), media_type=WAV)
    return answer


async def _processed(web: Dependencies, form: ProcessRequest, speech: bool) -> dict[str, Any]:
    found = form.image if isinstance(form.image, bytes) else await web.fetcher.fetch(form.image)
    jpeg = await web.shrinker.shrink(found)
    command = ProcessCommand(
        picture=base64.b64encode(jpeg).decode("ascii"),
        objects=form.objects,
        text=form.text,
        read=form.read,
        language=form.language,
        speech=speech,
    )
    return await web.daemon.ask(command, web.settings.request_timeout_s - SPARE_S, "process")
