"""Trains heads on embeddings of any width, in numpy: a machine that runs a model can fit it, without torch.

The recipe is that of the starter's heads: one hidden layer of rectified linear units, dropout, AdamW on one
cycle of the learning rate, focal loss for soft targets (Lin et al., 2017), and the cross entropy of "any
hazard at all", which pushes down the highest score of a harmless picture. Nets of several seeds are averaged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.log_odds import sigmoid

Matrix = NDArray[np.float32]

HIDDEN, SEEDS = 128, (1, 2, 3)
_EPOCHS, _BATCH, _LEAST_STEPS = 16, 256, 400
_RATE, _DECAY, _WARM, _DROPOUT = 2e-3, 0.05, 0.1, 0.2
_MOMENTUM, _SECOND, _TINY = 0.9, 0.999, 1e-8
_LEAST_SPREAD = 0.1
"""Of the mean: a channel that hardly ever stirs must not shout when it does."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingNet:
    """One hidden layer, standardisation folded in: (K, D), (K,), (H, K), (H,)."""

    hidden_weight: Matrix
    hidden_bias: Matrix
    output_weight: Matrix
    output_bias: Matrix

    def scores(self, embeddings: Matrix) -> NDArray[np.float64]:
        """Raw log-odds: embeddings (N, D) to (N, H)."""
        hidden = np.maximum(embeddings @ self.hidden_weight.T + self.hidden_bias, 0)
        return np.asarray(hidden @ self.output_weight.T + self.output_bias, np.float64)


def train_heads(inputs: Matrix, shown: Matrix, known: Matrix, weights: Matrix) -> EmbeddingNet:
    """Fit nets of all seeds side by side.

    `inputs`: (N, D). `shown`: (N, H), 1 if the picture shows the hazard. `known`: (N, H), 0 if that is
    uncertain. `weights`: (N,). The same arguments give the same weights.
    """
    mean, spread = inputs.mean(0), inputs.std(0)
    spread = np.maximum(spread, max(_LEAST_SPREAD * float(spread.mean()), _TINY))
    scaled = np.asarray((inputs - mean) / spread, np.float32)
    weight = np.asarray(weights / weights.mean(), np.float32)
    nets = [_trained(scaled, shown, known, weight, seed) for seed in SEEDS]
    # The standardisation is folded into the weights, so that scoring needs no step for it.
    hidden = np.concatenate([net[0] for net in nets]) / spread
    bias = np.concatenate([net[1] for net in nets]) - hidden @ mean
    # Nets side by side with divided outputs are the mean of the nets, in one product.
    output = np.concatenate([net[2] for net in nets], axis=1) / len(nets)
    return EmbeddingNet(
        *(np.asarray(a, np.float32) for a in (hidden, bias, output, np.mean([net[3] for net in nets], 0)))
    )


def _trained(inputs: Matrix, shown: Matrix, known: Matrix, weights: Matrix, seed: int) -> list[Matrix]:
    dice = np.random.default_rng(seed)
    parameters = _initial(dice, inputs.shape[1], shown.shape[1])
    optimiser = _AdamW(parameters)
    batch = min(_BATCH, len(inputs))
    # Few pictures would otherwise get few steps: sixteen passes over one batch train nothing.
    steps = max(_LEAST_STEPS, _EPOCHS * -(-len(inputs) // batch))
    order = np.zeros(0, np.intp)
    for step in range(steps):
        if len(order) < batch:
            order = dice.permutation(len(inputs))
        rows, order = order[:batch], order[batch:]
        gradients = _gradients(parameters, inputs[rows], shown[rows], known[rows], weights[rows], dice)
        optimiser.step(gradients, _RATE * _cycle(step / steps))
    return parameters


def _initial(dice: np.random.Generator, inputs: int, hazards: int) -> list[Matrix]:
    """Uniform in +-1/sqrt(inputs), as torch's linear layers begin."""

    def uniform(*shape: int, fan: int) -> Matrix:
        return dice.uniform(-(fan**-0.5), fan**-0.5, shape).astype(np.float32)

    return [
        uniform(HIDDEN, inputs, fan=inputs),
        uniform(HIDDEN, fan=inputs),
        uniform(hazards, HIDDEN, fan=HIDDEN),
        uniform(hazards, fan=HIDDEN),
    ]


def _cycle(done: float) -> float:
    """Share of the highest rate: a linear rise, then half a cosine down (Smith and Topin, 2018)."""
    if done < _WARM:
        # The rise begins at a twenty-fifth of the highest rate, as in torch's OneCycleLR.
        return 0.04 + 0.96 * done / _WARM
    return 0.5 * (1 + float(np.cos(np.pi * (done - _WARM) / (1 - _WARM))))


def _gradients(
    parameters: list[Matrix],
    inputs: Matrix,
    shown: Matrix,
    known: Matrix,
    weights: Matrix,
    dice: np.random.Generator,
) -> list[Matrix]:
    hidden_weight, hidden_bias, output_weight, output_bias = parameters
    before = inputs @ hidden_weight.T + hidden_bias
    # Inverted dropout: divided here, so that scoring needs no factor.
    kept = (dice.random(before.shape) >= _DROPOUT).astype(np.float32) / (1 - _DROPOUT)
    hidden = np.maximum(before, 0) * kept
    error = loss_gradient(hidden @ output_weight.T + output_bias, shown, known)
    error = np.asarray(error * weights[:, None] / len(inputs), np.float32)
    back = (error @ output_weight) * kept * (before > 0)
    # In the order of the parameters: the optimiser pairs the two lists.
    return [back.T @ inputs, back.sum(0), error.T @ hidden, error.sum(0)]


def loss_gradient(scores: Matrix, shown: Matrix, known: Matrix) -> NDArray[np.float64]:
    """Gradient by the scores (N, H) of the loss of each picture: focal loss, and that of "any hazard"."""
    chance, target = sigmoid(scores), shown.astype(np.float64)
    z = scores.astype(np.float64)
    cross = np.logaddexp(0, z) - target * z
    off = np.abs(chance - target)
    focal = (chance - target) * off + cross * np.sign(chance - target) * chance * (1 - chance)
    # Subtracted before the exponential, which would overflow for large scores.
    top = z.max(1, keepdims=True)
    total = np.exp(z - top).sum(1, keepdims=True)
    anything = (top + np.log(total)).astype(np.float64)
    one_of = (sigmoid(anything) - target.max(1, keepdims=True)) * np.exp(z - top) / total
    return np.asarray(focal * known + one_of)


class _AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019); changes the parameters in place."""

    def __init__(self, parameters: list[Matrix]) -> None:
        self._parameters = parameters
        self._first = [np.zeros_like(one) for one in parameters]
        self._second = [np.zeros_like(one) for one in parameters]
        self._count = 0

    def step(self, gradients: Iterable[Matrix], rate: float) -> None:
        self._count += 1
        fresh_1, fresh_2 = 1 - _MOMENTUM**self._count, 1 - _SECOND**self._count
        for value, gradient, first, second in zip(
            self._parameters, gradients, self._first, self._second, strict=True
        ):
            first += (1 - _MOMENTUM) * (gradient - first)
            second += (1 - _SECOND) * (gradient * gradient - second)
            value *= 1 - rate * _DECAY
            value -= rate * (first / fresh_1) / (np.sqrt(second / fresh_2) + _TINY)


def platt(scores: NDArray[np.float64], shown: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset of a logistic regression (Platt, 1999), by Newton's method; scores and labels (N,)."""
    slope, offset = 1.0, 0.0
    for _ in range(60):
        chance = sigmoid(slope * scores + offset)
        error, curve = chance - shown, chance * (1 - chance) + 1e-9
        gradient = np.array([(error * scores).sum() + 2.0 * (slope - 1), error.sum()])
        mixed = (curve * scores).sum()
        # The added constants: a weak prior of slope 1, without which separable scores diverge, and some
        # damping.
        bend = np.array([[(curve * scores**2).sum() + 2.0, mixed], [mixed, curve.sum() + 1e-3]])
        # Newton's steps are bounded, as the first ones overshoot far from the optimum.
        step = np.clip(np.linalg.solve(bend, gradient), -1, 1)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if np.abs(step).max() < 1e-6:
            break
    # Never negative: a head that ranks the wrong way round must not be turned into its opposite.
    return max(slope, 1e-3), offset
