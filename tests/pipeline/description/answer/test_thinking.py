"""What a model thinks is never spoken, in whichever tags, and however it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.answer.answer import Answer
from pipeline.description.answer.thinking import sounds_thought

SAID = "There is a car."
THOUGHT = "The user wants a warning. The road is wide."

MARKED = [
    "<think>{t}</think>{s}",
    "<think>\n{t}\n</think>\n\n{s}",
    "<think></think>{s}",
    "<thinking>{t}</thinking>{s}",
    "<Thinking>{t}</Thinking>\n{s}",
    "<thought>{t}</thought> {s}",
    "<reasoning>{t}</reasoning>{s}",
    "<analysis>{t}</analysis>{s}",
    "<reflection>{t}</reflection>{s}",
    "<seed:think>{t}</seed:think>{s}",
    "◁think▷{t}◁/think▷{s}",
    "[THINK]{t}[/THINK]{s}",
    "<|begin_of_thought|>{t}<|end_of_thought|>{s}",
    "<|channel|>analysis<|message|>{t}<|end|><|start|>assistant<|channel|>final<|message|>{s}<|return|>",
    "analysis{t}assistantfinal{s}",
    "<|channel>thought\n{t}<channel|>{s}",
    "Here is my thought process: {t} Here is my response: {s}",
    "<|START_THINKING|>{t}<|END_THINKING|><|START_RESPONSE|>{s}<|END_RESPONSE|>",
    "<unused94>thought\n{t}<unused95>{s}",
    "<longcat_think>{t}</longcat_think>{s}",
    "<|thinking|>{t}<|/thinking|>{s}",
    "<|think|>{t}<|/think|>{s}",
    "<inner_monologue>{t}</inner_monologue>{s}",
    "<chain_of_thought>{t}</chain_of_thought>{s}",
    "<planning>{t}</planning>{s}",
    "<생각>{t}</생각>{s}",
    "<think>{t}</think><answer>{s}</answer>",
    "<think>{t}</think><|begin_of_box|>{s}<|end_of_box|>",
    "**Thinking:** {t}\n\n**Answer:** {s}",
    "Thought: {t}\nAnswer: {s}",
]
UNOPENED = [
    "{t}</think>{s}",
    "{t}\n</thinking>\n{s}",
    "{t}◁/think▷{s}",
    "{t}[/THINK]{s}",
    "{t}<|end|><|start|>assistant<|channel|>final<|message|>{s}",
    "{t}<channel|>{s}",
]


def spoken(pieces: list[str], *, thinks: bool = False, cut: bool = False) -> list[str]:
    answer = Answer("safe", "", "en", thinks=thinks)
    return [*(s for piece in pieces for s in answer.feed(piece)), *answer.finish(cut=cut)]


@pytest.mark.parametrize("form", MARKED + UNOPENED)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_thoughts_are_not_spoken_however_they_are_cut(form: str, step: int) -> None:
    text = form.format(t=THOUGHT, s=SAID)
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    assert spoken(pieces) == [SAID]


@pytest.mark.parametrize("form", UNOPENED)
def test_a_model_that_was_found_to_think_unmarked_is_waited_for(form: str) -> None:
    """Its thought need not sound like one."""
    text = form.format(t="A lorry stands there. It is red.", s=SAID)
    assert spoken(list(text), thinks=True) == [SAID]
    answer = Answer("safe", "", "en")
    for piece in text:
        answer.feed(piece)
    assert answer.unmarked_thought


def test_a_thought_that_never_ends_is_none() -> None:
    for form in MARKED[:1] + MARKED[3:4]:
        assert spoken(list(form.split("{t}")[0] + THOUGHT), cut=True) == []
    answer = Answer("safe", "", "en")
    answer.feed("<think>" + THOUGHT)
    answer.finish(cut=True)
    assert answer.withheld["thought"]


def test_an_answer_that_only_begins_like_a_thought_is_spoken_without_it() -> None:
    assert spoken(list("Let me look. " + SAID)) == [SAID]
    assert spoken([SAID], thinks=True) == [SAID]


@pytest.mark.parametrize(
    "text",
    [
        "The user wants a warning.",
        "Okay, so the user asks what is there.",
        "I need to be brief.",
        "Let me think.",
        "사용자가 경고를 원합니다.",
    ],
)
def test_thoughts_sound_like_thoughts(text: str) -> None:
    assert sounds_thought(text)


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        "I see a car.",
        "A sign reads [STOP].",
        "The analysis of the sign is hard.",
        "Here is a dog.",
        "The road is < 3 m wide.",
        "사람이 서 있습니다.",
        "A man is thinking.",
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_no_thought_is_spoken(text: str, step: int) -> None:
    language = "en" if text.isascii() else "ko"
    answer = Answer("safe", "", language)
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    assert [*(s for piece in pieces for s in answer.feed(piece)), *answer.finish()] != []


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "A car. ", "<", "|channel|>", "a", "[", "]", "<think"]),
        max_size=8,
    )
)
def test_any_order_of_tags_ends(pieces: list[str]) -> None:
    for sentence in spoken(pieces):
        assert not set(sentence) & set("<>|")
