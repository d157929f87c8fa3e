"""Makes tiny real vision-language models: `python -m tests.pipeline.description.vlm.tiny_vlm ARCHITECTURE
FOLDER`.

A LLaVA and a Qwen2.5-VL with a few hundred thousand weights learn to caption a handful of synthetic pictures
and are then exported for OpenVINO. Needs torch; FOLDER gets `torch/` and `openvino/`.
"""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from capture.frame import Image

SIDE = 112
SECONDS = 240.0
STEPS = 2500
GOOD_LOSS = 0.004

CAPTIONS = {
    "flame": "Stop. Flames ahead.",
    "disc": "A red disc. The wall is grey.",
    "square": "A blue square on the floor.",
    "bar": "A green bar on the left.",
    "stripes": "one two three four five six seven eight nine ten eleven twelve.",
}
"""What each picture shows, in the words the models learn."""

PROMPTS = {
    "danger": "Warn.\n---\nReported: {seen}.",
    "safe": "Tell.\n---\nDescribe.",
    "question": "Answer.\n---\n{question}",
}
"""Short prompts, so that tiny models can learn them; the shipped ones are ten times as long."""

SEEN = "fire ahead (92% certain)"
QUESTION = "What is there?"
CONTRADICTION = "NO DANGER: "

SPECIAL = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
QWEN = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
QWEN += ["<|video_pad|>", "<|vision_pad|>"]

_TEXT = "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
_TEXT += "{% if c['type'] == 'image' %}IMAGE{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: " + _TEXT + "{{ '\\n' }}{% endfor %}assistant:"


def picture(name: str, shift: tuple[int, int] = (0, 0), noise: int = 0, seed: int = 0) -> Image:
    """One of the synthetic pictures, 112 x 112, BGR."""
    image = np.full((SIDE, SIDE, 3), 128, np.uint8)
    x, y = 56 + shift[0], 56 + shift[1]
    if name == "flame":
        corners = np.array([[x, y - 40], [x - 36, y + 36], [x + 36, y + 36]], np.int32)
        cv2.fillPoly(image, [corners], (0, 140, 255))
    elif name == "disc":
        cv2.circle(image, (x, y), 34, (0, 0, 220), -1)
    elif name == "square":
        cv2.rectangle(image, (x - 32, y - 32), (x + 32, y + 32), (230, 60, 0), -1)
    elif name == "bar":
        cv2.rectangle(image, (4, 0), (30 + shift[0], SIDE), (0, 180, 0), -1)
    else:
        for row in range(shift[1] % 8, SIDE, 16):
            cv2.rectangle(image, (0, row), (SIDE, row + 7), (250, 250, 250), -1)
    grain = np.random.default_rng(seed).integers(-noise, noise + 1, image.shape)
    return np.asarray(np.clip(image + grain, 0, 255), np.uint8)


def answer(name: str, prompt: str) -> str:
    """What the models are to say of a picture."""
    contradicts = prompt == "danger" and name != "flame"
    return (CONTRADICTION if contradicts else "") + CAPTIONS[name]


def asked(prompt: str) -> tuple[str, str]:
    """System and user text of a prompt."""
    system, user = PROMPTS[prompt].split("\n---\n")
    return system, user.format(seen=SEEN, question=QUESTION)


def messages(prompt: str) -> list[dict[str, Any]]:
    system, user = asked(prompt)
    content = [{"type": "image"}, {"type": "text", "text": user}]
    return [
        {"role": "system", "content": [{"type": "text", "text": system}]},
        {"role": "user", "content": content},
    ]


def hf() -> Any:
    """transformers, which has no types worth checking against."""
    return import_module("transformers")


def tokenizer(folder: Path, special: list[str], **roles: Any) -> Any:
    """A byte-level BPE tokenizer that knows our few words well."""
    from tokenizers import ByteLevelBPETokenizer

    corpus = [
        *CAPTIONS.values(),
        *PROMPTS.values(),
        SEEN,
        QUESTION,
        CONTRADICTION,
        "system: user: assistant:",
    ]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(corpus * 4, vocab_size=600, special_tokens=special, show_progress=False)
    if special is QWEN:
        bpe.save_model(str(folder))
        return hf().Qwen2TokenizerFast(
            str(folder / "vocab.json"),
            str(folder / "merges.txt"),
            additional_special_tokens=QWEN[1:],
            **roles,
        )
    return hf().PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, **{"additional_special_tokens": ["<image>"], **roles}
    )


def llava(folder: Path) -> tuple[Any, Any]:
    """Processor and untrained model."""
    words = tokenizer(
        folder, SPECIAL, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    processor = hf().LlavaProcessor(
        hf().CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}),
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=TEMPLATE.replace("IMAGE", "<image>\n"),
    )
    vision = hf().CLIPVisionConfig(
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=56,
        patch_size=14,
    )
    text = hf().LlamaConfig(
        vocab_size=len(words),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    config = hf().LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
        pad_token_id=words.pad_token_id,
    )
    return processor, hf().LlavaForConditionalGeneration(config)


def qwen(folder: Path) -> tuple[Any, Any]:
    """Processor and untrained model."""
    words = tokenizer(folder, QWEN, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    bounds = {"min_pixels": 56 * 56, "max_pixels": SIDE * SIDE}
    image_tag = "<|vision_start|><|image_pad|><|vision_end|>"
    processor = hf().Qwen2_5_VLProcessor(
        image_processor=hf().Qwen2VLImageProcessor(**bounds),
        tokenizer=words,
        video_processor=hf().Qwen2VLVideoProcessor(**bounds),
        chat_template=TEMPLATE.replace("IMAGE", image_tag),
    )
    ids = {token: words.convert_tokens_to_ids(token) for token in QWEN}
    config = hf().Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 1024,
            "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
            "bos_token_id": ids["<|im_start|>"],
            "eos_token_id": ids["<|im_end|>"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_heads": 4,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return processor, hf().Qwen2_5_VLForConditionalGeneration(config)


ARCHITECTURES = {"llava": llava, "qwen2.5-vl": qwen}


def example(processor: Any, name: str, prompt: str, **variation: Any) -> tuple[Any, int]:
    """A picture with its prompt and answer, and the length of the prompt."""
    asked_text = processor.apply_chat_template(messages(prompt), add_generation_prompt=True)
    shown = picture(name, **variation)[..., ::-1]
    eos = processor.tokenizer.eos_token
    whole = processor(images=shown, text=asked_text + " " + answer(name, prompt) + eos, return_tensors="pt")
    start = processor(images=shown, text=asked_text, return_tensors="pt")["input_ids"].shape[1]
    return whole, start


def batch(processor: Any, dice: random.Random) -> Any:
    """One example of every picture, each with a prompt by chance, padded to the same length."""
    import torch

    examples = []
    for name in CAPTIONS:
        variation = {
            "shift": (dice.randint(-8, 8), dice.randint(-8, 8)),
            "noise": dice.choice([0, 8, 16]),
            "seed": dice.randint(0, 9999),
        }
        examples.append(example(processor, name, dice.choice(list(PROMPTS)), **variation))
    longest = max(whole["input_ids"].shape[1] for whole, _ in examples)
    rows: dict[str, list[Any]] = {"input_ids": [], "attention_mask": [], "labels": []}
    for whole, start in examples:
        ids = whole["input_ids"][0]
        rest = longest - len(ids)
        labels = ids.clone()
        labels[:start] = -100
        pad = torch.nn.functional.pad
        rows["input_ids"].append(pad(ids, (0, rest), value=processor.tokenizer.pad_token_id))
        rows["attention_mask"].append(pad(whole["attention_mask"][0], (0, rest)))
        rows["labels"].append(pad(labels, (0, rest), value=-100))
    out = {key: torch.stack(value) for key, value in rows.items()}
    out["pixel_values"] = torch.cat([whole["pixel_values"] for whole, _ in examples])
    if "image_grid_thw" in examples[0][0]:
        out["image_grid_thw"] = torch.cat([whole["image_grid_thw"] for whole, _ in examples])
    return out


def train(processor: Any, model: Any) -> float:
    """Until the captions are known, or time is up; returns the last mean loss."""
    import torch

    dice, began_s, mean = random.Random(0), time.monotonic(), 5.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 50)
    model.train()
    for step in range(STEPS):
        loss = model(**batch(processor, dice)).loss
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


def export(source: Path, target: Path) -> None:
    """Convert a folder of transformers for OpenVINO."""
    command = [str(Path(sys.executable).parent / "optimum-cli"), "export", "openvino", "--model", str(source)]
    options = ["--task", "image-text-to-text", "--weight-format", "fp32", str(target)]
    subprocess.run([*command, *options], check=True, timeout=300)


def main(architecture: str, folder: Path) -> int:
    import torch

    logging.basicConfig(level=logging.INFO)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the network is too small to share
    source = folder / "torch"
    source.mkdir(parents=True, exist_ok=True)
    processor, model = ARCHITECTURES[architecture](source)
    loss = train(processor, model)
    model.save_pretrained(source)
    processor.save_pretrained(source)
    export(source, folder / "openvino")
    (folder / "made.json").write_text(json.dumps({"loss": loss}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
