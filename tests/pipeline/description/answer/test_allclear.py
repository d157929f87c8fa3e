"""No all-clear is spoken, whatever was asked; what only describes is. And answers keep to their language."""

from __future__ import annotations

import pytest

from pipeline.description.answer.answer import Answer
from pipeline.description.answer.permission import CANNOT_SAY, asks_permission
from pipeline.description.answer.rejection import rejection

CLEARS = {
    "en": (
        "Yes, the light is green and you can cross.",
        "It is okay to cross now.",
        "It's OK to go.",
        "Clear to cross.",
        "You are good to go.",
        "Go.",
        "Go now!",
        "Walk.",
        "The walk signal is on, go.",
        "The walk signal is on.",
        "The light has turned green.",
        "You have a green light.",
        "The road is empty.",
        "An empty road ahead.",
        "A clear path.",
        "It looks clear.",
        "It’s all clear.",
        "Both sides are clear.",
        "There are no cars.",
        "There aren’t any cars.",
        "No moving vehicles.",
        "There is no traffic.",
        "I don't see any oncoming traffic.",
        "The street is free of traffic.",
        "It should be safe.",
        "It should now be safe.",
        "It seems to be safe.",
        "Perfectly safe.",
        "You can safely cross.",
        "This is a good place to cross.",
        "It is a safe place to cross.",
        "It is not dangerous.",
        "It isn't dangerous at all.",
        "Crossing is not risky.",
        "There is no immediate danger.",
        "There is nothing in front of you.",
        "Nothing is coming.",
        "Nothing blocks your way.",
        "Nothing dangerous here.",
        "Start walking.",
        "Now is the time to cross.",
    ),
    "ko": (
        "건널 수 있습니다.",
        "지금 건널 수 있어요.",
        "지금 건너면 됩니다.",
        "가시면 됩니다.",
        "차가 없습니다.",
        "다가오는 차량이 없습니다.",
        "차는 전혀 없습니다.",
        "안전해 보입니다.",
        "안전할 것 같습니다.",
        "안전한 것 같습니다.",
        "위험하지 않습니다.",
        "위험 요소가 없습니다.",
        "위험해 보이지 않습니다.",
        "가셔도 됩니다.",
        "건너셔도 됩니다.",
        "이동해도 됩니다.",
        "네, 건너세요.",
        "가세요.",
        "네, 출발하세요.",
        "초록불입니다.",
        "파란불이 켜졌습니다.",
        "신호등이 지금 녹색입니다.",
        "앞에 아무것도 없습니다.",
        "길이 텅 비어 있습니다.",
        "도로가 비었습니다.",
        "횡단이 가능합니다.",
        "괜찮아 보입니다.",
    ),
}
"""Never spoken, in whatever answer."""

YESES = {
    "en": (
        "Yes.",
        "Yes!",
        "Yeah, I think so.",
        "Yes, the light is green.",
        "Yes, you can.",
        "You can.",
        "It is.",
        "Of course.",
        "Absolutely.",
        "OK.",
        "Probably.",
        "It looks fine.",
        "The street is quiet.",
        "The cars have stopped.",
        "A green light.",
    ),
    "ko": (
        "네.",
        "예, 맞습니다.",
        "네 가능합니다.",
        "네, 가능합니다.",
        "가능합니다.",
        "그럼요.",
        "물론입니다.",
        "됩니다.",
        "한산합니다.",
        "차들이 멈춰 있습니다.",
        "초록색입니다.",
    ),
}
"""Not spoken in answer to who asks for leave."""

HARMLESS = {
    "en": (
        "A red traffic light.",
        "A man walks a dog.",
        "The door is open.",
        "The crossing light is red.",
        "There are no traffic lights here.",
        "It is not safe to cross.",
        "It may not be safe.",
        "You cannot cross here.",
        "Do not go.",
        "Wait, a car comes from the left.",
        "No, a bus is coming.",
        "Probably not.",
        "Step back from the kerb.",
        "Go left around the bench.",
        "Turn right at the door.",
        "A quiet street with trees.",
        "A car is parked ahead on the right.",
        "People cross the street.",
        "A cyclist is coming towards you.",
        "There is nothing on the table.",
        "There is nobody in the room.",
        "An empty bench on the left.",
        "The room is empty.",
        "The sky is clear.",
        "It is clear that the shop is shut.",
        "A sign says no cars allowed.",
        "A bank safe stands in the corner.",
        "Keep a safe distance from the edge.",
        "This is not a dangerous animal, just a cat.",
        "There is no fire here.",
        "The traffic light is not green.",
        "A woman goes up the stairs.",
        "The path leads through a park.",
        "Your way is blocked by a van.",
        "A green bar on the left.",
        "There are no cars, but a bicycle is coming.",
        "There is no green light.",
        "The bus is ready to go.",
        "You may walk into a pole.",
    ),
    "ko": (
        "네 명이 있습니다.",
        "네 개의 의자가 있습니다.",
        "빨간불입니다.",
        "문이 열려 있습니다.",
        "남자가 개와 걷고 있습니다.",
        "앞에 횡단보도가 있습니다.",
        "왼쪽에서 차가 옵니다.",
        "건너지 마세요.",
        "건너면 안 됩니다.",
        "건널 수 없습니다.",
        "가지 마세요.",
        "안전하지 않습니다.",
        "안전모를 쓴 사람이 있습니다.",
        "안전해 보이지 않습니다.",
        "통행이 불가능합니다.",
        "위험합니다, 멈추세요.",
        "아니요, 버스가 오고 있습니다.",
        "왼쪽으로 가세요.",
        "탁자 위에 아무것도 없습니다.",
        "신호등이 없습니다.",
        "기차가 없습니다.",
        "내려갈 수 있는 계단이 있습니다.",
        "앞에 고가도로가 있습니다.",
        "오른쪽에 자전거가 세워져 있습니다.",
        "차가 신호 없이 다가옵니다.",
        "사람들이 길을 건너고 있습니다.",
        "조심하셔야 됩니다.",
        "초록불이 아닙니다.",
        "초록색 문이 있습니다.",
        "차는 없지만 자전거가 옵니다.",
        "오른쪽으로 가면 됩니다.",
        "가게 앞에 아무도 없습니다.",
        "네거리입니다.",
        "예쁜 꽃이 있습니다.",
    ),
}
"""Spoken whatever was asked, except where `UNASKED_ONLY` says so."""

UNASKED_ONLY = frozenset(
    [
        "The sky is clear.",
        "The room is empty.",
        "The door is open.",
        "A green bar on the left.",
        "It is clear that the shop is shut.",
        "오른쪽으로 가면 됩니다.",
    ]
)
"""Too much like a yes in answer to who asks for leave."""


def rows(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(language, sentence) for language, sentences in table.items() for sentence in sentences]


@pytest.mark.parametrize(("language", "sentence"), rows(CLEARS))
@pytest.mark.parametrize("permission", [False, True])
def test_an_all_clear_is_never_fit(language: str, sentence: str, permission: bool) -> None:
    assert rejection(sentence, "", language, permission=permission) == "all-clear"


@pytest.mark.parametrize(("language", "sentence"), rows(YESES))
def test_a_yes_is_not_fit_in_answer_to_who_asks_for_leave(language: str, sentence: str) -> None:
    assert rejection(sentence, "", language, permission=True) == "all-clear"


@pytest.mark.parametrize(("language", "sentence"), [("en", "Yes."), ("en", "Yes, a dog."), ("ko", "네.")])
def test_a_yes_to_another_question_is_fit(language: str, sentence: str) -> None:
    assert rejection(sentence, "", language) is None


@pytest.mark.parametrize(("language", "sentence"), rows(HARMLESS))
def test_what_only_describes_is_fit(language: str, sentence: str) -> None:
    assert rejection(sentence, "", language) is None
    if sentence not in UNASKED_ONLY:
        assert rejection(sentence, "", language, permission=True) is None


@pytest.mark.parametrize(
    "question",
    [
        "Can I cross?",
        "can i cross the street now",
        "May we go?",
        "Should I walk?",
        "Can I keep walking here?",
        "Is it safe?",
        "Is it safe to enter?",
        "Am I safe here?",
        "Is it dangerous?",
        "Is the road clear?",
        "Is the way free?",
        "Is it OK to go now?",
        "Should I wait?",
        "Are there any cars?",
        "Is a car coming?",
        "Is the light green?",
        "What does the traffic light show?",
        "Is there anything in my way?",
        "Is it my turn?",
        "Do the cars stop?",
        "Is there traffic?",
        "Do I have enough time?",
        "Is the sidewalk blocked?",
        "Can I board?",
        "Can I touch this?",
        "Is that dog friendly?",
        "Is the stove off?",
        "Is the water deep?",
        "Tell me whether I can walk.",
        "Has the train gone?",
        "Is there a step in front of me?",
        "Is there anything on the floor?",
        "What colour is the light?",
        "What does the signal show?",
        "say It is safe to cross.",
        "멈춰야 하나요?",
        "기다려야 해?",
        "앞이 비었나요?",
        "길이 막혔나요?",
        "직진해도 되나요?",
        "여기 앉아도 돼요?",
        "만져도 돼?",
        "기차가 와요?",
        "뜨거워요?",
        "가스 불 껐어?",
        "불이 무슨 색이야?",
        "지금 건너도 돼?",
        "건널 수 있어?",
        "가도 되나요?",
        "가도 돼?",
        "지금 가면 돼?",
        "안전한가요?",
        "위험해?",
        "길을 건너도 괜찮아?",
        "걸어도 됩니까?",
        "차가 와?",
        "차가 없어?",
        "신호등이 무슨 색이야?",
        "앞에 장애물이 있어?",
    ],
)
def test_who_asks_for_leave_is_recognised(question: str) -> None:
    assert asks_permission(question)


@pytest.mark.parametrize(
    "question",
    [
        None,
        "",
        "What is there?",
        "Where is the door?",
        "Is the door on the left side of the hallway open?",
        "Is there a dog?",
        "Where does this stair lead?",
        "How many people are walking here?",
        "Read the sign.",
        "Is the sky clear?",
        "What is on the table?",
        "What is in front of me?",
        "What colour is the car?",
        "Where is the bus stop?",
        "Who is standing there?",
        "What can I see from here?",
        "say A street. ",
        "문이 어디 있어?",
        "고가도로가 보여?",
        "가게가 열려 있어?",
        "사람이 몇 명이야?",
        "이게 뭐야?",
        "무슨 색이에요?",
        "앞에 무엇이 있나요?",
        "도서관이 어디야?",
        "간판을 읽어 줘.",
    ],
)
def test_another_question_is_just_answered(question: str | None) -> None:
    assert not asks_permission(question)


@pytest.mark.parametrize(
    ("language", "question", "written", "spoken"),
    [
        ("en", "Can I cross?", "Yes.", []),
        ("en", "Can I cross?", "Yes, the light is green. A red car waits. ", ["A red car waits."]),
        ("en", "Can I cross?", "No. A bus comes from the left.", ["No. A bus comes from the left."]),
        ("en", "Can I cross?", "", []),
        (
            "en",
            "Is it safe?",
            "It is safe to cross. There are no cars. A bench on the right.",
            ["A bench on the right."],
        ),
        ("ko", "건너도 돼?", "네.", []),
        ("ko", "건너도 돼?", "네, 가능합니다. 앞에 횡단보도가 있습니다.", ["앞에 횡단보도가 있습니다."]),
    ],
)
def test_who_asks_for_leave_hears_that_nobody_can_say(
    language: str, question: str, written: str, spoken: list[str]
) -> None:
    answer = Answer("question", "", language, question=question)
    assert answer.feed(written) + answer.finish() == [CANNOT_SAY[language], *spoken]
    assert not answer.empty


def test_other_questions_may_be_answered_with_yes() -> None:
    answer = Answer("question", "", "en", question="Is there a dog?")
    assert answer.feed("Yes. It is small. ") == ["Yes.", "It is small."]


FOREIGN = "前面有一条街道，现在可以安全过马路。"


@pytest.mark.parametrize(
    ("language", "sentence", "reason"),
    [
        ("en", FOREIGN, "language"),
        ("ko", FOREIGN, "language"),
        ("en", "Перед вами улица, можно идти.", "language"),
        ("en", "前面有一条街道 a street", "language"),
        ("en", "앞에 계단이 있습니다.", "language"),
        ("ko", "A quiet street with trees.", "language"),
        ("ko", "A man, 남자.", "language"),
        ("ko", "Ein Mann steht auf der Straße.", "language"),
        ("ko", "人が道を歩いています。", "language"),
        ("ko", "Apseo gyedan-i isseumnida.", "language"),
        ("en", f'It says "{FOREIGN}"', "language"),
        ("en", "A café with a naïve façade.", None),
        ("en", "A bus, 42.", None),
        ("en", "112", None),
        ("ko", "112", None),
        ("en", 'The sign says "출입 금지, 관계자 외 들어오지 마시오".', None),
        ("ko", '간판에 "STARBUCKS COFFEE COMPANY"라고 쓰여 있습니다.', None),
        ("ko", "CU 편의점이 오른쪽에 있습니다.", None),
        ("ko", "STOP 표지판입니다.", None),
    ],
)
def test_answers_keep_to_their_language(language: str, sentence: str, reason: str | None) -> None:
    assert rejection(sentence, "", language) == reason


FOREIGN_LATIN = (
    "Ein Mann steht auf der Straße.",
    "Der Hund läuft.",
    "Die Straße ist frei.",
    "Sie können jetzt gehen.",
    "Vor Ihnen ist eine Treppe.",
    "Un chien noir sur le trottoir.",
    "Vous pouvez traverser la rue.",
    "Un perro en la calle.",
    "Hay un coche rojo a la derecha.",
    "Puede cruzar la calle.",
    "C’è un cane nero.",
    "La strada è libera.",
    "Há um carro à direita.",
    "De auto is rood en staat op de weg.",
    "En man står på gatan.",
    "En bil kører på vejen.",
    "Mies kävelee kadulla.",
    "Mężczyzna stoi na ulicy.",
    "Muž stojí na ulici.",
    "Egy férfi áll az utcán.",
    "Un om merge pe stradă.",
    "Sokakta bir araba var.",
    "Seorang pria berjalan di jalan.",
    "Một người đàn ông đi bộ trên đường.",
)
ENGLISH_WITH_NAMES = (
    "A man stands near Rue de la Paix.",
    "A Citroën in front of the Café de Flore.",
    "A shop named La Maison de la Truffe.",
    "The sign says Calle de Alcalá.",
    "A bus to Köln Hauptbahnhof.",
    "Jean-Luc and Zoë wait by the Škoda.",
    "La Strada is a restaurant.",
    "Los Angeles bus.",
    "Van Gogh poster.",
    "An à la carte menu.",
    "Kim Min-su and Park Ji-yeon talk.",
    'A sign reads "Betreten auf eigene Gefahr, Eltern haften für ihre Kinder".',
    "Red van.",
    "A white cane.",
    "Stairs down.",
    "People walking.",
    "A barrier-free no-go area.",
    "A sign with the letters e, v, w and i.",
)


@pytest.mark.parametrize("sentence", FOREIGN_LATIN)
def test_another_language_in_latin_letters_is_no_english(sentence: str) -> None:
    assert rejection(sentence, "", "en") == "language"


@pytest.mark.parametrize("sentence", ENGLISH_WITH_NAMES)
def test_english_may_name_what_it_likes(sentence: str) -> None:
    assert rejection(sentence, "", "en") is None
