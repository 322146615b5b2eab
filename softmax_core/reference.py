"""The reference weights: training by the closed-form gradient in float64 on the CPU.

It is slow and plain on purpose. `disagreement` verifies equal work: it compares a
trainer with the reference over a few steps of the same case, which include the short
last batch and a second epoch.
"""

import dataclasses

import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import BatchOrder, Data, initial_weights, make_data
from softmax_core.training import Trainer

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
"""A trainer's weights may differ by this share of the largest weight, by dtype."""
VERIFIED_BATCHES = 8
"""Full batches that are verified: one call of `compiled`. If the case's batches are no
multiple of it, one more is: `compiled` takes the remainder in another way."""
VERIFIED_EPOCHS = 2
"""Most epochs that are verified."""


def reference_weights(case: Case, data: Data) -> tuple[Tensor, Tensor]:
    """Train by the closed-form gradient and return float64 W and b.

    The gradient of the mean cross-entropy is X' (P - Y) / n, X with a column of
    ones, P the softmax of its logits, Y one-hot.
    """
    X = torch.cat([data.X, torch.ones_like(data.X[:, :1])], dim=1).double()
    Y = torch.nn.functional.one_hot(data.y, case.classes).double()
    W, b = initial_weights(case)
    w = torch.cat([W, b.reshape(1, -1)]).double()
    velocity = torch.zeros_like(w)
    order = BatchOrder(case, torch.device("cpu"), "cpu")
    for _ in range(case.epochs):
        for rows in torch.split(order.next_epoch(), case.batch_size):
            P = torch.softmax(X[rows] @ w, dim=1)
            gradient = X[rows].T @ (P - Y[rows]) / len(rows)
            velocity = case.momentum * velocity + gradient
            w = w - case.learning_rate * velocity
    return w[:-1], w[-1]


def verified_case(case: Case) -> Case:
    """Return the case cut to a few batches; its short last batch is kept."""
    batch = min(case.batch_size, case.samples)
    full, short = divmod(case.samples, batch)
    batches = VERIFIED_BATCHES + (full % VERIFIED_BATCHES > 0)
    samples = min(case.samples, batches * batch + short)
    return dataclasses.replace(
        case,
        samples=max(samples, case.classes),
        epochs=min(case.epochs, VERIFIED_EPOCHS),
    )


def disagreement(
    trainer: Trainer,
    case: Case,
    device: torch.device | str = "cpu",
    threads: int | None = None,
) -> float:
    """Return how far a trainer's weights end from the reference's.

    The distance is the largest difference as a share of the largest weight; it is
    infinite when a weight is not finite. Up to `TOLERANCE[case.dtype]` is equal work.
    """
    small = verified_case(case)
    data = make_data(small)
    session = trainer.prepare(small, data, device, threads, drawn_on="cpu")
    session.train(small.epochs)
    got = torch.cat([t.reshape(-1) for t in session.weights()]).double()
    right = torch.cat([t.reshape(-1) for t in reference_weights(small, data)])
    if not bool(torch.isfinite(got).all()):
        return float("inf")
    return float((got - right).abs().max() / right.abs().max())
