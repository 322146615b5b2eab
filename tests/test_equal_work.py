"""Every trainer does the same arithmetic on the same batches (DESIGN §4)."""

import pytest
import torch

from softmax_core import (
    TOLERANCE,
    Case,
    disagreement,
    evaluate,
    get_trainer,
    make_data,
    reference_weights,
)
from softmax_core.reference import verified_case
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
    Case(70, 1000, 2, 16, momentum=0.9, learning_rate=1e-3, dispersion=(0.1, 2.0)),
    Case(230, 3, 100, 50, 2, 1e-4, 0.9, (1.0, 2.0), "float64"),
    Case(samples=2500, batch_size=1100, momentum=0.5),
]


def trained(case, trainer):
    data = make_data(case)
    session = get_trainer(trainer).prepare(case, data, drawn_on="cpu")
    session.train(case.epochs)
    session.synchronize()
    weights = session.weights()
    return session, weights, evaluate(*weights, data)


@pytest.mark.parametrize("trainer", sorted(TRAINERS))
@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights_and_loss_equal_the_closed_form(case, trainer):
    data = make_data(case)
    W, b = reference_weights(case, data)
    expected_loss, _ = evaluate(W, b, data)
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


def by_autograd(case):
    """The reference's oracle: torch's own cross-entropy and SGD in float64."""
    from softmax_core import BatchOrder, initial_weights

    data = make_data(case)
    W, b = (t.double().requires_grad_() for t in initial_weights(case))
    optimizer = torch.optim.SGD([W, b], case.learning_rate, case.momentum)
    order = BatchOrder(case, torch.device("cpu"), "cpu")
    for _ in range(case.epochs):
        for rows in order.next_epoch().split(case.batch_size):
            optimizer.zero_grad()
            logits = data.X[rows].double() @ W + b
            torch.nn.functional.cross_entropy(logits, data.y[rows]).backward()
            optimizer.step()
    return W.detach(), b.detach()


def test_the_reference_is_torchs_own_training():
    case = Case(samples=103, momentum=0.5, classes=4, features=3)
    for got, right in zip(
        reference_weights(case, make_data(case)), by_autograd(case), strict=True
    ):
        torch.testing.assert_close(got, right, rtol=1e-12, atol=1e-12)


def test_verification_keeps_the_short_last_batch_and_stays_small():
    small = verified_case(Case(samples=300_007, batch_size=100, epochs=1830))
    assert (small.samples, small.epochs) == (807, 2)
    assert verified_case(Case(samples=50, batch_size=60_000)).samples == 50
    assert verified_case(Case(samples=1500, batch_size=1)).samples == 8


class Wrong:
    """A trainer with one fault: what verification is there to notice."""

    def __init__(self, fault):
        self.fault = fault

    def prepare(self, case, data, device="cpu", threads=None, drawn_on=None):
        session = get_trainer("resident").prepare(case, data, device, threads, drawn_on)
        if self.fault == "drops the short last batch":
            full = [b for b in session._batches if len(b[0]) == case.batch_size]
            session._batches = full
        elif self.fault == "forgets the momentum":
            session.optimizer.param_groups[0]["momentum"] = 0.0
        elif self.fault == "skips a shuffle":
            session.order.next_epoch()
        elif self.fault == "not a number":
            with torch.no_grad():
                session.model.linear.bias[0] = float("nan")
        return session


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        ("drops the short last batch", 1e-3),
        ("forgets the momentum", 1e-3),
        ("skips a shuffle", 1e-3),
        ("not a number", float("inf")),
    ],
)
def test_verification_notices(fault, least):
    case = Case(samples=103, momentum=0.5)
    assert disagreement(get_trainer("resident"), case) <= TOLERANCE["float32"]
    assert disagreement(Wrong(fault), case) >= least
