"""A camera that pushes a looping clip, and tries again until it is let in."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from tests.capture.servers import ffmpeg, free_port


class LoopingPusher:
    """Copies pre-encoded pictures: pushing costs next to nothing."""

    def __init__(self, folder: Path, clip: Path, scheme: str) -> None:
        self._folder, self._clip = folder, clip
        self.port = free_port()
        self._url = f"{scheme}://127.0.0.1:{self.port}/live/cam"
        self.url = f"{self._url}?listen"
        self._output = ["-f", "flv"] if scheme == "rtmp" else ["-f", "rtsp", "-rtsp_transport", "tcp"]
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted: threading.Event | None = None
        self._lock = threading.Lock()

    def start(self, size: str = "") -> None:
        """Push from now on, in another size if it is given."""
        self.stop()
        over = threading.Event()
        self._wanted = over
        threading.Thread(target=self._push, args=(self._encoded(size), over), daemon=True).start()

    def stop(self) -> None:
        """End as a camera does that loses its power."""
        if self._wanted is not None:
            self._wanted.set()
        self._kill()

    def signal(self, number: int) -> None:
        with self._lock:
            if self._process is not None:
                self._process.send_signal(number)

    def cut(self, times: int) -> None:
        """End its connection so many times, once a second; it tries again by itself."""
        for _ in range(times):
            self._kill()
            time.sleep(1)

    def _kill(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait(10)

    def _push(self, file: Path, over: threading.Event) -> None:
        command = [ffmpeg(), "-v", "error", "-re", "-stream_loop", "-1", "-i", str(file), "-c", "copy"]
        while not over.wait(0.3):
            with self._lock:
                if over.is_set():
                    return
                self._process = process = subprocess.Popen(
                    [*command, *self._output, self._url], stderr=subprocess.DEVNULL
                )
            process.wait()

    def _encoded(self, size: str) -> Path:
        """Five seconds of the clip, with a key frame each second."""
        file = self._folder / f"push{size}.mp4"
        if not file.exists():
            scale = ["-s", size] if size else []
            made = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "24", "-pix_fmt", "yuv420p"]
            given = [ffmpeg(), "-v", "error", "-i", str(self._clip), "-an", "-frames:v", "120", "-r", "24"]
            subprocess.run([*given, *scale, *made, "-y", str(file)], check=True, timeout=60)
        return file
