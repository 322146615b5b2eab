"""Kernel launches, counted without an accelerator."""

import pytest
import torch

from softmax_core import Case
from softmax_core.launches import Counter, Launches, count_launches
from softmax_core.registry import TRAINERS, Entry
from softmax_core.trainers.closed_form import step_in_place


def counted(work):
    with Counter() as counter:
        work()
    return counter.launches


X = torch.ones(6, 4)


@pytest.mark.parametrize(
    ("work", "launches"),
    [
        (lambda: X.T[:2].reshape(-1).unsqueeze(0).expand(3, 12).detach(), 1),  # a copy
        (lambda: X[1:3].view(2, 2, 2).split(1), 0),
        (lambda: torch.empty(3, 3), 0),
        (lambda: torch.zeros(3, 3), 1),
        (lambda: X + 1, 1),
        (lambda: (X @ X.T).add_(1), 2),
        (lambda: torch.softmax(X, 1), 1),
        (lambda: float(X[0, 0]), 0),
    ],
)
def test_kernels_count_and_views_do_not(work, launches):
    assert counted(work) == launches


@pytest.mark.parametrize(("momentum", "launches"), [(0.0, 4), (0.5, 5)])
def test_the_closed_form_step_is_four_or_five_launches(momentum, launches):
    case = Case(momentum=momentum)
    w, velocity = torch.zeros(3, 4), torch.zeros(3, 4)
    y = torch.zeros(6, 1, dtype=torch.long)
    assert counted(lambda: step_in_place(X, y, w, velocity, case)) == launches


class Known:
    """A trainer of three launches a step and two an epoch."""

    def prepare(self, case, data):
        self.steps, self.X = case.steps_per_epoch, data.X.clone()
        return self

    def train(self, epochs):
        for _ in range(epochs):
            self.X.add_(1).sub_(1)
            for _ in range(self.steps):
                self.X.add_(1).sub_(1).neg_()


@pytest.mark.parametrize("case", [Case(), Case(300_000, batch_size=5), Case(3, 2, 3)])
def test_steps_and_epochs_are_told_apart(case, monkeypatch):
    monkeypatch.setattr("softmax_core.launches.get_trainer", lambda _: Known())
    assert count_launches("resident", case) == Launches(3, 2, 0)


def test_an_eager_step_does_not_depend_on_the_size():
    small = count_launches("resident", Case())
    assert small == count_launches("resident", Case(300_000, 20, 10, 1000))
    assert small.per_epoch == 3  # randperm and two gathers
    momentum = count_launches("resident", Case(momentum=0.5))
    assert momentum.per_step == small.per_step + 2
    # Forward 3, backward 4 to 6, the optimizer's update of both parameters 1.
    assert 8 <= small.per_step <= 10


def test_the_lessons_own_functions_launch_more():
    steps = [
        count_launches(name, Case()).per_step
        for name in ("resident", "lesson", "manual")
    ]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize(
    ("case", "per_epoch"),
    [(Case(), 4), (Case(300_000, batch_size=5), 91), (Case(300_003, 9, 4, 5), 94)],
)
def test_a_replayed_graph_is_one_launch(case, per_epoch):
    """The shuffle, and per graph two gathers and a replay."""
    assert count_launches("graphed", case) == Launches(0, per_epoch, 0)


def test_fused_is_one_call():
    assert count_launches("fused", Case()) == Launches(0, 0, 1)


@pytest.mark.parametrize(
    ("trainer", "reason"), [("compiled", "decides"), ("elsewhere", "runs on no CPU")]
)
def test_what_cannot_be_counted_says_why(trainer, reason, monkeypatch):
    monkeypatch.setattr("softmax_core.launches.get_trainer", lambda _: Known())
    monkeypatch.setitem(TRAINERS, "elsewhere", Entry("nowhere:None", "cuda"))
    counts = count_launches(trainer, Case())
    assert (counts.per_step, counts.per_epoch, counts.per_call) == (None, None, None)
    assert reason in counts.reason


def test_an_unknown_trainer_is_refused():
    with pytest.raises(ValueError, match="trainer = 'fastest'"):
        count_launches("fastest", Case())
