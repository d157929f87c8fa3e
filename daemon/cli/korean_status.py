"""The words of `watchword status` in Korean. What the page says too is worded as there."""

from __future__ import annotations

import re
from collections.abc import Mapping

STATUS: Mapping[str, str] = {
    "all is well": "모두 정상",
    "something has failed": "문제 있음",
    # entries
    "components": "구성 요소",
    "lost": "멈춘 부분",
    "unrecognised": "알아볼 수 없는 위험",
    "dangers": "지금 있는 위험",
    "muted": "음소거",
    "danger muted": "위험 경고 음소거",
    "source": "영상 입력",
    "model": "모델",
    "model note": "판단 근거",
    "models turned down": "쓰지 않는 모델",
    "fps": "초당 프레임",
    "skipped": "건너뛴 영상",
    "passed over": "지나친 영상",
    "left out": "뺀 영상",
    "uptime": "실행 시간",
    "heartbeats": "작동 신호",
    "journal": "기록",
    "instance": "이름",
    "latency": "지연",
    "counts": "횟수",
    "version": "버전",
    "pid": "프로세스 번호",
    "device": "처리 장치",
    "device wanted": "설정한 처리 장치",
    "describer": "설명 모델",
    "camera": "카메라",
    "frames": "받은 영상",
    "assessed": "분석한 영상",
    "outlet": "소리 출력",
    "underruns": "소리가 끊긴 횟수",
    "loudspeaker losses": "스피커가 끊긴 횟수",
    "output latency ms": "소리 출력 지연(밀리초)",
    "keys": "버튼 장치",
    "dropped events": "놓친 기록",
    # components
    "component.camera": "카메라",
    "component.picture": "카메라 영상",
    "component.detector": "위험 감지",
    "component.describer": "설명",
    "component.voice": "음성",
    "component.loudspeaker": "스피커",
    "component.disk": "디스크",
    "component.configuration": "설정",
    "component.program": "프로그램 기능",
    # reasons
    "reason.ok": "정상",
    "reason.lost": "끊김",
    "reason.set_aside": "이전 기록을 따로 보관함",
    "reason.dark": "너무 어두움",
    "reason.covered": "가려짐",
    "reason.blurred": "흐림",
    "reason.frozen": "멈춤",
    "reason.broken": "반만 들어옴",
    "reason.noise": "잡음뿐임",
    "reason.slow": "너무 드물게 들어옴",
    "reason.late": "늦음",
    "reason.failed": "고장",
    "reason.hung": "멈춤",
    "reason.stuck": "응답하지 않음",
    "reason.unusable": "쓸 수 없음",
    "reason.full": "가득 참",
    "reason.invalid": "오류 있음",
    "reason.unreachable": "연결할 수 없음",
    "reason.to file": "소리가 파일로 나감",
    "reason.to nowhere": "소리가 나가지 않음",
    # states of the camera and the describer
    "camera.opening": "여는 중",
    "camera.live": "정상",
    "camera.lost": "끊김",
    "camera.ended": "끝남",
    "camera.unusable": "쓸 수 없음",
    "camera.stuck": "응답하지 않음",
    "camera.failed": "고장",
    "phase.loading": "불러오는 중",
    "phase.ready": "준비됨",
    "phase.failed": "고장",
    "outlet.loudspeaker": "스피커",
    "outlet.file": "파일",
    "outlet.nowhere": "없음",
    "outlet.another instance": "다른 워치워드",
    # dangers
    "severity.critical": "위급",
    "severity.warning": "경고",
    "severity.notice": "알림",
    "where.left": "왼쪽",
    "where.ahead": "정면",
    "where.right": "오른쪽",
    "where.both": "양쪽",
    "where.behind": "뒤쪽",
    # stages of the latency
    "stage.wait": "대기",
    "stage.assess": "분석",
    "stage.decide": "판단",
    "stage.frame_age": "영상 나이",
    "stage.synthesise": "음성 합성",
    "stage.frame_to_ear": "영상에서 소리까지",
    # within an entry
    "{reason} for {time}": "{reason}({time}째)",
    "{reason} for {time} ({detail})": "{reason}({time}째: {detail})",
    "{s} s": "{s}초",
    "{m} min {s} s": "{m}분 {s}초",
    "{h} h {m} min": "{h}시간 {m}분",
    "{d} d {h} h": "{d}일 {h}시간",
    "for {time}": "앞으로 {time}",
    "{name} {age} s ago": "{name} {age}초 전",
    "{count} events lost": "놓친 기록 {count}건",
    "{count} pictures lost": "놓친 사진 {count}장",
    "an unreadable one is kept in {folder} (see `check`)": (
        "읽을 수 없는 기록을 {folder}에 보관함(`check` 참고)"
    ),
    "{name} (the model cannot recognise it by its words; teach it with pictures: "
    "`watchword teach {name} FOLDER`)": (
        "{name}(이 모델은 말로는 알아볼 수 없습니다. 사진으로 가르쳐 주세요: `watchword teach {name} FOLDER`)"
    ),
    "{stages} (p50/p95/p99)": "{stages} (중앙값/상위 5%/상위 1%)",
}
"""By the English text; words of codes by their kind and code."""

_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(english), korean)
    for english, korean in (
        (r"it does not run: (.*)", r"실행되지 않음: \1"),
        (
            r"too slow here: ([\d.]+) frames/s, ([\d.]+) are needed",
            r"여기서는 너무 느림: 초당 \1프레임, 필요한 속도는 \2프레임",
        ),
        (
            r"worse than the starter on harmless views: "
            r"false alarms on (\d+) of (\d+), the starter's on (\d+)",
            r"위험 없는 장면에서 starter보다 나쁨: \2장면 중 잘못된 경고 \1번, starter는 \3번",
        ),
        (
            r"too slow here: ([\d.]+) s to the first sentence in (\d+) answers, "
            r"describe\.deadline_s is ([\d.]+)",
            r"여기서는 너무 느림: 대답 \2번에서 첫 문장까지 \1초, describe.deadline_s는 \3초",
        ),
        (
            r"too slow here: no sentence within ([\d.]+) s in (\d+) answers, "
            r"describe\.deadline_s is ([\d.]+)",
            r"여기서는 너무 느림: 대답 \2번에서 \1초 안에 문장이 없음, describe.deadline_s는 \3초",
        ),
        (r"zero-shot; not measured on labelled pictures", "말로만 알아봄, 라벨 사진으로 검증하지 않음"),
        (
            r"(.*); the starter votes on every built-in hazard",
            r"\1. 기본 위험은 starter와 함께 판단함",
        ),
        (r"(.*); the starter votes on (.*)", r"\1. 다음 위험은 starter와 함께 판단함: \2"),
        (r"waiting for (.*)", r"기다리는 중: \1"),
        (r"listening to (.*)", r"연결됨: \1"),
        (r"off", "끔"),
    )
)
"""Sentences that the daemon writes into its answer, from which its parts are taken."""


def daemon_sentence(english: str) -> str:
    """A sentence of the daemon's answer in Korean; one that is not known, such as an error, as it is."""
    for pattern, korean in _SENTENCES:
        if found := pattern.fullmatch(english):
            # The first part may be a sentence itself.
            return re.sub(r"\\(\d)", lambda part: daemon_sentence(found[int(part[1])]), korean)
    return english
