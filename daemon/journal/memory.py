"""`why` over everything that is remembered: the journal, else the black box of the last minute."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daemon.blackbox import Recording
from daemon.errors import CommandError
from daemon.journal.places import Places
from daemon.journal.reader import Reader, reading
from daemon.why import remembered as of_the_last_minute
from daemon.why import story, told
from daemon.why_scores import alerts_of, silence

Fields = Mapping[str, Any]

ROW = re.compile(r"#(\d{1,15})")
ID = re.compile(r"[a-z]\d+")


class Kept:
    """One run in the journal as a memory."""

    def __init__(self, reader: Reader, run: str) -> None:
        self._reader = reader
        self._run = run

    def find(self, id: str) -> Fields | None:
        return self._reader.of_run(self._run, id)

    def led_to(self, id: str) -> Sequence[Fields]:
        return self._reader.led_to(self._run, id)

    def evidence(self, alert: Fields) -> Fields | None:
        return self._reader.evidence(alert["row"])


def why(places: Places, frozen: Callable[[], Recording | None], wanted: str | None) -> Mapping[str, Any]:
    """The reply to `why`: of an id (`a12`, newest run first), a row (`#7`), a hazard, or the last thing said.

    `frozen` gives the black box, None where there is none. Raises CommandError.
    """
    if wanted is not None and not ROW.fullmatch(wanted) and not ID.fullmatch(wanted):
        last_minute = _recording(frozen, wanted)
        alerts = alerts_of(last_minute, wanted)
        if not alerts:
            return _of_hazard(last_minute, wanted)
        wanted = alerts[-1]
    try:
        with reading(places) as reader:
            if (event := event_of(reader, wanted)) is not None:
                return told(story(Kept(reader, event["run"]), event))
    except CommandError as error:
        if error.code != "unavailable" or (wanted and ROW.fullmatch(wanted)):
            raise
    recording = frozen()
    if recording is None:
        raise CommandError(f"{wanted or 'the last thing said'}: not in the journal", "unknown")
    return of_the_last_minute(recording, wanted)


def event_of(reader: Reader, wanted: str | None) -> Fields | None:
    """The event somebody means: by row, by id, or what was said last. Raises CommandError for no such row."""
    if wanted is None:
        return reader.last_said()
    row = ROW.fullmatch(wanted)
    return reader.at(int(row[1])) if row else reader.newest(wanted)


def _recording(frozen: Callable[[], Recording | None], hazard: str) -> Recording:
    recording = frozen()
    if recording is None:
        raise CommandError(f"{hazard}: neither a daemon nor a black box remembers its scores", "unavailable")
    return recording


def _of_hazard(recording: Recording, hazard: str) -> Mapping[str, Any]:
    """Why there was no alert."""
    sentences = silence(recording, hazard)
    steps = [{"hazard": hazard, "text": sentence} for sentence in sentences]
    return {"text": f"{hazard}: {' '.join(sentences)}", "steps": steps}
