"""Builds the detector and the core's settings that belong to it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.config.settings import Settings
from daemon.core.messages import CoreSpec, HazardSpec
from daemon.errors import CommandError
from daemon.replay.replay import ReplayVoice as ReplayVoice
from daemon.wiring.models import has_unused_heads, load_model, turned_down_models
from daemon.wiring.store import open_calibrations
from pipeline.alerting.baseline import BaselineFilter
from pipeline.calibration.few_shot import TeachError, few_shot_names
from pipeline.calibration.table import CalibrationError, CalibrationTable
from pipeline.detection.detector import Detector
from pipeline.detection.scorer import Outdated, build_scorer, load_hazards, state_version
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.hazards import Hazard, HazardError, builtin
from pipeline.models.base import EmbeddingGeometry, ImageTextModel

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DetectorBundle:
    """A detector with its model, and the core's settings that belong to it."""

    model: ImageTextModel
    detector: Detector
    thresholds: Mapping[str, float]
    """The thresholds of the calibration, by hazard. Those in `spec` may be overridden by settings."""
    picture_hazards: tuple[HazardSpec, ...]
    """The hazards of `spec` with the thresholds for a single picture."""
    spec: CoreSpec
    baseline: BaselineFilter
    """The baseline filter of `detector`."""
    outdated: Outdated
    """Files of the state folder that do not fit the model."""
    note: str
    """The basis of the model's calibration, if it is not labelled pictures; else empty."""
    turned_down: Mapping[str, str]
    """The models that `auto` rejected, with the reasons."""


def core_spec(
    settings: Settings,
    hazards: Sequence[Hazard],
    thresholds: Mapping[str, float],
    geometry: EmbeddingGeometry,
    unknown: Collection[str] = (),
) -> CoreSpec:
    """Build the settings of the core's decisions.

    `thresholds`: those of the calibration, by hazard. `geometry`: that of the model. `unknown`: hazards that
    the model can never recognise.
    """
    return CoreSpec(
        language=settings.speech.language,
        hazards=tuple(
            HazardSpec(
                name=h.name,
                severity=int(h.severity),
                threshold=thresholds[h.name] if h.threshold is None else h.threshold,
                say=h.say[settings.speech.language],
                call=h.call.get(settings.speech.language, ""),
                rank=h.rank,
                unrecognised=h.name in unknown,
            )
            for h in hazards
        ),
        watch=settings.watch,
        scene=settings.scene.with_distances(
            distance=geometry.scene_distance, settle_distance=geometry.settle_distance
        ),
        describe=settings.describe,
        health=settings.health,
        outbox=settings.speech.outbox,
        verbosity=settings.speech.verbosity,
        clear_earcon=settings.speech.clear_earcon,
        tick_s=settings.speech.tick_s,
        description_gap_s=settings.speech.description_gap_s,
        talk_share=settings.speech.talk_share,
        facing=settings.capture.facing,
        forwards=bool(settings.control.forward_to),
    )


class DetectorReloader:
    """Rebuilds the detector of a loaded model if hazards, calibration or taught pictures have changed."""

    def __init__(self, bundle: DetectorBundle, settings: Settings) -> None:
        self._bundle = bundle
        self._prompts = _enabled_prompts(settings)
        self._state_version = state_version(settings.paths.state)

    def detector_for(self, settings: Settings) -> DetectorBundle:
        """Return the detector for these settings and the present state folder.

        Raises ValueError, once for each change, if a file of the state folder does not fit; the present
        detector then stays. It also stays while the settings name a hazard whose pictures were removed, until
        a reload removes the hazard.
        """
        prompts, taught = _enabled_prompts(settings), few_shot_names(settings.paths.state)
        # Such a hazard has neither words nor pictures; building it would fail and block every other reload.
        if any(not any(map(str.strip, texts)) and name not in taught for name, texts in prompts):
            return self._bundle
        version, before = state_version(settings.paths.state), self._state_version
        # Before building: the same unusable file must not be reported at every reload.
        self._state_version = version
        if version != before or prompts != self._prompts:
            try:
                self._bundle = build_detector(settings, self._bundle.model)
            except (HazardError, CalibrationError, TeachError, CommandError) as error:
                raise ValueError(str(error)) from error
            self._prompts = prompts
        return self._bundle


def _enabled_prompts(settings: Settings) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The enabled hazards and their prompts."""
    return tuple((name, one.prompts) for name, one in settings.hazards.items() if one.enabled)


def unrecognised_hazards(settings: Settings, model: ImageTextModel | None = None) -> tuple[str, ...]:
    """Return the enabled hazards that the model (by default that of the settings) can never recognise.

    The model is loaded only if there are hazards besides the built-in ones. Raises as `load_model` and
    `build_detector` do.
    """
    shipped = builtin()
    added = any(
        one.enabled and (name not in shipped or list(one.prompts) != list(shipped[name]["prompts"]))
        for name, one in settings.hazards.items()
    )
    return build_detector(settings, model).outdated.unknown if added else ()


def enabled_hazards(settings: Settings) -> tuple[Hazard, ...]:
    """The hazards that the settings enable. Raises HazardError; CommandError if there are none."""
    hazards = load_hazards(settings.hazards, settings.paths.state)
    if not hazards:
        raise CommandError("every hazard is disabled; enable one in [hazards.NAME]")
    return hazards


def build_detector(
    settings: Settings,
    model: ImageTextModel | None = None,
    *,
    own: bool = True,
    table: CalibrationTable | None = None,
) -> DetectorBundle:
    """Build the detector: model, prompts, taught pictures, calibration and thresholds.

    `own`: use the user's own calibration if there is one. `table`: use this calibration instead.
    """
    # A reload passes the loaded model: loading it again takes seconds and twice the memory.
    model = model or load_model(settings)
    hazards = enabled_hazards(settings)
    scorer = build_scorer(
        model, hazards, open_calibrations(settings), settings.paths.state, own=own, table=table
    )
    thresholds = dict(zip(scorer.calibration.names, scorer.calibration.thresholds.tolist(), strict=True))
    spec = core_spec(settings, hazards, thresholds, model.geometry, scorer.outdated.unknown)
    single = dict(zip(scorer.calibration.names, scorer.calibration.picture_thresholds.tolist(), strict=True))
    baseline = BaselineFilter(settings.pipeline.usual_s, [hazard.threshold for hazard in spec.hazards])
    detector = Detector(
        model=model,
        bank=scorer.bank,
        calibration=scorer.calibration,
        stillness=StaticSceneCheck(settings.pipeline.still_level, settings.pipeline.still_s),
        baseline=baseline,
    )
    return DetectorBundle(
        model=model,
        detector=detector,
        thresholds=thresholds,
        picture_hazards=core_spec(settings, hazards, single, model.geometry).hazards,
        spec=spec,
        baseline=baseline,
        outdated=replace(scorer.outdated, heads=has_unused_heads(settings, model)),
        note=scorer.note,
        turned_down=turned_down_models(settings),
    )
