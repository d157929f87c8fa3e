"""What a recogniser makes of the danger phrases: a figure to look at, no test.

    python -m tests.speech.sound.recognise      (needs `pip install pocketsphinx`, which brings its English
model)

Two questions: which of all our phrases was it (a grammar of just these; the one that takes the fewest words
to change), and, with no hint at all, which share of the words it gets wrong (its large vocabulary).
Pocketsphinx was trained on American people, not on espeak-ng's British voice.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from speech.sound.audio import Audio
from speech.sound.resample import resample
from tests.speech.sound.test_distinct import Phrases, phrases

HERTZ = 16000
RATES = (180, 300)
EVERY = 2
"""Each so-manieth phrase is decoded without a hint, which takes a second or more each."""


def main() -> int:
    try:
        from pocketsphinx import Decoder
    except ImportError:
        sys.stderr.write("recognise: pocketsphinx is not installed: `pip install pocketsphinx`\n")
        return 1
    for rate in RATES:
        known = phrases("en", rate)
        sys.stdout.write(f"{rate} words a minute, {len(known.texts)} phrases\n")
        sys.stdout.write(f"  taken for itself among all: {_chosen(_among(Decoder, known), known):.1%}\n")
        sys.stdout.write(f"  words wrong without a hint: {_wrong(_free(Decoder), known):.1%}\n")
        sys.stdout.flush()
    return 0


def _free(decoder: Any) -> Any:
    return decoder(samprate=HERTZ, loglevel="FATAL")


def _among(decoder: Any, known: Phrases) -> Any:
    """A recogniser that knows these sentences and no other."""
    made = decoder(samprate=HERTZ, lm=None, loglevel="FATAL")
    choices = " | ".join(" ".join(words(text)) for text in known.texts)
    made.add_jsgf_string("phrases", f"#JSGF V1.0; grammar phrases; public <phrase> = {choices};")
    made.activate_search("phrases")
    return made


def _chosen(decoder: Any, known: Phrases) -> float:
    """Share of the phrases that were taken for themselves."""
    said = [words(text) for text in known.texts]
    right = 0
    for number, sound in enumerate(known.sounds):
        heard = _heard(decoder, sound)
        far = [edits(phrase, heard) for phrase in said]
        right += far.index(min(far)) == number
    return right / len(said)


def _wrong(decoder: Any, known: Phrases) -> float:
    """Word error rate."""
    pairs = list(zip(known.texts, known.sounds, strict=True))[::EVERY]
    errors = sum(edits(words(text), _heard(decoder, sound)) for text, sound in pairs)
    return errors / sum(len(words(text)) for text, _ in pairs)


def _heard(decoder: Any, sound: Audio) -> list[str]:
    mono = Audio(sound.samples[:, :1].copy(), sound.rate)
    decoder.start_utt()
    decoder.process_raw(resample(mono, HERTZ).samples.tobytes(), full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return [] if best is None else words(best.hypstr)


def words(text: str) -> list[str]:
    """Lower case, without punctuation but for the apostrophe."""
    return re.findall(r"[a-z']+", text.lower())


def edits(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words to change, add or leave out to get from one to the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, start=1):
        before, row = row, [i]
        for j, b in enumerate(heard, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


if __name__ == "__main__":
    raise SystemExit(main())
