"""The command line's messages in Korean, for those whose settings or locale are Korean.

Names of settings, hazards and files stay as they are written in files. Output for programs (`--json`,
events) is in English.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from common.errors import WatchwordError
from daemon.cli.korean_status import STATUS
from daemon.cli.korean_tune import TUNE

if TYPE_CHECKING:
    from daemon.config.settings import Loaded

NOT_RUNNING = "{detail}"
"""The client's message if no daemon runs. In Korean it follows the remedy."""
TEXTS: Mapping[str, str] = {
    # hush, mute, louder, faster, reload
    "quiet for {minutes} min; danger is still said unless you ask again now": (
        "{minutes}분 동안 위험 경고만 합니다. 지금 한 번 더 요청하면 위험 경고도 끕니다."
    ),
    "speaking again": "다시 말합니다",
    "the answer is spoken": "답은 음성으로 나옵니다",
    "silent": "말을 멈춥니다",
    "changed: {names}": "바뀜: {names}",
    "nothing": "없음",
    "needs a restart: {names}": "다시 시작해야 적용됨: {names}",
    "hazards.{name}: the model cannot recognise it by its words; "
    "teach it with pictures: `watchword teach {name} FOLDER`": (
        "hazards.{name}: 이 모델은 말로는 알아볼 수 없습니다. 사진으로 가르쳐 주세요: "
        "`watchword teach {name} FOLDER`"
    ),
    "volume {percent}%": "음량 {percent}%",
    "{rate} words a minute": "분당 {rate}단어",
    # check
    "ready": "준비 완료",
    "cannot work: {names}": "작동할 수 없음: {names}",
    "to do": "할 일",
    "ok": "정상",
    "warn": "주의",
    "fail": "실패",
    # say
    "{seconds} s in {file}": "{seconds}초, {file}",
    # journal
    "nothing like that was kept": "해당하는 기록이 없습니다",
    "{events} events and {pictures} pictures in {to}": "기록 {events}건과 사진 {pictures}장: {to}",
    "not marked": "표시 없음",
    "marked as {verdict}": "표시: {verdict}",
    "marked as {verdict}; `watchword calibrate FOOTAGE --labelled {file}` learns from it": (
        "표시: {verdict}. 배우려면: `watchword calibrate FOOTAGE --labelled {file}`"
    ),
    "right": "맞음",
    "wrong": "잘못된 경고",
    "black box": "블랙박스",
    "Forget everything in the journal, pictures and black boxes too?": (
        "모든 기록을 사진과 블랙박스까지 지울까요?"
    ),
    "Forget all from before {before}, pictures and black boxes too?": (
        "{before} 이전의 기록을 사진과 블랙박스까지 모두 지울까요?"
    ),
    "nothing was forgotten": "아무것도 지우지 않았습니다",
    "{count} events": "기록 {count}건",
    "{count} pictures": "사진 {count}장",
    "{count} black boxes": "블랙박스 {count}개",
    "forgotten: {parts}": "지움: {parts}",
    # errors
    NOT_RUNNING: (
        "watchword가 실행되고 있지 않습니다. `watchword run`이나 `systemctl start watchword`로 "
        "시작하세요 ({detail})"
    ),
    "watchword has stopped": "watchword가 멈췄습니다",
    **STATUS,
    **TUNE,
}
"""By the English text."""


def language(load: Callable[[], Loaded]) -> str:
    """`ko` if the locale or `speech.language` is Korean, else `en`. Unreadable settings count as English."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if locale.lower().startswith("ko"):
        return "ko"
    try:
        return load().settings.speech.language
    except WatchwordError:  # the command itself reports it, if it needs them
        return "en"


def text(english: str, language: str, **values: object) -> str:
    """A message in a language, with its values filled in; without a translation in English."""
    message = TEXTS.get(english, english) if language == "ko" else english
    return message.format(**values)


def speaker(load: Callable[[], Loaded]) -> Callable[..., str]:
    """`text` in the user's language, which is looked up with the first message."""
    found: list[str] = []

    def say(english: str, **values: object) -> str:
        if not found:
            found.append(language(load))
        return text(english, found[0], **values)

    return say
