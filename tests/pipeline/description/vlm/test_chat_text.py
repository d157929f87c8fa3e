"""Forms of messages, for templates that take one or another."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.description.vlm.chat_text import Message, chat_text
from pipeline.description.vlm.job import GenerateError, GenerationJob

JOB = GenerationJob(1, np.zeros((2, 2, 3), np.uint8), "Warn.", "Reported: <image> fire.", 6)


def parts(messages: list[Message]) -> str:
    """Takes parts only; a text is an error."""
    return "\n".join(
        f"{message['role']}: " + "".join(part.get("text", "<image>") for part in message["content"])
        for message in messages
    )


def as_python(messages: list[Message]) -> str:
    """Prints whatever stands there, as a template with `| trim` does."""
    return "\n".join(f"{message['role']}: {message['content']}" for message in messages)


def no_system(messages: list[Message]) -> str:
    if messages[0]["role"] == "system":
        raise ValueError("roles must alternate user/assistant")
    return parts(messages)


def test_parts_come_first() -> None:
    text = chat_text(parts, JOB, image_token="<image>", takes_system=True)
    assert text == "system: Warn.\nuser: <image>Reported:   fire."


def test_a_template_for_text_gets_text() -> None:
    text = chat_text(as_python, JOB, image_token="<image>", takes_system=True)
    assert text == "system: Warn.\nuser: <image>\nReported:   fire."


@pytest.mark.parametrize("takes_system", [True, False])
def test_instructions_go_into_the_request_if_there_is_no_other_place(takes_system: bool) -> None:
    text = chat_text(no_system, JOB, image_token="<image>", takes_system=takes_system)
    assert text == "user: <image>Warn.\n\nReported:   fire."


def test_a_template_that_takes_nothing_fails_that_answer_with_its_reason() -> None:
    def refuse(messages: list[Message]) -> str:
        raise RuntimeError("not today")

    with pytest.raises(GenerateError, match="not today"):
        chat_text(refuse, JOB, image_token="<image>", takes_system=True)
    with pytest.raises(GenerateError, match="leaves out"):
        chat_text(lambda _: "hello", JOB, image_token="<image>", takes_system=True)
