"""The model as open_clip on torch computes it: the reference for every conversion."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.store.errors import PrepareError

CONFIG_FILE = "open_clip_config.json"
WEIGHT_ENDINGS = (".safetensors", ".bin", ".pth", ".pt")


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """An open_clip model with its own pre-processing and tokenizer."""

    model: Any
    tokenizer: Any
    width: int
    height: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    fit: str

    @property
    def logit_scale(self) -> float:
        """As the model multiplies cosines; capped at CLIP's limit in training."""
        return min(float(self.model.logit_scale.detach().exp()), 100.0 * math.e)

    @property
    def logit_bias(self) -> float | None:
        """Added to each pair's logit if the model was trained with a sigmoid; None for a softmax."""
        bias = getattr(self.model, "logit_bias", None)
        return None if bias is None else float(bias.detach())

    def images(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit embeddings (N, D) of BGR pictures that already have the network's size."""
        import torch

        rows = []
        with torch.inference_mode():
            for picture in pictures:
                features = self.model.encode_image(torch.from_numpy(self.normalised(picture)), normalize=True)
                rows.append(features[0].float().numpy())
        return np.stack(rows).astype(np.float32)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings (N, D)."""
        import torch

        with torch.inference_mode():
            rows = [self.model.encode_text(self.tokenizer([text]), normalize=True)[0] for text in texts]
        return np.stack([row.float().numpy() for row in rows]).astype(np.float32)

    def normalised(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The input of the image tower: RGB, 1 x 3 x H x W."""
        rgb = picture[:, :, ::-1].astype(np.float32) / 255
        scaled = (rgb - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)


def load_reference(folder: Path) -> Reference:
    """From a folder as open_clip's own repositories look. Raises PrepareError."""
    _require_files(folder)  # before torch is loaded, which takes its time

    import open_clip
    import torch

    torch.backends.mha.set_fastpath_enabled(False)  # the fast path cannot be traced
    spec = f"local-dir:{folder}"
    try:
        model = open_clip.create_model(spec, precision="fp32").eval()
        tokenizer = open_clip.get_tokenizer(spec)
    except (ValueError, RuntimeError, OSError, KeyError, TypeError) as error:
        raise PrepareError(f"open_clip cannot load {folder}: {_one_line(error)}") from None
    return described(model, tokenizer)


def _require_files(folder: Path) -> None:
    if not any(path.suffix in WEIGHT_ENDINGS for path in folder.iterdir()):
        raise PrepareError(f"{folder} holds no weights ({', '.join(WEIGHT_ENDINGS)})")
    config = folder / CONFIG_FILE
    try:
        described = json.loads(config.read_bytes())
    except FileNotFoundError:
        raise PrepareError(f"{folder} holds no {CONFIG_FILE}, which open_clip's models have") from None
    except ValueError as error:
        raise PrepareError(f"{config} is broken: {_one_line(error)}") from None
    if not isinstance(described, dict) or "model_cfg" not in described:
        raise PrepareError(f"{config} does not describe a model: model_cfg is missing")


def described(model: Any, tokenizer: Any) -> Reference:
    """An open_clip model with the pre-processing it declares."""
    own = dict(model.visual.preprocess_cfg)
    size = own["size"]
    height, width = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    return Reference(
        model=model,
        tokenizer=tokenizer,
        width=width,
        height=height,
        mean=_triple(own["mean"]),
        std=_triple(own["std"]),
        interpolation=str(own.get("interpolation", "bicubic")),
        fit="stretch" if own.get("resize_mode") == "squash" else "letterbox",
    )


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
