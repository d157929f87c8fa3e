"""The sentences of `why`, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pipeline.description.template import Vocabulary, builtin_words

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "headed": "{id}, at {when}: {text}",
        "seconds": "{seconds:.2f} s",
        "unknown": "{kind} {hazard}",
        "said": 'said "{text}" ({priority})',
        "said.late": 'said "{text}" ({priority}), {after:.2f} s after the picture',
        "sound": "the sound for {earcon} ({priority})",
        "alert": "{hazard} ({reason}, {severity}): probability {probability:.2f}",
        "alert.forgotten": "; the rest is not known any more.",
        "alert.votes": (
            ", its threshold is {threshold:.2f}, and it was over that for {voted:.2f} s of the last "
            "{window:g} s, where {needed:g} s are needed. In that very picture it was {single:.2f}."
        ),
        "alert.next": " Next came {hazard} with {value:.2f} of its {threshold:.2f}.",
        "alert.next.over": (
            " Next came {hazard} with {value:.2f} of its {threshold:.2f}, over its threshold too."
        ),
        "side": "{hazard} stood out on one side: {direction}",
        "scene.danger": "details of {hazard} were wanted",
        "scene.request": "somebody asked about the view",
        "scene.change": "the view had changed and settled",
        "described": "{model} described the view: {text}",
        "marked": "somebody marked {alert}, {hazard}, as wrong",
        "unsaid": '"{text}" was not said: {reason}',
        "unsaid.sign": "nothing was said of it: {reason}",
        "unsaid.behind": ', while "{text}" was being said',
        "open": "nothing has been said of it so far",
        "about": "{hazard}: {text}",
        "unseen": "No picture has been looked at in the last minute.",
        "reached": (
            "In the last {span:.0f} s {hazard} reached {value:.2f} at most, {ago:.1f} s ago; "
            "its threshold is {threshold:.2f}."
        ),
        "unrecognised": (
            "The model cannot recognise {hazard} by its words and will never warn of it. "
            "Teach it with pictures: watchword teach {name} FOLDER."
        ),
        "never": "It was never over its threshold, so there was nothing to say.",
        "singles": "Single pictures were over it, for {over:.2f} s in all.",
        "votes": (
            "Within {window:g} s it was over it for {longest:.2f} s at most; {needed:g} s are needed, "
            "so it was not certain enough to speak of."
        ),
        "smoothed": "Smoothed over time it stayed below, so it was not certain enough to speak of.",
        "enough": "It was over it for {over:.2f} s in all, which is enough.",
        "withheld": "One thing is one alert: {rival} was the clearer one, so this was left unsaid.",
        "lasts": (
            "It is the danger of {alert} that has not gone since; while it lasts it is said again after "
            "{remind:g} s, then ever more rarely, or when it comes nearer."
        ),
        "cooldown": (
            "It had been spoken of {ago:.1f} s before, and the same danger is not said again within "
            "{cooldown:g} s."
        ),
        "changed": "The settings, or the camera's time, changed meanwhile: nothing else kept it back.",
        "reason.muted": "silence had been asked for",
        "reason.brevity": "speech.verbosity wants less to be said",
        "reason.expired": "it had waited too long to be worth saying",
        "reason.replaced": "a newer word of the same took its place",
        "reason.superseded": "a newer view had been described",
        "reason.retracted": "it was over, or marked as wrong, before it could be said",
        "reason.untrue": "it was not true any more when its turn came",
        "reason.hushed": "quiet was asked for",
        "reason.full": "too much that is more urgent was waiting",
        "reason.failed": "the voice or the loudspeaker failed",
        "reason.busy": "something else was being said",
        "reason.cut": "something more urgent cut it off before its first sound",
        "reason.duplicate": "it was said twice over",
        "reason.overtaken": "a newer view took its place",
        "reason.contradicted": "it denied a danger that was announced meanwhile",
        "reason.stale": "the view was too old",
        "reason.late": "the description took too long",
        "reason.repeats": "it would have said what was said before",
        "reason.unasked": "nobody had asked, and the detector alone tells no more than its warnings",
        "reason.warned": "that had been warned of just before",
        "reason.over": "it named a danger that was over",
        "reason.spacing": "something had been said just before (speech.description_gap_s)",
        "reason.talk": "enough had been said in the last minute (speech.talk_share)",
    },
    # Fields stand apart, before a colon or in brackets: a Korean particle depends on the last sound of the
    # word before it, and that word may be any name.
    "ko": {
        "headed": "{id}, {when}: {text}",
        "seconds": "{seconds:.2f}초",
        "unknown": "{kind} {hazard}",
        "said": '말함: "{text}" ({priority})',
        "said.late": '말함: "{text}" ({priority}), 촬영 {after:.2f}초 뒤',
        "sound": "신호음: {earcon} ({priority})",
        "alert": "{hazard} ({reason}, {severity}): 확률 {probability:.2f}",
        "alert.forgotten": ". 나머지 기록은 남아 있지 않습니다.",
        "alert.votes": (
            ", 기준 {threshold:.2f}. 지난 {window:g}초 가운데 {voted:.2f}초 동안 기준을 넘었습니다"
            "(필요한 시간: {needed:g}초). 그 프레임의 확률: {single:.2f}."
        ),
        "alert.next": " 그다음은 {hazard}: {value:.2f}, 기준 {threshold:.2f}.",
        "alert.next.over": " 그다음은 {hazard}: {value:.2f}, 기준 {threshold:.2f}, 역시 기준을 넘었습니다.",
        "side": "{hazard}: 방향이 뚜렷해졌습니다 ({direction})",
        "scene.danger": "{hazard}: 자세한 설명을 요청했습니다",
        "scene.request": "장면에 대한 질문을 받았습니다",
        "scene.change": "장면이 바뀐 뒤 안정되었습니다",
        "described": "{model} 모델의 설명: {text}",
        "marked": "잘못된 경고로 표시됨: {alert} ({hazard})",
        "unsaid": '말하지 않음: "{text}". 이유: {reason}',
        "unsaid.sign": "말하지 않음. 이유: {reason}",
        "unsaid.behind": '. 그때 하던 말: "{text}"',
        "open": "아직 말하지 않았습니다",
        "about": "{hazard}: {text}",
        "unseen": "지난 1분 동안 분석한 영상이 없습니다.",
        "reached": (
            "{hazard}, 지난 {span:.0f}초의 최고 확률: {value:.2f}({ago:.1f}초 전). 기준: {threshold:.2f}."
        ),
        "unrecognised": (
            "모델이 말로는 알아볼 수 없어 경고하지 않는 위험입니다: {hazard}. "
            "사진으로 가르쳐 주세요: watchword teach {name} FOLDER."
        ),
        "never": "기준을 넘은 적이 없어 경고하지 않았습니다.",
        "singles": "일부 프레임에서만 기준을 넘었습니다. 모두 {over:.2f}초.",
        "votes": (
            "{window:g}초 안에서 기준을 넘은 시간: 최대 {longest:.2f}초(필요한 시간: {needed:g}초). "
            "경고할 만큼 확실하지 않았습니다."
        ),
        "smoothed": "시간 평균으로는 기준보다 낮아, 경고할 만큼 확실하지 않았습니다.",
        "enough": "모두 {over:.2f}초 동안 기준을 넘어 충분했습니다.",
        "withheld": "더 뚜렷한 위험: {rival}. 같은 것을 두 번 경고하지 않습니다.",
        "lasts": (
            "{alert} 경고의 위험이 아직 계속됩니다. 계속되는 동안에는 {remind:g}초 뒤, "
            "그다음은 점점 드물게, 또는 가까워질 때 다시 경고합니다."
        ),
        "cooldown": (
            "{ago:.1f}초 전에 이미 경고했습니다. 같은 위험은 {cooldown:g}초 안에 다시 경고하지 않습니다."
        ),
        "changed": "그사이 설정이나 카메라의 시간이 바뀌었습니다. 다른 이유는 없습니다.",
        "reason.muted": "조용히 해 달라는 요청이 있었습니다",
        "reason.brevity": "speech.verbosity 설정이 말을 줄이게 되어 있습니다",
        "reason.expired": "너무 오래 기다려 말할 때가 지났습니다",
        "reason.replaced": "같은 내용의 새 안내로 바뀌었습니다",
        "reason.superseded": "더 새로운 장면의 설명이 나왔습니다",
        "reason.retracted": "말하기 전에 끝났거나, 틀렸다고 표시되었습니다",
        "reason.untrue": "차례가 왔을 때는 더 이상 맞지 않았습니다",
        "reason.hushed": "그만 말하라는 요청이 있었습니다",
        "reason.full": "더 급한 말이 너무 많이 기다리고 있었습니다",
        "reason.failed": "음성이나 스피커에 문제가 있었습니다",
        "reason.busy": "다른 말을 하는 중이었습니다",
        "reason.cut": "첫소리가 나기 전에 더 급한 말이 나왔습니다",
        "reason.duplicate": "같은 말이 두 번 들어왔습니다",
        "reason.overtaken": "더 새로운 장면으로 바뀌었습니다",
        "reason.contradicted": "그사이 알린 위험이 없다고 했습니다",
        "reason.stale": "장면이 너무 오래되었습니다",
        "reason.late": "설명이 너무 오래 걸렸습니다",
        "reason.repeats": "앞서 한 말과 같은 말이었습니다",
        "reason.unasked": "묻지 않았고, 위험 감지만으로는 경고보다 더 말할 것이 없습니다",
        "reason.warned": "바로 앞에 경고한 것입니다",
        "reason.over": "이미 끝난 위험을 말하고 있었습니다",
        "reason.spacing": "바로 앞에 다른 말을 했습니다 (speech.description_gap_s)",
        "reason.talk": "지난 1분 동안 이미 충분히 말했습니다 (speech.talk_share)",
    },
}
"""Templates by language and place. Each language uses the same fields in braces."""

NAMES: Mapping[str, Mapping[str, str]] = {
    # The other English words are used as they are in the event.
    "en": {"nearer": "nearer than before", "both": "both sides"},
    "ko": {
        "new": "처음",
        "again": "다시",
        "nearer": "전보다 가까이",
        "critical": "위급",
        "warning": "경고",
        "notice": "알림",
        "danger": "위험",
        "message": "안내",
        "text": "설명",
        "left": "왼쪽",
        "ahead": "정면",
        "right": "오른쪽",
        "both": "양쪽",
        "behind": "뒤쪽",
    },
}
"""Spoken names of the words in events that need one."""


class ExplanationWords:
    """The words of explanations in one language. Raises KeyError for a language other than "en" and "ko"."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = WORDS[language]
        self._names = NAMES[language]

    def say(self, place: str, **values: object) -> str:
        """The sentence at this place with its fields filled in. Raises KeyError for an unknown place."""
        return self._words[place].format(**values)

    def reason(self, reason: str) -> str:
        """The sentence for a reason why something was not said; an unknown reason is returned as it is."""
        return self._words.get(f"reason.{reason}", reason)

    def name(self, word: str) -> str:
        """The spoken name of a severity, priority, side or alert's reason; a word without one stays."""
        return self._names.get(word, word)

    def hazard(self, name: str) -> str:
        """The spoken name of a hazard; in English it is the name in the settings."""
        return name if self.language == "en" else self._tags.noun(name, self.language)

    @cached_property
    def _tags(self) -> Vocabulary:
        return builtin_words()


ENGLISH = ExplanationWords("en")
