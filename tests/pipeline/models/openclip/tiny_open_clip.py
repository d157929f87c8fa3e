"""A tiny real open_clip model, written to a folder as open_clip's own repositories look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLIP: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16, "head_width": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
CLIP_PICTURES: dict[str, Any] = {
    "size": [64, 64],
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
FOREIGN_TEXT: dict[str, Any] = {
    "context_length": 16,
    "vocab_size": 1000,
    "width": 32,
    "heads": 2,
    "layers": 2,
    "hf_tokenizer_name": "someone/foreign",
    "tokenizer_kwargs": {"clean": "canonicalize"},
    "no_causal_mask": True,
    "pool_type": "last",
}
"""As SigLIP does it: a tokenizer of its own, no causal mask, the last token pooled."""


def write_model(
    folder: Path, config: dict[str, Any] | None = None, pictures: dict[str, Any] | None = None
) -> Path:
    """Random weights from a fixed seed."""
    import open_clip
    import torch

    config = config or CLIP
    torch.manual_seed(7)
    kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
    model = kind(**{key: value for key, value in config.items() if key != "custom_text"})
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(3)  # untrained towers answer everything alike; this spreads them
    return save_model(folder, model, config, pictures)


def save_model(
    folder: Path, model: Any, config: dict[str, Any], pictures: dict[str, Any] | None = None
) -> Path:
    """Write a model's weights and description."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: value.contiguous() for key, value in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    described = {"model_cfg": config, "preprocess_cfg": pictures or CLIP_PICTURES}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    return folder


def write_foreign_tokenizer(folder: Path) -> None:
    """A byte-level tokenizer trained on the spot, saved as transformers does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        special_tokens=["<pad>", "<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    raw.train_from_iterator(["a fire in a room", "a car on the road", "불이 난 방"] * 20, trainer)
    fast: Any = PreTrainedTokenizerFast
    fast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>").save_pretrained(str(folder))
