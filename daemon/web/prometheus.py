"""The daemon's metrics in the text format of Prometheus."""

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
    "frames_captured": "Frames read from the camera",
    "frames_assessed": "Frames assessed for hazards",
    "frames_skipped": "Frames dropped because they came faster than they could be assessed",
    "frames_passed_over": "Frames never decoded because a newer one had come",
    "frames_left_out": "Frames not assessed because of the detector's budget",
    "vlm_calls": "Calls of the describing model",
    "vlm_calls_saved": "Assessed frames without a call of the describing model",
    "utterances_spoken": "Utterances played",
    "frame_age_seconds": "Time from a frame's capture to the end of its assessment",
    "encode_seconds": "Time to encode one frame",
    "decide_seconds": "Time to decide about one frame",
    "synthesise_seconds": "Time to synthesise one utterance",
    "first_sample_seconds": "Time from an alert to its first audio sample",
    "capture_wait_seconds": "Time from a frame's capture until the detector started on it",
}


class _WebCollector(Collector):
    def __init__(
        self, metrics: Mapping[str, Any] | None, web: Mapping[str, float], answers: Mapping[int, int]
    ):
        self._metrics = metrics
        self._web = web
        self._answers = answers

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            f"{PREFIX}_up",
            "1 if the daemon answers",
            value=float(self._metrics is not None),
        )
        yield from self._web_metrics()
        if self._metrics is not None:
            yield from _daemon_metrics(self._metrics)

    def _web_metrics(self) -> Iterator[Metric]:
        for name, value in self._web.items():
            yield GaugeMetricFamily(f"{PREFIX}_web_{name}", f"Open streams: {name}", value=value)
        answers = CounterMetricFamily(f"{PREFIX}_web_answers", "HTTP responses by status", labels=["status"])
        for status, count in sorted(self._answers.items()):
            answers.add_metric([str(status)], count)
        yield answers


def exposition(
    metrics: Mapping[str, Any] | None, web: Mapping[str, float], answers: Mapping[int, int]
) -> bytes:
    """`metrics`: the daemon's reply to `metrics`, None if it does not answer. Returns the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_WebCollector(metrics, web, answers))
    return bytes(generate_latest(registry))


def _daemon_metrics(metrics: Mapping[str, Any]) -> Iterator[Metric]:
    for name, value in metrics.get("counters", {}).items():
        yield CounterMetricFamily(f"{PREFIX}_{name}", _help(name), value=value)
    for name, value in metrics.get("gauges", {}).items():
        if isinstance(value, int | float):
            yield GaugeMetricFamily(f"{PREFIX}_{name}", _help(name), value=value)
    for name, histogram in metrics.get("histograms", {}).items():
        yield _histogram(name, histogram)
    by_hazard = CounterMetricFamily(f"{PREFIX}_hazard_alerts", "Alerts by hazard", labels=["hazard"])
    for hazard, count in metrics.get("alerts_by_hazard", {}).items():
        by_hazard.add_metric([hazard], count)
    yield by_hazard
    drops = CounterMetricFamily(
        f"{PREFIX}_dropped", "Items dropped by a bounded queue", labels=["place", "policy"]
    )
    for drop in metrics.get("drops", []):
        drops.add_metric([drop["place"], drop["policy"]], drop["count"])
    yield drops
    components = GaugeMetricFamily(
        f"{PREFIX}_component_ok", "1 if the component works", labels=["component", "reason"]
    )
    for component, state in metrics.get("components", {}).items():
        components.add_metric([component, str(state["reason"])], float(bool(state["ok"])))
    yield components


def _histogram(name: str, histogram: Mapping[str, Any]) -> Metric:
    buckets = [
        (f"{float(le):g}", float(count)) for le, count in histogram["buckets"] if float(le) != float("inf")
    ]
    family = HistogramMetricFamily(f"{PREFIX}_{name}", _help(name))
    family.add_metric([], [*buckets, ("+Inf", float(histogram["count"]))], histogram["sum"])
    return family


def _help(name: str) -> str:
    return HELP.get(name, name.replace("_", " ").capitalize())
