"""Once a danger was announced, no sentence is heard that calms the listener; what only describes is."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.answer.all_clear import calms, denies_danger, is_all_clear
from pipeline.description.answer.answer import Answer, Danger
from pipeline.description.answer.denial import denial_words, denies_any
from pipeline.description.answer.permission import CANNOT_SAY
from pipeline.description.answer.rejection import rejection
from pipeline.description.template import NOT_IN_FULL, NOTHING_KNOWN, ONLY_NAMES, builtin_words
from pipeline.hazards import LANGUAGES, builtin_hazards
from pipeline.wording import BEFORE

CALMING = {
    "en": (
        "No danger here.",
        "There is no danger.",
        "There is no danger ahead.",
        "There's no danger.",
        "There are no dangers.",
        "There are no dangers here.",
        "There isn't any danger.",
        "I see no danger.",
        "I don't see any danger.",
        "I do not see any hazards.",
        "I cannot see any danger.",
        "No hazards.",
        "No hazards are visible.",
        "No visible hazards.",
        "No obvious danger.",
        "No immediate danger is visible.",
        "No apparent risk.",
        "No danger is present.",
        "No danger signs are visible.",
        "No danger sign is visible.",
        "No signs of danger.",
        "There are no signs of danger.",
        "No threats.",
        "You are safe.",
        "You're safe.",
        "You are safe here.",
        "You are safe now.",
        "You seem safe.",
        "You are out of danger.",
        "You are not in danger.",
        "You're in no danger.",
        "It is safe.",
        "It's safe.",
        "It is safe here.",
        "It looks safe.",
        "This place is safe.",
        "This area is safe.",
        "The area looks safe.",
        "The area is safe.",
        "The scene appears safe.",
        "The scene appears to be safe.",
        "Everything is safe.",
        "Everything is fine.",
        "Everything is okay.",
        "Everything looks fine.",
        "Everything is alright.",
        "All is well.",
        "All clear.",
        "All good.",
        "It is all clear.",
        "The way is clear.",
        "The way ahead is clear.",
        "The way is free.",
        "The way is open.",
        "Your way is clear.",
        "The path is clear.",
        "The path ahead is clear.",
        "The path in front of you is clear.",
        "The path appears clear.",
        "The road is clear.",
        "The road ahead is empty.",
        "The street is empty.",
        "The sidewalk is clear.",
        "The coast is clear.",
        "There is a clear path ahead.",
        "There is a clear way ahead.",
        "The view is free of danger.",
        "The area is free of hazards.",
        "The room is free from danger.",
        "There is nothing dangerous.",
        "There is nothing dangerous here.",
        "Nothing dangerous is visible.",
        "Nothing dangerous.",
        "I see nothing dangerous.",
        "I do not see anything dangerous.",
        "I don't see anything dangerous here.",
        "There isn't anything dangerous.",
        "There is nothing to worry about.",
        "Nothing to worry about.",
        "No need to worry.",
        "There's no need to worry.",
        "You don't need to worry.",
        "Don't worry.",
        "No reason to worry.",
        "No cause for concern.",
        "There is no cause for alarm.",
        "There is nothing to fear.",
        "There is nothing in your way.",
        "Nothing is in your way.",
        "Nothing is in front of you.",
        "There is nothing ahead.",
        "Nothing ahead.",
        "There is nothing harmful.",
        "There is nothing hazardous here.",
        "Nothing threatening is visible.",
        "It is not dangerous.",
        "It isn't dangerous here.",
        "This is not dangerous.",
        "This is harmless.",
        "It is harmless.",
        "The scene is harmless.",
        "The situation is safe.",
        "The situation is under control.",
        "Safe.",
        "Perfectly safe.",
        "There are no obstacles.",
        "There is no obstacle ahead.",
        "No obstacles.",
        "No obstacles in the way.",
        "No vehicles are coming.",
        "You can walk ahead.",
        "You can go on.",
        "You may pass.",
        "The surroundings are safe.",
        "The environment is safe.",
        "There is no risk.",
        "There is no hazard here.",
        "There are no hazards in the picture.",
        "There's nothing dangerous in this picture.",
        "It poses no danger.",
        "It does not pose any danger.",
        "This does not pose a threat.",
        "There is no threat.",
        "No one is in danger.",
        "The danger is over.",
        "The danger has passed.",
        "The danger is gone.",
        "There is no longer any danger.",
        "No danger, just a lamp.",
        "There is no need to stop.",
        "You do not have to stop.",
        "There is no reason for concern.",
        "It is okay.",
        "It's fine.",
        "It's okay here.",
        "You are safe from the fire.",
        "No it is safe.",
        "No, it is safe.",
        "There does not appear to be any danger.",
        "There doesn't seem to be any hazard.",
        "Nothing here looks dangerous.",
        "The hallway is clear.",
        "None of this is dangerous.",
        "Hazards: none.",
        "No dangerous objects are visible.",
        "No dangerous situation.",
        "It's a safe place.",
        "This is a safe area.",
        "You are in a safe place.",
        "The area around you is clear of hazards.",
        "Your surroundings are clear.",
        "The fire poses no danger.",
        "The dog is no threat.",
        "This is not a hazard.",
        "I don't think there is any danger.",
        "I do not believe there is anything dangerous.",
        "I am not sure, but there is no danger.",
        "I am not sure but it is safe.",
    ),
    "ko": (
        "위험한 것은 없습니다.",
        "위험한 것이 없습니다.",
        "위험한 것은 보이지 않습니다.",
        "위험한 것이 보이지 않습니다.",
        "위험한 물건이 없습니다.",
        "위험한 물체는 보이지 않습니다.",
        "위험한 요소가 없습니다.",
        "위험 요소가 없습니다.",
        "위험 요소는 보이지 않습니다.",
        "위험은 없습니다.",
        "위험이 없습니다.",
        "위험은 보이지 않습니다.",
        "위험이 보이지 않습니다.",
        "위험 없음.",
        "위험하지 않습니다.",
        "위험하지 않아요.",
        "여기는 위험하지 않습니다.",
        "전혀 위험하지 않습니다.",
        "위험해 보이지 않습니다.",
        "위험한 상황이 아닙니다.",
        "위험한 상황은 아닙니다.",
        "위험한 곳이 아닙니다.",
        "위험할 것이 없습니다.",
        "위험할 게 없습니다.",
        "위험한 게 없습니다.",
        "위험한 건 없습니다.",
        "위험한 점은 없습니다.",
        "위험 징후가 없습니다.",
        "위험의 징후는 없습니다.",
        "위험성이 없습니다.",
        "아무 위험도 없습니다.",
        "아무런 위험이 없습니다.",
        "아무 위험이 없어요.",
        "안전합니다.",
        "안전해요.",
        "안전해 보입니다.",
        "안전한 곳입니다.",
        "안전한 장소입니다.",
        "안전한 상태입니다.",
        "안전한 것 같습니다.",
        "여기는 안전합니다.",
        "지금은 안전합니다.",
        "주변은 안전합니다.",
        "주위가 안전합니다.",
        "당신은 안전합니다.",
        "길은 안전합니다.",
        "안전하니 걱정하지 마세요.",
        "길이 비어 있습니다.",
        "길이 비었습니다.",
        "앞길이 비어 있습니다.",
        "길이 트여 있습니다.",
        "길이 뚫려 있습니다.",
        "길이 열려 있습니다.",
        "앞이 비어 있습니다.",
        "앞이 트여 있습니다.",
        "앞이 뚫려 있습니다.",
        "앞쪽이 비어 있습니다.",
        "앞쪽은 비어 있습니다.",
        "통로가 비어 있습니다.",
        "인도가 비어 있습니다.",
        "보도는 비어 있습니다.",
        "도로가 비어 있습니다.",
        "앞에 아무것도 없습니다.",
        "앞에는 아무것도 없습니다.",
        "아무것도 없습니다.",
        "아무 문제 없습니다.",
        "아무 문제가 없습니다.",
        "문제없습니다.",
        "문제가 없습니다.",
        "문제 없어요.",
        "괜찮습니다.",
        "괜찮아요.",
        "이상 없습니다.",
        "이상이 없습니다.",
        "걱정하지 마세요.",
        "걱정할 것이 없습니다.",
        "걱정할 것 없습니다.",
        "걱정하지 않아도 됩니다.",
        "걱정 안 해도 됩니다.",
        "안심하세요.",
        "안심하셔도 됩니다.",
        "장애물이 없습니다.",
        "장애물은 보이지 않습니다.",
        "방해물이 없습니다.",
        "앞을 막는 것이 없습니다.",
        "길을 막는 것이 없습니다.",
        "가로막는 것이 없습니다.",
        "위협이 없습니다.",
        "위협은 보이지 않습니다.",
        "해로운 것은 없습니다.",
        "무해합니다.",
        "조심할 것은 없습니다.",
        "주의할 것이 없습니다.",
        "위험이 사라졌습니다.",
        "위험이 지나갔습니다.",
        "위험은 지나갔습니다.",
        "이제 위험하지 않습니다.",
        "지나가도 됩니다.",
        "건너도 됩니다.",
        "불은 위험하지 않습니다.",
        "위험한 것은 없고 의자가 있습니다.",
        "더 이상 위험이 없습니다.",
        "위험해 보이는 것은 없습니다.",
        "위험하거나 이상한 것은 없습니다.",
        "안전한 환경으로 보입니다.",
        "안전한 공간입니다.",
        "길이 깨끗합니다.",
        "위험 상황이 아닙니다.",
        "위험한 장면이 아닙니다.",
        "아무 일도 없습니다.",
        "위험 감지되지 않음.",
    ),
}
"""All-clears, as models word them."""

HARMLESS = {
    "en": (
        "The safe is open.",
        "A safe stands in the corner.",
        "An open safe stands in the corner.",
        "The safe is on the left.",
        "A safety cone stands ahead.",
        "An orange safety cone is on the road.",
        "A man in a safety vest.",
        "A worker wears a safety helmet.",
        "It is not safe.",
        "This is not safe.",
        "This place is not safe.",
        "You are not safe here.",
        "You are not safe.",
        "It isn't safe here.",
        "It is unsafe.",
        "It does not look safe.",
        "This is never safe.",
        "There is danger ahead.",
        "There is a danger sign.",
        "A sign says danger.",
        "A danger sign stands on the fence.",
        "The sign warns of danger.",
        "It is dangerous.",
        "This is dangerous.",
        "It is very dangerous here.",
        "You are in danger.",
        "Stay away from the danger.",
        "The way is blocked.",
        "The way is not clear.",
        "The way is not free.",
        "The path is not clear.",
        "The path is blocked by a car.",
        "The road is not empty.",
        "The road is wet.",
        "The road is closed.",
        "The sidewalk is narrow.",
        "The sky is clear.",
        "The sky is clear and blue.",
        "The water is clear.",
        "It is a clear day.",
        "The view is blurred.",
        "A clear glass of water is on the table.",
        "A glass door is open.",
        "The door is open.",
        "The window is open.",
        "The shop is open.",
        "A bottle is empty.",
        "The chair is empty.",
        "The glass is empty.",
        "An empty chair stands on the left.",
        "An empty bottle lies on the floor.",
        "The bench is free.",
        "The seat is free.",
        "Smoke comes from the window.",
        "A fire burns on the left.",
        "Stop, a car is coming.",
        "Be careful, a hole is ahead.",
        "Watch out for the stairs.",
        "There is a hole in the road.",
        "Do not walk ahead.",
        "You cannot pass here.",
        "You can see a door.",
        "The light is red.",
        "A life jacket hangs on the wall.",
        "A guard stands at the door.",
        "A dangerous animal is near.",
        "A dog is in the way.",
        "Something is in your way.",
        "There is something dangerous ahead.",
        "An obstacle is in the way.",
        "There are obstacles ahead.",
        "Nothing is written on the sign.",
        "There is nothing on the table.",
        "No people are visible.",
        "There are no chairs.",
        "There is no door here.",
        "There is no handrail.",
        "There is no safe way across.",
        "There is no safe place to stand.",
        "There is no safety rail.",
        "I am not sure that it is safe.",
        "I cannot say whether it is safe.",
        "I cannot tell if it is safe.",
        "It might not be safe.",
        "It may not be safe to stay.",
        "A man says that he is fine.",
        "A fine mist hangs over the road.",
        "A parking fine lies under the wiper.",
        "The risk is high.",
        "There is a risk of falling.",
        "A hazard light blinks.",
        "The car has its hazard lights on.",
        "A harmless-looking dog stands at the door.",
        "The danger is not over.",
        "The danger is not gone.",
        "The fire is not out.",
        "Save yourself, go back.",
        "A safe distance is needed.",
        "Keep a safe distance.",
        "Stay at a safe distance.",
        "The well is open.",
        "An open manhole is ahead.",
        "A clear plastic bag is on the floor.",
        "It is clear that the stairs go down.",
        "The way out is on the right.",
        "The way leads to the left.",
        "The way is long.",
        "A worried man looks at you.",
        "Get out of danger!",
        "You are not out of danger.",
        "Do not take any risk.",
        "There is no way out of danger.",
        "I can't tell if it is safe.",
        "Wait until it is safe.",
        "I do not think it is safe.",
        "It is not a danger sign.",
        "You do not see the danger behind you.",
        "Nothing here is safe.",
        "No place here is safe.",
        "Wait in a safe place.",
        "Go to a safe place.",
        "No dangerous animal is visible.",
        "Nothing is more dangerous.",
        "The knife is not harmless.",
        "The safest way is back.",
        "A safe zone sign hangs here.",
        "The house is empty.",
        "It is no longer safe.",
        "No entry, danger of death.",
        "Everything is not fine.",
        "No, there is danger ahead.",
        "I cannot promise that the way is free.",
    ),
    "ko": (
        "위험합니다.",
        "위험해요.",
        "매우 위험합니다.",
        "위험한 것이 있습니다.",
        "위험한 물건이 보입니다.",
        "위험 표지판이 있습니다.",
        "위험 표지판이 보입니다.",
        "위험이 있습니다.",
        "위험해 보입니다.",
        "위험할 수 있습니다.",
        "안전하지 않습니다.",
        "안전하지 않아요.",
        "안전해 보이지 않습니다.",
        "여기는 안전하지 않습니다.",
        "안전한 곳이 아닙니다.",
        "안전한 곳으로 가세요.",
        "안전한 곳으로 물러서세요.",
        "안전모를 쓴 사람이 있습니다.",
        "안전 고깔이 있습니다.",
        "안전콘이 있습니다.",
        "안전벨트가 있습니다.",
        "안전문이 열려 있습니다.",
        "안전 난간이 없습니다.",
        "안전 난간이 보이지 않습니다.",
        "안전한지 알 수 없습니다.",
        "안전한지는 말씀드릴 수 없습니다.",
        "안전거리를 두세요.",
        "안전하다고 할 수 없습니다.",
        "길이 막혀 있습니다.",
        "길이 비어 있지 않습니다.",
        "길이 좁습니다.",
        "길이 젖어 있습니다.",
        "길이 뚫려 있지 않습니다.",
        "길에 차가 있습니다.",
        "문이 열려 있습니다.",
        "창문이 열려 있습니다.",
        "금고가 열려 있습니다.",
        "의자가 비어 있습니다.",
        "병이 비어 있습니다.",
        "자리가 비어 있습니다.",
        "컵이 비어 있습니다.",
        "하늘이 트여 있습니다.",
        "앞에 차가 있습니다.",
        "앞에 계단이 있습니다.",
        "앞이 보이지 않습니다.",
        "앞이 막혀 있습니다.",
        "장애물이 있습니다.",
        "장애물이 보입니다.",
        "방해물이 있습니다.",
        "문제가 있습니다.",
        "난간이 없습니다.",
        "의자가 없습니다.",
        "사람이 보이지 않습니다.",
        "탁자 위에 아무것도 없습니다.",
        "표지판에 아무것도 적혀 있지 않습니다.",
        "조심하세요.",
        "불이 났습니다.",
        "왼쪽에서 연기가 납니다.",
        "뚜껑이 열린 맨홀이 있습니다.",
        "걱정스러운 얼굴의 사람이 있습니다.",
        "이상한 냄새가 납니다.",
        "이상한 물건이 있습니다.",
        "위험한 동물이 있습니다.",
        "위험에서 벗어나세요.",
        "위험하니 물러서세요.",
        "위험하지 않은지 확인하세요.",
        "위험이 사라지지 않았습니다.",
        "위험이 아직 있습니다.",
        "건너지 마세요.",
        "지나갈 수 없습니다.",
        "가지 마세요.",
        "위험이 없다고 할 수 없습니다.",
        "위험이 보이지 않아도 조심하세요.",
        "더 이상 자리가 없습니다.",
        "위험한 동물은 없습니다.",
        "위험 표지판이 없습니다.",
        "위험물 표지가 있습니다.",
        "위험을 알리는 표지판이 없습니다.",
        "길이 깨져 있습니다.",
        "위험한 물건을 든 사람이 있습니다.",
        "안전지대 표지판이 보입니다.",
    ),
}
"""Sentences with the words of an all-clear that are none."""


def rows(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(language, sentence) for language, sentences in table.items() for sentence in sentences]


@pytest.mark.parametrize(("language", "sentence"), rows(CALMING))
def test_an_all_clear_denies_whatever_was_announced(language: str, sentence: str) -> None:
    assert calms(sentence)
    assert denies_any(sentence, ["fire"], language)
    assert denies_any(sentence.upper().replace("’", "'"), ["scooter"], language)
    assert not denies_any(sentence, [], language), "nothing was announced"


@pytest.mark.parametrize(("language", "sentence"), rows(HARMLESS))
def test_what_only_sounds_like_an_all_clear_denies_nothing(language: str, sentence: str) -> None:
    assert not calms(sentence)
    assert not denies_any(sentence, ["scooter"], language)
    assert rejection(sentence, "", language) != "all-clear"


def test_it_is_fine_is_an_answer_but_not_after_a_warning() -> None:
    for language, sentence in (("en", "It is fine."), ("ko", "문제가 없습니다.")):
        assert not is_all_clear(sentence)
        assert rejection(sentence, "", language) is None
        assert denies_any(sentence, ["fire"], language)


SUBJECTS = ("There is", "There's", "I see", "I can see", "The picture shows", "We have", "Here is", "")
QUALITIES = ("", "visible ", "obvious ", "immediate ", "real ", "apparent ", "sign of ", "signs of ")
HARMS = ("danger", "dangers", "hazard", "hazards", "risk", "threat", "threats")
PLACES = (
    "",
    " here",
    " ahead",
    " in the picture",
    " around you",
    " on the left",
    " at the moment",
    " for you",
)
SAFE = st.sampled_from(
    ("You are", "You're", "It is", "It's", "This place is", "Everything looks", "It seems")
)
DEGREES = st.sampled_from(("", "completely ", "perfectly ", "quite ", "now "))
UNSAFE = st.sampled_from(
    (
        "You are not",
        "You aren't",
        "It is not",
        "It isn't",
        "This place is never",
        "It does not look",
        "It won't be",
    )
)
HEDGES = st.sampled_from(
    (
        "I cannot say whether",
        "I can't tell if",
        "I am not sure that",
        "I do not know if",
        "It is unclear whether",
    )
)
KOREAN_THINGS = ("것", "게", "점", "물건", "요소", "상황")
KOREAN_ENDS = ("없습니다", "없어요", "보이지 않습니다", "없네요", "없는 것 같습니다", "없다")
FINAL = st.sampled_from((".", "!", "", ", just a lamp.", "."))


@given(*map(st.sampled_from, (SUBJECTS, QUALITIES, HARMS, PLACES)), FINAL)
def test_no_danger_is_an_all_clear_however_it_is_put(
    subject: str, quality: str, harm: str, place: str, final: str
) -> None:
    sentence = f"{subject} no {quality}{harm}{place}{final}".strip()
    assert calms(sentence)
    assert denies_danger(sentence)
    assert rejection(sentence, "", "en") == "all-clear"


@given(SAFE, DEGREES, st.sampled_from(PLACES), FINAL)
def test_safe_is_an_all_clear_unless_it_is_negated(subject: str, degree: str, place: str, final: str) -> None:
    assert calms(f"{subject} {degree}safe{place}{final}")


@given(UNSAFE, DEGREES, st.sampled_from(PLACES), st.sampled_from((".", "!", "")))
def test_not_safe_is_none(subject: str, degree: str, place: str, final: str) -> None:
    assert not calms(f"{subject} {degree}safe{place}{final}")


@given(HEDGES, SAFE, DEGREES, st.sampled_from(PLACES))
def test_what_is_not_known_is_none(hedge: str, subject: str, degree: str, place: str) -> None:
    assert not calms(f"{hedge} {subject[0].lower()}{subject[1:]} {degree}safe{place}.")


@given(
    st.sampled_from(("cone", "vest", "helmet", "rail", "belt", "gate", "net", "sign", "poster")),
    st.sampled_from(("stands", "lies", "hangs", "is visible", "is missing", "is on the left", "is broken")),
)
def test_a_thing_for_safety_is_none(thing: str, does: str) -> None:
    assert not calms(f"A safety {thing} {does}.")
    assert not calms(f"The safe with a {thing} {does}.")


@given(
    st.sampled_from(("위험한", "위험할", "위험 ")),
    st.sampled_from(KOREAN_THINGS),
    st.sampled_from(("이", "은", "도", "")),
    st.sampled_from(KOREAN_ENDS),
    st.sampled_from(("", "지금은 ", "여기에는 ", "주변에 ", "사진에는 ")),
)
def test_no_danger_is_an_all_clear_in_korean_however_it_is_put(
    kind: str, thing: str, particle: str, end: str, place: str
) -> None:
    sentence = f"{place}{kind}{'' if kind.endswith(' ') else ' '}{thing}{particle} {end}."
    assert calms(sentence)
    assert denies_danger(sentence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_programs_own_calms(language: str) -> None:
    """The describer without a model must be heard after every alert."""
    words = builtin_words()
    said = [table[language] for table in (NOTHING_KNOWN, ONLY_NAMES, NOT_IN_FULL, CANNOT_SAY, BEFORE)]
    said += [place.names[language] for place in words.places.values()]
    said += [table[language] for table in words.hazards.values()]
    things = itertools.chain.from_iterable(one.things for one in builtin_hazards().values())
    said += [thing.ko if language == "ko" else thing.name for thing in things]
    assert [text for text in said if calms(text)] == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("No danger here. A red lamp. ", ["Probably not fire.", "A red lamp."]),
        ("There is nothing dangerous. ", ["Probably not fire."]),
        ("No danger here, only smoke. A wall. ", ["A wall."]),  # smoke may be of a fire
        ("You are safe. A red lamp. ", ["A red lamp."]),  # that tells nothing of the fire
        ("It poses no danger. ", []),
    ],
)
def test_an_answer_that_sees_no_danger_denies_the_one_in_question(written: str, said: list[str]) -> None:
    answer = Answer("danger", "", "en", Danger("fire", "fire", denial_words("fire", "en")))
    assert answer.feed(written) + answer.finish() == said
    assert answer.denied == ("Probably not fire." in said)
