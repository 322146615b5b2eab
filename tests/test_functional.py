"""The mathematics against torch's own, on ordinary and on extreme logits."""

import pytest
import torch
from torch.nn import functional as F

from softmax_core import functional
from softmax_core.case import stable_learning_rate


def logits(scale, dtype):
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(64, 7, generator=generator, dtype=torch.float64) * scale
    return z.to(dtype), torch.randint(0, 7, (64,), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 1e-4, 100.0, 1e4])
def test_softmax_and_cross_entropy_equal_torchs(scale, dtype):
    z, y = logits(scale, dtype)
    close = {"rtol": 1e-5 if dtype == torch.float32 else 1e-12, "atol": 1e-30}
    torch.testing.assert_close(functional.softmax(z), F.softmax(z, 1), **close)
    close["atol"] = 1e-6
    torch.testing.assert_close(functional.log_softmax(z), F.log_softmax(z, 1), **close)
    torch.testing.assert_close(
        functional.cross_entropy(z, y), F.cross_entropy(z, y), **close
    )


def test_extreme_logits_stay_finite_and_so_does_the_gradient():
    z = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = functional.cross_entropy(z, torch.tensor([1]))
    loss.backward()
    assert float(loss.detach()) == 2e4
    assert z.grad.tolist() == [[1.0, -1.0, 0.0]]


def test_accuracy_is_the_share_of_right_rows():
    scores = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    assert functional.accuracy(scores, torch.tensor([0, 1, 1, 1])) == 0.75
    assert functional.accuracy(scores, torch.tensor([[0], [1], [1], [1]])) == 0.75


def test_sgd_with_momentum_is_torchs():
    mine = torch.tensor([1.0, -2.0], requires_grad=True)
    theirs = mine.detach().clone().requires_grad_()
    optimizer = torch.optim.SGD([theirs], lr=0.1, momentum=0.9)
    velocities = [torch.zeros(2)]
    for _ in range(5):
        (mine**2).sum().backward()
        functional.sgd_step([mine], 0.1, 0.9, velocities)
        optimizer.zero_grad()
        (theirs**2).sum().backward()
        optimizer.step()
    torch.testing.assert_close(mine, theirs)
    assert mine.grad.tolist() == [0.0, 0.0]


def test_the_stable_learning_rate_is_near_one_over_the_curvature():
    """L <= half the largest eigenvalue of X'X / n, measured on the data itself."""
    from softmax_core import Case, make_data

    case = Case(samples=2000, features=784, classes=10, dispersion=(0.5, 2.0))
    X = make_data(case).X.double()
    curvature = 0.5 * float(torch.linalg.eigvalsh(X.T @ X / len(X))[-1])
    rate = stable_learning_rate(784, 10, (0.5, 2.0))
    assert 0.3 < rate * curvature < 1.5
