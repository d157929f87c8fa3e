"""Names in the settings and the models they stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from capture.frame import Image
from pipeline.models.loader import fell_back, load_image_text
from pipeline.models.starter.agreement import agreement
from pipeline.settings import PipelineSettings
from pipeline.store.catalogue.catalogue import Catalogue
from pipeline.store.catalogue.shipped import shipped_catalogue
from pipeline.store.errors import NotInstalledError, StoreError, UnknownModelError
from pipeline.store.manifest import Kind
from pipeline.store.store import PullOptions, Store
from pipeline.types import Encoding
from tests.fakes import ColourModel
from tests.pipeline.models.starter.files import starter_folder
from tests.pipeline.store.fake_index import tiny_catalogue
from tests.stores import store_at


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the real starter, linked."""
    folder = starter_folder()
    if not (folder / "manifest.json").is_file():
        pytest.skip(f"the starter in {folder} was not pulled by a store")
    (tmp_path / "starter").symlink_to(folder)
    return store_at(tmp_path)


@pytest.mark.parametrize("device", ["CPU", "best", "GPU,CPU"])
def test_the_starter_runs_on_the_first_device_that_is_here(store: Store, device: str) -> None:
    model = load_image_text(store, "starter", device)
    assert model.name == "starter"
    assert model.encode(np.zeros((20, 30, 3), np.uint8)).embedding.shape == (1280,)


def test_a_device_that_is_not_here_is_passed_over(store: Store) -> None:
    model = load_image_text(store, "starter", "NPU,CPU")
    assert model.device == "CPU"
    assert fell_back("NPU,CPU", model.device)
    assert not fell_back("best", model.device)
    assert not fell_back("GPU, CPU", "GPU.0")


def test_a_device_that_sees_something_else_is_told_apart(store: Store) -> None:
    model = load_image_text(store, "starter")
    assert agreement(model, model) == pytest.approx(1)

    class Wrong(ColourModel):
        """Sees the same everywhere."""

        def encode(self, image: Image) -> Encoding:
            return Encoding(np.asarray(np.eye(1280)[0], np.float32))

    assert agreement(Wrong(), model) < 0.9


@pytest.mark.parametrize("device", ["AUTO", "AUTO:GPU,CPU", "CPU,MULTI:GPU", "CPU,", ""])
def test_no_chooser_of_devices_is_believed(device: str) -> None:
    with pytest.raises(ValidationError, match="in order of preference"):
        PipelineSettings(device=device)


def test_an_empty_store_says_what_to_pull(tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match="watchword models pull starter"):
        load_image_text(store_at(tmp_path), "starter")
    with pytest.raises(NotInstalledError, match="watchword models pull siglip2-b-32-256"):
        load_image_text(store_at(tmp_path), "siglip2-b-32-256")
    with pytest.raises(UnknownModelError, match=r"did you mean 'starter'\?.*models list"):
        load_image_text(store_at(tmp_path), "startr")


def test_only_models_that_can_be_chosen_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="known are auto, ") as caught:
        load_image_text(store_at(tmp_path), "gpt-9")
    assert "siglip2-b-32-256" in str(caught.value)
    assert "demo" not in str(caught.value)
    assert "qwen" not in str(caught.value)
    with pytest.raises(StoreError, match="'qwen3-vl-2b' is a describer model"):
        load_image_text(store_at(tmp_path), "qwen3-vl-2b")


def test_a_clip_is_no_model(tmp_path: Path) -> None:
    (entry,) = tiny_catalogue(tmp_path / "w")
    store = store_at(tmp_path / "store", Catalogue((entry.model_copy(update={"kind": Kind.CLIP}),)))
    store.pull("tiny", options=PullOptions(tmp_path / "w"))
    with pytest.raises(StoreError, match="'tiny' is a clip model"):
        load_image_text(store, "tiny")


def test_the_starter_is_the_last_resort_of_the_shipped_catalogue() -> None:
    image_text = [entry.name for entry in shipped_catalogue() if entry.kind is Kind.IMAGE_TEXT]
    assert (image_text[0], image_text[-1]) == ("vit-b-32-256-datacomp", "starter")
