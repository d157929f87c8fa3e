"""From a name in the settings to an image-text model that runs."""

from __future__ import annotations

import difflib
import logging
from pathlib import Path

from pipeline.models.base import ImageTextModel
from pipeline.models.openclip.devices import device_order
from pipeline.models.precision import Precision
from pipeline.store.errors import StoreError, UnknownModelError
from pipeline.store.manifest import Kind
from pipeline.store.store import Store

log = logging.getLogger(__name__)

AUTO = "auto"
"""In `pipeline.model`: the best model that is fit for it; `daemon.wiring.models` chooses."""
STARTER = "starter"
_LEAST_COSINE = 0.995
"""Cosine that another device must reach against the CPU. A smaller one is more than rounding."""


def load_image_text(
    store: Store,
    name: str,
    device: str = "CPU",
    threads: int = 0,
    cache_dir: Path | None = None,
    precision: str = "",
) -> ImageTextModel:
    """The installed model of that name.

    `device` is an OpenVINO device, several with commas in order of preference, or `best`. `precision`: use
    this one on the CPU; if it is empty or no `Precision`, the fastest that agrees. Raises StoreError,
    ModelUnusableError or StarterUnusableError in one line.
    """
    require_chosen(store, name)
    manifest, folder = store.manifest(name), store.path(name)
    known = Precision(precision) if precision in tuple(Precision) else None
    if manifest.conversion is None:
        return _starter(folder, device, threads, cache_dir, known)
    # Imported late: with the starter alone, nothing of open_clip's tokenizer is loaded.
    from pipeline.models.openclip.model import OpenClipModel

    return OpenClipModel(folder, device, threads, cache_dir, known)


def require_chosen(store: Store, name: str) -> str:
    """Check a name of pipeline.model. Raises StoreError with the valid names."""
    kinds = {line.name: line.kind for line in store.list()}
    if kinds.get(name) in (Kind.IMAGE_TEXT, "?"):
        return name  # the store itself reports any other damage
    names = [AUTO, *(known for known, kind in kinds.items() if kind == Kind.IMAGE_TEXT)]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
    hint += " (`watchword models list` shows them)"
    if name in kinds:
        raise StoreError(f"{name!r} is a {kinds[name]} model; pipeline.model wants an image-text one; {hint}")
    raise UnknownModelError(f"pipeline.model: no image-text model is called {name!r}; {hint}")


def fell_back(wanted: str, device: str) -> bool:
    """True if a model runs on another device than the settings prefer."""
    import openvino as ov

    if wanted.lower() == "best":
        preferred = device_order(wanted, ov.Core().available_devices)[0]
    else:
        preferred = wanted.replace(" ", "").split(",")[0]
    # "GPU.1" and "GPU" are the same kind of device: no reason to report a fallback.
    return device.partition(".")[0].upper() != preferred.partition(".")[0].upper()


def _starter(
    folder: Path, wanted: str, threads: int, cache_dir: Path | None, precision: Precision | None
) -> ImageTextModel:
    """Load on the first device whose results equal the CPU's. The starter is small: `best` is the CPU."""
    from pipeline.models.starter.agreement import agreement
    from pipeline.models.starter.model import StarterModel
    from pipeline.models.starter.precision import load_on_cpu

    order = ("CPU",) if wanted.lower() == "best" else device_order(wanted, _present(wanted))
    # In 32 bits, as the reference for other devices.
    exact = StarterModel(folder, "CPU", threads, cache_dir) if order[0] != "CPU" else None
    for device in order:
        if device == "CPU" or exact is None:
            break
        try:
            model = StarterModel(folder, device, threads, cache_dir)
            cosine = agreement(model, exact)
        except RuntimeError as error:
            log.warning("the starter does not run on %s: %s", device, str(error).splitlines()[0])
            continue
        if cosine >= _LEAST_COSINE:
            return model
        log.warning("the starter on %s computes something else: cosine %.3f; not used", device, cosine)
    return load_on_cpu(folder, threads, cache_dir, precision)


def _present(wanted: str) -> list[str]:
    """The devices of this machine, as far as they matter."""
    # Asking OpenVINO loads the libraries of GPU and NPU: 100 MB and a tenth of a second for nothing.
    if wanted.upper() == "CPU":
        return ["CPU"]
    import openvino as ov

    return list(ov.Core().available_devices)
