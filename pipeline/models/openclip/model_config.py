"""Reads `model.json`, which describes a converted model apart from its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from common.errors import WatchwordError
from pipeline.store.manifest import FileName, Sha256, Size, Strict, Text, first_problem

RECIPE_FILE = "model.json"
TEXT_FILE = "text.xml"
TOKENIZER_FILE = "tokenizer.json"
GOLDEN_FILE = "golden.npz"


class ModelUnusableError(WatchwordError):
    """The folder holds no model that runs here; the message has the cure."""


class Tokens(Strict, frozen=True):
    """The conversion of words to the tokens of the text network."""

    context_length: Size
    pad_id: Size
    clean: Literal["lower", "whitespace", "canonicalize"]
    drop_id: int | None = None
    """A separator that is replaced by 0."""


class ModelConfig(Strict, frozen=True):
    """The preparation of pictures and words, and the scale of the logits."""

    format: Literal["openclip/2"] = "openclip/2"
    name: Text
    image: FileName
    """The image tower's graph: uint8 BGR 1 x H x W x 3 in, unit embedding out."""
    int8: FileName | None = None
    """The same in 8 bits, if it agreed with the reference when it was made; None if there is none."""
    width: Size
    height: Size
    fit: Literal["letterbox", "stretch"]
    """Stretched if the model was trained so; else the whole picture keeps its shape, with grey borders."""
    interpolation: str
    """The filter of the model's own pre-processing, for the record: OpenCV's area filter is used here."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    dimension: Size
    logit_scale: float = Field(gt=0)
    logit_bias: float | None = None
    """Of a model trained with a sigmoid for each pair; None for one trained with a softmax."""
    tokens: Tokens
    least_cosine: float
    """Cosine that the reference pictures must reach on a device, against torch."""
    least_cosine_int8: float = 0.95
    """The same for the graph in 8 bits."""
    raw: dict[FileName, Sha256]
    """Of the files it was converted from."""
    sha256: dict[FileName, Sha256]
    """Of every other file of the model."""

    @property
    def identity(self) -> dict[str, object]:
        """A hash of everything that scores depend on. The converted bytes are not part of it: they differ
        between versions of the tools, while every conversion that is admitted computes the same; so a
        calibration can travel. Nor is the precision, of which only 8 bits change scores: see
        `OpenClipModel.fingerprint`.
        """
        what = {
            "format",
            "width",
            "height",
            "fit",
            "mean",
            "std",
            "logit_scale",
            "logit_bias",
            "tokens",
            "raw",
        }
        return self.model_dump(mode="json", include=what)


def read_model_config(folder: Path) -> ModelConfig:
    """Raises ModelUnusableError."""
    path = folder / RECIPE_FILE
    try:
        return ModelConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelUnusableError(f"{path} cannot be read: {error.strerror}; pull the model again") from None
    except ValidationError as error:
        raise ModelUnusableError(f"{path} is broken: {first_problem(error)}; pull the model again") from None
