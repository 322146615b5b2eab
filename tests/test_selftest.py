"""The selftest itself: its truths are exact, and it can miss."""

import pytest
from builders import MACHINE, FakeWorker, opened, sampled, timed_workers

from crossover.findings import Answer, Crossover
from crossover.selftest import job as selftests
from crossover.workloads.spin import SPIN, Law


def test_the_pairs_differ_and_cross_inside_the_sizes():
    pairs = [selftests.spinning_pair(3, n) for n in range(20)]
    assert len({spec.contenders for _, spec in pairs}) == 20
    assert all(40 <= truth <= 401 for truth, _ in pairs)
    assert pairs == [selftests.spinning_pair(3, n) for n in range(20)]


class LawWorker(FakeWorker):
    """Answers with a law's cost and 2 % of jitter, times a fault."""

    jitter = 0.02
    fault = 1.0

    def opened(self, request):
        return opened(setup_s=0.0, warmup_s=())

    def sampled(self, request):
        law = Law.parse(self.cell.trainer)
        wrong = self.fault if law.step_ns > 20_000 else 1.0
        took_s = law.pass_s(SPIN.case(**self.cell.case))
        return sampled(took_s * self.jittered() * wrong)


@pytest.mark.parametrize(("fault", "ok"), [(1.0, True), (1.4, False)])
def test_the_truth_is_found_and_a_wrong_clock_is_noticed(monkeypatch, fault, ok):
    monkeypatch.setattr(selftests, "snapshot", lambda: MACHINE)
    workers = timed_workers(monkeypatch, LawWorker)
    monkeypatch.setattr(selftests, "Workers", lambda: workers)
    monkeypatch.setattr(LawWorker, "fault", fault)
    said = []
    rows = selftests.selftest(4, 0, 1, said.append)
    assert said == rows[:4]
    assert len(rows) == 5
    assert all(row.ok for row in rows) == ok


def test_a_pair_that_is_not_found_is_a_miss():
    base = ("batch", SPIN.case(), "train", "time_s", "a", "b")
    row, inside = selftests.compared(100.0, Crossover(*base, Answer("inconclusive")))
    assert (row.ok, row.found, inside) == (False, "inconclusive", False)
    found = Crossover(
        *base, Answer("found", parity=105.0, parity_low=101.0, parity_high=108.0)
    )
    row, inside = selftests.compared(100.0, found)
    assert (row.ok, inside) == (True, False)
    assert row.found == "105 (101 to 108), off by 5.0%"
