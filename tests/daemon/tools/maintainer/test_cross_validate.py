"""Each source is judged by heads that have not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.tools.maintainer.cross_validate import cross_validated
from daemon.tools.maintainer.splits import LOCKED, SplitsError, read_splits
from daemon.tools.report_lines import readable
from pipeline.evaluation.dataset import LabelledPicture

SPLITS = {"a": "0", "b": "0", "c": "1", "secret": LOCKED}
PICTURES = [
    LabelledPicture(Path(f"{source}{number}.jpg"), (label,), source)
    for source in SPLITS
    for number, label in enumerate(("fire", "dog", "safe", "safe"))
]


class RememberingHeads:
    """Right about every source but those of one part, which it takes for fires."""

    def __init__(self, wrong: str) -> None:
        self._wrong = wrong
        self.asked: dict[str, set[str]] = {}

    def __call__(self, part: str, pictures: Sequence[LabelledPicture]) -> NDArray[np.float32]:
        self.asked[part] = {picture.source for picture in pictures}
        right = [
            [4.0 if name in picture.labels else -4.0 for name in ("fire", "dog")] for picture in pictures
        ]
        return np.array([[4.0, -4.0]] * len(pictures) if part == self._wrong else right, np.float32)


def test_each_part_is_scored_once_and_the_locked_one_never() -> None:
    heads = RememberingHeads("1")
    report = cross_validated(PICTURES, ("fire", "dog"), (0.5, 0.5), heads, SPLITS, parts=("0", "1"))
    assert heads.asked == {"0": {"a", "b"}, "1": {"c"}}
    assert set(report["sources"]) == {"a", "b", "c"}
    assert report["parts"]["0"]["safe"]["false_alarm_rate"] == 0.0
    assert report["parts"]["1"]["safe"]["false_alarm_rate"] == 1.0
    assert report["safe"]["false_alarm_rate"] == pytest.approx(2 / 6, abs=1e-3)
    assert report["hazards"]["dog"]["recall"] == pytest.approx(2 / 3, abs=1e-3)
    assert any(line.startswith("by source") for line in readable(report))


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="no picture is in part 4"):
        cross_validated(PICTURES, ("fire", "dog"), (0.5, 0.5), RememberingHeads("1"), SPLITS, ("0", "4"))
    with pytest.raises(ValueError, match="shape"):
        cross_validated(PICTURES, ("fire",), (0.5,), RememberingHeads("1"), SPLITS, ("0",))
    with pytest.raises(SplitsError, match="secret"):
        cross_validated(PICTURES, ("fire",), (0.5,), RememberingHeads("1"), {"a": "0", "b": "0", "c": "1"})


def test_every_part_of_the_shipped_splits_is_known(tmp_path: Path) -> None:
    parts = read_splits()
    assert set(parts.values()) == {LOCKED, "0", "1", "2", "3", "4"}
    (tmp_path / "s.csv").write_text("source,part\na,7\n")
    with pytest.raises(SplitsError, match="part '7'"):
        read_splits(tmp_path / "s.csv")
    with pytest.raises(SplitsError, match="no table"):
        read_splits(tmp_path / "none.csv")
