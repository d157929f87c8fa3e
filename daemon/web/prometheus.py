"""The daemon's metrics in the text format of Prometheus."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
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
    "alerts": "Alerts raised",
    "scenes": "Changes of the view that were to be described",
    "descriptions_asked": "Descriptions that were asked for",
    "descriptions": "Descriptions that were written",
    "vlm_calls": "Calls of the describing model",
    "vlm_calls_saved": "Assessed frames without a call of the describing model",
    "utterances_spoken": "Utterances played",
    "false_alarms": "Alerts that the wearer called wrong",
    "synthesis_failures": "Sentences for which the voice failed",
    "loudspeaker_losses": "Times the loudspeaker was lost",
    "underruns": "Times the loudspeaker ran out of samples",
    "frame_age_seconds": "Time from a frame's capture to the end of its assessment",
    "encode_seconds": "Time to encode one frame",
    "decide_seconds": "Time to decide about one frame",
    "synthesise_seconds": "Time to synthesise one utterance",
    "first_sample_seconds": "Time from an alert to its first audio sample",
    "capture_wait_seconds": "Time from a frame's capture until the detector started on it",
}
"""Help of the daemon's counters and histograms, by the daemon's names."""
GAUGES: Mapping[str, tuple[str, str]] = {
    "fps": ("frames_per_second", "Frames assessed a second, at present"),
    "uptime_s": ("uptime_seconds", "Time since the daemon's start"),
    "muted_s": ("muted_seconds", "Time for which all but danger is silent"),
    "danger_muted_s": ("danger_muted_seconds", "Time for which danger is silent too"),
    "rss_bytes": ("resident_memory_bytes", "Memory of the daemon's process, without its children"),
    "journal_waiting": ("journal_waiting_rows", "Events that wait to be written to the journal"),
}
"""Names and help of the daemon's gauges by its own names: units are spelt out, as Prometheus wants it
(https://prometheus.io/docs/practices/naming/)."""


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
        build = {"version": version("watchword"), "python_version": platform.python_version()}
        yield InfoMetricFamily(f"{PREFIX}_build", "Version of the web interface and of its Python", build)
        for name, value in self._web.items():
            yield GaugeMetricFamily(f"{PREFIX}_web_{name}", f"Open streams to {name}", value=value)
        answers = CounterMetricFamily(f"{PREFIX}_web_answers", "HTTP responses by status", labels=["status"])
        for status, count in sorted(self._answers.items()):
            answers.add_metric([str(status)], count)
        yield answers


def exposition(
    metrics: Mapping[str, Any] | None, web: Mapping[str, float], answers: Mapping[int, int]
) -> bytes:
    """`metrics`: the daemon's reply to `metrics`, None if it does not answer. Returns the text format."""
    # A registry for each request: the process's own metrics do not belong here.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_WebCollector(metrics, web, answers))
    return bytes(generate_latest(registry))


def _daemon_metrics(metrics: Mapping[str, Any]) -> Iterator[Metric]:
    for name, value in metrics.get("counters", {}).items():
        yield CounterMetricFamily(f"{PREFIX}_{name}", _help(name), value=value)
    for name, value in metrics.get("gauges", {}).items():
        # A gauge without a value is null in JSON.
        if isinstance(value, int | float):
            public, meaning = GAUGES.get(name, (name, _help(name)))
            yield GaugeMetricFamily(f"{PREFIX}_{public}", meaning, value=value)
    for name, histogram in metrics.get("histograms", {}).items():
        yield _histogram(name, histogram)
    by_hazard = CounterMetricFamily(f"{PREFIX}_hazard_alerts", "Alerts by hazard", labels=["hazard"])
    for hazard, count in metrics.get("alerts_by_hazard", {}).items():
        by_hazard.add_metric([hazard], count)
    yield by_hazard
    by_kind = CounterMetricFamily(f"{PREFIX}_events", "Events by kind", labels=["kind"])
    for kind, count in metrics.get("events_by_kind", {}).items():
        by_kind.add_metric([kind], count)
    yield by_kind
    drops = CounterMetricFamily(
        f"{PREFIX}_dropped", "Items dropped by a bounded queue", labels=["place", "policy"]
    )
    for drop in metrics.get("drops", []):
        drops.add_metric([drop["place"], drop["policy"]], drop["count"])
    yield drops
    yield from _components(metrics.get("components", {}))


def _components(components: Mapping[str, Any]) -> Iterator[Metric]:
    # The reason is no label of the first: a component would begin a new series whenever its reason changes.
    works = GaugeMetricFamily(f"{PREFIX}_component_ok", "1 if the component works", labels=["component"])
    reasons = GaugeMetricFamily(
        f"{PREFIX}_component_reason",
        "1 for the reason of a component's state",
        labels=["component", "reason"],
    )
    for component, state in components.items():
        works.add_metric([component], float(bool(state["ok"])))
        reasons.add_metric([component, str(state["reason"])], 1.0)
    yield works
    yield reasons


def _histogram(name: str, histogram: Mapping[str, Any]) -> Metric:
    buckets = [
        # The library wants the last bucket as "+Inf", and its count equals the total.
        (f"{float(le):g}", float(count))
        for le, count in histogram["buckets"]
        if float(le) != float("inf")
    ]
    family = HistogramMetricFamily(f"{PREFIX}_{name}", _help(name))
    family.add_metric([], [*buckets, ("+Inf", float(histogram["count"]))], histogram["sum"])
    return family


def _help(name: str) -> str:
    return HELP.get(name, name.replace("_", " ").capitalize())
