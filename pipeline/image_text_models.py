"""From a name in the settings to an image-text model that runs."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.image_text import ImageTextModel
from pipeline.store.errors import NotInstalledError, StoreError
from pipeline.store.manifest import Kind
from pipeline.store.store import Store

log = logging.getLogger(__name__)

AUTO = "auto"
STARTER = "starter"


def load_image_text(
    store: Store, wanted: str, device: str = "CPU", threads: int = 0, cache_dir: Path | None = None
) -> ImageTextModel:
    """The model of that name, or the best one that is here for `auto`, which is logged.

    `device` is an OpenVINO device, several with commas in order of preference, or `best`. Raises StoreError,
    ModelUnusableError or StarterUnusableError in one line.
    """
    name = _best(store) if wanted == AUTO else wanted
    manifest, folder = store.manifest(name), store.path(name)
    if manifest.kind is not Kind.IMAGE_TEXT:
        raise StoreError(f"{name!r} is a {manifest.kind} model; pipeline.model wants an image-text model")
    if manifest.conversion is None:
        from pipeline.starter.model import StarterModel

        return StarterModel(folder, _single(device), threads, cache_dir)
    from pipeline.openclip.model import OpenClipModel

    return OpenClipModel(folder, device, threads, cache_dir)


def _best(store: Store) -> str:
    name = store.best(Kind.IMAGE_TEXT)
    if name is None:
        raise NotInstalledError(
            f"no image-text model is in {store.root}; run `watchword models pull {STARTER}`"
        )
    log.info("model: %s, the best in the store", name)
    return name


def _single(device: str) -> str:
    """The starter is small: where a choice of devices is given, the CPU serves it best."""
    return device if device.isalnum() and device.lower() not in ("best", AUTO) else "CPU"
