"""The cost model on times whose law is known."""

import dataclasses
import itertools

import numpy as np
import pytest
from builders import make_machine, make_rounds, make_run
from scipy.optimize import nnls

from crossover.analysis.cost_model import cost_models, epoch_work, predicted_s
from crossover.analysis.flags import advice
from crossover.analysis.frame import derive, frames
from crossover.contender import Contender
from crossover.crossing.answer import Settings, answer
from crossover.crossing.cost_fit import Ranged, best_fits, fit
from crossover.crossing.definitions import fitted, fitted_interval
from crossover.report.tables import cost_table, document, ranged, scaled_lines
from crossover.report.words.document import markdown
from crossover.report.words.table import markdown_lines
from crossover.selftest.row import clopper_pearson
from crossover.selftest.simulate import SIZES, Model, cost_curve, seconds
from crossover.workloads.softmax import SOFTMAX, Softmax

WHO = Contender("cpu", "resident", 1)
TRUTH = {"per_epoch": 1e-3, "per_step": 4e-5, "per_row": 1e-6}
FIXED = {"setup": 0.5, "transfer": 2e-4, "per_byte": 1e-9}
SIZES_2D = [
    (n, b) for n, b in itertools.product((1024, 4096, 16384), (32, 128, 512, 4096))
    if b <= n
]  # fmt: skip
MACHINE = make_machine(versions={"torch": "2.13.0"})
SPEC = {
    "name": "made", "control": False, "contenders": ["cpu/resident@1"],
    "pairs": [["cpu/resident@1", "cpu/manual@1"]],
    "sweep": [{"axis": "batch_size", "values": [10], "samples": 1500}],
}  # fmt: skip


def law(case, truth=TRUTH):
    """Return the seconds of an epoch."""
    costs = (truth["per_epoch"], truth["per_step"], truth["per_row"])
    return float(epoch_work(case, Softmax().work(case), SOFTMAX.costs) @ costs)


def noise(rng, rounds, share=0.05):
    """Return factors: lognormal, and 3 % spikes of Exp(1)."""
    spikes = np.where(rng.random(rounds) < 0.03, rng.exponential(1.0, rounds), 0.0)
    return np.exp(rng.normal(0, share, rounds)) * (1 + spikes)


def made_run(cases, rng, rounds=16, epoch_s=law, who=WHO, share=0.05, run=None, **more):
    """Return a run of one contender, or that run with its cells added."""
    rows = list(run.measurements) if run else []
    for case in cases:
        size = case["samples"] * (4 * case["features"] + 8)
        epochs = more.get("epochs_run", case["epochs"])
        trained = epochs * epoch_s(case) * noise(rng, rounds, share)
        moved = FIXED["transfer"] + size * FIXED["per_byte"]
        moved *= noise(rng, rounds, share)

        def found(case, who, number, trained=trained, moved=moved):
            return {
                "positions": (0,), "samples_s": (trained[number],),
                "setup_s": FIXED["setup"], "transfer_s": moved[number],
                "work": Softmax().work(case), **more,
            }  # fmt: skip

        rows += make_rounds([case], [who], found, rounds)
    return make_run(SPEC, rows, machine=MACHINE)


def cases(sizes=SIZES_2D, epochs=1, **fixed):
    return [
        SOFTMAX.case(samples=n, batch_size=b, epochs=epochs, features=8, **fixed)
        for n, b in sizes
    ]


def holds(cost, truth):
    return cost.high is not None and (cost.low or 0.0) <= truth <= cost.high


def within(hits, tries, least=0.93, most=0.98):
    """Tell whether chance (1 %) explains a share outside its bounds."""
    low, high = clopper_pearson(hits, tries, 0.99)
    return low <= most and high >= least


def test_without_noise_every_cost_is_found():
    rng = np.random.default_rng(1)
    run = made_run(cases(), rng, share=1e-6, launches_per_step=4)
    (costs,) = cost_models(run)
    for part, truth in (TRUTH | FIXED).items():
        assert costs.rows()[part].seconds == pytest.approx(truth, rel=1e-3), part
    assert costs.per_launch.seconds == pytest.approx(1e-5, rel=1e-3)
    assert costs.launches_per_step == 4
    assert costs.fit_error < 1e-3
    assert costs.flags == ()
    assert (costs.setup.low, costs.setup.high) == pytest.approx((0.5 / 1.2, 0.6))


def test_no_number_of_launches_no_cost_of_one():
    (costs,) = cost_models(made_run(cases(), np.random.default_rng(1)))
    assert costs.launches_per_step is None
    assert costs.per_launch == Ranged()


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_best_fits_are_scipys(columns):
    rng = np.random.default_rng(columns)
    for _ in range(50):
        work = rng.uniform(0.1, 5, (6, columns))
        times = rng.uniform(0.5, 2, (6, 3))
        fits = best_fits(work, times, np.ones(6))
        for column in range(3):
            kept = fits[~np.isnan(fits[:, column, 0]), column]
            assert len(kept) == 1
            assert kept[0] == pytest.approx(nnls(work, times[:, column])[0], abs=1e-9)


def test_costs_that_the_sizes_cannot_tell_apart_are_none_and_bounded():
    """Samples never vary: a row and an epoch are paid equally often."""
    sizes = [(4096, b) for b in (16, 64, 256, 1024, 4096)]
    (costs,) = cost_models(made_run(cases(sizes), np.random.default_rng(2)))
    assert costs.parts["per_row"].seconds is costs.parts["per_row"].low is None
    assert costs.parts["per_epoch"].seconds is costs.parts["per_epoch"].low is None
    together = TRUTH["per_epoch"] + 4096 * TRUTH["per_row"]
    assert together < costs.parts["per_epoch"].high < 1.1 * together
    assert together < 4096 * costs.parts["per_row"].high < 1.1 * together
    assert costs.per_step.seconds == pytest.approx(TRUTH["per_step"], rel=0.05)
    asked = SOFTMAX.case(samples=4096, batch_size=100, features=8, epochs=7)
    said = predicted_s(costs, asked, Softmax().work(asked))
    assert said.low < 7 * law(asked) < said.high
    elsewhere = asked.at(samples=8192)
    assert predicted_s(costs, elsewhere, Softmax().work(elsewhere)) == Ranged()


def test_a_cost_that_is_not_there_is_none_and_never_zero():
    free = TRUTH | {"per_epoch": 0.0}
    given = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        (costs,) = cost_models(made_run(cases(), rng, epoch_s=lambda c: law(c, free)))
        given += costs.parts["per_epoch"].seconds is not None
        assert costs.parts["per_epoch"].seconds != 0
        assert 0 < costs.parts["per_epoch"].high < 4e-4
    assert given <= 2


def test_a_cost_that_would_be_negative_is_unknown_and_not_below_zero():
    def epoch_s(case):
        return law(case) - 1.9 * TRUTH["per_epoch"]

    (costs,) = cost_models(made_run(cases(), np.random.default_rng(4), epoch_s=epoch_s))
    assert costs.parts["per_epoch"] == Ranged()
    assert ranged(costs.parts["per_epoch"]) == "unknown"
    assert costs.per_step.seconds is not None


def test_one_case_tells_its_own_time_and_no_cost():
    asked = cases([(1024, 32)], epochs=5)
    (costs,) = cost_models(made_run(asked, np.random.default_rng(3)))
    for part in ("per_step", "per_row", "per_epoch"):
        assert costs.rows()[part].seconds is None
        assert costs.rows()[part].high > TRUTH[part]
    assert costs.fit_error is None
    more = asked[0].at(epochs=500)
    said = predicted_s(costs, more, Softmax().work(more))
    assert said.low < 500 * law(more) < said.high


def test_a_law_of_another_form_is_flagged():
    def cached(case):
        return law(case) * (3 if case["batch_size"] > 1000 else 1)

    (costs,) = cost_models(made_run(cases(), np.random.default_rng(4), epoch_s=cached))
    (flag,) = costs.flags
    assert flag.startswith("misfit: ")
    assert "batch size" in flag
    assert costs.fit_error > 0.2
    bare = made_run([], np.random.default_rng(4))
    derived = dataclasses.replace(derive(bare), costs=[costs])
    report = markdown(document(bare, derived, [], False))
    assert f"- `misfit`: {advice('misfit')}" in report
    (good,) = cost_models(made_run(cases(), np.random.default_rng(4)))
    widths = [
        c.parts["per_row"].high - (c.parts["per_row"].low or 0) for c in (good, costs)
    ]
    assert widths[1] > 3 * widths[0]


def test_shapes_and_contenders_have_costs_of_their_own_and_copies_none():
    rng = np.random.default_rng(5)
    wide = [case.at(features=16) for case in cases()]
    run = made_run(cases(), rng)
    run = made_run(wide, rng, run=run, epoch_s=lambda case: 2 * law(case))
    run = made_run(cases(), rng, run=run, who=Contender("cpu", "resident", 1, copy=1))
    run = made_run(cases(), rng, run=run, who=Contender("cpu", "manual", 1), rounds=4)
    narrow_costs, wide_costs = cost_models(run)
    ratio = wide_costs.per_step.seconds / narrow_costs.per_step.seconds
    assert ratio == pytest.approx(2, rel=0.1)
    assert predicted_s(narrow_costs, wide[0], Softmax().work(wide[0])) == Ranged()


def test_the_views_add_their_parts():
    (costs,) = cost_models(made_run(cases(), np.random.default_rng(6)))
    case = cases([(4096, 128)], epochs=3)[0]
    train, moved, scratch = (
        predicted_s(costs, case, Softmax().work(case), view).seconds
        for view in ("train", "with_transfer", "from_scratch")
    )
    assert train == pytest.approx(3 * law(case), rel=0.05)
    move = FIXED["transfer"] + 4096 * 40 * FIXED["per_byte"]
    assert moved - train == pytest.approx(move, rel=0.1)
    assert scratch - moved == pytest.approx(FIXED["setup"])
    untimed = made_run(cases(), np.random.default_rng(6))
    rows = [dataclasses.replace(m, transfer_s=None) for m in untimed.measurements]
    (costs,) = cost_models(dataclasses.replace(untimed, measurements=tuple(rows)))
    assert costs.transfer == costs.per_byte == Ranged()
    assert predicted_s(costs, case, Softmax().work(case), "with_transfer") == Ranged()


def test_the_same_seed_gives_the_same_intervals():
    run = made_run(cases(), np.random.default_rng(7))
    assert cost_models(run) == cost_models(run)
    other = dataclasses.replace(run, spec=run.spec.model_copy(update={"seed": 1}))
    assert (
        cost_models(other)[0].parts["per_row"] != cost_models(run)[0].parts["per_row"]
    )


def test_an_extrapolated_cell_stands_beside_the_model():
    rng = np.random.default_rng(8)
    run = made_run(cases(), rng)
    notes = "extrapolated: 4 of 40 epochs timed"
    scaled = cases([(2048, 64)], epochs=40)
    run = made_run(scaled, rng, run=run, epochs_run=4, notes=notes)
    derived = derive(run)
    (line,) = scaled_lines(zip(derived.estimates, derived.modelled, strict=True))
    assert "batch size 64, 40 epochs" in line
    table = frames(run, derived).estimates
    row = table[(table["epochs"] == 40) & (table["view"] == "train")].iloc[0]
    truth = 40 * law(scaled[0])
    assert row.model_low_s < truth < row.model_high_s
    assert row.model_off == row.model_s / row.median_s - 1
    assert abs(row.model_off) < 0.1


def test_the_table_has_full_seconds_and_the_markdown_units():
    run = made_run(cases(), np.random.default_rng(9))
    derived = derive(run)
    (costs,) = derived.costs
    (row,) = frames(run, derived).costs.to_dict("records")
    assert row["per_row_s"] == costs.parts["per_row"].seconds
    assert row["per_step_low_s"] == costs.per_step.low
    assert row["contender"] == "cpu/resident@1"
    _, _, line = markdown_lines(cost_table(derived.costs))
    assert ranged(costs.parts["per_row"]) in line
    assert " ns (" in ranged(costs.parts["per_row"])
    assert ranged(Ranged(high=3e-9)) == "below 3 ns"
    assert ranged(Ranged()) == "unknown"


def covered(runs, rounds, epochs=100):
    """Return in how many runs each interval holds the truth, by cost."""
    asked = SOFTMAX.case(samples=10000, batch_size=100, features=8, epochs=epochs)
    hits = dict.fromkeys([*TRUTH, "transfer", "per_byte", "predicted"], 0)
    for seed in range(runs):
        rng = np.random.default_rng([rounds, seed])
        (costs,) = cost_models(made_run(cases(), rng, rounds))
        for part in [*TRUTH, "transfer", "per_byte"]:
            hits[part] += holds(costs.rows()[part], (TRUTH | FIXED)[part])
        hits["predicted"] += holds(
            predicted_s(costs, asked, Softmax().work(asked)), epochs * law(asked)
        )
    return hits


def test_the_intervals_cover_the_truth():
    for part, hits in covered(60, 16).items():
        assert within(hits, 60), (part, hits)


@pytest.mark.simulation
@pytest.mark.parametrize("rounds", [8, 16, 32])
def test_the_intervals_cover_the_truth_of_1000_runs(rounds):
    found = covered(1000, rounds)
    print(rounds, found)
    for part, hits in found.items():
        assert within(hits, 1000), (part, hits)


def fitted_covered(sweeps, speedup, rounds=16):
    work = np.column_stack([np.ones(len(SIZES)), SIZES])
    hits = 0
    for seed in range(sweeps):
        rng = np.random.default_rng([11, seed])
        truth = float(np.exp(rng.uniform(np.log(SIZES[2]), np.log(SIZES[7]))))
        times = seconds(cost_curve(truth, speedup), Model(rounds=rounds), rng)
        sides = [list(side) for side in times]
        low, high = fitted_interval(SIZES, work, *sides, 0.95, seed)
        hits += (low or 0.0) <= truth <= (high or np.inf)
    return hits


@pytest.mark.parametrize("speedup", [10.0, 2.0])
def test_the_fitted_crossover_of_a_known_law_is_in_its_interval(speedup):
    assert within(fitted_covered(40, speedup), 40, 0.93, 1.0)


@pytest.mark.simulation
@pytest.mark.parametrize("speedup", [10.0, 2.0, 1.25])
def test_the_fitted_crossover_is_in_its_interval_in_500_sweeps(speedup):
    hits = fitted_covered(500, speedup)
    print(speedup, hits)
    assert within(hits, 500, 0.93, 1.0)


def test_a_fitted_crossover_has_an_interval_around_it():
    work = np.column_stack([np.ones(len(SIZES)), SIZES])
    rng = np.random.default_rng(12)
    times = seconds(cost_curve(2000.0, 10.0), Model(drift=0.0), rng)
    sides = [list(side) for side in times]
    at = fitted(SIZES, work, *(np.median(side, axis=1) for side in times))
    low, high = fitted_interval(SIZES, work, *sides, 0.95, 0)
    assert low < 2000 < high < 1.3 * low
    assert low < at < high
    never = [sides[0], [3 * s for s in sides[0]]]
    assert fitted_interval(SIZES, work, *never, 0.95, 0) == (None, None)


def test_where_the_fitted_crossover_disagrees_its_interval_is_said():
    """A challenger four times as fast from 1,000 rows on: its curve is no sum of costs.

    The costs fitted cross elsewhere than the times do.
    """
    rng = np.random.default_rng(13)
    other = np.where(SIZES > 1000, 0.8, 1.2) * (100 + SIZES)
    base = 100 + SIZES
    rounds = [
        [t * np.exp(rng.normal(0, 0.01, 16)) for t in side] for side in (base, other)
    ]
    work = np.column_stack([np.ones(len(SIZES)), SIZES])
    found = answer(SIZES, *rounds, work, Settings())
    assert found.outcome == "found"
    said = [f for f in found.flags if f.startswith("definitions_disagree")]
    assert said
    assert "fitted (" in said[0]
    assert " to " in said[0]


def test_a_fit_needs_more_cells_than_costs_to_be_tested():
    rng = np.random.default_rng(14)
    work = np.array([[1.0, 10.0, 100.0], [1.0, 20.0, 100.0], [1.0, 20.0, 400.0]])
    rounds = [row.sum() * noise(rng, 8) for row in work]
    made = fit(work, rounds, 0.95, 0)
    assert made.spare == 0
    assert made.scale == 1.0
