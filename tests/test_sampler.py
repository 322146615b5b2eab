"""One cell measured in this process, by a clock that only the job moves."""

import gc
import weakref

import pytest
import torch

from crossover.measure import sampler as sampling
from crossover.measure.clock import (
    FEW_OBJECTS,
    GarbagePause,
    set_aside,
    timer_step_s,
)
from crossover.measure.sampler import Sampler
from crossover.workloads.definition import WrongResult
from crossover.workloads.values import Size
from crossover.workloads.workload import Workload

JOB = Workload(
    "job",
    (Size("load", 1), Size("turns", 1, one="turn", many="turns", repeats=True)),
)
CPU = torch.device("cpu")


class Clock:
    """Each reading costs 1 us, each turn what the job is said to cost."""

    def __init__(self):
        self.time_s = 0.0

    def __call__(self):
        self.time_s += 1e-6
        return self.time_s


class Priced:
    """A session that moves the clock by a known price a turn, and keeps what it did."""

    notes, processes = "", ()

    def __init__(self, clock, turn_s, first_s=0.0, wrong=False, odd=None, growth=0.0):
        self.clock, self.turn_s, self.first_s = clock, turn_s, first_s
        self.wrong, self.did = wrong, []
        self.odd, self.runs = odd, 0
        self.growth, self.come = growth, 0

    def move(self):
        self.did.append("move")

    def build(self):
        self.did.append("build")

    def reset(self):
        self.did.append("reset")
        self.come = 0

    def run(self, repeats):
        self.did.append(repeats)
        self.clock.time_s += self.first_s + repeats * self.turn_s
        self.clock.time_s += repeats * self.turn_s * self.growth * self.come
        self.come += repeats
        self.clock.time_s += 3.0 * (self.runs == self.odd)
        self.runs += 1
        self.first_s = 0.0

    def synchronize(self):
        pass

    def verify(self, repeats):
        if self.wrong:
            raise WrongResult("weights differ")
        return 0.25, None


@pytest.fixture
def opened(monkeypatch):
    """Return what opens a cell of the job: the sampler and the session it measures."""

    def make(turns, turn_s, longest_s=1.0, **more):
        clock = Clock()
        session = Priced(clock, turn_s, **more)

        class Job:
            def session(self, *_):
                return session

        monkeypatch.setattr(sampling, "definition", lambda name: {"job": Job()}[name])
        case = JOB.case(turns=turns)
        made.append(Sampler(case, "x", CPU, None, 0.5, longest_s, clock))
        return made[-1], session

    made = []
    yield make
    for measured in made:
        measured.close()


@pytest.mark.parametrize("turn_s", [1e-4, 1e-3, 0.3])
def test_no_sample_is_below_the_floor_and_the_value_is_right(opened, turn_s):
    measured, _ = opened(2, turn_s)
    sample_s = measured.sample()[0]
    assert sample_s >= sampling.FLOOR_S
    assert sample_s >= 1000 * 1e-6
    assert sample_s / measured.calls == pytest.approx(2 * turn_s, rel=0.01)


def test_long_jobs_are_cut_in_what_repeats_and_say_so(opened):
    measured, _ = opened(1000, 0.1, longest_s=0.5)
    assert measured.opened.epochs_run in (4, 5)
    assert measured.opened.notes.startswith("extrapolated: ")
    assert "of 1000 turns timed" in measured.opened.notes


def test_a_job_that_repeats_nothing_is_never_cut(monkeypatch, opened):
    _, session = opened(1, 3.0)
    once = Workload("job", JOB.sizes[:1])
    measured = Sampler(once.case(), "x", CPU, None, 0.0, 1.0, session.clock)
    assert measured.opened.epochs_run == 1
    assert measured.sample()[0] == pytest.approx(3.0, abs=1e-3)
    measured.close()


@pytest.mark.parametrize(("turns", "turn_s"), [(2, 1e-3), (2, 1e-5), (50, 0.05)])
@pytest.mark.parametrize("number", range(5))
def test_a_call_that_was_disturbed_decides_neither_calls_nor_cuts(
    opened, turns, turn_s, number
):
    """It is one of the calls that a cell begins with, and takes three seconds more."""
    usual, _ = opened(turns, turn_s)
    odd, _ = opened(turns, turn_s, odd=number)
    assert odd.opened.epochs_run == usual.opened.epochs_run
    assert odd.calls == pytest.approx(usual.calls, rel=0.02)
    assert len(odd.opened.warmup_s) >= min(3, len(usual.opened.warmup_s))
    assert odd.sample()[0] == pytest.approx(usual.sample()[0], rel=0.02)


def test_setup_holds_the_context_and_what_only_the_first_call_cost(opened):
    measured, _ = opened(1, 0.01, first_s=2.0)
    assert measured.opened.setup_s == pytest.approx(0.5 + 2.0, abs=1e-3)
    assert measured.opened.warmup_s[0] == pytest.approx(2.01, abs=1e-3)
    assert measured.sample()[0] == pytest.approx(0.01, abs=1e-3)


def test_a_wrong_implementation_is_not_measured(opened):
    with pytest.raises(WrongResult, match="weights differ"):
        opened(1, 0.01, wrong=True)
    assert gc.isenabled()


def test_what_the_job_ends_with_is_kept(opened):
    measured, _ = opened(1, 0.01)
    assert (measured.opened.loss, measured.opened.accuracy) == (0.25, None)


def test_every_sample_starts_where_the_job_does(opened):
    measured, session = opened(1, 0.01)
    measured.calls = 1
    for _ in range(2):
        session.did.clear()
        measured.sample()
        assert session.did == [1, "reset", 1]  # awake, from the start, and timed


@pytest.fixture
def all_is_looked_at():
    """Have the collector look at every object, before a test and after it."""
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("all_is_looked_at")
def test_garbage_is_collected_between_samples_only():
    pause = GarbagePause()
    assert not gc.isenabled()
    assert gc.get_freeze_count() > FEW_OBJECTS  # of all that pytest has loaded
    pause.end()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


class Cycle:
    """Refers to itself, so that only a search for garbage finds it."""

    def __init__(self):
        self.itself = self


@pytest.mark.usefixtures("all_is_looked_at")
@pytest.mark.parametrize("more", [0, 2 * FEW_OBJECTS])
def test_what_a_cell_leaves_is_found_as_the_next_one_opens(more):
    """However much it has loaded; and what was there before is looked at once."""
    assert set_aside()
    before = gc.get_freeze_count()
    session = Cycle()
    session.loaded = [[i] for i in range(more)]
    seen = weakref.ref(session)
    pause = GarbagePause()
    assert (gc.get_freeze_count() > before) == bool(more)
    pause.end()
    assert gc.get_freeze_count() == (0 if more else before)
    del session
    set_aside()
    assert seen() is None
    assert gc.get_freeze_count() >= before - FEW_OBJECTS


@pytest.mark.usefixtures("all_is_looked_at")
def test_what_is_loaded_while_a_cell_is_open_is_set_aside():
    set_aside()
    pause = GarbagePause()
    before, loaded = gc.get_freeze_count(), [[i] for i in range(2 * FEW_OBJECTS)]
    pause.set_aside()
    assert gc.get_freeze_count() >= before + len(loaded)
    pause.end()
    assert gc.get_freeze_count() == 0


def test_the_timers_step_is_the_smallest_difference_of_two_readings():
    readings = iter(i // 3 * 0.25 for i in range(1000))
    assert timer_step_s(lambda: next(readings)) == 0.25


def test_single_calls_are_whole_jobs_each_timed_by_itself(opened):
    measured, session = opened(3, 1e-4)
    before = len(session.did)
    assert measured.single_calls(5, 1.0) == pytest.approx((3e-4,) * 5, abs=2e-6)
    assert session.did[before:] == [1, "reset", 3, 3, 3, 3, 3]


def test_a_single_call_of_a_users_file_is_one_step(monkeypatch, opened):
    _, session = opened(1, 1e-3)
    theirs = Workload("job.py", (Size("steps", 1000, repeats=True),))

    class Job:
        def session(self, *_):
            return session

    monkeypatch.setattr(sampling, "definition", lambda name: Job())
    measured = Sampler(theirs.case(), "x", CPU, None, 0.0, 0.2, session.clock)
    assert measured.single_calls(4, 1.0) == pytest.approx((1e-3,) * 4, abs=2e-6)
    measured.close()


def test_no_single_call_begins_after_its_time(opened):
    measured, session = opened(1, 0.01)
    assert len(measured.single_calls(1000, 0.095)) == 10
    before = len(session.did)
    assert measured.single_calls(0, 1.0) == ()
    assert len(session.did) == before


def test_single_calls_begin_without_garbage(opened):
    measured, session = opened(1, 0.01)
    found, wait = [], session.run

    def run(repeats):
        found.append(gc.get_count()[0] < 500 and not gc.isenabled())
        wait(repeats)

    session.run = run
    junk = [[] for _ in range(1000)]
    for one in junk:
        one.append(one)
    del junk, one
    measured.single_calls(2, 1.0)
    assert found[-2:] == [True, True]


@pytest.mark.parametrize(
    ("turns", "turn_s", "growth", "flags"),
    [
        (20, 0.01, 0.0, ()),
        (20, 0.01, 0.02, ("convergence",)),
        (20, 0.01, 0.005, ()),
        (20, 0.01, -0.02, ("convergence",)),
        (1, 1e-5, 0.02, ("convergence",)),  # 500 calls of one turn in a sample
        (1, 0.1, 0.02, ()),  # one turn in a sample
    ],
)
def test_a_time_that_depends_on_how_far_training_has_come_is_flagged(
    opened, turns, turn_s, growth, flags
):
    measured, _ = opened(turns, turn_s, growth=growth)
    assert measured.opened.flags == flags
    assert ("x the first ones' time" in measured.opened.notes) == bool(flags)


def test_a_processor_that_takes_numbers_near_0_for_0_is_recorded(opened):
    assert opened(1, 0.01)[0].opened.settings == {}
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor has no such switch")
    try:
        assert opened(1, 0.01)[0].opened.settings == {"flush_denormal": "on"}
    finally:
        torch.set_flush_denormal(False)
