"""Faults of the sound server, the player and the synthesiser."""

from __future__ import annotations

import signal
import time

from daemon.control.commands import SayCommand
from tests.faults.fault import Fault, Row, health, nothing
from tests.faults.world import World

PLAYER, VOICE = "speech.playback.player_worker", "speech.synthesis.espeak_worker"
SPEAKER = health("loudspeaker")


def _mend_server(world: World) -> None:
    world.pulse.start()
    world.listen()


def _restart_often(world: World) -> None:
    for _ in range(5):
        world.pulse.kill()
        time.sleep(1)
        world.pulse.start()
    world.listen()


def _kill_often(world: World) -> None:
    for _ in range(6):
        world.kill(PLAYER)
        time.sleep(0.7)


def _kill_in_a_phrase(world: World) -> None:
    assert world.await_danger(20) is not None
    world.kill(PLAYER)


def _kill_while_it_renders(world: World) -> None:
    for number in range(8):
        world.living.ask(SayCommand(text=f"This is the new sentence number {number} of {time.time()}."))
        world.kill(VOICE)
        time.sleep(0.5)


def _stop_while_it_renders(world: World) -> None:
    world.kill(VOICE, signal.SIGSTOP)
    world.living.ask(SayCommand(text=f"A sentence that is not prepared, at {time.time()}."))


ROWS: tuple[Row, ...] = (
    Fault(
        "sound: sink suspended",
        lambda w: w.pactl("suspend-sink", "ear", "1"),
        lambda w: w.pactl("suspend-sink", "ear", "0"),
        SPEAKER,
        short=True,
    ),
    Fault("sound: server killed, and started again", lambda w: w.pulse.kill(), _mend_server, SPEAKER),
    Fault("sound: server restarted 5 times", _restart_often, nothing, None),
    Fault(
        "sound: server stopped",
        lambda w: w.pulse.signal(signal.SIGSTOP),
        lambda w: w.pulse.signal(signal.SIGCONT),
        SPEAKER,
        limit_s=8.0,
    ),
    Fault("sound: player killed", lambda w: w.kill(PLAYER), nothing, None),
    Fault("sound: player killed in a danger's phrase", _kill_in_a_phrase, nothing, None),
    Fault("sound: player killed 6 times", _kill_often, nothing, None),
    # Told if the next process does not play within `health.settle_s`, which it often does.
    Fault("sound: player stopped", lambda w: w.kill(PLAYER, signal.SIGSTOP), nothing, None),
    Fault("voice: synthesiser killed", lambda w: w.kill(VOICE), nothing, None),
    Fault("voice: synthesiser killed while it renders, 8 times", _kill_while_it_renders, nothing, None),
    Fault("voice: synthesiser stopped while it renders", _stop_while_it_renders, nothing, None),
)
