"""Each flag: raised by one synthetic fault, silent on clean data."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from builders import MACHINE, make_round, make_rounds, make_run

from crossover.analysis.crossover import crossovers
from crossover.analysis.estimate import estimates
from crossover.analysis.flags import ADVICE, advice, cell_flags, view_flags
from crossover.contender import Contender
from crossover.crossing.answer import Settings, answer, pair_flags
from crossover.crossing.stability import has_changepoint, is_autocorrelated, is_unstable
from crossover.selftest.simulate import SIZES, Model, cost_curve, log_ratios, seconds
from crossover.workloads.softmax import SOFTMAX

CLEAN = Model(drift=0.0)
WORK = np.column_stack([np.ones(len(SIZES)), SIZES])
ONE, TWO = Contender.parse("cpu/resident@1"), Contender.parse("cpu/resident@2")


def sweep(seed, model=CLEAN, curve=None):
    rng = np.random.default_rng([seed, 11])
    return seconds(cost_curve(2000.0, 10.0) if curve is None else curve, model, rng)


def flags_of(times):
    found = answer(SIZES, list(times[0]), list(times[1]), WORK, Settings())
    raised = {flag.partition(":")[0] for flag in found.flags}
    drifting = any(has_changepoint(cell) for cell in times.reshape(-1, times.shape[2]))
    raised.discard("coarse_grid")  # its sizes double
    return raised | ({"drifting"} if drifting else set())


def raised_on_clean(sweeps, rounds):
    clean = dataclasses.replace(CLEAN, rounds=rounds)
    return Counter(f for seed in range(sweeps) for f in flags_of(sweep(seed, clean)))


@pytest.mark.parametrize("rounds", [8, 16, 32])
def test_clean_sweeps_raise_nothing(rounds):
    """Two or more of 40 has probability 0.02 where 0.5 % raise a flag."""
    assert sum(raised_on_clean(40, rounds).values()) <= 1


@pytest.mark.simulation
@pytest.mark.parametrize("rounds", [8, 12, 16, 32])
def test_clean_sweeps_raise_at_most_2_per_cent_of_500(rounds):
    assert sum(raised_on_clean(500, rounds).values()) <= 10


def test_unstable_is_a_spread_of_the_pairs_not_a_few_spikes():
    assert is_unstable(log_ratios(sweep(1, Model(noise=0.12))))
    quiet = log_ratios(sweep(1))
    assert not is_unstable(quiet)
    assert is_unstable([*quiet[:9], np.random.default_rng(0).normal(0, 0.4, 16)])
    assert not is_unstable(log_ratios(sweep(1, Model(noise=0.03, spikes=0.1))))
    # a drift shared by the pair leaves the pairs quiet
    assert not is_unstable(log_ratios(sweep(1, Model(drift=0.3))))


@pytest.mark.parametrize("rounds", [16, 32])
def test_autocorrelated(rounds):
    noise = np.random.default_rng(0).normal(0, 0.05, (10, rounds))
    series = noise.copy()
    for i in range(1, rounds):
        series[:, i] += 0.7 * series[:, i - 1]
    assert is_autocorrelated(list(series))
    assert not is_autocorrelated(list(noise))
    assert not is_autocorrelated([np.zeros(16)])


def test_drifting_is_a_step_or_a_trend():
    rng = np.random.default_rng(0)
    quiet = np.exp(rng.normal(0, 0.05, 16))
    assert not has_changepoint(quiet)
    assert has_changepoint(quiet * np.repeat([1.0, 1.3], 8))
    assert has_changepoint(quiet * np.linspace(1.0, 1.6, 16))
    assert not has_changepoint(
        np.exp(rng.normal(0, 1e-4, 16)) * np.linspace(1, 1.01, 16)
    )
    assert not has_changepoint(quiet[:7] * np.linspace(1, 3, 7))


def test_minimum_disagrees_when_one_contender_is_disturbed_in_most_rounds():
    times = sweep(2)
    times[0, :, ::4] /= 8.0  # the baseline could be fast, but seldom is
    assert "minimum_disagrees" in flags_of(times)
    assert "minimum_disagrees" not in flags_of(sweep(2))


def test_definitions_disagree_when_a_win_comes_and_goes():
    curve = cost_curve(2000.0, 10.0)
    curve[0] = 0.02  # an early win, too small to be significant
    raised = flags_of(sweep(3, Model(drift=0, spikes=0, noise=0.12), curve))
    assert "definitions_disagree" in raised


def rows(contender=ONE, **fault):
    case = SOFTMAX.case(samples=64)
    jitter = np.random.default_rng(0).normal(0, 0.01, 12)
    clean = [
        make_round(
            case, contender, i, 1 + jitter[i], setup_s=1.0, transfer_s=0.0,
            epochs_run=3, threads=contender.threads, load_1min=2.5,
            throttled_periods=0, clock_share=0.99,
        )
        for i in range(12)
    ]  # fmt: skip
    return [*clean[:-1], dataclasses.replace(clean[-1], **fault)]


@pytest.mark.parametrize(
    ("fault", "flag"),
    [
        ({"throttled_periods": 1}, "cpu_quota_hit"),
        ({"load_1min": 3.1}, "busy_cores: other programs kept the cores busy"),
        ({"threads": 2}, "threads_not_as_planned"),
    ],
)
def test_a_faulty_round_flags_its_cell(fault, flag):
    assert cell_flags(rows(**fault), MACHINE) == (flag,)
    assert cell_flags(rows(), MACHINE) == ()


@pytest.mark.parametrize(("slow", "flags"), [(5, ()), (7, ("throttled_clock",))])
def test_a_low_clock_counts_where_most_rounds_saw_it(slow, flags):
    shares = [0.3] * slow + [0.99] * (12 - slow)
    found = [
        dataclasses.replace(m, clock_share=share)
        for m, share in zip(rows(), shares, strict=True)
    ]
    assert cell_flags(found, MACHINE) == flags


def test_cells_that_are_extrapolated_drift():
    scaled = [dataclasses.replace(m, epochs_run=m.case["epochs"] - 1) for m in rows()]
    assert cell_flags(scaled, MACHINE) == ("extrapolated",)
    assert view_flags("from_scratch") == ("setup_once",)
    assert view_flags("train") == ()
    shifted = [
        dataclasses.replace(m, samples_s=(m.samples_s[0] * (1 + m.round // 6),))
        for m in rows()
    ]
    assert cell_flags(shifted, MACHINE) == ("drifting",)


def test_what_the_machine_does_not_tell_raises_nothing():
    unknown = dict.fromkeys(
        ("clock_share", "throttled_periods", "load_1min", "threads")
    )
    silent = [dataclasses.replace(m, **unknown) for m in rows()]
    assert cell_flags(silent, MACHINE) == ()


def test_every_flag_has_one_sentence_of_advice():
    for flag, text in ADVICE.items():
        assert text.endswith(".")
        assert text.count(". ") == 0
        assert advice(f"{flag}: detail") == text
    assert advice("crossings 1, 2") is None
    assert pair_flags([np.zeros(3)]) == ()


def run_of(costs, statuses=None, sizes=(64, 256, 1024, 4096), rounds=12):
    """A recorded run: `costs` maps a contender's text to (size -> seconds)."""
    rng = np.random.default_rng(5)

    def found(case, who, number):
        status, notes = (statuses or {}).get(str(who), ("ok", ""))
        if status != "ok" and number > 0:
            return None
        s = float(costs[str(who)](case["samples"]) * np.exp(rng.normal(0, 0.02)))
        return {
            "samples_s": (s,), "status": status, "notes": notes, "epochs_run": 1,
            "threads": who.threads, "setup_s": 0.0, "transfer_s": 0.0,
        }  # fmt: skip

    cases = [SOFTMAX.case(samples=size, epochs=1) for size in sizes]
    plain = [text for text in costs if "#" not in text]
    spec = {
        "name": "simulated",
        "contenders": plain,
        "pairs": [[plain[0], other] for other in plain[1:]],
        "grid": True,
        "sweep": [{"axis": "samples", "values": list(sizes)}],
    }
    return make_run(spec, make_rounds(cases, costs, found, rounds))


def slow(size):
    return 100.0 + size


def fast(size):
    return 600.0 + size / 10


def test_a_copy_is_a_control_and_leaves_verdicts_alone_when_it_is_silent():
    found = crossovers(run_of({str(ONE): slow, str(TWO): fast, f"{ONE}#1": slow}))
    assert [c.view for c in found] == [
        "train",
        "with_transfer",
        "from_scratch",
        "train",
    ]
    assert [c.answer.outcome for c in found] == ["found"] * 3 + ["never"]
    control = found[-1]
    assert (control.baseline, control.challenger) == (str(ONE), f"{ONE}#1")
    assert {zone.name for zone in control.answer.zones} == {"equal"}
    assert control.flags == ("control",)
    assert "setup_once" in found[2].flags
    assert found[0].answer.parity == pytest.approx(500 / 0.9, rel=0.1)


def test_a_control_that_fires_takes_every_verdict_back():
    odd = {str(ONE): slow, str(TWO): fast, f"{ONE}#1": lambda n: 1.2 * slow(n)}
    *found, control = crossovers(run_of(odd))
    assert control.answer.outcome == "never"
    for row in found:
        assert row.answer.outcome == "inconclusive"
        assert row.flags[0] == "control_fired: was found"
        assert (
            row.answer.at
            is row.answer.low
            is row.answer.high
            is row.answer.slope
            is None
        )


def test_best_never_includes_a_copy():
    run = run_of({str(ONE): slow, str(TWO): fast, f"{ONE}#1": lambda n: n / 1e6})
    spec = run.spec.model_copy(update={"pairs": (("cpu/best@1", str(TWO)),)})
    first = crossovers(dataclasses.replace(run, spec=spec))[0]
    assert first.answer.speedup_smallest == pytest.approx(slow(64) / fast(64), rel=0.05)


def test_the_reason_names_the_contender_that_is_missing():
    run = run_of(
        {str(ONE): slow, "cuda/resident": fast, "cpu/lesson@1": slow},
        {
            "cuda/resident": ("unavailable", "cuda: no device"),
            "cpu/lesson@1": ("crashed", "boom"),
        },
    )
    pairs = (
        (str(ONE), "cuda/resident"),
        ("cpu/lesson@1", "cuda/resident"),
        (str(ONE), "cpu/lesson@1"),
        (str(TWO), str(ONE)),
    )
    spec = run.spec.model_copy(update={"pairs": pairs})
    found = crossovers(dataclasses.replace(run, spec=spec))[::3]
    assert {c.answer.outcome for c in found} == {"not_measured"}
    assert [c.flags[0] for c in found] == [
        "cuda/resident: unavailable: cuda: no device",
        "cuda/resident: unavailable: cuda: no device",
        "cpu/lesson@1: crashed: boom",
        "cpu/resident@2: not reached",
    ]


def test_estimates_carry_the_flags_of_their_cells():
    found = estimates(run_of({str(ONE): slow, str(TWO): fast}))
    assert {e.flags for e in found if e.view == "train"} == {()}
    assert {e.flags for e in found if e.view == "from_scratch"} == {("setup_once",)}
