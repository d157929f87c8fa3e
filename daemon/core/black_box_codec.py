"""Encode the core's inputs as plain JSON types and arrays, and decode them without loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from daemon.core.messages import INPUT_TAGS, Assessed, Input
from pipeline.types import Assessment, Direction, Encoding, PartReading

TAG_OF: Mapping[type, str] = {kind: tag for tag, kind in INPUT_TAGS.items()}


@cache
def _adapter(tag: str) -> TypeAdapter[Any]:
    """The adapter of a tag; not for assessments, whose arrays are stored separately. Raises KeyError."""
    # Made when it is first needed: together they would take a hundredth of a start.
    return TypeAdapter(INPUT_TAGS[tag])


@dataclass(slots=True)
class Arrays:
    """The array rows that encoded assessments refer to by index."""

    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    probabilities: list[NDArray[np.float32]] = field(default_factory=list)

    def add_probabilities(self, row: NDArray[np.float32]) -> int:
        self.probabilities.append(row)
        return len(self.probabilities) - 1


def encode(event: Input, arrays: Arrays) -> dict[str, Any]:
    """Encode an input in plain JSON types; its arrays are added to `arrays`."""
    if not isinstance(event, Assessed):
        tag = TAG_OF[type(event)]
        return {"is": tag, **_adapter(tag).dump_python(event, mode="json")}
    a = event.assessment
    arrays.embeddings.append(a.encoding.embedding)
    row = {
        "is": TAG_OF[Assessed],
        "seq": a.seq,
        "t": a.captured_at_s,
        "p": arrays.add_probabilities(a.probabilities),
    }
    if event.unseen:
        row["unseen"] = event.unseen
    if a.parts:
        row["parts"] = [[one.direction, arrays.add_probabilities(one.probabilities)] for one in a.parts]
    return {**row, "e": len(arrays.embeddings) - 1}


def decode(
    row: Mapping[str, Any],
    embeddings: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    probabilities: Sequence[NDArray[np.float32]] | NDArray[np.float32],
) -> Input:
    """Decode a row written by `encode`. Raises ValueError if the row is malformed or its tag unknown."""
    fields = dict(row)
    tag = fields.pop("is", None)
    try:
        if tag == TAG_OF[Assessed]:
            return Assessed(_assessment(fields, embeddings, probabilities), fields.get("unseen", ""))
        decoded: Input = _adapter(tag).validate_python(fields)
    except (KeyError, IndexError, TypeError, ValidationError) as error:
        raise ValueError(f"not an input of the core: {tag!r} ({error})") from None
    return decoded


def _assessment(fields: Mapping[str, Any], embeddings: Any, probabilities: Any) -> Assessment:
    """Decode an assessment. The core reads only the embedding of an encoding, so only that was stored."""
    return Assessment(
        seq=fields["seq"],
        captured_at_s=fields["t"],
        encoding=Encoding(embeddings[fields["e"]]),
        probabilities=probabilities[fields["p"]],
        parts=tuple(PartReading(Direction(d), probabilities[row]) for d, row in fields.get("parts", ())),
    )
