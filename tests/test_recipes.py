"""Carries out the recipes of CONTRIBUTING.md literally, in a copy of the program.

A recipe must work with the files that it names and with no others, so a missing step or an unnamed file fails
here. Each test also bounds the number of files to edit, so that extending the program stays easy. The files
that `script/config_template` generates do not count.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("common", "capture", "pipeline", "speech", "daemon")
RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


class Program:
    """A copy of the program that a recipe is carried out on."""

    def __init__(self, root: Path, recipe: str) -> None:
        """`recipe`: the heading of its section."""
        self.root = root
        self.opened: set[str] = set()
        self._steps = RECIPES.partition(f"\n## {recipe}\n")[2].partition("\n## ")[0]
        assert self._steps, recipe
        for package in PACKAGES:
            shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("config.toml", "config.schema.json", "docs/configuration.md"):
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, root / name)

    def write(self, name: str, named: str, text: str) -> None:
        """Write a new file, which the recipe calls `named`."""
        assert named in self._steps, f"the recipe does not name {named}"
        self.opened.add(name)
        (self.root / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file."""
        text = self._open(name)
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old!r}"
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Add a text at the end of a file."""
        (self.root / name).write_text(self._open(name) + text, encoding="utf-8")

    def _open(self, name: str) -> str:
        assert re.search(rf"(?<![\w/]){re.escape(name)}\b", self._steps), f"the recipe does not name {name}"
        self.opened.add(name)
        return (self.root / name).read_text(encoding="utf-8")

    def config_template(self) -> None:
        assert "script/config_template" in self._steps
        self.run("from daemon.tools.maintainer.config_template import main; main()")

    def run(self, code: str, **variables: str) -> str:
        """The output of a Python program in the copy, which must succeed."""
        return self.python("-c", code, **variables)

    def python(self, *arguments: str, **variables: str) -> str:
        """The output of Python with these arguments in the copy."""
        home = {"HOME": str(self.root), "PYTHONPATH": str(self.root), **variables}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**os.environ, **home},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


HAZARD = """
[hazards.wet_floor]
severity = "notice"
rank = 5
say_en = "Wet floor{where}!"
say_ko = "젖은 바닥!{where}"
prompts = ["a wet floor", "a puddle on a floor"]
label = { en = "Wet floor", ko = "젖은 바닥" }
noun = { en = "a wet floor", ko = "젖은 바닥이" }
group = "ground"
icon = "mdi:water"
denied_as = { en = ["puddle"], ko = ["물"] }
shown_by = { en = ["water"], ko = ["물기"] }
"""

HAZARD_WORKS = """
from daemon.config.settings import load
from pipeline.description.answer.denial import denial_words
from pipeline.description.template import builtin_words
from pipeline.hazards import builtin, from_settings, prompt_set
from pipeline.wording import danger_phrase

settings = load(None, {}, {}).settings
hazard = next(one for one in from_settings(settings.hazards) if one.name == "wet_floor")
assert "wet_floor" in prompt_set([hazard]).shipped
assert danger_phrase(hazard.say["en"], None, "en") == "Wet floor!"
assert denial_words("wet_floor", "en").denies == ("puddle",)
assert builtin_words().noun("wet_floor", "ko") == "젖은 바닥"
"""


def test_a_built_in_hazard(tmp_path: Path) -> None:
    program = Program(tmp_path, "Add a hazard")
    program.append("pipeline/hazards.toml", HAZARD)
    program.config_template()
    assert "[hazards.wet_floor]" in (program.root / "config.toml").read_text(encoding="utf-8")
    program.run(HAZARD_WORKS)
    assert len(program.opened) <= 1


CAMERA = '''
"""A camera of drawn pictures."""

import time

from capture.frame import Frame
from capture.orient import make_frame
from capture.settings import CaptureSettings
from capture.test_image import draw_test_image


class DrawnCamera:
    source = "drawn"
    live = True

    def __init__(self, settings: CaptureSettings) -> None:
        self._settings = settings
        self._seq = -1

    def read(self) -> Frame | None:
        self._seq += 1
        return make_frame(
            draw_test_image(), self._settings, seq=self._seq, at_s=time.monotonic(), source=self.source
        )

    def close(self) -> None:
        pass
'''

CAMERA_WORKS = """
from capture.factory import is_live, open_camera
from capture.settings import CaptureSettings

assert is_live("drawn")
camera = open_camera("drawn", CaptureSettings(source="drawn", rotate=90))
assert [camera.read().seq for _ in range(2)] == [0, 1]
assert camera.read().image.shape == (640, 480, 3)
"""


def test_a_camera_kind(tmp_path: Path) -> None:
    program = Program(tmp_path, "Add a camera kind")
    program.write("capture/drawn.py", "capture/KIND.py", CAMERA)
    factory = "capture/factory.py"
    program.change(
        factory,
        'if spec == "auto":',
        'if spec == "drawn":\n        return DrawnCamera(settings)\n    if spec == "auto":',
    )
    program.change(factory, 'device = spec == "auto"', 'device = spec in ("auto", "drawn")')
    program.change(
        factory,
        "from capture.files import",
        "from capture.drawn import DrawnCamera\nfrom capture.files import",
    )
    program.run(CAMERA_WORKS)
    assert len(program.opened) <= 3


BACKEND = '''
"""A backend that says what it is told."""

from pipeline.description.vlm.job import Emit, GenerationJob, GenerationStats, ModelSpec


def load(spec: ModelSpec) -> "Parrot":
    return Parrot()


class Parrot:
    device = "CPU"

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        emit(job.user)
        return GenerationStats(1, cut=False)

    def interrupt(self) -> None:
        pass
'''

BACKEND_WORKS = """
from pathlib import Path

from capture.test_image import draw_test_image
from pipeline.description.factory import local_choice
from pipeline.description.vlm.backends import load
from pipeline.description.vlm.job import GenerationJob
from pipeline.settings import DescribeSettings

folder = Path("bird")
folder.mkdir()
(folder / "weights.parrot").write_bytes(bytes(100))
settings = DescribeSettings(backend="parrot", model=str(folder))
spec = local_choice(settings, folder, "parrot", Path("cache")).spec
assert spec.backend == "parrot"
job = GenerationJob(1, draw_test_image(), "", "A street.", 9)
load(spec).generate(job, lambda piece: print(piece) is None)
"""


def test_a_describer_backend(tmp_path: Path) -> None:
    program = Program(tmp_path, "Add a describer backend")
    folder = "pipeline/description/vlm/backends"
    program.write(f"{folder}/parrot.py", f"{folder}/NAME.py", BACKEND)
    catalogue = "pipeline/store/catalogue/backends.py"
    line = '    "openai": Backend("openai_server"),\n'
    program.change(
        catalogue, line, f'    "parrot": Backend("parrot", files="*.parrot", requires="numpy"),\n{line}'
    )
    program.change(
        "pipeline/settings.py",
        '"openvino", "transformers", "openai", "off"]',
        '"openvino", "transformers", "parrot", "openai", "off"]',
    )
    program.config_template()
    assert program.run(BACKEND_WORKS) == "A street.\n"
    assert len(program.opened) <= 3


SETTING_WORKS = """
import os

from common.live_settings import LIVE
from daemon.config.settings import SCHEMA, load
from daemon.web.static_files import setting_texts
from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold
from pipeline.types import Severity

settings = load(None, os.environ, {}).settings
policy = AlertPolicy(settings.watch, [HazardThreshold("fire", Severity.CRITICAL, 0.5)])
assert round(policy.needed_s[0], 6) == 0.25
assert SCHEMA.at(("watch", "hurry_s"))[LIVE]
assert {"watch.hurry_s.title", "watch.hurry_s.description"} <= set(setting_texts("ko"))
"""


def test_a_live_setting_of_the_core(tmp_path: Path) -> None:
    program = Program(tmp_path, "Add a setting")
    field = "    off_ratio: Live[float] = Field(\n"
    program.change(
        "pipeline/settings.py",
        field,
        f'    hurry_s: Live[float] = Field(0.0, ge=0, le=1, description="seconds of votes less")\n{field}',
    )
    title = "vote_s.title"
    texts = 'hurry_s.title = "투표를 줄이는 시간(초)"\nhurry_s.description = "줄이는 시간(초)입니다."\n'
    program.change("daemon/web/setting_texts/ko.toml", title, f"{texts}{title}")
    # The place that uses it: no recipe can name it.
    place = program.root / "pipeline/alerting/alert_policy.py"
    text = place.read_text(encoding="utf-8")
    assert text.count("settings.vote_s * factors") == 1
    place.write_text(
        text.replace("settings.vote_s *", "(settings.vote_s - settings.hurry_s) *"), encoding="utf-8"
    )
    program.config_template()
    assert "#watch.hurry_s = 0.0" in (program.root / "config.toml").read_text(encoding="utf-8")
    program.run(SETTING_WORKS, WATCHWORD_WATCH__HURRY_S="0.1")
    assert len(program.opened) + 1 <= 3


COMMAND = '''class WaveCommand(Command):
    """Say hello."""

    http = HttpPost("/wave", "Say hello")
    mqtt = MqttEntity()
    key_action = True

    do: Literal["wave"] = "wave"

    def core_input(self) -> Input:
        from daemon.core.messages import Wave

        return Wave()


class HushCommand(Command):
'''

COMMAND_WORKS = """
from daemon.control.commands import COMMANDS, KEY_ACTIONS
from daemon.control.protocol import checked
from daemon.core.core import Core
from daemon.core.health import HealthSettings
from daemon.core.messages import INPUT_TAGS, CoreSpec
from daemon.mqtt.discovery import BUTTONS
from daemon.mqtt.labels import ENTITIES
from daemon.web.routes.commands import router
from pipeline.settings import DescribeSettings, SceneSettings, WatchSettings
from speech.outbox.messages import StartSpeech
from speech.settings import OutboxSettings

event = checked(COMMANDS["wave"]).core_input()
assert type(event) in INPUT_TAGS.values()
assert "wave" in KEY_ACTIONS and "wave" in BUTTONS and "wave" in ENTITIES
assert "/wave" in {route.path for route in router.routes}
spec = CoreSpec(
    language="en",
    hazards=(),
    watch=WatchSettings(),
    scene=SceneSettings(distance=0.5, settle_distance=0.1),
    describe=DescribeSettings(),
    health=HealthSettings(),
    outbox=OutboxSettings(),
)
spoken = [effect for effect in Core(spec).step(event, 1.0) if isinstance(effect, StartSpeech)]
assert [effect.utterance.text for effect in spoken] == ["Hello."]
"""


def test_a_command_of_the_running_daemon(tmp_path: Path) -> None:
    program = Program(tmp_path, "Add a command")
    program.change("daemon/control/commands.py", "class HushCommand(Command):\n", COMMAND)
    messages = "daemon/core/messages.py"
    program.change(
        messages,
        "@dataclass(frozen=True, slots=True)\nclass FalseAlarm:",
        '@dataclass(frozen=True, slots=True)\nclass Wave:\n    """Say hello."""\n\n\n'
        "@dataclass(frozen=True, slots=True)\nclass FalseAlarm:",
    )
    program.change(messages, "    | Repeat\n", "    | Repeat\n    | Wave\n")
    program.change(messages, '    "repeat": Repeat,\n', '    "repeat": Repeat,\n    "wave": Wave,\n')
    core = "daemon/core/core.py"
    program.change(core, "    TellStatus,\n)", "    TellStatus,\n    Wave,\n)")
    program.change(core, "FalseAlarm | TellStatus\n", "FalseAlarm | TellStatus | Wave\n")
    program.change(core, "FalseAlarm() | TellStatus():", "FalseAlarm() | TellStatus() | Wave():")
    handled = "            case Repeat():\n"
    program.change(
        core,
        handled,
        "            case Wave():\n"
        f'                yield from self._announcer.message(Say("Hello."), now)\n{handled}',
    )
    shell = "daemon/cli/remote/commands.py"
    program.change(
        shell,
        '    "repeat": RemoteCommand(',
        '    "wave": RemoteCommand("say hello"),\n    "repeat": RemoteCommand(',
    )
    labels = "daemon/mqtt/labels.py"
    label = '    "repeat": Label("Repeat"'
    program.change(labels, label, f'    "wave": Label("Wave", "손 흔들기", "mdi:hand-wave"),\n{label}')
    program.run(COMMAND_WORKS)
    assert "say hello" in program.python("-m", "daemon.cli.main", "--help")
    # Home Assistant's label is one more, for a command that is offered there.
    assert len(program.opened - {labels}) <= 4


SHELL_COMMAND = """
import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def execute(args: argparse.Namespace, _settings: object) -> int:
    sys.stdout.write(f"Hello, {args.name}.\\n")
    return 0
"""


def test_a_command_of_the_shell(tmp_path: Path) -> None:
    program = Program(tmp_path, "Add a command")
    program.write("daemon/cli/greet.py", "daemon/cli/", SHELL_COMMAND)
    first = "COMMANDS = {\n"
    program.change(
        "daemon/cli/main.py", first, f'{first}    "greet": Subcommand("say hello", "daemon.cli.greet"),\n'
    )
    program.change("daemon/cli/main.py", '("run", "replay", "tour")', '("run", "replay", "tour", "greet")')
    assert program.python("-m", "daemon.cli.main", "greet", "you") == "Hello, you.\n"
    assert "say hello" in program.python("-m", "daemon.cli.main", "--help")
    assert len(program.opened) <= 2


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:\w+/)+[\w.]+\.(?:py|toml|csv))`", RECIPES))))
def test_a_file_that_is_named_is_there(name: str) -> None:
    assert (ROOT / name).exists() or re.search(r"KIND|NAME", name)
