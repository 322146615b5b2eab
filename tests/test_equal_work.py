"""Every trainer does the same arithmetic on the same batches (DESIGN §4)."""

import pytest
import torch

from softmax_core import Case, evaluate, get_trainer, make_data
from softmax_core.registry import TRAINERS

CASES = [
    Case(),
    Case(samples=103, batch_size=10, epochs=4),  # short last batch
    Case(samples=150, momentum=0.9, learning_rate=0.01),
    Case(samples=60, batch_size=1),
    Case(samples=300, batch_size=300, epochs=5),
    Case(samples=300, dtype="float64", momentum=0.3),
    Case(samples=90, features=1),
    Case(samples=205, classes=10, features=7, batch_size=32),
    Case(samples=300, features=784, batch_size=64, dispersion=(0.5, 2.0)),
]


def trained(case, trainer):
    data = make_data(case)
    session = get_trainer(trainer).prepare(case, data, drawn_on="cpu")
    session.train(case.epochs)
    session.synchronize()
    weights = session.weights()
    return session, weights, evaluate(*weights, data)


def reference(case):
    """Softmax regression by its closed-form gradient, in float64."""
    from softmax_core import BatchOrder, initial_weights

    data = make_data(case)
    X = torch.cat([data.X, torch.ones_like(data.X[:, :1])], 1).double()
    Y = torch.nn.functional.one_hot(data.y, case.classes).double()
    W, b = initial_weights(case)
    w = torch.cat([W, b.reshape(1, -1)]).double()
    velocity = torch.zeros_like(w)
    order = BatchOrder(case, torch.device("cpu"), "cpu")
    for _ in range(case.epochs):
        for rows in order.next_epoch().split(case.batch_size):
            P = torch.softmax(X[rows] @ w, 1)
            gradient = X[rows].T @ (P - Y[rows]) / len(rows)
            velocity = case.momentum * velocity + gradient
            w = w - case.learning_rate * velocity
    return w[:-1], w[-1]


@pytest.mark.parametrize("trainer", sorted(TRAINERS))
@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights_and_loss_equal_the_closed_form(case, trainer):
    W, b = reference(case)
    expected_loss, _ = evaluate(W, b, make_data(case))
    _, (got_W, got_b), (loss, _) = trained(case, trainer)
    rtol = 1e-10 if case.dtype == "float64" else 1e-4
    scale = float(W.abs().max())
    torch.testing.assert_close(got_W.double(), W, rtol=rtol, atol=rtol * scale)
    torch.testing.assert_close(got_b.double(), b, rtol=rtol, atol=rtol * scale)
    assert loss == pytest.approx(expected_loss, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("trainer", sorted(TRAINERS))
def test_reset_repeats_the_same_training(trainer):
    case = Case(samples=120, momentum=0.5)
    session, (W, b), _ = trained(case, trainer)
    session.reset()
    session.train(case.epochs)
    again = session.weights()
    assert torch.equal(W, again[0])
    assert torch.equal(b, again[1])


def test_a_wrong_order_is_noticed():
    """The test above can fail: another shuffle gives other weights."""
    case = Case(samples=120)
    _, (W, _), _ = trained(case, "resident")
    session = get_trainer("resident").prepare(case, make_data(case))
    session.order.next_epoch()
    session.train(case.epochs)
    assert not torch.allclose(W, session.weights()[0], rtol=1e-4)
