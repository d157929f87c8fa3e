"""The core's inputs as plain JSON types and arrays, and back, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from daemon.core.messages import Assessed, Input
from pipeline.types import Assessment, CropReading, Direction


def _flat(union: UnionType) -> Iterator[type]:
    for member in get_args(union):
        yield from _flat(member) if isinstance(member, UnionType) else (member,)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


PLAIN: Mapping[str, TypeAdapter[Any]] = {_name(k): TypeAdapter(k) for k in _flat(Input) if k is not Assessed}
"""Every input but assessments, by the name of its type."""


@dataclass(slots=True)
class Arrays:
    """The rows that assessments refer to."""

    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    probabilities: list[NDArray[np.float32]] = field(default_factory=list)

    def add_probabilities(self, row: NDArray[np.float32]) -> int:
        self.probabilities.append(row)
        return len(self.probabilities) - 1


def encode(event: Input, arrays: Arrays) -> dict[str, Any]:
    """Plain JSON types; what is heavy goes into `arrays`."""
    if not isinstance(event, Assessed):
        name = _name(type(event))
        return {"is": name, **PLAIN[name].dump_python(event, mode="json")}
    a = event.assessment
    arrays.embeddings.append(a.embedding)
    row = {
        "is": "assessed",
        "seq": a.seq,
        "t": a.captured_at_s,
        "p": arrays.add_probabilities(a.probabilities),
    }
    if event.unseen:
        row["unseen"] = event.unseen
    if a.crop:
        row["crop"] = [a.crop.direction, arrays.add_probabilities(a.crop.probabilities)]
    return {**row, "e": len(arrays.embeddings) - 1}


def decode(
    row: Mapping[str, Any],
    embeddings: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    probabilities: Sequence[NDArray[np.float32]] | NDArray[np.float32],
) -> Input:
    """The input that `encode` made a row of. Raises ValueError on a row it cannot have made."""
    fields = dict(row)
    kind = fields.pop("is", None)
    try:
        if kind == "assessed":
            return Assessed(_assessment(fields, embeddings, probabilities), fields.get("unseen", ""))
        decoded: Input = PLAIN[kind].validate_python(fields)
    except (KeyError, IndexError, TypeError, ValidationError) as error:
        raise ValueError(f"not an input of the core: {kind!r} ({error})") from None
    return decoded


def _assessment(fields: Mapping[str, Any], embeddings: Any, probabilities: Any) -> Assessment:
    crop = fields.get("crop")
    return Assessment(
        seq=fields["seq"],
        captured_at_s=fields["t"],
        embedding=embeddings[fields["e"]],
        probabilities=probabilities[fields["p"]],
        crop=CropReading(Direction(crop[0]), probabilities[crop[1]]) if crop else None,
    )
