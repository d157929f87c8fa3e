"""Learns a hazard from a few pictures of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.image_file import load_image
from capture.image_folder import list_folder
from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.wiring.detector import enabled_hazards
from daemon.wiring.sources import DEMO, open_recorded, source_path
from daemon.wiring.store import open_calibrations
from pipeline.calibration import few_shot
from pipeline.calibration.blank_images import blank_images
from pipeline.calibration.few_shot import Estimate, FewShotHazard, LabelledEmbedding, TeachError, path_of
from pipeline.calibration.few_shot_fit import LEAST_UNLIKE, MOST_UNLIKE, TrainingSet, estimate, fit
from pipeline.calibration.normal_view import read_normal
from pipeline.detection.scorer import TAUGHT_THRESHOLD, build_scorer, prompt_fingerprints
from pipeline.hazards import Hazard, prompt_set
from pipeline.log_odds import logit
from pipeline.models.base import ImageTextModel
from pipeline.store.errors import StoreError
from pipeline.types import Encoding

_BUILT_IN = "demo"
_DEMO_KEPT = 40
"""Views of the demo street that have a place among the harmless pictures, however many others there are."""
# About the input of an image encoder: blank views need no detail.
_EMPTY_SIDE = 260


def forget(settings: Settings, name: str) -> None:
    """Delete the pictures taught of a hazard. Raises CommandError if there are none."""
    if not few_shot.forget(settings.paths.state, name):
        raise CommandError(f"{path_of(settings.paths.state, name)}: nothing was taught of {name}")


def find_pictures(places: Iterable[Path], report: Callable[[str], object] = lambda _: None) -> list[Path]:
    """Replace folders by their pictures, in order. `report` gets the files that a folder leaves out.

    Raises CameraUnusable for a folder without pictures.
    """
    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            # Not checked here: `load_image` names what is wrong with a file.
            found.append(place)
            continue
        content = list_folder(place)
        found += content.images
        if content.notice:
            report(f"{place}: {content.notice}")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class EncodedImages:
    """Names and encodings of pictures."""

    names: tuple[str, ...]
    encodings: tuple[Encoding, ...]

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Unit rows (N, D)."""
        return np.stack([one.embedding for one in self.encodings])


def teach(
    settings: Settings,
    model: ImageTextModel,
    name: str,
    like: Sequence[Path],
    unlike: Sequence[Path],
    report: Callable[[str], object] = lambda _: None,
) -> FewShotHazard:
    """Fit a hazard to pictures `like` it and `unlike` it. Raises TeachError if too few are unlike it.

    `report` takes a line if harmless pictures are left out because there are too many.
    """
    words = PromptScores.of(settings, model, name)
    shown, contrast = _shown(settings, model, like), _shown(settings, model, unlike)
    own = _joined(contrast, _normal(settings, model, words))
    # Without prompts and harmless pictures any view would resemble the few that were shown.
    if not words.known and len(own.names) < LEAST_UNLIKE:
        raise TeachError(
            f"hazard {name} has no words to lean on: name at least {LEAST_UNLIKE} ordinary pictures with "
            "--unlike, or let `watchword calibrate` see your normal view first"
        )
    demo, empty = _demo(settings, model, words), _empty(model)
    harmless = chosen(own, demo, empty)
    if left := len(own.names) + len(demo.names) + len(empty.names) - len(harmless.names):
        report(f"{left} harmless pictures were left out, evenly over all: {MOST_UNLIKE} at most are kept")
    lesson = TrainingSet.of(
        shown.embeddings,
        harmless.embeddings,
        # The pictures correct the log-odds of the prompts; they do not replace them.
        words.odds(shown.encodings),
        words.odds(harmless.encodings),
    )
    learnt = fit(lesson)
    return FewShotHazard(
        hazard=name,
        model=model.name,
        model_fingerprint=model.fingerprint,
        words=words.mark,
        centre=learnt.centre,
        deviation=learnt.deviation,
        boundary=learnt.boundary,
        estimate=estimate(lesson, words.threshold, worded=words.known),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_by=version("watchword"),
        like=tuple(map(LabelledEmbedding.of, shown.names, shown.embeddings)),
        unlike=tuple(map(LabelledEmbedding.of, harmless.names, harmless.embeddings)),
    )


class PromptScores:
    """Scores pictures by a hazard's prompts alone, without pictures taught before."""

    def __init__(self, model: ImageTextModel, hazard: Hazard | None, settings: Settings) -> None:
        self.known = hazard is not None
        self.mark, self.threshold = "", logit(TAUGHT_THRESHOLD)
        if hazard is None:
            return
        # A folder that does not exist: pictures taught before must not judge the new ones.
        nothing_taught = settings.paths.state / "nothing"
        scorer = build_scorer(model, [hazard], open_calibrations(settings), nothing_taught, own=False)
        self._scorer = scorer
        self.mark = prompt_fingerprints(model, prompt_set([hazard]))[hazard.name]
        self.threshold = logit(hazard.threshold or float(scorer.calibration.thresholds[0]))

    @classmethod
    def of(cls, settings: Settings, model: ImageTextModel, name: str) -> PromptScores:
        known = {hazard.name: hazard for hazard in enabled_hazards(settings) if hazard.prompts}
        # Refused: teaching would succeed, and the wearer would wait for a warning that never comes.
        if name in settings.hazards and not settings.hazards[name].enabled:
            raise CommandError(f"hazards.{name}.enabled is false: nobody would watch for it")
        return cls(model, known.get(name), settings)

    def odds(self, encodings: Sequence[Encoding]) -> NDArray[np.float64]:
        """Calibrated log-odds (N,); zeros where there are no words."""
        # Zeros: without words the prompts have no opinion on either side.
        if not self.known or not encodings:
            return np.zeros(len(encodings))
        fit, bank = self._scorer.calibration, self._scorer.bank
        return np.array([float((fit.slopes * bank.scores(e) + fit.offsets)[0]) for e in encodings])


def _shown(settings: Settings, model: ImageTextModel, places: Sequence[Path]) -> EncodedImages:
    pictures = (load_image(place, settings.capture.max_side)[0] for place in places)
    return EncodedImages(tuple(place.name for place in places), tuple(model.encode(one) for one in pictures))


def _normal(settings: Settings, model: ImageTextModel, words: PromptScores) -> EncodedImages:
    """The views that `calibrate` recorded, without those that the prompts score as the hazard."""
    return _unsuspected("normal view", read_normal(settings.paths.state, model), words)


def _demo(settings: Settings, model: ImageTextModel, words: PromptScores) -> EncodedImages:
    """Four views a second of the demo clip; none if it has not been pulled."""
    try:
        place = source_path(settings, DEMO)
    except StoreError:
        return EncodedImages((), ())
    camera = open_recorded(settings, place)
    try:
        pictures = []
        while (frame := camera.read()) is not None:
            # The demo clip has 25 frames a second: about four views, as its docstring says.
            if frame.seq % 6 == 0:
                pictures.append(model.encode(frame.image))
    finally:
        camera.close()
    return _unsuspected(_BUILT_IN, pictures, words)


def _unsuspected(name: str, encodings: Sequence[Encoding], words: PromptScores) -> EncodedImages:
    odds = words.odds(encodings)
    # A view that the words take for the hazard may show it: as a harmless example it would teach the
    # opposite.
    kept = [e for e, o in zip(encodings, odds, strict=True) if not words.known or o < words.threshold]
    return EncodedImages((name,) * len(kept), tuple(kept))


def _empty(model: ImageTextModel) -> EncodedImages:
    """Encodings of dark and blank views, which are no hazard."""
    pictures = [model.encode(picture) for picture in blank_images(_EMPTY_SIDE)]
    return EncodedImages(("nothing to see",) * len(pictures), tuple(pictures))


def chosen(own: EncodedImages, demo: EncodedImages, empty: EncodedImages) -> EncodedImages:
    """MOST_UNLIKE harmless pictures at most: all empty ones, some of the demo, `own` in the remaining places.

    Without the empty ones a covered lens would score as high as any other picture.
    """
    # Blank views first: there are few of them, and no other picture shows a covered lens.
    room = MOST_UNLIKE - len(empty.names)
    demo = _thinned(demo, max(_DEMO_KEPT, room - len(own.names)))
    return _joined(_thinned(own, room - len(demo.names)), demo, empty)


def _thinned(shown: EncodedImages, most: int) -> EncodedImages:
    """At most `most` of the pictures, evenly spaced."""
    count = len(shown.names)
    if count <= most:
        return shown
    # Evenly, and not the first ones: neighbouring views look alike.
    kept = [i * count // most for i in range(most)]
    return EncodedImages(tuple(shown.names[i] for i in kept), tuple(shown.encodings[i] for i in kept))


def _joined(*parts: EncodedImages) -> EncodedImages:
    return EncodedImages(
        tuple(name for part in parts for name in part.names),
        tuple(one for part in parts for one in part.encodings),
    )


def report_lines(taught: FewShotHazard) -> Iterable[str]:
    """The estimate, each picture judged by the others."""
    one: Estimate = taught.estimate
    yield f"{taught.hazard}: {one.like} pictures of it, {one.unlike} harmless ones"
    if one.like == 1:
        yield "one picture cannot be judged by others: show more to learn how well it works"
    else:
        before = f"{one.recognised_by_words} by its words, " if taught.words else ""
        yield f"each picture judged by the others: {before}{one.recognised} of {one.like} recognised"
        if 2 * one.recognised < one.like:
            yield (
                f"that is fewer than half, so {taught.hazard} will seldom be announced: show more pictures "
                "in which it is large, and none of it with --unlike"
            )
    before = f"{one.false_by_words} by its words, " if taught.words else ""
    yield f"harmless pictures taken for it: {before}{one.false} of {one.unlike}"
    if one.false > max(one.false_by_words, 0.05 * one.unlike):
        yield "that is more than one in twenty: show more ordinary pictures with --unlike"
