"""Rows of describers: a tiny real model, and settings without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config.settings import Settings, defaults
from daemon.tune.describers import device_of, find_describer, measure_describers
from tests.pipeline.description.vlm.made import LONGEST_S, tiny


def settings(home: Path, **describe: object) -> Settings:
    base = defaults({"HOME": str(home)})
    return base.model_copy(update={"describe": base.describe.model_copy(update=describe)})


@pytest.mark.parametrize(
    ("describe", "why"),
    [
        ({"backend": "tags"}, 'describe.backend = "tags"'),
        ({"backend": "off"}, 'describe.backend = "off"'),
        ({"backend": "openai", "server_url": "http://127.0.0.1:1/v1", "model": "m"}, "a server describes"),
        ({}, "no model is in the store that fits into memory and is fast enough"),
        ({"model": "qwen3-vl-2b"}, "models pull qwen3-vl-2b"),
    ],
)
def test_without_a_describer_the_reason_is_told(
    tmp_path: Path, describe: dict[str, object], why: str
) -> None:
    wanted = settings(tmp_path, **describe)
    found = find_describer(wanted, ("CPU",))
    assert found.choice is None
    assert why in found.why_not
    assert list(measure_describers(wanted, found, lambda _: None)) == []


@pytest.mark.parametrize(
    ("ready", "device", "why"),
    [
        ("m on CPU", "CPU", ""),
        ("m on GPU.1", "GPU.1", ""),
        ("m on CPU (not used: GPU: no words in '!!!!')", "CPU", "GPU: no words in '!!!!'"),
        (
            "m on CPU (not used: GPU: says 'x (y)' where the CPU says 'z')",
            "CPU",
            "GPU: says 'x (y)' where the CPU says 'z'",
        ),
    ],
)
def test_the_status_tells_the_device_and_why_another_is_not_used(ready: str, device: str, why: str) -> None:
    assert device_of(ready, "m") == (device, why)


@pytest.mark.slow
@pytest.mark.prepare
@pytest.mark.timeout(LONGEST_S + 300)
def test_a_real_model_is_measured_and_a_device_that_is_not_there_costs_its_row(tmp_path: Path) -> None:
    folder = str(tiny("llava") / "openvino")
    # A deadline that no model keeps: the smaller picture is tried as well.
    wanted = settings(tmp_path, model=folder, image_side=112, max_tokens=20, deadline_s=1e-6)
    steps: list[str] = []
    rows = list(measure_describers(wanted, find_describer(wanted, ("CPU", "NPU")), steps.append))
    assert [(row.device, row.image_side, bool(row.refused)) for row in rows] == [
        ("CPU", 112, False),
        ("CPU", 56, False),
        ("NPU", 112, True),
    ]
    large = rows[0]
    assert large.load_s > 0 and large.memory_mb > 0 and large.tokens_per_s > 0
    assert 0 < large.first_token_s <= large.first_sentence_s
    assert "NPU" in rows[2].refused
    assert [step.endswith("smaller picture") for step in steps] == [False, True, False]
