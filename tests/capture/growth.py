"""Does memory grow when a camera is lost and opened again? `python -m tests.capture.growth --times 300`.

Prints the resident memory after each tenth, for MJPEG and RTSP. A library that fills its caches flattens; a
leak does not. Exit 1 if the second half grows by more than `GROWTH_MB`.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from capture.factory import open_camera
from capture.settings import CaptureSettings
from tests.capture.servers import MjpegServer, RtspServer, moving_street

GROWTH_MB = 4.0
SERVERS: Mapping[str, Callable[[], MjpegServer | RtspServer]] = {
    "mjpeg": lambda: MjpegServer(moving_street, fps=50),
    "rtsp": lambda: RtspServer(moving_street),
}


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def reconnect(url: str, times: int) -> list[float]:
    """Open, read and close so often; the resident megabytes before, and after each tenth."""
    found = [resident_mb()]
    for number in range(1, times + 1):
        camera = open_camera(url, CaptureSettings(source=url))
        assert camera.read() is not None
        camera.close()
        if number % max(1, times // 10) == 0:
            gc.collect()
            found.append(resident_mb())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--kind", choices=SERVERS, action="append")
    args = parser.parse_args()
    grows = False
    for kind in args.kind or SERVERS:
        # In a process of its own the server would not count, here it does: both must be flat.
        camera = SERVERS[kind]()
        with closing(camera):
            found = reconnect(camera.url, args.times)
        late = found[-1] - found[len(found) // 2]
        grows |= late > GROWTH_MB
        sys.stdout.write(f"{kind}: {' '.join(map(str, found))} MB, {threading.active_count()} threads\n")
        sys.stdout.flush()
    return int(grows)


if __name__ == "__main__":
    sys.exit(main())
