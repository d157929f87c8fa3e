"""A describer's child process whose model follows a script.

`python -m tests.pipeline.description.vlm.worker_scripts FD PARENT`. The request (the user's part of the
prompt) says what to do; so a real process can be made to hang, die or grow.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from pipeline.description.vlm.job import (
    Emit,
    GenerateError,
    GenerationJob,
    GenerationStats,
    Generator,
    ModelLoadError,
    ModelSpec,
)
from pipeline.description.vlm.worker import main


class ScriptedGenerator:
    device = "script"

    def __init__(self, doubt: str = "") -> None:
        self.doubt = doubt

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        verb, _, rest = job.user.partition(" ")
        if verb == "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
        if verb == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if verb == "fail":
            raise GenerateError("the model failed: scripted")
        if verb == "raise":
            raise ZeroDivisionError("a processor's own mistake")
        if verb == "eat":
            self._eat()
        if verb == "endless":
            return self._endless(emit)
        if verb == "prefill":
            time.sleep(float(rest))
        for word in (rest or "A quiet street. ").split(" "):
            if not emit(word + " "):
                return GenerationStats(1, cut=False)
        return GenerationStats(len(rest.split()), cut=False)

    def interrupt(self) -> None: ...

    def _eat(self) -> None:
        hoard = []
        while True:
            hoard.append(b"x" * 2**23)
            time.sleep(0.01)

    def _endless(self, emit: Emit) -> GenerationStats:
        """One token a hundredth of a second, each with its number; how many came after the cancellation?"""
        for token in range(100_000):
            time.sleep(0.01)
            if not emit(f"Word {token}. " if token % 2 else f"Thing {token} "):
                return GenerationStats(token + 1, cut=False)
        return GenerationStats(100_000, cut=True)


def load(spec: ModelSpec) -> Generator:
    if spec.model == "broken":
        raise ModelLoadError("broken does not load: scripted")
    if spec.model == "doubtful":
        return ScriptedGenerator("GPU: no words in '!!!!'")
    if spec.model == "slow":
        time.sleep(60)
    return ScriptedGenerator()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2]), load))
