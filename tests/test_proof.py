"""The label is what ran: threads, ranks and trainers that are not are found."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import torch
from test_compiled import SMALL, needs_compiler
from test_graphed import prepared

from crossover.measure import sampler as sampling
from crossover.measure.pipe import Ended, Open
from crossover.measure.process import WorkerProcess
from crossover.measure.sampler import Sampler
from crossover.proof.at_work import threads_at_work
from crossover.proof.label import (
    NotAsLabelled,
    prove_own_threads,
    proving_ranks,
)
from crossover.workloads.softmax import SOFTMAX
from softmax_core import Case, make_data
from softmax_core.trainers.compiled import CompiledTrainer
from softmax_core.trainers.fused.team import team

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
needs_two = pytest.mark.skipif(len(CORES) < 2, reason="two cores, on Linux")
PROVE = """
import sys, torch
from crossover.proof.label import NotAsLabelled, prove_threads
try:
    prove_threads(int(sys.argv[1]))
except NotAsLabelled as error:
    print(error)
"""
ONE_CORE = "2 threads had 1 core to run on"


def proved(threads, **environment):
    """Return what is wrong with the threads of a process; "" if nothing is."""
    done = subprocess.run(
        [sys.executable, "-c", PROVE, str(threads)],
        env={**os.environ, "OMP_NUM_THREADS": str(threads), **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@contextmanager
def busy(core):
    """Keep another program on a core."""
    code = f"import os; os.sched_setaffinity(0, {{{core}}})\nprint(flush=True)\n"
    with subprocess.Popen(
        [sys.executable, "-c", code + "while True: pass"], stdout=subprocess.PIPE
    ) as burner:
        burner.stdout.readline()
        yield
        burner.kill()


@needs_two
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_threads_that_work_are_proved(threads):
    assert proved(threads) == ""


@needs_two
@pytest.mark.slow
def test_threads_that_wait_for_a_core_that_another_program_uses_are_threads():
    with busy(CORES[0]):
        assert proved(2) == ""


@needs_two
@pytest.mark.unix_way("nobody tells which threads work")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"OMP_THREAD_LIMIT": "1"}, "1 thread worked; must be 2"),
        ({"OMP_PLACES": f"{{{CORES[0] if CORES else 0}}}"}, ONE_CORE),
        pytest.param(
            {"GOMP_CPU_AFFINITY": str(CORES[0] if CORES else 0)},
            ONE_CORE,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"OMP_DYNAMIC": "true", "OMP_THREAD_LIMIT": "1"},
            "1 thread worked; must be 2",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"OMP_NUM_THREADS": "1"},
            "torch has 1 thread; must have 2",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_setting_that_takes_threads_or_cores_away_is_found(changed, said):
    assert proved(2, OMP_PROC_BIND="true", **changed) == said


@needs_two
def test_more_threads_than_the_label_says_are_found():
    assert proved(1, OMP_NUM_THREADS="2") == "torch has 2 threads; must have 1"


@needs_two
@pytest.mark.slow
def test_none_of_them_reaches_a_worker_whose_cell_opens(monkeypatch):
    for name in ("OMP_THREAD_LIMIT", "MKL_NUM_THREADS", "NUMBA_DISABLE_JIT"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("OMP_PLACES", f"{{{CORES[0]}}}")
    assert opened_by_worker("resident").threads == 2


def opened_by_worker(trainer, module="crossover.measure.worker"):
    worker, threads = WorkerProcess(2, module), 2
    request = Open(
        workload="softmax", case=dict(SOFTMAX.case().values), device="cpu",
        trainer=trainer, threads=threads, longest_s=0.2,
    )  # fmt: skip
    try:
        return worker.ask(request, 120)
    finally:
        worker.stop()


@needs_two
@pytest.mark.slow
def test_a_cell_whose_threads_are_not_those_of_its_label_fails(left_over):
    found = opened_by_worker("resident", "bound_worker")
    assert isinstance(found, Ended)
    assert (found.status, found.notes) == ("failed", f"NotAsLabelled: {ONE_CORE}")
    assert left_over() == []


def test_a_thread_that_sleeps_does_not_work():
    begun, ended = threading.Event(), threading.Event()
    sleeper = threading.Thread(target=lambda: (begun.set(), ended.wait()))
    sleeper.start()
    begun.wait()
    time.sleep(0.1)
    found = threads_at_work(lambda: sum(range(100_000)))
    ended.set()
    sleeper.join()
    assert found is None or threading.get_native_id() in found
    assert found is None or sleeper.native_id not in found


def spun(threads):
    """Return what keeps that many threads at work for some milliseconds."""

    def work(_):
        end = time.thread_time() + 0.003
        while time.thread_time() < end:
            pass

    return lambda: team(threads).run(work)


@needs_two
@pytest.mark.unix_way("nobody tells which threads work")
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_implementation_trains_with_as_many_threads_as_it_says(threads):
    prove_own_threads(threads, 3, spun(threads))
    prove_own_threads(None, 1, spun(threads))
    for said in {1, 2, 3} - {threads}:
        with pytest.raises(
            NotAsLabelled, match=f"worked; must be {said}, as its notes"
        ):
            prove_own_threads(said, None, spun(threads))


def test_an_implementation_takes_no_more_threads_than_the_label_has():
    with pytest.raises(NotAsLabelled, match="2 threads train; must be at most 1"):
        prove_own_threads(2, 1, spun(2))


@pytest.mark.unix_way("nobody tells which threads work")
def test_a_rank_that_does_not_work_is_named():
    code = "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as idle:
        idle.stdout.readline()
        time.sleep(0.5)  # it is asleep by then
        with (
            pytest.raises(NotAsLabelled, match="rank 1 did no work"),
            proving_ranks([str(idle.pid)]),
        ):
            pass


@needs_compiler
def test_steps_that_are_not_compiled_do_not_train():
    with (
        torch.compiler.set_stance("force_eager"),
        pytest.raises(RuntimeError, match=r"torch\.compile left the steps to Python"),
    ):
        CompiledTrainer().prepare(SMALL, make_data(SMALL))


@pytest.mark.parametrize("is_replayed", [True, False])
def test_a_graph_is_proved_by_weights_that_no_operator_changed(is_replayed):
    session, _ = prepared(Case())
    replayed = session.w.numpy()

    def replay():
        replayed[:] += 1.0  # below torch

    session._replays = [replay] if is_replayed else session._replays
    if is_replayed:
        session.prove()
        return
    with pytest.raises(RuntimeError, match="no graph was replayed"):
        session.prove()
    session._replays = [lambda: None]
    with pytest.raises(RuntimeError, match="no graph was replayed"):
        session.prove()


def test_a_session_that_cannot_prove_its_name_is_not_measured(monkeypatch):
    class Job:
        def session(self, *_):
            return Unproved()

    class Unproved:
        notes, processes, items = "", (), None

        def __getattr__(self, name):
            return lambda *_: (None, None)

        def prove(self):
            raise RuntimeError("not what it is called")

    monkeypatch.setattr(sampling, "definition", lambda name: Job())
    with pytest.raises(RuntimeError, match="not what it is called"):
        Sampler(SOFTMAX.case(), "x", torch.device("cpu"), None, 0.0, 0.1)
