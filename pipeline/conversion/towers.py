"""Both towers as OpenVINO graphs, the model's own scaling inside."""

from __future__ import annotations

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
            self.visual = reparameterised(reference.model.visual)

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
