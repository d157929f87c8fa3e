"""What the ablation leaves out is left out, and nothing else; and its tables name every variant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from daemon.tools.maintainer.ablation import VARIANTS, head_table
from daemon.tools.maintainer.footage.alert_tables import (
    KINDS,
    AlertVariant,
    kind_of,
    main,
    rate_table,
    rule_table,
    tally_of,
    thin,
    threshold_table,
    variants,
)
from daemon.tools.maintainer.footage.score_series import LabelledSeries, write_series
from daemon.tools.maintainer.heads.features import Features
from daemon.tools.maintainer.heads.head_folds import HAZARDS
from daemon.tools.maintainer.heads.head_training import Recipe, train
from daemon.tools.maintainer.heads.training_set import ALIKE, Rows
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.models.starter.heads import CLASSES, FEATURES
from pipeline.settings import WatchSettings


def drawn(each: int = 4) -> tuple[Features, Rows]:
    """A direction of the features for each hazard and for harmless, from two folds and a locked part."""
    random = np.random.default_rng(2)
    axes = np.abs(random.normal(size=(len(HAZARDS) + 1, FEATURES)))
    kinds = np.repeat(np.arange(len(HAZARDS) + 1), 3 * each)
    parts = np.tile(np.repeat(["0", "1", "locked"], each), len(HAZARDS) + 1)
    pooled = axes[kinds] + 0.2 * np.abs(random.normal(size=(len(kinds), FEATURES)))
    shown = np.eye(len(HAZARDS) + 1, dtype=np.float32)[kinds, :-1]
    rows = Rows(
        tuple(map(str, range(len(kinds)))),
        shown,
        np.ones_like(shown),
        np.char.add("source ", parts),
        parts,
        np.arange(len(kinds)) % each > 0,
    )
    versions = [(pooled * scale).astype(np.float16) for scale in (1.0, 0.9, 1.1, 0.8)]
    return Features(versions, np.full((len(kinds), CLASSES), 1 / CLASSES, np.float32)), rows


@pytest.mark.slow
def test_every_variant_of_the_heads_is_judged() -> None:
    lines = list(head_table(*drawn()))
    assert [line.split(" | ")[0][2:] for line in lines[2:]] == [one.name for one in VARIANTS]
    figures = {line.split(" | ")[0][2:]: [float(x) for x in line[:-2].split(" | ")[1:]] for line in lines[2:]}
    assert figures["as shipped, but for one seed"][0] > 0.95
    assert figures["the classifier's classes alone, without heads"][0] == 0.5, "they say nothing here"


def test_a_linear_net_is_linear_and_footage_can_be_left_out() -> None:
    features, rows = drawn()
    net = train(features, rows, np.ones(len(rows.names), np.bool_), Recipe(hidden=0, seeds=(1,)))
    a, b = features.pooled[0][:2].astype(np.float32)
    # Of one length, so that the scaling of the features is the same for all three.
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    middle = (a + b) / np.linalg.norm(a + b)
    share = 1 / np.linalg.norm(a + b)
    (one,), (two,), (mixed,) = (net.scores(row[None]) for row in (a, b, middle))
    (nothing,) = net.scores(np.zeros((1, FEATURES), np.float32))
    assert mixed - nothing == pytest.approx(share * (one - nothing + two - nothing), rel=1e-3, abs=1e-3)
    photographs = train(features, rows, rows.photographs, Recipe(seeds=(1,)))
    without = train(features, rows, np.ones(len(rows.names), np.bool_), Recipe(seeds=(1,), footage=False))
    assert np.array_equal(photographs.output_weight, without.output_weight)


def series(stem: str, source: str, odds: float, label: str = "safe") -> LabelledSeries:
    """A picture in three speaks for a fire, the others against it."""
    times = np.arange(0, 10, 0.2)
    rows = np.full((len(times), 2), -5.0, np.float32)
    rows[::3, 0] = odds
    clip = LabelledClip(Path(f"{stem}.mp4"), (Span(label, 0, 10),), source, "moving")
    return LabelledSeries(clip, "0", ("fire", "dog"), times, rows, np.zeros((len(times), 0), np.float16))


def test_memory_is_what_keeps_single_frames_from_alerting() -> None:
    flicker = [series("a", "s", 3.0)]
    assert tally_of(flicker, AlertVariant()).false_alerts == 0
    (alone,) = (one for one in variants(0.4) if one.name.startswith("without memory"))
    assert tally_of(flicker, alone).false_alerts > 0
    steady = series("b", "s", 3.0, "fire")
    steady.log_odds[:, 0] = 3.0
    averaged = AlertVariant(memory_s=1.0, settings=WatchSettings(smoothing_s=0.0))
    assert tally_of([steady], averaged).in_time == 1
    assert tally_of(flicker, averaged).false_alerts == 0


def test_a_slow_camera_sees_fewer_frames_of_a_clip() -> None:
    clip = series("a", "s", 3.0)
    slow = thin(clip, 1)
    assert slow.times_s.tolist() == pytest.approx(list(range(10)))
    assert slow.log_odds.tolist() == clip.log_odds[::5].tolist()
    assert len(thin(clip, 25).times_s) == len(clip.times_s)
    # One picture in three speaks for a fire: every third of these is enough by itself.
    assert tally_of([replace(slow, clip=series("a", "s", 3.0, "fire").clip)], AlertVariant()).alerts > 0


def test_tables_have_a_line_for_each_variant_and_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [series("a", ALIKE[0], 3.0), series("b", "s", 3.0), series("harmless_0001", "s", 3.0)]
    assert [kind_of(one) for one in clips] == list(KINDS)
    assert len(list(rule_table(clips, 0.4))) == 2 + len(variants(0.4))
    assert len(list(threshold_table(clips, (0.5, 0.6)))) == 2 + 2 * len(KINDS)
    assert len(list(rate_table(clips, (1, 2)))) == 4
    write_series(tmp_path / "a.npz", clips[0])
    assert main([str(tmp_path)]) == 0
    assert KINDS[0] in capsys.readouterr().out
    assert main([str(tmp_path / "none")]) == 1
