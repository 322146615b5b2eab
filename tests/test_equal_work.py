"""Every trainer does the same arithmetic on the same batches (DESIGN §4)."""

import functools

import pytest
import torch

from softmax_core import (
    TOLERANCE,
    BatchOrder,
    Case,
    disagreement,
    evaluate,
    get_trainer,
    initial_weights,
    make_data,
    reference_weights,
)
from softmax_core.device import accelerators
from softmax_core.reference import verified_case
from softmax_core.registry import TRAINERS

CASES = {
    "the lesson's": Case(),
    "short last batch": Case(103, epochs=4),
    "momentum": Case(150, momentum=0.9, learning_rate=0.01),
    "short last batch, momentum": Case(103, momentum=0.5, learning_rate=0.01),
    "batches of one, float64": Case(60, batch_size=1, momentum=0.3, dtype="float64"),
    "full batch": Case(300, batch_size=300, epochs=5),
    "batch larger than the data": Case(250, batch_size=300, epochs=5),
    "large batches": Case(2500, batch_size=1100, momentum=0.5),
    "one feature": Case(93, features=1, momentum=0.5),
    "5 classes": Case(205, 7, 5, 32),
    "784 features": Case(303, 784, batch_size=64, dispersion=(0.5, 2.0)),
    "1000 features, 2 classes": Case(700, 1000, 2, 512, 3, 1e-3, 0.9, (0.1, 2.0)),
    "100 classes, float64": Case(230, 3, 100, 50, 2, 1e-4, 0.9, (1.0, 2.0), "float64"),
    "1000 features, 100 classes, float64": Case(
        103, 1000, 100, 9, 2, 1e-4, 0.9, (0.1, 2.0), "float64"
    ),
}
"""Many cases for few kernels: fused compiles one for each dtype, and where features and
classes are few one for each number of both."""
CORNERS = (
    "short last batch",
    "one feature",
    "1000 features, 2 classes",
    "1000 features, 100 classes, float64",
)
"""Those that reach all that is promised."""
SLOW_TO_COMPILE = {"compiled"}
"""At 20 s or more a case: with the long tests. tests/test_compiled.py has two cases."""
RANKS = {"data_parallel": 2}
QUICK = "short last batch, momentum"
CPU = torch.device("cpu")
NONE = pytest.param(None, marks=pytest.mark.skip(reason="torch finds no accelerator"))
of_each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
of_each_trainer = pytest.mark.parametrize("trainer", sorted(TRAINERS))
on_each_accelerator = pytest.mark.parametrize("device", accelerators() or [NONE])


def pairs():
    for name in CASES:
        for trainer in sorted(TRAINERS):
            if trainer not in SLOW_TO_COMPILE:
                yield trainer, name
            elif name in (QUICK, *CORNERS):
                yield pytest.param(trainer, name, marks=pytest.mark.simulation)


def get_where_it_runs(name, device):
    """Return the trainer, or skip the test and say why."""
    if (kind := TRAINERS[name].only_on or device.type) != device.type:
        pytest.skip(f"{name} is written for {kind}, not {device.type}")
    ranks = RANKS.get(name, 1) if device.type == "cpu" else 1
    trainer = get_trainer(name, ranks)
    if reason := trainer.unavailable(device):
        pytest.skip(f"{name} on {device}: {reason}")
    return trainer


@functools.cache
def expected(case):
    data = make_data(case)
    W, b = reference_weights(case, data)
    return data, W, b, evaluate(W, b, data)[0]


def trained(case, name, device=CPU):
    trainer = get_where_it_runs(name, device)
    session = trainer.prepare(case, make_data(case), device, drawn_on="cpu")
    session.train(case.epochs)
    session.synchronize()
    return session, session.weights()


def check_weights_and_loss(case, name, device):
    _, got = trained(case, name, device)
    data, W, b, expected_loss = expected(case)
    rtol = TOLERANCE[case.dtype]
    scale = float(W.abs().max())
    for one, right in zip(got, (W, b), strict=True):
        torch.testing.assert_close(one.double(), right, rtol=rtol, atol=rtol * scale)
    loss, _ = evaluate(*got, data)
    assert loss == pytest.approx(expected_loss, rel=1e-3, abs=1e-9)


def trained_twice(name, device):
    case = CASES[QUICK]
    session, once = trained(case, name, device)
    session.reset()
    session.train(case.epochs)
    return zip(once, session.weights(), strict=True)


@pytest.mark.parametrize(("trainer", "name"), list(pairs()))
def test_weights_and_loss_equal_the_closed_form(trainer, name):
    check_weights_and_loss(CASES[name], trainer, CPU)


@pytest.mark.gpu
@of_each_trainer
@of_each_case
@on_each_accelerator
def test_they_do_on_an_accelerator(device, case, trainer):
    check_weights_and_loss(case, trainer, device)


@pytest.mark.parametrize("trainer", sorted(TRAINERS.keys() - SLOW_TO_COMPILE))
def test_reset_repeats_the_same_training(trainer):
    assert all(torch.equal(*pair) for pair in trained_twice(trainer, CPU))


@pytest.mark.gpu
@of_each_trainer
@on_each_accelerator
def test_reset_does_on_an_accelerator(device, trainer):
    """To a few roundings: there, sums may be taken in any order."""
    for once, again in trained_twice(trainer, device):
        torch.testing.assert_close(once, again, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("names", [tuple(CASES), CORNERS], ids=["all", "corners"])
def test_the_cases_reach_what_is_promised(names):
    cases = [CASES[name] for name in names]
    assert {1, 1000} <= {case.features for case in cases}
    assert {2, 100} <= {case.classes for case in cases}
    assert {case.dtype for case in cases} == set(TOLERANCE)
    short = [case for case in cases if case.samples % case.batch_size]
    assert {case.momentum > 0 for case in short} == {False, True}
    assert {case.dtype for case in short} == set(TOLERANCE)


def test_a_wrong_order_is_noticed():
    """The test above can fail: another shuffle gives other weights."""
    case = Case(samples=120)
    _, (W, _) = trained(case, "resident")
    session = get_trainer("resident").prepare(case, make_data(case))
    session.order.next_epoch()
    session.train(case.epochs)
    assert not torch.allclose(W, session.weights()[0], rtol=1e-4)


def by_autograd(case):
    """The reference's oracle: torch's own cross-entropy and SGD in float64."""
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
    assert verified_case(Case(samples=1600, batch_size=1)).samples == 8
    assert verified_case(Case(samples=1601, batch_size=1)).samples == 9


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
