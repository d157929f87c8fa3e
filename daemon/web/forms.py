"""The request of `/process` as multipart, form or JSON."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from daemon.control.commands import Language
from daemon.web.problems import Problem, from_validation_errors

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
MOST_FIELDS = 64
MOST_OBJECTS = 32


class ProcessForm(BaseModel):
    """A picture and options."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"image": "/9j/4AAQSkZJRg…", "objects": ["car", "dog"], "text": "Is the road free?"}
        },
    )

    image: str = Field(
        min_length=1, description="a JPEG, PNG or WebP in base64, a data: URL, or its http(s) address"
    )
    objects: list[str] | str = Field(
        [], description="what is known to be on it; a list, or names with commas; empty to be recognised"
    )
    text: str | None = Field(None, max_length=1000, description="a question about it")
    language: Language | None = Field(None, description="of the answer; else speech.language")
    speech: bool = Field(False, description="true gives the answer as WAV too, in base64")


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """A validated form. `image` is the picture's bytes, or its address."""

    image: bytes | str
    objects: tuple[str, ...]
    text: str | None
    language: Language | None
    speech: bool


async def read_form(request: Request, largest: int) -> ProcessRequest:
    """Read and validate the request's body. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == JSON:
        return _validate(_read_json(await request.body()), None)
    if kind not in (FORM, MULTIPART):
        raise Problem(415, f"Content-Type should be {MULTIPART}, {FORM} or {JSON}")
    # No part can be larger than the largest body.
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=largest) as form:
        return await _read_fields(form)


async def _read_fields(form: FormData) -> ProcessRequest:
    fields: dict[str, Any] = {}
    upload: bytes | None = None
    for name in dict.fromkeys(form.keys()):
        values = form.getlist(name)
        if name == "image" and isinstance(values[0], UploadFile) and len(values) == 1:
            upload = await values[0].read()
        elif not all(isinstance(value, str) for value in values):
            raise Problem(422, f"{name[:40]}: should not be a file")
        elif name == "objects":
            fields[name] = values if len(values) > 1 else values[0]
        elif len(values) > 1:
            raise Problem(422, f"{name[:40]}: should be given once")
        elif values[0] != "":
            fields[name] = values[0]
    return _validate(fields, upload)


def _read_json(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(422, "the body should be JSON") from None
    if not isinstance(fields, dict):
        raise Problem(422, "the body should be a JSON object")
    return fields


def _validate(fields: Mapping[str, Any], upload: bytes | None) -> ProcessRequest:
    try:
        form = ProcessForm.model_validate({**fields, "image": "a file"} if upload is not None else fields)
    except ValidationError as error:
        raise from_validation_errors(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from None
    image = upload if upload is not None else _image(form.image.strip())
    text = form.text.strip() if form.text else None
    return ProcessRequest(image, _objects(form.objects), text or None, form.language, form.speech)


def _image(text: str) -> bytes | str:
    if text[:8].lower().startswith(("http://", "https://")):
        return text
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise Problem(422, "image: a data: URL should be in base64")
    try:
        # Form encoding turns a `+` that was not escaped into a space.
        return base64.b64decode("".join(text.replace(" ", "+").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Problem(422, "image: should be a file, base64, a data: URL, or an http(s) address") from None


def _objects(given: list[str] | str) -> tuple[str, ...]:
    """Names from a list, from text with commas, or from a JSON list in text."""
    texts: Iterable[Any] = [given] if isinstance(given, str) else given
    if isinstance(given, str) and given.lstrip().startswith("["):
        try:
            texts = json.loads(given)
        except (ValueError, RecursionError):
            raise Problem(422, "objects: should be names, or a JSON list of names") from None
    names = [name.strip() for text in texts for name in _names(text)]
    named = tuple(dict.fromkeys(name for name in names if name))
    if any("\ud800" <= letter <= "\udfff" for name in named for letter in name):
        raise Problem(422, "objects: contains invalid characters (lone surrogates)")
    if len(named) > MOST_OBJECTS or any(len(name) > 200 for name in named):
        raise Problem(422, f"objects: {MOST_OBJECTS} names at most, each of 200 characters at most")
    return named


def _names(text: Any) -> list[str]:
    if not isinstance(text, str):
        raise Problem(422, "objects: should be names")
    return text.split(",")
