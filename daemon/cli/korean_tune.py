"""The messages of `watchword tune` in Korean, those of its plan included."""

from __future__ import annotations

from collections.abc import Mapping

TUNE: Mapping[str, str] = {
    "device": "처리 장치",
    "precision": "정밀도",
    "threads": "스레드",
    "ms": "ms(중앙값)",
    "p95 ms": "ms(상위 5%)",
    "frames/s": "초당 프레임",
    "picture": "사진",
    "load s": "불러오기(초)",
    "first word s": "첫 단어(초)",
    "sentence s": "첫 문장(초)",
    "tokens/s": "초당 토큰",
    "planned": "계획",
    "not used: {reason}": "쓰지 않음: {reason}",
    "note": "참고",
    "as now": "지금과 같음",
    "now {value}": "지금 {value}",
    "on mains power": "전원 연결됨",
    "on mains power, with a battery ({percent}%)": "전원 연결됨, 배터리 {percent}%",
    "on the battery ({percent}%)": "배터리로 작동 중({percent}%)",
    "hottest: {celsius} °C": "최고 온도: {celsius} °C",
    "other programs used {share} of the processors: measure again when the machine is quiet": (
        "다른 프로그램이 프로세서의 {share}를 썼습니다. 컴퓨터가 한가할 때 다시 측정하세요"
    ),
    "the devices could not be listed: {reason}": "처리 장치 목록을 읽지 못했습니다: {reason}",
    "no describer was measured: {reason}": "설명 모델은 측정하지 않았습니다: {reason}",
    "watchword is running (socket {sockets}): its warnings would come late, and the figures would be wrong. "
    "Stop it first, with Ctrl-C or `systemctl stop watchword`; --anyway measures all the same": (
        "watchword가 실행 중입니다(소켓 {sockets}). 지금 측정하면 경고가 늦어지고 측정값도 틀립니다. "
        "먼저 Ctrl-C나 `systemctl stop watchword`로 멈추세요. --anyway를 쓰면 그래도 측정합니다"
    ),
    "measured beside a running watchword: alone, this machine is faster": (
        "실행 중인 watchword와 함께 측정합니다. 따로 측정하면 더 빠르게 나옵니다"
    ),
    "the settings are as planned already": "설정이 이미 계획과 같습니다",
    "nothing was written; `watchword tune --write` writes the plan": (
        "아무것도 쓰지 않았습니다. `watchword tune --write`로 계획을 설정에 씁니다"
    ),
    "written to {file}; it holds at the next start": "{file}에 썼습니다. 다음에 시작할 때 적용됩니다",
    "but this is stronger: {place}": "하지만 이 설정이 우선합니다: {place}",
    "`watchword tune --undo` takes it back": "`watchword tune --undo`로 되돌립니다",
    "Write this plan into the settings?": "이 계획을 설정에 쓸까요?",
    "taken back: {names}; it holds at the next start": "되돌림: {names}. 다음에 시작할 때 적용됩니다",
    "changed since, and left alone: {names}": "그 뒤에 바뀌어 그대로 둔 설정: {names}",
    "no model computes right on this machine; `watchword check` says more": (
        "이 컴퓨터에서 바르게 계산하는 모델이 없습니다. `watchword check`로 자세히 볼 수 있습니다"
    ),
    "{name} is too slow here or does not compute right": "{name}: 여기에서 너무 느리거나 계산이 틀립니다",
    "{fps} frames a second were measured there": "이 장치에서 초당 {fps}프레임으로 측정했습니다",
    "{ms} ms of processor time a picture": "프레임마다 프로세서 시간 {ms} ms",
    "more than {fps} a second could not be kept up": "초당 {fps}프레임보다 많으면 따라가지 못합니다",
    "for the battery; every frame is assessed while a hazard is suspected": (
        "배터리를 아낍니다. 위험이 의심되는 동안에는 모든 프레임을 분석합니다"
    ),
    "the processor reached {celsius} °C": "프로세서 온도가 {celsius} °C까지 올랐습니다",
    "it keeps up with the camera": "카메라 속도를 따라갑니다",
    "the describer has a device of its own": "설명 모델이 다른 처리 장치를 씁니다",
    "half of the time is left to a describer on the same device, if there is one": (
        "설명 모델이 같은 처리 장치를 쓰면 시간의 절반을 남겨 둡니다"
    ),
    "no describer answers right here": "여기에서 바르게 답하는 설명 모델이 없습니다",
    "the first sentence takes {seconds} s, longer than describe.deadline_s": (
        "첫 문장까지 {seconds}초가 걸려 describe.deadline_s보다 깁니다"
    ),
    "the first sentence takes {seconds} s beside the detector": (
        "위험 인식과 함께 돌릴 때 첫 문장까지 {seconds}초가 걸립니다"
    ),
    "decoding a picture takes {ms} ms": "프레임 하나를 디코딩하는 데 {ms} ms가 걸립니다",
    "only {fps} frames a second: dangers are noticed late; use a smaller model or a faster machine": (
        "초당 {fps}프레임뿐이라 위험을 늦게 알아차립니다. 더 작은 모델이나 더 빠른 컴퓨터를 쓰세요"
    ),
    "planned for the battery; `watchword tune --power mains` plans for mains power": (
        "배터리에 맞춘 계획입니다. `watchword tune --power mains`는 전원 연결에 맞춥니다"
    ),
    "the processor reached {celsius} °C under load; clean the fan and give it air": (
        "부하가 걸릴 때 프로세서 온도가 {celsius} °C까지 올랐습니다. 팬을 청소하고 바람이 통하게 하세요"
    ),
    "made for another model or precision, and not used: {names}": (
        "다른 모델이나 정밀도에 맞춘 것이라 쓰지 않음: {names}"
    ),
    "a network camera has its own size and rate: set them in the camera": (
        "네트워크 카메라의 크기와 속도는 카메라에서 정하세요"
    ),
}
"""By the English text."""
