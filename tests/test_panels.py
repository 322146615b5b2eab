"""What the figures beside the curves are drawn from, on made runs."""

import dataclasses

import pytest
from builders import cases_of, make_rounds, make_run

from crossover.analysis.breakeven import BreakEven
from crossover.analysis.crossover import crossovers
from crossover.analysis.estimate import estimates
from crossover.analysis.panels import break_evens_of, control_series, speedup_grids
from crossover.analysis.phases import MOST_CALLS, phases, spread, warm_ups
from crossover.analysis.rounds import Recorded
from crossover.analysis.sweeps import sweep_results
from crossover.contender import Contender
from crossover.spec.spec import parse_spec
from crossover.spec.sweep import sweep_type
from crossover.workloads.softmax import SOFTMAX

ONE, TWO = Contender("cpu", "resident", 1), Contender("cpu", "resident", 2)
COPY = dataclasses.replace(ONE, copy=1)


def made_run(sweeps, cost, contenders=(ONE, TWO), rounds=8, **fields):
    """Rounds of `cost(case, contender, round)` seconds, None for a cell without any."""
    named = [str(c) for c in contenders if not c.copy]
    spec = parse_spec(
        {
            "name": "made", "rounds": max(2, rounds), "grid": True, "control": False,
            "contenders": named, "pairs": [[named[0], named[-1]]], "sweep": sweeps,
        },
        "test",
    )  # fmt: skip

    def found(case, who, number):
        seconds = cost(case, who, number)
        usual = {"positions": (0,), "setup_s": 2.0, "transfer_s": 0.5}
        return None if seconds is None else {"samples_s": (seconds,), **usual, **fields}

    return make_run(spec, make_rounds(cases_of(spec), contenders, found, rounds))


def threads_pay(case, contender, number):
    """Equal at batch 1000 x samples / 10000, with 0.1 % noise."""
    at = 1000 * case["samples"] / 10000
    noise = 1 + 0.001 * ((number * (contender.threads + 2)) % 5)
    cost_s = 1e-3 * (1 + case["batch_size"] / at)
    return noise * (cost_s if contender.threads == 1 else 1e-3 + cost_s / 2)


def sweep(samples, values=(10, 100, 1000, 10000), **fields):
    return {"axis": "batch_size", "values": values, "samples": samples, **fields}


def results_of(run):
    return sweep_results(run, crossovers(run))


def test_a_grid_joins_sweeps_that_differ_in_one_value():
    run = made_run(
        [sweep(40000), sweep(10000), sweep(10000, features=9, classes=4)], threads_pay
    )
    (grid,) = speedup_grids(results_of(run))
    assert (grid.axis, grid.second_axis) == ("batch_size", "samples")
    assert (grid.baseline, grid.challenger) == (str(ONE), str(TWO))
    assert [line.value for line in grid.lines] == [10000, 40000]
    assert grid.missing == 0
    first = {p.size: p.speedup for p in grid.lines[0].speedups}
    assert first[10] == pytest.approx(1.01 / (1 + 1.01 / 2), rel=0.01)
    assert grid.lines[0].answer.parity == pytest.approx(1000, rel=0.02)
    assert grid.lines[1].answer.parity == pytest.approx(4000, rel=0.2)


def test_a_grid_counts_the_cells_without_a_measurement():
    def cost(case, contender, number):
        hole = case["batch_size"] == 100 and case["samples"] == 10000
        return None if hole else threads_pay(case, contender, number)

    (grid,) = speedup_grids(results_of(made_run([sweep(10000), sweep(40000)], cost)))
    assert grid.missing == 1
    assert grid.lines[0].sizes == (10, 100, 1000, 10000)
    assert [p.size for p in grid.lines[0].speedups] == [10, 1000, 10000]


def test_a_crossover_belongs_to_the_sweeps_that_ask_for_its_pair():
    """Two sweeps along the same sizes: one against two threads, one against three."""
    three = dataclasses.replace(TWO, threads=3)
    own = {"pairs": [[str(ONE), str(TWO)]]}
    sweeps = [sweep(10000), sweep(10000, **own)]
    results = results_of(made_run(sweeps, threads_pay, (ONE, TWO, three)))
    challengers = [{c.challenger for c in r.timed()} for r in results]
    assert challengers == [{str(three)}, {str(TWO)}]
    assert {c.answer.outcome for r in results for c in r.timed()} == {"found"}


def test_one_sweep_and_unlike_sweeps_make_no_grid():
    alone = made_run([sweep(10000)], threads_pay)
    assert speedup_grids(results_of(alone)) == []
    unlike = made_run([sweep(10000), sweep(40000, features=3)], threads_pay)
    assert speedup_grids(results_of(unlike)) == []


def aa_run(bias=1.0, rounds=8):
    def cost(case, contender, number):
        noise = 1 + 0.002 * ((number * 7 + contender.copy * 3) % 5)
        return 1e-3 * noise * (bias if contender.copy else 1.0)

    return made_run([sweep(10000)], cost, (ONE, COPY, TWO), rounds)


def test_a_control_keeps_every_round_and_its_verdict():
    run = aa_run()
    (control,) = control_series(run, crossovers(run), Recorded(run.measurements))
    assert control.contender == str(ONE)
    assert control.margin == 0.05
    assert control.rounds == {10: 8, 100: 8, 1000: 8, 10000: 8}
    assert [p.ratio for p in control.points[:2]] == pytest.approx(
        [1 / 1.006, 1.004 / 1.0]
    )
    assert [p.round for p in control.points[:2]] == [0, 1]
    assert not control.fired
    biased = aa_run(bias=0.5)
    (fired,) = control_series(biased, crossovers(biased), Recorded(biased.measurements))
    assert fired.medians[10] == pytest.approx(2, rel=0.01)
    assert fired.fired


def test_many_rounds_of_a_control_are_drawn_as_medians():
    run = aa_run(rounds=250)
    (control,) = control_series(run, (), Recorded(run.measurements))
    assert control.rounds_a_point == 3
    first = [p for p in control.points if p.size == 10]
    assert len(first) == 84
    assert first[0].round == 1
    assert control.crossover is None
    assert not control.fired


def test_phases_add_up_to_the_time_from_scratch():
    run = made_run([sweep(10000)], threads_pay)
    known = estimates(run)
    rows = phases(results_of(run)[0], known, 2)
    assert [(row.contender, row.size) for row in rows] == [
        (str(ONE), 10), (str(TWO), 10), (str(ONE), 10000), (str(TWO), 10000),
    ]  # fmt: skip
    scratch = {
        (str(e.contender), e.case["batch_size"]): e.median_s
        for e in known
        if e.view == "from_scratch"
    }
    for row in rows:
        assert row.setup_s == pytest.approx(2.0)
        assert row.transfer_s == pytest.approx(0.5)
        assert row.total_s == pytest.approx(scratch[row.contender, row.size])
        assert row.setup_s + row.transfer_s + row.train_s == pytest.approx(row.total_s)
        assert row.rounds == 8


def test_a_phase_that_was_not_recorded_is_none():
    run = made_run([sweep(10000)], threads_pay, setup_s=None)
    row = phases(results_of(run)[0], estimates(run), 1)[0]
    assert row.setup_s is None
    assert row.transfer_s == pytest.approx(0.5)
    run = made_run([sweep(10000)], threads_pay, setup_s=None, transfer_s=None)
    row = phases(results_of(run)[0], estimates(run), 1)[0]
    assert (row.setup_s, row.transfer_s) == (None, None)
    assert row.total_s == row.train_s


def test_a_warm_up_is_per_epoch_of_the_call():
    run = made_run(
        [sweep(10000, epochs=8)], threads_pay, warmup_s=(3.0, 1.0, 4.0, 4.4),
        epochs_run=4,
    )  # fmt: skip
    rows = warm_ups(results_of(run)[0], Recorded(run.measurements), 2)
    assert [(row.contender, row.size) for row in rows][:2] == [
        (str(ONE), 10), (str(TWO), 10),
    ]  # fmt: skip
    assert rows[0].calls == (1, 2, 3, 4)
    assert rows[0].repeat_s == pytest.approx((3.0, 1.0, 1.0, 1.1))
    assert rows[0].of_calls == 4


def test_a_long_warm_up_is_thinned_and_keeps_its_ends():
    run = made_run([sweep(10000)], threads_pay, warmup_s=(1.0,) * 1000)
    row = warm_ups(results_of(run)[0], Recorded(run.measurements), 1)[0]
    assert len(row.calls) <= MOST_CALLS
    assert row.calls[:3] == (1, 2, 3)
    assert row.calls[-1] == row.of_calls == 1000


def test_a_cell_without_a_warm_up_has_none():
    run = made_run([sweep(10000)], threads_pay)
    assert warm_ups(results_of(run)[0], Recorded(run.measurements), 2) == []


def test_sizes_are_spread_from_end_to_end():
    assert spread([8, 16, 32, 64, 128], 3) == {8, 32, 128}
    assert spread([8, 16], 3) == {8, 16}
    assert spread([8, 16], 1) == {8}
    assert spread([], 2) == set()


def test_break_evens_of_a_sweep_are_its_own_pairs_and_cases():
    run = made_run([sweep(10000), sweep(40000)], threads_pay)
    first, second = results_of(run)

    def row(size, samples=10000, challenger=str(TWO)):
        case = first.sweep.case_at(size).at(samples=samples, epochs=None)
        names = (case, str(ONE), challenger)
        return BreakEven(
            *names, "never", "none", *[None] * 6, 0.95, 8, 1.0, 2.0, 0.1, 0.2
        )

    rows = [row(1000), row(10), row(10, 40000), row(10, challenger="cuda/resident")]
    assert break_evens_of(first, rows) == [rows[1], rows[0]]
    assert break_evens_of(second, rows) == [rows[2]]
    epochs = sweep_type(SOFTMAX)(axis="epochs", values=(1, 2))
    along = dataclasses.replace(first, sweep=epochs)
    assert break_evens_of(along, rows) == []
