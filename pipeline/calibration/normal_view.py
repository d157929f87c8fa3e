"""The camera's normal view as encodings: kept by `calibrate`, contrasted with by `teach`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.atomic_file import replacing
from pipeline.calibration.repository import FOLDER
from pipeline.models.base import ImageTextModel
from pipeline.types import Encoding

log = logging.getLogger(__name__)


def write_normal(state: Path, model: ImageTextModel, encodings: Sequence[Encoding]) -> Path:
    """Replace the stored baseline. Raises OSError."""
    place = _place(state, model.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as file:
        np.savez_compressed(
            file,
            # Half the size; rounding moves a cosine by less than a thousandth.
            embeddings=np.stack([one.embedding for one in encodings]).astype(np.float16),
            evidence=np.stack([one.evidence for one in encodings]),
            fingerprint=np.array(model.fingerprint),
        )
    return place


def read_normal(state: Path, model: ImageTextModel) -> tuple[Encoding, ...]:
    """Return nothing if nothing was kept for exactly this model, or if it cannot be read (logged)."""
    place = _place(state, model.name)
    if not place.is_file():
        return ()
    try:
        with np.load(place, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) != model.fingerprint:
                return ()
            embeddings = kept["embeddings"].astype(np.float32)
            evidence = kept["evidence"].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError) as error:
        log.warning("%s: cannot be read, and is left out: %s", place, error)
        return ()
    # float16 has changed the lengths a little.
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return tuple(map(Encoding, units, evidence))


def _place(state: Path, model: str) -> Path:
    return state / FOLDER / f"{model}.normal.npz"
