"""The command line in Korean: by the locale or by the settings, and never for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from daemon.cli.korean import TEXTS, language
from daemon.cli.main import main
from daemon.config.settings import Loaded
from daemon.errors import ConfigError
from tests.daemon.cli.test_commands import Told, home, told

__all__ = ["home", "told"]
KOREAN = re.compile("[가-힣]")


@pytest.fixture
def korean(home: Path) -> Path:
    """A user whose settings are Korean."""
    (home / "config.toml").write_text('[speech]\nlanguage = "ko"\n')
    return home


@pytest.mark.parametrize(
    "argv",
    [["ask"], ["read"], ["describe"], ["hush"], ["mute", "2.5"], ["mute", "0"], ["softer"], ["faster"]],
)
def test_every_answer_is_korean(
    korean: Path, told: Told, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed and all(KOREAN.search(line) for line in printed)


def test_status_is_korean_and_its_json_is_not(
    korean: Path, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status"])
    assert capsys.readouterr().out.splitlines()[:2] == [
        "문제가 있음",
        "구성 요소: camera ok, loudspeaker lost for 1 min 15 s (no device)",
    ]
    main(["status", "--json"])
    assert not KOREAN.search(json.dumps(json.loads(capsys.readouterr().out), ensure_ascii=False))


def test_reload_tells_what_would_never_be_recognised(
    korean: Path, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reload"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "바뀜: speech.rate_wpm",
        "다시 시작해야 적용됨: capture.source",
        "hazards.scooter: 이 모델은 말로는 알아볼 수 없습니다. 사진으로 가르쳐 주세요: "
        "`watchword teach scooter FOLDER`",
    ]


def test_that_none_runs_is_said_in_korean_with_the_cure(
    korean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hush"]) == 1
    complaint = capsys.readouterr().err
    assert KOREAN.search(complaint) and "`watchword run`" in complaint


@pytest.mark.parametrize(
    ("locale", "found"), [("ko_KR.UTF-8", "ko"), ("en_GB.UTF-8", "en"), ("C", "en"), ("", "en")]
)
def test_the_locale_is_enough(monkeypatch: pytest.MonkeyPatch, locale: str, found: str) -> None:
    def broken() -> Loaded:
        raise ConfigError("config.toml is broken")

    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    assert language(broken) == found


def test_a_translation_fills_in_the_same_values() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    assert {en for en, ko in TEXTS.items() if places(en) != places(ko)} == set()
    assert all(KOREAN.search(ko) for ko in TEXTS.values())
