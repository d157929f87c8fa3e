"""Reading order: lines become blocks, the largest letters come first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipeline.reading.detection import Quad, line_height, ordered

Item = TypeVar("Item")

SAME_SIZE = 1.5
"""Times another line's height from which the two do not belong together."""
ROW_GAP = 1.5
"""Heights between two pieces of one row at most."""
BLOCK_GAP = 1.0
"""Heights between two rows of one block at most."""


@dataclass(frozen=True, slots=True, eq=False)
class TextLine:
    """A piece of text in the picture."""

    quad: Quad
    text: str
    language: str

    @property
    def height(self) -> float:
        """Pixels."""
        return line_height(self.quad)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in pixels."""
        (left, top), (right, bottom) = self.quad.min(axis=0), self.quad.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def in_reading_order(lines: Iterable[TextLine]) -> list[list[TextLine]]:
    """The blocks of text with the largest letters first; in each, from top to bottom and left to right."""
    blocks = _grouped([_box_row(row) for row in rows(lines)], _same_block)
    blocks.sort(key=lambda block: (-max(row.height for row in block), block[0].box[1], block[0].box[0]))
    return [[line for row in block for line in row.lines] for block in blocks]


def rows(lines: Iterable[TextLine]) -> list[list[TextLine]]:
    """The pieces that stand side by side at one height, from left to right; the rows from the top."""
    from_left = sorted(lines, key=lambda line: line.box[0])
    found = _grouped(from_left, _same_row)
    return sorted(found, key=lambda row: row[0].box[1])


def joined(quads: Sequence[Quad]) -> Quad:
    """One line from the left end of the first piece of a row to the right end of the last."""
    first, last = quads[0], quads[-1]
    return ordered(np.array([first[0], last[1], last[2], first[3]], np.float32))


@dataclass(frozen=True, slots=True)
class _Row:
    lines: tuple[TextLine, ...]
    box: tuple[float, float, float, float]
    height: float


def _box_row(lines: Sequence[TextLine]) -> _Row:
    boxes = np.array([line.box for line in lines])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    # The median: one piece that was found too tall must not separate the row from its block.
    height = float(np.median([line.height for line in lines]))
    return _Row(tuple(lines), (float(left), float(top), float(right), float(bottom)), height)


def _grouped(items: Iterable[Item], belongs: Callable[[Item, Item], bool]) -> list[list[Item]]:
    """Each item joins the first group whose last item it belongs to, else it begins a new one."""
    groups: list[list[Item]] = []
    for item in items:
        group = next((one for one in groups if belongs(one[-1], item)), None)
        if group is None:
            groups.append([item])
        else:
            group.append(item)
    return groups


def _same_row(one: TextLine, right: TextLine) -> bool:
    (_, top, end, bottom), (start, other_top, _, other_bottom) = one.box, right.box
    overlap = min(bottom, other_bottom) - max(top, other_top)
    level = overlap > 0.5 * min(bottom - top, other_bottom - other_top)
    size = max(one.height, right.height)
    return level and _same_size(one.height, right.height) and -size < start - end < ROW_GAP * size


def _same_block(one: _Row, below: _Row) -> bool:
    (left, _, right, bottom), (other_left, other_top, other_right, _) = one.box, below.box
    beside = min(right, other_right) - max(left, other_left) > 0
    size = max(one.height, below.height)
    return beside and _same_size(one.height, below.height) and -size < other_top - bottom < BLOCK_GAP * size


def _same_size(one: float, other: float) -> bool:
    return max(one, other) < SAME_SIZE * min(one, other)
