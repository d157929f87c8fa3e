"""A blind person's first minute: the sounds of Watchword, in the order in which it is met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline import wording
from pipeline.description.template import NOTHING_KNOWN
from pipeline.hazards import builtin_hazards
from pipeline.types import Direction, Severity
from speech.sound.earcons import danger_earcon


@dataclass(frozen=True, slots=True)
class TourStop:
    """One step of the tour: a short sound, or none, then words."""

    text: str
    earcon: str | None = None
    pan: float = 0.0
    danger: bool = False


_SAYS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "begin": "This is a tour of what you will hear. Nothing in it is real. At the start:",
        "danger": "A danger is a short sound, then its name, its side and what to do.",
        "warning": "What is less urgent has another sound.",
        "closer": "A danger that lasts is said again ever more rarely, or when it comes closer.",
        "clear": "Two falling tones: a danger is over.",
        "hush": "Hush ends what is being said; danger is still said. Repeat says the last words again.",
        "ask": "Describe, or ask a question. This sound means that it was heard.",
        "nothing": "If nothing is recognised, you hear that, and never that the way is free.",
        "blind": "If the camera fails, you hear it at once.",
        "status": "Where am I? Press status, at any time.",
        "end": "That was the tour. To hear the sounds alone: watchword say, earcons.",
    },
    "ko": {
        "begin": "앞으로 듣게 될 소리를 안내합니다. 실제 위험이 아닙니다. 시작할 때:",
        "danger": "위험은 짧은 신호음, 이름, 방향, 할 일 순서로 나옵니다.",
        "warning": "덜 급한 위험은 신호음이 다릅니다.",
        "closer": "계속되는 위험은 점점 드물게, 또는 가까워질 때 다시 말합니다.",
        "clear": "낮아지는 두 음은 위험이 지나갔다는 뜻입니다.",
        "hush": "그만 말하기는 말을 멈춥니다. 위험 경고는 계속 나옵니다. "
        "다시 말하기는 마지막 말을 되풀이합니다.",
        "ask": "설명을 요청하거나 질문하세요. 이 신호음은 들었다는 뜻입니다.",
        "nothing": "알아본 것이 없으면 그렇게 말합니다. 길이 비었다고는 말하지 않습니다.",
        "blind": "카메라에 문제가 생기면 바로 말합니다.",
        "status": "지금 상태가 궁금하면 언제든지 상태를 누르세요.",
        "end": "안내가 끝났습니다. 신호음만 들으려면 watchword say earcons 명령을 쓰세요.",
    },
}


def tour(language: str) -> Iterator[TourStop]:
    """The steps of the tour, in order; about a minute and a half. `language` is en or ko."""
    says = _SAYS[language]
    yield TourStop(says["begin"])
    yield TourStop(wording.READY[language], "ready")
    yield TourStop(says["danger"])
    yield _warning("fire", Direction.LEFT, language)
    yield TourStop(says["warning"])
    yield _warning("stairs", Direction.AHEAD, language)
    yield TourStop(says["closer"])
    yield _warning("fire", Direction.LEFT, language, escalated=True)
    yield TourStop(says["clear"], "clear")
    yield TourStop(says["hush"])
    yield TourStop(says["ask"], "listening")
    yield TourStop(says["nothing"])
    # The very sentences of the daemon, not examples: the listener will meet these words again.
    yield TourStop(NOTHING_KNOWN[language])
    yield TourStop(says["blind"])
    yield TourStop(wording.health_phrase("camera", "lost", language))
    yield TourStop(says["status"])
    yield TourStop(wording.status_phrase((), 25.0, 0.0, 0.0, language))
    yield TourStop(says["end"])


def _warning(hazard: str, direction: Direction, language: str, *, escalated: bool = False) -> TourStop:
    known = builtin_hazards()[hazard]
    say = known.say_ko if language == "ko" else known.say_en
    return TourStop(
        wording.danger_phrase(say, direction, language, escalated=escalated),
        danger_earcon(Severity[known.severity.upper()]),
        -1.0 if direction is Direction.LEFT else 0.0,
        danger=True,
    )
