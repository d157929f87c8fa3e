"""Real vision-language models, tiny but trained: each picture gets its own words, in both local backends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.description.base import DescribeRequest, DetectedHazard
from pipeline.description.factory import choose
from pipeline.description.template import builtin_words
from pipeline.description.vlm.backends import load
from pipeline.description.vlm.describer import GenerationOptions, VlmDescriber
from pipeline.description.vlm.job import GenerationJob, ModelSpec
from pipeline.description.vlm.prompts import Prompts
from pipeline.description.vlm.worker_supervisor import Limits, WorkerSupervisor
from pipeline.settings import DescribeSettings
from pipeline.types import Direction, Trigger
from tests.pipeline.description.vlm import tiny_vlm
from tests.pipeline.description.vlm.made import LONGEST_S, tiny

pytestmark = [pytest.mark.slow, pytest.mark.prepare, pytest.mark.timeout(LONGEST_S + 300)]

PATIENCE_S = 120.0
FIRE = DetectedHazard("fire", 0.92, Direction.AHEAD)
BACKENDS = {"openvino": "openvino", "transformers": "torch"}

SENTENCES = {
    "flame": ["Stop.", "Flames ahead."],
    "disc": ["A red disc.", "The wall is grey."],
    "square": ["A blue square on the floor."],
    "bar": ["A green bar on the left."],
    "stripes": ["one two three four five six seven eight nine ten eleven twelve."],
}


@pytest.fixture(scope="module", params=["llava", "qwen2.5-vl"])
def made(request: pytest.FixtureRequest) -> Path:
    return tiny(request.param)


@pytest.fixture(scope="module", params=list(BACKENDS))
def describer(
    request: pytest.FixtureRequest, made: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VlmDescriber]:
    """As the factory would build it, but not starved by whatever else this machine does."""
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "en").mkdir()
    for purpose, text in tiny_vlm.PROMPTS.items():
        (folder / "en" / f"{purpose}.txt").write_text(text, encoding="utf-8")
    prompts = Prompts("en", builtin_words(), str(folder))
    settings = DescribeSettings(model=str(made / BACKENDS[request.param]))
    choice = choose(settings, "en", lambda name: folder / name, folder / "cache", lambda: 2**33)
    assert choice is not None
    assert choice.spec.backend == request.param
    spec = replace(choice.spec, idle=False, warm=prompts.instructions)
    keeper = WorkerSupervisor(spec, Limits(choice.memory_bytes, load_s=PATIENCE_S))
    made_describer = VlmDescriber("tiny", keeper, prompts, "en", GenerationOptions(40, tiny_vlm.SIDE))
    assert made_describer.wait_ready(PATIENCE_S), keeper.status.reason
    yield made_describer
    made_describer.close()


def ask(picture: str, trigger: Trigger) -> DescribeRequest:
    seen = (FIRE,) if trigger is Trigger.DANGER else ()
    question = tiny_vlm.QUESTION if trigger is Trigger.REQUEST else None
    image = tiny_vlm.picture(picture, shift=(3, -2))
    return DescribeRequest("r1", image, trigger, "en", seen, question=question, deadline_s=PATIENCE_S)


@pytest.mark.parametrize("picture", SENTENCES)
@pytest.mark.parametrize("trigger", [Trigger.SCENE_CHANGE, Trigger.REQUEST])
def test_each_picture_gets_its_own_words(describer: VlmDescriber, picture: str, trigger: Trigger) -> None:
    assert list(describer.describe(ask(picture, trigger))) == SENTENCES[picture]


@pytest.mark.parametrize("picture", SENTENCES)
def test_a_reported_danger_is_confirmed_or_contradicted(describer: VlmDescriber, picture: str) -> None:
    said = list(describer.describe(ask(picture, Trigger.DANGER)))
    assert (said[0] == "Probably not fire.") == (picture != "flame")
    assert SENTENCES[picture][0] in said


def test_the_second_picture_is_not_answered_with_the_first(describer: VlmDescriber) -> None:
    for picture in ("disc", "flame", "disc", "square", "flame"):
        assert list(describer.describe(ask(picture, Trigger.SCENE_CHANGE))) == SENTENCES[picture]


def test_the_openvino_child_needs_no_torch(describer: VlmDescriber) -> None:
    pid = describer.keeper.pid
    assert pid is not None
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    on_torch = "libtorch_cpu" in maps
    assert on_torch != ("libopenvino_genai" in maps)


@pytest.mark.parametrize("backend", BACKENDS)
def test_temperature_and_top_p_take_effect_whatever_the_model_publishes(
    made: Path, backend: str, tmp_path: Path
) -> None:
    """Hot enough, it says other things; the likeliest words alone are the greedy answer; chance repeats."""
    folder = shutil.copytree(made / BACKENDS[backend], tmp_path / "model")
    published = folder / "generation_config.json"
    published.write_text(json.dumps({**json.loads(published.read_text()), "top_k": 1, "temperature": 1e-6}))
    generator = load(ModelSpec(backend, "tiny", folder=str(folder), device="CPU"))
    system, user = tiny_vlm.asked("safe")

    def said(**sampling: float) -> str:
        pieces: list[str] = []

        def take(piece: str) -> bool:
            pieces.append(piece)
            return True

        generator.generate(GenerationJob(1, tiny_vlm.picture("stripes"), system, user, 20, **sampling), take)
        return "".join(pieces).strip()

    assert said() == tiny_vlm.CAPTIONS["stripes"]
    hot = said(temperature=20.0)
    assert hot != said()
    assert said(temperature=20.0) == hot
    assert said(temperature=1.0, top_p=0.01) == said()


def test_loading_on_the_cpu_writes_no_copy_of_the_model(made: Path, tmp_path: Path) -> None:
    """Reading a compiled model takes as long as compiling it, and its file is as large as the model."""
    load(ModelSpec("openvino", "tiny", folder=str(made / "openvino"), device="CPU", cache=str(tmp_path)))
    assert not list(tmp_path.rglob("*.blob"))
    assert not (tmp_path / "compiled").exists()


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancel_takes_effect_within_two_tokens(made: Path, backend: str) -> None:
    choice = choose(
        DescribeSettings(
            model=str(made / BACKENDS[backend]), device="CPU" if backend == "openvino" else "cpu"
        ),
        "en",
        lambda name: made / name,
        made / "cache",
        lambda: 2**33,
    )
    assert choice is not None
    generator = load(replace(choice.spec, cache=""))
    system, user = tiny_vlm.asked("safe")
    job = GenerationJob(1, tiny_vlm.picture("stripes"), system, user, 40)
    pieces: list[str] = []

    def three(piece: str) -> bool:
        pieces.append(piece)
        return len(pieces) < 3

    stopped = generator.generate(job, three)
    assert len(pieces) == 3  # never asked again
    assert 3 <= stopped.tokens <= 5
    assert not stopped.cut
    whole: list[str] = []

    def all_of_it(piece: str) -> bool:
        whole.append(piece)
        return True

    unstopped = generator.generate(job, all_of_it)
    assert "".join(whole).strip() == tiny_vlm.CAPTIONS["stripes"]
    assert unstopped.tokens > 12
    limited = generator.generate(replace(job, max_tokens=4), lambda piece: True)
    assert limited.cut
