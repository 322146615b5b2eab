"""The selftest itself: its truths are exact, and it can miss."""

import dataclasses

import pytest
import torch

from bench.command import selftest as selftests
from bench.measure.law import Law, crossing_batch
from bench.measure.spin import SpinTrainer
from bench.nouns import Crossover, Machine
from bench.run import Crew
from softmax_core import make_data, reference_weights
from softmax_core.case import Case

MACHINE = Machine("host", "cpu", 2, None, 1, 0.0, (), {}, {}, {}, "f")


def test_a_law_costs_steps_and_rows():
    law = Law.parse("spin_20000_300")
    assert law == Law(20_000, 300)
    assert str(law) == "spin_20000_300"
    case = Case(samples=1000, batch_size=400)
    assert law.epoch_s(case) == pytest.approx(2.5 * 20e-6 + 1000 * 300e-12, rel=1e-12)


def test_at_the_crossing_both_laws_cost_the_same():
    slow, fast = Law(5_000, 400_000), Law(25_000, 100_000)
    batch = crossing_batch(slow, fast)
    assert batch == pytest.approx(20_000e-9 / 300_000e-12)
    costs = [law.step_ns / batch + law.row_ps / 1000 for law in (slow, fast)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


def test_the_pairs_differ_and_cross_inside_the_sizes():
    pairs = [selftests.spinning_pair(3, n) for n in range(20)]
    assert len({spec.contenders for _, spec in pairs}) == 20
    assert all(40 <= truth <= 401 for truth, _ in pairs)
    assert pairs == [selftests.spinning_pair(3, n) for n in range(20)]


class LawWorker:
    """Answers with a law's cost and 2 % of jitter, times a fault."""

    fault = 1.0

    def __init__(self, contender):
        self.law, self.number = Law.parse(contender.trainer), 0

    def ask(self, request, timeout_s):
        if request["op"] == "open":
            mean, std = request["case"].pop("dispersion")
            self.case = Case(**request["case"], dispersion=(mean, std))
            return {
                "status": "ok", "setup_s": 0.0, "warmup_s": [], "peak_bytes": None,
                "threads": 1, "loss": 0.5, "accuracy": 0.9, "notes": "",
                "calls_per_sample": 1, "epochs_run": 1,
            }  # fmt: skip
        if request["op"] == "close":
            return {}
        self.number += 1
        jitter = 1 + 0.02 * ((7 * self.number + self.law.step_ns) % 11 - 5) / 5
        wrong = self.fault if self.law.step_ns > 20_000 else 1.0
        took_s = self.law.epoch_s(self.case) * jitter * wrong
        return {"sample_s": took_s, "transfer_s": 0.0, "clock_share": None}

    def stop(self):
        pass


@pytest.mark.parametrize(("fault", "ok"), [(1.0, True), (1.4, False)])
def test_the_truth_is_found_and_a_wrong_clock_is_noticed(monkeypatch, fault, ok):
    monkeypatch.setattr(selftests, "snapshot", lambda: MACHINE)
    monkeypatch.setattr(selftests, "Crew", lambda: Crew(start=LawWorker))
    monkeypatch.setattr(LawWorker, "fault", fault)
    said = []
    rows = selftests.selftest(4, 0, 1, said.append)
    assert said == rows[:4]
    assert len(rows) == 5
    assert all(row.ok for row in rows) == ok


def test_a_pair_that_is_not_found_is_a_miss():
    base = ("batch_size", Case(), "train", "time_s", "a", "b")
    row, inside = selftests.compared(100.0, Crossover(*base, "inconclusive"))
    assert (row.ok, row.found, inside) == (False, "inconclusive", False)
    found = Crossover(*base, "found", at=105.0, low=101.0, high=108.0)
    row, inside = selftests.compared(100.0, found)
    assert (row.ok, inside) == (True, False)
    assert row.found == "105 (101 to 108), off by 5.0%"


def test_spinning_ends_at_the_weights_of_as_many_epochs_as_were_spun():
    case = Case(samples=30, batch_size=10, epochs=5)
    data = make_data(case)
    session = SpinTrainer(Law.parse("spin_1_1")).prepare(case, data)
    session.train(5)
    session.reset()
    session.train(2)
    right = reference_weights(dataclasses.replace(case, epochs=2), data)
    for got, wanted in zip(session.weights(), right, strict=True):
        assert torch.equal(got, wanted.to(torch.float32))
