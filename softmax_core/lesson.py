"""The lesson's functions under the lesson's names, stable and on any torch device.

Results equal the lesson's wherever those are finite. Tensors on different devices
raise RuntimeError, naming both devices. Scores are 0-dimensional tensors. The
experiments and the lesson's readers call these.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from softmax_core import functional
from softmax_core.data import class_features
from softmax_core.device import require_same_device
from softmax_core.model import SoftmaxRegression


def tensorGenCla(  # noqa: N802
    num_examples: int = 500,
    num_inputs: int = 2,
    num_class: int = 3,
    deg_dispersion: Sequence[float] = (4, 2),
    bias: bool = False,
) -> tuple[Tensor, Tensor]:
    """Draw Gaussian classes, class after class, from torch's global generator.

    Args:
        num_examples: rows of each class.
        num_inputs: features.
        num_class: classes.
        deg_dispersion: distance between neighbouring class means, and the standard
            deviation in a class.
        bias: whether a column of ones is appended.

    Returns:
        Features (num_class * num_examples, num_inputs [+ 1]) float and labels
        (num_class * num_examples, 1) long.
    """
    mean, std = deg_dispersion
    drawn = [
        class_features(num_examples, num_inputs, i, num_class, (mean, std))
        for i in range(num_class)
    ]
    features = torch.cat(drawn)
    if bias:
        features = torch.cat([features, torch.ones_like(features[:, :1])], dim=1)
    labels = torch.arange(num_class).repeat_interleave(num_examples).reshape(-1, 1)
    return features, labels


def data_iter(batch_size: int, features: Tensor, labels: Tensor) -> list[list[Tensor]]:
    """Return shuffled minibatches [features, labels]; the last one may be short.

    The order is drawn by Python's `random`, as in the lesson.
    """
    require_same_device(features=features, labels=labels)
    indices = list(range(len(features)))
    random.shuffle(indices)
    order = torch.tensor(indices, device=features.device)
    return [
        [features.index_select(0, rows), labels.index_select(0, rows)]
        for rows in torch.split(order, batch_size)
    ]


def softmax(X: Tensor, w: Tensor) -> Tensor:
    """Return the probabilities (n, classes) of X (n, inputs) @ w (inputs, classes)."""
    require_same_device(X=X, w=w)
    return functional.softmax(X @ w)


def m_cross_entropy(soft_z: Tensor, y: Tensor) -> Tensor:
    """Return the mean negative log of the true classes' probabilities.

    Args:
        soft_z: probabilities (n, classes).
        y: class numbers (n, 1).
    """
    require_same_device(soft_z=soft_z, y=y)
    return -_log(soft_z.gather(1, y.long().reshape(-1, 1))).mean()


def m_accuracy(soft_z: Tensor, y: Tensor) -> Tensor:
    """Return the share of rows whose largest score is the class in y (n, 1)."""
    require_same_device(soft_z=soft_z, y=y)
    return (soft_z.argmax(dim=1) == y.flatten()).float().mean()


def sgd(params: Tensor | Iterable[Tensor], lr: float) -> None:
    """Step against the gradient, in place, and zero the gradient."""
    functional.sgd_step([params] if isinstance(params, Tensor) else params, lr)


def sigmoid(z: Tensor) -> Tensor:
    """Return 1 / (1 + e^-z)."""
    return torch.sigmoid(z)


def logistic(X: Tensor, w: Tensor) -> Tensor:
    """Return the sigmoid of X (n, inputs) @ w (inputs, 1)."""
    require_same_device(X=X, w=w)
    return sigmoid(X @ w)


def cal(sigma: Tensor, p: float = 0.5) -> Tensor:
    """Return 1.0 where the probability is at least p, else 0.0."""
    return (sigma >= p).float()


def accuracy(sigma: Tensor, y: Tensor) -> Tensor:
    """Return the share of rows in which `cal(sigma)` is the class y (n, 1)."""
    require_same_device(sigma=sigma, y=y)
    return (cal(sigma).flatten() == y.flatten()).float().mean()


def cross_entropy(sigma: Tensor, y: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of probabilities sigma for classes y."""
    require_same_device(sigma=sigma, y=y)
    sigma, y = sigma.flatten(), y.flatten()
    return -((1 - y) * _log(1 - sigma) + y * _log(sigma)).mean()


def acc_zhat(zhat: Tensor, y: Tensor) -> Tensor:
    """Return the accuracy of a linear output zhat (n, 1)."""
    return accuracy(sigmoid(zhat), y)


def _log(probabilities: Tensor) -> Tensor:
    """Return logarithms; probabilities below the dtype's smallest normal count as it.

    For smaller ones 1 / p overflows, so that the gradient would be infinite or NaN.
    """
    return probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()


class softmaxR(SoftmaxRegression):  # noqa: N801
    """One linear layer; the softmax is in nn.CrossEntropyLoss."""

    def __init__(self, in_features: int = 2, out_features: int = 3) -> None:
        super().__init__(in_features, out_features)


def fit(
    net: nn.Module,
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    batchdata: Iterable[Sequence[Tensor]],
    epochs: int,
) -> None:
    """Train `net` on batches (X, y), y (n, 1), for some epochs."""
    weights = next(net.parameters())
    for _ in range(epochs):
        for step, (X, y) in enumerate(batchdata):
            if step == 0:  # not at each step: this loop is timed
                require_same_device(X=X, y=y, weights=weights)
            loss = criterion(net(X), y.flatten().long())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def max_x(x: Tensor) -> Tensor:
    """Return max(x, 0), the hinge that log(1 + e^x) smooths."""
    return x.clamp_min(0)


def soft_max_x(x: Tensor) -> Tensor:
    """Return log(1 + e^x), computed without overflow."""
    return torch.logaddexp(x, torch.zeros_like(x))


@dataclass(frozen=True)
class PolynomialFit:
    """A least-squares polynomial; `curve(x)` draws it."""

    curve: Polynomial
    fitted: NDArray[np.float64]
    """The curve at the points it was fitted to."""
    loss: float
    """Mean squared error at those points."""


def polynomial_fit(x: ArrayLike, y: ArrayLike, deg: int) -> PolynomialFit:
    """Fit a polynomial of degree `deg` to points x, y (n,).

    The numerical part of the lesson's plot_polynomial_fit.

    Raises:
        ValueError: for a degree that the points cannot determine.
    """
    points, values = np.asarray(x, float), np.asarray(y, float)
    if not 0 <= deg < len(points):
        raise ValueError(
            f"deg = {deg}: must be in [0, {len(points) - 1}] for {len(points)} points"
        )
    curve = Polynomial.fit(points, values, deg)
    fitted = curve(points)
    return PolynomialFit(curve, fitted, float(np.mean((fitted - values) ** 2)))
