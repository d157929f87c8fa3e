"""Reading labelled media."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.evaluation.dataset import DatasetError, Span, read_dataset

HAZARDS = ("fire", "dog")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg", "c.mp4"):
        (tmp_path / name).touch()
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "media.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_pictures_and_clips_are_read_and_further_columns_ignored(folder: Path) -> None:
    path = written(
        folder,
        "file,label,start_s,end_s,source,colour\na.jpg,fire,,,s1,red\nb.jpg,safe,,,,\n"
        "c.mp4,fire,1,2.5,s2,\nc.mp4,scene,2,2,s2,\nc.mp4,ignore,3,4,s2,\n",
    )
    manifest = read_dataset(path, HAZARDS)
    assert [(p.path.name, p.label) for p in manifest.pictures] == [("a.jpg", "fire"), ("b.jpg", "safe")]
    assert manifest.pictures[0].source == "s1"
    assert manifest.pictures[1].source == str(folder / "b.jpg")
    (clip,) = manifest.clips
    assert clip.spans[:2] == (Span("fire", 1, 2.5), Span("scene", 2, 2))
    assert clip.labels_at(2.0) == {"fire"}
    assert clip.labels_at(3.5) == {"ignore"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column"),
        ("path,label\n", "no column 'file'"),
        ("file,label\n", "lists nothing"),
        ("file,label\nx.jpg,fire\n", "line 2: no such file 'x.jpg'"),
        ("file,label\n,fire\n", "line 2: no such file ''"),
        ("file,label\na.jpg,fir\n", "line 2: unknown label 'fir'; one of dog, fire, safe"),
        ("file,label\na.jpg,scene\n", "unknown label 'scene'"),
        ("file,label,start_s,end_s\nc.mp4,fire,1,\n", "must both be seconds"),
        ("file,label,start_s,end_s\nc.mp4,fire,one,2\n", "must both be seconds"),
        ("file,label,start_s,end_s\nc.mp4,fire,3,2\n", "no span of time"),
        ("file,label,start_s,end_s\nc.mp4,fire,nan,2\n", "no span of time"),
        ("file,labels\na.jpg,fire;safe\n", "'safe' stands beside 'fire;safe'; it must stand alone"),
        ("file,labels\na.jpg,\n", "unknown label ''"),
        ("file,labels,uncertain\na.jpg,fire,cat\n", "unknown hazard 'cat' in the column 'uncertain'"),
        ("file,label,start_s,end_s,camera\nc.mp4,fire,1,2,fast\n", "camera 'fast'; one of moving, still"),
    ],
)
def test_mistakes_are_named_with_their_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_dataset(written(folder, text), HAZARDS)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_dataset(tmp_path / "none.csv", HAZARDS)


def test_binary_is_no_manifest(folder: Path) -> None:
    (folder / "media.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(DatasetError, match="UTF-8"):
        read_dataset(folder / "media.csv", HAZARDS)


def test_a_picture_may_show_several_hazards_and_be_unsure_of_others(folder: Path) -> None:
    text = "file,labels,uncertain\na.jpg,fire; dog,\nb.jpg,fire,dog;fire\n"
    first, second = read_dataset(written(folder, text), HAZARDS).pictures
    assert (first.labels, first.label, first.uncertain) == (("fire", "dog"), "fire", frozenset())
    assert (second.labels, second.uncertain) == (("fire",), frozenset({"dog"}))


def test_spans_keep_what_is_uncertain_and_the_camera_is_the_clips(folder: Path) -> None:
    text = (
        "file,label,labels,uncertain,start_s,end_s,camera\n"
        "c.mp4,fire,,dog,1,2,moving\nc.mp4,,fire;dog,,3,4,\n"
    )
    (clip,) = read_dataset(written(folder, text), HAZARDS).clips
    assert clip.camera == "moving"
    assert clip.uncertain_at(1.5) == {"dog"}
    assert not clip.uncertain_at(3.5)
    assert clip.labels_at(3.5) == {"fire", "dog"}
