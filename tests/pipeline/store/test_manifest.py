"""Manifests and the catalogue: what is written is read back, what is wrong is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.catalogue.catalogue import parse_catalogue
from pipeline.store.catalogue.shipped import shipped_catalogue
from pipeline.store.errors import StoreError, UnknownModelError
from pipeline.store.manifest import (
    Conversion,
    HubSource,
    Kind,
    LocalSource,
    Manifest,
    ManifestError,
    Member,
    StoredFile,
    Wheel,
    WheelSource,
    dump_manifest,
    parse_manifest,
    read_manifest,
)

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
revisions = st.text("0123456789abcdef", min_size=40, max_size=40)
parts = st.text("abcXYZ019_-+ 한", min_size=1, max_size=10)
file_names = st.lists(parts, min_size=1, max_size=3).map("/".join)
sizes = st.integers(0, 2**50)
files = st.builds(StoredFile, name=file_names, sha256=hashes, size=sizes, licence=words)
wheels = st.builds(
    Wheel,
    distribution=words,
    version=words,
    filename=file_names,
    sha256=hashes,
    size=sizes,
    members=st.lists(st.builds(Member, member=words, file=file_names), min_size=1, max_size=3).map(tuple),
)
sources = st.one_of(
    st.builds(WheelSource, wheels=st.lists(wheels, min_size=1, max_size=2).map(tuple)),
    st.builds(
        HubSource,
        repo=st.just("some-one/a.model"),
        revision=st.none() | revisions,
        files=st.lists(file_names, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(LocalSource, folder=words),
)
figures = st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False), max_size=3)
manifests = st.builds(
    Manifest,
    name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    kind=st.sampled_from(Kind),
    licence=words,
    source=sources,
    files=st.lists(files, min_size=1, max_size=4, unique_by=lambda f: f.name).map(tuple),
    raw=st.lists(files, max_size=2).map(tuple),
    precision=st.none() | words,
    conversion=st.none()
    | st.builds(Conversion, tool=words, versions=st.dictionaries(words, words, max_size=2), checks=figures),
    calibration=st.none() | file_names,
    created_at=words,
    created_by=words,
)


@given(manifests)
def test_a_manifest_is_read_back_as_it_was_written(manifest: Manifest) -> None:
    assert parse_manifest(dump_manifest(manifest)) == manifest


@given(manifests, words)
def test_a_key_that_nobody_knows_is_refused(manifest: Manifest, key: str) -> None:
    tree = json.loads(dump_manifest(manifest))
    tree.setdefault(key, "x")
    if tree[key] == "x":
        with pytest.raises(ManifestError, match="Extra inputs"):
            parse_manifest(json.dumps(tree))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "a/../../b",
        "",
        ".",
        "..",
        "a//b",
        "a/",
        ".hidden",
        "a\\..\\b",
        "a/./b",
        "a\0b",
    ],
)
def test_a_file_name_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        StoredFile(name=name, sha256="0" * 64, size=0, licence="MIT")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "version"),
        ({"kind": "picture"}, "kind"),
        ({"files": []}, "files"),
        ({"name": "Up"}, "name"),
        ({"created_at": None}, "created_at"),
        ({"source": {"kind": "ftp"}}, "source"),
    ],
)
def test_the_complaint_names_the_key(change: dict[str, object], complaint: str) -> None:
    good = Manifest(
        name="tiny",
        kind=Kind.CLIP,
        licence="MIT",
        source=LocalSource(folder="/x"),
        files=(StoredFile(name="a", sha256="0" * 64, size=1, licence="MIT"),),
        created_at="now",
        created_by="0",
    )
    tree = json.loads(dump_manifest(good)) | change
    with pytest.raises(ManifestError, match=f"^{complaint}"):
        parse_manifest(json.dumps(tree))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", "nonsense"])
def test_a_manifest_that_is_no_json_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ManifestError, match=r"manifest\.json cannot be used"):
        read_manifest(tmp_path)


def test_the_shipped_catalogue_pins_every_byte_and_licence() -> None:
    known = {entry.name: entry for entry in shipped_catalogue()}
    assert {"starter", "demo"} <= set(known)
    assert {file.name for file in known["starter"].files} == {
        "efficientnet-lite2.pth",
        "minilm.onnx",
        "tokenizer.json",
        "imagenet1k_clean_names.json",
    }
    assert [file.name for file in known["demo"].files] == ["bikes.mp4"]


def test_a_misspelt_name_gets_a_hint() -> None:
    with pytest.raises(UnknownModelError, match="did you mean 'starter'"):
        shipped_catalogue().require("startr")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[x", "broken"),
        ("x = 1", "x is not a table"),
        ('[x]\nkind = "clip"\nlicence = "MIT"\nsource = {kind = "local", folder = "/"}', r"x\.summary"),
        (
            '[x]\nkind = "clip"\nlicence = "MIT"\nsummary = "s"\n[x.source]\nkind = "wheel"\n'
            f'wheels = [{{distribution="d", version="1", filename="d.whl", sha256="{"0" * 64}", size=1, '
            'members=[{member="m", file="f"}]}]',
            "differ",
        ),
    ],
)
def test_a_broken_catalogue_says_where(text: str, complaint: str) -> None:
    with pytest.raises(StoreError, match=complaint):
        parse_catalogue(text)
