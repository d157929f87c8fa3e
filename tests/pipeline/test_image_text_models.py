"""Names in the settings and the models they stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.image_text_models import load_image_text
from pipeline.store.catalogue import Catalogue, shipped_catalogue
from pipeline.store.errors import NotInstalledError, StoreError, UnknownModelError
from pipeline.store.manifest import Kind
from pipeline.store.store import PullOptions, Store
from tests.pipeline.starter_files import starter_folder
from tests.pipeline.store_index import tiny_catalogue


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the real starter, linked."""
    folder = starter_folder()
    if not (folder / "manifest.json").is_file():
        pytest.skip(f"the starter in {folder} was not pulled by a store")
    (tmp_path / "starter").symlink_to(folder)
    return Store(tmp_path)


@pytest.mark.parametrize(("wanted", "device"), [("auto", "CPU"), ("starter", "best"), ("auto", "GPU,CPU")])
def test_the_starter_serves_where_nothing_better_is_here(store: Store, wanted: str, device: str) -> None:
    model = load_image_text(store, wanted, device)
    assert model.name == "starter"
    assert model.encode(np.zeros((20, 30, 3), np.uint8)).shape == (1000,)


def test_an_empty_store_says_what_to_pull(tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match="watchword models pull starter"):
        load_image_text(Store(tmp_path), "auto")
    with pytest.raises(NotInstalledError, match="watchword models pull siglip2-b-32-256"):
        load_image_text(Store(tmp_path), "siglip2-b-32-256")
    with pytest.raises(UnknownModelError, match="did you mean 'starter'"):
        load_image_text(Store(tmp_path), "startr")


def test_a_clip_is_no_model(tmp_path: Path) -> None:
    (entry,) = tiny_catalogue(tmp_path / "w")
    store = Store(tmp_path / "store", Catalogue((entry.model_copy(update={"kind": Kind.CLIP}),)))
    store.pull("tiny", options=PullOptions(tmp_path / "w"))
    with pytest.raises(StoreError, match="'tiny' is a clip model"):
        load_image_text(store, "tiny")


def test_the_best_is_the_first_of_the_catalogue_that_is_here(tmp_path: Path) -> None:
    (tiny,) = tiny_catalogue(tmp_path / "w")
    later = tiny.model_copy(update={"name": "later"})
    store = Store(tmp_path / "store", Catalogue((tiny, later)))
    assert store.best(Kind.IMAGE_TEXT) is None
    store.pull("later", options=PullOptions(tmp_path / "w"))
    assert store.best(Kind.IMAGE_TEXT) == "later"
    store.pull("tiny", options=PullOptions(tmp_path / "w"))
    assert store.best(Kind.IMAGE_TEXT) == "tiny"
    assert store.best(Kind.DESCRIBER) is None
    (store.root / "tiny" / "weights.bin").write_bytes(b"")
    assert store.best(Kind.IMAGE_TEXT) == "later"


def test_the_starter_is_the_last_resort_of_the_shipped_catalogue() -> None:
    image_text = [entry.name for entry in shipped_catalogue() if entry.kind is Kind.IMAGE_TEXT]
    assert (image_text[0], image_text[-1]) == ("vit-b-32-256-datacomp", "starter")
