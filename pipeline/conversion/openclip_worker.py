"""Converts one open_clip model in a process of its own; see run.py.

    NAME RAW_FOLDER INTO_FOLDER FRAMES_OR_EMPTY OUT.json

Prints `note: ...` lines for people, and a last line `error: ...` where it fails.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from common.files import sha256_of
from pipeline.conversion import images, int8, tokenizer, towers
from pipeline.conversion.torch_reference import CONFIG_FILE, WEIGHT_ENDINGS, Reference, load_reference
from pipeline.hazards import shipped_prompts
from pipeline.models.openclip.devices import GoldenImages, self_test
from pipeline.models.openclip.model import OpenClipModel
from pipeline.models.openclip.model_config import (
    GOLDEN_FILE,
    RECIPE_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
    ModelConfig,
    Tokens,
)
from pipeline.models.openclip.precision import try_precisions
from pipeline.models.openclip.prompts import prompt_file
from pipeline.models.openclip.tokens import TokenEncoder
from pipeline.models.precision import Precision, fastest
from pipeline.store.errors import PrepareError

FAILED = 3
LEAST_COSINE = 0.999
"""Cosine that a conversion must reach against torch, for every picture and every text."""
SELF_TEST = 0.99
"""Cosine that another device must reach at the start of the program. It computes in 16 bits."""
_IMAGE_16, _IMAGE_8 = "image.xml", "image-int8.xml"
_LEAST_SHOTS = 8
_VERSIONS = ("open_clip_torch", "torch", "openvino", "nncf", "timm", "tokenizers")


@dataclass
class OpenClipConversion:
    """One run; the figures gather as it goes."""

    name: str
    raw: Path
    into: Path
    frames: Path | None
    report: Callable[[str], None]
    checks: dict[str, float] = field(default_factory=dict)

    def run(self) -> dict[str, object]:
        """Convert, check, write `model.json`; return the fields of the manifest. Raises PrepareError."""
        began_s = time.monotonic()
        self.report("loading the model")
        reference = load_reference(self.raw)
        shots = images.given_images(self.frames, reference.width, reference.height, reference.fit)
        # Drawn images, the same on every machine, and a few frames, which are what the model will see.
        golden = self._golden(reference, shots[:: max(1, len(shots) // 4)][:4])
        self.report("converting the text tower")
        tokens = self._texts(reference)
        self.report("converting the image tower")
        graph = towers.image_tower(reference)
        self._images(reference, graph, golden)
        int8_graph = self._eight_bits(reference, shots)
        np.savez_compressed(self.into / GOLDEN_FILE, pictures=golden.pictures, embeddings=golden.embeddings)
        # After all graphs are written: the config holds the hash of each file.
        config = self._config(reference, tokens, int8_graph, golden.embeddings.shape[1])
        self._write(config)
        if config.int8 and not self._decides_alike(config, shots[1::2]):
            config = self._without_eight_bits(config)
        # Measured last, with the finished files, as the program itself will measure on its machine.
        precision = self._precision(config, golden)
        self._report_cost(began_s)
        return {"precision": precision, "versions": _versions(), "checks": self.checks}

    def _golden(self, reference: Reference, shots: Sequence[images.Picture]) -> GoldenImages:
        chosen = [*images.drawn_images(reference.width, reference.height), *shots]
        return GoldenImages(np.stack(chosen), reference.images(chosen))

    def _texts(self, reference: Reference) -> Tokens:
        path = self.into / TOKENIZER_FILE
        tokens = tokenizer.write_tokenizer(reference.tokenizer, path)
        prompts = shipped_texts()
        tokenizer.require_same_tokens(reference.tokenizer, path, tokens, [*prompts, *tokenizer.TRICKY])
        towers.save(towers.text_tower(reference), self.into / TEXT_FILE)
        sample = prompts[:: max(1, len(prompts) // 24)]
        request = int8.request_for(self.into / TEXT_FILE)
        cosines = []
        ids = TokenEncoder(path, tokens).encode(sample)
        for row, expected in zip(ids, reference.texts(sample), strict=True):
            request.infer([row[None]])
            cosines.append(float(request.get_output_tensor(0).data[0] @ expected))
        self._require("text_cosine", min(cosines))
        return tokens

    def _images(self, reference: Reference, graph: Any, golden: GoldenImages) -> None:
        # Saved before and after pre-processing is added: quantising starts from the plain graph.
        towers.save(graph, self.into / "plain.xml")
        towers.save(towers.with_preprocessing(graph, reference), self.into / _IMAGE_16)
        self._require("image_cosine", self_test(int8.request_for(self.into / _IMAGE_16), golden))

    def _require(self, what: str, cosine: float) -> None:
        self.checks[what] = round(cosine, 6)
        # Written this way round so that NaN fails too.
        if not cosine >= LEAST_COSINE:
            raise PrepareError(
                f"the converted model computes something else than open_clip: {what} {cosine:.4f}, "
                f"at least {LEAST_COSINE} is asked for"
            )
        self.report(f"{what} to open_clip on torch: {cosine:.5f}")

    def _eight_bits(self, reference: Reference, shots: Sequence[images.Picture]) -> str | None:
        """Name of the graph in 8 bits; None if there is none that agrees."""
        try:
            if len(shots) < _LEAST_SHOTS:
                self.report("8 bits not tried: no frames to learn them from (--frames)")
                return None
            return self._try_eight_bits(reference, shots)
        finally:
            _unlink(self.into / "plain.xml")

    def _try_eight_bits(self, reference: Reference, shots: Sequence[images.Picture]) -> str | None:
        """Quantised on every second frame, judged on the others."""
        import openvino as ov

        self.report("trying 8 bits")
        plain = ov.Core().read_model(self.into / "plain.xml")
        small = towers.with_preprocessing(int8.quantise(plain, reference, shots[::2]), reference)
        towers.save(small, self.into / _IMAGE_8)
        # Other frames than those it was quantised on: on its own, 8 bits always look good.
        held_out = list(shots[1::2])
        cosine = self_test(
            int8.request_for(self.into / _IMAGE_8),
            GoldenImages(np.stack(held_out), reference.images(held_out)),
        )
        self.checks["int8_cosine"] = round(cosine, 6)
        if cosine >= int8.AGREES:
            return _IMAGE_8
        self.report(f"8 bits do not agree: cosine {cosine:.4f}, at least {int8.AGREES} is asked for")
        _unlink(self.into / _IMAGE_8)
        return None

    def _decides_alike(self, config: ModelConfig, frames: Sequence[images.Picture]) -> bool:
        """True if 8 bits see the hazards that 32 bits see, by the shipped words, on frames held out."""
        model = OpenClipModel(self.into, precision=Precision.F32)
        found = int8.decisions(model, config, int8.request_for(self.into / _IMAGE_8), frames)
        self.checks |= {"int8_decisions": found.share, "int8_log_odds": found.drift}
        self.report(f"8 bits {found}")
        return found.agrees

    def _without_eight_bits(self, config: ModelConfig) -> ModelConfig:
        _unlink(self.into / _IMAGE_8)
        gone = {_IMAGE_8, str(Path(_IMAGE_8).with_suffix(".bin"))}
        kept = {name: sha256 for name, sha256 in config.sha256.items() if name not in gone}
        config = config.model_copy(update={"int8": None, "sha256": kept})
        self._write(config)
        return config

    def _write(self, config: ModelConfig) -> None:
        (self.into / RECIPE_FILE).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def _precision(self, config: ModelConfig, golden: GoldenImages) -> str:
        """The precision that is the fastest on this machine; the machine it runs on measures again."""
        import openvino as ov

        trials = try_precisions(ov.Core(), self.into, config, golden, {"PERFORMANCE_HINT": "LATENCY"})
        for one in trials:
            self.checks[f"{one.precision}_ms"] = round(one.ms, 2)
            self.checks.setdefault(f"{one.precision}_cosine", round(one.cosine, 6))
            self.report(str(one))
        chosen = fastest(trials)
        self.report(f"{chosen} is the fastest here that agrees")
        return chosen

    def _report_cost(self, began_s: float) -> None:
        seconds = time.monotonic() - began_s
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts kibibytes
        self.checks |= {"seconds": round(seconds, 1), "peak_mb": round(peak / 1e6)}
        self.report(f"the conversion took {seconds:.0f} s and at most {peak / 1e9:.1f} GB of memory")

    def _config(
        self, reference: Reference, tokens: Tokens, int8_graph: str | None, dimension: int
    ) -> ModelConfig:
        return ModelConfig(
            name=self.name,
            image=_IMAGE_16,
            int8=int8_graph,
            width=reference.width,
            height=reference.height,
            fit="stretch" if reference.fit == "stretch" else "letterbox",
            interpolation=reference.interpolation,
            mean=reference.mean,
            std=reference.std,
            dimension=dimension,
            logit_scale=reference.logit_scale,
            logit_bias=reference.logit_bias,
            tokens=tokens,
            least_cosine=SELF_TEST,
            raw={path.name: sha256_of(path) for path in sorted(self.raw.iterdir()) if _counts(path)},
            sha256={path.name: sha256_of(path) for path in sorted(self.into.iterdir())},
        )


def shipped_texts() -> list[str]:
    """Every prompt and contrast scene that comes with the program."""
    prompts = shipped_prompts()
    file = prompt_file()
    theirs = (text for _, own in prompts.hazards for text in own)
    return list(dict.fromkeys([*file.texts, *prompts.contrast, *theirs]))


def _counts(path: Path) -> bool:
    return path.suffix in WEIGHT_ENDINGS or path.name in (CONFIG_FILE, "tokenizer.json")


def _unlink(graph: Path) -> None:
    graph.unlink(missing_ok=True)
    graph.with_suffix(".bin").unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        # Which of them are needed depends on the model: a missing one was not used.
        except metadata.PackageNotFoundError:
            continue
    return found


def main(arguments: Sequence[str]) -> int:
    """Convert; any failure is one line."""
    name, raw, into, frames, out = arguments

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        made = OpenClipConversion(
            name, Path(raw), Path(into), Path(frames) if frames else None, lambda text: say(f"note: {text}")
        ).run()
    except ModuleNotFoundError as error:
        say(f'error: {error.name} is not installed; run `pip install "watchword[prepare]"`')
        return FAILED
    except Exception as error:  # any exception of the libraries becomes one line for the parent
        told = str(error) if isinstance(error, PrepareError) else f"{type(error).__name__}: {error}"
        say(f"error: {' '.join(told.split())[:400]}")
        return FAILED
    Path(out).write_text(json.dumps(made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
