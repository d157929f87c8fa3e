"""Words to the numbers a text tower takes, without torch or open_clip.

The cleaning follows open_clip's; its repair of broken encodings is reduced to the two things that matter for
prompts typed by people (composed characters, straight quotes). Each conversion checks that the outcome is
open_clip's own for every prompt we ship.
"""

from __future__ import annotations

import html
import string
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.models.openclip.model_config import ModelUnusableError, Tokens

TokenIds = NDArray[np.int64]
"""Shape (N, context_length)."""
_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def clean(text: str, how: str) -> str:
    """Text as the model was trained to read it."""
    text = unicodedata.normalize("NFC", text).translate(_STRAIGHT)
    # Twice, as open_clip does: texts of the web are often escaped twice.
    text = html.unescape(html.unescape(text))
    if how == "canonicalize":
        text = text.replace("_", " ").translate(_NO_PUNCTUATION)
    text = " ".join(text.split())
    return text if how == "whitespace" else text.lower()


class TokenEncoder:
    """Reads `tokenizer.json`."""

    def __init__(self, path: Path, tokens: Tokens) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises a bare Exception for any fault of the file
            raise ModelUnusableError(f"{path} cannot be read: {error}; pull the model again") from None
        self._tokens = tokens
        self._tokenizer.enable_truncation(tokens.context_length)
        self._tokenizer.enable_padding(length=tokens.context_length, pad_id=tokens.pad_id)

    def encode(self, texts: Sequence[str]) -> TokenIds:
        """One row a text, padded and truncated to the model's length."""
        cleaned = [clean(text, self._tokens.clean) for text in texts]
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(cleaned)]
        ids = np.array(rows, np.int64).reshape(len(texts), self._tokens.context_length)
        # As open_clip's `strip_sep_token` does.
        return ids if self._tokens.drop_id is None else np.where(ids == self._tokens.drop_id, 0, ids)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, without padding and special ones."""
        encoding = self._tokenizer.encode(clean(text, self._tokens.clean), add_special_tokens=False)
        kept = zip(encoding.tokens, encoding.attention_mask, strict=True)
        return [token for token, there in kept if there]


_KOREAN = "불이 난 방에서 연기가 나고 자동차가 다가온다"
_TOKENS_A_SYLLABLE = 1.5
"""A tokenizer that learnt no Korean takes two or three tokens a syllable, or one unknown for a word."""


def reads_korean(tokens: TokenEncoder) -> bool:
    """True if the model's tokenizer has learnt Korean syllables: then its text tower was trained on them."""
    syllables = sum("\uac00" <= letter <= "\ud7a3" for letter in _KOREAN)
    known = tokens.tokens(_KOREAN)
    return len(_KOREAN.split()) < len(set(known)) and len(known) <= _TOKENS_A_SYLLABLE * syllables
