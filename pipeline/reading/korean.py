"""Korean lines, by Debian's tesseract-ocr-kor if it is installed: PP-OCRv4 here knows English and Chinese."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from statistics import fmean

import cv2
import numpy as np

from capture.frame import Image
from pipeline.reading.recognition import RecognisedLine

log = logging.getLogger(__name__)

PACKAGES = ("tesseract-ocr", "tesseract-ocr-kor")
"""Of Debian."""
LANGUAGE = "kor"
HANGUL = re.compile("[가-힣]")
HEIGHT, MARGIN = 48, 12
"""Pixels to which a line is scaled, and of the border that tesseract wants around it."""
TIMEOUT_S = 10.0


@cache
def installed() -> bool:
    """True if tesseract with its Korean data is there."""
    program = shutil.which("tesseract")
    if program is None:
        return False
    try:
        listed = _run([program, "--list-langs"])
    except (OSError, subprocess.SubprocessError):
        return False
    return LANGUAGE in listed.split()


def read_korean(lines: Sequence[Image]) -> list[RecognisedLine]:
    """The text of each line, in one run; empty texts if tesseract fails. Requires `installed`."""
    if not lines:
        return []
    # Several pages of one TIFF: one start of tesseract, and no picture of the wearer's on the disk.
    encoded, pages = cv2.imencodemulti(".tiff", [_prepared(line) for line in lines])
    found = ""
    if encoded:
        try:
            # psm 7: each page is one line of text.
            found = _run(["tesseract", "-", "-", "-l", LANGUAGE, "--psm", "7", "tsv"], pages.tobytes())
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("tesseract: %s", error)
    return parse_tsv(found, len(lines))


def parse_tsv(table: str, pages: int) -> list[RecognisedLine]:
    """One line a page, from tesseract's table of words (level 5) with their confidence in percent."""
    words: list[list[tuple[str, float]]] = [[] for _ in range(pages)]
    for row in table.splitlines():
        fields = row.split("\t")
        if len(fields) == 12 and fields[0] == "5" and fields[11].strip():
            # Pages of the table count from 1.
            words[int(fields[1]) - 1].append((fields[11].strip(), float(fields[10]) / 100))
    return [
        RecognisedLine(_joined(text for text, _ in line), fmean(p for _, p in line))
        if line
        else RecognisedLine("", 0.0)
        for line in words
    ]


def _joined(words: Iterable[str]) -> str:
    """Words with spaces; syllables that stand alone, as on signs with wide letters, become one word."""
    return re.sub(r"(?<![^\s])([가-힣]) (?=[가-힣](?![^\s]))", r"\1", " ".join(words))


def _prepared(line: Image) -> Image:
    """Grey, of a fixed height, with a border."""
    scale = HEIGHT / line.shape[0]
    grey = cv2.resize(
        cv2.cvtColor(line, cv2.COLOR_BGR2GRAY), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC
    )
    # The line's own edge: a border of another grey would look like a frame.
    bordered = cv2.copyMakeBorder(grey, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    return np.asarray(bordered, np.uint8)


def _run(command: list[str], given: bytes = b"") -> str:
    finished = subprocess.run(  # noqa: S603 -- a fixed program, files of our own
        command,
        capture_output=True,
        check=True,
        timeout=TIMEOUT_S,
        input=given,
        # One thread: it runs at idle priority beside the detector.
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    return finished.stdout.decode("utf-8", "replace")
