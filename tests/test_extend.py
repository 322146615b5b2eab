"""The search goes beyond the sizes given where a lead may begin there, within means."""

import pytest
from builders import MACHINE, FakeWorker, carried_out, make_round, make_run, opened

from crossover.analysis.crossover import crossovers, incomplete
from crossover.measure.pipe import Ended
from crossover.plan.extend import MOST_UP, Means, larger, smaller
from crossover.plan.plan import next_blocks
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import SOFTMAX

PAIR = ["cpu/resident@1", "cpu/resident@2"]
SWEEP = {"axis": "batch_size", "values": [64, 512], "samples": 60000}
SPEC = {
    "name": "extend", "control": False, "contenders": PAIR, "pairs": [PAIR],
    "width": 2.0, "budget_s": 1000.0, "sweep": [SWEEP],
}  # fmt: skip


class Priced(FakeWorker):
    peak_bytes = None
    fails = ()

    def opened(self, request):
        if request.case["batch_size"] in self.fails:
            return Ended(status="oom", notes="no room")
        return opened(threads=request.threads, peak_bytes=self.peak_bytes)


def worker(**fields):
    return type("Worker", (Priced,), fields)


def searched(out, crossing, fields=None, **changes):
    how = worker(crossing=crossing, **changes)
    run = carried_out(SPEC | (fields or {}), out, how)
    return run, {m.case["batch_size"] for m in run.measurements}


def test_a_lead_from_the_smallest_size_on_is_looked_for_below(tmp_path):
    class Steep(Priced):
        def took_s(self):
            fixed, row = {1: (1e-4, 1e-5), 2: (3e-4, 2e-6)}[self.cell.threads]
            return (fixed + row * self.cell.case["batch_size"]) * self.jittered()

    run = carried_out(SPEC, tmp_path / "run", Steep)
    assert 1 <= min(m.case["batch_size"] for m in run.measurements) <= 16
    found = crossovers(run)[0].answer
    assert found.outcome == "found"
    assert found.low < 27.2 < found.high < 64
    assert next_blocks(run.spec, run.measurements, run.machine) == []


def test_it_ends_at_the_least_size_that_there_is(tmp_path):
    run, sizes = searched(tmp_path / "run", -1500)
    assert min(sizes) == 1
    assert crossovers(run)[0].answer.outcome == "always"


def test_what_gains_towards_the_largest_size_is_looked_for_above(tmp_path):
    run, sizes = searched(tmp_path / "run", 3000)
    assert 3000 < max(sizes) <= MOST_UP * 512
    found = crossovers(run)[0].answer
    assert found.outcome == "found"
    assert 512 < found.low < found.at < found.high
    assert incomplete(run, crossovers(run)) == []


def test_what_gains_nothing_is_not(tmp_path):
    class Slower(Priced):
        def took_s(self):
            return 1e-3 * self.cell.threads * self.jittered()

    run = carried_out(SPEC, tmp_path / "run", Slower)
    assert {m.case["batch_size"] for m in run.measurements} == {64, 512}
    assert crossovers(run)[0].answer.outcome == "never"
    assert max(m.round for m in run.measurements) == 7


def test_no_round_is_spent_to_prove_equality(tmp_path):
    class Same(Priced):
        jitter = 0.05

        def took_s(self):
            return 1e-3 * self.jittered()

    run = carried_out(SPEC, tmp_path / "run", Same)
    assert {m.case["batch_size"] for m in run.measurements} == {64, 512}
    assert max(m.round for m in run.measurements) == 7


@pytest.mark.parametrize(
    "fields",
    [
        {"grid": True, "rounds": 8},
        {"budget_s": 1.0},  # half of what is left is not enough for another cell
        {"budget_s": None},  # nor is what two cells took that open at once
        {"cell_timeout_s": 0.01},
    ],
)
def test_it_ends_where_the_spec_and_its_means_do(tmp_path, fields):
    _, sizes = searched(tmp_path / "run", 3000, fields)
    assert sizes == {64, 512}


def test_it_ends_where_the_memory_does(tmp_path):
    """A contender that holds a quarter of the memory may have twice as much, once."""
    quarter = MACHINE.memory_bytes // 4
    _, sizes = searched(tmp_path / "run", 3000, peak_bytes=quarter)
    assert 3000 < max(sizes) <= 4096  # the same is reported at every size
    means = Means(None, MACHINE)
    case = SOFTMAX.case(samples=64)
    means.add(make_round(case, PAIR[0], 0, 1.0, peak_bytes={"cpu": quarter}))
    assert means.hold(case, 2.0, ["cpu"])
    assert not means.hold(case, 2.1, ["cpu"])
    assert means.hold(case, 2.1, ["cuda:0"])


def test_a_size_that_only_the_search_proposed_makes_no_run_incomplete(tmp_path):
    run, sizes = searched(tmp_path / "run", 3000, fails=(1024,))
    assert max(sizes) == 1024
    assert "oom" in {m.status for m in run.measurements}
    assert incomplete(run, crossovers(run)) == []
    asked, _ = searched(tmp_path / "asked", 3000, fails=(512,))
    assert incomplete(asked, crossovers(asked)) == [
        "2 cells ended without a time (oom)"
    ]


def test_sizes_that_a_job_cannot_have_are_not_proposed():
    def sweep(**fields):
        return parse_spec(SPEC | {"sweep": [SWEEP | fields]}, "t").sweep[0]

    assert (smaller(sweep(), 64), larger(sweep(), 512)) == (16, 1024)
    assert smaller(sweep(), 1) is None
    assert smaller(sweep(), 3) == 1
    assert larger(sweep(), 50000) is None  # too far from the largest asked for
    assert larger(sweep(values=[64, 40000]), 40000) == 60000  # all samples
    assert larger(sweep(values=[64, 60000]), 60000) is None
    features = sweep(axis="features", values=[4, 16], batch_size=64)
    assert larger(features, 16) is None  # its learning rate is for 16 at most
    assert smaller(features, 4) == 1
    few = sweep(axis="samples", values=[16, 64], batch_size=60000, classes=10)
    assert smaller(few, 16) is None  # a sample of each class


def test_a_run_takes_up_its_extension_where_it_was(tmp_path):
    run, _ = searched(tmp_path / "run", 3000)
    rows = run.measurements
    for kept in range(32, len(rows), 16):
        blocks = next_blocks(run.spec, rows[:kept], run.machine)
        assert blocks[0].case == rows[kept].case
    assert make_run(SPEC).spec == run.spec
