"""Model hubs, local folders and names that say where a model comes from; the hub's real client is used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.conversion.preparer import OpenClipConverter
from pipeline.store.catalogue.catalogue import Catalogue, CatalogueEntry
from pipeline.store.catalogue.naming import entry_from, entry_of, slug
from pipeline.store.errors import (
    ConsentError,
    FetchError,
    PrepareError,
    StoreError,
    StoreUnusableError,
    UnknownModelError,
)
from pipeline.store.manifest import Conversion, HubSource, Kind, LocalSource
from pipeline.store.preparer import ConvertedFiles
from pipeline.store.recipe import OPENCLIP_TOOL
from pipeline.store.source import Fetched, FetchJob
from pipeline.store.store import PullOptions, Store
from tests.pipeline.store.fake_hub import REVISION, hub_serving
from tests.stores import store_at

pytest.importorskip("huggingface_hub")

WEIGHTS = bytes(range(256)) * 4000
"""1 MB."""
FILES = {"config.json": b'{"a": 1}', "model.safetensors": WEIGHTS, "README.md": b"hello"}


@pytest.fixture(autouse=True)
def quick_failures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "5")


def hub_entry(**changes: object) -> CatalogueEntry:
    source = HubSource(
        repo="someone/tiny",
        revision=REVISION,
        files=("config.json",),
        weights=("weights.safetensors", "model.safetensors"),
    )
    whole = CatalogueEntry(
        name="tiny", kind=Kind.IMAGE_TEXT, summary="For tests.", licence="MIT", source=source
    )
    return whole.model_copy(update=changes)


def store_of(tmp_path: Path, entry: CatalogueEntry) -> Store:
    return store_at(tmp_path / "store", Catalogue((entry,)))


def test_wanted_files_come_from_the_pinned_commit_and_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(tmp_path, hub_entry())
    with hub_serving(FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        place = store.pull("tiny")
    assert sorted(path.name for path in place.iterdir()) == [
        "config.json",
        "manifest.json",
        "model.safetensors",
    ]
    source = store.manifest("tiny").source
    assert isinstance(source, HubSource)
    assert source.revision == REVISION
    assert source.sha256["model.safetensors"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert store.verify("tiny") == ()
    assert sorted(path.name for path in store.root.iterdir()) == [".tiny.lock", "tiny"]


def test_a_download_that_broke_off_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(tmp_path, hub_entry())
    large = {**FILES, "model.safetensors": WEIGHTS * 25}  # the hub's client writes 10 MB at a time
    with hub_serving(large) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.break_after = 15 << 20
        with pytest.raises(FetchError, match="hf download someone/tiny") as caught:
            store.pull("tiny")
        assert "\n" not in str(caught.value)
        hub.break_after, hub.files, hub.ranges = None, dict(large), []
        store.pull("tiny")
        assert hub.ranges == [f"bytes={10 << 20}-"]
    assert store.verify("tiny") == ()


def test_bytes_other_than_announced_are_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(tmp_path, hub_entry())
    with hub_serving(FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.announced["model.safetensors"] = b"!" + WEIGHTS[1:]
        with pytest.raises(FetchError, match=r"model\.safetensors arrived with other bytes"):
            store.pull("tiny")
        hub.announced["model.safetensors"] = WEIGHTS
        store.pull("tiny")
    assert store.verify("tiny") == ()


def test_a_pinned_sha256_overrules_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = hub_entry()
    source = entry.source.model_copy(update={"sha256": {"model.safetensors": "0" * 64}})
    store = store_of(tmp_path, entry.model_copy(update={"source": source}))
    with hub_serving(FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(FetchError, match=r"model\.safetensors is not the file we checked"):
            store.pull("tiny")


@pytest.mark.parametrize(
    ("repo", "files", "complaint"),
    [
        ("someone/else", FILES, "no such repository"),
        ("someone/tiny", {"config.json": b"{}"}, "no weights.safetensors or model.safetensors"),
    ],
)
def test_what_the_hub_lacks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo: str, files: dict[str, bytes], complaint: str
) -> None:
    entry = hub_entry()
    store = store_of(
        tmp_path, entry.model_copy(update={"source": entry.source.model_copy(update={"repo": repo})})
    )
    with hub_serving(files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(FetchError, match=complaint):
            store.pull("tiny")


def test_without_a_network_the_error_says_how_to_carry_files_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_serving(FILES) as hub:
        gone = hub.url
    monkeypatch.setenv("HF_ENDPOINT", gone)
    with pytest.raises(FetchError, match=f"cannot be reached.*--revision {REVISION}.*--from FOLDER"):
        store_of(tmp_path, hub_entry()).pull("tiny")


def test_files_carried_over_need_no_hub(tmp_path: Path) -> None:
    carried = tmp_path / "carried"
    carried.mkdir()
    for name, data in FILES.items():
        (carried / name).write_bytes(data)
    store = store_of(tmp_path, hub_entry())
    store.pull("tiny", options=PullOptions(carried))
    assert store.verify("tiny") == ()
    assert (carried / "model.safetensors").is_file()
    (carried / "config.json").unlink()
    store.remove("tiny")
    with pytest.raises(FetchError, match=r"there is no config\.json"):
        store.pull("tiny", options=PullOptions(carried))


def test_room_is_checked_once_the_size_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_at(tmp_path / "store", Catalogue((hub_entry(),)), free_bytes=lambda _: 17 << 20)
    with hub_serving(FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(StoreUnusableError, match="not enough room"):
            store.pull("tiny")
        assert hub.ranges == []


def test_a_licence_that_asks_for_consent_gets_it_or_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_bytes(b"{}")
    entry = hub_entry(source=LocalSource(folder=str(tmp_path / "m")), consent="for research only")
    store = store_of(tmp_path, entry)
    with pytest.raises(ConsentError, match=r"for research only.*--accept-licence"):
        store.pull("tiny")
    assert not store.root.exists()
    store.pull("tiny", options=PullOptions(consent=True))
    assert store.manifest("tiny").consent == "for research only"


class Copying:
    """A conversion whose outcome is a file of another name."""

    def require_ready(self, entry: CatalogueEntry) -> None: ...

    def convert(
        self, entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
    ) -> ConvertedFiles:
        (job.into / "made.bin").write_bytes((fetched.folder / "config.json").read_bytes())
        (file,) = (file for file in fetched.files if file.name == "config.json")
        made = file.model_copy(update={"name": "made.bin"})
        return ConvertedFiles((made,), "fp16", Conversion(tool=OPENCLIP_TOOL, checks={"cosine": 1.0}))


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """The folder of a converted model in another machine's store."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_bytes(b"{}")
    other = store_at(tmp_path / "other", Catalogue(()), preparer=Copying())
    return other.pull(f"local-dir:{tmp_path}/m")


class Unready(OpenClipConverter):
    """A machine without the libraries of a conversion."""

    def __init__(self) -> None:
        super().__init__(needs=("no_such_library",))


def test_a_machine_that_cannot_convert_says_so_before_fetching(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store", Catalogue((hub_entry(prepare="openclip"),)), preparer=Unready())
    with pytest.raises(PrepareError, match=r"no_such_library.*watchword\[prepare\].*pull tiny --from FOLDER"):
        store.pull("tiny")


@pytest.mark.parametrize("spec", ["m", "local-dir"])
def test_a_model_converted_elsewhere_is_taken_over_as_it_is(
    tmp_path: Path, converted: Path, spec: str
) -> None:
    store = store_at(tmp_path / "store", Catalogue(()), preparer=Unready())
    if spec == "m":
        place = store.pull("m", options=PullOptions(converted))
    else:
        place = store.pull(f"local-dir:{converted}")
    assert place == store.path("m")
    assert (place / "manifest.json").read_bytes() == (converted / "manifest.json").read_bytes()
    assert store.verify("m") == ()


@pytest.mark.parametrize("fault", ["other bytes", "missing", "manifest", "other model"])
def test_a_carried_model_that_is_not_whole_is_refused(tmp_path: Path, converted: Path, fault: str) -> None:
    store = store_at(tmp_path / "store", Catalogue((hub_entry(),)))
    name = "m"
    if fault == "other bytes":
        (converted / "made.bin").write_bytes(b"[]")
    elif fault == "missing":
        (converted / "made.bin").unlink()
    elif fault == "manifest":
        (converted / "manifest.json").write_bytes(b"{")
    else:
        name = "tiny"
    with pytest.raises(FetchError) as caught:
        store.pull(name, options=PullOptions(converted))
    assert str(converted) in str(caught.value)
    assert not (store.root / name).exists()


def test_a_local_folder_is_named_converted_and_pulled_again_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "My Model"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"{}")
    (folder / "notes.odt").write_bytes(b"not ours")
    store = store_at(tmp_path / "store", Catalogue(()), preparer=Copying())
    place = store.pull(f"local-dir:{folder}")
    assert place.name == "my-model"
    manifest = store.manifest("my-model")
    assert manifest.source == LocalSource(folder=str(folder))
    assert [file.name for file in manifest.raw] == ["config.json"]
    assert manifest.precision == "fp16"
    (place / "made.bin").write_bytes(b"[]")
    assert store.verify("my-model")
    store.pull("my-model")
    assert store.verify("my-model") == ()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store", Catalogue(()))
    with pytest.raises(FetchError, match="is no folder"):
        store.pull(f"local-dir:{tmp_path}/nowhere")
    with pytest.raises(FetchError, match="holds no model"):
        store.pull(f"local-dir:{tmp_path}")


@pytest.mark.parametrize(
    ("spec", "name"),
    [("hf-hub:laion/CLIP-ViT-B@" + REVISION, "clip-vit-b"), ("local-dir:/x/A b(c)", "a-b-c")],
)
def test_a_source_gives_the_model_its_name(spec: str, name: str) -> None:
    entry = entry_of(spec)
    assert (entry.name, entry.prepare) == (name, "openclip")


@pytest.mark.parametrize("spec", ["ftp:x", "hf-hub:", "hf-hub:noslash", "hf-hub:a/b@main", "local-dir:/"])
def test_a_source_that_is_none_is_refused_in_one_line(spec: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        entry_of(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.prepare
def test_any_open_clip_name_leads_to_its_repository() -> None:
    entry = entry_of("open_clip:ViT-L-14/datacomp_xl_s13b_b90k")
    assert isinstance(entry.source, HubSource)
    assert entry.source.repo == "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K"
    assert entry.name == slug("ViT-L-14-datacomp_xl_s13b_b90k")
    with pytest.raises(StoreError, match="it has"):
        entry_of("open_clip:ViT-L-14/nothing")


def test_an_installed_model_tells_where_to_get_it_again(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_bytes(b"{}")
    store = store_at(tmp_path / "store", Catalogue(()), preparer=Copying())
    store.pull(f"local-dir:{tmp_path}/m")
    assert entry_from(store.manifest("m")).source == LocalSource(folder=str(tmp_path / "m"))
