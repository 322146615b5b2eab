"""Time that did not pass for us: no answer holds it, and no limit counts it."""

import dataclasses
import itertools
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from breaking import Loaded
from builders import FakeWorker, make_run
from children import newest_reaper
from test_worker_errors import served

from crossover.analysis.crossover import crossovers, incomplete
from crossover.attempts import MOST_ATTEMPTS
from crossover.measure import devices
from crossover.measure.environment import Environment
from crossover.measure.pipe import Close, Closed, Describe, Described, Sample
from crossover.measure.process import WorkerProcess, Workers
from crossover.pipeline import carry_out
from crossover.record import run_folder
from crossover.system.stops import LOOK_S, STOPPED_S, Stopped, Watch

SPEC = {
    "name": "stops", "rounds": 8, "grid": True, "control": False, "width": 100.0,
    "cell_timeout_s": 20.0, "contenders": ["cpu/resident@1", "cpu/resident@2"],
    "pairs": [["cpu/resident@1", "cpu/resident@2"]],
    "sweep": [
        {"axis": "batch_size", "values": [10, 300, 3000, 10000], "samples": 10000}
    ],
}  # fmt: skip
FROZEN_S = 23.0
ASKED_S = 0.01


class Time:
    """A clock that the workers move; it leaps at some of the requests."""

    def __init__(self, leaps=(), slept=()):
        self.now_s, self.asleep_s, self.asked = 0.0, 0.0, 0
        self.leaps, self.slept = leaps, slept

    def passed(self):
        self.asked += 1
        self.now_s += ASKED_S + FROZEN_S * (self.asked in self.leaps)
        self.asleep_s += FROZEN_S * (self.asked in self.slept)


class Timed(FakeWorker):
    """Its samples hold all the time that the clock counts while they are taken."""

    def __init__(self, ticks, contender, told=()):
        super().__init__(contender)
        self.ticks, self.told = ticks, told

    def ask(self, request, timeout_s):
        before_s = self.ticks.now_s
        self.ticks.passed()
        reply = super().ask(request, timeout_s)
        if self.ticks.asked in self.told:
            reply = reply.model_copy(update={"was_stopped": True})
        if isinstance(request, Sample):
            lost_s = self.ticks.now_s - before_s - ASKED_S
            reply = reply.model_copy(update={"sample_s": reply.sample_s + lost_s})
        return reply


def measured(out, ticks=None, told=(), utc=lambda: datetime.now(UTC), **fields):
    """Return a run that was carried out, and what was said."""
    ticks, said = ticks or Time(), []
    run = make_run(SPEC | fields)
    run_folder.create(out, run)
    around = Environment(
        clock_s=lambda: ticks.now_s,
        utc=utc,
        watch=Watch(lambda: ticks.now_s, lambda: ticks.asleep_s),
        say=said.append,
    )
    workers = Workers(lambda contender: Timed(ticks, contender, told))
    return carry_out(run.spec, run, out, workers, environment=around), said


def found(run):
    return [
        (c.answer.outcome, c.answer.low, c.answer.high)
        for c in crossovers(run)
        if c.view == "train"
    ]


def counted(run):
    return sorted(
        (m.cell_id, m.round, m.status) for m in run.measurements if not m.discarded
    )


@pytest.mark.parametrize("what", ["leaps", "slept"])
@pytest.mark.parametrize("moment", [1, 2, 3, 18, 35, 70])
def test_a_freeze_at_any_moment_changes_no_answer(tmp_path, what, moment):
    """It falls into an opening, a first or later sample, a close, the last round."""
    usual, _ = measured(tmp_path / "usual")
    frozen, said = measured(tmp_path / "frozen", Time(**{what: (moment,)}))
    ((outcome, low, high),) = found(frozen)
    assert outcome == "found"
    assert low < 1000 < high
    assert counted(frozen) == counted(usual)
    kept = [m for m in frozen.measurements if not m.discarded]
    assert max(s for m in kept for s in m.samples_s) < 0.1
    assert not incomplete(frozen, crossovers(frozen))
    assert len(said) <= 1
    assert all(m.discarded == "" or m.discarded in said[0] for m in frozen.measurements)
    assert max(m.elapsed_s for m in frozen.measurements) < 2.0


def test_a_round_that_was_stopped_says_why_and_is_measured_again(tmp_path):
    run, said = measured(tmp_path / "run", Time(leaps=(5,)))
    rows = [m for m in run.measurements if m.round == 0]
    assert [m.discarded for m in rows[:4]] == ["stopped for 23 s"] * 2 + [""] * 2
    assert said == ["stopped for 23 s: round measured again"]
    assert run_folder.load(tmp_path / "run") == run


def test_a_worker_that_was_stopped_alone_is_measured_again(tmp_path):
    run, said = measured(tmp_path / "run", told=(5,))
    (why,) = {m.discarded for m in run.measurements} - {""}
    assert why in {f"the worker of cpu/resident@{n} was stopped" for n in (1, 2)}
    assert said == [f"{why}: round measured again"]
    usual, _ = measured(tmp_path / "usual")
    assert counted(run) == counted(usual)


def test_who_is_stopped_again_and_again_ends_without_a_time(tmp_path):
    """Each sample of a round of four, in all attempts; then the others go on."""
    run, said = measured(tmp_path / "run", told=range(3, 3 + 4 * MOST_ATTEMPTS))
    ended = [m for m in run.measurements if m.status == "failed"]
    assert len(ended) == 2
    assert all(f"in {MOST_ATTEMPTS} attempts at a round" in m.notes for m in ended)
    assert len(said) == MOST_ATTEMPTS - 1
    assert sum(bool(m.discarded) for m in run.measurements) == 2 * MOST_ATTEMPTS
    sizes = {m.case["batch_size"] for m in run.measurements if m.status == "ok"}
    assert len({m.case["batch_size"] for m in ended}) == 1
    assert len(sizes) == 4


def test_a_cell_that_was_stopped_as_it_opened_gets_a_fresh_process(tmp_path):
    started = []

    class Noted(Timed):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            started.append(self.contender)

    ticks = Time(leaps=(1,))
    run = make_run(SPEC)
    run_folder.create(tmp_path / "run", run)
    around = Environment(
        clock_s=lambda: ticks.now_s,
        watch=Watch(lambda: ticks.now_s, lambda: 0.0),
        say=lambda line: None,
    )
    workers = Workers(lambda contender: Noted(ticks, contender))
    carry_out(run.spec, run, tmp_path / "run", workers, environment=around)
    assert len(started) == 3
    assert started[0] == started[1]


def test_an_interrupted_block_goes_on_after_a_discarded_round(tmp_path):
    """The journal is cut after the discarded round, and within what repeats it."""
    measured(tmp_path / "run", Time(leaps=(5,)))
    path = tmp_path / "run" / run_folder.JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in (2, 3):
        path.write_bytes(b"".join(lines[:kept]))
        cut = run_folder.load(tmp_path / "run")
        assert [bool(m.discarded) for m in cut.measurements] == [True, True]


def test_a_budget_lasts_as_long_with_a_freeze(tmp_path):
    """It is spent by a third of the requests, whether 23 s are lost or not."""
    usual, _ = measured(tmp_path / "usual", budget_s=0.5)
    frozen, _ = measured(tmp_path / "frozen", Time(leaps=(3,)), budget_s=0.5)
    assert 0 < len(counted(frozen)) <= len(counted(usual)) < 64
    assert len(counted(usual)) - len(counted(frozen)) <= 4


@pytest.mark.parametrize("leap_s", [3600.0, -5.0])
def test_setting_the_systems_clock_changes_nothing_but_the_dates(tmp_path, leap_s):
    """It leaps at each look; durations are those of a clock that nobody sets."""
    leaps = itertools.count()

    def utc():
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
            seconds=leap_s * next(leaps)
        )

    usual, _ = measured(tmp_path / "usual")
    leapt, said = measured(tmp_path / "leapt", utc=utc)
    same = [
        dataclasses.replace(m, started_utc="", load_1min=0, throttled_periods=0)
        for run in (usual, leapt)
        for m in run.measurements
    ]
    half = len(same) // 2
    assert same[:half] == same[half:]
    assert said == []


def test_a_watch_counts_the_gaps_between_its_looks():
    ticks = Time()
    watch = Watch(lambda: ticks.now_s, lambda: ticks.asleep_s)
    ticks.now_s = 50.0
    assert watch.look() == Stopped()  # nobody watches
    with watch:
        ticks.now_s += STOPPED_S
        assert watch.look() == Stopped()
        ticks.now_s += FROZEN_S
        assert watch.look() == Stopped(1, FROZEN_S)
        ticks.now_s -= 5.0  # the clock itself was set back: limits move with it
        assert watch.look() == Stopped(2, FROZEN_S - 5.0)
        ticks.asleep_s += FROZEN_S  # suspended: the clock stood still
        assert watch.look() == Stopped(3, FROZEN_S - 5.0)


def test_a_watch_looks_by_itself_and_leaves_no_thread():
    looking, looked = [], threading.Event()

    def now():
        if threading.current_thread() is not threading.main_thread():
            looking.append(threading.current_thread())
            looked.set()
        return 0.0

    with Watch(now, lambda: 0.0):
        assert looked.wait(20 * LOOK_S)
    looking[0].join(20)
    assert not looking[0].is_alive()


def test_the_worker_tells_that_it_was_stopped(monkeypatch):
    def stopped(devices):
        os.kill(os.getpid(), signal.SIGCONT)  # as the kernel does after any stop
        return DESCRIBED

    monkeypatch.setattr(devices, "describe_here", stopped)
    assert served(Describe()).was_stopped
    monkeypatch.setattr(devices, "describe_here", lambda devices: DESCRIBED)
    assert not served(Describe()).was_stopped


DESCRIBED = Described(
    cpu="", energy_unmeasured=None, accelerators=(), unavailable={}, trainers={},
    versions={}, threads={},
)  # fmt: skip


def light(watch=None):
    asked = WorkerProcess(None, "light_worker", watch or Watch())
    assert asked.ask(Close(), 20) == Closed()
    return asked


def test_a_freeze_of_this_process_is_no_timeout_of_its_worker(left_over):
    leaps = iter([0.0, 0.0, 0.0])
    now = itertools.count(step=0.0)
    asked = light(Watch(lambda: next(leaps, FROZEN_S) + next(now), lambda: 0.0))
    assert asked.ask(Close(), 20) == Closed()
    asked.stop()


@pytest.mark.unix_way("a worker that somebody stopped is not noticed")
def test_a_worker_that_was_stopped_and_goes_on_is_told_of(left_over):
    asked = light()
    (below,) = newest_reaper().children()
    below.suspend()
    timer = threading.Timer(2.5 * LOOK_S, below.resume)
    timer.start()
    assert asked.ask(Loaded(more="x" * 2**20), 60) == Closed(was_stopped=True)
    assert asked.ask(Close(), 60) == Closed()
    timer.join()
    asked.stop()


SMALL = """
name = "stopped"
rounds = 8
grid = true
control = false
width = 100.0
cell_timeout_s = 60.0
contenders = ["cpu/resident@1", "cpu/manual@1"]
pairs = [["cpu/resident@1", "cpu/manual@1"]]
[[sweep]]
axis = "batch_size"
values = [128, 1024]
samples = 20000
"""
PAUSED_S = 6.0


def signalled(processes):
    for process in processes:
        process.suspend()
    time.sleep(PAUSED_S)
    for process in processes:
        process.resume()


def frozen(main):
    group = Path(f"/sys/fs/cgroup/freezer/crossover-test-{os.getpid()}")
    try:
        group.mkdir()
    except OSError:
        pytest.skip("no control group that freezes can be made here")
    try:
        for process in [main, *main.children(recursive=True)]:
            (group / "cgroup.procs").write_text(str(process.pid))
        (group / "freezer.state").write_text("FROZEN")
        time.sleep(PAUSED_S)
        (group / "freezer.state").write_text("THAWED")
        main.wait()
    finally:
        group.rmdir()


def workers_of(main):
    return [w for reaper in main.children() for w in reaper.children()]


WAYS = {
    "freezer": frozen,
    "main": lambda main: signalled([main]),
    "worker": lambda main: signalled(workers_of(main)[-1:]),
    "both": lambda main: signalled([main, *workers_of(main)]),
}


@pytest.mark.torture
@pytest.mark.parametrize(
    ("way", "rows"),
    [
        *(("freezer", rows) for rows in (0, 2, 9, 16, 24)),
        *((way, rows) for way in ("main", "worker", "both") for rows in (0, 18)),
    ],
)
def test_a_real_run_that_is_stopped_shows_nothing_of_it(tmp_path, way, rows):
    """It is stopped once these many rows are recorded, whatever it does then."""
    (tmp_path / "small.toml").write_text(SMALL)
    command = [sys.executable, "-m", "crossover", "run", "small.toml", "--out", "run"]
    begun = time.monotonic()
    with open(tmp_path / "said", "w", encoding="utf-8") as said:
        main = psutil.Popen(command, cwd=tmp_path, stdout=said, stderr=said)
        journal = tmp_path / "run" / run_folder.JOURNAL
        while not journal.exists() or journal.read_bytes().count(b"\n") < rows:
            assert main.poll() is None
            time.sleep(0.005)
        while not workers_of(main):
            time.sleep(0.005)
        WAYS[way](main)
        code = main.wait()
    took_s = time.monotonic() - begun
    assert code == 0, (tmp_path / "said").read_text()
    found = run_folder.load(tmp_path / "run").measurements
    kept = [m for m in found if not m.discarded]
    assert [m.status for m in kept] == ["ok"] * 32
    assert max(s for m in kept for s in m.samples_s) < PAUSED_S / 2
    if way != "worker":
        assert max(m.elapsed_s for m in kept) < took_s - PAUSED_S + LOOK_S
