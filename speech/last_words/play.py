"""Plays a prepared sound by the first player that works: `python -m speech.last_words.play REASON`.

Run in a process of its own by a daemon that fails, and by the unit that systemd starts when the service has
failed. Of our own code it imports the names of the files only, and of libraries sounddevice, if it is there.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

from speech.last_words.words import START, TEXTS, sound_file

PLAY_S = 15.0
"""Seconds a player may take; the longest sound lasts five."""


def play(file: Path, device: str = "") -> bool:
    """Play a WAV file on a device ("" or "default": the usual one); False if nothing could."""
    if _portaudio(file, device):
        return True
    return any(_run(command) for command in _players(file, device))


def _portaudio(file: Path, device: str) -> bool:
    """By PortAudio, in a process of its own: a driver may hang or crash."""
    return _run(
        [sys.executable, "-m", "speech.last_words.play", "--portaudio", str(file), "--device", device]
    )


def _play_here(file: Path, device: str) -> None:
    """Raises any error of sounddevice, ImportError and OSError among them."""
    # Imported here, in the process that may die of it: loading it can fail, and the other players must be
    # tried.
    import sounddevice

    with wave.open(str(file), "rb") as sound:
        wanted: int | str | None = int(device) if device.isdecimal() else device or None
        # Only ALSA's configuration calls a device so; None means PortAudio's own choice.
        if wanted == "default" and not any(one["name"] == "default" for one in sounddevice.query_devices()):
            wanted = None
        with sounddevice.RawOutputStream(
            samplerate=sound.getframerate(), channels=sound.getnchannels(), dtype="int16", device=wanted
        ) as stream:
            while block := sound.readframes(4000):
                stream.write(block)
            # A server that is only just waking has swallowed less if something follows.
            stream.write(bytes(sound.getframerate()))


def _players(file: Path, device: str) -> Iterator[Sequence[str]]:
    """Players of other packages, likeliest first."""
    named = ["-D", device] if device and not device.isdecimal() else []
    # Also without the device that was named: the words matter more than where they are heard.
    for name, *options in (("aplay", "-q", *named), ("aplay", "-q"), ("pw-play",), ("paplay",)):
        if path := shutil.which(name):
            yield [path, *options, str(file)]


def _run(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - a player, and a file of ours
            command,
            timeout=PLAY_S,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def main(argv: Sequence[str] | None = None) -> int:
    """0 if it was played."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reason", nargs="?", default=START)
    parser.add_argument("--language", choices=tuple(TEXTS), default="en")
    parser.add_argument("--device", default="")
    parser.add_argument(
        "--every", type=float, default=0.0, metavar="S", help="again each S seconds, for ever"
    )
    parser.add_argument("--portaudio", type=Path, default=None, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.portaudio is not None:
        _play_here(args.portaudio, args.device)
        return 0
    while True:
        played = play(sound_file(args.reason, args.language), args.device)
        if not args.every:
            return 0 if played else 1
        time.sleep(args.every)


if __name__ == "__main__":
    sys.exit(main())
