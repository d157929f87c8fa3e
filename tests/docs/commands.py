"""The commands that README and docs tell people to type, and what the transcript does with each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
PROGRAMS = re.compile(
    r"(\.venv/bin/|script/|watchword |python -m |sudo |git |curl |base64 |printf |openssl |systemctl |"
    r"journalctl |loginctl |ls |ssh |xdg-open |vllm |podman |docker |man |dpkg |apt )"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A command as it stands in a document, without its comment."""

    document: str
    command: str


@dataclass(frozen=True, slots=True)
class Runs:
    """It is typed as written, and ends within `timeout_s` with one of the exit codes."""

    says: str = ""
    """A part of what it prints, as a regular expression."""
    timeout_s: float = 120.0
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Goes:
    """It goes on until it is stopped; by then it has printed `says`."""

    says: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """It is not typed here, for this reason."""

    reason: str


ROOT_RIGHTS = Elsewhere("changes the machine; laid out and removed below a folder by tests/systemd")
SYSTEMD = Elsewhere("needs a running systemd; tests/systemd reads the units by systemd's own tools")
SUITE = Elsewhere("is the suite itself, or takes as long")
HUB = Elsewhere("needs a model hub and an hour; tests/pipeline/store and conversion do it with small models")
TRUE_SIZE = Elsewhere("needs 6 GB of memory, 10 GB of disk and minutes; tests of describers use tiny models")
ELSEWHERE = Elsewhere("is another machine's or another project's program")
API = Elsewhere("tests/daemon/web/routes/test_docs.py runs it")
PACKAGE = Elsewhere("tests/packages does it")

CHECK = Runs("^ready$|^cannot work: (camera rate|component detector|, )+$", timeout_s=400.0, codes=(0, 1))
"""On a machine that tests keep busy, the doctor rightly finds that pictures are skipped; beside a
daemon it takes idle processor time only."""

TUNE = Runs("watchword is running", codes=(1,))
"""It refuses to measure beside the daemon; tests/daemon/cli/test_tune.py measures."""

PLAN: dict[str, Runs | Goes | Elsewhere] = {
    "git clone <this repository> watchword && cd watchword": Elsewhere("the fixture does it"),
    "script/run": Elsewhere("the fixture does it: it stays up beside all others"),
    ".venv/bin/watchword check": CHECK,
    ".venv/bin/watchword tune": TUNE,
    "watchword tune": TUNE,
    "watchword tune --power battery": TUNE,
    "watchword tune --write": TUNE,
    "watchword tune --undo": Runs("has written nothing", codes=(1,)),
    ".venv/bin/watchword replay demo": Runs("alert +vehicle"),
    ".venv/bin/watchword replay my.mp4 --wav said.wav": Runs("says: "),
    ".venv/bin/watchword calibrate walk.mp4 --false-alerts-per-hour 1": Runs("budget 1 false alerts an hour"),
    ".venv/bin/watchword teach scooter pictures/*.jpg": Runs("scooter"),
    ".venv/bin/watchword why": Runs(r"\w"),
    ".venv/bin/watchword read": Runs(),
    "script/setup --web && .venv/bin/watchword web": Goes("the web interface is at http://"),
    "watchword calibrate walk.mp4 --labelled /var/lib/watchword/journal/marks/marks.csv": Elsewhere(
        "needs alerts that somebody marked; tests/daemon/journal/test_marks.py reads what marks write"
    ),
    "watchword config check": Runs("settings are fine"),
    "watchword config show speech": Runs(r"speech\.rate_wpm = 200"),
    "watchword config set speech.rate_wpm 200": Runs("kept in"),
    "watchword check": CHECK,
    "watchword journal": Runs("vehicle|Bike|Vehicle"),
    "watchword journal --since 1h --kind alert --kind unspoken": Runs("alert"),
    "watchword journal --hazard fire --json --limit 500": Runs(),
    "watchword journal show '#123' --picture seen.jpg": Runs("alert"),
    "watchword journal mark '#123' wrong": Runs("marked as wrong"),
    "watchword why": Runs(r"\w"),
    "watchword why a12": Runs(r"\w"),
    "watchword why fire": Runs("fire"),
    "watchword why vehicle": Runs("vehicle"),
    "watchword why --language ko": Runs("[가-힣]"),
    "watchword replay --journal '#123'": Runs("repeated exactly"),
    "watchword status": Runs("camera", codes=(0, 1)),
    "watchword events alert speak": Goes('"kind":"(alert|speak)"'),
    "watchword web": Goes("the web interface is at http://"),
    "watchword completion bash >~/.local/share/bash-completion/completions/watchword": Runs(),
    "script/package": PACKAGE,
    "script/test": SUITE,
    "script/test -m release": SUITE,
    "script/check": SUITE,
    "script/bench": SUITE,
    "script/setup --prepare": SUITE,
    "watchword models pull vit-b-32-256-datacomp": HUB,
    "watchword models pull vit-b-32-256-datacomp --calibrate quiet.mp4": HUB,
    "watchword models pull vit-b-32-256-datacomp --from /media/usb/vit-b-32-256-datacomp": HUB,
    ".venv/bin/python -m tests.pipeline.description.vlm.true_size qwen3-vl-2b /tmp/qwen3-vl-2b": TRUE_SIZE,
    "watchword models pull qwen3-vl-2b --from /tmp/qwen3-vl-2b": TRUE_SIZE,
    "watchword bench vlm --model qwen3-vl-2b --ordinary --samples 1 -o describe.max_tokens=24": TRUE_SIZE,
    "watchword status --instance left": SYSTEMD,
    "script/install --with web && systemctl enable --now watchword-web": ROOT_RIGHTS,
    "script/install --user": ROOT_RIGHTS,
    "ls /dev/watchword": Elsewhere("needs udev; tests/systemd reads the rules"),
    "xdg-open http://127.0.0.1:8780/": Elsewhere("tests/daemon/web/test_page_live.py opens it in Chromium"),
}
"""What is done with each command. One that stands in no document is a mistake too."""
KINDS: dict[str, Elsewhere] = {
    "sudo ": ROOT_RIGHTS,
    "openssl ": ROOT_RIGHTS,
    "systemctl ": SYSTEMD,
    "journalctl ": SYSTEMD,
    "loginctl ": SYSTEMD,
    "curl ": API,
    "base64 ": API,
    "printf ": API,
    "ssh ": ELSEWHERE,
    "vllm ": ELSEWHERE,
    "podman ": ELSEWHERE,
}
"""The same by the program, for what needs another machine anyway."""


def written() -> Iterator[Written]:
    """Every command in a fenced block, in the order of the documents; output of commands is left out."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for block in (inside for language, inside in blocks if language in ("", "sh", "bash")):
            for line in block.replace("\\\n", " ").splitlines():
                if PROGRAMS.match(line):
                    yield Written(document.name, re.sub(r"\s+#\s.*$", "", line).rstrip())


def plan_of(command: str) -> Runs | Goes | Elsewhere | None:
    """What is done with a command; None if nobody has thought of it."""
    if command in PLAN:
        return PLAN[command]
    return next((plan for program, plan in KINDS.items() if command.startswith(program)), None)


def inline() -> Iterator[Written]:
    """Every `watchword ...` within a sentence or a table."""
    for document in DOCUMENTS:
        fenced = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
        text = fenced.sub("", document.read_text(encoding="utf-8"))
        for command in re.findall(r"`(watchword [^`]+)`", text.replace("\n", " ")):
            yield Written(document.name, command)
