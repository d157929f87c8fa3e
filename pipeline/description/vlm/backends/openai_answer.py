"""Requests and answers of the OpenAI protocol, as its many servers speak it. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2

from pipeline.description.answer.sentences import is_ended
from pipeline.description.vlm.job import Emit, GenerateError, GenerationJob, GenerationStats

JPEG_QUALITY = 85
STRANGE = "the server's answer is not of the OpenAI protocol"
TEXT_ONLY = "this model reads no pictures; name one that does in describe.model"
_PICTURES = r"(?:images?|pictures?|vision|image_url|multi-?modal\w*)"
_NO_PICTURES = re.compile(
    rf"{_PICTURES}\b(?:\W+\w+){{0,6}}?\W+"
    r"(?:(?:not|n't) (?:supported|enabled|available)|unsupported|disabled)\b"
    rf"|(?:\bnot|n't|\bno) (?:a )?(?:support|accept|process|take|have)\w*(?:\W+\w+){{0,4}}?\W+{_PICTURES}\b"
    rf"|(?:\bnot|n't) (?:a |an )?{_PICTURES}\b|\bmmproj\b|\bat most 0 image"
    rf"|(?:unknown|unsupported|invalid)\b.*\bcontent\b.*{_PICTURES}",
    re.IGNORECASE,
)
"""The words by which servers refuse pictures for a model of text only."""
SWITCHES: tuple[Mapping[str, Any], ...] = (
    {},
    {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": False}},
    {"reasoning_effort": "none"},
    {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
    {"reasoning_effort": "minimal"},
    {"reasoning_effort": "low"},
)
"""Ways to ask a server for an answer without a thought before it, in the order in which they are tried.

`reasoning_effort` is OpenAI's and Ollama's, `chat_template_kwargs` that of vLLM, llama.cpp and SGLang.
"""


class ThinksError(GenerateError):
    """Only a thought came so far."""


@dataclass(frozen=True, slots=True)
class Part:
    """One event of an answer."""

    text: str = ""
    thought: bool = False
    finish: str | None = None


def body(model: str, job: GenerationJob, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The request, with the picture in it as JPEG. `extra` goes over ours; "" leaves a field out."""
    done, jpeg = cv2.imencode(".jpg", job.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise GenerateError("the picture cannot be compressed")
    picture = "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
    content = [{"type": "text", "text": job.user}, {"type": "image_url", "image_url": {"url": picture}}]
    fields = {
        "model": model,
        "messages": [{"role": "system", "content": job.system}, {"role": "user", "content": content}],
        "max_tokens": job.max_tokens,
        "temperature": job.temperature,
        "top_p": job.top_p,
        "stream": True,
        **extra,
    }
    return {name: value for name, value in fields.items() if value != ""}


def read_stream(
    events: Iterable[str], emit: Emit, *, abort_thought: bool, end_is_marked: bool
) -> GenerationStats:
    """The data of events up to `[DONE]`, a finish reason with nothing behind it, or the end.

    `end_is_marked`: the end of the events is the end of the answer, not of the connection only. Raises
    GenerateError if they break off, ThinksError if only a thought came: with `abort_thought` at its first
    token.
    """
    tokens, thoughts, finish, said = 0, 0, None, ""
    for data in events:
        if data == "[DONE]":
            finish = finish or "stop"
            break
        part = read_part(data)
        finish = part.finish or finish
        thoughts += part.thought
        if part.text:
            tokens += 1
            said += part.text
            if not emit(part.text):
                return GenerationStats(tokens, cut=False)
        elif part.thought and abort_thought and not tokens:
            raise ThinksError
    # Some servers name no reason. One that fails says so in an event, or leaves the body without its end.
    if finish is None and not is_ended(said) and not (end_is_marked and (said or thoughts)):
        raise GenerateError("the server's answer broke off")
    if thoughts and not tokens:
        raise ThinksError
    return GenerationStats(tokens, finish == "length")


def read_whole(text: str, emit: Emit) -> GenerationStats:
    """The answer of a server that does not stream. Raises GenerateError; ThinksError if it only thought."""
    part = read_part(text)
    if part.thought and not part.text:
        raise ThinksError
    emit(part.text)
    return GenerationStats(0, part.finish == "length", "the server does not stream")


def read_part(data: str) -> Part:
    """One event, or a whole answer. Empty if it carries no choice. Raises GenerateError."""
    try:
        answer = json.loads(data)
    # RecursionError: a server may nest JSON as deep as it likes.
    except (ValueError, RecursionError):
        raise GenerateError(STRANGE) from None
    if not isinstance(answer, dict):
        raise GenerateError(STRANGE)
    choices = answer.get("choices")
    if answer.get("error") and not choices:
        raise GenerateError(f"the server failed: {explain(data)}")
    if choices is None or choices == []:
        return Part()
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise GenerateError(STRANGE)
    choice = choices[0]
    if choice.get("finish_reason") == "content_filter":
        raise GenerateError("the server's filter withheld the answer")
    # Streams send deltas, whole answers a message.
    message = choice.get("delta") or choice.get("message") or {}
    if not isinstance(message, dict):
        raise GenerateError(STRANGE)
    text, thought = _content(message.get("content") or choice.get("text"))
    thought = thought or any(message.get(key) for key in ("reasoning", "reasoning_content", "thinking"))
    finish = choice.get("finish_reason")
    return Part(text, thought, finish if isinstance(finish, str) else None)


def _content(content: object) -> tuple[str, bool]:
    """The text of a message, which may come in parts, and whether a part of it is a thought."""
    if content is None or isinstance(content, str):
        return content or "", False
    if not isinstance(content, list) or not all(isinstance(part, dict | str) for part in content):
        raise GenerateError(STRANGE)
    parts = [part if isinstance(part, dict) else {"type": "text", "text": part} for part in content]
    said = [part.get("text") for part in parts if part.get("type") in (None, "text", "output_text")]
    thought = any(part.get("type") in ("thinking", "reasoning") for part in parts)
    return "".join(text for text in said if isinstance(text, str)), thought


def explain(text: str) -> str:
    """The server's message about an error, in one short line."""
    told = complaint(text)
    return TEXT_ONLY + f" ({told})" if _NO_PICTURES.search(told) else told


def complaint(text: str) -> str:
    """The message in an error's body, in one short line."""
    try:
        told: Any = json.loads(text)
        told = told.get("error") or told.get("detail") or told.get("message") or text
        text = told.get("message") or text if isinstance(told, dict) else told
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    printable = "".join(c if c.isprintable() else " " for c in str(text)[:400])
    return " ".join(printable.split())[:160] or "no reason given"
