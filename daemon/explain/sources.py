"""`why` over the journal and the black box of the last minute.

Event ids begin anew with each run of the daemon, so an id is searched for in one run only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daemon.core.black_box import Recording
from daemon.errors import CommandError
from daemon.explain.explain import Memory, RecordingMemory, explain, explain_recording
from daemon.explain.scores import alerts_of, explain_silence
from daemon.explain.words import ExplanationWords
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import JournalReader, reading

Fields = Mapping[str, Any]

# At most 15 digits: sqlite3 raises OverflowError for integers beyond 64 bits.
ROW = re.compile(r"#(\d{1,15})")
ID = re.compile(r"[a-z]\d+")


class JournalMemory:
    """One run in the journal as a memory."""

    def __init__(self, reader: JournalReader, run: str) -> None:
        self._reader = reader
        self._run = run

    def find(self, id: str) -> Fields | None:
        return self._reader.find(self._run, id)

    def effects_of(self, id: str) -> Sequence[Fields]:
        return self._reader.effects_of(self._run, id)

    def evidence(self, alert: Fields) -> Fields | None:
        return self._reader.evidence(alert["row"])


class CombinedMemory:
    """One run: its rows in the journal, and events that only its black box holds."""

    def __init__(self, kept: Memory, last_minute: RecordingMemory) -> None:
        self._kept = kept
        self._last_minute = last_minute

    def find(self, id: str) -> Fields | None:
        return self._kept.find(id) or self._last_minute.find(id)

    def effects_of(self, id: str) -> Sequence[Fields]:
        # The journal's events second, so that they win: only they have the wall clock's time.
        events = (*self._last_minute.effects_of(id), *self._kept.effects_of(id))
        return sorted({event["id"]: event for event in events}.values(), key=lambda event: float(event["t"]))

    def evidence(self, alert: Fields) -> Fields | None:
        kept = self._kept.evidence(alert) if "row" in alert else None
        return kept or self._last_minute.evidence(alert)


def why(
    paths: JournalPaths,
    snapshot: Callable[[], Recording | None],
    wanted: str | None,
    run: str | None = None,
    language: str = "en",
) -> Mapping[str, Any]:
    """The reply to `why`: of an id (`a12`), a row (`#7`), a hazard, or the last thing said.

    `snapshot` gives the black box, None if there is none. `run` is that of the running daemon: anything
    but a row is searched for in that run alone, first in its black box. If it is None, the newest run in the
    journal that has the event is used. Raises CommandError.
    """
    words = ExplanationWords(language)
    if wanted is not None and ROW.fullmatch(wanted):
        # A row number is unique over all runs, so neither the run nor the black box matters.
        with reading(paths) as reader:
            at = reader.event_at(int(wanted[1:]))
            return explain(JournalMemory(reader, at["run"]), at, words)
    if run is not None:
        return _from_run(paths, _recording(snapshot, wanted or "the last thing said"), wanted, run, words)
    # A hazard's name: its scores are in the black box only.
    if wanted is not None and not ID.fullmatch(wanted):
        return _from_recording(_recording(snapshot, wanted), wanted, words)
    try:
        with reading(paths) as reader:
            if (event := event_of(reader, wanted)) is not None:
                return explain(JournalMemory(reader, event["run"]), event, words)
    except CommandError as error:
        # Without a readable journal the black box may still know the answer.
        if error.code != "unavailable":
            raise
    recording = snapshot()
    if recording is None:
        raise CommandError(f"{wanted or 'the last thing said'}: not in the journal", "unknown")
    return _from_recording(recording, wanted, words)


def event_of(reader: JournalReader, wanted: str | None) -> Fields | None:
    """Find an event of the newest run: by row, by id, or the last utterance.

    Raises CommandError for no such row.
    """
    if wanted is None:
        return reader.last_said()
    row = ROW.fullmatch(wanted)
    return reader.event_at(int(row[1])) if row else reader.newest(wanted)


def _from_run(
    paths: JournalPaths, recording: Recording, wanted: str | None, run: str, words: ExplanationWords
) -> Mapping[str, Any]:
    """The black box's events together with the journal's of the same run, if it can be read."""
    last_minute = RecordingMemory(recording)
    event = _event_in_recording(recording, last_minute, wanted)
    # A hazard without an alert in the last minute: its scores explain why.
    if event is None and wanted is not None and not ID.fullmatch(wanted):
        return _explain_no_alert(recording, wanted, words)
    try:
        with reading(paths) as reader:
            memory = CombinedMemory(JournalMemory(reader, run), last_minute)
            # The last utterance can be older than the black box.
            known = reader.last_said(run) if event is None and wanted is None else None
            id = event["id"] if event else known["id"] if known else wanted
            if id is not None and (found := memory.find(id)) is not None:
                return explain(memory, found, words)
    except CommandError as error:
        if error.code != "unavailable":
            raise
    if event is not None:
        return explain(last_minute, event, words)
    if wanted is None:
        raise CommandError("nothing has been said in this run, as far as it is remembered", "unknown")
    raise CommandError(
        f"{wanted}: not in the last minute, nor in the journal of this run; "
        "`watchword journal` shows older events: ask for one by its number, #ROW",
        "unknown",
    )


def _from_recording(recording: Recording, wanted: str | None, words: ExplanationWords) -> Mapping[str, Any]:
    """Explain from a black box alone. Raises CommandError (unknown)."""
    if wanted is None or ID.fullmatch(wanted):
        return explain_recording(recording, wanted, words)
    memory = RecordingMemory(recording)
    event = _event_in_recording(recording, memory, wanted)
    if event is None:
        return _explain_no_alert(recording, wanted, words)
    return explain(memory, event, words)


def _event_in_recording(recording: Recording, memory: RecordingMemory, wanted: str | None) -> Fields | None:
    """Find an event by its id, by a hazard (its last alert), or by nothing (the last utterance)."""
    if wanted is None:
        return memory.last_said
    if ID.fullmatch(wanted):
        return memory.find(wanted)
    alerts = alerts_of(recording, wanted)
    return memory.find(alerts[-1]) if alerts else None


def _recording(snapshot: Callable[[], Recording | None], what: str) -> Recording:
    recording = snapshot()
    if recording is None:
        raise CommandError(f"{what}: neither a daemon nor a black box remembers", "unavailable")
    return recording


def _explain_no_alert(recording: Recording, hazard: str, words: ExplanationWords) -> Mapping[str, Any]:
    """The reply about a hazard without an alert. Raises CommandError (unknown)."""
    sentences = explain_silence(recording, hazard, words)
    steps = [{"hazard": hazard, "text": sentence} for sentence in sentences]
    return {
        "text": words.say("about", hazard=words.hazard(hazard), text=" ".join(sentences)),
        "steps": steps,
    }
