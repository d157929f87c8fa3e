"""The command line in Korean: by the locale or by the settings, and never for programs."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from capture.quality import ImageFault
from capture.reader import CameraState
from daemon.cli.korean import TEXTS, language
from daemon.cli.korean_status import STATUS
from daemon.cli.main import main
from daemon.cli.remote.status import StatusWords, readable
from daemon.config.settings import Loaded
from daemon.errors import ConfigError
from daemon.handlers.metrics import STAGES
from pipeline.calibration.repository import NOT_MEASURED
from pipeline.description.speed import ANSWERS, DescriberSpeed
from pipeline.description.status import Phase
from pipeline.selection.trial import ModelTrial
from pipeline.types import Direction, Severity
from pipeline.wording import HEALTH
from speech.playback.base import AudioOutput
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
    assert capsys.readouterr().out.splitlines() == [
        "문제 있음",
        "구성 요소: 카메라 정상, 스피커 끊김(1분 15초째: no device)",
        "지금 있는 위험: vehicle (위급, 왼쪽), dog (경고)",
        "초당 프레임: 25.0",
        "실행 시간: 1시간 2분",
        "지연: 영상 나이 44/105/156 ms (중앙값/상위 5%/상위 1%)",
        "버전: 0.1.0",
        "temperature c: 61",
    ]
    main(["status", "--json"])
    assert not KOREAN.search(json.dumps(json.loads(capsys.readouterr().out), ensure_ascii=False))


def test_every_other_entry_is_korean_too() -> None:
    status = {
        "components": {
            "picture": {"reason": "dark", "since_s": 5.0, "detail": "dark, noise"},
            "disk": {"reason": "full", "since_s": 3700.0, "detail": ""},
            "newer": {"reason": "odd", "since_s": 200000.0, "detail": "{x}"},
        },
        "lost": ["journal"],
        "unrecognised": ["scooter"],
        "muted_s": 90.0,
        "model_note": f"{NOT_MEASURED}; the starter votes on every built-in hazard",
        "models_turned_down": {"vit": "too slow here: 5.1 frames/s, 8 are needed"},
        "heartbeats": {"detect": 0.04},
        "journal": {"disk": "failed", "dropped": 2, "pictures_missed": 1, "kept_apart": ["/x"]},
        "describer": "qwen: failed (no memory)",
        "camera": "live",
        "outlet": "another instance",
        "keys": "waiting for Buttons (no such device)",
    }
    assert list(readable(status, StatusWords("ko"))) == [
        "문제 있음",
        "구성 요소: 카메라 영상 너무 어두움(5초째: 너무 어두움, 잡음뿐임), 디스크 가득 참(1시간 1분째), "
        "newer odd(2일 7시간째: {x})",
        "멈춘 부분: journal",
        "알아볼 수 없는 위험: scooter(이 모델은 말로는 알아볼 수 없습니다. 사진으로 가르쳐 주세요: "
        "`watchword teach scooter FOLDER`)",
        "음소거: 앞으로 1분 30초",
        "판단 근거: 말로만 알아봄, 라벨 사진으로 검증하지 않음. 기본 위험은 starter와 함께 판단함",
        "쓰지 않는 모델: vit (여기서는 너무 느림: 초당 5.1프레임, 필요한 속도는 8프레임)",
        "작동 신호: detect 0.0초 전",
        "기록: 고장, 놓친 기록 2건, 놓친 사진 1장, 읽을 수 없는 기록을 /x에 보관함(`check` 참고)",
        "설명 모델: qwen: 고장 (no memory)",
        "카메라: 정상",
        "소리 출력: 다른 워치워드",
        "버튼 장치: 기다리는 중: Buttons (no such device)",
    ]


def page_texts(language: str) -> dict[str, str]:
    folder = resources.files("daemon.web").joinpath("page/texts")
    texts: dict[str, str] = json.loads(folder.joinpath(f"{language}.json").read_text("utf-8"))
    return texts


def test_what_the_page_says_too_has_the_same_words() -> None:
    page = page_texts("ko")
    kinds = ("component", "reason", "severity", "where", "outlet")
    own = {key: word for key, word in STATUS.items() if key.startswith(tuple(f"{kind}." for kind in kinds))}
    assert own == {key: page[key] for key in own}
    for name in ("unrecognised", "uptime", "source", "model note", "describer", "outlet", "skipped"):
        assert STATUS[name] == page[f"figure.{name.replace(' ', '-')}"]
    assert (STATUS["all is well"], STATUS["something has failed"]) == (
        page["health.well"],
        page["state.unwell"],
    )


def test_every_state_that_the_program_reports_has_words() -> None:
    words = StatusWords("ko")
    reported = {(component, reason) for component, reason in HEALTH["ko"] if reason != "*"}
    reported |= {("picture", fault) for fault in ImageFault}
    reported |= {("loudspeaker", f"to {output}") for output in AudioOutput if output != "loudspeaker"}
    reported |= {("loudspeaker", "unreachable"), ("detector", "late"), ("configuration", "invalid")}
    codes = {("component", one) for one, _ in reported} | {("reason", reason) for _, reason in reported}
    codes |= {("camera", state) for state in CameraState} | {("phase", phase) for phase in Phase}
    codes |= {("outlet", output) for output in AudioOutput} | {("where", side) for side in Direction}
    codes |= {("stage", stage) for stage in STAGES.values()}
    codes |= {("severity", severity.name.lower()) for severity in Severity}
    assert {code for code in codes if not KOREAN.search(words.code(*code))} == set()
    for spoken in ("en", "ko"):
        assert {f"reason.{reason}" for _, reason in reported} <= set(page_texts(spoken))


def test_the_sentences_of_the_daemon_are_known_by_what_writes_them() -> None:
    trial = ModelTrial(model="vit", installed="", machine="", frames_per_s=30.0)
    speed = DescriberSpeed(model="vlm", installed="", machine="", deadline_s=7.0, answers=ANSWERS)
    trials = (
        {"failed": "no memory"},
        {"frames_per_s": 2.5},
        {"views": 10, "false_views": 9, "starter_false_views": 0},
    )
    known = [
        NOT_MEASURED,
        *(trial.model_copy(update=found).turned_down(measured=False) for found in trials),
        *(speed.model_copy(update={"first_sentence_s": s}).turned_down(5.0) for s in (9.5, None)),
        "off",
    ]
    assert all(known)
    assert [one for one in known if not KOREAN.search(StatusWords("ko").sentence(one))] == []
    assert StatusWords("ko").sentence("Segmentation fault") == "Segmentation fault"


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
