"""A thread that receives a stream's packets as they arrive, however slowly they are decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from capture.stream.backlog import Arrived, Backlog
from capture.waiting import WaitMeter

_WAITED_S = 0.005
"""A read that waited longer found nothing that had been there before."""
_CLOSE_S = 1.0

VideoPacket: TypeAlias = "Packet[VideoStream]"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Accompanies a packet through the decoder to its picture, whose order may differ."""

    at_s: float
    """When the packet had arrived whole, by our clock."""
    caught_up: bool
    """It was waited for: nothing had arrived before it and lain in the socket."""
    number: int
    """Counts the packets of the stream."""


class Demuxer:
    """Owns the container: it is closed by the thread that reads it, as FFmpeg wants it.

    Without the thread, packets would wait in the socket and in the sender, where their age cannot be seen.
    """

    def __init__(
        self, container: InputContainer, *, read_timeout_s: float, clock: Callable[[], float]
    ) -> None:
        """`read_timeout_s`: that of the container."""
        self._container = container
        self._read_timeout_s = read_timeout_s
        self._clock = clock
        self._changed = threading.Condition()
        self._backlog: Backlog[VideoPacket] = Backlog()
        self._closing = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="demuxer", daemon=True)
        self._thread.start()

    def take(self, within_s: float) -> Arrived[VideoPacket] | None:
        """The packet to decode next; None if the stream has ended, or none came in time."""
        give_up_s = self._clock() + within_s
        with self._changed:
            while True:
                if (arrived := self._backlog.take(self._clock())) is not None:
                    return arrived
                left_s = give_up_s - self._clock()
                if self._ended or left_s <= 0:
                    return None
                self._changed.wait(left_s)

    def backlog_s(self) -> float:
        """Seconds since the packet arrived that would be decoded next; 0 if none waits."""
        with self._changed:
            return self._backlog.age_s(self._clock())

    @property
    def needs_key(self) -> bool:
        """True while packets are left out because those before them were."""
        return self._backlog.needs_key

    def close(self) -> None:
        """End the thread, which closes the container. Returns within a second or so.

        FFmpeg cannot be interrupted; a thread that waits in it ends when its read timeout is over.
        """
        self._closing.set()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        try:
            self._receive()
        except av.FFmpegError:
            pass  # an end of a live stream and its failure call for the same: opening it again
        finally:
            self._container.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _receive(self) -> None:
        meter, number, asked_s = WaitMeter(), 0, self._clock()
        meter.begin()
        for packet in self._container.demux(video=0):
            waited_s = meter.waited_s()
            # When FFmpeg's time is up it flushes out a last picture, which is as old as that.
            if self._closing.is_set() or self._clock() - asked_s >= self._read_timeout_s:
                return
            if packet.size:  # an empty one marks the end
                self._add(packet, number, caught_up=waited_s > _WAITED_S)
                number += 1
            asked_s = self._clock()
            meter.begin()

    def _add(self, packet: VideoPacket, number: int, *, caught_up: bool) -> None:
        now = self._clock()
        packet.opaque = Arrival(now, caught_up, number)
        with self._changed:
            self._backlog.add(Arrived(packet, now, packet.is_keyframe, packet.size, number))
            self._changed.notify_all()
