"""Which hazard a word means: class names of data sets, plurals, particles, compounds, one's own words."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.lexicon import HazardLexicon, words_of
from pipeline.description.objects import object_classes
from pipeline.hazards import Hazard, builtin
from pipeline.types import Severity

WORDS = HazardLexicon(builtin().keys(), object_classes())
TABLES = Path(__file__).parent / "class_names"


def rows() -> Iterator[tuple[str, str, str | None]]:
    """English name, Korean name and hazard of each class of COCO, Open Images and ImageNet."""
    for table in ("coco", "open_images", "imagenet"):
        with (TABLES / f"{table}.csv").open(encoding="utf-8") as file:
            yield from ((row["en"], row["ko"], row["hazard"] or None) for row in csv.DictReader(file))


ROWS = tuple(rows())


def test_class_names_mean_their_hazards_in_both_languages() -> None:
    assert len(ROWS) > 1500
    wrong = [
        (word, found, hazard)
        for en, ko, hazard in ROWS
        for word in (
            en,
            en.upper(),
            f"a {en}",
            en.replace(" ", "_"),
            ko,
            f"{ko}들",
            f"{ko}들이",
            f"{ko} 두 개",
        )
        if (found := WORDS.hazard(word)) != hazard
    ]
    assert wrong == []


def test_korean_names_may_carry_the_particle_that_fits_them() -> None:
    wrong = []
    for _, ko, hazard in ROWS:
        closed = (ord(ko[-1]) - ord("가")) % 28 != 0
        for particle in ("이", "은", "을", "과") if closed else ("가", "는", "를", "와"):
            found = WORDS.hazard(ko + particle)
            wrong += [(ko + particle, found, hazard)] if found != hazard else []
    assert wrong == []


def test_the_table_of_imagenet_names_its_dogs_snakes_and_cars() -> None:
    """The table is read by the classes' places: 151 to 268 are dogs, 52 to 68 are snakes."""
    with (TABLES / "imagenet.csv").open(encoding="utf-8") as file:
        hazards = [row["hazard"] for row in csv.DictReader(file)]
    assert len(hazards) == 1000
    assert [hazard for hazard in hazards[151:269] if hazard != "dog"] == [""], "a boxer may be a man"
    assert set(hazards[52:69]) == {"dangerous_animal"}
    assert {hazards[at] for at in (407, 436, 555, 656, 717, 817)} == {"vehicle"}
    assert not any([*hazards[7:25], *hazards[80:101], *hazards[300:327], *hazards[924:970], *hazards[984:]])


@pytest.mark.parametrize(
    ("word", "hazard"),
    [
        ("Knives", "knife"),
        ("wolves", "dangerous_animal"),
        ("lorries", "vehicle"),
        ("buses", "vehicle"),
        ("knive", "knife"),
        ("wolve", "dangerous_animal"),
        ("lorrie", "vehicle"),
        ("a dove", None),
        ("cookie", None),
        ("칼들", "knife"),
        ("자동차가", "vehicle"),
        ("개 두 마리", "dog"),
        ("칼 한 자루를", "knife"),
        ("사과 세 개", None),
        ("차이", None),
        ("차도", None),
        ("a pair of scissors", "knife"),
        ("a group of dogs", "dog"),
        ("a cup of coffee", None),
        ("dog in a basket", "dog"),
        ("a man with a knife", "knife"),
        ("a basket on a table", None),
        ("teddy bears", None),
        ("hot dogs", None),
        ("hot-dog", None),
        ("flower pots", None),
        ("sea lions", None),
        ("traffic or street sign", None),
        ("a red or a blue car", "vehicle"),
        ("나일악어를", "dangerous_animal"),
        ("초록도마뱀", None),
        ("장난감자동차", None),
        ("전기차", "vehicle"),
        ("인테리어", None),
        ("corn dog with mustard", None),
        ("a toy gun", None),
        ("a red toy car", None),
        ("toy poodle", "dog"),
        ("a fake gun", "person_with_weapon"),
        ("a statue of a lion", None),
        ("a photo of a lion", "dangerous_animal"),
        ("곰 인형", None),
        ("장난감 자동차", None),
        ("가짜 총", "person_with_weapon"),
        ("바다 사자들", None),
        ("이불", None),
        ("베개", None),
        ("무지개", None),
        ("안개가", None),
        ("부엌칼을", "knife"),
        ("car / automobile", "vehicle"),
        ("crane (bird)", None),
        ("", None),
        ("들", None),
        ("/", None),
        ("of", None),
        ("with", None),
    ],
)
def test_names_as_people_write_them(word: str, hazard: str | None) -> None:
    assert WORDS.hazard(word) == hazard


@given(st.text(max_size=60) | st.text("ab칼과 (),/and", max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    found = WORDS.names(text)
    assert found
    assert {WORDS.hazard(text), *(one.hazard for one in found)} <= {None, *builtin()}


@pytest.mark.parametrize(
    ("word", "meant", "hazard"),
    [
        ("bycicle", "bicycle", "two_wheeler"),
        ("a red bycicle", "bicycle", "two_wheeler"),
        ("Bycicles", "bicycle", "two_wheeler"),
        ("motorcicle", "motorcycle", "two_wheeler"),
        ("vehcile", "vehicle", "vehicle"),
        ("truk", "truck", "vehicle"),
        ("knfie", "knife", "knife"),
        ("scissers", "scissors", "knife"),
        ("trian", "train", "train"),
        ("vicycle", "bicycle", "two_wheeler"),
        ("dgo", "dog", "dog"),
        ("a man with a rifel", "rifle", "person_with_weapon"),
        ("자정거", "자전거", "two_wheeler"),
        ("오토바위가", "오토바이", "two_wheeler"),
    ],
)
def test_a_misspelt_word_of_a_hazard_is_recognised(word: str, meant: str, hazard: str) -> None:
    assert WORDS.hazard(word) is None
    found = WORDS.misspelt(word)
    assert found is not None
    assert (found.meant, found.hazard) == (meant, hazard)


def test_the_class_names_of_harmless_things_are_no_mistakes() -> None:
    wrong = [
        (word, found)
        for en, ko, hazard in ROWS
        if hazard is None
        for word in (en, f"{en}s", ko)
        if (found := WORDS.misspelt(word)) is not None
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "word",
    [
        "bicycle",
        "knives",
        "자전거",
        "fog",
        "log",
        "cat",
        "bog",
        "brain",
        "pear",
        "chair",
        "store",
        "frame",
        "table",
        "차",
        "말",
        "소",
        "보스",
        "xyzzy",
        "",
        "/",
    ],
)
def test_a_word_that_is_right_or_like_nothing_is_no_mistake(word: str) -> None:
    assert WORDS.misspelt(word) is None


def own(say_ko: str = "", words: tuple[str, ...] = (), prompts: tuple[str, ...] = ()) -> HazardLexicon:
    say = {"en": "Careful! Broken glass{where}.", "ko": say_ko}
    hazard = Hazard("broken_glass", Severity.WARNING, prompts, None, say)
    return HazardLexicon(
        [*builtin(), "broken_glass"], object_classes(), words_of([hazard], {"broken_glass": words})
    )


@pytest.mark.parametrize(
    "word", ["broken glass", "Broken_Glass", "pieces of broken glass", "깨진 유리", "깨진 유리가"]
)
def test_a_hazard_of_ones_own_is_meant_by_its_name_in_both_languages(word: str) -> None:
    assert own().hazard(word) == "broken_glass"


def test_a_hazard_of_ones_own_is_meant_by_its_prompts_words_and_what_is_said_of_it() -> None:
    mine = own("조심하세요! {where}유리 조각이 있습니다.", ("shards", "사금파리"), ("smashed bottles",))
    for word in ("shard", "shards", "사금파리들", "유리 조각", "smashed bottles", "a smashed bottle"):
        assert mine.hazard(word) == "broken_glass", word
    for word in ("glass", "유리", "bottle", "a glass of water", "조심하세요"):
        assert mine.hazard(word) is None, word


def test_a_hazard_that_is_not_watched_for_is_none() -> None:
    some = HazardLexicon(["knife", "thin_ice"], object_classes())
    assert some.hazard("car") is None
    assert some.hazard("sports car") is None
    assert some.hazard("thin ice") == "thin_ice"
    assert some.hazard("얇은 얼음") == "thin_ice"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("borken glass", "broken glass"),
        ("a borken_glass", "broken glass"),
        ("shadrs", "shards"),
        ("깨친 유리", "깨진 유리"),
    ],
)
def test_a_misspelt_hazard_of_the_users_own_is_recognised(word: str, meant: str) -> None:
    words = own("{where}깨진 유리가 있습니다.", words=("shards",))
    found = words.misspelt(word)
    assert found is not None
    assert (found.meant, found.hazard) == (meant, "broken_glass")
    assert words.misspelt("glass") is None and words.misspelt("broken glass") is None


@pytest.mark.parametrize(
    ("text", "hazards"),
    [
        ("칼과 불", ["knife", "fire"]),
        ("차와 오토바이", ["vehicle", "two_wheeler"]),
        ("칼하고 불하고 개", ["knife", "fire", "dog"]),
        ("개랑 차", ["dog", "vehicle"]),
        ("칼이랑 불이랑", ["knife", "fire"]),
        ("칼이나 총", ["knife", "person_with_weapon"]),
        ("칼 및 불", ["knife", "fire"]),
        ("칼·불", ["knife", "fire"]),
        ("칼과 불이 있음", ["knife", "fire"]),
        ("개 두 마리와 칼 한 자루를", ["dog", "knife"]),
        ("공사 중인 도로와 개", ["construction", "dog"]),
        ("칼과 곰 인형", ["knife"]),
        ("장난감 칼과 불", ["fire"]),
        ("사과와 바나나", []),
        ("바나나 껍질", []),
        ("knife, fire and dog", ["knife", "fire", "dog"]),
        ("a knife & a fire", ["knife", "fire"]),
        ("dog/knife", ["dog", "knife"]),
        ("a man with a knife and a dog", ["knife", "dog"]),
        ("knfie and bycicle", ["knife", "two_wheeler"]),
        ("knife (near the fire)", ["knife", "fire"]),
        ("people (armed with knives)", ["person_with_weapon", "knife"]),
        ("burning car", ["vehicle", "fire"]),
        ("a toy burning car", []),
        ("불타는 차", ["vehicle", "fire"]),
    ],
)
def test_every_hazard_of_a_text_is_found(text: str, hazards: list[str]) -> None:
    assert [one.hazard for one in WORDS.names(text) if one.hazard] == hazards


def test_a_text_that_names_several_hazards_is_taken_apart_and_another_is_kept() -> None:
    assert [one.name for one in WORDS.names("개 두 마리와 칼을 든 사람")] == ["개", "칼", "사람"]
    assert [one.name for one in WORDS.names("Two cars and a bus")] == ["Two cars and a bus"]
    assert [one.name for one in WORDS.names("무장한 사람과 불")] == ["무장한 사람", "불"]


@pytest.mark.parametrize(
    ("name", "hazard"),
    [
        ("person (armed)", "person_with_weapon"),
        ("armed robber", "person_with_weapon"),
        ("one-armed man", None),
        ("unarmed man", None),
        ("person (with a knife)", "knife"),
        ("사람 (칼을 든)", "knife"),
        ("사람(무장)", "person_with_weapon"),
        ("도로 (공사 중)", "construction"),
        ("gun (toy)", None),
        ("dog (stuffed)", None),
        ("knife (kitchen)", "knife"),
        ("bow (weapon)", "person_with_weapon"),
        ("공사 중", "construction"),
        ("공사중", "construction"),
        ("공사중인 도로", "construction"),
        ("공사 구간", "construction"),
        ("roadworks ahead", "construction"),
        ("화재 발생", "fire"),
        ("계단 주의", "stairs"),
        ("knife detected", "knife"),
        ("불난 집", "fire"),
        ("위험한 동물", "dangerous_animal"),
    ],
)
def test_remarks_states_and_synonyms_are_read(name: str, hazard: str | None) -> None:
    assert WORDS.hazard(name) == hazard


@pytest.mark.parametrize(
    ("name", "hazard"),
    [
        ("권총을 든 남자", "person_with_weapon"),
        ("칼을 들고 있는 사람", "knife"),
        ("사람 옆의 자동차", "vehicle"),
        ("자동차 앞에 있는 사람", "vehicle"),
        ("목줄이 있는 개", "dog"),
        ("책상 위에 있는 컵", None),
        ("우산을 든 사람", None),
        ("위", None),
    ],
)
def test_korean_names_of_two_things_are_read_on_both_sides(name: str, hazard: str | None) -> None:
    assert WORDS.hazard(name) == hazard
