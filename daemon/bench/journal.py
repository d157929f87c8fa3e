"""Measures a journal of a hundred thousand events: the time of its queries, and the rate of writing."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from daemon.bench.harness import Figure, at_most
from daemon.config.settings import Settings
from daemon.control.commands import JournalCommand
from daemon.explain.sources import why
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from daemon.journal.rows import JournalRow
from daemon.journal.store import JournalStore

EVENTS = 100_000
BATCH = 100
ASKED = 20
"""Questions of each kind a sample."""
BEGAN_S = 1_700_000_000.0
SPACING_S = 7.0
SOON = at_most(50.0)
HAZARDS = ("fire", "smoke", "knife", "vehicle", "two_wheeler", "train", "stairs", "hole", "dog")


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """Questions as the page and the command line ask them, each with a connection of its own."""
    del settings
    with tempfile.TemporaryDirectory(prefix="ww") as folder:
        places = JournalPaths(Path(folder) / "journal")
        rates = filled(places, EVENTS)
        yield Figure.median("journal.events_per_s", rates, "1/s", note=f"in transactions of {BATCH}")
        size_mb = sum(f.stat().st_size for f in places.folder.iterdir()) / 1e6
        yield Figure("journal.database_mb", size_mb, "MB", note=f"{EVENTS} events, no pictures")
        for name, question in questions(places).items():
            # The number seeds each question: every run asks for the same rows.
            times = [_timed_ms(question, number) for number in range(ASKED * max(1, samples // 3))]
            yield Figure.median(f"journal.{name}_ms_p50", times, "ms")
            yield Figure.p95(f"journal.{name}_ms_p95", times, "ms", SOON)


def questions(places: JournalPaths) -> dict[str, Callable[[random.Random], object]]:
    """By name; each is asked about another place of the journal every time."""

    def ask(wanted: Callable[[random.Random], JournalCommand]) -> Callable[[random.Random], object]:
        def question(dice: random.Random) -> object:
            with reading(places) as reader:
                return reader.page(wanted(dice))

        return question

    def story(dice: random.Random) -> object:
        return why(places, lambda: None, f"#{dice.randrange(1, EVENTS)}")

    def at(dice: random.Random) -> float:
        return BEGAN_S + dice.random() * EVENTS * SPACING_S

    return {
        "newest": ask(lambda _: JournalCommand()),
        "page": ask(lambda dice: JournalCommand(before=dice.randrange(1000, EVENTS))),
        "kinds": ask(
            lambda dice: JournalCommand(kinds=("health", "alert"), before=dice.randrange(1000, EVENTS))
        ),
        "hazard": ask(
            lambda dice: JournalCommand(hazard=dice.choice(HAZARDS), before=dice.randrange(1000, EVENTS))
        ),
        "rare": ask(
            lambda dice: JournalCommand(hazard="rare", kinds=("alert",), before=dice.randrange(1000, EVENTS))
        ),
        "hour": ask(lambda dice: (lambda t: JournalCommand(since=t, until=t + 3600))(at(dice))),
        "since": ask(lambda dice: JournalCommand(since=at(dice), kinds=("alert",), hazard="rare")),
        "why": story,
    }


def filled(places: JournalPaths, events: int, batch: int = BATCH) -> list[float]:
    """Write so many events. Return the events a second of each batch."""
    places.prepare()
    store = JournalStore(places, "bench", BEGAN_S, {})
    # A fixed seed: the same database in every run.
    rates, dice = [], random.Random(7)  # noqa: S311 - no secret
    try:
        for first in range(0, events, batch):
            notes = [note(number, dice) for number in range(first, first + batch)]
            began_s = time.perf_counter()
            store.write(notes)
            rates.append(batch / (time.perf_counter() - began_s))
    finally:
        store.close()
    return rates


def note(number: int, dice: random.Random) -> JournalRow:
    """Events as a day brings them: an alert, its view, its words, the description and its words, the end."""
    story, part = divmod(number, 6)
    # A hazard in one of 5000 stories: the worst case for a filter.
    hazard = "rare" if story % 5000 == 0 else HAZARDS[story % len(HAZARDS)]
    at_s = number * SPACING_S
    kind, id, cause, fields = (
        ("alert", f"a{story}", None, {"severity": "warning", "direction": "left", "probability": 0.8123}),
        ("scene", f"s{story}", f"a{story}", {"trigger": "danger"}),
        (
            "speak",
            f"u{story}",
            f"a{story}",
            {"text": f"Watch out! {hazard} on your left.", "priority": "danger"},
        ),
        ("describe", f"d{story}", f"s{story}", {"text": "I see a street with cars.", "model": "tags"}),
        ("unspoken", f"v{story}", f"d{story}", {"text": "I see a street.", "reason": "superseded"}),
        (
            "health",
            f"h{story}",
            None,
            {"component": "picture", "reason": "dark", "detail": "", "state": "failing"},
        ),
    )[part]
    if kind in ("alert", "scene"):
        fields = {**fields, "hazard": hazard}
    event = {
        "v": 1,
        "id": id,
        "cause": cause,
        "t": at_s,
        "frame": number,
        "kind": kind,
        "language": "en",
        **fields,
    }
    event |= {"escalated": False, "again": False} if kind == "alert" else {}
    by_name = {name: round(dice.random(), 4) for name in (*HAZARDS, "rare")}
    evidence = {
        "probabilities": by_name,
        "smoothed": by_name,
        "voted_s": by_name,
        "thresholds": dict.fromkeys(by_name, 0.5),
        "vote_s": 0.35,
        "vote_window_s": 0.6,
    }
    return JournalRow(BEGAN_S + at_s, event, evidence if kind == "alert" else None)


def _timed_ms(question: Callable[[random.Random], object], number: int) -> float:
    dice = random.Random(number)  # noqa: S311 - no secret
    began_s = time.perf_counter()
    question(dice)
    return (time.perf_counter() - began_s) * 1000
