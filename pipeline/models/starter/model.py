"""The starter: an ImageNet classifier with trained heads, and a sentence encoder, as one image-text model.

The built-in hazards are recognised by heads trained on the classifier's features (`heads`), hazards added in
the settings by words (`bank`), and taught hazards by their pictures, compared in the same features.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.models.base import EmbeddingGeometry, PromptBank
from pipeline.models.precision import Precision
from pipeline.models.preprocess import letterbox
from pipeline.models.prompts import contrast_prompts, digest
from pipeline.models.starter.bank import BACKGROUND, SHARPNESS, StarterBank, class_shares, stack_rows
from pipeline.models.starter.compiled import CompiledNetworks
from pipeline.models.starter.errors import StarterUnusableError
from pipeline.models.starter.heads import CLASSES, HEADS_FILE, Heads, HeadsError, read_heads
from pipeline.models.starter.input_ranges import RANGES_FILE, InputRanges, InputRangesError, read_input_ranges
from pipeline.models.starter.input_size import input_size
from pipeline.models.starter.text_encoder import TextEncoder
from pipeline.models.text_cache import CachedTexts
from pipeline.types import Encoding, PromptSet

log = logging.getLogger(__name__)

NETWORK_FILE = "efficientnet-lite2.pth"
TEXT_FILE = "minilm.onnx"
TOKENIZER_FILE = "tokenizer.json"
NAMES_FILE = "imagenet1k_clean_names.json"
FILES = (NETWORK_FILE, TEXT_FILE, TOKENIZER_FILE, NAMES_FILE)
"""The files that the folder of the starter model must hold."""

_KNOWN = 0.5
"""A hazard that no class belongs to by at least this share is unknown to the classifier."""
_SCHEME = "halved-5/linear-2/letterbox-67600/heads-3/share-2"
"""Part of the fingerprint; changed with anything that changes scores."""
GEOMETRY = EmbeddingGeometry(scene_distance=0.65, settle_distance=0.15)
"""By `daemon.tools.maintainer.derive_geometry` on training footage of the folds. From 0.65 to 0.75 all of 53
cuts are found, with seven to three openings too many (F1 0.94 to 0.97). The lower end is taken: clips of
different sources lie further apart than two rooms of one home. 99 % of the frames of moving cameras lie
within 0.106 of the smoothed view and 99.9 % within 0.170, so walking lets a view settle and a quick turn does
not.
"""


class StarterModel:
    """`ImageTextModel` over plain files in a folder, and the heads that come with the program.

    Used by one thread. The embedding is the direction of the pooled features from their mean over the
    training pictures (1280,). The evidence holds the log-odds of the heads, then the class probabilities.
    """

    name = "starter"
    geometry = GEOMETRY

    def __init__(
        self,
        folder: Path,
        device: str = "CPU",
        threads: int = 0,
        cache_dir: Path | None = None,
        heads_file: Path = HEADS_FILE,
        precision: Precision = Precision.F32,
    ) -> None:
        """`precision`: 32 or 8 bits; `precision.load_on_cpu` chooses. Raises StarterUnusableError."""
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise StarterUnusableError(f"{folder}: no {missing[0]}; run `watchword models pull starter`")
        marks = _file_marks(folder, heads_file)
        self.fingerprint = _fingerprint(marks)
        self.device, self.precision = device, precision
        self._class_names = _class_names(folder / NAMES_FILE)
        # Only the text files: cached prompts stay valid if the image network or the heads change.
        text_mark = digest(marks[TEXT_FILE], marks[TOKENIZER_FILE])
        self._texts = CachedTexts(
            lambda: TextEncoder(folder / TEXT_FILE, folder / TOKENIZER_FILE), text_mark, cache_dir
        )
        # Only the names are kept: the weights lie in the graph.
        self.hazards = _intact_heads(heads_file).hazards
        self._heads = {name: row for row, name in enumerate(self.hazards)}
        self._networks = CompiledNetworks(
            folder / NETWORK_FILE,
            lambda: _intact_heads(heads_file),
            device,
            threads,
            cache_dir,
            self._graph_mark(),
            ranges=_intact_ranges() if precision is Precision.INT8 else None,
        )

    def _graph_mark(self) -> str:
        """Digest of all that shapes the graph; the fingerprint is the same in 8 bits, which decide alike."""
        if self.precision is Precision.INT8:
            return digest(self.fingerprint, ranges_mark())
        return self.fingerprint

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """The fixed size whose shape is nearest to the picture's."""
        return input_size(width, height)

    def encode(self, image: Image) -> Encoding:
        """The whole picture, in a grey border if its shape is unusual, and its parts, in one inference."""
        size = input_size(image.shape[1], image.shape[0])
        embeddings, evidence = self._networks.run(letterbox(image, *size))
        # The whole has copies of its own: as views of all rows it would keep the parts as long as itself.
        parts = map(Encoding, embeddings[1:].copy(), evidence[1:].copy())
        return Encoding(embeddings[0].copy(), evidence[0].copy(), tuple(parts))

    def infer(self, picture: Image) -> NDArray[np.float32]:
        """The bare network: BGR uint8 of an input size to evidence (PARTS, E), lost at the next call."""
        return self._networks.run(picture)[1]

    def bind(self, prompts: PromptSet) -> PromptBank:
        """Some seconds for words never seen, else some milliseconds (with a cache folder).

        The shipped hazards need no words. Logs each other hazard that no class resembles: the starter can
        never recognise it.
        """
        trained = [name in prompts.shipped and name in self._heads for name in prompts.names]
        worded = [own for own, known in zip(prompts.hazards, trained, strict=True) if not known]
        shares = self._shares(worded, prompts.contrast)
        return StarterBank(
            names=prompts.names,
            fingerprint=digest(self.fingerprint, prompts.hazards, prompts.contrast, sorted(prompts.shipped)),
            heads=np.array(
                [self._heads[name] for name, known in zip(prompts.names, trained, strict=True) if known],
                np.intp,
            ),
            trained=np.flatnonzero(trained),
            worded=np.flatnonzero(np.logical_not(trained)),
            shares=shares,
            unknown=tuple(
                name for (name, _), share in zip(worded, shares, strict=True) if share.max() < _KNOWN
            ),
        )

    def _shares(
        self, hazards: Sequence[tuple[str, tuple[str, ...]]], contrast: Sequence[str]
    ) -> NDArray[np.float32]:
        """How much of each class each hazard is by its words: (W, CLASSES)."""
        if not hazards:
            return np.zeros((0, CLASSES), np.float32)
        # Sorted: the cache is keyed by the list, and the order of hazards in the settings must not matter.
        texts = sorted({*contrast, *(text for _, own in hazards for text in own)})
        rows = dict(zip(texts, self._texts.encode(texts), strict=True))
        # As noun phrases, because the prompts they are compared with are noun phrases.
        classes = self._texts.encode([f"a {name}" for name in self._class_names])
        shares = [
            class_shares(classes, stack_rows(rows, own), stack_rows(rows, contrast_prompts(own, contrast)))
            for _, own in hazards
        ]
        for (name, _), share in zip(hazards, shares, strict=True):
            if share.max() < _KNOWN:
                log.warning(
                    "hazard %s: the starter model knows nothing like it and will never warn of it", name
                )
        return np.stack(shares)


def _intact_heads(file: Path) -> Heads:
    try:
        return read_heads(file)
    except HeadsError as error:
        raise StarterUnusableError(f"{error}; install watchword again") from error


def _intact_ranges() -> InputRanges:
    try:
        return read_input_ranges()
    except InputRangesError as error:
        raise StarterUnusableError(f"{error}; install watchword again") from error


def ranges_mark() -> str:
    """Digest of the shipped ranges of the convolutions' inputs. Raises StarterUnusableError."""
    try:
        return _sha256(RANGES_FILE)
    except OSError as error:
        raise StarterUnusableError(f"{RANGES_FILE}: {error.strerror}; install watchword again") from error


def _class_names(path: Path) -> list[str]:
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StarterUnusableError(
            f"{path}: not JSON ({error}); run `watchword models pull starter`"
        ) from error
    if (
        not isinstance(names, list)
        or len(names) != CLASSES
        or not all(isinstance(name, str) for name in names)
    ):
        raise StarterUnusableError(f"{path}: not {CLASSES} class names; run `watchword models pull starter`")
    return names


def fingerprint_of(folder: Path, heads: Path = HEADS_FILE) -> str:
    """The fingerprint of the starter with the files of a folder and a file of heads."""
    return _fingerprint(_file_marks(folder, heads))


def _fingerprint(marks: Mapping[str, str]) -> str:
    return digest(_SCHEME, SHARPNESS, BACKGROUND, *marks.values())


def _file_marks(folder: Path, heads: Path) -> dict[str, str]:
    """sha256 of every file that scores depend on: a calibration made for other bytes must not be used."""
    files = {heads.name: heads} | {name: folder / name for name in FILES}
    # Two at once: hashing holds no lock of the interpreter, and 50 MB are a tenth of a start.
    with ThreadPoolExecutor(2, thread_name_prefix="sha256") as pool:
        return dict(zip(files, pool.map(_sha256, files.values()), strict=True))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
