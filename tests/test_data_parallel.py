"""Ranks: equal work, identical weights, and what is left when one of them dies."""

import os
import signal
import socket

import psutil
import pytest
import torch
from children import gone
from ranks import LONG, prepared, soon

from softmax_core import TOLERANCE, Case, disagreement, get_trainer, make_data
from softmax_core.device import accelerators
from softmax_core.trainers.ranks import ranks
from softmax_core.trainers.ranks.share import Place, ShareSession
from softmax_core.training import RankLost, Setup, cannot_train

CPU = torch.device("cpu")
UNEVEN = {
    "short last batch, momentum": Case(103, momentum=0.5, learning_rate=0.01),
    "batches of one": Case(60, batch_size=1, momentum=0.3, dtype="float64"),
    "a last batch of one": Case(61, batch_size=12, dtype="float64"),
    "a batch larger than the data": Case(250, batch_size=300, epochs=5),
    "784 features": Case(303, 784, batch_size=64, dispersion=(0.5, 2.0)),
}
"""Beside those of tests/test_equal_work.py, on two ranks: more than two, or none."""


@pytest.fixture(scope="module")
def three():
    """Start three ranks, which most tests share."""
    return prepared(3, UNEVEN["short last batch, momentum"])


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [0, 1, 2, 6, 7, 100])
def test_shares_are_the_batch_and_as_even_as_can_be(ranks, size):
    shares = [Place(rank, ranks).rows(10, 10 + size) for rank in range(ranks)]
    assert [row for share in shares for row in share] == list(range(10, 10 + size))
    counts = [len(share) for share in shares]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] - counts[-1] <= 1


@pytest.mark.parametrize("case", UNEVEN.values(), ids=UNEVEN)
def test_three_ranks_do_equal_work(three, case):
    trainer = get_trainer("data_parallel", 3)
    assert disagreement(trainer, case, threads=1) <= TOLERANCE[case.dtype]


class Alone:
    """Rank 0 of three, to whom the others add nothing."""

    def prepare(self, case, data, device, threads, drawn_on):
        place = Place(0, 3)
        setup = Setup(torch.device(device), threads, drawn_on)
        return ShareSession(case, data, setup, place, lambda flat: None)


def test_a_share_that_is_left_out_is_noticed():
    """The test above can fail."""
    assert disagreement(Alone(), UNEVEN["784 features"]) > 1e-3


def test_sessions_of_a_crew_do_not_disturb_each_other(three):
    case = UNEVEN["784 features"]
    other = prepared(3, case)
    assert other.processes == three.processes
    alone = get_trainer("resident").prepare(case, make_data(case), CPU, 1)
    other.reset()
    for session in (other, three, alone, other, alone):
        session.train(1)
    for got, right in zip(other.weights(), alone.weights(), strict=True):
        torch.testing.assert_close(got, right, rtol=1e-4, atol=1e-5)


def test_reset_repeats_the_same_training(three):
    three.reset()
    three.train(2)
    once = three.weights()
    three.reset()
    three.train(1)
    three.train(1)
    assert all(map(torch.equal, once, three.weights()))


def test_weights_that_differ_are_an_error(three):
    three.reset()
    with torch.no_grad():
        three.model.linear.bias[0] += 1
    with pytest.raises(RuntimeError, match="rank 1 ended with other weights than"):
        three.weights()


def test_every_rank_has_the_threads_of_the_first(three):
    answers = three._crew.prepare(UNEVEN["batches of one"], *shown(1))[1]
    assert answers == [1, 1]


def shown(threads):
    return make_data(UNEVEN["batches of one"]), threads, "cpu"


def test_sessions_that_are_dropped_are_forgotten(three):
    case = UNEVEN["784 features"]
    number = prepared(3, case)._number
    assert number in three._crew._forgotten
    prepared(3, case)
    assert number not in three._crew._forgotten


def test_nothing_but_loopback_is_listened_on(three):
    processes = [psutil.Process(pid) for pid in (os.getpid(), *three.processes)]
    listening = [
        c.laddr.ip
        for p in processes
        for c in p.net_connections("inet")
        if c.status == psutil.CONN_LISTEN and c.family != socket.AF_UNIX
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_ranks_that_cannot_be_are_unavailable_with_the_reason(monkeypatch):
    assert cannot_train("data_parallel", CPU, 2) is None
    assert "on cpu or cuda only" in cannot_train(
        "data_parallel", torch.device("mps"), 2
    )
    if not accelerators():
        cuda = cannot_train("data_parallel", torch.device("cuda"), 2)
        assert cuda == "torch was built without nccl" or "0 cuda device" in cuda
    with pytest.raises(ValueError, match="ranks are for data_parallel only"):
        get_trainer("resident", 2)


def test_a_rank_killed_at_its_start_is_named(monkeypatch):
    original = ranks.mp.start_processes

    def start(*arguments, **options):
        started = original(*arguments, **options)
        os.kill(started.pids()[0], signal.SIGKILL)
        return started

    monkeypatch.setattr(ranks, "_crews", {})
    monkeypatch.setattr(ranks.mp, "start_processes", start)
    with pytest.raises(RankLost, match="rank 1 was ended by SIGKILL"):
        prepared(2, UNEVEN["short last batch, momentum"])
    assert ranks._crews == {}


def test_ranks_end_amid_a_training_when_rank_0_is_gone(three):
    """The last of those that share it: its pipes close as those of a process do."""
    session, pids = prepared(3, LONG), three.processes
    timer = soon(lambda: [end.close() for end in three._crew._alive])
    with pytest.raises(RankLost, match=r"rank \d failed"):
        session.train(LONG.epochs)
    timer.join()
    assert gone(pids)
    for other in (session, three):
        with pytest.raises(RankLost, match=r"rank \d failed"):
            other.train(1)
