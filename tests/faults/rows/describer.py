"""Faults of a describer's server: the wearer's question is answered all the same, dangers are said."""

from __future__ import annotations

from daemon.control.commands import AskCommand
from tests.faults.fault import Event, Fault, Row
from tests.faults.world import World

MODES = {
    "hangs": "silent", "status 500": "error", "a page": "html", "garbage": "garbage",
    "promises more than it sends": "lying", "never ends": "endless", "a letter now and then": "dripping",
    "a head now and then": "drippinghead", "a line of 1 MB": "longline", "lines without end": "oversized",
    "content that is no text": "strange", "half an answer": "halfanswer", "half of JSON": "broken",
    "half a character": "halfcharacter", "a lone surrogate": "surrogate", "escapes in its status": "escapes",
    "nested JSON": "nested", "out of memory amid the answer": "late", "no pictures": "textonly",
    "redirects": "redirect", "no such address": "nov1", "says that it is safe": "reassuring",
}  # fmt: skip


def _answered(event: Event) -> bool:
    return event["kind"] == "describe" and "safe" not in event["text"]


def _describer(name: str, mode: str) -> Fault:
    def inject(world: World) -> None:
        world.describer.mode = mode
        world.living.ask(AskCommand())

    def mend(world: World) -> None:
        world.describer.mode = "good"

    return Fault(f"describer: {name}", inject, mend, _answered, limit_s=12.0, stage="describer")


def _gone(world: World) -> None:
    world.describer.close()
    world.living.ask(AskCommand())


ROWS: tuple[Row, ...] = (
    *(_describer(name, mode) for name, mode in MODES.items()),
    Fault(
        "describer: its server gone",
        _gone,
        lambda world: world.serve_describer(),
        _answered,
        limit_s=12.0,
        stage="describer",
    ),
)
