"""Reads the text in a picture: found, recognised, in reading order, as passages to be spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from capture.frame import Image
from capture.orient import limit_size
from pipeline.reading import korean
from pipeline.reading.detection import Quad, TextDetector
from pipeline.reading.korean import HANGUL
from pipeline.reading.layout import TextLine, in_reading_order, joined, rows
from pipeline.reading.passages import MODEL, Passage, ReadingError, ReadText
from pipeline.reading.recognition import LineRecognizer, RecognisedLine, crop

DETECTION_FILE, RECOGNITION_FILE, LETTERS_FILE = "detection.onnx", "recognition.onnx", "letters.txt"
MAX_SIDE = 1280
"""Pixels of the longer side of the picture that is read."""
SURE = 0.8
"""Mean probability a letter from which a line was read; patterns of walls and leaves score below."""
SURE_SHORT = 0.9
"""The same for one or two letters, which a pattern imitates more easily."""
KOREAN_SURE = 0.6
"""The same for tesseract, whose confidence is on another scale."""
MOST_KOREAN = 24
"""Lines that are tried in Korean at most: each takes tesseract some ten milliseconds."""
LONGEST = 500
"""Letters that are read aloud at most, about half a minute."""
_DASHES = " -–—_|.,~'\""
"""Taken from the ends of Korean lines: tesseract sees them in the edge of a sign."""
IDEOGRAPH = re.compile("[\u3400-\u9fff]")


class ReadingUnavailableError(ReadingError):
    """The reading model is missing or damaged; the message says what to do."""


class TextReader:
    """Used by one thread."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of the model in the store. Raises ReadingUnavailableError."""
        try:
            self._detector = TextDetector(folder / DETECTION_FILE)
            self._recognizer = LineRecognizer(folder / RECOGNITION_FILE, folder / LETTERS_FILE)
        except (OSError, RuntimeError) as error:
            raise ReadingUnavailableError(f"{folder}: {error}; run `watchword models pull {MODEL}`") from None

    def read(self, image: Image) -> ReadText:
        """Read a picture (H, W, 3; BGR)."""
        image = limit_size(image, MAX_SIDE)
        quads = self._detector.find(image)
        found = [(quad, self._recognizer.read(crop(image, quad))) for quad in quads]
        lines = [TextLine(quad, line.text, "en") for quad, line in found if is_sure(line)]
        unsure = [TextLine(quad, "", "ko") for quad, line in found if not is_sure(line)]
        if there := korean.installed():
            lines += _korean_lines(image, unsure)
        return replace(arranged(lines), korean=there)


def is_sure(line: RecognisedLine) -> bool:
    """True if a line was read as words or numbers, not imagined."""
    letters = sum(map(str.isalnum, line.text))
    return letters > 0 and line.confidence >= (SURE if letters > 2 else SURE_SHORT)


def _korean_lines(image: Image, unsure: Sequence[TextLine]) -> Iterator[TextLine]:
    """The Korean lines among those that were not read. The pieces of a row are read together."""
    quads: list[Quad] = [joined([piece.quad for piece in row]) for row in rows(unsure)][:MOST_KOREAN]
    for quad, line in zip(quads, korean.read_korean([crop(image, quad) for quad in quads]), strict=True):
        syllables = len(HANGUL.findall(line.text))
        if (
            syllables >= 2
            and line.confidence >= KOREAN_SURE
            and 2 * syllables >= len(line.text.replace(" ", ""))
        ):
            yield TextLine(quad, line.text.strip(_DASHES), "ko")


def arranged(lines: Sequence[TextLine]) -> ReadText:
    """The lines as passages in reading order; neighbours of one language are one passage."""
    spoken = [line for line in lines if 2 * len(IDEOGRAPH.findall(line.text)) < len(line.text)]
    passages: list[Passage] = []
    left, more = LONGEST, False
    for block in in_reading_order(spoken):
        for language, text in _by_language(block):
            if len(text) > left:
                more = True
                break
            left -= len(text)
            if passages and passages[-1].language == language:
                text = f"{passages.pop().text} {text}"
            passages.append(Passage(text, language))
        if more:
            break
    return ReadText(tuple(passages), more, len(spoken) < len(lines))


def _by_language(block: Sequence[TextLine]) -> Iterator[tuple[str, str]]:
    """The text of a block, cut where the language changes; each piece ends like a sentence."""
    texts: list[str] = []
    for line, following in zip(block, [*block[1:], None], strict=True):
        texts.append(line.text)
        if following is None or following.language != line.language:
            text = " ".join(texts)
            yield line.language, text if text[-1] in ".!?" else f"{text}."
            texts = []
