"""What takes long at a start and needs little of the program: begun while the rest is still being imported.

The processes for voice and sound import as much as the program itself, and loading the model is mostly work
of OpenVINO, which holds no lock of the interpreter. On two cores they are ready when the imports are.

Imports nothing heavy itself.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from common.spawn import ChildHandle, spawn
from daemon.wiring.light_openvino import import_light

if TYPE_CHECKING:
    from daemon.config.settings import Settings
    from pipeline.models.base import ImageTextModel

VOICE, SOUND = "speech.synthesis.espeak_worker", "speech.playback.player_worker"


class HeadStart:
    """Owns what was begun until its part takes it over; `close` ends the rest."""

    def __init__(self) -> None:
        self._voice: ChildHandle | None = None
        self._sound: ChildHandle | None = None
        self._model: Future[ImageTextModel] | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="model")

    def begin_processes(self) -> None:
        """Start the processes. For the main thread: the kernel ends them with the thread that starts them."""
        self._voice, self._sound = _spawned(VOICE), _spawned(SOUND)

    def begin_model(self, settings: Settings) -> None:
        """Load the model of these settings in a thread; meanwhile import the library that it needs first."""
        self._model = self._executor.submit(_load, settings)
        # Here and not in the thread: the program's other imports would hold up those of the model, which is
        # what a start waits for.
        import_light()

    def take_voice(self) -> ChildHandle | None:
        """The process that synthesises, or None; it is the caller's from now on."""
        voice, self._voice = self._voice, None
        return voice

    def take_sound(self) -> ChildHandle | None:
        """The process that owns the loudspeaker, or None; it is the caller's from now on."""
        sound, self._sound = self._sound, None
        return sound

    def take_model(self) -> ImageTextModel | None:
        """Wait for the model; None if none was begun. Raises as `load_model` does."""
        model, self._model = self._model, None
        return None if model is None else model.result()

    def close(self) -> None:
        """End the processes that were not taken, and wait until no model is being loaded."""
        for child in (self.take_voice(), self.take_sound()):
            if child is not None:
                child.end()
        # OpenVINO must not be at work while the interpreter ends.
        self._executor.shutdown(cancel_futures=True)


def _load(settings: Settings) -> ImageTextModel:
    from daemon.wiring.models import load_model

    return load_model(settings)


def _spawned(module: str) -> ChildHandle | None:
    try:
        return spawn(module)
    # The part that needs the process starts it again later, and then reports why it cannot.
    except OSError:
        return None
