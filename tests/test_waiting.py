"""Waiting for a core is measured; a round that waited much more is measured again."""

import dataclasses
import os
import sys

import pytest
from builders import (
    MACHINE,
    FakeWorker,
    cases_of,
    make_round,
    make_rounds,
    make_run,
    sampled,
)

from crossover.analysis.crossover import crossovers, with_next_steps
from crossover.analysis.flags import cell_flags, doubts
from crossover.contender import Contender
from crossover.measure.environment import Environment
from crossover.measure.process import Workers
from crossover.measure.rows import (
    DISTURBED_SHARE,
    FREE_DISTURBED_S,
    MOST_DISTURBED,
    Waits,
    with_stolen,
)
from crossover.pipeline import carry_out
from crossover.plan.plan import next_blocks
from crossover.record import run_folder
from crossover.report.terminal import plain_lines
from crossover.report.write import write_report
from crossover.system.waits import core_delays, stolen_s, waited_s
from crossover.workloads.softmax import SOFTMAX

PAIR = ["cpu/resident@1", "cpu/resident@2"]
SPEC = {
    "name": "waiting", "rounds": 10, "grid": True, "control": False, "width": 100.0,
    "contenders": PAIR, "pairs": [PAIR],
    "sweep": [
        {"axis": "batch_size", "values": [10, 300, 3000, 10000], "samples": 10000}
    ],
}  # fmt: skip
SAMPLES = 4
"""Samples of a round."""
CASE = SOFTMAX.case(samples=64)
ON_LINUX = sys.platform.startswith("linux")


class Disturbed(FakeWorker):
    """Its samples take longer where others have its core, and it tells how long."""

    def __init__(self, contender, count, shares):
        super().__init__(contender)
        self.count, self.shares = count, shares

    def sampled(self, request):
        self.count.append(request)
        share = self.shares(len(self.count) - 1)
        if share is None:
            return sampled(self.took_s())
        took_s = self.took_s() / (1 - share)
        return sampled(took_s, waited_s=share * took_s)


def measured(out, shares, spec=SPEC):
    """Return a run in which others take shares of the cores, and what was said."""
    said, count = [], []
    run = make_run(spec)
    run_folder.create(out, run)
    now_s = iter(range(10**9))
    around = Environment(
        clock_s=lambda: float(next(now_s)), say=said.append, stolen_s=lambda: None,
        load_1min=lambda: 9.0,
    )  # fmt: skip
    workers = Workers(lambda contender: Disturbed(contender, count, shares))
    return carry_out(run.spec, run, out, workers, environment=around), said


def found(run):
    return next(c for c in crossovers(run) if c.view == "train")


def position(row):
    return row.answer.outcome, row.answer.at, row.answer.low, row.answer.high


def kept(run):
    return [m for m in run.measurements if not m.discarded]


@pytest.mark.parametrize("first", [0, 1, 4 * 7, 4 * 25 + 2])
def test_a_round_that_waited_is_measured_again_as_a_whole(tmp_path, first):
    """Others take most of the cores from some sample on, for a round."""
    quiet, _ = measured(tmp_path / "quiet", lambda n: 0.01)
    run, said = measured(
        tmp_path / "run", lambda n: 0.8 if first <= n < first + SAMPLES else 0.01
    )
    discarded = [m for m in run.measurements if m.discarded]
    assert len(discarded) in (2, 4)  # it may lie in two rounds
    assert all("s for a core in samples of" in m.discarded for m in discarded)
    assert {m.case for m in discarded} <= {m.case for m in kept(run)}
    assert len(kept(run)) == len(quiet.measurements) == 4 * 2 * 10
    assert max(m.waited_share for m in kept(run)) < 0.02
    answer = found(run).answer
    assert answer.outcome == found(quiet).answer.outcome == "found"
    assert answer.low < 1000 < answer.high
    assert not {"busy_cores", "disturbed_rounds"} & {*doubts(answer.flags)}
    assert len(said) == 1
    assert said[0].endswith(": such rounds are measured again")
    assert run_folder.load(tmp_path / "run") == run
    assert next_blocks(run.spec, run.measurements) == []


def test_cores_that_are_never_free_cost_few_rounds_and_head_every_answer(
    undrawn, tmp_path
):
    run, said = measured(tmp_path / "run", lambda n: 0.6)
    assert len(run.measurements) - len(kept(run)) <= 2 * MOST_DISTURBED
    assert len(said) == 1
    lines = [line.strip() for line in plain_lines(crossovers(run))]
    assert lines[1].startswith(
        "Not to be trusted: other programs took 60 % of the cores; "
    )
    assert "withheld: was found" in found(run).flags
    write_report(run, tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert '<strong class="doubt">Not to be trusted: other programs took 60 %' in page


def test_cores_that_are_busy_now_and_then_cost_a_bounded_number_of_rounds(tmp_path):
    run, _ = measured(tmp_path / "run", lambda n: 0.5 * (n // SAMPLES % 2))
    counted_s, again_s = (
        sum(sum(m.samples_s) for m in run.measurements if bool(m.discarded) is again)
        for again in (False, True)
    )
    assert 0 < again_s <= FREE_DISTURBED_S + DISTURBED_SHARE * counted_s


@pytest.mark.parametrize(("seconds", "is_again"), [(0.1, True), (48.0, False)])
def test_a_round_that_waits_for_very_long_is_not_measured_again(seconds, is_again):
    """Threads that spin beside others' take a minute where they took a second."""
    who = Contender("cpu", "resident", 2)
    waits = Waits(rows_of(CASE, who, [0.0] * 5))
    (slow,) = (
        dataclasses.replace(m, samples_s=(seconds,))
        for m in rows_of(CASE, who, [0.9 * seconds])
    )
    assert bool(waits.disturbed([slow], 0)) is is_again


def test_a_round_is_measured_again_so_often_and_then_counts(tmp_path):
    """The first round waits in each attempt, as those before are its usual ones."""
    quiet = 4 * 6
    run, _ = measured(
        tmp_path / "run", lambda n: 0.0 if n < quiet else 0.5 if n < quiet + 20 else 0.0
    )
    attempts = [m for m in run.measurements if m.round == 6][: 2 * MOST_DISTURBED + 2]
    assert [bool(m.discarded) for m in attempts] == [True] * 2 * MOST_DISTURBED + [
        False
    ] * 2


def test_who_does_not_know_that_it_waits_is_never_measured_again(tmp_path):
    run, said = measured(tmp_path / "run", lambda n: None)
    assert said == []
    assert {m.waited_s for m in run.measurements} == {None}
    assert {m.waited_share for m in run.measurements} == {None}
    assert "busy_cores" in doubts(found(run).flags)  # by the load alone


def rows_of(case, who, waits, **fields):
    return [
        make_round(case, who, number, 1.0, waited_s=wait, threads=1, **fields)
        for number, wait in enumerate(waits)
    ]


@pytest.mark.parametrize(
    ("waits", "load", "said"),
    [
        ([0.01] * 10, 9.0, {}),
        ([None] * 10, 2.4, {}),
        ([None] * 10, 9.0, {"busy_cores": "other programs kept the cores busy"}),
        (
            [0.61] * 10,
            0.5,
            {"busy_cores": "other programs took 61 % of the cores"},
        ),
        (
            [0.6, *[0.01] * 9],
            0.5,
            {"disturbed_rounds": "other programs disturbed 1 of 10 rounds"},
        ),
        ([0.6] * 3, 0.5, {"busy_cores": "other programs took 60 % of the cores"}),
    ],
)
def test_one_doubt_tells_of_busy_cores_by_the_wait_where_it_is_known(waits, load, said):
    rows = rows_of(CASE, PAIR[0], waits, load_1min=load)
    assert doubts(cell_flags(rows, MACHINE)) == said


def test_waiting_for_ones_own_threads_or_a_quota_is_not_other_programs():
    """Three threads on two cores; and a quota that has a flag of its own."""
    many = rows_of(CASE, "cpu/resident@3", [1.0] * 10, load_1min=0.5)
    assert doubts(cell_flags(many, MACHINE)) == {"threads_not_as_planned": "not the "
        "threads asked for"}  # fmt: skip
    stopped = rows_of(CASE, PAIR[0], [0.5] * 10, throttled_periods=3, load_1min=0.5)
    assert {*doubts(cell_flags(stopped, MACHINE))} == {"cpu_quota_hit"}


@pytest.mark.parametrize(
    ("who", "threads", "share"),
    [("cpu/resident@1", 1, 0.4), ("cpu/resident@4", 4, 0.1),
     ("cpu/data_parallel@2x2", 2, None), ("cuda/resident", 16, 0.4)],
)  # fmt: skip
def test_a_share_is_of_the_cores_that_its_threads_can_use(who, threads, share):
    """Ranks have other threads, which wait for one another: of them it is unknown."""
    row = make_round(CASE, who, 0, 2.0, waited_s=0.8, threads=threads)
    assert row.waited_share == pytest.approx(share)


def test_one_cold_round_of_ten_removes_no_verdict_and_is_named():
    """It waited, in the contender that is ahead, so that it seems far behind."""
    spec = make_run(SPEC).spec

    def law(case, who, number):
        worker = FakeWorker(who)
        worker.cell = type("Opened", (), {"case": case, "threads": who.threads})
        worker.number = number
        cold = number == 0 and who.threads == 2
        took_s = worker.took_s() * (50 if cold else 1)
        return {"samples_s": (took_s,), "waited_s": 0.98 * took_s * cold * 2,
                "threads": who.threads, "setup_s": 0.0, "transfer_s": 0.0}  # fmt: skip

    run = make_run(SPEC, make_rounds(cases_of(spec), PAIR, law, 10))
    row = found(run)
    assert position(row)[0] == "found"
    assert row.answer.low < 1000 < row.answer.high
    assert doubts(row.flags)["disturbed_rounds"] == (
        "other programs disturbed 1 of 10 rounds"
    )
    unknown = tuple(dataclasses.replace(m, waited_s=None) for m in run.measurements)
    assert position(found(dataclasses.replace(run, measurements=unknown)))[0] != "found"


def test_the_largest_share_of_a_pairs_cells_is_told(tmp_path):
    run, _ = measured(tmp_path / "run", lambda n: 0.6)
    rows = tuple(
        dataclasses.replace(m, waited_s=m.waited_s / (1 + (m.case["batch_size"] > 100)))
        for m in run.measurements
    )
    told = doubts(found(dataclasses.replace(run, measurements=rows)).flags)
    assert told["busy_cores"] == "other programs took 60 % of the cores"


@pytest.mark.unix_way("nobody tells who waits for a core")
def test_stolen_time_is_counted_on_our_cores_and_a_single_step_is_not(tmp_path):
    mine = sorted(os.sched_getaffinity(0))
    lines = [f"cpu{core} 1 2 3 4 5 6 7 {10 + core} 0 0" for core in mine]
    other = f"cpu{max(mine) + 1} 1 2 3 4 5 6 7 99 0 0"
    (tmp_path / "stat").write_text("\n".join(["cpu 1 2", *lines, other, "intr 0"]))
    expected = sum(10 + core for core in mine) * 0.01
    assert stolen_s(tmp_path / "stat") == pytest.approx(expected)
    assert stolen_s(tmp_path / "none") is None
    row = make_round(CASE, PAIR[0], 0, 2.0, waited_s=0.25)
    assert with_stolen(row, 0.01, 4.0) == row
    assert with_stolen(row, 1.01, 4.0).waited_s == pytest.approx(0.75)
    unknown = dataclasses.replace(row, waited_s=None)
    assert with_stolen(unknown, 1.01, 4.0) == unknown


def test_waiting_is_the_difference_of_two_readings_of_threads_that_may_end():
    assert waited_s({"1": 5, "2": 7}, {"1": 10**9 + 5, "3": 10**9}) == 2.0
    assert waited_s(None, {"1": 5}) is None
    assert waited_s({"1": 5}, None) is None


@pytest.mark.skipif(not ON_LINUX, reason="the kernel counts it on Linux")
@pytest.mark.unix_way("nobody tells who waits for a core")
def test_the_kernels_counts_are_read_for_every_thread_of_a_process():
    before = core_delays()
    assert str(os.getpid()) in before
    os.sched_yield()
    assert waited_s(before, core_delays(("self",))) >= 0.0
    assert core_delays((str(2**30),)) is None


@pytest.mark.parametrize("rounds", [1, 4])
def test_fewer_than_five_rounds_give_at_least_what_one_time_a_size_does(rounds):
    spec = make_run(SPEC).spec

    def law(case, who, number):
        ahead = who.threads == 2 and case["batch_size"] > 1000
        return {"samples_s": (1.0 - 0.5 * ahead,), "setup_s": 0.0, "transfer_s": 0.0}

    run = make_run(SPEC, make_rounds(cases_of(spec), PAIR, law, rounds))
    for row in crossovers(run):
        answer = row.answer
        assert answer.outcome == "inconclusive"
        assert answer.at is None
        assert answer.speedup_largest == pytest.approx(2.0)
        assert 300 < answer.first_win <= 3000
        assert "unfinished" in doubts(answer.flags)


@pytest.mark.parametrize(("share", "stands"), [(0.2, True), (0.3, False)])
def test_no_verdict_stands_where_others_took_much_of_the_cores(tmp_path, share, stands):
    """What two threads lose to another program is no property of the job."""
    run, _ = measured(tmp_path / "run", lambda n: share)
    answer = found(run).answer
    assert (answer.outcome == "found") == stands
    assert ("withheld: was found" in answer.flags) == (not stands)
    assert ({zone.name for zone in answer.zones} == {"undecided"}) == (not stands)
    (step,) = {c.next_step for c in with_next_steps(run, [found(run)], tmp_path)}
    assert step == ("" if stands else "crossover doctor")
