"""Layers, where values come from, and what is said when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.layers import Layer, merge, walk
from daemon.config.settings import Loaded, defaults, load
from daemon.errors import ConfigError


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
        ("[watch]\nclear_s = nan\n", "watch.clear_s = NaN: should be a number from 0 to 60"),
        ("[watch]\nclear_s = true\n", "watch.clear_s = true: should be a number"),
        ("[capture]\nmirror = 1\n", "capture.mirror = 1: should be true or false"),
        ("[capture]\nsource = 0\n", "capture.source = 0: should be text in quotes"),
        ("capture = 3\n", "config.toml:1: capture = 3: should be a table"),
        ("paths = 3\n", "paths = 3: should be a table"),
        ("hazards = 3\n", "config.toml:1: hazards = 3: should be a table"),
        ("[[hazards]]\n", "config.toml: hazards = [{}]: should be a table"),
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
        (
            "[speech\n",
            "config.toml: is not valid TOML: Expected ']' at the end of a table declaration (at line 1",
        ),
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
        (f"[speech{'.a' * 5000}]\n", "config.toml: speech: is nested too deeply"),
    ],
    ids=["unreadable", "lists", "tables"],
)
def test_endless_nesting_is_a_mistake_like_any_other(home: Path, config: str, said: str) -> None:
    (problem,) = _problems(home, config)
    assert problem.endswith(said)


def test_every_mistake_is_told_at_once(home: Path) -> None:
    problems = _problems(home, "[speech]\nrate_wpm = 1\nvolum = 2\n", {"WATCHWORD_CAPTURE__ROTATE": "7"})
    assert len(problems) == 3


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("WATCHWORD_CAPTURE__SURCE", 'did you mean "WATCHWORD_CAPTURE__SOURCE"?'),
        ("WATCHWORD_SOURCE", 'did you mean "WATCHWORD_CAPTURE__SOURCE"?'),
        ("WATCHWORD_SPEECH", "environment WATCHWORD_SPEECH: speech = "),
    ],
)
def test_unknown_variables_are_refused(home: Path, variable: str, said: str) -> None:
    (problem,) = _problems(home, env={variable: "0"})
    assert said in problem


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


def test_credentials_are_not_repeated_in_a_complaint(home: Path) -> None:
    (problem,) = _problems(home, '[speech]\nlanguage = "rtsp://me:secret@camera/1"\n')
    assert "secret" not in problem


def test_a_named_file_must_exist(home: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(home / "none.toml", {"HOME": str(home)}, {})
    with pytest.raises(ConfigError, match="does not exist"):
        load(None, {"HOME": str(home), "WATCHWORD_CONFIG": "none.toml"}, {})


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    (home / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary.toml: is not UTF-8"):
        load(home / "binary.toml", {"HOME": str(home)}, {})
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(home, {"HOME": str(home)}, {})


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


_trees = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=9
).filter(lambda tree: isinstance(tree, dict))


@given(st.lists(_trees, min_size=1, max_size=4))
def test_merging_knows_the_topmost_layer_of_every_value(trees: list[dict[str, object]]) -> None:
    layers = tuple(Layer("config", tree, str(index)) for index, tree in enumerate(trees))
    merged, origins = merge(layers)
    for path in walk(merged):
        value: object = merged
        for name in path:
            assert isinstance(value, dict)
            value = value[name]
        if value != {}:
            written: object = origins[path].values
            for name in path:
                assert isinstance(written, dict)
                written = written[name]
            assert written == value
