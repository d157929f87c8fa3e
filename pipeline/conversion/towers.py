"""Both towers as OpenVINO graphs, the model's own scaling inside."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from pipeline.conversion.torch_reference import Reference


def image_tower(reference: Reference) -> Any:
    """Graph from float RGB 1 x 3 x H x W, normalised, to a unit embedding."""
    import openvino as ov
    import torch

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = ending_in_first_token(reparameterised(reference.model.visual))

        def forward(self, pixels: Any) -> Any:
            return torch.nn.functional.normalize(self.visual(pixels), dim=-1)

    example = torch.zeros(1, 3, reference.height, reference.width)
    with torch.inference_mode():
        return ov.convert_model(Tower().eval(), example_input=example, input=[tuple(example.shape)])


def text_tower(reference: Reference) -> Any:
    """Graph from token ids 1 x L, int64, to a unit embedding."""
    import openvino as ov
    import torch

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = reference.model

        def forward(self, tokens: Any) -> Any:
            return self.model.encode_text(tokens, normalize=True)

    example = reference.tokenizer(["a fire in a room"])
    with torch.inference_mode():
        return ov.convert_model(Tower().eval(), example_input=example, input=[tuple(example.shape)])


def reparameterised(visual: Any) -> Any:
    """The branches of training-time blocks folded into one convolution, if the network has such blocks."""
    if not any(hasattr(module, "reparameterize") or hasattr(module, "fuse") for module in visual.modules()):
        return visual
    from timm.utils.model import reparameterize_model

    return reparameterize_model(visual).eval()


def ending_in_first_token(visual: Any) -> Any:
    """The tower without the work that no one reads: its last block computes the first token alone.

    A vision transformer that pools by its class token drops all other tokens after the last block, which
    needs them as keys and values only. The embedding is the same; of a network of twelve blocks a sixteenth
    of the products goes. Other towers are returned as they are; a changed one is a copy.
    """
    import torch
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    if not isinstance(visual, VisionTransformer) or visual.pool_type != "tok" or visual.attn_pool is not None:
        return visual
    last = visual.transformer.resblocks[-1]
    # Only this class is computed below, and with the batch first, so that tokens are the second axis.
    if type(last) is not ResidualAttentionBlock or not last.attn.batch_first:
        return visual

    class FirstToken(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = last

        def forward(self, tokens: Any, attn_mask: Any = None) -> Any:
            block, normal = self.block, self.block.ln_1(tokens)
            attended = block.attention(normal[:, :1], normal, normal, attn_mask=attn_mask)
            first = tokens[:, :1] + block.ls_1(attended)
            return first + block.ls_2(block.mlp(block.ln_2(first)))

    # The weights stay shared: a second copy would cost as much memory as the tower.
    changed = copy.deepcopy(visual, {id(one): one for one in visual.parameters()})
    changed.transformer.resblocks[-1] = FirstToken()
    return changed


def with_preprocessing(graph: Any, reference: Reference) -> Any:
    """The same graph taking uint8 BGR 1 x H x W x 3: colour order, layout and scaling inside, no resizing."""
    import openvino as ov
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(graph)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(
        ColorFormat.BGR
    )
    steps.input().model().set_layout(ov.Layout("NCHW"))
    mean = [255 * value for value in reference.mean]
    scale = [255 * value for value in reference.std]
    steps.input().preprocess().convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB).mean(
        mean
    ).scale(scale)
    return steps.build()


def save(graph: Any, path: Path) -> None:
    """Weights in 16 bits (those of an 8-bit graph stay in 8)."""
    import openvino as ov

    ov.save_model(graph, path, compress_to_fp16=True)
