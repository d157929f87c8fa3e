"""Whether a sentence tells more than a warning did."""

from __future__ import annotations

import pytest

from pipeline.sentence_hazards import adds_nothing, named_hazards


@pytest.mark.parametrize(
    ("sentence", "language", "names"),
    [
        ("There is a red car on your left.", "en", {"vehicle"}),
        ("Two bicycles and a train.", "en", {"two_wheeler", "train"}),
        ("A careful person.", "en", set()),
        ("왼쪽에 자동차가 있습니다.", "ko", {"vehicle"}),
        ("차선이 두 개인 도로입니다.", "ko", set()),
        ("개를 데리고 걷는 사람이 있습니다.", "ko", {"dog"}),
        ("개방된 문이 있습니다.", "ko", set()),
        ("불과 연기가 보입니다.", "ko", {"fire", "smoke"}),
    ],
)
def test_hazards_are_found_by_their_words(sentence: str, language: str, names: set[str]) -> None:
    among = ["vehicle", "two_wheeler", "train", "dog", "fire", "smoke"]
    assert named_hazards(sentence, language, among) == names


@pytest.mark.parametrize(
    ("sentence", "language", "side_known", "nothing"),
    [
        ("There is a car on the left.", "en", True, True),
        ("There is a car on the left.", "en", False, False),
        ("Careful, a red car is coming.", "en", True, True),
        ("A car blocks the pavement beside the bakery.", "en", True, False),
        ("Two people stand at the kerb.", "en", True, False),
        ("왼쪽에 차가 있습니다.", "ko", True, True),
        ("왼쪽에 차가 있습니다.", "ko", False, False),
        ("차가 횡단보도 앞에 멈춰 섰습니다.", "ko", True, False),
    ],
)
def test_a_sentence_that_only_repeats_a_warning_is_known(
    sentence: str, language: str, side_known: bool, nothing: bool
) -> None:
    assert adds_nothing(sentence, language, ["vehicle"], side_known=side_known) is nothing
