"""Real processes that really break: what is recorded, and that nothing is left."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest
from breaking import Breaking, Loaded
from children import newest_reaper
from faults import FAULTS, KILLED

from crossover.measure.nursery import nurseries
from crossover.measure.pipe import Close, Closed, Ended
from crossover.measure.process import WorkerProcess
from crossover.system.ways import is_portable

MIB = 2**20


unix_way = pytest.mark.unix_way
FORKED = pytest.param("forked", marks=unix_way("no worker is forked"))
NO_REAPER = unix_way("there is no reaper")
KEEPS_LOCK = unix_way("a worker that keeps Python's lock does not notice")


@pytest.fixture(autouse=True, params=["spawned", FORKED])
def way(request, left_over):
    """Start workers in both ways; return which it is."""
    with nurseries() if request.param == "forked" else nullcontext():
        yield request.param


def light():
    return WorkerProcess(None, "light_worker")


def broken(fault, timeout_s=20.0):
    worker = light()
    reply = worker.ask(Breaking(fault=fault), timeout_s)
    assert worker.ask(Close(), 1).notes == "worker stopped"
    return reply.status, reply.notes


REPLIES = [name for name, f in FAULTS.items() if f[2].startswith("a reply")]


ENDS = [
    pytest.param(name, marks=NO_REAPER if name == "reaper" else ())
    for name in sorted(FAULTS.keys() - REPLIES)
]


@pytest.mark.parametrize("fault", ENDS)
def test_how_a_process_ends_is_said_with_its_last_words(fault):
    _, status, said = FAULTS[fault]
    said = f"slower than 2 s: {said}" if status == "timeout" else said
    assert broken(fault, 2.0 if status == "timeout" else 20.0) == (status, said)


@pytest.mark.parametrize("fault", REPLIES)
def test_a_wrong_reply_is_a_crash_that_says_so(fault):
    status, notes = broken(fault)
    assert status == "crashed"
    assert notes.startswith(FAULTS[fault][2])


def test_a_reply_that_nobody_asked_for_is_not_taken_for_the_next():
    worker = light()
    assert worker.ask(Close(), 20) == Closed()
    # the fault writes a line, and then the worker its reply
    assert worker.ask(Loaded(fault="empty"), 20) == Closed()
    time.sleep(0.2)
    notes = worker.ask(Close(), 20).notes
    assert notes == "a reply that nobody asked for: no last words"


@unix_way("a worker that somebody stopped is not noticed")
def test_a_worker_that_is_stopped_is_not_slow():
    worker = light()
    assert worker.ask(Close(), 20) == Closed()
    (below,) = newest_reaper().children()
    below.suspend()
    reply = worker.ask(Loaded(more="x" * MIB), 0.5)
    notes = "stopped by a signal, and not done in 0.5 s: no last words"
    assert reply == Ended(status="crashed", notes=notes, was_stopped=True)


@pytest.mark.parametrize("mib", [64, pytest.param(2048, marks=pytest.mark.torture)])
def test_a_flood_takes_no_memory(monkeypatch, mib):
    monkeypatch.setenv("FAULT_MIB", str(mib))
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = psutil.Process().memory_info().rss
    assert broken("flood", 120)[1] == "exit status 9: the end of the flood"
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    assert int(peak) * 1024 - before < 16 * MIB


def until(found, seconds=20.0):
    """Wait until something is so; say what was in the end."""
    end = time.monotonic() + seconds
    while not (last := found()) and time.monotonic() < end:
        time.sleep(0.02)
    return last


MAIN = """
import sys
from contextlib import nullcontext
from breaking import Breaking
from crossover.measure.nursery import nurseries
from crossover.measure.pipe import Close
from crossover.measure.process import WorkerProcess
way = nullcontext() if sys.argv[-1] == "spawned" else nurseries()
way.__enter__()
worker = WorkerProcess(None, "light_worker")
print("up", flush=True)
worker.ask(Breaking(fault=sys.argv[1]), 3600)
"""


@KEEPS_LOCK
def test_when_the_main_process_is_killed_all_below_it_ends(left_over, way):
    main = subprocess.Popen([sys.executable, "-c", MAIN, "hang with children", way])
    # The main process, the reaper, the worker, its three; and the nursery.
    everyone = 6 + (way == "forked")
    assert until(lambda: len(left_over()) == everyone), left_over()
    main.kill()
    main.wait()
    assert until(lambda: not left_over(), 10), left_over()


@NO_REAPER
def test_a_worker_ends_whose_main_process_and_reaper_are_both_killed(left_over, way):
    main = subprocess.Popen([sys.executable, "-c", MAIN, "hang", way])
    everyone = 3 + (way == "forked")
    assert until(lambda: len(left_over()) == everyone), left_over()
    reaper = newest_reaper(main.pid)
    main.send_signal(signal.SIGSTOP)  # so that it does not end the worker itself
    reaper.kill()
    main.kill()
    main.wait()
    assert until(lambda: not left_over(), 10), left_over()


DELAYS_S = [0.0, 0.03, *(pytest.param(n / 100, marks=pytest.mark.torture)
                         for n in range(1, 40))]  # fmt: skip


@KEEPS_LOCK
@pytest.mark.parametrize("delay_s", DELAYS_S)
def test_nor_does_a_worker_stay_whose_main_process_is_killed_as_it_starts(
    left_over, way, delay_s
):
    command = [sys.executable, "-c", MAIN, "hang with children", way]
    main = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert main.stdout.readline() == b"up\n"
    time.sleep(delay_s)
    main.kill()
    main.communicate()
    assert until(lambda: not left_over(), 10), left_over()


@NO_REAPER
def test_a_reaper_that_is_told_to_end_takes_its_worker_along():
    worker = light()
    assert worker.ask(Close(), 20) == Closed()
    end = threading.Timer(0.2, os.kill, (newest_reaper().pid, signal.SIGTERM))
    end.start()
    reply = worker.ask(Breaking(fault="hang with children"), 20)
    end.join()
    assert reply.status == "crashed"
    assert reply.notes.startswith("killed by SIGTERM")


@pytest.fixture
def group(request):
    """Return a control group of this kind, or skip."""
    folder = Path("/sys/fs/cgroup") / request.param / f"crossover-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip(f"no control group of kind {request.param} can be made here")
    yield folder
    assert until(lambda: not (folder / "cgroup.procs").read_text())
    folder.rmdir()


@pytest.mark.parametrize("group", ["memory"], indirect=True)
def test_the_kernels_own_killing_for_memory(monkeypatch, group):
    monkeypatch.setenv("FAULT_GROUP", str(group))
    assert broken("in a group") == ("crashed", KILLED)
    assert "oom_kill 1" in (group / "memory.oom_control").read_text()


NO_SECOND = (
    "worker cannot be started: can't start new thread"  # to read its pipes
    if is_portable()
    else "exit status 1: BlockingIOError: [Errno 11] Resource temporarily "
)


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (1, "worker cannot be started: Resource temporarily unavailable"),
        (2, NO_SECOND),
    ],
)
@pytest.mark.parametrize("group", ["pids"], indirect=True)
def test_a_worker_that_cannot_be_forked(group, way, most, said):
    (group / "pids.max").write_text(str(most))
    joined = f"from pathlib import Path; Path('{group}/cgroup.procs').write_text('0')\n"
    asked = "worker.ask(Close(), 20)"
    body = MAIN.replace("worker.ask(Breaking(fault=sys.argv[1]), 3600)", "")
    done = subprocess.run(
        [sys.executable, "-c", f"{joined}{body}print({asked}.notes)", way],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[1].startswith(said)
