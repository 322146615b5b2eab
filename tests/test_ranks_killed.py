"""Ranks that are killed under a worker, and at any moment: a row, and nothing left."""

import os
import random
import signal
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from children import gone, newest_reaper
from ranks import LONG, prepared, soon

from crossover.measure.pipe import Ended, Open, Sample
from crossover.measure.process import WorkerProcess
from softmax_core.trainers.ranks import ranks
from softmax_core.training import RankLost

REQUEST = Open(
    workload="softmax", case=asdict(replace(LONG, epochs=300)), device="cpu",
    trainer="data_parallel", threads=1, ranks=2, longest_s=2.0,
)  # fmt: skip


def ranks_of(keeper):
    return [
        p.pid
        for p in keeper.children(recursive=True)
        if "spawn_main" in " ".join(p.cmdline())
    ]


@pytest.fixture
def worker():
    process = WorkerProcess(threads=1)
    yield process
    process.stop()


@pytest.mark.slow
def test_a_worker_records_a_lost_rank(worker):
    opened = worker.ask(REQUEST, 60)
    assert (opened.status, opened.threads) == ("ok", 1)
    assert (opened.launches_per_step, opened.notes[:13]) == (10, "2 ranks, gloo")
    pids = ranks_of(newest_reaper())
    assert len(pids) == 1
    assert opened.peak_bytes > peak(newest_reaper().pid) + 50 * 2**20
    soon(lambda: os.kill(pids[0], signal.SIGKILL))
    lost = worker.ask(Sample(), 60)
    notes = "RankLost: rank 1 was ended by SIGKILL"
    assert lost == Ended(status="crashed", notes=notes)
    assert gone(pids)


@pytest.mark.torture
def test_a_worker_starts_ranks_anew_and_takes_them_along(worker):
    """Not even killed alone, without its group, does it leave one."""
    worker.ask(REQUEST, 60)
    first = ranks_of(newest_reaper())
    os.kill(first[0], signal.SIGKILL)
    assert worker.ask(Sample(), 60).status == "crashed"
    assert worker.ask(REQUEST, 60).status == "ok"
    second = ranks_of(newest_reaper())
    assert first != second
    soon(lambda: os.kill(newest_reaper().pid, signal.SIGKILL))
    assert worker.ask(Sample(), 60).status == "crashed"
    assert gone([*first, *second])


def peak(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(s for s in lines if s.startswith("VmHWM")).split()[1])


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(20))
def test_ranks_killed_at_any_moment_leave_nothing(seed, monkeypatch):
    rng = random.Random(seed)
    monkeypatch.setattr(ranks, "_crews", {})
    session = prepared(3, LONG)
    pid = rng.choice(session.processes)
    timer = soon(lambda: os.kill(pid, signal.SIGKILL), rng.random())

    def train():
        for _ in range(LONG.epochs):
            session.reset()
            session.train(1)
            session.weights()

    with pytest.raises(RankLost, match="was ended by SIGKILL"):
        train()
    timer.join()
    assert gone(session.processes)
