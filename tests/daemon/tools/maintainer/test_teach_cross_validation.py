"""Teaching on real pictures: what half of them teaches is seen in the other half."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config.settings import load
from daemon.tools.maintainer.teach_cross_validation import halves, remembering, trial
from pipeline.evaluation.dataset import LabelledPicture, read_dataset


def picture(source: str, number: int) -> LabelledPicture:
    return LabelledPicture(Path(f"{number}.jpg"), ("fire",), source)


def test_halves_share_no_source_where_there_are_several() -> None:
    first, second, how = halves([picture(source, i) for i, source in enumerate("aaabbcc")])
    assert not {p.source for p in first} & {p.source for p in second}
    assert (len(first), len(second), how) == (3, 4, "source")
    first, second, how = halves([picture("a", i) for i in range(5)])
    assert (len(first), len(second), how) == (3, 2, "order")


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.timeout(600)
def test_teaching_raises_recall_on_unseen_pictures_at_hardly_any_false_alarms(
    tmp_path: Path, models: Path, media: Path
) -> None:
    values = {"paths.models": str(models), "paths.state": str(tmp_path)}
    settings = load(None, {"HOME": str(Path.home())}, values).settings
    pictures = read_dataset(media / "images.csv", settings.hazards.keys()).pictures
    model = remembering(settings)
    found = [trial(settings, model, pictures, name) for name in ("knife", "stairs", "hole")]
    assert all(one.recall > one.recall_before for one in found), found
    assert all(one.false <= one.false_before + 0.02 * one.safe_judged for one in found), found
    new = [trial(settings, model, pictures, name, new=True) for name in ("knife", "stairs", "hole")]
    assert all(one.recall >= 0.9 > one.recall_before == 0 for one in new), new
    assert all(one.false <= 0.02 * one.safe_judged for one in new), new
