"""A plan in the overrides: written, replaced, taken back; other overrides stay."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.overrides import Drop, keep
from daemon.config.settings import Loaded, load
from daemon.errors import CommandError, ConfigError
from daemon.tune import written
from daemon.tune.proposals import Message, PlannedSetting


def loaded(home: Path, **env: str) -> Loaded:
    return load(None, {"HOME": str(home), **env}, {})


def planned(**values: str | float) -> list[PlannedSetting]:
    return [PlannedSetting(key.replace("__", "."), value, Message("")) for key, value in values.items()]


def stored(found: Loaded) -> object:
    return tomllib.loads(found.overrides.read_text()) if found.overrides.exists() else {}


def test_only_what_differs_is_written_and_undo_removes_it(tmp_path: Path) -> None:
    before = loaded(tmp_path)
    weak = written.write(before, planned(pipeline__device="GPU", pipeline__threads=0, pipeline__max_fps=12.0))
    assert weak == ()
    assert stored(before) == {"pipeline": {"device": "GPU", "max_fps": 12.0}}
    assert loaded(tmp_path).settings.pipeline.device == "GPU"
    done = written.undo(before.overrides)
    assert (done.restored, done.kept) == (("pipeline.device", "pipeline.max_fps"), ())
    assert stored(before) == {}
    assert loaded(tmp_path).settings == before.settings
    with pytest.raises(CommandError, match="nothing that could be taken back"):
        written.undo(before.overrides)


def test_undo_brings_back_an_override_of_the_users_and_leaves_the_others(tmp_path: Path) -> None:
    first = loaded(tmp_path)
    keep(first.overrides, {"pipeline.device": "NPU,CPU", "speech.rate_wpm": 210})
    written.write(loaded(tmp_path), planned(pipeline__device="GPU"))
    written.undo(first.overrides)
    assert stored(first) == {"pipeline": {"device": "NPU,CPU"}, "speech": {"rate_wpm": 210}}


def test_a_second_plan_replaces_the_first_and_undo_goes_back_before_both(tmp_path: Path) -> None:
    first = loaded(tmp_path)
    keep(first.overrides, {"pipeline.threads": 3})
    written.write(loaded(tmp_path), planned(pipeline__device="GPU", pipeline__threads=1))
    # Measured without the first plan, the second leaves the device as it was.
    assert written.untuned(loaded(tmp_path)).settings.pipeline.device == "CPU"
    assert written.untuned(loaded(tmp_path)).settings.pipeline.threads == 3
    written.write(loaded(tmp_path), planned(pipeline__device="CPU", pipeline__threads=2))
    assert stored(first) == {"pipeline": {"threads": 2}}
    written.undo(first.overrides)
    assert stored(first) == {"pipeline": {"threads": 3}}


def test_what_was_changed_since_is_left_alone(tmp_path: Path) -> None:
    first = loaded(tmp_path)
    written.write(first, planned(pipeline__device="GPU", pipeline__threads=1))
    keep(first.overrides, {"pipeline.device": "NPU", "pipeline.threads": Drop.IT})
    done = written.undo(first.overrides)
    assert (done.restored, done.kept) == ((), ("pipeline.device", "pipeline.threads"))
    assert stored(first) == {"pipeline": {"device": "NPU"}}


def test_a_stronger_layer_is_named(tmp_path: Path) -> None:
    found = loaded(tmp_path, WATCHWORD_PIPELINE__DEVICE="NPU")
    (place,) = written.write(found, planned(pipeline__device="GPU", pipeline__threads=2))
    assert place == "pipeline.device: environment WATCHWORD_PIPELINE__DEVICE"


def test_a_plan_that_does_not_hold_changes_nothing(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    with pytest.raises(ConfigError):
        written.write(found, planned(pipeline__threads=1000))
    assert not found.overrides.exists()
    assert not written.record_path(found.overrides).exists()


def test_a_damaged_record_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    written.write(found, planned(pipeline__device="GPU"))
    written.record_path(found.overrides).write_text("{")
    with pytest.raises(CommandError, match="config reset"):
        written.undo(found.overrides)


values = st.fixed_dictionaries(
    {},
    optional={
        "pipeline__device": st.sampled_from(["CPU", "GPU", "NPU"]),
        "pipeline__threads": st.integers(0, 4),
        "pipeline__max_fps": st.sampled_from(["auto", 12.0]),
        "describe__backend": st.sampled_from(["auto", "tags"]),
    },
)


@given(st.lists(values, min_size=1, max_size=4), values)
def test_undo_restores_the_overrides_from_before_any_number_of_plans(
    tmp_path_factory: pytest.TempPathFactory, plans: list[dict[str, str | float]], own: dict[str, str | float]
) -> None:
    home = tmp_path_factory.mktemp("home")
    keep(loaded(home).overrides, {key.replace("__", "."): value for key, value in own.items()})
    before = stored(loaded(home))
    for plan in plans:
        written.write(loaded(home), planned(**plan))
        assert not written.changes(planned(**plan), loaded(home).settings)
    written.undo(loaded(home).overrides)
    assert stored(loaded(home)) == before
