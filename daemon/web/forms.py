"""The request of `/process` as multipart, form or JSON."""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from common.image_header import image_kind
from daemon.control.commands import Language
from daemon.web.problems import Problem, from_validation_errors

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
MOST_FIELDS = 64
MOST_OBJECTS = 32


ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("file", "files", "picture", "photo", "img", "images", "data", "upload"), "image"),
    **dict.fromkeys(("url", "image_url", "image_file", "image_base64", "base64", "frame"), "image"),
    **dict.fromkeys(("question", "prompt", "query", "q", "message", "content", "ask"), "text"),
    **dict.fromkeys(("object", "labels", "label", "tags", "classes", "names", "detections"), "objects"),
    **dict.fromkeys(("ocr", "read_text", "words"), "read"),
    **dict.fromkeys(("lang", "locale"), "language"),
    **dict.fromkeys(("audio", "wav", "sound", "voice", "tts", "speak"), "speech"),
}
"""Field names that clients of other services use, and ours."""
LONGEST_NAME = 40
"""Characters of an unknown field's name that an error repeats: a body of the wrong type is one long name."""
_BETWEEN = re.compile(r"[,;，；、\r\n]+")
"""Signs between names, as they are typed on English and Korean keyboards."""
CURL = {"image": "-F image=@picture.jpg", "text": "-F 'text=What is there?'", "objects": "-F objects=car,dog"}


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
    read: bool = Field(False, description="true reads the words in it; so does a question that asks for them")
    language: Language | None = Field(None, description="of the answer; else speech.language")
    speech: bool = Field(False, description="true gives the answer as WAV too, in base64")


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """A validated form. `image` is the picture's bytes, or its address."""

    image: bytes | str
    objects: tuple[str, ...]
    text: str | None
    read: bool
    language: Language | None
    speech: bool


async def read_form(request: Request, largest: int) -> ProcessRequest:
    """Read and validate the request's body. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # Also types such as application/problem+json (RFC 6839).
    if kind == JSON or kind.endswith("+json"):
        return _validate(_read_json(await request.body()), None)
    if kind not in (FORM, MULTIPART):
        raise Problem(415, _other_type(kind, await request.body()))
    # `curl -d` sends everything as a form unless a type is given.
    if kind == FORM and (hint := _mistyped(await request.body())):
        raise Problem(415, hint)
    if kind == MULTIPART and "boundary=" not in request.headers["content-type"].lower():
        raise Problem(
            415, f"Content-Type lacks its boundary; leave that header out, {CURL['image']} writes it"
        )
    # No part can be larger than the largest body.
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=largest) as form:
        return await _read_fields(form)


async def _read_fields(form: FormData) -> ProcessRequest:
    fields: dict[str, Any] = {}
    upload: bytes | None = None
    # `fromkeys`: a form may repeat a field.
    for name in dict.fromkeys(form.keys()):
        values = form.getlist(name)
        if name == "image" and isinstance(values[0], UploadFile) and len(values) == 1:
            upload = await values[0].read()
        elif name not in ProcessForm.model_fields:
            raise Problem(422, unknown_field(name))
        elif not all(isinstance(value, str) for value in values):
            raise Problem(422, f"{name}: should not be a file; the picture goes into image, {CURL['image']}")
        elif name == "objects":
            fields[name] = values if len(values) > 1 else values[0]
        elif len(values) > 1:
            raise Problem(422, f"{name[:40]}: should be given once")
        # An empty field of an HTML form means that it was left out.
        elif values[0] != "":
            fields[name] = values[0]
    return _validate(fields, upload)


def unknown_field(name: str) -> str:
    """The error for an unknown field, with the most similar known one."""
    shown = "".join(c if c.isprintable() else " " for c in name[:LONGEST_NAME])
    # `images[]` and `image-url` are written by some clients' libraries.
    meant = ALIASES.get(name.casefold().strip().rstrip("[]").replace("-", "_"))
    if meant is None:
        near = difflib.get_close_matches(name[:LONGEST_NAME].casefold(), ProcessForm.model_fields, 1)
        meant = near[0] if near else None
    if meant is None:
        return f"{shown}: there is no such field; there are {', '.join(ProcessForm.model_fields)}"
    example = f", as in {CURL[meant]}" if meant in CURL else ""
    return f"{shown}: there is no such field; write {meant}{example}"


def _other_type(kind: str, body: bytes) -> str:
    """How to send a body of a type that is not accepted."""
    if image_kind(body) is not None:
        return f"send the picture as a field of a form: {CURL['image']}"
    if body.lstrip()[:1] == b"{":
        return f"the body looks like JSON; send it with the header Content-Type: {JSON}"
    shown = f"not {kind[:LONGEST_NAME]!r}" if kind else "and is missing"
    return f"Content-Type should be {MULTIPART}, {FORM} or {JSON}, {shown}; with curl: {CURL['image']}"


def _mistyped(body: bytes) -> str:
    """The hint for a body that is no form although its type says so, as `curl -d` says of everything."""
    start = body[:64].lstrip().lower()
    if start.startswith((b"{", b"%7b%22", b"[")):
        return f"the body looks like JSON; send it with the header Content-Type: {JSON}"
    if image_kind(body) is not None:
        return f"the body is a picture itself; send it as a field of a form: {CURL['image']}"
    return ""


def _read_json(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(422, "the body should be JSON") from None
    if not isinstance(fields, dict):
        raise Problem(422, "the body should be a JSON object")
    return fields


def _validate(fields: Mapping[str, Any], upload: bytes | None) -> ProcessRequest:
    if unknown := next((name for name in fields if name not in ProcessForm.model_fields), None):
        raise Problem(422, unknown_field(unknown))
    if upload is None and "image" not in fields:
        raise Problem(422, f"image: the picture is missing; with curl: {CURL['image']}")
    try:
        # A placeholder for the file: pydantic checks the other fields by the same model.
        form = ProcessForm.model_validate({**fields, "image": "a file"} if upload is not None else fields)
    except ValidationError as error:
        raise from_validation_errors(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from None
    image = upload if upload is not None else _image(form.image.strip())
    text = form.text.strip() if form.text else None
    return ProcessRequest(image, _objects(form.objects), text or None, form.read, form.language, form.speech)


def _image(text: str) -> bytes | str:
    if text[:8].lower().startswith(("http://", "https://")):
        return text
    # Only the beginning is compared: the text may be megabytes.
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
    # In the order given, each once.
    named = tuple(dict.fromkeys(name for name in names if name))
    # JSON allows them (RFC 8259, section 8.2), UTF-8 does not: the reply could not be written.
    if any("\ud800" <= letter <= "\udfff" for name in named for letter in name):
        raise Problem(422, "objects: contains invalid characters (lone surrogates)")
    if len(named) > MOST_OBJECTS or any(len(name) > 200 for name in named):
        raise Problem(422, f"objects: {MOST_OBJECTS} names at most, each of 200 characters at most")
    return named


def _names(text: Any) -> list[str]:
    if not isinstance(text, str):
        raise Problem(422, "objects: should be names")
    return _BETWEEN.split(text)
