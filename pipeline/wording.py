"""The spoken words about dangers and the program itself, in English and Korean.

The thing comes first, then its side, then the advice; twelve words at most, no number that was not asked for.
Korean warnings are telegraphic, statements end in -습니다.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.types import Direction

WHERE: Mapping[str, Mapping[Direction | None, str]] = {
    "en": {
        None: "",
        Direction.LEFT: " on your left",
        Direction.AHEAD: " ahead",
        Direction.RIGHT: " on your right",
        Direction.BOTH: " on both sides",
        Direction.BEHIND: " behind you",
    },
    "ko": {
        None: "",
        Direction.LEFT: " 왼쪽.",
        Direction.AHEAD: " 정면.",
        Direction.RIGHT: " 오른쪽.",
        Direction.BOTH: " 양쪽.",
        Direction.BEHIND: " 뒤쪽.",
    },
}
"""The replacement of `{where}` in a hazard's text."""

ONLY_WHERE: Mapping[str, Mapping[Direction, str]] = {
    "en": {
        Direction.LEFT: "On your left.",
        Direction.AHEAD: "Straight ahead.",
        Direction.RIGHT: "On your right.",
        Direction.BOTH: "On both sides.",
        Direction.BEHIND: "Behind you.",
    },
    "ko": {
        Direction.LEFT: "왼쪽입니다.",
        Direction.AHEAD: "정면입니다.",
        Direction.RIGHT: "오른쪽입니다.",
        Direction.BOTH: "양쪽입니다.",
        Direction.BEHIND: "뒤쪽입니다.",
    },
}
"""Said when the direction becomes known after the alert."""

CLOSER: Mapping[str, str] = {"en": "Getting closer!", "ko": "가까워집니다!"}

LETTERS_PER_S: Mapping[str, float] = {"en": 16.0, "ko": 6.0}
"""Letters, in Korean syllables, of a name that are said in a second at the usual rate."""
ATTACK_S: Mapping[str, float] = {"en": 0.06, "ko": 0.14}
"""Seconds that even the shortest name takes beside its letters."""

BEFORE: Mapping[str, str] = {"en": "A moment ago: ", "ko": "조금 전: "}
"""In front of an alert whose picture is seconds old."""

HEALTH: Mapping[str, Mapping[tuple[str, str], str]] = {
    "en": {
        ("camera", "ok"): "The camera is back.",
        ("camera", "unusable"): "The camera cannot be used. I see nothing.",
        ("camera", "stuck"): "The camera does not answer. I see nothing.",
        ("camera", "failed"): "Something in me broke. I see nothing.",
        ("camera", "*"): "Camera lost. I see nothing.",
        ("picture", "ok"): "The camera sees again.",
        ("picture", "dark"): "Too dark for the camera.",
        ("picture", "covered"): "The camera is covered.",
        ("picture", "frozen"): "The picture is frozen. I see nothing.",
        ("picture", "blurred"): "The picture is blurred.",
        ("picture", "broken"): "Only half pictures come. I may miss dangers.",
        ("picture", "noise"): "The picture is only noise. I see nothing.",
        ("picture", "slow"): "Too few pictures come. I may miss dangers.",
        ("picture", "*"): "The picture is bad. I may miss dangers.",
        ("detector", "ok"): "Warnings are in time again.",
        ("detector", "failed"): "There are no warnings. Something in me failed.",
        ("detector", "hung"): "There are no warnings. Something in me hangs.",
        ("detector", "*"): "Warnings are late.",
        ("describer", "ok"): "Descriptions are back.",
        ("describer", "*"): "No descriptions for now. Warnings go on.",
        ("voice", "ok"): "My voice is back.",
        ("voice", "*"): "My voice is failing. Warnings go on.",
        ("loudspeaker", "ok"): "Sound is back.",
        ("loudspeaker", "*"): "Sound is failing.",
        ("disk", "ok"): "I am recording again.",
        ("disk", "full"): "The disk is full. Nothing is being recorded.",
        ("disk", "lost"): "My records were lost. I begin new ones.",
        ("disk", "set_aside"): "My older records are unreadable. I keep them and begin new ones.",
        ("disk", "*"): "The disk fails. Nothing is being recorded.",
        ("program", "ok"): "All parts of me work again.",
        ("program", "*"): "A part of me has failed. Warnings go on.",
        ("configuration", "ok"): "The settings are fine again.",
        ("configuration", "*"): "The settings have a mistake. I use the last good ones.",
    },
    "ko": {
        ("camera", "ok"): "카메라가 돌아왔습니다.",
        ("camera", "unusable"): "카메라를 쓸 수 없어 앞을 확인하지 못합니다.",
        ("camera", "stuck"): "카메라가 응답하지 않아 앞을 확인하지 못합니다.",
        ("camera", "failed"): "프로그램 오류로 앞을 확인하지 못합니다.",
        ("camera", "*"): "카메라가 끊겨 앞을 확인하지 못합니다.",
        ("picture", "ok"): "카메라 시야가 돌아왔습니다.",
        ("picture", "dark"): "카메라에 너무 어둡습니다.",
        ("picture", "covered"): "카메라가 가려졌습니다.",
        ("picture", "frozen"): "영상이 멈춰 앞을 확인하지 못합니다.",
        ("picture", "blurred"): "영상이 흐립니다.",
        ("picture", "broken"): "영상이 반만 들어와 위험을 놓칠 수 있습니다.",
        ("picture", "noise"): "영상에 잡음뿐이라 앞을 확인하지 못합니다.",
        ("picture", "slow"): "영상이 너무 드물게 들어와 위험을 놓칠 수 있습니다.",
        ("picture", "*"): "영상이 좋지 않아 위험을 놓칠 수 있습니다.",
        ("detector", "ok"): "경고가 다시 제때 나옵니다.",
        ("detector", "failed"): "위험 감지 오류. 경고가 나오지 않습니다.",
        ("detector", "hung"): "위험 감지가 멈춰 경고가 나오지 않습니다.",
        ("detector", "*"): "경고가 늦습니다.",
        ("describer", "ok"): "설명이 다시 나옵니다.",
        ("describer", "*"): "설명이 멈췄습니다. 경고는 계속됩니다.",
        ("voice", "ok"): "음성이 다시 나옵니다.",
        ("voice", "*"): "음성 이상. 경고는 계속됩니다.",
        ("loudspeaker", "ok"): "소리가 다시 나옵니다.",
        ("loudspeaker", "*"): "소리에 이상이 있습니다.",
        ("disk", "ok"): "다시 기록하고 있습니다.",
        ("disk", "full"): "디스크가 가득 찼습니다. 기록하지 못합니다.",
        ("disk", "lost"): "기록이 사라졌습니다. 새로 기록합니다.",
        ("disk", "set_aside"): "이전 기록을 읽을 수 없습니다. 따로 보관하고 새로 기록합니다.",
        ("disk", "*"): "디스크에 문제가 있습니다. 기록하지 못합니다.",
        ("program", "ok"): "모든 기능이 다시 작동합니다.",
        ("program", "*"): "일부 기능 이상. 경고는 계속됩니다.",
        ("configuration", "ok"): "설정이 다시 정상입니다.",
        ("configuration", "*"): "설정에 오류가 있습니다. 이전 설정을 그대로 씁니다.",
    },
}
"""By component and reason; `*` means any other reason."""

NOTHING_SAID: Mapping[str, str] = {"en": "I have not said anything yet.", "ko": "아직 말한 것이 없습니다."}

READY: Mapping[str, str] = {"en": "Ready. I am watching.", "ko": "준비 완료. 살피고 있습니다."}
OTHER_DEVICE: Mapping[str, str] = {
    "en": "Warnings may be slower: the chosen processor cannot be used.",
    "ko": "선택한 처리 장치를 쓸 수 없어 경고가 느릴 수 있습니다.",
}
OUTDATED_LESSONS: Mapping[str, str] = {
    "en": "I do not know these any more, teach me again: {names}.",
    "ko": "인식 모델이 바뀌었습니다. 다시 가르쳐 주세요. {names}.",
}
UNKNOWN_HAZARDS: Mapping[str, str] = {
    "en": "I cannot recognise these by words, teach me with pictures: {names}.",
    "ko": "말로는 알아볼 수 없습니다. 사진으로 가르쳐 주세요. {names}.",
}
OUTDATED_CALIBRATION: Mapping[str, str] = {
    "en": "Your calibration is outdated and not used. Please calibrate again.",
    "ko": "저장된 보정이 맞지 않아 쓰지 않습니다. 다시 보정해 주세요.",
}
OUTDATED_HEADS: Mapping[str, str] = {
    "en": "What was trained with your pictures is outdated and not used. Please train it again.",
    "ko": "직접 학습한 내용이 맞지 않아 쓰지 않습니다. 다시 학습해 주세요.",
}
GOODBYE: Mapping[str, str] = {
    "en": "No more warnings.",
    "ko": "이제 경고하지 않습니다.",
}
ONE_LESS: Mapping[str, str] = {
    "en": "One camera stops.",
    "ko": "카메라 하나가 꺼집니다.",
}
"""The same for an instance for which another one speaks; that one may continue."""
DEMONSTRATION: Mapping[str, str] = {
    "en": "No camera. This is a demonstration; its dangers are not real.",
    "ko": "카메라가 없습니다. 지금은 시연이며, 실제 위험이 아닙니다.",
}

VOLUME: Mapping[str, str] = {"en": "Volume {percent} percent.", "ko": "음량 {percent}퍼센트."}
RATE: Mapping[str, str] = {"en": "Speed {wpm}.", "ko": "속도 {wpm}."}
FURTHEST: Mapping[str, Mapping[tuple[str, int], str]] = {
    "en": {
        ("volume", 1): "That is the loudest.",
        ("volume", -1): "That is the softest.",
        ("rate", 1): "That is the fastest.",
        ("rate", -1): "That is the slowest.",
    },
    "ko": {
        ("volume", 1): "최대 음량입니다.",
        ("volume", -1): "최소 음량입니다.",
        ("rate", 1): "가장 빠릅니다.",
        ("rate", -1): "가장 느립니다.",
    },
}
"""By knob and direction: it goes no further."""

AWAY: Mapping[str, tuple[str, str]] = {
    "en": ("I was away for {count} seconds.", "I was away for {count} minutes."),
    "ko": ("{count}초간 멈췄습니다.", "{count}분간 멈췄습니다."),
}
"""After the program or the machine stood still; for less than two minutes, and for longer."""

NOT_KEPT: Mapping[str, str] = {
    "en": "I cannot keep that beyond the next start.",
    "ko": "다시 시작하면 이 설정은 사라집니다.",
}
NOT_NOTED: Mapping[str, str] = {"en": "I could not write that down.", "ko": "기록하지 못했습니다."}
NO_ANSWER: Mapping[str, str] = {"en": "I have no answer to that.", "ko": "대답할 수 없습니다."}
NOT_CHANGED: Mapping[str, str] = {"en": "That did not work. Nothing changed.", "ko": "바꾸지 못했습니다."}
NOT_POSSIBLE: Mapping[str, str] = {"en": "I cannot do that now.", "ko": "지금은 할 수 없습니다."}

FALSE_ALARM: Mapping[str, str] = {
    "en": "False alarm noted: {what}",
    "ko": "오경보로 기록했습니다. {what}",
}
NO_ALARM: Mapping[str, str] = {
    "en": "There was no warning to take back.",
    "ko": "취소할 경고가 없습니다.",
}

WELL: Mapping[str, str] = {
    "en": "All is well. I am watching.",
    "ko": "모두 정상. 살피고 있습니다.",
}
STILL_WATCHING: Mapping[str, str] = {
    "en": "I am watching.",
    "ko": "살피고 있습니다.",
}
FEW = 2.5
"""Pictures a second below which nothing is called well."""
ONE_IN: Mapping[str, str] = {
    "en": "I get very few pictures. I may miss dangers.",
    "ko": "영상이 아주 드물게 들어와 위험을 놓칠 수 있습니다.",
}
FEW_PICTURES: Mapping[str, str] = {
    "en": "I get few pictures. I may miss dangers.",
    "ko": "영상이 드물게 들어와 위험을 놓칠 수 있습니다.",
}
NO_PICTURES: Mapping[str, str] = {
    "en": "I get no pictures. I see nothing.",
    "ko": "영상이 들어오지 않아 앞을 확인하지 못합니다.",
}

EARCONS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "critical": "Danger. Stop.",
        "warning": "Warning.",
        "notice": "Take note.",
        "several": "Several dangers at once.",
        "ready": "I am ready.",
        "clear": "The danger is over.",
        "listening": "I have heard you.",
        "error": "Something failed.",
        "tick": "I am watching.",
    },
    "ko": {
        "critical": "위급. 멈추세요.",
        "warning": "경고.",
        "notice": "알림.",
        "several": "위험이 여럿입니다.",
        "ready": "준비 완료.",
        "clear": "위험이 지나갔습니다.",
        "listening": "들었습니다.",
        "error": "문제가 생겼습니다.",
        "tick": "살피고 있습니다.",
    },
}
"""The meaning of each short sound, for learning them by ear."""


def danger_phrase(say: str, direction: Direction | None, language: str, *, escalated: bool = False) -> str:
    """The words of an alert: `say` with its `{where}` filled in."""
    if escalated:
        say = _closer(say, language)
    return say.replace("{where}", WHERE[language][direction])


def name_length_s(say: str, language: str) -> float:
    """Seconds, roughly, until the name in a hazard's text has been said; the whole if it is not first."""
    before = say.partition("{where}")[0].strip(" !.") if "{where}" in say else ""
    letters = before or say.replace("{where}", "")
    return ATTACK_S[language] + sum(map(str.isalnum, letters)) / LETTERS_PER_S[language]


def _closer(say: str, language: str) -> str:
    """The name and the side, then that it comes closer, instead of the advice."""
    # Up to the side: the advice behind it was given with the first alert, and there is less time now.
    found = re.match(r"[^!.{]+[!.]?\{where\}[!.]?", say)
    return f"{found[0]} {CLOSER[language]}" if found else f"{CLOSER[language]} {say}"


def danger_phrases(say: str, language: str, call: str = "") -> Iterator[str]:
    """Everything that can be said of a hazard, to be rendered beforehand."""
    for direction in (None, *Direction):
        for escalated in (False, True):
            yield danger_phrase(say, direction, language, escalated=escalated)
    yield from ONLY_WHERE[language].values()
    yield name_call(say, call)
    yield from filter(None, [advice(say)])


def name_call(say: str, call: str = "") -> str:
    """The name of a hazard alone, for when several come at once: its `call`, else taken from `say`."""
    # With the mark of the text: a name said in two tones would be one phrase more to tell apart.
    return call or _thing(say) + ("!" if "!" in say else ".")


def advice(say: str) -> str:
    """The part of a hazard's text after name and side; empty if there is none."""
    before, _, after = say.partition("{where}")
    # Without words before its side, the words behind it are the name itself.
    return after.lstrip("!. ").strip() if before.strip() else ""


def own_phrases(language: str) -> Iterator[str]:
    """Phrases about the program itself that must be available without a voice: rendered beforehand."""
    yield from HEALTH[language].values()
    yield GOODBYE[language]
    yield ONE_LESS[language]


def health_phrase(component: str, reason: str, language: str) -> str:
    """The announcement if a component fails or recovers."""
    texts = HEALTH[language]
    # Each component has a general phrase, so that a new reason is never silent.
    return texts.get((component, reason)) or texts[(component, "*")]


def mute_phrase(seconds: float, language: str, *, danger: bool) -> str:
    """The answer to a wish for silence. Minutes are rounded up; 0 seconds ends the silence."""
    # Rounded up by floor division of the negative: a few seconds must not be announced as none.
    minutes = -int(-seconds // 60)
    if language == "ko":
        if minutes == 0:
            return "다시 말합니다."
        what = "위험 경고까지 모두 끕니다" if danger else "위험 경고만 합니다"
        return f"{minutes}분 동안 {what}."
    if minutes == 0:
        return "I am speaking again."
    unit = "minute" if minutes == 1 else "minutes"
    return f"Silent for {minutes} {unit}, {'even about danger' if danger else 'except for danger'}."


def away_phrase(seconds: float, language: str) -> str:
    """The announcement after the program stood still for so long."""
    short, long = AWAY[language]
    return short.format(count=round(seconds)) if seconds < 120 else long.format(count=round(seconds / 60))


def outdated_lessons_phrase(names: Sequence[str], language: str) -> str:
    """The names of hazards whose taught pictures do not fit the model."""
    spoken = ", ".join(name.replace("_", " ") for name in names)
    return OUTDATED_LESSONS[language].format(names=spoken)


def unknown_hazards_phrase(names: Sequence[str], language: str) -> str:
    """The names of hazards that the model can never recognise by their words."""
    spoken = ", ".join(name.replace("_", " ") for name in names)
    return UNKNOWN_HAZARDS[language].format(names=spoken)


def volume_phrase(volume: float, language: str) -> str:
    """The answer to louder and softer; 0 to 1 as a percentage."""
    return VOLUME[language].format(percent=round(volume * 100))


def rate_phrase(words_per_minute: int, language: str) -> str:
    """The answer to faster and slower."""
    return RATE[language].format(wpm=words_per_minute)


def _thing(say: str) -> str:
    """The part of a hazard's text that names it: the text before its side, else the text after it."""
    before, _, after = say.partition("{where}")
    # A call may stand before the name: "Careful! Fire{where}."
    named = before.rstrip(" !.").rpartition("! ")[2]
    return named if named and "{where}" in say and before[-1:] != " " else (after or before).strip(" !.")


def false_alarm_phrase(say: str, language: str) -> str:
    """The answer to a false alarm: its name, without the word that calls for action."""
    return FALSE_ALARM[language].format(what=_thing(say) + ".")


def _watching(pictures_per_second: float, language: str, *, well: bool) -> str:
    """That pictures are seen, and how many: a wearer must know whether a danger could be missed."""
    if pictures_per_second < FEW:
        return ONE_IN[language] if pictures_per_second < 1.25 else FEW_PICTURES[language]
    return (WELL if well else STILL_WATCHING)[language]


def status_phrase(
    failing: Sequence[tuple[str, str]],
    pictures_per_second: float,
    muted_s: float,
    danger_muted_s: float,
    language: str,
) -> str:
    """The spoken status: failing components with reasons, else that all is well; and how long it is muted."""
    parts = [health_phrase(component, reason, language) for component, reason in failing]
    # The phrase of a failing camera says already that nothing is seen.
    blind = any(component in ("camera", "picture") for component, _ in failing)
    if pictures_per_second >= 0.5:
        parts += [] if blind else [_watching(pictures_per_second, language, well=not failing)]
    elif not blind:
        parts.insert(0, NO_PICTURES[language])
    if muted_s > 0:
        parts.append(mute_phrase(muted_s, language, danger=danger_muted_s > 0))
    return " ".join(parts)
