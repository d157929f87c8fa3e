"""A short version of `bench pipeline` for every change: ratios against floors that noise does not reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from daemon.bench import pipeline
from daemon.bench.harness import Figure, Target, at_least, at_most
from daemon.config.settings import Settings
from daemon.wiring.models import load_model

FLOORS: Mapping[str, Target] = {
    "pipeline.over_raw": at_least(0.6),
    "pipeline.hazards_1000_over_10": at_most(1.5),
    "pipeline.source_4k_over_480p": at_most(2.0),
    "pipeline.still_view_work_ratio": at_most(0.4),
}
"""By name of the figure; far enough from the targets for a machine that runs other tests meanwhile."""
_SAMPLES = 5
"""At most: more would take minutes."""


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """The four ratios of `bench pipeline` that need no other program, each against its floor."""
    model, samples = load_model(settings), min(samples, _SAMPLES)
    for figure in (
        pipeline.over_raw(settings, model, samples),
        pipeline.hazards_1000_over_10(settings, model, samples),
        pipeline.source_4k_over_480p(settings, model, samples),
        pipeline.still_view_work_ratio(settings, model, samples),
    ):
        yield against_floor(figure)


def against_floor(figure: Figure) -> Figure:
    """The figure with its floor in place of its target, which the note keeps."""
    note = f"target {figure.target}" if figure.target else ""
    return replace(figure, target=FLOORS[figure.name], note=", ".join(filter(None, (note, figure.note))))
