"""The result of an evaluation in one sentence each for pictures and clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def picture_headline(report: Mapping[str, Any]) -> str:
    """How many dangers were found, at which share of false alarms."""
    danger, safe = report["any_hazard"], report["safe"]
    parts = []
    if danger["recall"] is not None:
        found = round(danger["recall"] * danger["pictures"])
        parts.append(
            f"Of {danger['pictures']} pictures with a danger, {found} raised an alarm "
            f"({_share(danger, 'recall')})"
        )
    if safe["false_alarm_rate"] is not None:
        false = round(safe["false_alarm_rate"] * safe["pictures"])
        parts.append(
            f"of {safe['pictures']} harmless pictures, {false} raised a false one "
            f"({_share(safe, 'false_alarm_rate')})"
        )
    return _sentence(parts)


def clip_headline(videos: Mapping[str, Any]) -> str:
    """Hazards in time, false alerts an hour, and wrong alerts."""
    parts = []
    if videos["hazards"]:
        in_time = videos["hazards"] - videos["late_or_missed"]
        parts.append(
            f"In the clips, {in_time} of {videos['hazards']} hazards were alerted within 1 s "
            f"({_share(videos, 'in_time')})"
        )
    if videos["safe_hours"]:
        low, high = videos["false_alerts_per_hour_ci"]
        parts.append(
            f"harmless footage of {videos['safe_hours'] * 60:.1f} minutes had "
            f"{videos['false_alerts_on_safe']} false alerts, {videos['false_alerts_per_hour']:.1f} an hour "
            f"(95\u00a0% interval {low:.1f} to {high:.1f})"
        )
    if videos["alerts"]:
        parts.append(
            f"{videos['wrong_alerts']} of {videos['alerts']} alerts named a hazard that was not there "
            f"({_share(videos, 'wrong_alert_share')})"
        )
    return _sentence(parts)


def _sentence(parts: Sequence[str]) -> str:
    if not parts:
        return "Nothing here can be counted."
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def _share(part: Mapping[str, Any], key: str) -> str:
    interval = part[f"{key}_ci"]
    if interval is None:
        return f"{100 * part[key]:.0f}\u00a0%, interval unknown"
    low, high = (f"{100 * bound:.0f}" for bound in interval)
    return f"{100 * part[key]:.0f}\u00a0%, 95\u00a0% interval {low} to {high}\u00a0%"
