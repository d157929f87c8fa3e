"""The catalogue's models as their publishers dimension them.

No repository was read. Qwen3-VL's configuration is the one that a public report quotes of a model derived
from it; those of SmolVLM2 and tiny-llava are put together from their language and vision models. The sizes of
the weights that follow are the published ones; from them it is concluded that the latter two have 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.pipeline.description.vlm.chat_templates import QWEN as QWEN_TEMPLATE
from tests.pipeline.description.vlm.chat_templates import SMOLVLM as SMOLVLM_TEMPLATE
from tests.pipeline.description.vlm.tiny_architectures import BASE, ROLES
from tests.pipeline.description.vlm.tiny_vlm import QWEN, SPECIAL, hf


@dataclass(frozen=True)
class TrueSize:
    """A model of the catalogue as its publisher dimensions it."""

    config: Callable[[Any], Any]
    """Of the tokenizer."""
    model: str
    """The class in transformers."""
    processor: Callable[[Any], Any]
    """Of the tokenizer."""
    entries: int
    """Of the tokenizer, without special tokens."""
    special: list[str]
    roles: dict[str, str]
    dtype: str
    """Of the published weights."""


def _qwen3_vl_config(tokens: Any) -> Any:
    ids = {token: tokens.convert_tokens_to_ids(token) for token in QWEN}
    return hf().Qwen3VLConfig(
        tie_word_embeddings=True,
        text_config={
            "vocab_size": 151_936,
            "hidden_size": 2048,
            "intermediate_size": 6144,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "max_position_embeddings": 262_144,
            "rope_theta": 5_000_000,
            "rope_scaling": {
                "rope_type": "default",
                "mrope_section": [24, 20, 20],
                "mrope_interleaved": True,
            },
            "tie_word_embeddings": True,
            "eos_token_id": ids["<|im_end|>"],
        },
        vision_config={
            "depth": 24,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_heads": 16,
            "out_hidden_size": 2048,
            "deepstack_visual_indexes": [5, 11, 17],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )


def _qwen3_vl_processor(tokens: Any) -> Any:
    images = {"size": {"shortest_edge": 256 * 256, "longest_edge": 4096 * 4096}, "patch_size": 16}
    return hf().Qwen3VLProcessor(
        image_processor=hf().Qwen2VLImageProcessorFast(
            **images, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5]
        ),
        tokenizer=tokens,
        video_processor=hf().Qwen3VLVideoProcessor(patch_size=16),
        chat_template=QWEN_TEMPLATE,
    )


def _smolvlm2_config(tokens: Any) -> Any:
    return hf().SmolVLMConfig(
        tie_word_embeddings=False,
        text_config={
            "model_type": "llama",
            "vocab_size": 49_280,
            "hidden_size": 960,
            "intermediate_size": 2560,
            "num_hidden_layers": 32,
            "num_attention_heads": 15,
            "num_key_value_heads": 5,
            "max_position_embeddings": 8192,
            "rope_theta": 100_000,
            "pad_token_id": tokens.pad_token_id,
        },
        vision_config={
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "image_size": 512,
            "patch_size": 16,
        },
        scale_factor=4,
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        pad_token_id=tokens.pad_token_id,
    )


def _smolvlm2_processor(tokens: Any) -> Any:
    images = {"size": {"longest_edge": 2048}, "max_image_size": {"longest_edge": 512}}
    return hf().SmolVLMProcessor(
        hf().SmolVLMImageProcessor(**images, do_image_splitting=True),
        tokens,
        video_processor=hf().SmolVLMVideoProcessor(size={"longest_edge": 512}),
        image_seq_len=64,
        chat_template=SMOLVLM_TEMPLATE,
    )


def _llava_config(tokens: Any) -> Any:
    return hf().LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "image_size": 336,
            "patch_size": 14,
            "projection_dim": 768,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": 32_064,
            "hidden_size": 2048,
            "intermediate_size": 5632,
            "num_hidden_layers": 22,
            "num_attention_heads": 32,
            "num_key_value_heads": 4,
            "max_position_embeddings": 2048,
            "eos_token_id": tokens.eos_token_id,
            "pad_token_id": tokens.pad_token_id,
        },
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        pad_token_id=tokens.pad_token_id,
    )


def _llava_processor(tokens: Any) -> Any:
    images = hf().CLIPImageProcessor(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    return hf().LlavaProcessor(images, tokens, patch_size=14, image_token="<image>")


_SMOLVLM_SPECIAL = [
    *BASE,
    "<image>",
    "<fake_token_around_image>",
    "<end_of_utterance>",
    "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
]
SIZES = {
    "qwen3-vl-2b": TrueSize(
        _qwen3_vl_config,
        "Qwen3VLForConditionalGeneration",
        _qwen3_vl_processor,
        151_643,
        QWEN,
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        "bfloat16",
    ),
    "smolvlm2-500m": TrueSize(
        _smolvlm2_config,
        "SmolVLMForConditionalGeneration",
        _smolvlm2_processor,
        49_000,
        _SMOLVLM_SPECIAL,
        ROLES,
        "float32",
    ),
    "tiny-llava": TrueSize(
        _llava_config,
        "LlavaForConditionalGeneration",
        _llava_processor,
        32_000,
        SPECIAL,
        ROLES,
        "float32",
    ),
}
"""By name in the catalogue."""
