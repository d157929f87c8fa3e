"""Names and icons of the entities in Home Assistant.

Discovery takes one name for each entity, without translations; so they are announced in the language of the
speech. Hazards have theirs in `pipeline/hazards.toml`. Icons: https://pictogrammers.com/library/mdi/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.hazards import builtin_hazards

UNKNOWN_HAZARD_ICON = "mdi:alert"
"""Of hazards that users add."""
UNKNOWN_COMPONENT_ICON = "mdi:cog"


@dataclass(frozen=True, slots=True)
class Label:
    """The name of an entity in both languages, and its icon."""

    en: str
    ko: str
    icon: str

    def name(self, language: str) -> str:
        """In `en` or `ko`."""
        return self.ko if language == "ko" else self.en


ENTITIES: Mapping[str, Label] = {
    "health": Label("Health", "상태", "mdi:heart-pulse"),
    "fps": Label("Pictures a second", "초당 프레임", "mdi:speedometer"),
    "said": Label("Last said", "마지막으로 한 말", "mdi:bullhorn"),
    "description": Label("Last description", "마지막 설명", "mdi:text-box-outline"),
    "warning": Label("Warning", "경고", "mdi:alert"),
    "camera": Label("Picture", "영상", "mdi:camera"),
    "mute": Label("Mute", "음소거", "mdi:volume-off"),
    "mute_minutes": Label("Minutes of quiet", "음소거 시간(분)", "mdi:timer-outline"),
    "danger_muted": Label("Danger muted", "위험 경고 꺼짐", "mdi:bell-off"),
    "hush": Label("Hush", "그만 말하기", "mdi:volume-mute"),
    "repeat": Label("Repeat", "다시 말하기", "mdi:repeat"),
    "describe": Label("Describe", "설명하기", "mdi:image-text"),
    "read": Label("Read text", "글자 읽기", "mdi:text-recognition"),
    "false_alarm": Label("False alarm", "잘못된 경고", "mdi:alert-remove"),
    "say": Label("Say", "말하기", "mdi:message-text"),
    "ask": Label("Ask", "묻기", "mdi:help-circle-outline"),
}
"""By the key of the entity."""
COMPONENTS: Mapping[str, Label] = {
    "camera": Label("Camera", "카메라", "mdi:camera"),
    "detector": Label("Detector", "위험 감지", "mdi:eye"),
    "describer": Label("Describer", "설명", "mdi:image-text"),
    "voice": Label("Voice", "음성", "mdi:account-voice"),
    "loudspeaker": Label("Loudspeaker", "스피커", "mdi:speaker"),
    "picture": Label("Picture quality", "영상 상태", "mdi:image-check"),
    "disk": Label("Disk", "디스크", "mdi:harddisk"),
    "configuration": Label("Settings", "설정", "mdi:tune"),
    "program": Label("Program", "프로그램", "mdi:cog"),
}
"""By the name of the component."""
_PROBABILITY = {"en": "{hazard}: probability", "ko": "{hazard} 확률"}


def hazard_label(name: str) -> Label:
    """Of a built-in hazard; made of the name for one that users added."""
    if known := builtin_hazards().get(name):
        return Label(known.label["en"], known.label["ko"], known.icon)
    return _plain(name, UNKNOWN_HAZARD_ICON)


def component_label(name: str) -> Label:
    """Of a component; made of the name for one that is not known here."""
    return COMPONENTS.get(name) or _plain(name, UNKNOWN_COMPONENT_ICON)


def probability_name(hazard: str, language: str) -> str:
    """Of the sensor of a hazard's probability."""
    return _PROBABILITY["ko" if language == "ko" else "en"].format(hazard=hazard_label(hazard).name(language))


def _plain(name: str, icon: str) -> Label:
    words = name.replace("_", " ").strip().capitalize()
    return Label(words, words, icon)
