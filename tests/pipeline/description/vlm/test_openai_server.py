"""The `openai` backend against a real server process, kind or not."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.description.base import DescribeError, DescribeRequest
from pipeline.description.factory import build
from pipeline.description.status import Phase, WatchedDescriber
from pipeline.description.template import TemplateDescriber, builtin_words
from pipeline.description.vlm.backends.openai_answer import TEXT_ONLY, body, explain
from pipeline.description.vlm.backends.openai_server import ServerGenerator, load, read_key, try_server
from pipeline.description.vlm.job import GenerateError, GenerationJob, ModelLoadError, ModelSpec
from pipeline.settings import DescribeSettings
from pipeline.types import Trigger
from tests.pipeline.description.vlm.fake_server import running_server

PATIENCE_S = 60.0
RED = np.full((40, 60, 3), (0, 0, 200), np.uint8)

Connect = Callable[..., WatchedDescriber]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a running server."""
    with running_server() as address:
        yield address


@pytest.fixture
def generator(server: str) -> Callable[..., ServerGenerator]:
    return lambda behaviour, **more: ServerGenerator(
        ModelSpec("openai", "some-model", url=f"{server}/{behaviour}/v1", **more)
    )


def job(deadline_s: float = 20.0) -> GenerationJob:
    return GenerationJob(1, RED, "Tell.", "What?", 80, deadline_s=deadline_s)


def said(generator: ServerGenerator, deadline_s: float = 20.0) -> str:
    pieces: list[str] = []
    generator.generate(job(deadline_s), lambda piece: pieces.append(piece) or True)  # type: ignore[func-returns-value]
    return "".join(pieces)


def test_a_streamed_answer_is_about_the_picture_that_was_sent(
    generator: Callable[..., ServerGenerator], server: str, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("secret-1\n", encoding="ascii")
    assert said(generator("good", key_file=str(key))) == "A red wall. It is plain."
    with urllib.request.urlopen(f"{server}/asked", timeout=PATIENCE_S) as answer:
        asked = json.load(answer)[-1]
    assert asked["path"] == "/good/v1/chat/completions"
    assert asked["key"] == "Bearer secret-1"
    assert asked["request"]["model"] == "some-model"
    assert asked["request"]["max_tokens"] == 80
    assert asked["request"]["temperature"] == 0
    assert asked["request"]["stream"] is True
    assert asked["request"]["messages"][0] == {"role": "system", "content": "Tell."}


def test_a_server_that_does_not_stream_is_understood(generator: Callable[..., ServerGenerator]) -> None:
    assert said(generator("whole")) == "A plain wall. Nothing else."


@pytest.mark.parametrize(
    "behaviour", ["wild", "gzip", "untyped", "ollama", "vllm", "wholeasstream", "unfinished"]
)
def test_answers_are_read_as_servers_send_them(
    generator: Callable[..., ServerGenerator], behaviour: str
) -> None:
    assert said(generator(behaviour)) == "A red wall."


def test_a_switch_that_works_is_kept(generator: Callable[..., ServerGenerator], server: str) -> None:
    asked = generator("ollama")
    assert said(asked) == said(asked) == "A red wall."
    with urllib.request.urlopen(f"{server}/asked", timeout=PATIENCE_S) as answer:
        requests = [
            each["request"] for each in json.load(answer) if each.get("path", "").startswith("/ollama")
        ]
    assert requests[-1]["reasoning_effort"] == requests[-2]["reasoning_effort"] == "none"


def test_a_model_that_only_thinks_is_told_and_may_be_switched_by_settings(
    generator: Callable[..., ServerGenerator],
) -> None:
    with pytest.raises(GenerateError, match=r"only thinks.*describe\.server_extra"):
        said(generator("stubborn"))
    assert said(generator("stubborn", extra={"my_switch": 1})) == "A red wall."


def test_extra_fields_go_over_ours_and_may_leave_one_out() -> None:
    fields = body("m", job(), {"max_tokens": "", "max_completion_tokens": 9, "temperature": 1})
    assert "max_tokens" not in fields
    assert (fields["max_completion_tokens"], fields["temperature"]) == (9, 1)


def test_a_server_that_loads_for_long_loads_once(server: str) -> None:
    """It would give up when the client of a job leaves: only the preloading client waits so long."""
    generator = load(ModelSpec("openai", "m", url=f"{server}/slowload/v1", load_s=60))
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        try:
            assert said(generator, deadline_s=0.5) == "A red wall. It is plain."
            break
        except GenerateError as error:
            assert "still loading" in str(error)
            time.sleep(0.1)
    else:
        pytest.fail("it never loaded")
    with urllib.request.urlopen(f"{server}/asked", timeout=PATIENCE_S) as answer:
        assert {"gave_up_loading": True} not in json.load(answer)


def test_a_server_is_asked_now_and_then_so_that_it_keeps_its_model(server: str) -> None:
    def asked() -> int:
        with urllib.request.urlopen(f"{server}/asked", timeout=PATIENCE_S) as answer:
            return sum(each.get("path", "").startswith("/whole") for each in json.load(answer))

    before = asked()
    generator = load(ModelSpec("openai", "m", url=f"{server}/whole/v1", keep_alive_s=0.5))
    end_s = time.monotonic() + PATIENCE_S
    while asked() < before + 3 and time.monotonic() < end_s:
        time.sleep(0.05)
    generator.close()
    assert asked() >= before + 3


def test_what_check_asks_is_about_a_picture(server: str) -> None:
    assert "red" in try_server(ModelSpec("openai", "m", url=f"{server}/good/v1"), 20)


@pytest.mark.parametrize(
    "told",
    [
        "image input is not supported - hint: you may need to provide the mmproj",
        "This model does not support image inputs",
        "m is not a multimodal model",
        "At most 0 image(s) may be provided in one prompt.",
        "Unsupported content type: image_url",
    ],
)
def test_a_model_without_eyes_is_known_by_what_its_server_says(told: str) -> None:
    assert explain(json.dumps({"error": {"message": told}})).startswith(TEXT_ONLY)


@pytest.mark.parametrize("told", ["model not found", "out of memory", "image too large", "rate limited"])
def test_another_error_is_passed_on(told: str) -> None:
    assert explain(json.dumps({"error": told})) == told


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        ("broken", "not of the OpenAI protocol"),
        ("halfanswer", "broke off"),
        ("cut", "closed connection"),
        ("lying", "."),
        ("html", "answered with text/html"),
        ("strange", "not of the OpenAI protocol"),
        ("error", "answered 500: model not found"),
        ("late", "the server failed: out of memory"),
        ("oversized", "more than any answer takes"),
        ("longline", "more than any answer takes"),
        ("redirect", "answered 307"),
        ("textonly", "reads no pictures"),
    ],
)
def test_a_bad_answer_is_one_clear_line(
    generator: Callable[..., ServerGenerator], behaviour: str, complaint: str
) -> None:
    with pytest.raises(GenerateError, match=complaint) as failure:
        said(generator(behaviour))
    assert len(str(failure.value)) < 300
    assert str(failure.value).isprintable()


def test_an_address_without_its_end_gets_a_hint(server: str) -> None:
    for end, hinted in (("nov1", True), ("nov1/v1", False)):
        with pytest.raises(GenerateError, match="answered 404") as failure:
            said(ServerGenerator(ModelSpec("openai", "m", url=f"{server}/{end}")))
        assert (f"have their API at {server}/nov1/v1" in str(failure.value)) == hinted


@pytest.mark.parametrize("behaviour", ["silent", "dripping"])
def test_waiting_ends_by_the_deadline(generator: Callable[..., ServerGenerator], behaviour: str) -> None:
    began_s = time.monotonic()
    with pytest.raises(GenerateError, match="did not answer in time"):
        said(generator(behaviour), deadline_s=0.5)
    assert time.monotonic() - began_s < 20


def test_nobody_there(generator: Callable[..., ServerGenerator]) -> None:
    with pytest.raises(GenerateError, match="refused"):
        said(ServerGenerator(ModelSpec("openai", "m", url="http://127.0.0.1:9/v1")))


@pytest.mark.parametrize(
    "url", ["", "ftp://x/v1", "http://", "localhost:1234", "http://a:99999/v1", "http://me:pass@host/v1"]
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ModelLoadError, match=r"describe\.server_url") as failure:
        ServerGenerator(ModelSpec("openai", "m", url=url))
    assert "pass" not in str(failure.value)


def test_a_key_does_not_travel_openly(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret-1", encoding="ascii")
    with pytest.raises(ModelLoadError, match="https only") as failure:
        ServerGenerator(ModelSpec("openai", "m", url="http://192.0.2.1/v1", key_file=str(key)))
    assert "secret" not in str(failure.value)


def test_a_bare_key_name_is_a_credential_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vlm").write_text("secret-2\n", encoding="ascii")
    (tmp_path / "bad").write_text("two\nlines", encoding="ascii")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_key("vlm") == "secret-2"
    for name in ("missing", "bad"):
        with pytest.raises(ModelLoadError, match=r"describe\.server_key_file") as failure:
            read_key(name)
        assert "lines" not in str(failure.value)


@pytest.fixture
def connect(server: str, tmp_path: Path) -> Iterator[Connect]:
    """The whole describer, child process included, as the daemon builds it."""
    opened: list[WatchedDescriber] = []

    def make(behaviour: str) -> WatchedDescriber:
        settings = DescribeSettings(backend="openai", model="m", server_url=f"{server}/{behaviour}/v1")
        describer = build(
            settings,
            language="en",
            tags=TemplateDescriber(builtin_words()),
            locate=lambda name: tmp_path / name,
            cache=tmp_path,
        )
        assert describer is not None
        opened.append(describer)
        assert describer.wait_ready(PATIENCE_S)
        return describer

    yield make
    for describer in opened:
        describer.close()


def request(deadline_s: float = 30.0) -> DescribeRequest:
    return DescribeRequest("r1", RED, Trigger.SCENE_CHANGE, "en", deadline_s=deadline_s)


def test_through_the_child_process_sentence_by_sentence(connect: Connect) -> None:
    describer = connect("good")
    assert list(describer.describe(request())) == ["A red wall.", "It is plain."]
    assert describer.model == "m"
    assert describer.calls == 1


def test_a_stream_that_ends_without_a_reason_is_a_whole_answer_if_its_body_ended(connect: Connect) -> None:
    assert list(connect("unfinished").describe(request())) == ["A red wall."]
    assert list(connect("unfinishedchunked").describe(request())) == ["A red wall.", "A door"]


@pytest.mark.parametrize(
    ("behaviour", "sentences"),
    [
        ("cut", ["A red wall.", "It is plain."]),
        ("cutinside", ["A red wall."]),
        ("halfanswer", ["A wall."]),
    ],
)
def test_of_an_answer_that_breaks_off_only_whole_sentences_are_given(
    connect: Connect, behaviour: str, sentences: list[str]
) -> None:
    said: list[str] = []
    described = connect(behaviour).describe(request())
    with pytest.raises(DescribeError):
        for sentence in described:
            said.append(sentence)  # noqa: PERF402 -- what came before the failure is wanted
    assert said == sentences


def test_a_whole_sentence_is_given_when_time_is_up(connect: Connect) -> None:
    described = connect("stalling").describe(request(deadline_s=5.0))
    assert next(described) == "A red wall."


def test_enough_is_enough_and_the_server_is_hung_up_on(connect: Connect, server: str) -> None:
    describer = connect("endless")
    sentences = list(describer.describe(request()))
    assert 1 <= len(sentences) <= 3
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        with urllib.request.urlopen(f"{server}/asked", timeout=PATIENCE_S) as answer:
            if {"hung_up": True} in json.load(answer):
                return
        time.sleep(0.05)
    pytest.fail("the server was never hung up on")


@pytest.mark.parametrize("behaviour", ["silent", "dripping", "drippinghead"])
def test_whatever_a_server_does_the_answer_fails_in_time_and_the_child_lives(
    connect: Connect, behaviour: str
) -> None:
    describer = connect(behaviour)
    for _ in range(2):
        began_s = time.monotonic()
        with pytest.raises(DescribeError):
            list(describer.describe(request(deadline_s=1.0)))
        assert time.monotonic() - began_s < 10
    assert describer.status.phase is Phase.FAILED
    assert describer.calls == 2


def test_a_server_without_address_is_told_and_answered_by_tags(tmp_path: Path) -> None:
    describer = build(
        DescribeSettings(backend="openai", model="m"),
        language="en",
        tags=TemplateDescriber(builtin_words()),
        locate=lambda name: tmp_path / name,
        cache=tmp_path,
    )
    assert describer is not None
    assert describer.status.phase is Phase.FAILED
    assert "needs describe.server_url" in describer.status.reason
