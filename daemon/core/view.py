"""A frame that is kept for its description, and the question put to the describer about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capture.frame import Frame
from daemon.core.messages import DescribeView
from pipeline.description.base import DescribeRequest
from pipeline.description.similarity import SentenceVector
from pipeline.types import Assessment

SentenceEncoder = Callable[[str], SentenceVector]
"""Encodes a sentence as a vector; returns an empty one if there is no encoder."""


@dataclass(frozen=True, slots=True)
class View:
    """A frame and its assessment, kept until its description is finished."""

    frame: Frame
    assessment: Assessment


def describe_request(effect: DescribeView, view: View, language: str, deadline_s: float) -> DescribeRequest:
    """Build the describer's request for a view. `deadline_s`: seconds that the answer may take."""
    return DescribeRequest(
        id=effect.scene.id,
        image=view.frame.image,
        trigger=effect.scene.trigger,
        language=language,
        seen=effect.seen,
        question=effect.scene.question,
        encoding=view.assessment.encoding,
        hazard=effect.scene.hazard,
        detector_only=effect.scene.detector_only,
        deadline_s=deadline_s,
    )


def no_encoder(sentence: str) -> SentenceVector:
    """Return an empty vector: without a sentence encoder, sentences are compared word by word."""
    del sentence
    return ()
