"""From made-up figures of CPU, GPU and NPU to a plan."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cli.korean import TEXTS
from daemon.config.settings import Settings
from daemon.runtime.frame_budget import MIN_FPS
from daemon.tune.figures import CameraSize, Conditions, DescriberFigures, DetectorFigures, kind_of
from daemon.tune.pairing import BATTERY_FPS, HOT_FPS, Pair, sustained_fps, wanted_fps
from daemon.tune.plan import Plan, decide

SIZES = (CameraSize(640, 480, 1.2), CameraSize(1280, 720, 3.5))
MAINS = Conditions(sizes=SIZES)
BATTERY = replace(MAINS, battery=True)


def detector(device: str, ms: float, cpu_ms: float = 0.0, **more: object) -> DetectorFigures:
    values = {"model": "clip", "cpu_ms": cpu_ms or ms, "p95_ms": ms, **more}
    return DetectorFigures(device=device, ms=ms, **values)  # type: ignore[arg-type]


def describer(device: str, sentence_s: float, **more: object) -> DescriberFigures:
    return DescriberFigures(
        model="vlm",
        device=device,
        first_sentence_s=sentence_s,
        **more,  # type: ignore[arg-type]
    )


CPU, GPU, NPU = detector("CPU", 28, 55), detector("GPU", 9, 3), detector("NPU", 14, 2)


def test_the_describer_gets_the_gpu_if_the_detector_keeps_up_elsewhere() -> None:
    plan = decide([CPU, GPU, NPU], [describer("CPU", 6.0), describer("GPU", 1.5)], MAINS)
    assert (plan.value("pipeline.device"), plan.value("describe.device")) == ("NPU", "auto")
    assert plan.value("pipeline.cpu_share") == 1.0
    assert plan.value("pipeline.max_fps") == "auto"


def test_the_danger_lane_comes_before_the_describer() -> None:
    slow_cpu = detector("CPU", 90, 170)
    plan = decide([slow_cpu, GPU], [describer("GPU", 1.5)], MAINS)
    assert plan.describer is not None and plan.describer.device == "GPU"
    assert (plan.value("pipeline.device"), plan.value("describe.device")) == ("GPU", "auto")
    assert plan.value("pipeline.cpu_share") == "auto"


def test_a_device_that_computes_wrong_numbers_is_not_taken() -> None:
    wrong = replace(GPU, refused="it computes wrong numbers: cosine 0.214 to the CPU")
    assert decide([CPU, wrong], [], MAINS).detector == CPU
    silly = describer("GPU", 0.5, refused='GPU: no words in "!!!!"')
    assert decide([CPU], [silly, describer("CPU", 2.0)], MAINS).value("describe.device") == "CPU"


def test_a_refused_gpu_is_not_left_to_auto() -> None:
    wrong = describer("GPU", 0.5, refused="says something else")
    assert decide([CPU], [describer("CPU", 2.0)], MAINS).value("describe.device") == "auto"
    assert decide([CPU], [wrong, describer("CPU", 2.0)], MAINS).value("describe.device") == "CPU"


def test_without_a_describer_only_the_detector_is_planned() -> None:
    plan = decide([CPU, GPU], [], MAINS)
    assert plan.detector == GPU
    assert plan.describer is None
    assert not [one.key for one in plan.settings if one.key.startswith("describe.")]


def test_a_describer_that_is_always_too_late_is_not_loaded() -> None:
    late = decide([CPU], [describer("CPU", 8.0)], MAINS)
    assert late.describer is None
    assert late.value("describe.backend") == "tags"
    smaller = decide([CPU], [describer("CPU", 8.0), describer("CPU", 1.5, image_side=224)], MAINS)
    assert smaller.value("describe.image_side") == 224


def test_a_describer_that_only_talks_nonsense_is_not_loaded() -> None:
    plan = decide([CPU], [describer("CPU", 0.0, refused="the model talks nonsense on the CPU")], MAINS)
    assert plan.value("describe.backend") == "tags"


def test_on_a_battery_the_rate_is_lower_and_the_device_thrifty() -> None:
    plan = decide([CPU, GPU, NPU], [], BATTERY)
    assert (plan.value("pipeline.device"), plan.value("pipeline.max_fps")) == ("NPU", BATTERY_FPS)
    assert any("battery" in str(note) for note in plan.notes)
    # A device too slow for the rate is no saving.
    assert decide([GPU, replace(NPU, ms=200.0)], [], BATTERY).value("pipeline.device") == "GPU"


def test_a_machine_that_gets_hot_assesses_fewer_pictures() -> None:
    hot = decide([GPU], [], replace(MAINS, hottest_c=93.0))
    assert hot.value("pipeline.max_fps") == HOT_FPS
    assert any("93 °C" in str(note) for note in hot.notes)
    assert decide([GPU], [], replace(MAINS, hottest_c=70.0)).value("pipeline.max_fps") == "auto"


def test_a_slow_detector_is_given_the_rate_that_it_sustains() -> None:
    plan = decide([detector("CPU", 50)], [], MAINS)
    assert plan.value("pipeline.max_fps") == 16.0
    hopeless = decide([detector("CPU", 400)], [], MAINS)
    assert hopeless.value("pipeline.max_fps") == MIN_FPS
    assert any("noticed late" in str(note) for note in hopeless.notes)


def test_the_first_model_that_is_fast_enough_is_taken() -> None:
    slow, starter = detector("CPU", 300, model="big"), detector("CPU", 12, model="starter")
    assert decide([slow, starter], [], MAINS).detector == starter
    named = decide([slow, starter], [], replace(MAINS, model_setting="big"))
    assert named.value("pipeline.model") == "starter"
    quick = decide([detector("CPU", 60, model="big"), starter], [], replace(MAINS, model_setting="big"))
    assert quick.value("pipeline.model") is None
    assert quick.detector is not None and quick.detector.model == "big"


@pytest.mark.parametrize(
    ("int8_ms", "outdated", "precision"),
    [(15.0, (), "int8"), (27.0, (), "bf16"), (15.0, ("heads",), "bf16")],
)
def test_8_bits_are_taken_for_a_gain_and_never_at_the_cost_of_what_was_fitted(
    int8_ms: float, outdated: tuple[str, ...], precision: str
) -> None:
    rows = [
        detector("CPU", 40, precision="f32"),
        detector("CPU", 28, precision="bf16"),
        detector("CPU", int8_ms, precision="int8", outdated=outdated),
    ]
    assert decide(rows, [], MAINS).value("pipeline.precision") == precision


@pytest.mark.parametrize(("ms", "cpu_ms", "threads"), [(30.0, 54.0, 0), (24.0, 60.0, 1)])
def test_fewer_threads_need_a_gain(ms: float, cpu_ms: float, threads: int) -> None:
    fewer = detector("CPU", ms, cpu_ms, threads=1)
    assert decide([CPU, fewer], [], MAINS).value("pipeline.threads") == threads


def test_fewer_threads_save_a_battery() -> None:
    assert decide([CPU, detector("CPU", 40, 40, threads=1)], [], BATTERY).value("pipeline.threads") == 1


def test_a_camera_is_asked_for_less_only_if_decoding_costs_too_much() -> None:
    assert decide([GPU], [], MAINS).value("capture.device_width") == 1280
    heavy = replace(MAINS, sizes=(CameraSize(640, 480, 6.0), CameraSize(1280, 720, 18.0)))
    plan = decide([GPU], [], heavy)
    assert (plan.value("capture.device_width"), plan.value("capture.device_height")) == (640, 480)
    for other in (
        replace(heavy, camera="stream"),
        replace(heavy, camera="none"),
        replace(heavy, camera_size=(0, 0)),
    ):
        assert decide([GPU], [], other).value("capture.device_width") is None


def test_nothing_that_computes_right_means_no_plan() -> None:
    plan = decide([replace(CPU, refused="no answer within 180 s")], [describer("CPU", 1.0)], MAINS)
    assert plan.detector is None and not plan.settings
    assert plan.notes


DEVICES = st.sampled_from(["CPU", "GPU", "GPU.1", "NPU"])
REFUSED = st.sampled_from(["", "", "", "wrong numbers"])
MS = st.floats(0.5, 500)


@st.composite
def detectors(draw: st.DrawFn) -> list[DetectorFigures]:
    rows = draw(
        st.lists(
            st.builds(
                DetectorFigures,
                model=st.just("clip"),
                device=DEVICES,
                precision=st.sampled_from(["f32", "bf16", "int8", "float"]),
                threads=st.sampled_from([0, 0, 1, 2]),
                ms=MS,
                p95_ms=MS,
                cpu_ms=MS,
                outdated=st.sampled_from([(), (), ("heads",)]),
                refused=REFUSED,
            ),
            max_size=8,
            unique_by=lambda row: (row.device, row.precision, row.threads),
        )
    )
    # As a whole: one model's figures stand together.
    return [replace(row, model=name) for name in ("clip", "starter") for row in rows]


describers = st.lists(
    st.builds(
        DescriberFigures,
        model=st.just("vlm"),
        device=DEVICES,
        image_side=st.sampled_from([448, 224]),
        first_sentence_s=st.floats(0.05, 40),
        refused=REFUSED,
    ),
    max_size=5,
    unique_by=lambda row: (row.device, row.image_side),
)
conditions = st.builds(
    Conditions,
    cores=st.integers(1, 64),
    battery=st.booleans(),
    hottest_c=st.none() | st.floats(20, 110),
    camera=st.sampled_from(["device", "stream", "none"]),
    camera_fps=st.sampled_from([5.0, 15.0, 25.0, 30.0, 60.0]),
    sizes=st.sampled_from([(), SIZES]),
    deadline_s=st.floats(0.5, 20),
    model_setting=st.sampled_from(["auto", "clip", "starter"]),
)


@given(detectors(), describers, conditions)
def test_a_plan_never_takes_what_was_refused_nor_leaves_a_wearer_without_a_detector(
    rows: list[DetectorFigures], speakers: list[DescriberFigures], on: Conditions
) -> None:
    plan = decide(rows, speakers, on)
    usable = [row for row in rows if not row.refused]
    assert (plan.detector is None) == (not usable)
    if plan.detector is None:
        return
    assert not plan.detector.refused
    assert plan.describer is None or not plan.describer.refused
    # 8 bits and fewer threads may gain too little to be taken.
    ordinary = [row for row in usable if not (row.outdated or row.threads or row.precision == "int8")]
    assert plan.detector.fps >= MIN_FPS or all(row.fps < MIN_FPS for row in ordinary)
    rate = plan.value("pipeline.max_fps")
    assert rate == "auto" or (isinstance(rate, float) and MIN_FPS <= rate <= wanted_fps(on))
    if rate == "auto":
        assert sustained_fps(plan.detector) >= wanted_fps(on) and not on.battery
    else:
        assert float(rate) <= max(MIN_FPS, sustained_fps(plan.detector))


@given(detectors(), describers, conditions, st.randoms())
def test_a_plan_does_not_depend_on_the_order_nor_on_refused_figures(
    rows: list[DetectorFigures], speakers: list[DescriberFigures], on: Conditions, chance: random.Random
) -> None:
    plan = decide(rows, speakers, on)
    kept = [row for row in rows if not row.refused]
    by_model = [row for name in ("clip", "starter") for row in shuffled(kept, name, chance)]
    others = [one for one in speakers if not one.refused]
    chance.shuffle(others)
    again = decide(by_model, others or speakers, on)
    assert (again.detector, again.describer) == (plan.detector, plan.describer)
    # A GPU that was refused is named: `auto` would try it at every start.
    assert [one for one in again.settings if one.key != "describe.device"] == [
        one for one in plan.settings if one.key != "describe.device"
    ]


def shuffled(rows: list[DetectorFigures], model: str, chance: random.Random) -> list[DetectorFigures]:
    own = [row for row in rows if row.model == model]
    chance.shuffle(own)
    return own


@given(detectors(), describers, conditions)
def test_a_plan_holds_as_settings_and_can_be_said_in_korean(
    rows: list[DetectorFigures], speakers: list[DescriberFigures], on: Conditions
) -> None:
    plan = decide(rows, speakers, on)
    as_settings(plan)
    for message in (*(one.reason for one in plan.settings), *plan.notes):
        assert message.text in TEXTS
        assert TEXTS[message.text].format(**message.values) and str(message)


def as_settings(plan: Plan) -> Settings:
    """Raises ValidationError for a value that is not allowed."""
    tree: dict[str, dict[str, object]] = {}
    for one in plan.settings:
        section, _, name = one.key.partition(".")
        tree.setdefault(section, {})[name] = one.value
    return Settings.model_validate(tree)


@given(MS, MS, st.floats(0.05, 40), st.booleans())
def test_a_describer_beside_the_detector_is_never_faster_than_alone(
    ms: float, cpu_ms: float, sentence_s: float, shared: bool
) -> None:
    one = detector("GPU" if shared else "CPU", ms, cpu_ms)
    pair = Pair(one, describer("GPU", sentence_s), MAINS)
    assert pair.first_sentence_s >= sentence_s
    assert pair.apart == (not shared)
    assert pair.apart or pair.first_sentence_s <= 10 * sentence_s + 1e-9


def test_devices_of_one_kind_count_as_one() -> None:
    assert {kind_of(name) for name in ("GPU", "GPU.0", "gpu.1", "xpu:0")} == {"GPU"}


def test_a_describer_that_torch_put_on_the_cpu_has_no_device_of_its_own() -> None:
    plan = decide([CPU], [describer("cpu", 2.0, backend="transformers")], MAINS)
    assert plan.value("pipeline.cpu_share") == "auto"
    assert plan.value("describe.device") is None
