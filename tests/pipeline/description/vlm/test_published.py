"""Each model of the diary and each default, in its publisher's own layout, through the backends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from capture.frame import Image
from pipeline.description.vlm.backends import load
from pipeline.description.vlm.backends.openvino import GenaiGenerator
from pipeline.description.vlm.image import bounded
from pipeline.description.vlm.job import GenerateError, GenerationJob, Generator, ModelSpec
from pipeline.store.catalogue.vlms import known_models
from tests.pipeline.description.vlm import tiny_vlm
from tests.pipeline.description.vlm.made import LONGEST_S, tiny
from tests.pipeline.description.vlm.published import LAYOUTS, publish
from tests.pipeline.description.vlm.tiny_architectures import LEARNT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.prepare,
    pytest.mark.timeout(LONGEST_S + 300),
    pytest.mark.usefixtures("usual_priorities"),
]

TRAINED_FORM = "system: {system}\nuser: <image>\n{user}\nassistant:"
"""What the tiny LLaVA was trained with; the published one has another form."""
VIEWS: dict[str, Image] = {
    "square": tiny_vlm.picture("disc"),
    "long": np.full((60, 20_000, 3), 99, np.uint8),
    "tall": np.full((20_000, 60, 3), 99, np.uint8),
    "line": np.full((1, 3000, 3), 99, np.uint8),
    "dot": np.full((1, 1, 3), 99, np.uint8),
}


def spec(name: str, folder: Path) -> ModelSpec:
    entry = known_models().get(name)
    template, square = (entry.template, entry.square) if entry else ("", False)
    return ModelSpec("transformers", name, folder=str(folder), device="cpu", template=template, square=square)


def write(generator: Generator, image: Image, system: str = "Tell.", user: str = "Describe.") -> str:
    said: list[str] = []

    def take(piece: str) -> bool:
        said.append(piece)
        return True

    generator.generate(GenerationJob(1, image, system, user, 6), take)
    assert said
    return "".join(said)


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_answers_about_pictures_of_every_shape(name: str, tmp_path: Path) -> None:
    generator = load(spec(name, publish(name, tmp_path)))
    for image in VIEWS.values():
        write(generator, bounded(image, 112))
    write(
        generator, VIEWS["square"], "", "What is <image> <|image_pad|> <|image|> <image_placeholder> there?"
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_prompt_has_all_words_as_text(name: str, tmp_path: Path) -> None:
    generator = load(spec(name, publish(name, tmp_path)))
    text = generator._text(GenerationJob(1, VIEWS["square"], "Warn briefly.", "Reported: fire.", 6))  # type: ignore[attr-defined]
    assert "{'type'" not in text
    assert text.index("Warn briefly.") < text.index("Reported: fire.")
    if name.startswith("deepseek"):
        assert "</s>" not in text, "instructions behind an end of text are not read"


def test_whatever_a_picture_does_to_a_processor_costs_that_answer_only(tmp_path: Path) -> None:
    generator = load(spec("qwen2.5-vl-3b", publish("qwen2.5-vl-3b", tmp_path)))
    with pytest.raises(GenerateError, match="aspect ratio"):
        write(generator, VIEWS["long"])
    write(generator, VIEWS["square"])


@pytest.mark.parametrize(("side", "tiles"), [(40, 1), (64, 1), (112, 1 + 2 * 2), (2000, 1 + 4 * 4)])
def test_a_picture_is_not_enlarged_before_it_is_cut_into_tiles(side: int, tiles: int, tmp_path: Path) -> None:
    """SmolVLM2's processor as published enlarges pictures to four tiles a side, however small they are."""
    folder = publish("smolvlm2-500m", tmp_path)
    config = folder / "preprocessor_config.json"
    fields = {**json.loads(config.read_text("utf-8")), "do_image_splitting": True}
    config.write_text(json.dumps({**fields, "size": {"longest_edge": 4 * 64}}), "utf-8")
    generator = load(spec("smolvlm2-500m", folder))
    job = GenerationJob(1, np.full((side, side, 3), 99, np.uint8), "", "Describe.", 2)
    inputs = generator._inputs(job, generator._text(job))  # type: ignore[attr-defined]
    assert inputs["pixel_values"].shape[1] == tiles
    assert generator.generate(job, lambda _: True).tokens == 2


def test_tiny_llava_as_published_says_what_it_was_trained_to(tmp_path: Path) -> None:
    """Both local backends, from the same folder as after `pull --both`."""
    made = tiny("llava")
    folder = publish("tiny-llava", tmp_path / "torch")
    system, user = tiny_vlm.asked("safe")
    job = GenerationJob(1, tiny_vlm.picture("disc"), system, user, 20)
    both = tmp_path / "both"
    shutil.copytree(made / "openvino", both)
    for path in folder.iterdir():
        if not (both / path.name).exists():
            shutil.copyfile(path, both / path.name)
    # What the export writes if the publisher's files have none of these: one token too few.
    counts = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 0}
    exported = {"processor_class": "LlavaProcessor", "image_token": "<image>", **counts}
    (both / "processor_config.json").write_text(json.dumps(exported), "utf-8")
    for where in (folder, both):
        plain = ModelSpec(
            "transformers", "tiny-llava", folder=str(where), device="cpu", template=TRAINED_FORM
        )
        assert _said(load(plain), job) == tiny_vlm.CAPTIONS["disc"]
    ours = ModelSpec("openvino", "tiny-llava", folder=str(both), template=TRAINED_FORM)
    assert _said(GenaiGenerator(ours, "CPU"), job) == tiny_vlm.CAPTIONS["disc"]


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name in LEARNT])
def test_each_picture_gets_its_own_words(name: str, tmp_path: Path) -> None:
    generator = load(spec(name, publish(name, tmp_path)))
    system, user = tiny_vlm.asked("safe")
    for shown, caption in tiny_vlm.CAPTIONS.items():
        assert _said(generator, GenerationJob(1, tiny_vlm.picture(shown), system, user, 24)) == caption


def _said(generator: Generator, job: GenerationJob) -> str:
    said: list[str] = []

    def take(piece: str) -> bool:
        said.append(piece)
        return True

    generator.generate(job, take)
    return "".join(said).strip()
