"""Sends a pre-encoded video at its own pace, and writes the number and the time of each picture sent.

Run as `python -m tests.capture.stamped_pusher FILE URL FORMAT`: a process of its own, so that neither what it
measures nor encoding makes it late.
"""

from __future__ import annotations

import sys
import time

import av


def main() -> int:
    file, url, form = sys.argv[1:]
    with av.open(file) as source:
        stream = source.streams.video[0]
        assert stream.average_rate is not None
        fps = float(stream.average_rate)
        options = {"rtsp_transport": "tcp"} if form == "rtsp" else {}
        with av.open(url, "w", format=form, options=options, timeout=(20, 20)) as target:
            out = target.add_stream_from_template(stream)
            begun_s = time.monotonic()
            number = 0
            for packet in source.demux(stream):
                if packet.dts is None:
                    continue
                time.sleep(max(0.0, begun_s + number / fps - time.monotonic()))
                packet.stream = out
                target.mux(packet)
                sys.stdout.write(f"{number} {time.monotonic()}\n")
                sys.stdout.flush()
                number += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
