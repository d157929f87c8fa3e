"""Trains the heads of the starter on features of the frozen backbone; one set of weights comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from daemon.tools.maintainer.heads.features import Features
from daemon.tools.maintainer.heads.training_set import Rows
from pipeline.log_odds import sigmoid
from pipeline.models.starter.heads import FEATURES, Heads, scaled, unit

HIDDEN, SEEDS = 256, (1, 2, 3, 4)
EPOCHS, BATCH = 16, 512
_RATE, _DECAY, _WARM = 2e-3, 0.05, 0.1
_DROPOUT = 0.2
_FOCUS = 1.0
"""Exponent of the focal loss (Lin et al., 2017), for soft targets: loss times |probability - target|."""
_ANY = 1.0
"""Weight of the loss of "any hazard at all": pushes down whatever is highest on a harmless picture."""
CLASS_SHARE = 0.3
"""Of a score, from the classifier's own classes; the rest comes from the features."""
_LEAST_SPREAD = 0.1
"""Of the mean: a channel that hardly ever stirs must not shout when it does."""
_SLOPE_PRIOR = 2.0
"""Strength with which a hazard's slope over its classes is held at 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """One hidden layer over scaled, standardised features: (K, D), (K,), (H, K), (H,)."""

    hidden_weight: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output_weight: NDArray[np.float32]
    output_bias: NDArray[np.float32]

    def scores(self, pooled: NDArray[Any]) -> NDArray[np.float32]:
        """Raw log-odds: pooled features (N, D) to (N, H)."""
        hidden = np.maximum(scaled(pooled) @ self.hidden_weight.T + self.hidden_bias, 0)
        return np.asarray(hidden @ self.output_weight.T + self.output_bias, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Mixing:
    """How features and classes become calibrated log-odds."""

    slope: float
    offset: float
    """Of the mixture, shared by all hazards: those with few sources need no line of their own."""
    class_slope: NDArray[np.float32]
    class_offset: NDArray[np.float32]
    """(H,): log-odds of the classes, made comparable with the features' scores."""

    def scores(self, raw: NDArray[Any], seen: NDArray[Any]) -> NDArray[np.float32]:
        """Calibrated log-odds (N, H) of the features' raw ones and of the classes'."""
        classes = seen * self.class_slope + self.class_offset
        mixed = (1 - CLASS_SHARE) * raw + CLASS_SHARE * classes
        return np.asarray(self.slope * mixed + self.offset, np.float32)


def train(features: Features, rows: Rows, chosen: NDArray[Any]) -> Net:
    """One net of all seeds side by side, trained on the chosen rows."""
    torch.set_num_threads(1)  # one thread is deterministic, and the matrices are too small for two to help
    torch.use_deterministic_algorithms(True)
    versions = [scaled(pooled[chosen].astype(np.float32)) for pooled in features.pooled]
    mean, spread = versions[0].mean(0), versions[0].std(0)
    spread = np.maximum(spread, _LEAST_SPREAD * spread.mean())
    inputs = torch.from_numpy(np.stack([(version - mean) / spread for version in versions]))
    weights = rows.weights()[chosen]
    shown, known = torch.from_numpy(rows.shown[chosen]), torch.from_numpy(rows.known[chosen])
    weight = torch.from_numpy(weights / weights.mean())
    return side_by_side([_trained(inputs, shown, known, weight, seed) for seed in SEEDS], mean, spread)


def _trained(inputs: Any, shown: Any, known: Any, weights: Any, seed: int) -> Any:
    # Two generators: initial weights and the order of the batches are drawn independently.
    torch.manual_seed(1000 + seed)
    random = torch.Generator().manual_seed(seed)
    versions, count = inputs.shape[:2]
    net = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Dropout(_DROPOUT),
        torch.nn.Linear(HIDDEN, shown.shape[1]),
    )
    optimiser = torch.optim.AdamW(net.parameters(), _RATE, weight_decay=_DECAY)
    batches = max(1, count // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, EPOCHS * batches, pct_start=_WARM)
    net.train()
    for _ in range(EPOCHS):
        order = torch.randperm(count, generator=random)
        for batch in range(batches):
            rows = order[batch * BATCH : (batch + 1) * BATCH]
            # Another version of each picture in every epoch: the net must not learn one augmentation by
            # heart.
            version = torch.randint(versions, (len(rows),), generator=random)
            loss = _loss(net(inputs[version, rows]), shown[rows], known[rows], weights[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def _loss(scores: Any, shown: Any, known: Any, weights: Any) -> Any:
    """Focal loss over the hazards that are known, and cross entropy of "any hazard"."""
    cross = functional.binary_cross_entropy_with_logits
    each = cross(scores, shown, reduction="none") * (torch.sigmoid(scores) - shown).abs().pow(_FOCUS)
    # logsumexp is a smooth maximum: unlike `max` it passes a gradient to every hazard.
    anything = cross(torch.logsumexp(scores, 1), shown.max(1).values, reduction="none")
    return ((each * known).sum(1) * weights).mean() + _ANY * (anything * weights).mean()


def side_by_side(nets: list[Any], mean: NDArray[Any], spread: NDArray[Any]) -> Net:
    """Their average as one net, with the standardisation of the features folded into its hidden layer."""
    layers = [(net[0], net[3]) for net in nets]
    hidden = np.concatenate([_array(first.weight) for first, _ in layers]) / spread
    bias = np.concatenate([_array(first.bias) for first, _ in layers]) - hidden @ mean
    output = np.concatenate([_array(last.weight) for _, last in layers], 1) / len(nets)
    output_bias = np.mean([_array(last.bias) for _, last in layers], 0)
    return Net(*(np.asarray(array, np.float32) for array in (hidden, bias, output, output_bias)))


def _array(parameter: Any) -> NDArray[np.float32]:
    return np.asarray(parameter.detach().numpy())


def centre_of(pooled: NDArray[Any]) -> NDArray[np.float32]:
    """The mean direction of pooled features (N, D): (D,)."""
    return np.asarray(unit(pooled.astype(np.float32)).mean(0), np.float32)


def fit_mixing(raw: NDArray[Any], seen: NDArray[Any], rows: Rows, chosen: NDArray[Any]) -> Mixing:
    """From scores of rows that the net was not trained on: (N, H) each, `chosen` of the N."""
    shown, known = rows.shown[chosen], rows.known[chosen]
    lines = [line(seen[chosen, h], shown[:, h], known[:, h], _SLOPE_PRIOR) for h in range(raw.shape[1])]
    slopes, offsets = (np.array(part, np.float32) for part in zip(*lines, strict=True))
    mixed = (1 - CLASS_SHARE) * raw[chosen] + CLASS_SHARE * (seen[chosen] * slopes + offsets)
    slope, offset = line(mixed.ravel(), shown.ravel(), known.ravel(), 0.0)
    return Mixing(slope, offset, slopes, offsets)


def line(
    scores: NDArray[Any], shown: NDArray[Any], weights: NDArray[Any], prior: float
) -> tuple[float, float]:
    """Slope and offset of a logistic regression (Platt, 1999), by Newton's method.

    `prior` holds the slope at 1.
    """
    slope, offset = 1.0, 0.0
    z = scores.astype(np.float64)
    for _ in range(60):
        chance = sigmoid(slope * z + offset)
        # The small terms keep the matrix invertible if a hazard has no positive or no negative.
        error, curve = weights * (chance - shown), weights * chance * (1 - chance) + 1e-9
        gradient = np.array([(error * z).sum() + prior * (slope - 1), error.sum()])
        mixed = (curve * z).sum()
        bend = np.array([[(curve * z * z).sum() + prior, mixed], [mixed, curve.sum() + 1e-3]])
        # Limited: Newton's method overshoots if the scores separate the labels completely.
        step = np.clip(np.linalg.solve(bend, gradient), -1, 1)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if np.abs(step).max() < 1e-6:
            break
    return slope, offset


def heads_of(
    *,
    net: Net,
    mixing: Mixing,
    hazards: tuple[str, ...],
    classes: NDArray[np.float32],
    threshold: float,
    centre: NDArray[np.float32],
) -> Heads:
    """The shipped heads: mixing and calibration folded into the last layer."""
    own, theirs = mixing.slope * (1 - CLASS_SHARE), mixing.slope * CLASS_SHARE
    constant = theirs * mixing.class_offset + mixing.offset
    return Heads(
        hazards=hazards,
        hidden_weight=net.hidden_weight,
        hidden_bias=net.hidden_bias,
        output_weight=np.asarray(own * net.output_weight, np.float32),
        output_bias=np.asarray(own * net.output_bias + constant, np.float32),
        classes=classes,
        class_slope=np.asarray(theirs * mixing.class_slope, np.float32),
        threshold=np.full(len(hazards), threshold, np.float32),
        centre=centre,
    )
