"""A job as the text of a model's chat template, whichever form of messages the template takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pipeline.description.vlm.job import GenerateError, GenerationJob
from pipeline.description.vlm.token_text import first_line

Message = dict[str, Any]
Render = Callable[[list[Message]], str]
"""Applies the chat template. May raise anything."""

IMAGE = "<image>"
"""The placeholder of the picture in the formats of models without a chat template."""
NO_SYSTEM = frozenset({"deepseek_vl", "deepseek_vl_hybrid"})
"""Model types whose template has instructions of its own, and ends ours with an end-of-text token."""
OPENED = "<think>"
"""Given on before an answer of which the template has opened the thought."""
_OPENERS = ("<think>", "<thinking>", "◁think▷", "[THINK]", "<|channel|>analysis<|message|>")
_LIST_MARKS = ("{'type'", '{"type"')
"""A template that expects text prints a list of parts as Python does."""


def chat_text(render: Render, job: GenerationJob, *, image_token: str, takes_system: bool) -> str:
    """The prompt by the first form of messages that the template renders whole.

    Templates differ: some take parts, some text only, some raise if instructions come with a picture
    (Llama 3.2 Vision as first published). Raises GenerateError if no form does.
    """
    job = replace(job, user=job.user.replace(image_token, " "))  # a question brings no second picture
    why = "it leaves out a part of the prompt"
    for messages in _forms(job, image_token, takes_system):
        try:
            text = render(messages)
        except Exception as error:  # a template may raise anything
            why = first_line(error)
            continue
        if _is_whole(text, job, image_token):
            return text
    raise GenerateError(f"the model's chat template cannot be used: {why}")


def opens_thought(text: str) -> bool:
    """True if a template opens the reasoning for the model, which then writes only its end."""
    return text.rstrip().endswith(_OPENERS)


def filled(template: str, job: GenerationJob) -> str:
    """A format with {system} and {user}, for models that bring no chat template."""
    user = job.user.replace(IMAGE, " ")  # a question brings no second picture
    return template.format(system=job.system, user=user).lstrip()


def _forms(job: GenerationJob, image_token: str, takes_system: bool) -> Iterator[list[Message]]:
    """Instructions apart first, then within the request; parts first, then text with the picture's token."""
    merged = f"{job.system}\n\n{job.user}".strip()
    if job.system and takes_system:
        parts = [{"type": "text", "text": job.system}]
        yield [{"role": "system", "content": parts}, _request(job.user)]
        yield [{"role": "system", "content": job.system}, _request(job.user)]
    yield [_request(merged)]
    if job.system and takes_system:
        user = f"{image_token}\n{job.user}"
        yield [{"role": "system", "content": job.system}, {"role": "user", "content": user}]
    yield [{"role": "user", "content": f"{image_token}\n{merged}"}]


def _request(text: str) -> Message:
    return {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}


def _is_whole(text: str, job: GenerationJob, image_token: str) -> bool:
    """All words and one picture are in it, and no list of parts."""
    has_words = job.system.strip() in text and job.user.strip() in text
    return has_words and text.count(image_token) == 1 and not any(mark in text for mark in _LIST_MARKS)
