"""The table of things by name."""

from __future__ import annotations

from pipeline.description.objects import object_classes
from pipeline.hazards import builtin


def test_the_table_is_whole() -> None:
    known = object_classes()
    names = [thing.name for thing in known]
    assert len(set(names)) == len(names) > 100
    assert {thing.hazard for thing in known} - {None} == set(builtin())
    said: dict[str, str | None] = {}
    for thing in known:
        assert thing.ko
        assert thing.prompts
        for word in (thing.name, thing.ko, *thing.also):
            assert said.setdefault(word, thing.hazard) == thing.hazard, f"{word} is two hazards"
