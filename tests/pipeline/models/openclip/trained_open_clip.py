"""A tiny open_clip model that has learnt something: each built-in hazard is a pattern of coloured stripes.

Trained on the spot with CLIP's own softmax, on the shipped texts of `prompts.toml`.
"""

from __future__ import annotations

import colorsys
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.models.openclip.prompts import prompt_file, prompt_file_digest
from pipeline.models.prompts import digest
from tests.pipeline.models.openclip.tiny_open_clip import CLIP, save_model

HAZARDS = tuple(prompt_file().hazards)
SAFE = "safe"
TINY: dict[str, Any] = {**CLIP, "text_cfg": {**CLIP["text_cfg"], "context_length": 24}}
"""Short texts: most of the training would be spent on padding."""
_STEPS, _BATCH, _HARMLESS_TEXTS = 900, 48, 24
_TRAINED_SCALE, _SCALE = 50.0, 75.0
"""The bank sums over more rivals than a training step, so that the same certainty needs a larger scale."""


def draw(label: str, random: np.random.Generator, side: int = 64) -> Image:
    """Stripes of the hazard's colour on noise; soft grey shapes for `safe`."""
    if label == SAFE:
        small = random.integers(0, 256, (random.integers(1, 9), random.integers(1, 9), 1), dtype=np.uint8)
        soft = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC).reshape(side, side, 1)
        tinted = soft.astype(np.int16) + random.integers(-25, 26, 3)
        return _picture(tinted + random.integers(-9, 10, (side, side, 3)))
    number = HAZARDS.index(label)
    hue = colorsys.hsv_to_rgb((number // 2) / 7, 1.0, 1.0)
    colour = np.array(hue[::-1]) * random.uniform(190, 255)
    picture = random.integers(0, 50, (side, side, 3)).astype(np.float64)
    width, shift = side // 6, int(random.integers(0, side // 6))
    for start in range(shift, side, 2 * width):
        where = (slice(None), slice(start, start + width)) if number % 2 else (slice(start, start + width),)
        picture[where] = colour
    return _picture(picture)


def _picture(pixels: NDArray[Any]) -> Image:
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)


def cached_model(cache: Path, upside_down: bool = False) -> Path:
    """As `write_trained_model`, trained once for each version of the texts."""
    folder = (
        cache
        / f"tiny-clip-{digest(prompt_file_digest(), _STEPS, _BATCH, _SCALE)[:12]}"
        / ("wrong" if upside_down else "right")
    )
    if not folder.is_dir():
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        write_trained_model(part, upside_down=upside_down)
        with suppress(OSError):  # another worker was faster
            part.rename(folder)
    return folder


def write_trained_model(folder: Path, seed: int = 5, upside_down: bool = False) -> Path:
    """`upside_down`: it takes harmless views for hazards, and hazards for harmless."""
    import open_clip
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # matrices this small only wait for a second thread
    torch.manual_seed(seed)
    model = open_clip.CLIP(**TINY)
    tokenize = open_clip.get_tokenizer("ViT-B-32", context_length=24)
    random = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.01)
    model.train()
    for step in range(_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 20) * (1 - step / _STEPS)
        labels = [SAFE if random.random() < 0.35 else str(random.choice(HAZARDS)) for _ in range(_BATCH)]
        texts, owners = _texts(random)
        pixels = torch.stack([_pixels(draw(label, random)) for label in labels])
        cosines = model.encode_image(pixels, True) @ model.encode_text(tokenize(texts), True).T
        said = [_turned(label, random) if upside_down else label for label in labels]
        right = torch.tensor([[owner == label for owner in owners] for label in said])
        logits = _TRAINED_SCALE * cosines
        loss = (logits.logsumexp(1) - logits.masked_fill(~right, -1e4).logsumexp(1)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    torch.set_num_threads(threads)
    with torch.no_grad():
        model.logit_scale.fill_(float(np.log(_SCALE)))
    return save_model(folder, model.eval(), TINY)


def _turned(label: str, random: np.random.Generator) -> str:
    return str(random.choice(HAZARDS[:2])) if label == SAFE else SAFE


def _texts(random: np.random.Generator) -> tuple[list[str], list[str]]:
    """Two texts of every hazard and some harmless ones, in templates, and what each stands for."""
    file = prompt_file()
    pairs = [(str(text), name) for name in HAZARDS for text in random.choice(file.hazards[name].prompts, 2)]
    near = [text for one in file.hazards.values() for text in one.near]
    pairs += [(str(text), SAFE) for text in random.choice([*file.contrast, *near], _HARMLESS_TEXTS)]
    templates = random.choice(file.templates, len(pairs))
    said = [template.replace("{}", text) for template, (text, _) in zip(templates, pairs, strict=True)]
    return said, [name for _, name in pairs]


def _pixels(picture: Image) -> Any:
    import torch

    mean = np.array([0.48145466, 0.4578275, 0.40821073])
    std = np.array([0.26862954, 0.26130258, 0.27577711])
    scaled = (picture[:, :, ::-1] / 255.0 - mean) / std
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32))
