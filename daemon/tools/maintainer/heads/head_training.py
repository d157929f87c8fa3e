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
from pipeline.models.starter.heads import FEATURES, scaled, unit

EPOCHS, BATCH = 16, 512
_RATE, _DECAY, _WARM = 2e-3, 0.05, 0.1
_DROPOUT = 0.2
_LEAST_SPREAD = 0.1
"""Of the mean: a channel that hardly ever stirs must not shout when it does."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The options of the ablation; the defaults are the shipped recipe."""

    hidden: int = 256
    """Hidden units of each net; 0: the scores are linear in the features."""
    seeds: tuple[int, ...] = (1, 2, 3, 4)
    augmented: bool = True
    """Train on the augmented versions too, else on the plain pictures alone."""
    mixup: float = 0.0
    """Parameter of the beta distribution that pictures are mixed by (Zhang et al., 2018); 0: none."""
    focus: float = 1.0
    """Exponent of the focal loss (Lin et al., 2017), for soft targets: loss times |probability - target|."""
    any_weight: float = 1.0
    """Weight of the loss of "any hazard at all", which lowers the highest score of a harmless picture."""
    weighted: bool = True
    """A source counts by the square root of its pictures, else by their number."""
    footage: bool = True
    """Train on frames of footage too."""


SHIPPED = Recipe()


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


def train(features: Features, rows: Rows, chosen: NDArray[Any], recipe: Recipe = SHIPPED) -> Net:
    """One net of all seeds side by side, trained on the chosen rows."""
    torch.set_num_threads(1)  # one thread is deterministic, and the matrices are too small for two to help
    torch.use_deterministic_algorithms(True)
    if not recipe.footage:
        chosen = chosen & rows.photographs
    pooled = features.pooled if recipe.augmented else features.pooled[:1]
    versions = [scaled(version[chosen].astype(np.float32)) for version in pooled]
    mean, spread = versions[0].mean(0), versions[0].std(0)
    spread = np.maximum(spread, _LEAST_SPREAD * spread.mean())
    inputs = torch.from_numpy(np.stack([(version - mean) / spread for version in versions]))
    weights = rows.weights()[chosen] if recipe.weighted else np.ones(int(chosen.sum()), np.float32)
    shown, known = torch.from_numpy(rows.shown[chosen]), torch.from_numpy(rows.known[chosen])
    weight = torch.from_numpy(weights / weights.mean())
    nets = [_trained(inputs, shown, known, weight, seed, recipe) for seed in recipe.seeds]
    return side_by_side([_layers(net) for net in nets], mean, spread)


def _trained(inputs: Any, shown: Any, known: Any, weights: Any, seed: int, recipe: Recipe) -> Any:
    # Two generators: initial weights and the order of the batches are drawn independently.
    torch.manual_seed(1000 + seed)
    random = torch.Generator().manual_seed(seed)
    versions, count = inputs.shape[:2]
    net = _net(recipe.hidden, shown.shape[1])
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
            taken, target, sure = inputs[version, rows], shown[rows], known[rows]
            if recipe.mixup:
                taken, target, sure = _mixed(taken, target, sure, recipe.mixup, seed)
            loss = _loss(net(taken), target, sure, weights[rows], recipe)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def _net(hidden: int, hazards: int) -> Any:
    if not hidden:
        return torch.nn.Sequential(torch.nn.Dropout(_DROPOUT), torch.nn.Linear(FEATURES, hazards))
    return torch.nn.Sequential(
        torch.nn.Linear(FEATURES, hidden),
        torch.nn.ReLU(),
        torch.nn.Dropout(_DROPOUT),
        torch.nn.Linear(hidden, hazards),
    )


def _mixed(inputs: Any, shown: Any, known: Any, alpha: float, seed: int) -> tuple[Any, Any, Any]:
    """Each picture mixed with another of the batch; a hazard is known if it is in both."""
    random = np.random.default_rng((seed, int(inputs.shape[0]), int(torch.randint(2**31, (1,)))))
    other = torch.from_numpy(random.permutation(len(inputs)))
    share = torch.from_numpy(random.beta(alpha, alpha, (len(inputs), 1)).astype(np.float32))
    mixed = share * inputs + (1 - share) * inputs[other]
    return mixed, share * shown + (1 - share) * shown[other], known * known[other]


def _loss(scores: Any, shown: Any, known: Any, weights: Any, recipe: Recipe) -> Any:
    """Focal loss over the hazards that are known, and cross entropy of "any hazard"."""
    cross = functional.binary_cross_entropy_with_logits
    off = (torch.sigmoid(scores) - shown).abs().pow(recipe.focus)
    each = cross(scores, shown, reduction="none") * off
    # logsumexp is a smooth maximum: unlike `max` it passes a gradient to every hazard.
    anything = cross(torch.logsumexp(scores, 1), shown.max(1).values, reduction="none")
    return ((each * known).sum(1) * weights).mean() + recipe.any_weight * (anything * weights).mean()


Layers = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def _layers(net: Any) -> Layers:
    """Weights and biases of the hidden and of the output layer."""
    last = net[-1]
    if len(net) > 2:
        return _array(net[0].weight), _array(net[0].bias), _array(last.weight), _array(last.bias)
    # A linear net has no hidden layer: x is what rectified x and rectified -x differ by.
    weight, bias, one = _array(last.weight), _array(last.bias), np.eye(len(last.bias), dtype=np.float32)
    return np.concatenate([weight, -weight]), np.concatenate([bias, -bias]), np.hstack([one, -one]), 0 * bias


def side_by_side(nets: list[Layers], mean: NDArray[Any], spread: NDArray[Any]) -> Net:
    """Their average as one net, with the standardisation of the features folded into its hidden layer."""
    hidden = np.concatenate([net[0] for net in nets]) / spread
    bias = np.concatenate([net[1] for net in nets]) - hidden @ mean
    output = np.concatenate([net[2] for net in nets], 1) / len(nets)
    output_bias = np.mean([net[3] for net in nets], 0)
    return Net(*(np.asarray(array, np.float32) for array in (hidden, bias, output, output_bias)))


def _array(parameter: Any) -> NDArray[np.float32]:
    return np.asarray(parameter.detach().numpy())


def centre_of(pooled: NDArray[Any]) -> NDArray[np.float32]:
    """The mean direction of pooled features (N, D): (D,)."""
    return np.asarray(unit(pooled.astype(np.float32)).mean(0), np.float32)
