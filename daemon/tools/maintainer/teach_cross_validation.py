"""Cross-validates teaching: taught half of a hazard's pictures, judged on the other half, and in turn.

Halves are split by source where there is more than one, and so are the harmless pictures, so that nothing
is judged by its own siblings; a hazard with a single source is split in the order of the manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.tools.cached_model import CachedModel
from daemon.tools.teach import PromptScores, teach
from daemon.wiring.models import load_model
from pipeline.calibration.few_shot import FewShotHazard, KernelScore
from pipeline.evaluation.dataset import SAFE, LabelledPicture


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """One hazard over all splits; every picture of it is judged as often as there are harmless halves."""

    hazard: str
    split_by: str
    judged: int
    recall_before: float
    recall: float
    safe_judged: int
    false_before: int
    false: int


def halves(pictures: Sequence[LabelledPicture]) -> tuple[list[LabelledPicture], list[LabelledPicture], str]:
    """Two halves of nearly the same size that share no source, where there are several."""
    groups: dict[str, list[LabelledPicture]] = {}
    for picture in pictures:
        groups.setdefault(picture.source, []).append(picture)
    if len(groups) == 1:
        middle = (len(pictures) + 1) // 2
        return list(pictures[:middle]), list(pictures[middle:]), "order"
    first: list[LabelledPicture] = []
    second: list[LabelledPicture] = []
    # The largest first, each into the smaller half: the halves come out nearly equal.
    for group in sorted(groups.values(), key=len, reverse=True):
        (first if len(first) <= len(second) else second).extend(group)
    return first, second, "source"


def new_name(hazard: str) -> str:
    """The name under which a hazard is taught as if it were not built in."""
    return f"new_{hazard}"


def trial(
    settings: Settings,
    model: CachedModel,
    pictures: Sequence[LabelledPicture],
    hazard: str,
    *,
    new: bool = False,
) -> CrossValidation:
    """`new`: under the name of a new hazard, which has no words unless the settings add it with some.

    Raises TeachError, CommandError.
    """
    name = new_name(hazard) if new else hazard
    own = [picture for picture in pictures if picture.label == hazard]
    *own_halves, split_by = halves(own)
    *safe_halves, _ = halves([picture for picture in pictures if picture.label == SAFE])
    words = PromptScores.of(settings, model, name)
    shown, harmless = [], []
    # All four pairs of halves, so that every picture is judged by models that have not seen it.
    for a, b in product((0, 1), (0, 1)):
        like, unlike = own_halves[a], safe_halves[b]
        taught = teach(settings, model, name, [p.path for p in like], [p.path for p in unlike])
        shown += _judged(settings, model, words, taught, own_halves[1 - a])
        harmless += _judged(settings, model, words, taught, safe_halves[1 - b])
    seen, false = np.array(shown, bool), np.array(harmless, bool)
    return CrossValidation(
        hazard=hazard,
        split_by=split_by,
        judged=len(seen),
        recall_before=float(seen[:, 0].mean()),
        recall=float(seen[:, 1].mean()),
        safe_judged=len(false),
        false_before=int(false[:, 0].sum()),
        false=int(false[:, 1].sum()),
    )


def _judged(
    settings: Settings,
    model: CachedModel,
    words: PromptScores,
    taught: FewShotHazard,
    pictures: Sequence[LabelledPicture],
) -> list[tuple[bool, bool]]:
    """Recognised by words, and by words or pictures."""
    resemblance, out = KernelScore.of(taught, 0), []
    for picture in pictures:
        encoding = model.encode(load_image(picture.path, settings.capture.max_side)[0])
        by_words = float(words.odds([encoding])[0])
        before = words.known and by_words >= words.threshold
        out.append((before, before or resemblance.log_odds(encoding.embedding, by_words) >= words.threshold))
    return out


def remembering(settings: Settings) -> CachedModel:
    """The model of the settings. Raises the errors of `load_model`."""
    return CachedModel(load_model(settings))
