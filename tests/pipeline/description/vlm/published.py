"""Tiny models with the processor and template files that the publisher's repository is reported to have.

No repository was read. `LAYOUTS` holds what the model's class, its documentation and public accounts tell of
its files: which there are, which keys are absent. Without such an account the files are as the class's own
conversion code writes them (`reconstructed`). The templates are written anew with the traits that are
reported: which form of messages they take, where the picture stands, and which ones they refuse.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.description.vlm.chat_templates import (
    DEEPSEEK,
    LLAMA,
    LLAMA_FIRST,
    LLAMA_TEXT_ONLY,
    QWEN,
    SMOLVLM,
)
from tests.pipeline.description.vlm.made import architecture, tiny


@dataclass(frozen=True)
class Layout:
    """A repository's files beside the weights."""

    source: Callable[[], Path]
    files: frozenset[str]
    """Those of processor and tokenizer."""
    template: str = ""
    """Chat template; none if empty."""
    template_file: str = "chat_template.json"
    lacks: tuple[str, ...] = ()
    """Keys that the processor's files do not have."""
    reconstructed: bool = False


_TOKENS = frozenset({"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"})
_MORE = frozenset({"processor_config.json"})
_VIDEO = frozenset({"video_preprocessor_config.json"})
_IMAGES = _TOKENS | {"preprocessor_config.json"}
LAYOUTS = {
    "tiny-llava": Layout(
        lambda: tiny("llava") / "torch",
        _IMAGES,
        lacks=("patch_size", "vision_feature_select_strategy", "num_additional_image_tokens"),
    ),
    "qwen2.5-vl-3b": Layout(lambda: tiny("qwen2.5-vl") / "torch", _IMAGES | _VIDEO, QWEN),
    "qwen3-vl-2b": Layout(lambda: architecture("qwen3-vl-2b"), _IMAGES | _VIDEO, QWEN),
    "smolvlm2-500m": Layout(lambda: architecture("smolvlm2-500m"), _IMAGES | _MORE | _VIDEO, SMOLVLM),
    "llama-3.2-11b-vision": Layout(lambda: architecture("llama-3.2-11b-vision"), _IMAGES, LLAMA),
    "llama-3.2-11b-vision, first revision": Layout(
        lambda: architecture("llama-3.2-11b-vision"), _IMAGES, LLAMA_FIRST
    ),
    "llama-3.2-11b-vision, by its conversion code": Layout(
        lambda: architecture("llama-3.2-11b-vision"), _IMAGES, LLAMA_TEXT_ONLY, reconstructed=True
    ),
    "deepseek-vl-7b": Layout(
        lambda: architecture("deepseek-vl-7b"),
        _IMAGES | _MORE,
        DEEPSEEK,
        "chat_template.jinja",
        reconstructed=True,
    ),
    "deepseek-vl-1.3b": Layout(
        lambda: architecture("deepseek-vl-1.3b"),
        _IMAGES | _MORE,
        DEEPSEEK,
        "chat_template.jinja",
        reconstructed=True,
    ),
}


def publish(name: str, into: Path) -> Path:
    """The tiny model of this name in its publisher's layout."""
    return arrange(name, LAYOUTS[name].source(), into)


def arrange(name: str, source: Path, into: Path, *, move: bool = False) -> Path:
    """The files of `source` as the publisher of this model has them; `move` for large ones."""
    layout = LAYOUTS[name]
    into.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        is_weights = ".safetensors" in path.suffixes
        is_model = is_weights or path.name in ("config.json", "generation_config.json")
        if is_model or path.name in layout.files:
            (shutil.move if move else shutil.copyfile)(path, into / path.name)
    for file in ("preprocessor_config.json", "processor_config.json", "tokenizer_config.json"):
        if (into / file).exists():
            _without(into / file, (*layout.lacks, "chat_template"))
    if layout.template_file.endswith(".jinja") and layout.template:
        (into / layout.template_file).write_text(layout.template, encoding="utf-8")
    elif layout.template:
        (into / layout.template_file).write_text(json.dumps({"chat_template": layout.template}), "utf-8")
    return into


def _without(file: Path, keys: tuple[str, ...]) -> None:
    fields = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({key: value for key, value in fields.items() if key not in keys}), "utf-8")
