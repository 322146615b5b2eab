"""Break-even: known cases, whole runs, and coverage of simulated truth."""

import numpy as np
import pytest
from builders import cases_of, make_rounds, make_run
from scipy import stats
from scipy.signal import lfilter

from crossover.analysis.breakeven import INTERVALS, OUTCOMES, break_even, break_evens
from crossover.crossing.fieller import fieller, means
from crossover.selftest.row import clopper_pearson
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import Softmax

TRUTH = 50.0


def steady(value, rounds=8, spread=0.01):
    noise = np.random.default_rng([int(100 * value), rounds]).normal(size=rounds)
    return value * (1 + spread * stats.zscore(noise))


def test_fieller_is_the_inverted_t_test():
    rng = np.random.default_rng(3)
    top, bottom = rng.normal(6, 1, 12), rng.normal(2, 0.5, 12)
    found = fieller(means(top, bottom, trim=0), 0.95)
    assert found.kind == "bounded"
    for end in (found.low, found.high):
        assert stats.ttest_1samp(top - end * bottom, 0).pvalue == pytest.approx(0.05)
    assert found.low < top.mean() / bottom.mean() < found.high


def test_the_trimmed_mean_and_its_error_are_yuens():
    values = np.random.default_rng(4).standard_cauchy(20) + 3
    found = means(values, np.ones(20))
    yuen = stats.ttest_ind(values, np.zeros(20), equal_var=False, trim=0.1)
    assert found.numerator == pytest.approx(stats.trim_mean(values, 0.1))
    assert found.numerator / found.errors[0] ** 0.5 == pytest.approx(yuen.statistic)
    assert found.freedom == 15


@pytest.mark.parametrize(
    ("top", "bottom", "kind"),
    [
        ((5, 1), (0.1, 1), "rays"),
        ((0.1, 1), (0.1, 1), "everything"),
        ((0.1, 1), (5, 1), "bounded"),
    ],
)
def test_unbounded_sets_are_said_to_be(top, bottom, kind):
    rng = np.random.default_rng(5)
    shape = stats.zscore(rng.normal(size=(2, 16)), axis=1, ddof=1)
    sides = [m + s * z for (m, s), z in zip((top, bottom), shape, strict=True)]
    found = fieller(means(*sides, trim=0), 0.95)
    assert found.kind == kind
    ratio = top[0] / bottom[0]
    if kind == "bounded":
        assert found.low <= ratio <= found.high
    separated = stats.ttest_1samp(sides[1], 0).pvalue < 0.05
    assert (found.kind == "bounded") == separated
    if kind == "rays":
        assert found.low < 0 < found.high <= ratio


SURE = {
    # fixed of baseline, challenger; an epoch of both
    "pays_from": ((1, 11), (2, 1)),
    "at_once": ((11, 1), (2, 1)),
    "never": ((1, 11), (1, 2)),
    "loses_from": ((11, 1), (1, 2)),
}


@pytest.mark.parametrize("outcome", SURE)
def test_each_outcome(outcome):
    fixed, epoch = ([steady(v) for v in side] for side in SURE[outcome])
    found = break_even(fixed, epoch)
    assert found.outcome == outcome
    if outcome in ("at_once", "never"):
        assert found.interval == "none"
        assert found.repeats is found.low is found.high is None
    else:
        assert found.interval == "bounded"
        assert found.repeats == pytest.approx(10)
        assert 9 < found.low < 10 < found.high < 11


def test_constant_times_give_a_point():
    fixed = [np.full(8, 1.0), np.full(8, 11.0)]
    found = break_even(fixed, [np.full(8, 2.0), np.full(8, 1.0)])
    assert (found.low, found.repeats, found.high) == pytest.approx((10, 10, 10))
    found = break_even(fixed, [np.full(8, 2.0)] * 2)
    assert (found.outcome, found.interval) == ("inconclusive", "open_above")
    assert found.low is None  # no number of epochs is known to be too few


def test_alike_fixed_costs_are_open_below():
    rng = np.random.default_rng(6)
    fixed = [rng.normal(5, 1, 16), rng.normal(5, 1, 16)]
    faster = break_even(fixed, [steady(2, 16), steady(1, 16)])
    slower = break_even(fixed, [steady(1, 16), steady(2, 16)])
    assert (faster.outcome, faster.interval) == ("pays_from", "open_below")
    assert faster.low is None
    assert 0 <= faster.repeats < faster.high < 2
    assert (slower.outcome, slower.interval) == ("loses_from", "open_below")


def test_alike_epochs_are_open_above_and_decide_nothing():
    epoch = [steady(5, 16, 0.2), steady(5.01, 16, 0.2)]
    found = break_even([steady(1, 16), steady(11, 16)], epoch)
    assert (found.outcome, found.interval) == ("inconclusive", "open_above")
    assert found.low > 0
    assert found.repeats is found.high is None


def test_swapping_the_contenders_mirrors_the_answer():
    rng = np.random.default_rng(8)
    fixed, epoch, setups = simulated(rng, 16, 0.05, 2, setup_share=0.5)
    one = break_even(fixed, epoch, setups, resolution=0.01)
    other = break_even(fixed[::-1], epoch[::-1], setups[::-1], resolution=0.01)
    assert (one.outcome, other.outcome) == ("pays_from", "loses_from")
    assert (one.low, one.repeats, one.high) == pytest.approx(
        (other.low, other.repeats, other.high)
    )


def test_one_set_up_widens_by_a_fifth_either_way():
    fixed = [np.zeros(8), np.full(8, 10.0)]
    epoch = [np.full(8, 2.0), np.full(8, 1.0)]
    found = break_even(fixed, epoch, (0.0, 10.0))
    assert (found.low, found.high) == pytest.approx((10 / 1.2, 12))
    both = break_even([f + 60 for f in fixed], epoch, (60.0, 70.0))
    assert (both.outcome, both.low) == ("pays_from", None)  # 10 is within the fifth
    assert both.high == pytest.approx(24)


def test_a_process_luck_may_be_all_the_difference():
    fixed, close = [np.zeros(8), np.full(8, 10.0)], [steady(1.01), steady(1.0, 8, 0)]
    close[0] = steady(1.01, 8, 1e-4)
    assert break_even(fixed, close).outcome == "pays_from"
    assert break_even(fixed, close, resolution=0.02).outcome == "inconclusive"


# whole runs

SPEC = {
    "contenders": ["cpu/resident@1", "cpu/manual@1", "cuda/resident", "cuda/lesson"],
    "pairs": [
        ["cpu/resident@1", "cuda/resident"],
        ["cpu/best@1", "cuda/best"],
        ["cpu/resident@1", "cpu/manual@1"],
    ],
    "sweep": [
        {"axis": "samples", "values": [100, 1000], "batch_size": 10, "epochs": 4},
        {"axis": "epochs", "values": [4, 8], "samples": 1000, "batch_size": 10},
    ],
    "control": False,
}
COSTS = {  # set-up, transfer, a sample's seconds
    "cpu/resident@1": (0.1, 1e-9, 1e-4),
    "cpu/manual@1": (0.1, 1e-9, 0.8e-4),
    "cuda/resident": (2.0, 0.01, 0.2e-4),
    "cuda/lesson": (3.0, 0.01, 0.1e-4),
    "cpu/resident@1#1": (0.1, 1e-9, 2e-4),
}


def made_run(names=None, rounds=8, **changes):
    spec, rng = parse_spec(SPEC, "test"), np.random.default_rng(1)

    def found(case, who, number):
        setup_s, transfer_s, sample_s = COSTS[str(who)]
        noise = rng.normal(1, 0.005, 3)
        return {
            "samples_s": tuple(3 * 2 * case["samples"] * sample_s * noise[:2]),
            "calls_per_sample": 3, "epochs_run": 2, "setup_s": setup_s,
            "transfer_s": transfer_s * noise[2], "work": Softmax().work(case),
            **changes,
        }  # fmt: skip

    contenders = names or SPEC["contenders"]
    return make_run(spec, make_rounds(cases_of(spec), contenders, found, rounds))


def test_a_run_has_a_break_even_for_each_pair_and_case():
    found = break_evens(made_run())
    # n1000 b10 e4 is in both sweeps, and counted once
    assert len(found) == 3 * 3
    assert {b.outcome for b in found} <= set(OUTCOMES)
    assert {b.interval for b in found} <= set(INTERVALS)
    by_case = {b.case: b for b in found if b.challenger == "cuda/resident"}
    for case, b in by_case.items():
        expected = 1.91 / (case["samples"] * 0.8e-4)
        assert b.outcome == "pays_from"
        assert b.repeats == pytest.approx(expected, rel=0.01)
        assert b.trained == pytest.approx(b.repeats * case["samples"])
        assert b.trained_low == pytest.approx(b.low * case["samples"])
        assert b.low < 0.9 * b.repeats  # the set-up may be off by a fifth
        assert b.high > 1.1 * b.repeats
        assert b.rounds == 8
        assert b.challenger_fixed_s == pytest.approx(2.01, rel=0.01)
        assert b.baseline_repeat_s == pytest.approx(case["samples"] * 1e-4, rel=0.01)
        assert "setup_once" in b.flags


def test_best_is_the_fastest_per_epoch_with_its_own_fixed_cost():
    b = next(b for b in break_evens(made_run()) if b.challenger == "cuda/best")
    assert b.challenger_fixed_s == pytest.approx(3.01, rel=0.01)
    assert b.challenger_repeat_s == pytest.approx(b.case["samples"] * 0.1e-4, rel=0.01)
    assert b.baseline_repeat_s == pytest.approx(b.case["samples"] * 0.8e-4, rel=0.01)


def test_set_ups_alike_are_open_below():
    rows = [b for b in break_evens(made_run()) if b.challenger == "cpu/manual@1"]
    assert {(b.outcome, b.interval) for b in rows} == {("pays_from", "open_below")}


def test_what_was_not_measured_has_no_break_even():
    assert break_evens(made_run(rounds=4)) == []
    assert break_evens(made_run(setup_s=None)) == []
    assert break_evens(made_run(transfer_s=None)) == []
    some = break_evens(made_run(["cpu/resident@1", "cpu/manual@1"]))
    assert {b.challenger for b in some} == {"cpu/manual@1"}


def test_a_control_that_fires_bars_them_all():
    found = break_evens(made_run([*SPEC["contenders"], "cpu/resident@1#1"]))
    assert {b.outcome for b in found} == {"inconclusive"}
    assert {b.repeats for b in found} == {None}
    assert found[0].flags[0] == "control_fired: was pays_from"


# simulated truth

NOISES, SPEEDUPS, ROUNDS = (0.05, 0.15), (10.0, 2.0, 1.25), (8, 16, 32)


def disturbed(rng, value, drift, noise):
    """Lognormal noise, 3 % spikes of Exp(1) x the time, and what the pair shares."""
    logs = rng.normal(0, noise, len(drift)) + drift
    hit = rng.random(len(drift)) < 0.03
    logs += np.where(hit, np.log1p(rng.exponential(1, len(drift))), 0)
    return value * np.exp(logs)


def simulated(rng, rounds, noise, speedup, setup_share=0.0, misread=0.0):
    """Times whose break-even is TRUTH; drift AR(1) of 5 %, as in simulate.py."""
    shocks = rng.normal(0, np.sqrt(1 - 0.9**2), rounds)
    shocks[0] = rng.normal()
    drift = 0.05 * lfilter([1], [1, -0.9], shocks)
    epoch = (1.0, 1 / speedup)
    gap = TRUTH * (epoch[0] - epoch[1])
    fixed = np.array([0.2 * gap, 1.2 * gap])
    read = setup_share * fixed * np.exp(rng.normal(0, misread, 2))
    moved = [disturbed(rng, (1 - setup_share) * f, drift, noise) for f in fixed]
    return (
        [r + m for r, m in zip(read, moved, strict=True)],
        [disturbed(rng, e, drift, noise) for e in epoch],
        tuple(read),
    )


def covers(found):
    if found.interval == "none" or found.outcome == "loses_from":
        return False
    return (found.low or 0) <= TRUTH <= (found.high or np.inf)


def share_covered(cases, seed, rounds, noise, speedup):
    """Count covers; an interval is open above only where the slopes are not apart."""
    hits = 0
    for i in range(cases):
        rng = np.random.default_rng([seed, rounds, int(100 * noise), i])
        fixed, epoch, _ = simulated(rng, rounds, noise, speedup)
        found = break_even(fixed, epoch)
        _, slope = means(fixed[1] - fixed[0], epoch[0] - epoch[1]).signs(0.95)
        assert (found.interval in ("open_above", "unbounded")) == (slope == 0)
        assert (found.outcome == "inconclusive") == (slope == 0)
        hits += covers(found)
    return hits / cases


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("speedup", SPEEDUPS)
def test_coverage(noise, speedup):
    cases = 150
    share = share_covered(cases, 1, 16, noise, speedup)
    low, high = clopper_pearson(round(share * cases), cases, 0.99)
    assert low <= 0.98
    assert high >= 0.93


def test_a_contender_seldom_beats_itself():
    """Alike in everything: a verdict on the epochs is false, whatever it is."""
    false = 0
    for i in range(300):
        rng = np.random.default_rng([2, i])
        times = [disturbed(rng, 1.0, np.zeros(16), 0.05) for _ in range(4)]
        false += break_even(times[:2], times[2:]).outcome != "inconclusive"
    assert clopper_pearson(false, 300, 0.99)[0] <= 0.05


@pytest.mark.simulation
@pytest.mark.parametrize("seed", [1, 2])
def test_coverage_of_1000_cases_a_setting(seed):
    print(f"\nseed {seed}: % covered with {', '.join(map(str, ROUNDS))} rounds")
    shares = {}
    for noise in NOISES:
        for speedup in SPEEDUPS:
            row = [share_covered(1000, seed, n, noise, speedup) for n in ROUNDS]
            print(
                f"noise {noise:.0%}, speedup {speedup:g}:", *(f"{s:.1%}" for s in row)
            )
            shares |= {(noise, speedup, i): s for i, s in enumerate(row)}
    assert {k: s for k, s in shares.items() if not 0.93 <= s <= 0.98} == {}


@pytest.mark.simulation
@pytest.mark.parametrize("noise", NOISES)
def test_set_ups_read_once_and_ten_per_cent_wrong_are_covered(noise):
    for speedup in SPEEDUPS:
        hits = 0
        for i in range(1000):
            rng = np.random.default_rng([3, int(100 * noise), i])
            times = simulated(rng, 16, noise, speedup, setup_share=0.8, misread=0.1)
            hits += covers(break_even(*times, resolution=0.01))
        print(
            f"\nset-up 80 %, noise {noise:.0%}, speedup {speedup:g}: {hits / 1000:.1%}"
        )
        assert hits >= 950
