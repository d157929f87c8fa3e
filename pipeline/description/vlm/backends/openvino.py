"""openvino-genai's `VLMPipeline`: no torch, any OpenVINO device."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from capture.test_image import draw_test_image
from pipeline.description.vlm.chat_text import IMAGE, OPENED, filled, opens_thought
from pipeline.description.vlm.image import squared
from pipeline.description.vlm.job import (
    Emit,
    GenerateError,
    GenerationJob,
    GenerationStats,
    ModelLoadError,
    ModelSpec,
)
from pipeline.description.vlm.self_test import GoldenAnswers, trusted_device
from pipeline.description.vlm.token_text import TokenText, first_line
from pipeline.store.catalogue.backends import OPENVINO_FILE

log = logging.getLogger(__name__)

IMAGE_TAG = "<ov_genai_image_0>"
"""The placeholder of the first picture, in every model's prompt."""
WARM_SIDE = 112
"""Pixels of the picture behind the instructions: only these are kept, so it may be small."""
NO_LIMIT = 2**64 - 1
"""openvino-genai's own default of `top_k`; some models publish 1, which undoes any temperature."""


def load(spec: ModelSpec) -> GenaiGenerator:
    """On the device asked for, if its answers are those of the CPU; else on the CPU, and says so."""
    golden = GoldenAnswers(Path(spec.cache) if spec.cache else None, spec.model)
    trusted = trusted_device(lambda device: GenaiGenerator(spec, device), wanted(spec.device), golden)
    trusted.generator.doubt = trusted.doubt
    trusted.generator.warm_up(spec.warm)
    return trusted.generator


def wanted(device: str) -> str:
    """`auto` is the first GPU, else the CPU. Raises ModelLoadError for a device that is not there."""
    import openvino

    available = openvino.Core().available_devices
    if device == "auto":
        return next((name for name in available if name.startswith("GPU")), "CPU")
    if device.split(".")[0] not in {name.split(".")[0] for name in available}:
        raise ModelLoadError(f"describe.device = {device!r} is not here; there is {', '.join(available)}")
    return device


class GenaiGenerator:
    """One loaded pipeline. The instructions of the last prompts stay computed (prefix caching) on the CPU."""

    def __init__(self, spec: ModelSpec, device: str) -> None:
        try:
            openvino_genai: Any = import_module("openvino_genai")
        except ImportError:
            raise ModelLoadError("openvino-genai is not installed; run script/setup") from None
        if not (Path(spec.folder) / OPENVINO_FILE).is_file():
            raise ModelLoadError(
                f"{spec.folder} holds no model converted to OpenVINO; pull {spec.model} again"
            )
        self.device = device
        self.doubt = ""
        """Why it does not run on the device that was asked for; empty if it does."""
        self._genai = openvino_genai
        self._square = spec.square
        self._keeps_prompts = False
        try:
            self._pipeline = self._open(spec, device)
        except Exception as error:  # the binding raises more than RuntimeError
            raise ModelLoadError(f"{spec.model} does not load on {device}: {first_line(error)}") from None
        self._tokenizer = self._pipeline.get_tokenizer()
        self._template = spec.template

    def _open(self, spec: ModelSpec, device: str) -> Any:
        if device != "CPU":
            options = {"CACHE_DIR": str(Path(spec.cache) / "compiled")} if spec.cache else {}
            return self._genai.VLMPipeline(spec.folder, device, **options)
        # No cache of what was compiled: the CPU compiles as fast as it reads the cache, which is as large as
        # the model and takes longer to write than the model to load.
        try:
            pipeline = self._genai.VLMPipeline(spec.folder, device, scheduler_config=self._warm_prefix())
        except RuntimeError as error:
            log.info("%s: prompts are not kept computed (%s)", spec.model, first_line(error))
            return self._genai.VLMPipeline(spec.folder, device)
        self._keeps_prompts = not spec.template  # those formats begin with the picture
        return pipeline

    def _warm_prefix(self) -> Any:
        config = self._genai.SchedulerConfig()
        config.enable_prefix_caching = True
        config.cache_size = 1  # GB at most
        return config

    def warm_up(self, instructions: Sequence[str]) -> None:
        """Have these computed, so that the first answer need not wait for them. Does nothing if the cache is
        not in use.

        A failure here is ignored: it would occur again at the first question, and be reported there.
        """
        if not self._keeps_prompts:
            return
        picture = draw_test_image(WARM_SIDE, WARM_SIDE)
        for system in instructions:
            with contextlib.suppress(GenerateError):
                self.generate(GenerationJob(0, picture, system, "", 1), lambda _: True)

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        """Streams every token. After each, the result of `emit` decides whether to continue."""
        streamer = streamer_type(self._genai)(self._tokenizer, emit)
        try:
            prompt = self._prompt(job)
            if not self._template and opens_thought(self._rendered(prompt)):
                emit(OPENED)
            result = self._pipeline.generate(
                prompt,
                images=[self._picture(job)],
                generation_config=self._options(job),
                streamer=streamer,
            )
        except Exception as error:  # the binding raises more than RuntimeError
            raise GenerateError(f"the model failed: {first_line(error)}") from None
        if streamer.failure is not None:
            raise streamer.failure
        cut = result.perf_metrics.get_num_generated_tokens() >= job.max_tokens
        return GenerationStats(streamer.text.tokens, cut and not streamer.stopped)

    def interrupt(self) -> None:
        """Nothing is waited for here: the streamer is asked after each token."""

    def _prompt(self, job: GenerationJob) -> Any:
        """Messages for the model's own chat template, or text in the format given for one that has none."""
        if self._template:
            return filled(self._template, job).replace(IMAGE, IMAGE_TAG)
        history = self._genai.ChatHistory()
        if job.system:
            history.append({"role": "system", "content": job.system})
        history.append({"role": "user", "content": job.user})
        return history

    def _rendered(self, history: Any) -> str:
        """The prompt's text; empty if the model's template cannot be applied apart."""
        try:
            return str(self._tokenizer.apply_chat_template(history, add_generation_prompt=True))
        except Exception:  # then `generate` fails, too, or applies its own
            return ""

    def _picture(self, job: GenerationJob) -> Any:
        import openvino

        image = squared(job.image) if self._square else job.image
        return openvino.Tensor(np.ascontiguousarray(image[..., ::-1])[None])

    def _options(self, job: GenerationJob) -> Any:
        """The model's own ends of an answer, our limits; chance is the same each time (seed 0)."""
        options = self._pipeline.get_generation_config()
        options.max_new_tokens = job.max_tokens
        options.apply_chat_template = not self._template
        options.do_sample = job.temperature > 0
        if options.do_sample:
            options.temperature, options.top_p, options.top_k = job.temperature, job.top_p, NO_LIMIT
        return options


def streamer_type(genai: Any) -> Any:
    """The streamer's class; made here because its base comes with the library."""

    class Streamer(genai.StreamerBase):  # type: ignore[misc]
        """Turns tokens to text one by one: the library's own holds several back."""

        def __init__(self, tokenizer: Any, emit: Emit) -> None:
            super().__init__()
            self._emit = emit
            self.text = TokenText(tokenizer.decode)
            self.stopped = False
            self.failure: Exception | None = None

        def write(self, token: int | list[int]) -> Any:
            news = self.text.add(token if isinstance(token, list) else [token])
            try:
                self.stopped = self.stopped or not self._emit(news)
            except Exception as error:  # must not cross into the library
                self.failure, self.stopped = error, True
            status = genai.StreamingStatus
            return status.CANCEL if self.stopped else status.RUNNING

        def end(self) -> None:
            """Everything has been handed on already."""

    return Streamer
