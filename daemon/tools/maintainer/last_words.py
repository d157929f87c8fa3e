"""Makes the sound files of `speech/last_words`: `python -m daemon.tools.maintainer.last_words`."""

from __future__ import annotations

import sys
import wave

import numpy as np

from speech.last_words.words import RATE, TEXTS, sound_file
from speech.settings import SpeechSettings
from speech.sound.effects import joined
from speech.sound.resample import resample
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority, Utterance


def main() -> int:
    """Write every file: the tone for errors, then the words."""
    synthesizer = EspeakSynthesizer(SpeechSettings())
    renderer = Renderer(SpeechSettings(), None, synthesizer)
    for language, texts in TEXTS.items():
        for reason, text in texts.items():
            utterance = Utterance(
                id=reason,
                cause=None,
                text=text,
                language=language,
                priority=Priority.MESSAGE,
                key=reason,
                created_at_s=0.0,
                captured_at_s=0.0,
                expires_at_s=60.0,
                earcon="error",
            )
            sound = resample(joined(renderer.stream(utterance), renderer.rate, 2), RATE)
            # int32, because the sum of two int16 samples overflows.
            mono = sound.samples.astype(np.int32).mean(axis=1).astype(np.int16)
            with wave.open(str(sound_file(reason, language)), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(mono.tobytes())
    synthesizer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
