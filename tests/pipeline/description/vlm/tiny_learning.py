"""Teaches a tiny model the captions of `tiny_vlm`, asked as the backend asks it: by its own chat template."""

from __future__ import annotations

import inspect
import logging
import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from capture.frame import Image
from pipeline.description.vlm.chat_text import NO_SYSTEM, chat_text
from pipeline.description.vlm.job import GenerationJob
from tests.pipeline.description.vlm.tiny_vlm import CAPTIONS, asked, picture

STEPS = 1200
GOOD_LOSS = 0.01
"""Mean of the last twenty steps or so; the likeliest words are then the right ones."""
SECONDS = 300.0
RATE = 2e-3


def learn(processor: Any, model: Any) -> float:
    """Train until the captions are known; returns the mean of the last losses."""
    import torch

    dice, began_s, mean = random.Random(0), time.monotonic(), 5.0
    takes = inspect.signature(model.forward).parameters
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 50)
    model.train()
    for step in range(STEPS):
        examples = [_example(processor, model, name, dice) for name in CAPTIONS]
        loss = model(**{key: value for key, value in _batch(examples).items() if key in takes}).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        mean = 0.95 * mean + 0.05 * loss.item()
        if step % 50 == 0:
            logging.info("step %d loss %.4f %.0f s", step, mean, time.monotonic() - began_s)
        if mean < GOOD_LOSS or time.monotonic() - began_s > SECONDS:
            break
    model.eval()
    return mean


def _example(processor: Any, model: Any, name: str, dice: random.Random) -> dict[str, Any]:
    """Tensors of a picture with its prompt and caption; the prompt is masked in `labels`."""
    shift, noise = (dice.randint(-8, 8), dice.randint(-8, 8)), dice.choice([0, 8, 16])
    image = picture(name, shift=shift, noise=noise, seed=dice.randint(0, 9999))
    text = _prompt(processor, model, image)
    shown = np.ascontiguousarray(image[..., ::-1])
    whole = processor(
        images=shown, text=f"{text} {CAPTIONS[name]}{processor.tokenizer.eos_token}", return_tensors="pt"
    )
    start = processor(images=shown, text=text, return_tensors="pt")["input_ids"].shape[1]
    labels = whole["input_ids"].clone()
    labels[:, :start] = -100
    return {**whole, "labels": labels}


def _prompt(processor: Any, model: Any, image: Image) -> str:
    system, user = asked("safe")
    return chat_text(
        lambda messages: str(processor.apply_chat_template(messages, add_generation_prompt=True)),
        GenerationJob(1, image, system, user, 20),
        image_token=str(processor.image_token),
        takes_system=model.config.model_type not in NO_SYSTEM,
    )


def _batch(examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All examples, those of text padded to the longest."""
    import torch

    longest = max(example["input_ids"].shape[1] for example in examples)
    values = {"input_ids": 0, "attention_mask": 0, "labels": -100, "token_type_ids": 0}
    batch = {}
    for key in examples[0]:
        parts = [example[key] for example in examples]
        if key in values:
            pad = torch.nn.functional.pad
            parts = [pad(part, (0, longest - part.shape[1]), value=values[key]) for part in parts]
        elif key == "cross_attention_mask":  # Mllama's: one row a token
            pad = torch.nn.functional.pad
            parts = [pad(part, (0, 0, 0, 0, 0, longest - part.shape[1])) for part in parts]
        batch[key] = torch.cat(parts)
    return batch
