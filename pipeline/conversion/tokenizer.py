"""Writes a model's tokenizer as one file that needs neither torch nor open_clip, and verifies it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.models.openclip.model_config import Tokens
from pipeline.models.openclip.tokens import TokenEncoder
from pipeline.store.errors import PrepareError

TRICKY = (
    "",
    "A Photo of a DOG!",
    "it's the driver's car; they've stopped, I'll wait",
    "  many   spaces\tand\nlines ",
    "a 3.5 t lorry at 50 km/h, no. 42",
    "caf\u00e9, na\u00efve, cafe\u0301",
    "\u201cmind the gap\u201d \u2018said\u2019 the sign",
    "snake_case & &amp; <b>tags</b>",
    "불이 난 방",
    "a very long sentence about nothing at all " * 20,
)
"""Texts for which tokenizers tend to give different results."""
_WORDS = r"<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""The pattern by which CLIP splits a text into words, as published with it."""


def write_tokenizer(tokenizer: Any, path: Path) -> Tokens:
    """Write `tokenizer.json`. Raises PrepareError for an unknown kind of tokenizer."""
    length = int(tokenizer.context_length)
    # Only CLIP's own tokenizer has ranks; any other wraps one of Hugging Face.
    if hasattr(tokenizer, "bpe_ranks"):
        _clip_tokenizer(tokenizer).save(str(path))
        return Tokens(context_length=length, pad_id=0, clean=_cleaning(tokenizer))
    inner = getattr(tokenizer, "tokenizer", None)
    if inner is None or not getattr(inner, "is_fast", False):
        raise PrepareError(
            f"the model's tokenizer ({type(tokenizer).__name__}) is of a kind we cannot convert"
        )
    inner.backend_tokenizer.save(str(path))
    drop = inner.sep_token_id if tokenizer.strip_sep_token else None
    return Tokens(
        context_length=length, pad_id=int(inner.pad_token_id or 0), clean=_cleaning(tokenizer), drop_id=drop
    )


def _clip_tokenizer(tokenizer: Any) -> Any:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    merges = sorted(tokenizer.bpe_ranks, key=tokenizer.bpe_ranks.get)
    written = Tokenizer(
        models.BPE(tokenizer.encoder, merges, continuing_subword_prefix="", end_of_word_suffix="</w>")
    )
    written.pre_tokenizer = pre_tokenizers.Sequence(
        [
            # Inverted: the pattern matches the words, and all between them is removed.
            pre_tokenizers.Split(Regex(f"(?i:{_WORDS})"), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    marks = ("<start_of_text>", "<end_of_text>")
    written.post_processor = processors.TemplateProcessing(
        single=f"{marks[0]} $A {marks[1]}", special_tokens=[(mark, tokenizer.encoder[mark]) for mark in marks]
    )
    return written


def _cleaning(tokenizer: Any) -> Any:
    # open_clip keeps a function; its name is the only sign of the kind of cleaning.
    name = tokenizer.clean_fn.__name__.removeprefix("_clean_")
    if name not in ("lower", "whitespace", "canonicalize"):
        raise PrepareError(f"the model's text cleaning ({name}) is of a kind we do not know")
    return name


def require_same_tokens(tokenizer: Any, path: Path, tokens: Tokens, texts: Sequence[str]) -> None:
    """Raises PrepareError with the first text that the written tokenizer encodes differently."""
    ours = TokenEncoder(path, tokens).encode(texts)
    for text, row in zip(texts, ours, strict=True):
        if not np.array_equal(tokenizer([text])[0].numpy(), row):
            raise PrepareError(f"the converted tokenizer reads {text[:40]!r} otherwise than open_clip does")
