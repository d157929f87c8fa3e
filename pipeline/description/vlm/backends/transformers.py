"""transformers on torch: runs models that openvino-genai cannot, and is the reference for it."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.description.vlm.chat_text import NO_SYSTEM, OPENED, chat_text, filled, opens_thought
from pipeline.description.vlm.image import squared
from pipeline.description.vlm.job import (
    Emit,
    GenerateError,
    GenerationJob,
    GenerationStats,
    ModelLoadError,
    ModelSpec,
)
from pipeline.description.vlm.token_text import TokenText, first_line

PLAIN_TEMPLATE = "{system}\nUSER: <image>\n{user}\nASSISTANT:"
"""LLaVA's own format, for processors that bring no chat template."""
SEED = 0
"""Chance is the same each time, so that the same picture gets the same words with any temperature."""


def load(spec: ModelSpec) -> TorchGenerator:
    """The generator for a spec. Raises ModelLoadError."""
    return TorchGenerator(spec)


class TorchGenerator:
    """`AutoModelForImageTextToText` from a local folder. Raises ModelLoadError."""

    def __init__(self, spec: ModelSpec) -> None:
        try:
            torch, transformers = import_module("torch"), import_module("transformers")
        except ImportError:
            raise ModelLoadError(
                'torch and transformers are not installed; run `pip install "watchword[prepare]"`'
            ) from None
        if not (Path(spec.folder) / "config.json").is_file():
            raise ModelLoadError(f"{spec.folder} holds no model; pull {spec.model} again")
        self.device = pick_device(spec.device, torch)
        self._torch = torch
        self._criteria = transformers.StoppingCriteriaList
        self._square = spec.square
        self._template = spec.template
        try:
            self._processor = transformers.AutoProcessor.from_pretrained(spec.folder, local_files_only=True)
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                spec.folder, local_files_only=True, dtype="auto", low_cpu_mem_usage=True
            )
        except Exception as error:  # files of a publisher's own layout break libraries in many ways
            raise ModelLoadError(
                f"{spec.model} does not load: {type(error).__name__}: {first_line(error)}"
            ) from None
        complete_processor(self._processor, model.config)
        self._model = model.to(self.device).eval()
        if self._model.generation_config.pad_token_id is None:  # else it warns at every answer
            words = self._processor.tokenizer
            self._model.generation_config.pad_token_id = words.pad_token_id or words.eos_token_id
        # Some tokenizers give more than their model takes, and then it refuses all of it.
        self._takes = frozenset(inspect.signature(model.forward).parameters)

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        """Streams every token. After each, the result of `emit` decides whether to continue."""
        stream = _stream_type()(self._processor.tokenizer, emit)
        # Before every answer, not once: the state would depend on the answers before it.
        self._torch.manual_seed(SEED)
        try:
            text = self._text(job)
            if opens_thought(text):
                emit(OPENED)
            inputs = self._inputs(job, text)
            with self._torch.inference_mode():
                result = self._model.generate(
                    **inputs,
                    max_new_tokens=job.max_tokens,
                    streamer=stream,
                    stopping_criteria=self._criteria([lambda *_args, **_kw: stream.stopped]),
                    **_sampling(job),
                )
        except GenerateError:
            raise
        except Exception as error:  # processors and templates raise anything; the next picture may do
            raise GenerateError(f"the model failed: {type(error).__name__}: {first_line(error)}") from None
        # The result begins with the prompt.
        tokens = int(result.shape[1]) - inputs["input_ids"].shape[1]
        return GenerationStats(tokens, tokens >= job.max_tokens and not stream.stopped)

    def interrupt(self) -> None:
        """Nothing is waited for here: the stopping criterion is asked after each token."""

    def _inputs(self, job: GenerationJob, text: str) -> Any:
        from PIL import Image as Pillow

        shown = squared(job.image) if self._square else job.image
        # BGR to RGB; a copy, as Pillow takes no negative strides.
        picture = Pillow.fromarray(shown[..., ::-1].copy())
        options = tile_options(self._processor, max(picture.size))
        batch = self._processor(images=picture, text=text, return_tensors="pt", **options)
        return {key: self._placed(value) for key, value in batch.items() if key in self._takes}

    def _placed(self, value: Any) -> Any:
        # Only pictures take the model's precision; token ids must stay integers.
        kind = self._model.dtype if value.is_floating_point() else value.dtype
        return value.to(self.device, kind)

    def _text(self, job: GenerationJob) -> str:
        if self._template or not getattr(self._processor, "chat_template", None):
            return filled(self._template or PLAIN_TEMPLATE, job)
        return chat_text(
            lambda messages: str(self._processor.apply_chat_template(messages, add_generation_prompt=True)),
            job,
            image_token=str(getattr(self._processor, "image_token", "") or "<image>"),
            takes_system=self._model.config.model_type not in NO_SYSTEM,
        )


def complete_processor(processor: Any, config: Any) -> None:
    """Give a LLaVA processor the fields it needs to count the tokens of a picture, from the model's
    configuration.

    Checkpoints older than transformers 4.45 publish neither `patch_size` nor `vision_feature_select_strategy`
    with the processor, and then it fails at every picture. The export to OpenVINO writes both, but leaves
    `num_additional_image_tokens` at 0, and then one token is missing.
    """
    vision = getattr(config, "vision_config", None)
    if vision is None:
        return
    if getattr(processor, "patch_size", "") is None:
        processor.patch_size = vision.patch_size
    if getattr(processor, "vision_feature_select_strategy", "") is None:
        processor.vision_feature_select_strategy = config.vision_feature_select_strategy
    if hasattr(processor, "num_additional_image_tokens") and vision.model_type == "clip_vision_model":
        processor.num_additional_image_tokens = 1  # CLIP's class token, which "default" leaves out again


def tile_options(processor: Any, longest: int) -> dict[str, Any]:
    """Options for a processor that cuts pictures into tiles (SmolVLM), so that it does not enlarge them.

    `longest` is the picture's longer side in pixels. As published, SmolVLM2 enlarges every picture to 2048
    pixels: one of 448 becomes 17 tiles and 1128 tokens instead of one and 68, and `describe.image_side` has
    no effect. Empty for other processors.
    """
    images = getattr(processor, "image_processor", None)
    tile = (getattr(images, "max_image_size", None) or {}).get("longest_edge")
    most = (getattr(images, "size", None) or {}).get("longest_edge")
    if not tile or not most:
        return {}
    return {"size": {"longest_edge": min(most, -(-longest // tile) * tile)}}


def _sampling(job: GenerationJob) -> dict[str, Any]:
    """Greedy unless a temperature is set.

    The model's own defaults do not count: some would warn, and those that publish `top_k = 1` would undo any
    temperature.
    """
    if job.temperature <= 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": True, "temperature": job.temperature, "top_p": job.top_p, "top_k": 0}


def pick_device(wanted: str, torch: Any) -> str:
    """The name of torch's device for `describe.device`. Raises ModelLoadError."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        xpu = getattr(torch, "xpu", None)  # Intel GPUs; not in every build
        return "xpu" if xpu is not None and xpu.is_available() else "cpu"
    try:
        return str(torch.device(wanted.lower()))
    except RuntimeError:
        raise ModelLoadError(
            f"describe.device = {wanted!r} is none of torch's; write cpu, cuda or xpu"
        ) from None


def _stream_type() -> Any:
    base: Any = import_module("transformers.generation.streamers").BaseStreamer

    class Stream(base):  # type: ignore[misc]
        """Hands every token on at once; the first call brings the prompt and is skipped."""

        def __init__(self, tokenizer: Any, emit: Emit) -> None:
            self._emit = emit
            self._text = TokenText(lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)))
            self._begun = False
            self.stopped = False

        def put(self, value: Any) -> None:
            if self._begun:
                self.stopped = self.stopped or not self._emit(self._text.add(value.reshape(-1).tolist()))
            self._begun = True

        def end(self) -> None:
            """Everything has been handed on already."""

    return Stream
