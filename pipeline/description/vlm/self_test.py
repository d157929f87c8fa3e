"""Is a device to be believed? OpenVINO can be silently wrong on one: fluent, but false.

A device other than the CPU must give the same answer about the test picture as the CPU; the CPU's own answer
is taken once and kept. A device that does not is not used, and that is logged.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Generic, TypeVar

from capture.test_image import draw_test_image
from common import atomic_file
from pipeline.description.answer.cleaning import is_repetitive
from pipeline.description.similarity import jaccard
from pipeline.description.vlm.job import GenerateError, GenerationJob, Generator, ModelLoadError

log = logging.getLogger(__name__)

REFERENCE = "CPU"
PICTURE = 2
"""Change it with the test picture: kept answers are then taken again."""
SIDE = 224
"""Pixels of the test picture."""
TOKENS = 24
ALIKE = 0.5
"""Share of common words from which two answers count as the same: precisions differ a little."""

G = TypeVar("G", bound=Generator)


class GoldenAnswers:
    """Golden answers by model and version of OpenVINO, kept in a folder."""

    def __init__(self, folder: Path | None, model: str) -> None:
        key = hashlib.sha256(f"{PICTURE} {model} {_version()}".encode()).hexdigest()[:16]
        self._file = folder / "golden" / f"{key}.json" if folder else None

    def known(self) -> str | None:
        """The CPU's answer; None if it was not taken before."""
        try:
            return str(json.loads(self._file.read_text("utf-8"))["answer"]) if self._file else None
        # A broken file only costs another answer of the CPU.
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def keep(self, answer: str) -> None:
        """Store the answer. If the folder cannot be written, it is taken again next time."""
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic_file.write(self._file, json.dumps({"answer": answer}))
        except OSError as error:
            log.info("golden answer not kept: %s", error)


@dataclass(frozen=True, slots=True)
class TrustedGenerator(Generic[G]):
    """A generator whose answer about the test picture is the CPU's."""

    generator: G
    doubt: str = ""
    """Why the wanted device is not used; empty if it is."""


def trusted_device(open_on: Callable[[str], G], device: str, golden: GoldenAnswers) -> TrustedGenerator[G]:
    """A generator on `device`, or on the CPU if that fails or answers wrongly. Raises ModelLoadError."""
    try:
        generator = open_on(device)
        answer = golden_answer(generator)
    except (ModelLoadError, GenerateError) as error:
        if device == REFERENCE:
            raise ModelLoadError(str(error)) from None
        return _fall_back(open_on, golden, f"{device}: {error}")
    if device == REFERENCE:
        return TrustedGenerator(_believed(generator, answer, golden))
    reference = golden.known()
    if reference is None:
        reference = golden_answer(_believed_reference(open_on, golden))
    if doubt := disagrees(answer, reference):
        return _fall_back(open_on, golden, f"{device}: {doubt}")
    return TrustedGenerator(generator)


def _believed_reference(open_on: Callable[[str], G], golden: GoldenAnswers) -> G:
    return trusted_device(open_on, REFERENCE, golden).generator


def _fall_back(open_on: Callable[[str], G], golden: GoldenAnswers, why: str) -> TrustedGenerator[G]:
    log.warning("not used: %s; the CPU describes instead", why)
    return TrustedGenerator(_believed_reference(open_on, golden), why)


def _believed(generator: G, answer: str, golden: GoldenAnswers) -> G:
    if doubt := degenerate(answer):
        raise ModelLoadError(f"the model talks nonsense on the CPU ({doubt}); pull it again")
    golden.keep(answer)
    return generator


def golden_answer(generator: Generator) -> str:
    """Return its answer about the test picture; also the first, slow run. Raises GenerateError."""
    pieces: list[str] = []

    def take(piece: str) -> bool:
        pieces.append(piece)
        return True

    generator.generate(
        GenerationJob(0, draw_test_image(SIDE, SIDE), "", "Describe the picture.", TOKENS), take
    )
    return "".join(pieces).strip()


def degenerate(answer: str) -> str | None:
    """Why an answer cannot be one: no words, or the same over and over."""
    if not any(character.isalnum() for character in answer):
        return f"no words in {answer[:20]!r}"
    return f"the same over and over in {answer[-20:]!r}" if is_repetitive(answer, 6) else None


def disagrees(answer: str, reference: str) -> str | None:
    """Why an answer is not the reference's; None if it is."""
    if doubt := degenerate(answer):
        return doubt
    alike = jaccard(answer, reference)
    return None if alike >= ALIKE else f"says {answer[:60]!r} where the CPU says {reference[:60]!r}"


def _version() -> str:
    try:
        return metadata.version("openvino")
    except metadata.PackageNotFoundError:
        return "unknown"
