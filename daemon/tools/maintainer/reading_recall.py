"""Word recall of reading: labelled photographs of signs, and signs rendered into photographs."""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from capture.frame import Image
from capture.image_file import load_image
from daemon.config.settings import load
from daemon.tools.maintainer.rendered_signs import RenderedSign, rendered_signs
from daemon.wiring.store import open_store
from pipeline.reading import korean
from pipeline.reading.passages import MODEL
from pipeline.reading.reader import MAX_SIDE, TextReader

SIGNS = Path(__file__).with_name("signs.csv")
"""Files below the folder of photographs, and the words on each."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The words that were recognised on one sign."""

    name: str
    language: str
    expected: int
    found: int
    invented: int
    took_s: float
    text: str


def main(arguments: list[str] | None = None) -> int:
    """Print a line a sign, then the recall of each kind."""
    parser = argparse.ArgumentParser(prog="script/reading_recall", description=main.__doc__)
    parser.add_argument("--photographs", type=Path, help="folder of the files that signs.csv names")
    parser.add_argument(
        "--ground", type=Path, help="folder of photographs to render into; else the demo clip"
    )
    parser.add_argument("--save", type=Path, help="folder for the rendered signs")
    options = parser.parse_args(arguments)
    store = open_store(load(None, os.environ, {}).settings)
    reader = TextReader(store.path(MODEL))
    if options.photographs:
        report("photographs", _photographs(reader, options.photographs))
    ground = _folder(options.ground) if options.ground else _clip(store.path("demo") / "bikes.mp4")
    signs = list(rendered_signs(ground))
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
        for number, sign in enumerate(signs):
            cv2.imwrite(str(options.save / f"{number:02}-{sign.language}.jpg"), sign.image)
    for language in ("en", "ko"):
        report(f"rendered, {language}", _rendered(reader, signs, language))
    if not korean.installed():
        sys.stdout.write(f"Korean needs {' '.join(korean.PACKAGES)} of Debian\n")
    return 0


def report(kind: str, outcomes: Iterable[Outcome]) -> None:
    """Print the outcomes of one kind of signs."""
    seen = []
    for one in outcomes:
        seen.append(one)
        sys.stdout.write(
            f"  {one.found}/{one.expected} words, {one.invented} others, {1000 * one.took_s:4.0f} ms  "
            f"{one.name}: {one.text}\n"
        )
    expected, found = sum(one.expected for one in seen), sum(one.found for one in seen)
    whole = sum(one.found == one.expected for one in seen)
    others, took_s = sum(one.invented for one in seen), median(one.took_s for one in seen)
    sys.stdout.write(
        f"{kind}: word recall {found}/{expected} = {found / expected:.3f}, whole signs {whole}/{len(seen)}, "
        f"other words {others}, median {1000 * took_s:.0f} ms\n"
    )


def _photographs(reader: TextReader, folder: Path) -> Iterator[Outcome]:
    with SIGNS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            image = load_image(folder / row["file"], MAX_SIDE)[0]
            yield outcome(reader, image, row["file"], row["words"], "en")


def _rendered(reader: TextReader, signs: Iterable[RenderedSign], language: str) -> Iterator[Outcome]:
    for sign in signs:
        if sign.language == language:
            yield outcome(reader, sign.image, repr(sign.text), sign.text, language)


def outcome(reader: TextReader, image: Image, name: str, expected: str, language: str) -> Outcome:
    """Read one picture and compare the words, ignoring their case."""
    began_s = time.perf_counter()
    passages = reader.read(image).passages
    took_s = time.perf_counter() - began_s
    text = " ".join(passage.text for passage in passages)
    wanted, read = Counter(_words(expected)), Counter(_words(text))
    if language == "ko":
        # Korean is written with or without spaces: a word counts wherever it stands.
        together = "".join(_words(text))
        found = sum(word in together for word in wanted.elements())
        invented = sum(word not in "".join(wanted) for word in read.elements())
    else:
        found, invented = (wanted & read).total(), (read - wanted).total()
    return Outcome(name, language, wanted.total(), found, invented, took_s, text)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _folder(folder: Path) -> list[Image]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    return [load_image(file, MAX_SIDE)[0] for file in files]


def _clip(file: Path) -> list[Image]:
    video, frames = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG), []
    while (read := video.read())[0]:
        frames.append(np.asarray(read[1], np.uint8))
    return frames[::20]


if __name__ == "__main__":
    sys.exit(main())
