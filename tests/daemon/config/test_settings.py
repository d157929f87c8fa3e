"""Layers, where values come from, and what is said when something is wrong."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.settings import SCHEMA, Loaded, defaults, load
from daemon.errors import ConfigError
from pipeline.calibration.few_shot import forget


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an empty folder to stand in."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path


def _load(home: Path, config: str = "", env: dict[str, str] | None = None, **cli: object) -> Loaded:
    file = home / "config.toml"
    file.write_text(config, encoding="utf-8")
    return load(file, {"HOME": str(home), **(env or {})}, {key.replace("__", "."): cli[key] for key in cli})


def _problems(home: Path, config: str = "", env: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        _load(home, config, env)
    return caught.value.problems


def _override(home: Path, text: str) -> Path:
    file = home / ".local/state/watchword/overrides.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_where_nothing_is_configured_the_defaults_hold(home: Path) -> None:
    settings = _load(home).settings
    assert settings == defaults({"HOME": str(home)})
    assert {"fire", "vehicle", "stairs"} <= set(settings.hazards)


def test_who_does_not_watch_need_not_see_what_the_daemon_was_taught(home: Path) -> None:
    config = '[hazards.ufo]\nsay_en = "UFO"\n'
    assert _problems(home, config)
    loaded = load(home / "config.toml", {"HOME": str(home)}, {}, watches=False)
    assert loaded.settings.hazards["ufo"].say_en == "UFO"
    assert loaded.again(None).settings == loaded.settings


def test_each_layer_covers_the_one_below(home: Path) -> None:
    config = "[speech]\nrate_wpm = 190\nvolume = 0.5\npitch = 40\n[capture]\nmax_side = 640\n"
    _override(home, "[speech]\nvolume = 0.6\npitch = 41\n[capture]\nmax_side = 641\n")
    env = {"WATCHWORD_SPEECH__PITCH": "42", "watchword_capture__max_side": "642"}
    loaded = _load(home, config, env, capture__max_side=643)
    speech = loaded.settings.speech
    assert (speech.rate_wpm, speech.volume, speech.pitch) == (190, 0.6, 42)
    assert loaded.settings.capture.max_side == 643
    assert {loaded.origins["speech", key].name for key in ("rate_wpm", "volume", "pitch")} == {
        "config",
        "overrides",
        "environment",
    }
    assert loaded.origins["capture", "max_side"].name == "command line"


def test_one_key_of_a_hazard_can_be_changed_alone(home: Path) -> None:
    before = defaults({"HOME": str(home)}).hazards["fire"]
    loaded = _load(home, "[hazards.fire]\nthreshold = 0.4\n")
    assert loaded.settings.hazards["fire"] == before.model_copy(update={"threshold": 0.4})
    assert (
        loaded.origins["hazards", "fire", "threshold"].where(("hazards", "fire", "threshold")).endswith(":2")
    )
    assert loaded.origins["hazards", "fire", "prompts"].name == "default"


def test_people_add_hazards_of_their_own(home: Path) -> None:
    loaded = _load(home, '[hazards.scooter]\nsay_en = "Scooter"\nprompts = ["an electric scooter"]\n')
    assert loaded.settings.hazards["scooter"].prompts == ("an electric scooter",)
    assert "fire" in loaded.settings.hazards


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            "[capture]\nrotat = 90\n",
            'config.toml:2: capture.rotat: no such setting; did you mean "capture.rotate"?',
        ),
        ("[captur]\nrotate = 90\n", 'config.toml:1: captur: no such setting; did you mean "capture"?'),
        ("rate_wpm = 90\n", 'config.toml:1: rate_wpm: no such setting; did you mean "speech.rate_wpm"?'),
        ("[capture]\nrotate = 45\n", "config.toml:2: capture.rotate = 45: should be 0, 90, 180 or 270"),
        (
            '[speech]\nrate_wpm = "fast"\n',
            'speech.rate_wpm = "fast": should be a whole number from 80 to 500',
        ),
        ("[speech]\nrate_wpm = 20\n", "speech.rate_wpm = 20: should be a whole number from 80 to 500"),
        ('[watch]\nclear_s = "2s"\n', 'watch.clear_s = "2s": should be a number from 0 to 60 (seconds'),
        (
            '[watch]\nclear_s = "2"\n',
            'watch.clear_s = "2": should be a number from 0 to 60, without quotes (sec',
        ),
        ('[capture]\nmirror = "true"\n', 'mirror = "true": should be true or false, without quotes'),
        ('[capture]\nrotate = "90"\n', 'rotate = "90": should be 0, 90, 180 or 270, without quotes'),
        ("[watch]\nclear_s = nan\n", "watch.clear_s = NaN: should be a number from 0 to 60"),
        ("[watch]\nclear_s = true\n", "watch.clear_s = true: should be a number"),
        ("[capture]\nmirror = 1\n", "capture.mirror = 1: should be true or false"),
        ("[capture]\nsource = 0\n", "capture.source = 0: should be text in quotes"),
        (
            "[speech]\nrate_wpm = 200\ncapture.rotate = 90\n",
            "config.toml:3: speech.capture: no such setting; "
            "names of other sections belong above the line [speech]",
        ),
        (
            "capture.rotate = 90\n[capture]\nmirror = true\n",
            "config.toml:2: [capture]: settings of capture are written as capture.NAME = ... in line 1; "
            "write those below so too, and above the first [section]",
        ),
        ("capture = 3\n", "config.toml:1: capture = 3: should be a table"),
        ("paths = 3\n", "paths = 3: should be a table"),
        ("hazards = 3\n", "config.toml:1: hazards = 3: should be a table"),
        ("[[hazards]]\n", "config.toml:1: hazards = [{}]: should be a table"),
        ("[hazards]\nfire = 0.4\n", "config.toml:2: hazards.fire = 0.4: should be a table"),
        (r'paths.state = "a\u0000b"', "config.toml:1: paths.state: must not contain the character NUL"),
        (
            '[paths]\nmodels = "/a\\u0000b"\n',
            "config.toml:2: paths.models: must not contain the character NUL",
        ),
        (r'hazards."a\u0000".threshold = 1', "must not contain the character NUL"),
        ("[hazards.fire]\nthreshold = 40\n", 'threshold = 40: should be a number from 0 to 1 or "auto"'),
        ('[hazards.fire]\nprompts = "flames"\n', 'prompts = "flames": should be a list of texts in quotes'),
        (
            "[hazards.fier]\nthreshold = 0.4\n",
            'hazards.fier: no hazard known by this name; did you mean "hazards.fire"?',
        ),
        ('[hazards.ufo]\nsay_en = "UFO"\n', "config.toml:1: hazards.ufo: no prompts; add some"),
        (
            '[hazards.fire]\nsay_en = "Fire {there}!"\n',
            'config.toml:2: hazards.fire.say_en = "Fire {there}!": only {where} may stand in braces',
        ),
        ("[speech\n", "config.toml:1: [speech: a section is written as [speech]"),
        ('[hazards.UFO]\nprompts = ["a ufo"]\n', 'hazards."UFO": a name is up to 40 small letters'),
        ("[desk]\nport = 1\n", 'config.toml:1: desk: no such setting; did you mean "web"?'),
        ("[guests]\n", 'config.toml:1: guests: no such setting; did you mean "worker"?'),
        (
            '[capture]\nsource = "rstp://me:secret@host"\n',
            'config.toml:2: capture.source = "rstp://***@host": rstp:// cannot be read; did you mean rtsp://?',
        ),
        (
            '[capture]\nsource = "192.168.1.5:8080/video"\n',
            "has no scheme; write http:// or rtsp:// before it",
        ),
        ('[describe]\nserver_url = "127.0.0.1:11434/v1"\n', "has no scheme; write http:// before it"),
    ],
)
def test_a_mistake_is_told_in_one_line(home: Path, config: str, said: str) -> None:
    (problem,) = _problems(home, config)
    assert said in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (f"hazards = {'[' * 9999}{']' * 9999}\n", "config.toml: is nested too deeply"),
        (f"[speech]\nvoice = {'[' * 40}{']' * 40}\n", "config.toml:1: speech: is nested too deeply"),
        (f"[speech{'.a' * 1000}]\n", "config.toml:1: speech: is nested too deeply"),
        (f"[speech{'.a' * 5000}]\n", "...: is nested too deeply"),
    ],
    ids=["unreadable", "lists", "tables", "endless name"],
)
def test_endless_nesting_is_a_mistake_like_any_other(home: Path, config: str, said: str) -> None:
    (problem,) = _problems(home, config)
    assert problem.endswith(said)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(home: Path) -> None:
    config = "[speech]\nvolum = 2\nlanguage = ko\nrate_wpm = 1\n[hazards.fier]\n[capture]\nrotate = 7\n"
    _override(home, "[watch]\nclear_s = 99\n")
    problems = _problems(home, config, {"WATCHWORD_CAPTURE__MIRROR": "7"})
    assert [problem.removeprefix(f"{home}/").partition(" ")[0] for problem in problems] == [
        "config.toml:2:",
        "config.toml:3:",
        "config.toml:4:",
        "config.toml:5:",
        "config.toml:7:",
        ".local/state/watchword/overrides.toml:2:",
        "environment",
    ]


def test_of_very_many_mistakes_some_are_told_and_the_rest_counted(home: Path) -> None:
    problems = _problems(home, "[speech]\n" + "".join(f"x{number} = {number}\n" for number in range(3000)))
    assert len(problems) == 41
    assert ":2: speech.x0" in problems[0]
    assert problems[-1] == "and 2960 more mistakes like these"


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_byte_order_mark_is_no_mistake(home: Path, mark: bytes) -> None:
    (home / "config.toml").write_bytes(mark + '[hazards.fire]\nsay_ko = "불"\n'.encode())
    settings = load(home / "config.toml", {"HOME": str(home)}, {}).settings
    assert settings.hazards["fire"].say_ko == "불"


def test_a_hazard_whose_lessons_were_removed_is_left_out_with_a_warning(home: Path) -> None:
    config = '[hazards.ice]\nsay_en = "Ice!"\n[hazards.fire]\nthreshold = 0.9\n'
    taught = home / ".local/state/watchword/taught/ice.json"
    taught.parent.mkdir(parents=True)
    taught.write_text("{}")
    assert not _load(home, config).warnings
    assert forget(home / ".local/state/watchword", "ice")
    loaded = _load(home, config)
    assert "ice" not in loaded.settings.hazards
    (warning,) = loaded.warnings
    assert "config.toml:1: hazards.ice is left out: what was taught of it was removed" in warning
    assert "ice" in _load(home, '[hazards.ice]\nprompts = ["ice on a path"]\n').settings.hazards


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("WATCHWORD_CAPTURE__SURCE", 'did you mean "WATCHWORD_CAPTURE__SOURCE"?'),
        ("WATCHWORD_SOURCE", 'did you mean "WATCHWORD_CAPTURE__SOURCE"?'),
        (
            "WATCHWORD_CAPTUR__SOURCE",
            'WATCHWORD_CAPTUR__SOURCE: captur: no such setting; did you mean "WATCHWORD_CAPTURE__SOURCE"?',
        ),
        ("WATCHWORD_DESK__PORT", 'did you mean "WATCHWORD_WEB__PORT"?'),
        ("WATCHWORD_SPEECH", "environment WATCHWORD_SPEECH: speech = "),
    ],
)
def test_unknown_variables_are_refused(home: Path, variable: str, said: str) -> None:
    (problem,) = _problems(home, env={variable: "0"})
    assert said in problem


def test_a_file_name_in_another_encoding_is_refused_as_what_it_is(home: Path) -> None:
    name = os.fsdecode("/media/한강.mp4".encode("cp949"))
    for env, cli, where in (
        ({"WATCHWORD_CAPTURE__SOURCE": name}, {}, "environment WATCHWORD_CAPTURE__SOURCE"),
        ({}, {"capture.source": name}, "command line"),
        ({}, {"hazards.dog.prompts": [name]}, "command line"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(None, {"HOME": str(home), **env}, cli)
        (problem,) = caught.value.problems
        assert problem.startswith(f"{where}: ")
        assert "is not UTF-8 text" in problem
        problem.encode()


def test_the_environment_spells_every_kind_of_value(home: Path) -> None:
    env = {
        "WATCHWORD_CAPTURE__SOURCE": "0",
        "WATCHWORD_CAPTURE__MIRROR": "true",
        "WATCHWORD_WATCH__REMIND_S": "12.5",
        "WATCHWORD_HAZARDS__FIRE__THRESHOLD": "0.3",
        "WATCHWORD_HAZARDS__SMOKE__THRESHOLD": "auto",
        "WATCHWORD_HAZARDS__DOG__PROMPTS": '["a dog"]',
        "WATCHWORD_MEDIA": "/somewhere",
        "PATH": "/bin",
    }
    settings = _load(home, env=env).settings
    assert (settings.capture.source, settings.capture.mirror, settings.watch.remind_s) == ("0", True, 12.5)
    assert (settings.hazards["fire"].threshold, settings.hazards["smoke"].threshold) == (0.3, "auto")
    assert settings.hazards["dog"].prompts == ("a dog",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" auto", "auto"),
        ("demo ", "demo"),
        (" 0 ", "0"),
        (" /dev/video0 ", "/dev/video0"),
        (" rtsp://host/a ", "rtsp://host/a"),
        (" clip.mp4", " clip.mp4"),
    ],
)
def test_spaces_around_a_source_do_not_matter_unless_it_is_a_file(
    home: Path, written: str, meant: str
) -> None:
    assert _load(home, f'[capture]\nsource = "{written}"\n').settings.capture.source == meant


def test_credentials_are_not_repeated_in_a_complaint(home: Path) -> None:
    (problem,) = _problems(home, '[speech]\nlanguage = "rtsp://me:secret@camera/1"\n')
    assert "secret" not in problem


def test_a_named_file_must_exist(home: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(home / "none.toml", {"HOME": str(home)}, {})
    with pytest.raises(ConfigError, match="does not exist"):
        load(None, {"HOME": str(home), "WATCHWORD_CONFIG": "none.toml"}, {})


def test_the_first_file_found_is_the_one(home: Path) -> None:
    env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "xdg")}
    xdg = home / "xdg/watchword/config.toml"
    xdg.parent.mkdir(parents=True)
    xdg.write_text("[speech]\npitch = 1\n")
    assert load(None, env, {}).files == (xdg,)
    Path("config.toml").write_text("[speech]\npitch = 2\n")
    assert load(None, env, {}).settings.speech.pitch == 2
    (home / "named.toml").write_text("[speech]\npitch = 3\n")
    assert load(None, {**env, "WATCHWORD_CONFIG": str(home / "named.toml")}, {}).settings.speech.pitch == 3


def test_folders_follow_xdg_systemd_and_the_file_in_turn(home: Path) -> None:
    desktop = _load(home).settings.paths
    assert desktop.models == home / ".local/share/watchword/models"
    assert desktop.state == home / ".local/state/watchword"
    unit = {"STATE_DIRECTORY": "/var/lib/watchword", "CACHE_DIRECTORY": "/var/cache/watchword:/other"}
    paths = _load(home, env=unit).settings.paths
    assert (str(paths.models), str(paths.cache)) == ("/var/lib/watchword/models", "/var/cache/watchword")
    chosen = _load(home, '[paths]\nmodels = "~/models"\nstate = "auto"\n', unit).settings.paths
    assert (chosen.models, str(chosen.state)) == (home / "models", "/var/lib/watchword")


def test_overrides_follow_the_configured_state_folder(home: Path) -> None:
    (home / "overrides.toml").write_text("[speech]\npitch = 7\n")
    assert _load(home, f'[paths]\nstate = "{home}"\n').settings.speech.pitch == 7


def test_an_upper_layer_does_not_hide_a_lower_ones_mistake(home: Path) -> None:
    _override(home, "[speech]\npitch = 7\n")
    (problem,) = _problems(home, "speech = 3\n")
    assert "config.toml:1: speech = 3: should be a table" in problem
    (problem,) = _problems(home, env={"WATCHWORD_HAZARDS": "[" * 9999})
    assert "environment WATCHWORD_HAZARDS: hazards = " in problem


def test_overrides_must_not_move_folders(home: Path) -> None:
    _override(home, '[paths]\nstate = "/tmp"\n')
    (problem,) = _problems(home)
    assert "overrides.toml:1: paths cannot be overridden" in problem


_LAYERS = ("config", "overrides", "environment", "command line")
_KEYS = ("rate_wpm", "danger_rate_wpm")


@hypothesis.settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(st.sampled_from(_LAYERS), st.dictionaries(st.sampled_from(_KEYS), st.integers(80, 500)))
)
def test_every_value_is_the_topmost_layers_and_known_to_be(given: dict[str, dict[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        toml = {
            name: "".join(f"speech.{k} = {v}\n" for k, v in given.get(name, {}).items()) for name in _LAYERS
        }
        _override(home, toml["overrides"])
        env = {f"WATCHWORD_SPEECH__{k.upper()}": str(v) for k, v in given.get("environment", {}).items()}
        loaded = _load(
            home, toml["config"], env, **{f"speech__{k}": v for k, v in given.get("command line", {}).items()}
        )
    for key in _KEYS:
        top = next((name for name in reversed(_LAYERS) if key in given.get(name, {})), None)
        expected = given[top][key] if top else 180
        assert getattr(loaded.settings.speech, key) == expected
        origin = loaded.origins.get(("speech", key))
        assert (origin.name if origin else None) == top


@pytest.mark.parametrize("name", [{"control.instance": "left"}, {}])
def test_an_instance_does_not_forward_to_itself(home: Path, name: dict[str, str]) -> None:
    itself = name.get("control.instance", "watchword")
    with pytest.raises(ConfigError, match=f'forward_to = "{itself}" is this instance itself'):
        load(None, {"HOME": str(home)}, {**name, "control.forward_to": itself})
    assert load(None, {"HOME": str(home)}, {**name, "control.forward_to": "right"})


@pytest.mark.parametrize("say", ["{where}", " {where}{where} "])
def test_a_danger_without_a_name_is_refused(home: Path, say: str) -> None:
    (problem,) = _problems(home, f'[hazards.cart]\nsay_en = "{say}"\nprompts = ["a cart"]\n')
    assert "config.toml:2: hazards.cart.say_en" in problem
    assert "says only the side" in problem


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('web.address = "http://0.0.0.0"', 'should be written like "192.168.0.5"'),
        ('mqtt.host = "mqtt://broker:1883"', 'should be written like "homeassistant.local"'),
        ('control.instance = "../x"', 'should be written like "left"'),
        (f'mqtt.username = "{"u" * 201}"', "has 201 characters; 200 at most"),
        (f"web.hosts = {['h'] * 33}", "has 33 entries; 32 at most"),
        ('speech.piper_voice = ""', "must not be empty"),
    ],
)
def test_text_of_a_wrong_form_is_not_asked_for_in_quotes(home: Path, line: str, wanted: str) -> None:
    (problem,) = _problems(home, line + "\n")
    assert f"config.toml:1: {line.split(' = ')[0]}" in problem
    assert wanted in problem
    assert "in quotes" not in problem.split(" (")[0]


def test_every_setting_of_a_fixed_form_shows_an_example_of_it() -> None:
    for path in SCHEMA.leaves():
        spec = SCHEMA.at(path) or {}
        if "pattern" in spec:
            assert all(re.search(spec["pattern"], one) for one in spec["examples"]), path


def test_a_name_in_quotes_is_told_as_such_with_its_line(home: Path) -> None:
    (problem,) = _problems(home, '\n"speech.volume" = 0.5\n')
    cure = "no such setting; write speech.volume without the quotes around the name"
    assert problem.endswith(f"config.toml:2: speech.volume: {cure}")
    (problem,) = _problems(home, '[hazards."a.b"]\nprompts = ["a cart"]\n')
    assert 'config.toml:1: hazards."a.b": a name is up to 40 small letters' in problem


def test_evidence_lasts_from_one_frame_to_the_next(home: Path) -> None:
    """Evidence that starts afresh with each frame never becomes an alert."""
    (problem,) = _problems(home, "watch.max_gap_s = 0.04\n")
    assert "watch.max_gap_s = 0.04: should be a number from 1 to 60" in problem


@pytest.mark.parametrize(
    ("threshold", "warning"),
    [
        ("1", "almost never announced"),
        ("0.999", "almost never announced"),
        ("0", "announced all the time"),
        ("0.5", ""),
        ('"auto"', ""),
    ],
)
def test_a_threshold_that_is_mostly_meant_otherwise_is_told(home: Path, threshold: str, warning: str) -> None:
    loaded = _load(
        home, f"[hazards.fire]\nthreshold = {threshold}\n[hazards.dog]\nenabled = false\nthreshold = 1\n"
    )
    assert bool(loaded.warnings) == bool(warning)
    if warning:
        (line,) = loaded.warnings
        assert line.startswith(f"{home}/config.toml:2: hazards.fire.threshold = {threshold}: ")
        assert warning in line


def test_a_danger_is_said_in_a_sentence(home: Path) -> None:
    (problem,) = _problems(home, f'[hazards.cart]\nsay_en = "{"Cart! " * 40}"\nprompts = ["a cart"]\n')
    assert "config.toml:2: hazards.cart.say_en" in problem
    assert "has 240 characters; 200 at most (spoken in English" in problem
