"""The lesson's worked examples and its look at devices, as functions of values."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from softmax_core.device import list_devices, parse_device, unavailable_reason
from softmax_core.experiments import EASY, HARD, SEED, Device, lesson_data
from softmax_core.lesson import (
    PolynomialFit,
    m_cross_entropy,
    max_x,
    polynomial_fit,
    soft_max_x,
    softmax,
    softmaxR,
)

Values = tuple[float, ...]
POINTS = 20
NOISE = 0.1
"""The standard deviation around sqrt(x); the lesson does not say its own."""
ROWS = {0: "row 1", 1: "row 2", 2: "row 3", -1: "last row"}
DEGREES = (1, 3, 10, 15)


def worked_examples(device: Device = "cpu") -> dict[str, Values]:
    """Return every number that the lesson works out, by what it is."""
    X, y = lesson_data(EASY, bias=True, device=device)
    hard, _ = lesson_data(HARD, device=device)
    w = torch.arange(9.0, device=X.device).reshape(3, 3)
    ten, classes = X[:10], y[:10]
    soft = softmax(ten, w)
    p = torch.tensor([[0.6, 0.2, 0.2], [0.3, 0.4, 0.3]], device=X.device)
    true = torch.tensor([[0], [1]], device=X.device)
    by_hand = -(math.log(0.6) + math.log(0.4)) / 2
    return {
        **{f"data [6, 2] with bias, {row}": _values(X[i]) for i, row in ROWS.items()},
        "data [6, 4], row 1": _values(hard[0]),
        "X @ w, row 1": _values((ten @ w)[0]),
        "softmax, row 1": _values(soft[0]),
        "softmax, row 8": _values(soft[7]),
        "softmax less F.softmax, at most": (
            float((soft - F.softmax(ten @ w, 1)).abs().max()),
        ),
        "cross-entropy of two rows, three ways": (
            by_hand,
            float(m_cross_entropy(p, true)),
            float(F.nll_loss(p.log(), true.flatten())),
        ),
        "cross-entropy of ten rows, two ways": (
            float(m_cross_entropy(soft, classes)),
            float(torch.nn.CrossEntropyLoss()(ten @ w, classes.flatten())),
        ),
    }


def _values(row: torch.Tensor) -> Values:
    return tuple(float(value) for value in row)


def softmax_against_max() -> tuple[list[float], list[float], list[float]]:
    """Return k = -10 .. 9, max(k, 0) and log(1 + e^k)."""
    k = torch.arange(-10.0, 10.0)
    return k.tolist(), max_x(k).tolist(), soft_max_x(k).tolist()


def noisy_roots() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the polynomial example's x and sqrt(x) + noise, 20 points on [0, 1]."""
    x = np.linspace(0, 1, POINTS)
    return x, np.sqrt(x) + np.random.default_rng(SEED).normal(0, NOISE, POINTS)


def polynomial_fits() -> dict[int, tuple[PolynomialFit, float]]:
    """Return each degree's fit, and its mean squared distance from sqrt(x) itself.

    The loss falls with the degree; the distance from the truth does not.
    """
    x, y = noisy_roots()
    fine = np.linspace(0, 1, 501)
    fits = {degree: polynomial_fit(x, y, degree) for degree in DEGREES}
    return {
        degree: (fit, float(np.mean((fit.curve(fine) - np.sqrt(fine)) ** 2)))
        for degree, fit in fits.items()
    }


@dataclass(frozen=True)
class DeviceCheck:
    """One thing the lesson does with devices: what came of it.

    `ok` is None where it could not be tried; `found` then says why.
    """

    what: str
    found: str
    ok: bool | None
    error: bool = False
    """Whether an error is what should come of it."""


def device_check(device: Device = "cpu") -> list[DeviceCheck]:
    """Move and create tensors as the lesson does, and say what cannot be tried."""
    where = parse_device(device)
    made = torch.arange(3.0)
    moved = made.to(where)
    back = moved.cpu()
    # As tensors name it: `cuda` is cuda:0, and the CPU has no number.
    cpu = where.type == "cpu"
    whole = torch.device("cpu") if cpu else torch.device(where.type, where.index or 0)
    return [
        *(_listed(info.name, info.reason) for info in list_devices()),
        _on(".to(device)", moved, whole),
        DeviceCheck(".cpu()", str(back.device), back.equal(made)),
        _cuda(made),
        _on("create on the device", torch.ones(2, device=where), whole),
        _on("one switch for data and model", _switched(whole), whole),
        _refused("torch.dot", torch.dot, where),
        _refused("softmax", softmax, where),
    ]


def _on(what: str, found: torch.Tensor, device: torch.device) -> DeviceCheck:
    return DeviceCheck(what, str(found.device), found.device == device)


def _listed(name: str, reason: str | None) -> DeviceCheck:
    what = f"{name} is there"
    return DeviceCheck(what, reason or "yes", None if reason else True)


def _cuda(made: torch.Tensor) -> DeviceCheck:
    reason = unavailable_reason(torch.device("cuda"))
    if reason is not None:
        return DeviceCheck(".cuda()", reason, None)
    moved = made.cuda()
    return DeviceCheck(".cuda()", str(moved.device), moved.device.type == "cuda")


def _switched(device: torch.device) -> torch.Tensor:
    """Create data and model under one setting, and use both.

    Not by torch.set_default_device: once set, be it to the CPU, it makes every later
    call of torch slower in this process.
    """
    with device:
        output: torch.Tensor = softmaxR()(torch.ones(1, 2))
    return output


def _refused(
    name: str,
    operation: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    device: torch.device,
) -> DeviceCheck:
    """Mix two devices; where there is no second one, the CPU and `meta`."""
    other = torch.device("meta") if device.type == "cpu" else device
    shape = (2,) if name == "torch.dot" else (2, 2)
    what = f"{name}({other} tensor, cpu tensor)"
    try:
        operation(torch.ones(shape, device=other), torch.ones(shape))
    except RuntimeError as error:
        return DeviceCheck(what, str(error).splitlines()[0], True, error=True)
    return DeviceCheck(what, "no error", False, error=True)
