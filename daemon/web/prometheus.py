"""The daemon's figures as Prometheus wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "watchword"
HELP: Mapping[str, str] = {
    "frames_captured": "Frames that came from the camera",
    "frames_assessed": "Frames that were looked at for danger",
    "frames_skipped": "Frames that came faster than they could be looked at",
    "vlm_calls": "Times the describing model was asked",
    "vlm_calls_saved": "Frames assessed for which the describing model was not needed",
    "utterances_spoken": "Utterances that were heard",
    "frame_age_seconds": "From the frame to its assessment's end",
    "encode_seconds": "Encoding one frame",
    "decide_seconds": "Deciding about one frame",
    "synthesise_seconds": "Synthesising one utterance",
    "first_sample_seconds": "From the alert to its first sample",
    "capture_wait_seconds": "From the frame until the detector took it",
}


class _Figures(Collector):
    def __init__(
        self, figures: Mapping[str, Any] | None, web: Mapping[str, float], answers: Mapping[int, int]
    ):
        self._figures = figures
        self._web = web
        self._answers = answers

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            f"{PREFIX}_up",
            "Whether the daemon answers the web interface",
            value=float(self._figures is not None),
        )
        yield from self._own()
        if self._figures is not None:
            yield from _daemons(self._figures)

    def _own(self) -> Iterator[Metric]:
        for name, value in self._web.items():
            yield GaugeMetricFamily(f"{PREFIX}_web_{name}", f"The web interface's {name}", value=value)
        answers = CounterMetricFamily(f"{PREFIX}_web_answers", "Answers over HTTP", labels=["status"])
        for status, count in sorted(self._answers.items()):
            answers.add_metric([str(status)], count)
        yield answers


def exposition(
    figures: Mapping[str, Any] | None, web: Mapping[str, float], answers: Mapping[int, int]
) -> bytes:
    """`figures`: the daemon's reply to `metrics`, None where it is away. Text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(figures, web, answers))
    return bytes(generate_latest(registry))


def _daemons(figures: Mapping[str, Any]) -> Iterator[Metric]:
    for name, value in figures.get("counters", {}).items():
        yield CounterMetricFamily(f"{PREFIX}_{name}", _help(name), value=value)
    for name, value in figures.get("gauges", {}).items():
        if isinstance(value, int | float):
            yield GaugeMetricFamily(f"{PREFIX}_{name}", _help(name), value=value)
    for name, histogram in figures.get("histograms", {}).items():
        yield _histogram(name, histogram)
    by_hazard = CounterMetricFamily(f"{PREFIX}_hazard_alerts", "Alerts by hazard", labels=["hazard"])
    for hazard, count in figures.get("alerts_by_hazard", {}).items():
        by_hazard.add_metric([hazard], count)
    yield by_hazard
    drops = CounterMetricFamily(f"{PREFIX}_dropped", "What was given up", labels=["place", "policy"])
    for drop in figures.get("drops", []):
        drops.add_metric([drop["place"], drop["policy"]], drop["count"])
    yield drops
    components = GaugeMetricFamily(
        f"{PREFIX}_component_ok", "1 where it works", labels=["component", "reason"]
    )
    for component, state in figures.get("components", {}).items():
        components.add_metric([component, str(state["reason"])], float(bool(state["ok"])))
    yield components


def _histogram(name: str, told: Mapping[str, Any]) -> Metric:
    buckets = [(f"{float(le):g}", float(count)) for le, count in told["buckets"] if float(le) != float("inf")]
    family = HistogramMetricFamily(f"{PREFIX}_{name}", _help(name))
    family.add_metric([], [*buckets, ("+Inf", float(told["count"]))], told["sum"])
    return family


def _help(name: str) -> str:
    return HELP.get(name, name.replace("_", " ").capitalize())
