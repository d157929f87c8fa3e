"""Which model describes, what it is asked, and whether its device is to be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest

from capture.test_image import draw_test_image
from common.memory import RESERVE_BYTES, available_bytes, resident_bytes
from pipeline.description.base import DescribeError, DescribeRequest, DetectedHazard
from pipeline.description.factory import SERVER_MEMORY_BYTES, DescriberChoice, UnusableError, build, choose
from pipeline.description.fallback import FallbackDescriber, StaticDescriber
from pipeline.description.status import Phase
from pipeline.description.template import TemplateDescriber, builtin_words
from pipeline.description.vlm.backends.transformers import pick_device
from pipeline.description.vlm.describer import OnAnswer
from pipeline.description.vlm.image import bounded, squared
from pipeline.description.vlm.job import Emit, GenerationJob, GenerationStats, ModelLoadError
from pipeline.description.vlm.prompts import LONGEST_QUESTION, PURPOSES, Prompts
from pipeline.description.vlm.self_test import GoldenAnswers, degenerate, disagrees, trusted_device
from pipeline.settings import DescribeSettings
from pipeline.store.catalogue.backends import BACKENDS, OPENVINO_FILE
from pipeline.store.catalogue.vlms import known_models, nearest, too_large
from pipeline.store.errors import NotInstalledError
from pipeline.types import Direction, Trigger

BLACK = np.zeros((10, 10, 3), np.uint8)
FIRE = DetectedHazard("fire", 0.92, Direction.LEFT)
KNIFE = DetectedHazard("knife", 0.97, Direction.AHEAD)
GB = 10**9
TAGS = TemplateDescriber(builtin_words())


def request(trigger: Trigger, *seen: DetectedHazard, **more: str) -> DescribeRequest:
    return DescribeRequest("r", BLACK, trigger, "en", seen, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_shipped_prompts_tell_what_the_detector_sees(language: str) -> None:
    prompts = Prompts(language, builtin_words())
    prompt = prompts.prompt(request(Trigger.DANGER, KNIFE, FIRE, hazard="fire"))
    first, second = {
        "en": ("fire on the left (92% certain)", "a knife ahead (97% certain)"),
        "ko": ("불 왼쪽 (확률 92%)", "칼 앞 (확률 97%)"),
    }[language]
    assert prompt.purpose == "danger"
    assert f"{first}, {second}" in prompt.user
    assert {"en": "NO DANGER:", "ko": "위험 없음:"}[language] in prompt.system
    assert prompt.system == prompts.prompt(request(Trigger.DANGER, KNIFE)).system  # stays computed


def test_the_purpose_follows_the_trigger() -> None:
    prompts = Prompts("en", builtin_words())
    purposes = [
        prompts.prompt(asked).purpose
        for asked in (
            request(Trigger.DANGER, FIRE),
            request(Trigger.DANGER),
            request(Trigger.SCENE_CHANGE, FIRE),
            request(Trigger.REQUEST),
            request(Trigger.REQUEST, question="Where is the door?"),
        )
    ]
    assert purposes == ["danger", "safe", "safe", "safe", "question"]


def test_a_question_is_one_line_and_bounded() -> None:
    prompts = Prompts("en", builtin_words())
    prompt = prompts.prompt(request(Trigger.REQUEST, question="Is {there}\n a   door? " + "x" * 1000))
    assert "Is {there} a door? xxx" in prompt.user
    assert prompt.user.count("x") < LONGEST_QUESTION


def test_what_somebody_says_is_on_it_is_passed_on_bounded_and_never_with_a_danger() -> None:
    prompts = Prompts("en", builtin_words())
    known = ("a {cup}\nwith tea", "x" * 500, *("plate" for _ in range(50)))
    safe = request(Trigger.SCENE_CHANGE, KNIFE)
    told = prompts.prompt(replace(safe, known=known)).user
    assert "a {cup} with tea" in told
    assert len(told) < len(prompts.prompt(safe).user) + 200
    danger = request(Trigger.DANGER, KNIFE)
    assert prompts.prompt(replace(danger, known=known)) == prompts.prompt(danger)


def test_own_prompts_are_checked(tmp_path: Path) -> None:
    with pytest.raises(DescribeError, match=r"danger\.txt cannot be read"):
        Prompts("en", builtin_words(), str(tmp_path))
    (tmp_path / "en").mkdir()
    for purpose in PURPOSES:
        (tmp_path / "en" / f"{purpose}.txt").write_text("Tell.\n---\n{weather}", encoding="utf-8")
    with pytest.raises(DescribeError, match=r"only \{seen\} and \{question\}"):
        Prompts("en", builtin_words(), str(tmp_path))


def test_a_mistake_in_own_prompts_is_told_before_any_model_is_chosen(tmp_path: Path) -> None:
    """At the start, and without ending it: warnings of danger need no descriptions."""
    settings = DescribeSettings(prompts=str(tmp_path / "absent"))
    describer = build(settings, language="en", tags=TAGS, locate=installed(tmp_path), cache=tmp_path)
    assert describer is not None
    assert describer.status.phase is Phase.FAILED
    assert "absent/en/danger.txt cannot be read" in describer.status.reason


def test_a_hazard_of_ones_own_has_a_name_too() -> None:
    prompts = Prompts("ko", builtin_words())
    assert prompts.danger("fire").noun == "불"
    assert prompts.danger("fire").name == "불이"
    assert prompts.danger("fork_lift").name == "fork lift"


def test_every_known_model_states_its_figures() -> None:
    models = known_models()
    assert [name for name, entry in models.items() if entry.default] == ["qwen3-vl-2b"]
    assert {"qwen3-vl-4b", "qwen2.5-vl-3b", "qwen2.5-vl-7b", "tiny-llava", "smolvlm2-500m"} < set(models)
    assert {"deepseek-vl-7b", "llama-3.2-11b-vision"} < set(models)
    for entry in models.values():
        assert set(entry.memory_gb) == set(entry.store_gb) == set(entry.backends)
        assert all(entry.memory_gb[b] > entry.store_gb[b] for b in entry.backends)


def test_a_model_too_large_is_refused_with_the_figures() -> None:
    entry = known_models()["qwen2.5-vl-7b"]
    needed = entry.needs_bytes("openvino")
    why = too_large(entry.name, needed, 6 * GB)
    assert why is not None
    assert f"needs {entry.memory_gb['openvino']} GB" in why
    assert "only 6.0 GB is available" in why
    assert "smaller are qwen3-vl-4b, qwen3-vl-2b" in why
    assert too_large(entry.name, needed, needed + RESERVE_BYTES) is None
    assert nearest("qwen3-vl2b") == "did you mean 'qwen3-vl-2b'?"


def installed(folder: Path, *names: str) -> Callable[[str], Path]:
    """A store with these models, converted to OpenVINO."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / OPENVINO_FILE).write_bytes(b"x" * 1000)

    def locate(name: str) -> Path:
        if not (folder / name).is_dir():
            raise NotInstalledError(f"model {name!r} is not here; run `watchword models pull {name}`")
        return folder / name

    return locate


def chosen(
    settings: DescribeSettings, locate: Callable[[str], Path], room: int, language: str = "en"
) -> DescriberChoice | None:
    return choose(settings, language, locate, Path("/cache"), lambda: room)


def test_auto_takes_the_best_that_fits_and_speaks_the_language(tmp_path: Path) -> None:
    locate = installed(tmp_path, "qwen3-vl-2b", "qwen3-vl-4b", "tiny-llava")
    auto = DescribeSettings()
    for room, language, name in (
        (14 * GB, "en", "qwen3-vl-4b"),  # what is available of 16 GB
        (67 * GB // 10, "en", "qwen3-vl-2b"),  # of 8 GB
        (4 * GB, "en", "tiny-llava"),
    ):
        choice = chosen(auto, locate, room, language)
        assert choice is not None
        assert (choice.spec.model, choice.spec.backend) == (name, "openvino")
        assert choice.memory_bytes == room - RESERVE_BYTES
        assert choice.memory_bytes >= known_models()[name].needs_bytes("openvino")
    assert chosen(auto, locate, 4 * GB, "ko") is None
    assert chosen(auto, installed(tmp_path / "empty"), 16 * GB) is None


def test_auto_passes_over_a_model_that_is_too_slow_here_and_a_named_one_runs(tmp_path: Path) -> None:
    locate = installed(tmp_path, "qwen3-vl-2b", "tiny-llava")
    slow = {"qwen3-vl-2b": "too slow here: no sentence within 7 s in 3 answers"}
    for settings, model in (
        (DescribeSettings(), "tiny-llava"),
        (DescribeSettings(model="qwen3-vl-2b"), "qwen3-vl-2b"),
    ):
        choice = choose(
            settings, "en", locate, Path("/cache"), lambda: 16 * GB, lambda name: slow.get(name, "")
        )
        assert choice is not None
        assert choice.spec.model == model


@pytest.mark.parametrize(
    ("folder", "named", "idle", "timed"),
    [
        ("tiny-llava", False, True, ["tiny-llava"]),
        ("tiny-llava", False, False, []),  # a replay, which gives it the whole machine
        ("of-my-own", True, True, []),  # `auto` never chooses it
    ],
)
def test_only_what_auto_can_choose_is_timed_and_only_beside_the_danger_lane(
    tmp_path: Path, folder: str, named: bool, idle: bool, timed: list[str]
) -> None:
    locate, asked = installed(tmp_path, folder), list[str]()

    def record(name: str) -> OnAnswer:
        asked.append(name)
        return lambda _, __: None

    settings = DescribeSettings(model=str(locate(folder))) if named else DescribeSettings()
    describer = build(
        settings,
        language="en",
        tags=TAGS,
        locate=locate,
        cache=tmp_path,
        idle=idle,
        available=lambda: 16 * GB,
        timed=record,
    )
    assert describer is not None
    assert describer.status.phase is Phase.LOADING, "a model of its own, not the template"
    describer.close()
    assert asked == timed


def test_a_named_model_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    locate = installed(tmp_path, "qwen3-vl-4b")
    for settings, why in (
        (DescribeSettings(model="qwen3-vl-4b"), "needs 6.3 GB"),
        (DescribeSettings(model="qwen3-vl-2b"), "models pull qwen3-vl-2b"),
        (DescribeSettings(model="qwen3-vl2b"), "did you mean 'qwen3-vl-2b'"),
        (DescribeSettings(model="qwen3-vl-4b", backend="transformers"), "are for openvino"),
        (DescribeSettings(backend="openvino"), "models pull qwen3-vl-2b"),
    ):
        with pytest.raises(UnusableError, match=why):
            chosen(settings, locate, 3 * GB)


def test_a_named_model_that_does_not_speak_the_language_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    locate = installed(tmp_path, "tiny-llava", "qwen3-vl-2b")
    doubts = {
        (name, language): choice.doubt
        for name in ("tiny-llava", "qwen3-vl-2b")
        for language in ("en", "ko")
        if (choice := chosen(DescribeSettings(model=name), locate, 16 * GB, language))
    }
    assert [asked for asked, doubt in doubts.items() if doubt] == [("tiny-llava", "ko")]
    assert doubts["tiny-llava", "ko"] == "tiny-llava is not known to speak ko, only en"
    assert "tiny-llava is not known to speak ko" in caplog.text
    ready = FallbackDescriber(StaticDescriber(TAGS, "tiny-llava on CPU"), TAGS, doubts["tiny-llava", "ko"])
    assert ready.status.reason == "tiny-llava on CPU; tiny-llava is not known to speak ko, only en"


@pytest.mark.parametrize(
    ("names", "language", "room", "why"),
    [
        ((), "en", 16 * GB, "no model for more is in the store"),
        (("qwen3-vl-2b",), "en", 1 * GB, "qwen3-vl-2b is passed over: qwen3-vl-2b needs 3.8 GB of memory"),
        (("tiny-llava",), "ko", 16 * GB, "tiny-llava is passed over: it does not speak ko"),
    ],
)
def test_why_auto_falls_back_is_told(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    names: tuple[str, ...],
    language: str,
    room: int,
    why: str,
) -> None:
    caplog.set_level("INFO")
    locate = installed(tmp_path, *names)
    describer = build(
        DescribeSettings(),
        language=language,
        tags=TAGS,
        locate=locate,
        cache=tmp_path,
        available=lambda: room,
    )
    assert describer is not None
    assert describer.status.phase is Phase.READY
    assert describer.status.reason.startswith(why)
    assert f"descriptions by tags: {why}" in caplog.text
    with pytest.raises(UnusableError, match=why if names else "none is in the store"):
        chosen(DescribeSettings(backend="openvino"), locate, room, language)


def test_tiny_llava_is_shown_squares_and_asked_in_its_own_form(tmp_path: Path) -> None:
    choice = chosen(DescribeSettings(), installed(tmp_path, "tiny-llava"), 16 * GB)
    assert choice is not None
    assert choice.spec.square
    assert "USER: " in choice.spec.template


def test_a_server_needs_little_memory_and_both_settings(tmp_path: Path) -> None:
    settings = DescribeSettings(backend="openai", model="m", server_url="http://127.0.0.1:1/v1")
    choice = chosen(settings, installed(tmp_path), 1)
    assert choice is not None
    assert choice.memory_bytes == SERVER_MEMORY_BYTES
    with pytest.raises(DescribeError, match="needs"):
        chosen(DescribeSettings(backend="openai", server_url="http://127.0.0.1:1/v1"), installed(tmp_path), 1)


def test_what_the_machine_lacks_is_told_and_answered_by_tags(tmp_path: Path) -> None:
    tags = TemplateDescriber(builtin_words())

    def made(**settings: str) -> object:
        return build(
            DescribeSettings.model_validate(settings),
            language="en",
            tags=tags,
            locate=installed(tmp_path),
            cache=tmp_path,
        )

    assert made(backend="off") is None
    missing = build(
        DescribeSettings(model="qwen3-vl-2b"),
        language="en",
        tags=tags,
        locate=installed(tmp_path),
        cache=tmp_path,
    )
    assert missing is not None
    assert missing.status.phase is Phase.FAILED
    assert "models pull qwen3-vl-2b" in missing.status.reason
    said = []
    with pytest.raises(DescribeError, match="models pull"):
        for sentence in missing.describe(request(Trigger.DANGER, FIRE)):
            said.append(sentence)  # noqa: PERF402 -- what came before the error counts
    assert said == ["I see fire to the left."]
    plain = build(DescribeSettings(), language="en", tags=tags, locate=installed(tmp_path), cache=tmp_path)
    assert plain is not None
    assert plain.wait_ready(0)
    assert list(plain.describe(request(Trigger.DANGER, FIRE))) == ["I see fire to the left."]


def test_pictures_are_bounded_and_squared_without_loss() -> None:
    wide = np.zeros((90, 160, 3), np.uint8)
    wide[:, 0] = wide[:, -1] = 255
    assert bounded(wide, 80).shape == (45, 80, 3)
    assert bounded(wide, 400).shape == wide.shape
    assert bounded(np.zeros((60, 20_000, 3), np.uint8), 448).shape == (28, 448, 3)
    assert bounded(np.zeros((20_000, 60, 3), np.uint8), 1120).shape == (1120, 70, 3)
    assert bounded(np.zeros((1, 1, 3), np.uint8), 448).shape == (28, 28, 3)
    square = squared(wide)
    assert square.shape == (160, 160, 3)
    assert np.array_equal(square[35:125], wide)
    assert draw_test_image(224, 200).shape == (200, 224, 3)


def test_memory_is_read_from_the_system() -> None:
    import os

    assert 0 < available_bytes() < 2**50
    assert resident_bytes(os.getpid()) > 10**6
    assert resident_bytes(2**22 + 1) == 0


class Told:
    """A generator that says the same of every picture."""

    def __init__(self, device: str, text: str) -> None:
        self.device = device
        self._text = text

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        emit(self._text)
        return GenerationStats(1, cut=False)

    def interrupt(self) -> None: ...


def opener(**texts: str) -> Callable[[str], Told]:
    def open_on(device: str) -> Told:
        if device not in texts:
            raise ModelLoadError(f"{device} is broken")
        return Told(device, texts[device])

    return open_on


TRUE = "A red disc and a blue square."


@pytest.mark.parametrize(
    ("gpu", "device"),
    [
        (TRUE, "GPU"),
        ("A red disc, a blue square.", "GPU"),
        ("A man riding a horse on a beach.", "CPU"),
        ("!!!!!!!!!!!!!!!!!", "CPU"),
        (None, "CPU"),
    ],
)
def test_a_device_is_believed_only_where_it_agrees_with_the_cpu(
    tmp_path: Path, gpu: str | None, device: str
) -> None:
    texts = {"CPU": TRUE} | ({} if gpu is None else {"GPU": gpu})
    trusted = trusted_device(opener(**texts), "GPU", GoldenAnswers(tmp_path, "m"))
    assert trusted.generator.device == device
    assert trusted.doubt.startswith("GPU: ") == (device == "CPU")


def test_the_cpus_answer_is_taken_once(tmp_path: Path) -> None:
    trusted_device(opener(CPU=TRUE), "CPU", GoldenAnswers(tmp_path, "m"))
    assert GoldenAnswers(tmp_path, "m").known() == TRUE
    assert GoldenAnswers(tmp_path, "other").known() is None
    trusted = trusted_device(opener(GPU=TRUE), "GPU", GoldenAnswers(tmp_path, "m"))
    assert trusted.generator.device == "GPU"


def test_nonsense_on_the_cpu_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="nonsense on the CPU"):
        trusted_device(opener(CPU="!!!!!!!!!!!"), "CPU", GoldenAnswers(tmp_path, "m"))
    assert degenerate("A car.") is None
    assert disagrees("A red disc", "A red disc") is None


@dataclass(frozen=True)
class Accelerator:
    """One of torch's, such as `torch.xpu`."""

    here: bool

    def is_available(self) -> bool:
        return self.here


@pytest.mark.parametrize(
    ("cuda", "xpu", "taken"),
    [(True, True, "cuda"), (False, True, "xpu"), (False, False, "cpu"), (False, None, "cpu")],
)
def test_auto_takes_an_nvidia_gpu_on_torch_then_an_intel_one(
    cuda: bool, xpu: bool | None, taken: str
) -> None:
    """Some builds of torch have no `xpu` at all."""
    parts = {"cuda": Accelerator(cuda)} | ({} if xpu is None else {"xpu": Accelerator(xpu)})
    assert pick_device("auto", SimpleNamespace(**parts)) == taken


def test_every_backend_is_a_setting_and_a_module_that_loads() -> None:
    settings = get_args(DescribeSettings.model_fields["backend"].annotation)
    assert set(settings) == {"auto", "tags", "off", *BACKENDS}
    for backend in BACKENDS.values():
        module = import_module(f"pipeline.description.vlm.backends.{backend.module}")
        assert callable(module.load)
