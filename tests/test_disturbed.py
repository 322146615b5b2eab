"""One disturbed measurement, as a cell opens or in a round, decides nothing."""

import io
import itertools
import os
import signal
import time

import pytest
from builders import FakeWorker, make_run, opened, sampled

from crossover.analysis.crossover import crossovers
from crossover.attempts import MOST_ATTEMPTS
from crossover.measure import sampler, worker
from crossover.measure.clock import Idle
from crossover.measure.environment import Environment
from crossover.measure.pipe import Close, Open, Opened, read_reply
from crossover.measure.process import Workers
from crossover.pipeline import carry_out
from crossover.record import run_folder
from crossover.workloads.softmax import SOFTMAX

PAIR = ["cpu/resident@1", "cpu/resident@2"]
SWEEP = {"axis": "batch_size", "values": [10, 300, 3000, 10000], "samples": 10000}
SPEC = {
    "name": "disturbed", "rounds": 8, "grid": True, "control": False, "width": 100.0,
    "contenders": PAIR, "pairs": [PAIR], "sweep": [SWEEP],
}  # fmt: skip
FLOOR_S = 1e-3
PROCESSES = itertools.count()


class Looping(FakeWorker):
    """It trains so often in a sample that this lasts 6 ms, if its call is told right.

    `openings` is shared by all workers; `slow` names the openings in which every call
    takes long, and `idle` how long the process did not run in an opening's set-up.
    """

    def __init__(self, contender, openings, slow=(), idle=None):
        super().__init__(contender)
        self.process = next(PROCESSES)
        self.openings, self.slow, self.idle = openings, slow, idle or {}
        self.context_s = 1.0 + self.idle.get(len(openings) + 1, 0.0)

    def opened(self, request):
        self.openings.append((str(self.contender), self.process))
        number = len(self.openings)
        call_s = self.took_s() * (100 if number in self.slow else 1)
        self.calls = max(1, round(6e-3 / call_s))
        return opened(
            threads=request.threads, calls_per_sample=self.calls, floor_s=FLOOR_S,
            setup_s=self.context_s, setup_idle_s=self.idle.get(number, 0.0),
        )  # fmt: skip

    def took_s(self):
        return super().took_s() / 100

    def sampled(self, request):
        return sampled(self.calls * self.took_s())


def measured(out, spec=SPEC, kind=Looping, **faults):
    """Return a run, the openings of its cells, and what was said."""
    openings, said, now_s = [], [], iter(range(10**9))
    run = make_run(spec)
    run_folder.create(out, run)
    around = Environment(
        clock_s=lambda: float(next(now_s)), say=said.append, stolen_s=lambda: None
    )
    workers = Workers(lambda contender: kind(contender, openings, **faults))
    return carry_out(run.spec, run, out, workers, environment=around), openings, said


def answers(run):
    return [
        (c.view, c.answer.outcome, c.answer.low, c.answer.high) for c in crossovers(run)
    ]


def kept(run):
    return [m for m in run.measurements if not m.discarded]


@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_a_wrong_calibration_is_seen_in_a_sample_and_made_anew(tmp_path, number):
    """All calls of an opening took 100 times as long: its samples are too short."""
    usual, opens, _ = measured(tmp_path / "usual")
    run, again, said = measured(tmp_path / "run", slow=(number,))
    assert len(again) == len(opens) + 1
    assert again[number][0] in PAIR
    discarded = [m for m in run.measurements if m.discarded]
    assert len(discarded) == 2  # the whole round
    assert "ms, less than 1 ms" in discarded[0].discarded
    assert len(said) == 1
    assert min(s for m in kept(run) for s in m.samples_s) >= FLOOR_S
    calls, right = (
        {m.cell_id: m.calls_per_sample for m in kept(r)} for r in (run, usual)
    )
    assert calls == pytest.approx(right, rel=0.02)  # but for the jitter
    got, want = answers(run), answers(usual)
    assert [a[:2] for a in got] == [a[:2] for a in want]
    assert got[0][2] == pytest.approx(want[0][2], rel=0.1)
    assert got[0][3] == pytest.approx(want[0][3], rel=0.1)
    assert run_folder.load(tmp_path / "run") == run


def test_who_is_calibrated_wrongly_again_and_again_ends_without_a_time(tmp_path):
    run, _, _ = measured(tmp_path / "run", slow=range(1, 100))
    ended = [m for m in run.measurements if m.status == "failed"]
    assert {m.cell_id for m in ended} == {m.cell_id for m in run.measurements}
    assert all(f"in {MOST_ATTEMPTS} attempts at a round" in m.notes for m in ended)
    assert kept(run) == ended


@pytest.mark.parametrize("number", [1, 2])
def test_a_set_up_in_which_the_process_was_idle_is_done_in_another(tmp_path, number):
    """The first opening of a contender; the shorter set-up counts."""
    usual, opens, _ = measured(tmp_path / "usual")
    run, again, _ = measured(tmp_path / "run", idle={number: 2.5})
    assert len(again) == len(opens) + 1
    (name, first), (same, second) = again[number - 1 : number + 1]
    assert name == same
    assert first != second
    assert {m.setup_s for m in run.measurements} == {1.0}
    assert answers(run) == answers(usual)


def test_a_little_idle_time_is_no_disturbance(tmp_path):
    _, usual, _ = measured(tmp_path / "usual")
    _, again, _ = measured(tmp_path / "run", idle={1: 0.15, 3: 0.04})
    assert len(again) == len(usual)


def test_a_set_up_twice_as_long_as_at_other_sizes_is_done_in_another(tmp_path):
    """The third opening is the second one of a contender."""

    class Odd(Looping):
        def __init__(self, contender, openings, odd):
            super().__init__(contender, openings)
            self.odd = odd

        def opened(self, request):
            reply = super().opened(request)
            is_odd = len(self.openings) == self.odd
            return reply.model_copy(update={"setup_s": 3.0}) if is_odd else reply

    _, usual, _ = measured(tmp_path / "usual")
    run, openings, _ = measured(tmp_path / "run", kind=Odd, odd=3)
    assert len(openings) == len(usual) + 1
    assert {m.setup_s for m in run.measurements} == {1.0}


def test_a_set_up_that_stands_alone_is_done_twice(tmp_path):
    spec = SPEC | {"sweep": [SWEEP | {"values": [300]}]}
    run, openings, _ = measured(tmp_path / "run", spec, idle={1: 0.15})
    assert [name for name, _ in openings] == [c for c in PAIR for _ in range(2)]
    assert len({process for _, process in openings}) >= len(PAIR)
    assert {m.setup_s for m in run.measurements} == {1.0}  # not the 1.15 s of the first


def test_idle_is_what_the_clock_counts_and_the_processor_does_not():
    now, worked = iter([0.0, 5.0, 10.0, 11.0]), iter([0.0, 3.0, 3.0, 5.0])
    idle = Idle(lambda: next(now), lambda: next(worked))
    with idle:
        pass
    assert idle.seconds == 2.0
    with idle:  # two threads work
        pass
    assert idle.seconds == 2.0


CASE = SOFTMAX.case(samples=64, batch_size=16, epochs=2)
REQUEST = Open(
    workload="softmax", case=dict(CASE.values), device="cpu", trainer="resident",
    threads=1, longest_s=1.0,
)  # fmt: skip


def opened_by_worker():
    """Return the reply of the real worker as it opens the cell; it is closed then."""
    replies, requests = io.StringIO(), (REQUEST, Close())
    lines = "".join(r.model_dump_json() + "\n" for r in requests)
    worker.serve(io.StringIO(lines), replies)
    return read_reply(REQUEST, replies.getvalue().splitlines()[0].encode())


BUILD, FIRST, AGAIN, WARM_UP = range(4)


def odd_call(monkeypatch, number, disturb):
    """Disturb one of the calls that are clocked as the real worker opens a cell."""
    calls, real = [], sampler.measured_s

    def clocked(work, *how):
        def disturbed():
            if len(calls) == number + 1:
                disturb()
            return work()

        calls.append(work)
        return real(disturbed, *how)

    monkeypatch.setattr(sampler, "measured_s", clocked)


@pytest.mark.parametrize("number", range(6))
def test_a_worker_stopped_in_any_clocked_call_of_opening_is_told_of(
    monkeypatch, number
):
    """So the cell is opened again, in a fresh process: tests/test_stops.py."""
    odd_call(monkeypatch, number, lambda: os.kill(os.getpid(), signal.SIGCONT))
    assert opened_by_worker().was_stopped


@pytest.mark.parametrize(
    ("number", "is_setup"),
    [(BUILD, True), (FIRST, True), (AGAIN, False), (WARM_UP, False)],
)
def test_a_worker_that_did_not_run_in_its_set_up_tells_so(
    monkeypatch, number, is_setup
):
    """As when it alone is frozen, of which no signal tells."""
    odd_call(monkeypatch, number, lambda: time.sleep(0.5))
    reply = opened_by_worker()
    assert isinstance(reply, Opened)
    assert (reply.setup_idle_s > 0.4) == is_setup
    assert (reply.setup_s > 0.5) == is_setup
    assert reply.floor_s >= sampler.FLOOR_S
