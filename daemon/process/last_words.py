"""Plays a recorded sentence if the daemon cannot start or has broken; needs none of its parts."""

from __future__ import annotations

import logging
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from common.errors import WatchwordError
from daemon import paths
from daemon.errors import AlreadyRunningError, ConfigError
from speech.last_words import words

log = logging.getLogger(__name__)

SAID_S = 20.0
"""Seconds that playing may take."""
QUIET_S = 30.0
"""Seconds before the same is said again by a service that starts over and over."""
_HEAD = 65_536
# By regular expressions: the file that cannot be read as TOML may be the very reason.
_SETTING = re.compile(r"""^\s*(language|device)\s*=\s*["']([^"'\n]{1,200})["']""", re.MULTILINE)
_SPEECH = re.compile(r"^\s*\[speech\]\s*$(.*?)(?=^\s*\[|\Z)", re.MULTILINE | re.DOTALL)


def reason_of(error: BaseException) -> str | None:
    """The spoken reason for the error that ended the daemon; None if nothing is to be said.

    Classes are compared by name: the modules that define them may be the ones that cannot be imported.
    """
    if isinstance(error, AlreadyRunningError | KeyboardInterrupt | BrokenPipeError):
        return None
    if isinstance(error, ConfigError):
        return words.SETTINGS
    names = {kind.__name__ for kind in type(error).__mro__}
    if "CameraError" in names:
        # The daemon itself has said so: its voice works.
        return None
    if names & {"StoreError", "StarterUnusableError", "CheckpointError", "HeadsError", "ModelUnusableError"}:
        return words.MODEL
    if names & {"CalibrationError", "TeachError"}:
        return words.START
    if "SynthesisError" in names:
        return words.VOICE
    return words.START if isinstance(error, WatchwordError | OSError) else words.BROKEN


def say(reason: str, config: Path | None, env: Mapping[str, str]) -> None:
    """Play the sound of a reason, unless it was played a moment ago. Never raises, never takes long."""
    if _is_recent(reason, env):
        return
    settings = speech_settings(config, env)
    # A process of its own: this one may be out of memory, or unable to import the player.
    command = [sys.executable, "-m", "speech.last_words.play", reason, "--language", settings["language"]]
    command += ["--device", settings["device"]]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, timeout=SAID_S, check=False, stdin=subprocess.DEVNULL, capture_output=True
        )
    except (OSError, subprocess.SubprocessError, MemoryError) as error:
        log.warning("the failure could not be spoken: %s", error)
        return
    if done.returncode:
        log.warning("the failure could not be spoken: no loudspeaker and no player works")


def speech_settings(config: Path | None, env: Mapping[str, str]) -> dict[str, str]:
    """Language and device as far as they can be guessed from files that may be no TOML at all."""
    found = {"language": "ko" if env.get("LANG", "").startswith("ko") else "en", "device": ""}
    state = Path(paths.resolved({}, env)["state"])
    files = [config] if config else list(paths.config_files(env))
    # In the order of the layers: a later file beats an earlier one.
    for file in (*files, state / "last_good.toml", state / "overrides.toml"):
        if (match := _SPEECH.search(_head(file))) is not None:
            found |= dict(_SETTING.findall(match[1]))
    if found["language"] not in words.TEXTS:
        found["language"] = "en"
    return found


def _head(file: Path) -> str:
    """The beginning of a regular file; empty for anything else, such as a FIFO, which could block."""
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        return os.read(handle, _HEAD).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(handle)


def _is_recent(reason: str, env: Mapping[str, str]) -> bool:
    """True if this was said just now; else it is remembered, if the state folder can be written."""
    stamp = Path(paths.resolved({}, env)["state"]) / "last_words"
    try:
        since_s = time.time() - stamp.stat().st_mtime
        # 0 <=: a stamp from the future, after a wrong clock, must not silence the failure.
        if 0 <= since_s < QUIET_S and stamp.read_text(encoding="utf-8") == reason:
            return True
    # A missing or unreadable stamp means that nothing was said.
    except (OSError, ValueError):
        pass
    try:
        stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp.write_text(reason, encoding="utf-8")
    # Without a state folder the same is said at every start: better than silence.
    except OSError:
        pass
    return False
