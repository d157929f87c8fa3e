"""Starts with something damaged: refused aloud, or begun all the same."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.faults.fault import Check, Row, overwrite
from tests.faults.waiting import ROOT
from tests.faults.world import World

STATE = ".local/state/watchword"


def _refused(name: str, breaks: Callable[[Path, World], None], *, short: bool = False) -> Check:
    """The start fails, and is heard to."""

    def check(world: World) -> str:
        code, heard, log = world.run_broken(lambda home: breaks(home, world), 90)
        assert code, "it did not fail"
        assert heard, f"nothing was heard:\n{log}"
        assert "Traceback" not in log, log
        return f"exit {code}, heard at the sink"

    return Check(f"start: {name}", check, short)


def _stands(name: str, damage: Callable[[World], None], told: str = "") -> Check:
    """The daemon starts all the same. `told`: words of its log, which come before anyone can listen."""

    def check(world: World) -> str:
        world.living.process.kill()
        world.living.process.wait(10)
        damage(world)
        logged = len(world.living.log.read_text())
        world.living.start()
        assert world.await_danger(60) is not None, "no danger was said after the start"
        log = world.living.log.read_text()[logged:]
        assert told in log, f"not told:\n{log[-2000:]}"
        assert "Traceback" not in log, log[-3000:]
        return f"it starts, danger is said; told: {told or 'not needed'}"

    return Check(f"start: {name}", check)


def _config(text: str | bytes) -> Callable[[Path, World], None]:
    data = text.encode() if isinstance(text, str) else text
    return lambda home, _: overwrite(home / "config.toml", data)


def _in_state(name: str, data: bytes) -> Callable[[Path, World], None]:
    return lambda home, _: overwrite(home / STATE / name, data)


def _fifo(home: Path, _: World) -> None:
    (home / "config.toml").unlink()
    os.mkfifo(home / "config.toml")


def _no_model(home: Path, _: World) -> None:
    (home / "environment").write_text(f"WATCHWORD_PATHS__MODELS={home}/none")


def _damaged_starter(change: Callable[[bytes], bytes]) -> Callable[[Path, World], None]:
    def breaks(home: Path, world: World) -> None:
        models = home / "models"
        shutil.copytree(world.models / "starter", models / "starter")
        file = models / "starter" / "efficientnet-lite2.pth"
        file.write_bytes(change(file.read_bytes()))
        (home / "environment").write_text(f"WATCHWORD_PATHS__MODELS={models}")

    return breaks


def _zeros_amid(data: bytes) -> bytes:
    return data[:5_000_000] + bytes(4_000_000) + data[9_000_000:]


def _state_is_a_file(home: Path, _: World) -> None:
    (home / STATE).parent.mkdir(parents=True)
    (home / STATE).write_bytes(b"x")


def _damage(name: str, data: bytes) -> Callable[[World], None]:
    return lambda world: overwrite(world.state / name, data)


def _cut_journal(world: World) -> None:
    path = world.state / "journal/journal.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        # Else the log beside it would restore what is cut off.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size > 5000
    os.truncate(path, 5000)


def _damage_phrases(world: World) -> None:
    for file in world.cache.rglob("*"):
        if file.is_file():
            file.write_bytes(b"rubbish" * 100)


def _hostile_recordings(world: World) -> str:
    """Black boxes made to do harm are refused with a sentence, within bounds of time and memory."""
    folder = world.folder / "recordings"
    folder.mkdir(exist_ok=True)
    files = {
        "empty": b"",
        "rubbish": os.urandom(50_000),
        "bomb": _box(meta=_npy(b"", shape="(3000000000,)"), pad=600_000_000),
        "nested": _box(meta=_json(b"[" * 100_000 + b"]" * 100_000)),
        "nested objects": _box(meta=_json(b'{"format":' * 50_000 + b"4" + b"}" * 50_000)),
        "other format": _box(meta=_json(b'{"format":-1}')),
        "no steps": _box(meta=_json(b'{"format":4}')),
        "shape": _box(meta=_npy(b"x", shape="(99999999999999,)")),
        "header": _box(meta=_npy(b"x", shape="(" * 3000)),
        "long number": _box(meta=_json(b'{"format":' + b"9" * 5000 + b"}")),
        "pickle": _box(meta=_npy(b"cos\nsystem\n(S'true'\ntR.", dtype="'|O'")),
        "cut": _box(meta=_json(b'{"format":4}'))[:200],
    }
    for name, data in files.items():
        file = folder / f"{name}.blackbox"
        file.write_bytes(data)
        command = [sys.executable, "-m", "daemon.cli.main", "replay", str(file)]
        done = subprocess.run(
            command, cwd=ROOT, env=world.living.env, capture_output=True, text=True, timeout=60, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
        )  # fmt: skip
        assert done.returncode and "Traceback" not in done.stderr, f"{name}: {done.returncode} {done.stderr}"
    return f"{len(files)} of {len(files)} refused, without a traceback"


def _json(data: bytes) -> bytes:
    file = io.BytesIO()
    np.save(file, np.frombuffer(data, np.uint8))
    return file.getvalue()


def _npy(data: bytes, shape: str = "(1,)", dtype: str = "'|u1'") -> bytes:
    head = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


def _box(meta: bytes, pad: int = 0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as box:
        with box.open("meta.npy", "w", force_zip64=True) as part:
            part.write(meta)
            for _ in range(pad // 1_000_000):
                part.write(bytes(1_000_000))
        box.writestr("embeddings.npy", _json(b"x"))
        box.writestr("probabilities.npy", _json(b"x"))
    return file.getvalue()


RUBBISH = os.urandom(50_000)
JOURNAL = "the journal cannot be written (lost)"
ROWS: tuple[Row, ...] = (
    _refused("settings out of range", _config("[speech]\nrate_wpm = 9999\n"), short=True),
    _refused("settings that are no TOML", _config("[speech\n")),
    _refused("settings of random bytes", _config(RUBBISH)),
    _refused("settings nested 100000 deep", _config("x = " + "[" * 100_000)),
    _refused("settings of 3 MB of wrong keys", _config("".join(f"key{n} = 1\n" for n in range(250_000)))),
    _refused("settings that are a FIFO", _fifo),
    _refused("overrides that are no text", _in_state("overrides.toml", b"\0")),
    _refused("a lesson that is damaged", _in_state("taught/fire.json", b'{"version": 1')),
    _refused("a lesson nested 100000 deep", _in_state("taught/fire.json", b"[" * 100_000 + b"]" * 100_000)),
    _refused("a calibration that is damaged", _in_state("calibration/starter.json", RUBBISH)),
    _refused("no model", _no_model),
    _refused("a model cut in half", _damaged_starter(lambda data: data[: len(data) // 2])),
    _refused(
        "a model with zeros amid",
        _damaged_starter(lambda d: d[:5_000_000] + bytes(4_000_000)),
    ),
    _refused("a model of rubbish", _damaged_starter(lambda _: RUBBISH)),
    _stands("a journal cut short", _cut_journal, JOURNAL),
    _stands("a journal of rubbish", _damage("journal/journal.db", RUBBISH), JOURNAL),
    _stands("a last good configuration of rubbish", _damage("last_good.toml", RUBBISH)),
    _stands("a false-alarm list of rubbish", _damage("false_alarms.jsonl", RUBBISH)),
    _stands("every file of the cache damaged", _damage_phrases),
    Check("recordings: made to do harm", _hostile_recordings),
)
