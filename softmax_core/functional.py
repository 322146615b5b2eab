"""Softmax regression's mathematics, numerically stable, on any device and dtype."""

from collections.abc import Iterable

import torch
from torch import Tensor


def log_softmax(logits: Tensor) -> Tensor:
    """Return log probabilities (n, classes), finite for any finite logits.

    The row maximum is subtracted first: exp never overflows, and the largest term
    is exactly 1, so the logarithm's argument lies in [1, classes].
    """
    shifted = logits - logits.max(dim=1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def softmax(logits: Tensor) -> Tensor:
    """Return probabilities (n, classes); each row sums to 1."""
    exponentials = (logits - logits.max(dim=1, keepdim=True).values).exp()
    return exponentials / exponentials.sum(dim=1, keepdim=True)


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Return the mean negative log probability of the true classes y (n,) long."""
    return -log_softmax(logits).gather(1, y.reshape(-1, 1)).mean()


def accuracy(scores: Tensor, y: Tensor) -> float:
    """Return the share of rows whose largest score is the true class."""
    return float((scores.argmax(dim=1) == y.reshape(-1)).double().mean())


@torch.no_grad()
def sgd_step(
    parameters: Iterable[Tensor],
    learning_rate: float,
    momentum: float = 0.0,
    velocities: list[Tensor] | None = None,
) -> None:
    """Step each parameter against its gradient, in place, and zero the gradient.

    velocity = momentum * velocity + gradient; parameter -= learning_rate * velocity,
    torch.optim.SGD's form. `velocities` starts at zero and is updated in place.
    """
    for i, parameter in enumerate(parameters):
        gradient = parameter.grad
        if gradient is None:
            continue
        if momentum and velocities is not None:
            velocities[i].mul_(momentum).add_(gradient)
            parameter.sub_(velocities[i], alpha=learning_rate)
        else:
            parameter.sub_(gradient, alpha=learning_rate)
        gradient.zero_()
