"""Lines from labelled pictures: which hazards can be fitted, and what the lines are worth."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.calibration.fit_labelled import (
    LEAST_HARMLESS,
    LEAST_SHOWN,
    Example,
    fit,
    fit_with_quality,
    is_negative,
)
from pipeline.hazards import Hazard, builtin, from_settings
from pipeline.settings import HazardSettings

FIRE = next(
    h for h in from_settings({n: HazardSettings(**t) for n, t in builtin().items()}) if h.name == "fire"
)
(SCOOTER,) = from_settings({"scooter": HazardSettings(prompts=("an electric scooter",))})


def pictures(label: str, count: int, level: float, sources: int = 0, seed: int = 0) -> list[Example]:
    random = np.random.default_rng(seed)
    return [
        Example(
            frozenset([label]),
            f"{label} {i % (sources or count)}",
            clip=False,
            scores=np.array([level + random.normal(0, 0.5)]),
        )
        for i in range(count)
    ]


def test_what_is_told_apart_is_fitted_with_what_it_is_worth() -> None:
    found = fit_with_quality(0, FIRE, [*pictures("fire", 9, 3.0, 3), *pictures("safe", 30, -5.0, seed=1)])
    assert found.measured is not None
    assert (found.measured.pictures, found.measured.sources, found.measured.harmless) == (9, 3, 30)
    assert (found.measured.recall, found.measured.false_alarms, found.measured.auc) == (1, 0, 1)
    assert found.measured.log_loss is not None and found.measured.log_loss < 0.1
    assert -5 < -found.offset / found.slope < 3
    assert "from 3 sources" in found.provenance


def test_what_is_not_told_apart_is_seen_to_be_worth_nothing() -> None:
    same = [*pictures("fire", 40, -3.0), *pictures("safe", 40, -3.0, seed=1)]
    worth = fit_with_quality(0, FIRE, same).measured
    assert worth is not None and worth.auc is not None
    assert 0.3 < worth.auc < 0.7
    assert worth.recall < 0.2


@pytest.mark.parametrize(
    ("shown", "sources", "without", "said"),
    [
        (9, LEAST_SHOWN - 1, 30, "photographs of it from 2 sources, at least 3 are needed"),
        (0, 1, 30, "photographs of it from 0 sources"),
        (9, 3, LEAST_HARMLESS - 1, "pictures without it from 7 sources, at least 8 are needed"),
    ],
)
def test_too_few_sources_are_refused_with_the_reason(
    shown: int, sources: int, without: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        fit_with_quality(0, FIRE, [*pictures("fire", shown, 3.0, sources), *pictures("safe", without, -5.0)])


def test_scores_without_any_spread_are_refused() -> None:
    flat = [Example(frozenset(["safe"]), str(i), clip=False, scores=np.zeros(1)) for i in range(20)]
    with pytest.raises(ValueError, match="different scores"):
        fit_with_quality(0, FIRE, [*pictures("fire", 9, 3.0), *flat])


def test_pictures_of_what_looks_alike_are_no_evidence_against_it() -> None:
    smoke, dog, safe, ignored = (
        Example(frozenset([label]), label, clip=True, scores=np.zeros(1))
        for label in ("smoke", "dog", "safe", "ignore")
    )
    assert [is_negative(e, "fire") for e in (smoke, dog, safe, ignored)] == [False, True, True, False]


def test_against_a_hazard_of_one_s_own_only_safe_pictures_speak() -> None:
    """Its own pictures least of all."""
    others = [*pictures("scooter", 9, 3.0, 3), *pictures("two_wheeler", 9, 2.0)]
    assert not any(is_negative(example, "scooter") for example in others)
    with_others = fit("scooter", 0, SCOOTER, [*others, *pictures("safe", 20, -5.0)])
    without = fit("scooter", 0, SCOOTER, [*pictures("scooter", 9, 3.0, 3), *pictures("safe", 20, -5.0)])
    assert with_others == without


def test_without_safe_pictures_those_of_other_hazards_do() -> None:
    examples = [*pictures("fire", 6, 3.0), *pictures("dog", 10, -5.0, seed=2)]
    found = fit_with_quality(0, FIRE, examples).measured
    assert found is not None and found.recall == 1


def test_the_hazard_decides_how_far_out_the_line_lies() -> None:
    notice = Hazard("fire", type(FIRE.severity)(min(FIRE.severity.__class__)), FIRE.prompts, None, FIRE.say)
    examples = [*pictures("fire", 9, 0.0), *pictures("safe", 30, -1.5, seed=3)]
    strict, cautious = (fit("fire", 0, one, examples) for one in (notice, FIRE))
    assert -strict.offset / strict.slope >= -cautious.offset / cautious.slope
