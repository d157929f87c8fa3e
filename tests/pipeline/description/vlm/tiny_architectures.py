"""Tiny models, one an architecture of the catalogue, most of which learn what they are shown."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pipeline.description.vlm.chat_templates import DEEPSEEK, LLAMA, SMOLVLM
from tests.pipeline.description.vlm.chat_templates import QWEN as PUBLISHED_QWEN
from tests.pipeline.description.vlm.tiny_learning import learn
from tests.pipeline.description.vlm.tiny_vlm import QWEN, SIDE, TEMPLATE, hf, tokenizer

TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
ROLES = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
BASE = ["<unk>", "<s>", "</s>", "<pad>"]


def words(folder: Path, *special: str) -> Any:
    """A small tokenizer with these tokens besides the usual ones."""
    made = tokenizer(folder, [*BASE, *special], **ROLES)
    made.add_special_tokens({"additional_special_tokens": list(special)})
    return made


def smolvlm(folder: Path) -> tuple[Any, Any]:
    special = ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    tokens = words(folder, *special)
    image_processor = hf().SmolVLMImageProcessor(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 64}, do_image_splitting=False
    )
    processor = hf().SmolVLMProcessor(
        image_processor,
        tokens,
        video_processor=hf().SmolVLMVideoProcessor(
            size={"longest_edge": 64}, max_image_size={"longest_edge": 64}
        ),
        image_seq_len=4,
        chat_template=TEMPLATE.replace("IMAGE", "<image>"),
    )
    config = hf().SmolVLMConfig(
        vision_config={
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "image_size": 64,
            "patch_size": 16,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokens),
            "pad_token_id": tokens.pad_token_id,
            **TEXT,
        },
        scale_factor=2,
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        pad_token_id=tokens.pad_token_id,
    )
    return processor, hf().SmolVLMForConditionalGeneration(config)


def deepseek_vl(folder: Path) -> tuple[Any, Any]:
    tokens = tokenizer(folder, BASE, **ROLES, extra_special_tokens={"image_token": "<image_placeholder>"})
    processor = hf().DeepseekVLProcessor(
        hf().DeepseekVLImageProcessor(size={"height": 64, "width": 64}),
        tokens,
        chat_template=TEMPLATE.replace("IMAGE", "<image_placeholder>"),
        num_image_tokens=16,
    )
    config = hf().DeepseekVLConfig(
        text_config={"model_type": "llama", "vocab_size": len(tokens), **TEXT},
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "image_size": 64,
            "patch_size": 16,
        },
        image_token_id=tokens.convert_tokens_to_ids("<image_placeholder>"),
    )
    return processor, hf().DeepseekVLForConditionalGeneration(config)


def deepseek_vl_hybrid(folder: Path) -> tuple[Any, Any]:
    """The class of DeepSeek-VL-7B-chat: a second, finer look at the picture by a SAM encoder."""
    tokens = tokenizer(folder, BASE, **ROLES, extra_special_tokens={"image_token": "<image_placeholder>"})
    processor = hf().DeepseekVLHybridProcessor(
        hf().DeepseekVLHybridImageProcessor(
            size={"height": 64, "width": 64}, high_res_size={"height": 128, "width": 128}
        ),
        tokens,
        chat_template=TEMPLATE.replace("IMAGE", "<image_placeholder>"),
        num_image_tokens=16,
    )
    vision = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 16}
    config = hf().DeepseekVLHybridConfig(
        text_config={"model_type": "llama", "vocab_size": len(tokens), **TEXT},
        vision_config={
            **vision,
            "model_type": "siglip_vision_model",
            "intermediate_size": 96,
            "image_size": 64,
        },
        high_res_vision_config={
            **vision,
            "model_type": "sam_vision_model",
            "image_size": 128,
            "output_channels": 32,
            "global_attn_indexes": [1],
            "window_size": 4,
            "mlp_dim": 96,
        },
        image_token_id=tokens.convert_tokens_to_ids("<image_placeholder>"),
    )
    return processor, hf().DeepseekVLHybridForConditionalGeneration(config)


def mllama(folder: Path) -> tuple[Any, Any]:
    tokens = words(folder, "<|image|>")
    size = {"height": 56, "width": 56}
    processor = hf().MllamaProcessor(
        hf().MllamaImageProcessor(size=size, max_image_tiles=2),
        tokens,
        chat_template=TEMPLATE.replace("IMAGE", "<|image|>"),
    )
    config = hf().MllamaConfig(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": 4,
            "image_size": 56,
            "patch_size": 14,
            "max_num_tiles": 2,
            "intermediate_layers_indices": [0],
            "vision_output_dim": 64,
            "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]],
        },
        text_config={
            **TEXT,
            "vocab_size": len(tokens),
            "num_hidden_layers": 3,
            "cross_attention_layers": [1],
            "pad_token_id": tokens.pad_token_id,
            "bos_token_id": tokens.bos_token_id,
            "eos_token_id": tokens.eos_token_id,
            "rope_scaling": {"rope_type": "default"},
        },
        image_token_index=tokens.convert_tokens_to_ids("<|image|>"),
    )
    return processor, hf().MllamaForConditionalGeneration(config)


def qwen3_vl(folder: Path) -> tuple[Any, Any]:
    tokens = tokenizer(folder, QWEN, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    bounds = {"size": {"shortest_edge": 64 * 64, "longest_edge": SIDE * SIDE}, "patch_size": 16}
    processor = hf().Qwen3VLProcessor(
        image_processor=hf().Qwen2VLImageProcessorFast(**bounds),
        tokenizer=tokens,
        video_processor=hf().Qwen3VLVideoProcessor(**bounds),
        chat_template=TEMPLATE.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    ids = {token: tokens.convert_tokens_to_ids(token) for token in QWEN}
    config = hf().Qwen3VLConfig(
        text_config={
            **TEXT,
            "vocab_size": len(tokens),
            "head_dim": 16,
            "rope_scaling": {"rope_type": "default", "mrope_section": [2, 3, 3], "mrope_interleaved": True},
            "eos_token_id": ids["<|im_end|>"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_heads": 4,
            "out_hidden_size": 64,
            "deepstack_visual_indexes": [0],
            "num_position_embeddings": 64,
            "patch_size": 16,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return processor, hf().Qwen3VLForConditionalGeneration(config)


ARCHITECTURES: dict[str, Callable[[Path], tuple[Any, Any]]] = {
    "smolvlm2-500m": smolvlm,
    "deepseek-vl-7b": deepseek_vl_hybrid,
    "deepseek-vl-1.3b": deepseek_vl,
    "llama-3.2-11b-vision": mllama,
    "qwen3-vl-2b": qwen3_vl,
}
"""By the model of the catalogue that has this architecture."""


LEARNT = {
    "smolvlm2-500m": SMOLVLM,
    "deepseek-vl-7b": DEEPSEEK,
    "llama-3.2-11b-vision": LLAMA,
    "qwen3-vl-2b": PUBLISHED_QWEN,
}
"""Those that learn the captions, with the chat template by which they are asked."""


def save(name: str, folder: Path) -> None:
    """Write model and processor as their publisher would."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the network is too small to share
    processor, model = ARCHITECTURES[name](folder)
    if name in LEARNT:
        processor.chat_template = LEARNT[name]
        logging.info("%s: last loss %.4f", name, learn(processor, model))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    save(sys.argv[1], Path(sys.argv[2]))
