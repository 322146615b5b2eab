"""Forked workers are what spawned ones are: environment, threads, and how they end."""

import json
import os
import sys
from typing import ClassVar

import psutil
import pytest
from children import gone, newest_reaper

from crossover.command.ahead import load_torch
from crossover.measure.nursery import nurseries
from crossover.measure.pipe import Close, Closed, Describe, Reply, Request
from crossover.measure.process import WorkerProcess

pytestmark = [
    pytest.mark.usefixtures("left_over"),
    pytest.mark.unix_way("no worker is forked"),
    pytest.mark.skipif(sys.platform != "linux", reason="workers are spawned here"),
]


class Told(Reply):
    """What a worker tells of itself."""

    environment: dict[str, str]
    session: int
    folder: str
    pipes: list[str]
    argv: list[str]


class Tell(Request[Told]):
    """Ask a worker to tell of itself."""

    good: ClassVar = Told
    op: str = "tell"


def told(module, threads):
    """Return what a worker tells of itself, and of its reaper the process id."""
    worker = WorkerProcess(threads, module)
    reply = worker.ask(Tell(), 20)
    reaper = newest_reaper().pid
    worker.stop()
    return reply, reaper


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_it_has_the_environment_of_a_spawned_one(monkeypatch, threads):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")  # is ours to set
    spawned, _ = told("telling_worker", threads)
    with nurseries():
        forked, reaper = told("telling_worker", threads)
    marks = [one.environment.pop("CROSSOVER_WORKER") for one in (spawned, forked)]
    assert marks[0] != marks[1]
    assert forked.environment == spawned.environment
    assert forked.session == reaper
    assert (forked.folder, forked.pipes) == (spawned.folder, spawned.pipes)
    given = "--nursery"
    assert [a for a in forked.argv if a != given] == spawned.argv


@pytest.mark.slow
def test_its_pools_of_threads_are_those_of_a_spawned_one():
    def pools(threads):
        worker = WorkerProcess(threads)
        try:
            found = worker.ask(Describe(devices=()), 120).threads
        finally:
            worker.stop()
        found["pools"] = sorted(found["pools"], key=json.dumps)
        return found

    known = [None, 2]
    spawned = {threads: pools(threads) for threads in known}
    with nurseries():
        assert {threads: pools(threads) for threads in known} == spawned


def nurseries_below():
    """Return the processes that load for others; a forked reaper is below one."""
    below = psutil.Process().children()
    return [p for p in below if "--nursery" in p.cmdline()]


def nursery():
    """Return the only process that loads for others."""
    (found,) = nurseries_below()
    return found


def test_one_nursery_loads_for_all_and_ends_with_the_block():
    with nurseries():
        workers = [WorkerProcess(n, "telling_worker") for n in (1, 2, 1, None)]
        assert [w.ask(Tell(), 20).status for w in workers] == ["ok"] * 4
        below = [process.pid for process in nursery().children()]
        assert len(below) == 4
        for worker in workers:
            worker.stop()
        assert gone(below)
        loaded = nursery().pid
        with nurseries():
            pass
        assert gone([loaded])
        told("telling_worker", 1)
        loaded = nursery().pid
    assert gone([loaded])
    worker = WorkerProcess(1, "telling_worker")
    assert worker.ask(Close(), 20) == Closed()
    assert nurseries_below() == []
    worker.stop()


def test_a_nursery_that_was_begun_ahead_is_the_one_that_workers_come_from():
    load_torch([], is_elsewhere=False)
    assert nurseries_below() == []  # nobody would end it
    with nurseries():
        load_torch([], is_elsewhere=False)
        begun = nursery().pid
        worker = WorkerProcess(1)
        assert worker.ask(Close(), 60) == Closed()
        assert [process.pid for process in nurseries_below()] == [begun]
        worker.stop()
    assert gone([begun])


def test_another_environment_has_another_nursery(monkeypatch):
    with nurseries():
        for value in ("one", "other"):
            monkeypatch.setenv("MALLOC_ARENA_MAX", value)
            reply, _ = told("telling_worker", 1)
            assert reply.environment["MALLOC_ARENA_MAX"] == value
        assert len(nurseries_below()) == 2


def test_workers_outlive_their_nursery_and_the_next_ones_are_spawned():
    with nurseries():
        first = WorkerProcess(1, "telling_worker")
        assert first.ask(Close(), 20) == Closed()
        nursery().kill()
        second = WorkerProcess(1, "telling_worker")
        assert second.ask(Close(), 20) == Closed()
        assert first.ask(Close(), 20) == Closed()
        first.stop()
        assert newest_reaper().ppid() == os.getpid()
        second.stop()


@pytest.mark.parametrize(
    "module",
    [
        "threading_worker",
        "never_heard_of",
        pytest.param("kill.stuck_import", marks=pytest.mark.slow),
    ],
)
def test_a_module_that_cannot_be_forked_from_ends_as_it_would_spawned(module):
    def ended():
        worker = WorkerProcess(1, module)
        reply = worker.ask(Close(), 3)
        worker.stop()
        return reply

    alone = ended()
    with nurseries():
        assert [ended(), ended()] == [alone, alone]
    how = {
        "threading_worker": "ok",
        "never_heard_of": "crashed",
        "kill.stuck_import": "timeout",
    }
    assert alone.status == how[module]
