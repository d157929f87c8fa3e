"""Tiny real open_clip models, converted by the store and compared with open_clip on torch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("open_clip", reason="needs the extra `prepare`")
pytest.importorskip("nncf", reason="needs the extra `prepare`")

from common.progress import SilentProgress
from pipeline.conversion import int8, tokenizer
from pipeline.conversion.images import drawn_images
from pipeline.conversion.openclip_worker import OpenClipConversion
from pipeline.conversion.torch_reference import Reference, load_reference
from pipeline.conversion.towers import ending_in_first_token, reparameterised
from pipeline.models.base import ZERO_SHOT_LOG_ODDS
from pipeline.models.openclip.model import OpenClipModel
from pipeline.models.openclip.model_config import ModelConfig, ModelUnusableError, Tokens, read_model_config
from pipeline.models.openclip.precision import available
from pipeline.models.openclip.prompts import in_templates
from pipeline.models.openclip.tokens import TokenEncoder, reads_korean
from pipeline.models.precision import Precision
from pipeline.models.preprocess import letterbox, resize
from pipeline.store.catalogue.catalogue import Catalogue
from pipeline.store.errors import PrepareError
from pipeline.store.store import PullOptions
from pipeline.types import PromptSet
from tests.pipeline.models.openclip.tiny_open_clip import (
    CLIP,
    CLIP_PICTURES,
    FOREIGN_TEXT,
    write_foreign_tokenizer,
    write_model,
)
from tests.stores import store_at

pytestmark = [pytest.mark.prepare, pytest.mark.slow, pytest.mark.timeout(600)]

FOREIGN: dict[str, Any] = {**CLIP, "custom_text": True, "text_cfg": FOREIGN_TEXT, "init_logit_bias": -10}
FOREIGN_PICTURES: dict[str, Any] = {
    **CLIP_PICTURES,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "resize_mode": "squash",
}
PROMPTS = PromptSet(
    (("fire", ("a house on fire", "flames")), ("dog", ("a dog in the street",))),
    ("an empty street", "a kitchen", "flames"),
)


class Notes(SilentProgress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def report(self, text: str) -> None:
        self.lines.append(text)


class Converted:
    """A model in a store beside what it was made from."""

    def __init__(self, raw: Path, root: Path, frames: Path | None) -> None:
        self.raw = raw
        self.store = store_at(root, Catalogue(()))
        self.notes = Notes()
        self.folder = self.store.pull(f"local-dir:{raw}", self.notes, PullOptions(frames=frames))
        self.reference = load_reference(raw)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    for index, picture in enumerate([*drawn_images(160, 90), *(p[:, ::-1] for p in drawn_images(160, 90))]):
        cv2.imwrite(str(folder / f"{index:02}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, frames: Path) -> Converted:
    base = tmp_path_factory.mktemp("clip")
    return Converted(write_model(base / "tiny"), base / "store", frames)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    base = tmp_path_factory.mktemp("foreign")
    raw = write_model(base / "tiny-foreign", FOREIGN, FOREIGN_PICTURES)
    write_foreign_tokenizer(raw)
    return Converted(raw, base / "store", None)


@pytest.fixture(params=["clip", "foreign"])
def converted(request: pytest.FixtureRequest) -> Converted:
    found: Converted = request.getfixturevalue(request.param)
    return found


def street() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.ascontiguousarray(np.tile(drawn_images(160, 90)[1], (2, 1, 1))[:, ::-1])


def test_pictures_and_words_give_the_embeddings_of_open_clip(converted: Converted) -> None:
    model = OpenClipModel(converted.folder)
    recipe = read_model_config(converted.folder)
    fit = letterbox if recipe.fit == "letterbox" else resize
    expected = converted.reference.images([fit(street(), *model.input_size(640, 480))])[0]
    got = model.encode(street()).embedding
    assert float(got @ expected) > 0.999
    assert np.linalg.norm(got) == pytest.approx(1, abs=1e-3)
    texts = ["a dog on the street", "불이 난 방"]
    rows = model.encode_texts(texts)
    assert (rows * converted.reference.texts(texts)).sum(1).min() > 0.999


def test_scores_follow_open_clip_s_softmax_or_sigmoid(converted: Converted) -> None:
    model = OpenClipModel(converted.folder)
    bank = model.bind(PROMPTS)
    picture = drawn_images(*model.input_size(640, 480))[5]
    scores = bank.scores(model.encode(picture))
    image = converted.reference.images([picture])[0]

    bias = converted.reference.logit_bias

    def weight(*texts: str) -> float:
        rows = np.stack([converted.reference.texts(in_templates(text)).mean(0) for text in texts])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return float(np.exp(converted.reference.logit_scale * (rows @ image) + (bias or 0)).sum())

    none_of_these = 0 if bias is None else np.exp(-ZERO_SHOT_LOG_ODDS)
    fire = np.log(
        weight("a house on fire", "flames") / (weight("an empty street", "a kitchen") + none_of_these)
    )
    rivals = weight("an empty street", "a kitchen", "flames") + none_of_these
    dog = np.log(weight("a dog in the street") / rivals)
    # A cosine of 0.999, which bf16 may have, is a tenth of a log-odd at the scale of 100, on either side.
    assert scores == pytest.approx([fire, dog], abs=0.4)


def test_the_model_s_own_preprocessing_is_kept(clip: Converted, foreign: Converted) -> None:
    one, other = read_model_config(clip.folder), read_model_config(foreign.folder)
    assert (one.fit, one.interpolation, one.width) == ("letterbox", "bicubic", 64)
    assert one.mean == pytest.approx(CLIP_PICTURES["mean"])
    assert (other.fit, other.mean) == ("stretch", (0.5, 0.5, 0.5))
    assert (other.tokens.clean, other.tokens.context_length) == ("canonicalize", 16)


def test_the_manifest_tells_how_it_was_made(clip: Converted) -> None:
    manifest = clip.store.manifest("tiny")
    assert manifest.conversion is not None
    checks = manifest.conversion.checks
    assert checks["image_cosine"] > 0.999
    assert checks["text_cosine"] > 0.999
    assert {"torch", "openvino", "open_clip_torch", "nncf"} <= set(manifest.conversion.versions)
    assert [file.name for file in manifest.raw] == ["open_clip_config.json", "open_clip_model.safetensors"]
    assert clip.store.verify("tiny") == ()
    assert manifest.precision in ("f32", "bf16", "int8")
    assert checks["f32_cosine"] >= 0.999
    assert 0 < checks["seconds"] < 600
    assert checks["peak_mb"] > 100
    kept = checks["int8_cosine"] >= int8.AGREES and checks["int8_decisions"] >= int8.LEAST_ALIKE
    kept = kept and checks["int8_log_odds"] <= int8.MOST_DRIFT
    assert (clip.folder / "image-int8.bin").is_file() == kept
    if kept:
        assert any("8 bits decide as 32 bits do on 6 of 6 frames" in line for line in clip.notes.lines)
    assert any(line.endswith("GB of memory") for line in clip.notes.lines)
    assert any("is the fastest here that agrees" in line for line in clip.notes.lines)


def test_the_bias_of_a_sigmoid_and_the_languages_are_kept(clip: Converted, foreign: Converted) -> None:
    assert read_model_config(clip.folder).logit_bias is None
    assert read_model_config(foreign.folder).logit_bias == pytest.approx(-10)
    korean = {
        one.folder.name: reads_korean(
            TokenEncoder(one.folder / "tokenizer.json", read_model_config(one.folder).tokens)
        )
        for one in (clip, foreign)
    }
    assert korean == {"tiny": False, "tiny-foreign": True}


@pytest.mark.parametrize("precision", list(Precision))
def test_every_precision_runs_and_only_8_bits_change_the_fingerprint(
    clip: Converted, precision: Precision, caplog: pytest.LogCaptureFixture
) -> None:
    import openvino as ov

    model = OpenClipModel(clip.folder, precision=precision)
    if precision not in available(ov.Core(), read_model_config(clip.folder)):
        assert model.precision != precision
        assert f"cannot compute in {precision} here" in caplog.text
        return
    assert model.precision == precision
    same = model.fingerprint == OpenClipModel(clip.folder, precision=Precision.F32).fingerprint
    assert same == (precision is not Precision.INT8)


def test_the_same_picture_gives_the_same_bytes_and_the_caller_owns_them(clip: Converted) -> None:
    model = OpenClipModel(clip.folder, precision=Precision.F32)  # a trial of a tiny model is decided by noise
    one = model.encode(street()).embedding
    kept = one.copy()
    model.encode(np.zeros((10, 10, 3), np.uint8))
    assert np.array_equal(one, kept)
    again = OpenClipModel(clip.folder, precision=Precision.F32)
    assert np.array_equal(again.encode(street()).embedding, one)
    assert again.fingerprint == model.fingerprint
    assert again.bind(PROMPTS).fingerprint == model.bind(PROMPTS).fingerprint


def test_running_needs_neither_torch_nor_open_clip(clip: Converted) -> None:
    program = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from pipeline.models.openclip.model import OpenClipModel\n"
        "model = OpenClipModel(Path(sys.argv[1]))\n"
        "model.encode(np.zeros((48, 64, 3), np.uint8)); model.encode_texts(['a dog'])\n"
        "print(sorted({'torch', 'open_clip', 'transformers', 'nncf', 'timm'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", program, str(clip.folder)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean")
def test_a_calibration_may_travel_with_the_same_weights_but_not_to_others(
    clip: Converted, foreign: Converted, tmp_path: Path
) -> None:
    OpenClipConversion(
        "again", clip.raw, tmp_path, None, Notes().report
    ).run()  # in this process: torch is loaded here
    one, two = read_model_config(clip.folder), read_model_config(tmp_path)
    assert one.identity == two.identity
    assert one.identity != read_model_config(foreign.folder).identity


def copy_of(model: Converted, place: Path) -> Path:
    place.mkdir()
    for path in model.folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    return place


def test_weights_that_compute_something_else_are_not_used(clip: Converted, tmp_path: Path) -> None:
    folder = copy_of(clip, tmp_path / "m")
    for weights in folder.glob("image*.bin"):
        weights.write_bytes(bytes(weights.stat().st_size))
    with pytest.raises(ModelUnusableError, match="no device here computes this model right"):
        OpenClipModel(folder)


@pytest.mark.parametrize("name", ["text.xml", "golden.npz", "tokenizer.json"])
def test_a_missing_file_is_named(clip: Converted, tmp_path: Path, name: str) -> None:
    folder = copy_of(clip, tmp_path / "m")
    (folder / name).unlink()
    with pytest.raises(ModelUnusableError, match=f"no {name}; run `watchword models pull m`"):
        OpenClipModel(folder)


def test_a_device_that_is_not_here_is_passed_over(clip: Converted) -> None:
    assert OpenClipModel(clip.folder, device="best").device in ("NPU", "GPU", "CPU")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("no weights", "holds no weights"),
        ("no config", "holds no open_clip_config.json"),
        ("text as config", "open_clip_config.json is broken"),
        ("empty config", "model_cfg is missing"),
        ("torn weights", ""),
    ],
)
def test_a_folder_that_cannot_be_converted_is_one_line(
    clip: Converted, tmp_path: Path, fault: str, said: str
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(clip.raw, raw)
    config, weights = raw / "open_clip_config.json", raw / "open_clip_model.safetensors"
    match fault:
        case "no weights":
            weights.unlink()
        case "no config":
            config.unlink()
        case "text as config":
            config.write_text("a model")
        case "empty config":
            config.write_text("{}")
        case _:
            weights.write_bytes(weights.read_bytes()[:1000])
    store = store_at(tmp_path / "store", Catalogue(()))
    with pytest.raises(PrepareError) as caught:
        store.pull(f"local-dir:{raw}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert [path.name for path in store.root.iterdir()] == [".raw.lock"]


def test_a_config_that_open_clip_cannot_use_is_one_line(clip: Converted, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(clip.raw, raw)
    (raw / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"embed_dim": 3}}))
    with pytest.raises(PrepareError, match="open_clip cannot load") as caught:
        load_reference(raw)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_reads_otherwise_is_refused(clip: Converted) -> None:
    recipe: ModelConfig = read_model_config(clip.folder)
    other = Tokens(context_length=recipe.tokens.context_length, pad_id=1, clean="whitespace")
    reference: Reference = clip.reference
    path = clip.folder / "tokenizer.json"
    tokenizer.require_same_tokens(reference.tokenizer, path, recipe.tokens, tokenizer.TRICKY)
    with pytest.raises(PrepareError, match="otherwise than open_clip"):
        tokenizer.require_same_tokens(reference.tokenizer, path, other, tokenizer.TRICKY)


def test_training_time_branches_are_folded_without_changing_the_answer() -> None:
    import timm
    import torch

    torch.manual_seed(1)
    visual = timm.create_model("fastvit_t8", num_classes=0).eval()
    folded = reparameterised(visual)
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before, after = visual(picture), folded(picture)
    assert torch.nn.functional.cosine_similarity(before, after).item() > 0.999
    assert sum(1 for _ in folded.modules()) < sum(1 for _ in visual.modules())


def visual_tower(**changed: object) -> Any:
    import open_clip

    return open_clip.CLIP(**{**CLIP, "vision_cfg": {**CLIP["vision_cfg"], **changed}}).eval().visual


def test_the_last_block_computes_the_class_token_alone() -> None:
    import torch

    visual = visual_tower(ls_init_value=0.5)
    changed = ending_in_first_token(visual)
    with torch.inference_mode():
        pixels = torch.randn(2, 3, 64, 64)
        torch.testing.assert_close(changed(pixels), visual(pixels))
        assert changed.transformer.resblocks[-1](torch.randn(1, 17, 64)).shape == (1, 1, 64)
        # The tower that was given is the reference of the conversion.
        assert visual.transformer.resblocks[-1](torch.randn(1, 17, 64)).shape == (1, 17, 64)
    assert {id(one) for one in changed.parameters()} == {id(one) for one in visual.parameters()}


@pytest.mark.parametrize(
    "pools", [{"pool_type": "avg"}, {"attentional_pool": True}, {"block_type": "custom"}]
)
def test_a_tower_that_needs_all_tokens_stays_as_it_is(pools: dict[str, object]) -> None:
    visual = visual_tower(**pools)
    assert ending_in_first_token(visual) is visual


def test_prompts_are_encoded_once_and_remembered(clip: Converted, tmp_path: Path) -> None:
    first = OpenClipModel(clip.folder, cache_dir=tmp_path)
    rows = first.encode_texts(["a dog", "a cat"])
    assert len(list(tmp_path.glob("texts-*.npz"))) == 1
    assert np.array_equal(
        OpenClipModel(clip.folder, cache_dir=tmp_path).encode_texts(["a dog", "a cat"]), rows
    )
    alone = first.encode_texts(["a cat"])
    assert np.array_equal(alone[0], rows[1])
