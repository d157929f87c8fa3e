"""A changed configuration: what is applied now, and what needs a restart."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.config import settings
from daemon.config.reload_plan import ReloadPlan, merged, plan


def loaded(**values: Any) -> settings.Settings:
    return settings.load(None, {"HOME": "/nowhere"}, values).settings


def test_nothing_changed_nothing_to_do() -> None:
    assert plan(loaded(), loaded()) == ReloadPlan(live=(), restart=())


@pytest.mark.parametrize(
    ("key", "value", "live"),
    [
        ("watch.cooldown_s", 20.0, True),
        ("speech.rate_wpm", 300, True),
        ("hazards.fire.threshold", 0.9, True),
        ("health.quiet_s", 20.0, True),
        ("health.late_s", 2.0, True),
        ("hazards.fire.severity", "notice", True),
        ("hazards.fire.enabled", False, True),
        ("hazards.fire.prompts", ["fire"], True),
        ("capture.source", "demo", False),
        ("speech.language", "ko", False),
        ("pipeline.model", "starter", False),
    ],
)
def test_each_setting_is_applied_or_named(key: str, value: object, live: bool) -> None:
    found = plan(loaded(), loaded(**{key: value}))
    assert (found.live, found.restart) == (((key,), ()) if live else ((), (key,)))


def test_what_can_be_applied_is_and_the_rest_stays() -> None:
    old, new = loaded(), loaded(**{"speech.rate_wpm": 300, "capture.source": "demo"})
    result = merged(old, new, plan(old, new))
    assert result.speech.rate_wpm == 300
    assert result.capture.source == old.capture.source


def test_a_hazard_comes_and_goes_as_a_whole_without_a_restart() -> None:
    old, new = loaded(), loaded(**{"hazards.ice.prompts": ["ice on a path"], "capture.source": "demo"})
    coming = plan(old, new)
    assert coming.voice
    assert coming.restart == ("capture.source",)
    with_ice = merged(old, new, coming)
    assert with_ice.hazards["ice"] == new.hazards["ice"]
    going = plan(with_ice, old)
    assert going.restart == ()
    assert merged(with_ice, old, going) == old
    part = coming.only(["hazards.ice.prompts"])
    assert merged(old, new, part).hazards["ice"] == new.hazards["ice"]


def test_a_change_of_sound_asks_for_new_phrases() -> None:
    assert plan(loaded(), loaded(**{"hazards.fire.say_en": "Fire!"})).voice
    assert not plan(loaded(), loaded(**{"watch.cooldown_s": 1.0})).voice
