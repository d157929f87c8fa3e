"""Every route of the web interface, over a real connection, in front of a daemon that answers like the
real one.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from daemon.config.sections import WebSettings
from daemon.control.commands import (
    AskCommand,
    JournalCommand,
    MuteCommand,
    ProcessCommand,
    PurgeCommand,
    SayCommand,
    SetCommand,
    TryCommand,
)
from daemon.errors import CommandError
from daemon.handlers.metrics import STAGES
from daemon.web.prometheus import GAUGES, HELP
from tests.daemon.web.pretending import Pretender, jpeg
from tests.daemon.web.serving import Serving

PNG = cv2.imencode(".png", np.full((40, 60, 3), 200, np.uint8))[1].tobytes()
WEBP = cv2.imencode(".webp", np.full((40, 60, 3), 200, np.uint8))[1].tobytes()
LARGE = cv2.imencode(".jpg", np.zeros((1500, 2600, 3), np.uint8))[1].tobytes()


@pytest.fixture
def web(serving: Serving, pretender: Pretender) -> Iterator[httpx.Client]:
    pretender.say.clear()
    pretender.asked.clear()
    with httpx.Client(base_url=serving.address, timeout=20, trust_env=False) as client:
        yield client


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status and told["code"] == code and told["title"] and told["detail"]
    return told


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/status", "/scores", "/config", "/journal", "/why"])
def test_what_may_be_looked_at(web: httpx.Client, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_not_ready_says_what_is_missing(web: httpx.Client, pretender: Pretender) -> None:
    pretender.say["status"] = {"components": {"camera": {"reason": "lost"}, "detector": {}}, "lost": ["keys"]}
    told = is_problem(web.get("/readyz"), 503, "unavailable")
    assert told["detail"] == "camera: lost, keys: lost"


def test_the_newest_picture(web: httpx.Client) -> None:
    answer = web.get("/snapshot.jpg", params={"side": 320})
    assert answer.headers["content-type"] == "image/jpeg" and answer.content.startswith(b"\xff\xd8")
    assert int(answer.headers["x-seq"]) >= 0 and float(answer.headers["x-age-seconds"]) < 1
    is_problem(web.get("/snapshot.jpg", params={"side": 9}), 422, "invalid")


def test_the_live_picture_moves(web: httpx.Client) -> None:
    with web.stream("GET", "/live") as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=watchword"
        seen = b""
        for piece in answer.iter_raw():
            seen += piece
            if seen.count(b"--watchword\r\nContent-Type: image/jpeg") >= 3:
                return
    pytest.fail("it stopped")


@pytest.mark.parametrize(
    ("path", "body", "command"),
    [
        ("/say", {"text": "hello", "language": "en"}, SayCommand(text="hello", language="en")),
        ("/ask", {"question": "a dog?"}, AskCommand(question="a dog?")),
        ("/ask", None, AskCommand()),
        ("/mute", {"seconds": 60}, MuteCommand(seconds=60, by="page")),
        ("/try", {"thresholds": {"fire": 0.5}}, TryCommand(thresholds={"fire": 0.5})),
        ("/config", {"values": {"speech.rate_wpm": 200}}, SetCommand(values={"speech.rate_wpm": 200})),
        ("/purge", {"before": 5}, PurgeCommand(before=5)),
    ],
)
def test_orders_reach_the_daemon(
    web: httpx.Client, pretender: Pretender, path: str, body: Any, command: Any
) -> None:
    answer = web.post(path, json=body) if body is not None else web.post(path)
    assert answer.status_code == 200, answer.text
    assert command in pretender.asked


@pytest.mark.parametrize("path", ["hush", "repeat", "false-alarm", "describe"])
def test_orders_without_words(web: httpx.Client, pretender: Pretender, path: str) -> None:
    assert web.post(f"/{path}").status_code == 200
    assert web.post(f"/{path}", json={}).status_code == 200
    assert [each.do for each in pretender.asked] == [path.replace("-", "_")] * 2


def test_the_journal_and_its_pictures(web: httpx.Client, pretender: Pretender) -> None:
    answer = web.get("/journal", params={"kinds": "alert,speak", "hazard": "fire", "limit": 5})
    assert answer.json()["events"][0]["snapshot"] is True
    assert pretender.asked[-1] == JournalCommand(kinds=("alert", "speak"), hazard="fire", limit=5)
    picture = web.get("/journal/7/snapshot.jpg")
    assert picture.headers["content-type"] == "image/jpeg" and picture.headers["x-pixelated"] == "false"
    pretender.say["snapshot"] = CommandError("no picture was kept with it", "unknown")
    is_problem(web.get("/journal/8/snapshot.jpg"), 404, "unknown")


B64 = base64.b64encode(PNG).decode()


@pytest.mark.parametrize("image", [B64, f"data:image/png;base64,{B64}"])
@pytest.mark.parametrize("form", ["json", "data"])
def test_process_takes_base64(web: httpx.Client, image: str, form: str) -> None:
    sent: dict[str, Any] = {form: {"image": image}}
    answer = web.post("/process", **sent)
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == "60x40" and answer.json()["prompt"] == "danger"


@pytest.mark.parametrize("picture", [PNG, WEBP, jpeg(60)])
def test_process_takes_files(web: httpx.Client, pretender: Pretender, picture: bytes) -> None:
    fields = {"objects": "car, dog", "text": "free?", "language": "ko"}
    answer = web.post("/process", files={"image": ("x", picture)}, data=fields)
    assert answer.status_code == 200, answer.text
    assert answer.json()["prompt"] == "question" and "wav" not in answer.json()
    asked = pretender.asked[-1]
    assert isinstance(asked, ProcessCommand) and asked.objects == ("car", "dog") and asked.language == "ko"
    assert base64.b64decode(asked.picture).startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "objects", [["car", "dog"], "car,dog", "car; dog", "car\ndog", "car、 dog，", '["car", "dog"]']
)
def test_objects_in_each_form(web: httpx.Client, objects: Any) -> None:
    found = web.post("/process", json={"image": B64, "objects": objects}).json()["objects"]
    assert [each["name"] for each in found] == ["car", "dog"]
    sent = {"image": B64, "objects": objects}
    again = web.post("/process", data=sent).json()["objects"]
    assert again == found


def test_process_speaks_where_sound_is_wanted(web: httpx.Client) -> None:
    answer = web.post("/process", json={"image": B64, "speech": True})
    assert base64.b64decode(answer.json()["wav"]).startswith(b"RIFF")
    answer = web.post("/process", json={"image": B64}, headers={"Accept": "audio/wav"})
    assert (answer.headers["content-type"], answer.content[:4]) == ("audio/wav", b"RIFF")


def test_large_pictures_are_made_small_and_turned_upright(web: httpx.Client) -> None:
    assert web.post("/process", files={"image": LARGE}).json()["text"] == "1280x738"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = LARGE[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + LARGE[2:]
    assert web.post("/process", files={"image": turned}).json()["text"] == "738x1280"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"image": ""}, 422, "invalid"),
        ({"image": "no base64!"}, 422, "invalid"),
        ({"image": base64.b64encode(b"GIF89a" + bytes(50)).decode()}, 415, "unsupported"),
        ({"image": base64.b64encode(PNG[:40]).decode()}, 422, "invalid"),
        ({"image": B64, "language": "xx"}, 422, "invalid"),
        ({"image": B64, "text": "x" * 1001}, 422, "invalid"),
        ({"image": B64, "objects": ["x"] * 3 + [5]}, 422, "invalid"),
        ({"image": B64, "strange": 1}, 422, "invalid"),
        ({"image": "http://127.0.0.1/x.jpg"}, 403, "forbidden"),
    ],
)
def test_process_refuses_with_reason(web: httpx.Client, body: Any, status: int, code: str) -> None:
    is_problem(web.post("/process", json=body), status, code)


LONG = base64.b64encode(LARGE).decode()


@pytest.mark.parametrize(
    ("sent", "status", "hint"),
    [
        ({"files": {"file": LARGE}}, 422, "write image, as in -F image=@"),
        ({"files": {"picture": LARGE}}, 422, "write image"),
        ({"files": {"imgae": LARGE}}, 422, "write image"),
        ({"files": {"image": LARGE}, "data": {"question": "What?"}}, 422, "write text"),
        ({"files": {"image": LARGE}, "data": {"labels": "car"}}, 422, "write objects"),
        ({"files": {"image": LARGE}, "data": {"zzz": "car"}}, 422, "there are image, objects, text"),
        ({"files": {"text": LARGE}}, 422, "image=@"),
        ({"data": {"text": "What?"}}, 422, "image=@"),
        ({"json": {"img": LONG}}, 422, "write image"),
        ({"json": {"image": LONG, "lang": "ko"}}, 422, "write language"),
        ({"json": {LONG: 1}}, 422, "no such field"),
        ({"data": {LONG: "1"}}, 422, "no such field"),
        ({"content": json.dumps({"image": LONG})}, 415, "Content-Type: application/json"),
        ({"content": LARGE}, 415, "-F image=@"),
        ({"content": LARGE, "headers": {"Content-Type": "image/jpeg"}}, 415, "-F image=@"),
        (
            {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
            415,
            "Content-Type: application/json",
        ),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "multipart/form-data"),
        ({"content": LARGE, "headers": {"Content-Type": "multipart/form-data"}}, 415, "lacks its boundary"),
    ],
)
def test_what_is_sent_the_wrong_way_is_told_the_right_one(
    web: httpx.Client, sent: dict[str, Any], status: int, hint: str
) -> None:
    if "content" in sent and "headers" not in sent:  # as `curl -d` and `curl --data-binary` say of everything
        sent = {**sent, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    answer = web.post("/process", **sent)
    assert answer.status_code == status, answer.text
    assert hint in answer.json()["detail"]
    assert len(answer.content) < 500, "nothing that was sent is repeated at length"


def test_one_picture_at_a_time(web: httpx.Client, pretender: Pretender, serving: Serving) -> None:
    pretender.held.clear()
    try:
        with socket.create_connection(("127.0.0.1", serving.port)) as other:
            body = json.dumps({"image": B64}).encode()
            head = f"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            other.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
            while not any(isinstance(each, ProcessCommand) for each in tuple(pretender.asked)):
                assert web.get("/healthz").status_code == 200
            answer = web.post("/process", json={"image": B64})
            is_problem(answer, 503, "busy")
            assert int(answer.headers["retry-after"]) >= 1
            assert web.post("/hush").status_code == 200  # silence can be had all the while
    finally:
        pretender.held.set()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CommandError("not so", "invalid"), 422, "invalid"),
        (CommandError("another", "busy"), 503, "busy"),
        (CommandError("no such", "unknown"), 404, "unknown"),
        (CommandError("not yet", "unavailable"), 503, "unavailable"),
        (CommandError("there was no warning"), 409, "failed"),
        (ValueError("/secret/place"), 502, "failed"),
        ({"strange": 1}, 502, "failed"),
    ],
)
def test_the_daemons_errors_as_http_says_them(
    web: httpx.Client, pretender: Pretender, error: Any, status: int, code: str
) -> None:
    pretender.say["config"] = error
    told = is_problem(answer := web.get("/config"), status, code)
    assert "/secret" not in answer.text and "Traceback" not in answer.text and told
    assert ("retry-after" in answer.headers) == (status == 503)


def test_the_frameworks_errors_are_problems_too(web: httpx.Client) -> None:
    is_problem(web.get("/nothing"), 404, "unknown")
    answer = web.delete("/status")
    is_problem(answer, 405, "not_allowed")
    assert answer.headers["allow"] == "GET"
    is_problem(
        web.post("/say", content="text=hi", headers={"Content-Type": "text/plain"}), 415, "unsupported"
    )
    told = is_problem(web.post("/say", json={"text": ""}), 422, "invalid")
    assert told["errors"][0]["where"] == "body.text"


def test_metrics_are_what_prometheus_reads(web: httpx.Client) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    families = {family.name: family for family in text_string_to_metric_families(web.get("/metrics").text)}
    assert families["watchword_up"].samples[0].value == 1
    assert families["watchword_frames_captured"].samples[0].value == 1000
    encode = {s.labels.get("le"): s.value for s in families["watchword_encode_seconds"].samples}
    assert encode["+Inf"] == 10
    assert families["watchword_dropped"].samples[0].labels == {"place": "camera", "policy": "newest"}
    assert "watchword_web_answers" in families
    (build,) = families["watchword_build_info"].samples
    assert build.value == 1 and build.labels.keys() == {"version", "python_version"}


def test_metrics_are_named_by_prometheus_conventions(web: httpx.Client) -> None:
    """As `promtool check metrics` would: https://prometheus.io/docs/practices/naming/."""
    from prometheus_client.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(web.get("/metrics").text))
    assert [family.name for family in families if len(family.documentation.split()) < 2] == []
    short = re.compile(r"_(s|ms|mb|kb|fps|pct|min)$")
    assert [family.name for family in families if short.search(family.name)] == []
    counted = [sample.name for family in families if family.type == "counter" for sample in family.samples]
    assert [name for name in counted if not name.endswith("_total")] == []
    gauges = [family.name for family in families if family.type == "gauge"]
    assert [name for name in gauges if name.endswith("_total") or not name.startswith("watchword_")] == []


def test_every_metric_of_the_daemon_has_a_help_of_its_own() -> None:
    source = (Path(__file__).parents[4] / "daemon/handlers/metrics.py").read_text(encoding="utf-8")
    body = source[source.index("def counters") : source.index("def drops")]
    assert set(re.findall(r'^ +"(\w+)":', body, re.MULTILINE)) | set(STAGES) <= HELP.keys()
    gauges = source[source.index('"gauges"') : source.index("def _known")]
    assert set(re.findall(r'^ +"(\w+)":', gauges, re.MULTILINE)) <= GAUGES.keys()


def test_the_description_of_itself(web: httpx.Client) -> None:
    told = web.get("/openapi.json").json()
    assert {"/process", "/events", "/live", "/journal/{row}/snapshot.jpg", "/metrics"} <= told["paths"].keys()
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"] and "503" in operation["responses"], (path, method)


def test_without_a_daemon_it_says_so(folder: Path) -> None:
    with (
        Serving(folder / "nobody.sock") as alone,
        httpx.Client(base_url=alone.address, trust_env=False) as client,
    ):
        assert client.get("/healthz").status_code == 200
        told = is_problem(client.get("/status"), 503, "unavailable")
        assert "not running" in told["detail"] and str(folder) not in told["detail"]
        assert "watchword_up 0.0" in client.get("/metrics").text
        is_problem(client.get("/readyz"), 503, "unavailable")


def sse(answer: httpx.Response) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields
            fields = {}
        else:
            fields = {}


def test_events_resume_where_they_broke_off(web: httpx.Client, pretender: Pretender) -> None:
    with web.stream("GET", "/events") as answer:
        events = sse(answer)
        first = next(events)
        assert (first["event"], first["data"]) == ("daemon", '{"state": "up"}')
        pretender.happen(kind="alert", id="a1")
        seen = next(events)
        assert json.loads(seen["data"])["id"] == "a1"
    pretender.happen(kind="alert", id="a2")
    pretender.happen(kind="alert", id="a3")
    with web.stream("GET", "/events", headers={"Last-Event-ID": seen["id"]}) as answer:
        events = sse(answer)
        assert [json.loads(next(events)["data"])["id"] for _ in range(2)] == ["a2", "a3"]
    with web.stream("GET", "/events", headers={"Last-Event-ID": "other.1-5"}) as answer:
        assert next(sse(answer))["event"] == "reset"


def test_places_for_listeners_are_bounded(folder: Path, pretender: Pretender) -> None:
    few = WebSettings(listeners=1)
    with (
        Serving(folder / "watchword.sock", few) as small,
        httpx.Client(base_url=small.address, trust_env=False) as client,
        client.stream("GET", "/events") as first,
    ):
        events = sse(first)  # which ends the connection when it is forgotten
        next(events)
        is_problem(client.get("/events"), 503, "busy")
