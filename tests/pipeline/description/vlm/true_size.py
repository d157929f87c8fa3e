"""Models of the catalogue in their true size with random weights: `python -m
tests.pipeline.description.vlm.true_size NAME FOLDER`.

How fast a model is and how much memory it takes does not depend on what its weights say. FOLDER gets the
files of the publisher's layout and can be pulled: `watchword models pull NAME --from FOLDER`. Needs torch,
the weights' size in memory and on the disk, and a few minutes.

The tokenizer has the true size, too. It is trained on the sources of Python, so an English prompt has about
as many tokens as with the publisher's own.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.description.vlm import prompts
from tests.pipeline.description.vlm.published import arrange
from tests.pipeline.description.vlm.tiny_architectures import BASE
from tests.pipeline.description.vlm.tiny_vlm import QWEN, hf
from tests.pipeline.description.vlm.true_size_configs import SIZES

SPREAD = 0.02
"""Standard deviation of the weights: the `initializer_range` of all three."""


def empty_model(name: str, tokens: Any, device: str = "cpu") -> Any:
    """The network with weights that nothing has been written to; on the device "meta" they take no memory."""
    import torch
    from transformers.modeling_utils import no_init_weights

    size = SIZES[name]
    config = size.config(tokens)
    config.dtype = size.dtype
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, size.dtype))
    try:
        with torch.device(device), no_init_weights():
            model = getattr(hf(), size.model)(config)
    finally:
        torch.set_default_dtype(before)
    # Left out with the initialisation, and without it the words' matrix would count twice.
    model.tie_weights()
    return model


def randomise(model: Any) -> None:
    """Fill matrices with chance, scales with 1 and offsets with 0, so that the values stay finite."""
    import torch

    torch.manual_seed(0)
    with torch.inference_mode():
        for name, values in model.named_parameters():
            if values.ndim > 1:
                values.normal_(0, SPREAD)
            else:
                values.fill_(0 if name.endswith("bias") else 1)


def train_tokenizer(name: str, entries: int) -> Any:
    """A byte-level BPE of so many entries; made-up words fill it up if the texts give fewer."""
    from tokenizers import ByteLevelBPETokenizer

    size = SIZES[name]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(_texts(), vocab_size=entries, special_tokens=size.special, show_progress=False)
    state = json.loads(bpe._tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    vocabulary.update({f"made-up-{number}": number for number in range(len(vocabulary), entries)})
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        if size.special is QWEN:
            (place / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
            merges = (" ".join(pair) if isinstance(pair, list) else pair for pair in state["model"]["merges"])
            (place / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
            return hf().Qwen2TokenizerFast(
                str(place / "vocab.json"),
                str(place / "merges.txt"),
                additional_special_tokens=QWEN[1:],
                **size.roles,
            )
        (place / "tokenizer.json").write_text(json.dumps(state), "utf-8")
        tokens = hf().PreTrainedTokenizerFast(tokenizer_file=str(place / "tokenizer.json"), **size.roles)
    tokens.add_special_tokens({"additional_special_tokens": size.special[len(BASE) :]})
    return tokens


def _texts() -> Iterator[str]:
    """Python's own sources, and our prompts in both languages."""
    sources = sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py"))
    here = (path for path in sources if "site-packages" not in path.parts)
    ours = sorted((Path(prompts.__file__).parent / "prompt_texts").glob("*/*.txt"))
    for path in chain(here, ours):
        yield path.read_text("utf-8", "replace")


def make(name: str, folder: Path) -> None:
    """Write the model with its processor's files as the publisher's repository has them."""
    size = SIZES[name]
    whole = folder.with_name(f".{folder.name}.whole")
    tokens = train_tokenizer(name, size.entries)
    logging.info("%s: a tokenizer of %d entries", name, len(tokens))
    model = empty_model(name, tokens)
    randomise(model)
    logging.info("%s: %.2f billion weights", name, model.num_parameters() / 1e9)
    model.save_pretrained(whole)
    size.processor(tokens).save_pretrained(whole)
    arrange(name, whole, folder, move=True)
    shutil.rmtree(whole)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    make(sys.argv[1], Path(sys.argv[2]))
