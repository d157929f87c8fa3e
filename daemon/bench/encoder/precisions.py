"""The image encoder at each precision against open_clip on torch, and against the engine's own peak.

All networks have random weights, which compute as fast as published ones. How well 8 bits agree is no matter
here: a conversion measures that on real pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from capture.frame import Image
from daemon.bench.encoder.compiled import (
    ARCHITECTURE,
    CompiledEncoder,
    Encoders,
    encoders_of,
    quiet_libraries,
    random_network,
)
from daemon.bench.encoder.matrix_products import bare_products
from daemon.bench.encoder.runtimes import over_runtimes
from daemon.bench.harness import Figure, at_least, between, interleave, paced, percentile, timed, unmeasured
from daemon.bench.pipeline_under_test import picture
from daemon.config.settings import Settings
from pipeline.models.precision import Precision
from pipeline.store.catalogue.shipped import shipped_catalogue

OVER_OPEN_CLIP, SHARE_OF_PEAK = "encoder.over_open_clip", "encoder.share_of_peak"
PEAK = between(0.7, 1.05)
NEEDS = "needs torch and open_clip: script/setup --prepare"
_SPARSE = 5
"""Samples of the networks that are only timed, at most."""
AVX2 = {Precision.F32: 1.8}
"""How many times as fast as open_clip on torch each precision has to be, on a processor with AVX2 only."""
VNNI = {Precision.BF16: 3.5, Precision.INT8: 5.0}
"""The same with AVX-512, VNNI and bf16, where 32 bits are not used."""


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """Over open_clip, over other engines, over the peak; then the times of every network of the catalogue."""
    try:
        network, preprocess = random_network()
    except ImportError:
        yield unmeasured(OVER_OPEN_CLIP, "ratio", at_least(max(targets_here().values())), NEEDS)
        yield unmeasured(SHARE_OF_PEAK, "ratio", PEAK, NEEDS)
        return
    threads = settings.pipeline.threads
    with quiet_libraries():
        encoders = encoders_of(network, threads)
    yield from over_open_clip(_theirs(network, preprocess), encoders, samples)
    yield from over_runtimes(network, encoders, threads, samples)
    yield from shares_of_peak(encoders, threads, samples)
    import open_clip

    for entry in shipped_catalogue():
        if entry.architecture:
            with quiet_libraries():
                network = open_clip.create_model(entry.architecture, pretrained=None).eval()
                encoders = encoders_of(network, threads)
            yield from times(entry.name, encoders, min(samples, _SPARSE))


def targets_here() -> dict[Precision, float]:
    """The targets over open_clip on this processor."""
    return VNNI if has_vnni() else AVX2


def has_vnni() -> bool:
    """True if the processor multiplies 8-bit integers in its vector or matrix unit."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    flags = set(next((line for line in lines if line.startswith("flags")), "").split())
    return bool(flags & {"avx512_vnni", "avx_vnni", "amx_int8"})


def over_open_clip(theirs: Callable[[Image], object], encoders: Encoders, samples: int) -> Iterator[Figure]:
    """Pictures a second from a 720p frame to an embedding, each precision over open_clip's own way in f32.

    The first figure is that of the precision which is the fastest here.
    """
    seen, targets = picture(1280, 720), targets_here()
    figures = {}
    for precision, ours in encoders.items():
        pairs = interleave(paced(partial(theirs, seen)), paced(partial(ours, seen)), samples, warmup=3)
        note = f"{ARCHITECTURE} in {precision}, {1 / percentile(pairs.b, 50):.3g} pictures a second"
        bound = targets.get(precision)
        target = at_least(bound) if bound else None
        figures[precision] = Figure.median(
            f"{OVER_OPEN_CLIP}.{precision}", pairs.ratios, "ratio", target, note
        )
    best = max(figures.values(), key=lambda one: one.value or 0)
    bound = max(targets.values())
    yield Figure(OVER_OPEN_CLIP, best.value, "ratio", at_least(bound), best.samples, best.spread, best.note)
    yield from figures.values()


def shares_of_peak(encoders: Encoders, threads: int, samples: int) -> Iterator[Figure]:
    """Operations a second of the network, over those of its matrix products alone, in the same run.

    The products have the network's shapes and weights of their own, and run in the same engine at the same
    precision. At one picture a time they, not a large square product, are the limit: most of the time goes
    into reading weights. The first figure is the lowest share among the float precisions. In 8 bits the share
    is lower: the softmax and normalisation left in floats weigh more, the faster the products are.
    """
    shares = {
        precision: _share_of_peak(precision, ours, threads, samples) for precision, ours in encoders.items()
    }
    floats = [one for precision, one in shares.items() if precision is not Precision.INT8]
    least = min(floats, key=lambda one: one.value or 0)
    yield Figure(SHARE_OF_PEAK, least.value, "ratio", PEAK, least.samples, least.spread, least.note)
    yield from shares.values()


def _share_of_peak(precision: Precision, ours: CompiledEncoder, threads: int, samples: int) -> Figure:
    run, operations = bare_products(ours.products, precision, threads)
    ready = picture(*ours.size)
    pairs = interleave(timed(run), timed(partial(ours.infer, ready)), samples, warmup=3)
    # The two do different amounts of arithmetic: the ratio of times becomes one of rates.
    scale = ours.operations / operations
    note = f"in {precision}, of {operations / percentile(pairs.a, 50) / 1e9:.3g} GFLOP/s"
    name = f"{SHARE_OF_PEAK}.{precision}"
    return Figure.median(name, [ratio * scale for ratio in pairs.ratios], "ratio", PEAK, note)


def fastest(encoders: Encoders) -> Precision:
    """The precision of the shortest median time of a picture."""
    seen = picture(1280, 720)
    runs = {precision: timed(partial(encode, seen)) for precision, encode in encoders.items()}
    took = {precision: [run() for _ in range(_SPARSE)] for precision, run in runs.items()}
    return min(took, key=lambda precision: percentile(took[precision], 50))


def times(name: str, encoders: Encoders, samples: int) -> Iterator[Figure]:
    """Milliseconds a 720p frame, at each precision."""
    seen = picture(1280, 720)
    for precision, encode in encoders.items():
        cost = timed(partial(encode, seen))
        # The first calls allocate memory and load the weights into the caches.
        for _ in range(2):
            cost()
        ms = [cost() * 1000 for _ in range(samples)]
        yield Figure.median(f"encoder.{name}.{precision}_ms", ms, "ms", note=f"in {precision}")


def _theirs(network: Any, preprocess: Any) -> Callable[[Image], object]:
    """As open_clip's documentation does it: PIL, its transforms, torch without gradients."""
    import torch
    from PIL import Image as Pil

    def encode(image: Image) -> object:
        with torch.inference_mode():
            seen = preprocess(Pil.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
            return network.encode_image(seen[None], normalize=True)

    return encode
