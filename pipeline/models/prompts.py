"""Compares prompts with a picture: the arithmetic that every image-text model shares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from pipeline.types import PromptSet


def digest(*parts: object) -> str:
    """sha256 over JSON-able values, hexadecimal."""
    # This exact form is stored in every calibration and lesson: another one would make them all outdated.
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def hazard_fingerprints(model: str, prompts: PromptSet) -> tuple[str, ...]:
    """One fingerprint a hazard, over the model's and the hazard's own prompts.

    Other hazards do not enter, so that adding one leaves every other calibration valid; nor do the contrast
    scenes, which a user cannot change without changing the program.
    """
    # Sorted: the order of a hazard's prompts does not change its scores.
    return tuple(digest(model, sorted(own)) for _, own in prompts.hazards)


def contrast_prompts(own: Sequence[str], contrast: Sequence[str]) -> tuple[str, ...]:
    """The contrast scenes that are not the hazard's own prompts, each once, in order."""
    return tuple(text for text in dict.fromkeys(contrast) if text not in set(own))
