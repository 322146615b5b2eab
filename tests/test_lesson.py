"""The lesson's functions and numbers, as library code."""

import random

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from softmax_core import experiments, experiments_worked, lesson
from softmax_core.device import unavailable_reason

EXACT = 5.1e-5
"""Half of the fourth decimal, and float32's rounding."""


def close(*numbers, rel=0.0):
    return pytest.approx(numbers, abs=0 if rel else EXACT, rel=rel or None)


@pytest.fixture(scope="module")
def worked():
    return experiments_worked.worked_examples()


@pytest.mark.parametrize(
    ("what", "published"),
    [
        ("data [6, 2] with bias, row 1", close(-6.0141, -4.9911, 1)),
        ("data [6, 2] with bias, row 2", close(-4.6593, -6.7657, 1)),
        ("data [6, 2] with bias, row 3", close(-5.9395, -5.2347, 1)),
        ("data [6, 2] with bias, last row", close(4.9705, 3.1236, 1)),
        ("data [6, 4], row 1", close(-6.0282, -3.9822)),
        ("X @ w, row 1", close(-8.9733, -18.9785, -28.9837)),
        ("softmax, row 1", close(0.99995, 4.5163e-05, 2.0398e-09, rel=5e-5)),
        ("softmax, row 8", close(0.98594, 1.3869e-02, 1.9509e-04, rel=5e-5)),
        ("cross-entropy of two rows, three ways", close(0.7136, 0.7136, 0.7136)),
        ("cross-entropy of ten rows, two ways", close(0.0021, 0.0021)),
    ],
)
def test_worked_examples_are_the_lesson_s(worked, what, published):
    assert worked[what] == published


def test_softmax_is_torch_s(worked):
    assert worked["softmax less F.softmax, at most"][0] < 1e-6


def test_softmax_against_max_meet_away_from_0():
    k, hinge, soft = experiments_worked.softmax_against_max()
    assert (k[0], k[-1], len(k)) == (-10, 9, 20)
    assert hinge == [max(value, 0) for value in k]
    assert soft[10] == pytest.approx(np.log(2))
    assert soft == pytest.approx([np.log1p(np.exp(value)) for value in k], rel=1e-5)


def test_tensorgencla_draws_from_the_global_generator():
    torch.manual_seed(1)
    features, labels = lesson.tensorGenCla(4, 3, 2, [4, 2], bias=True)
    torch.manual_seed(1)
    first = torch.normal(-2.0, 2.0, (4, 3))
    assert torch.equal(features[:4, :3], first)
    assert torch.equal(features[:, 3], torch.ones(8))
    assert labels.flatten().tolist() == [0] * 4 + [1] * 4
    assert (labels.shape, labels.dtype) == ((8, 1), torch.int64)


def test_data_iter_gives_each_row_once_with_its_label():
    X = torch.arange(23.0).reshape(-1, 1)
    random.seed(0)
    batches = lesson.data_iter(10, X, 2 * X)
    assert [len(x) for x, _ in batches] == [10, 10, 3]
    seen = torch.cat([x for x, _ in batches])
    assert torch.equal(torch.cat([y for _, y in batches]), 2 * seen)
    assert not torch.equal(seen, X)
    assert torch.equal(seen.sort(dim=0).values, X)


def naive_softmax(logits):
    return logits.exp() / logits.exp().sum(1, keepdim=True)


def test_equal_to_the_lesson_s_forms_where_those_are_finite():
    torch.manual_seed(0)
    X, w = torch.randn(50, 3), torch.randn(3, 4)
    y = torch.randint(4, (50, 1))
    soft = lesson.softmax(X, w)
    torch.testing.assert_close(soft, naive_softmax(X @ w))
    by_hand = -soft.gather(1, y).prod().log() / 50
    torch.testing.assert_close(lesson.m_cross_entropy(soft[:9], y[:9]), -(
        soft[:9].gather(1, y[:9]).prod().log() / 9
    ))  # fmt: skip
    assert not by_hand.isfinite() or by_hand > 0
    right = (soft.argmax(1) == y.flatten()).sum() / 50
    assert float(lesson.m_accuracy(soft, y)) == pytest.approx(float(right))


def test_binary_functions():
    X = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 0.0], [3.0, -4.0]])
    w = torch.tensor([[0.5], [1.0]])
    y = torch.tensor([[1], [0], [1], [1]])
    z = X @ w
    sigma = lesson.logistic(X, w)
    torch.testing.assert_close(sigma, 1 / (1 + torch.exp(-z)))
    assert lesson.cal(sigma).flatten().tolist() == [1, 1, 1, 0]
    assert lesson.cal(sigma, p=0.9).flatten().tolist() == [1, 0, 0, 0]
    assert float(lesson.accuracy(sigma, y)) == 0.5
    assert float(lesson.acc_zhat(z, y)) == 0.5
    torch.testing.assert_close(
        lesson.cross_entropy(sigma, y), F.binary_cross_entropy(sigma, y.float())
    )


def test_sgd_steps_and_zeroes_the_gradient():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    (w**2).sum().backward()
    lesson.sgd(w, 0.1)
    assert w.tolist() == pytest.approx([0.8, 1.6])
    assert w.grad.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stable_at_large_logits(dtype):
    w = torch.eye(3, dtype=dtype, requires_grad=True)
    X = torch.tensor([[1e4, -1e4, 0], [0, 1e4, 1e4], [-1e4] * 3], dtype=dtype)
    y = torch.tensor([[0], [1], [2]])
    assert naive_softmax(X @ w).isnan().any()
    soft = lesson.softmax(X, w)
    torch.testing.assert_close(soft, F.softmax(X @ w, 1))
    loss = lesson.m_cross_entropy(soft, y)
    torch.testing.assert_close(loss, F.cross_entropy(X @ w, y.flatten()))
    loss.backward()
    theirs = torch.eye(3, dtype=dtype, requires_grad=True)
    F.cross_entropy(X @ theirs, y.flatten()).backward()
    torch.testing.assert_close(w.grad, theirs.grad)


def test_a_class_given_no_probability_costs_much_but_is_finite():
    w = torch.eye(3, requires_grad=True)
    wrong = torch.tensor([[1]])
    loss = lesson.m_cross_entropy(lesson.softmax(torch.tensor([[1e4, 0, 0]]), w), wrong)
    loss.backward()
    assert 80 < loss.item() < 110
    assert w.grad.isfinite().all()
    sure = lesson.sigmoid(torch.tensor([[1e4], [-1e4]]))
    assert sure.flatten().tolist() == [1, 0]
    assert float(lesson.cross_entropy(sure, torch.tensor([[1], [0]]))) == 0
    assert 80 < float(lesson.cross_entropy(sure, torch.tensor([[0], [1]]))) < 110


@pytest.mark.parametrize(
    "mixed",
    [
        lambda here, there: lesson.softmax(there, here),
        lambda here, there: lesson.logistic(there, here),
        lambda here, there: lesson.m_cross_entropy(there, here.long()),
        lesson.m_accuracy,
        lambda here, there: lesson.accuracy(there, here),
        lambda here, there: lesson.cross_entropy(there, here),
        lambda here, there: lesson.acc_zhat(there, here),
        lambda here, there: lesson.data_iter(1, here, there),
        lambda here, there: lesson.fit(
            lesson.softmaxR(), torch.nn.CrossEntropyLoss(), None, [(there, here)], 1
        ),
    ],
)
def test_mixed_devices_are_named(mixed):
    with pytest.raises(RuntimeError, match="same device") as caught:
        mixed(torch.ones(2, 2), torch.ones(2, 2, device="meta"))
    assert "meta" in str(caught.value)
    assert "cpu" in str(caught.value)


def test_a_polynomial_of_higher_degree_has_lower_loss_and_is_no_better():
    fits = experiments_worked.polynomial_fits()
    losses = [fit.loss for fit, _ in fits.values()]
    errors = [error for _, error in fits.values()]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == len(losses)
    assert errors[-1] > 5 * min(errors)
    x, y = experiments_worked.noisy_roots()
    assert lesson.polynomial_fit(x, y, 3).fitted == pytest.approx(
        np.polyval(np.polyfit(x, y, 3), x)
    )
    with pytest.raises(ValueError, match=r"deg = 20: must be in \[0, 19\]"):
        lesson.polynomial_fit(x, y, 20)


def test_experiments_start_where_the_lesson_s_do():
    assert experiments.rounds("hard", count=2) == pytest.approx(
        [0.1420, 0.7607], abs=0.02
    )
    assert experiments.rounds("hard", count=1) == [pytest.approx(0.1420, abs=EXACT)]
    by_rounds = experiments.rounds("convergence", count=1)
    assert by_rounds == [pytest.approx(0.4473, abs=EXACT)]
    # The first shuffle is not seeded in the lesson: over 46 shuffles .813 to .831.
    by_hand = experiments.manual()
    assert by_hand == pytest.approx([0.8207, 0.9427, 0.9567], abs=0.02)
    assert experiments.manual() == by_hand


def test_library_s_training_as_torch_2_13_gives_it():
    loss, accuracy = experiments.library()
    assert loss == pytest.approx(0.1799, abs=2e-3)
    assert accuracy == pytest.approx(0.957, abs=2e-3)


def test_starts_differ_and_all_get_there():
    seen = []
    curves = experiments.starts("inits", models=2, epochs=3, seen=seen.append)
    assert seen == [1] * 6
    assert curves[0] != curves[1]
    assert min(curve[-1] for curve in curves) > 0.9
    curves = experiments.starts("hard-inits", models=2, epochs=2)
    assert curves[0] != curves[1]


def test_device_check_says_what_came_of_it():
    found = experiments_worked.device_check("cpu:0")
    assert torch._C._len_torch_function_stack() == 0  # a mode would slow all calls
    checks = {check.what: check for check in found}
    assert checks[".to(device)"].ok
    assert all(check.ok is not False for check in checks.values())
    assert "meta" in checks["torch.dot(meta tensor, cpu tensor)"].found
    assert "meta" in checks["softmax(meta tensor, cpu tensor)"].found
    if unavailable_reason(torch.device("cuda")):
        assert checks[".cuda()"].ok is None
        assert checks[".cuda()"].found != ""
