from __future__ import annotations

import io
import json
import threading

from daemon.runtime.narrator import Narrator


def event(kind: str, text: str = "") -> str:
    return json.dumps({"kind": kind, "text": text})


def test_what_is_said_is_printed_and_nothing_else() -> None:
    stream = io.StringIO()
    with Narrator(stream) as narrator:
        narrator.take(event("alert"))
        narrator.take(event("speak", "Vehicle on your right!"))
        narrator.take(event("speak", ""))  # a sound without words
        narrator.take(event("speak", "계단"))
    assert stream.getvalue() == "says: Vehicle on your right!\nsays: 계단\n"


def test_a_terminal_that_is_held_holds_nothing_up() -> None:
    held = threading.Event()

    class Held(io.StringIO):
        def write(self, text: str) -> int:
            held.wait(10)
            return len(text)

    with Narrator(Held()) as narrator:
        for _ in range(1000):
            narrator.take(event("speak", "Fire!"))
        held.set()


def test_a_terminal_that_has_gone_is_no_matter() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    with Narrator(Gone()) as narrator:
        narrator.take(event("speak", "Fire!"))
        narrator.take(event("speak", "Fire!"))
