"""Cost: prices in a spec, and the crossover of hours x price."""

import dataclasses

import numpy as np
import pytest
from builders import cases_of, make_rounds, make_run

from crossover.analysis.crossover import crossovers
from crossover.analysis.metrics import in_money
from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.nouns import VIEWS
from crossover.spec.spec import Spec, parse_spec

SPEC = {
    "contenders": ["cpu/resident@1", "cpu/resident@2", "cuda/resident"],
    "pairs": [
        ["cpu/resident@1", "cuda/resident"],
        ["cpu/resident@1", "cpu/resident@2"],
    ],
    "sweep": [
        {
            "axis": "batch_size",
            "values": [2**i for i in range(11, 20)],
            "samples": 2**19,
        }
    ],
    "grid": True,
    "control": False,
}
LAWS = {  # seconds of a training: fixed, per row of the batch
    "cpu/resident@1": (1e-3, 1e-6),
    "cpu/resident@2": (1.5e-3, 0.5e-6),
    "cuda/resident": (1e-2, 1e-7),
    "cuda/lesson": (1e-3, 8e-7),
}
PRICES = {"cpu": 0.1, "cuda": 0.4}


def made_run(prices=None, names=tuple(LAWS)[:3], **fields):
    spec = parse_spec(SPEC | {"prices": prices or {}} | fields, "test")

    def found(case, who, number):
        name, size = str(who), case["batch_size"]
        fixed_s, row_s = LAWS[name]
        noise = np.random.default_rng([size, number, len(name)]).normal(1, 0.01)
        seconds = (fixed_s + row_s * size) * noise
        return {"samples_s": (seconds,), "setup_s": 0.01, "transfer_s": 0.001}

    return make_run(spec, make_rounds(cases_of(spec), names, found, rounds=12))


def rows_of(run, metric):
    return [c for c in crossovers(run) if c.metric == metric]


def test_without_prices_there_is_no_cost():
    assert {c.metric for c in crossovers(made_run())} == {"time_s"}
    only_one = made_run({"cuda": 2.0})
    assert {c.metric for c in crossovers(only_one)} == {"time_s"}


def test_the_crossover_in_cost_is_where_hours_times_price_meet():
    run = made_run(PRICES)
    time, cost = rows_of(run, "time_s"), rows_of(run, "cost")
    assert [(c.view, c.baseline, c.challenger) for c in cost] == [
        (view, "cpu/resident@1", "cuda/resident") for view in VIEWS
    ]  # two CPU contenders have the same price: no row
    assert time[0].answer.outcome == cost[0].answer.outcome == "found"
    assert time[0].answer.parity == pytest.approx(1e4, rel=0.03)
    # 0.1 (1e-3 + 1e-6 b) = 0.4 (1e-2 + 1e-7 b)
    assert cost[0].answer.parity == pytest.approx(6.5e4, rel=0.03)
    assert cost[0].answer.parity_low < 6.5e4 < cost[0].answer.parity_high
    for t, c in zip(time, cost, strict=False):
        assert c.answer.speedup_smallest == pytest.approx(t.answer.speedup_smallest / 4)
        assert c.answer.speedup_largest == pytest.approx(t.answer.speedup_largest / 4)


def test_time_is_the_same_with_and_without_prices():
    assert rows_of(made_run(PRICES), "time_s") == rows_of(made_run(), "time_s")


def test_a_price_that_eats_the_advantage_turns_the_outcome():
    dear = rows_of(made_run({"cpu": 0.1, "cuda": 10.0}), "cost")[0]
    cheap = rows_of(made_run({"cpu": 10.0, "cuda": 0.1}), "cost")[0]
    assert (dear.answer.outcome, cheap.answer.outcome) == ("never", "always")


def test_the_most_specific_price_wins():
    spec = Spec.model_validate(SPEC | {"prices": {"cuda": 2, "cuda:1": 0.5}})
    prices = {
        text: spec.price_of(Contender.parse(text))
        for text in ("cuda/resident", "cuda:0/best", "cuda:1/resident", "cpu/resident")
    }
    assert list(prices.values()) == [2, 2, 0.5, None]


def test_two_devices_of_a_kind_differ_only_by_their_own_price():
    names = ("cuda:0/resident", "cuda:1/resident")
    fields = {"contenders": list(names), "pairs": [list(names)]}
    same = made_run({"cuda": 2.0}, (), **fields)
    own = made_run({"cuda": 2.0, "cuda:1": 1.0}, (), **fields)
    assert rows_of(same, "cost") == []
    assert {c.answer.outcome for c in rows_of(own, "cost")} == {"not_measured"}


def test_best_is_the_cheapest_of_its_device():
    names = ("cpu/resident@1", "cuda/resident", "cuda/lesson")
    fields = {"contenders": list(names), "pairs": [["cpu/resident@1", "cuda/best"]]}
    run = made_run(PRICES, names, **fields)
    # cuda/lesson is the faster one up to batch 12,857, never four times as fast
    assert rows_of(run, "cost")[0].answer.parity == pytest.approx(6.5e4, rel=0.03)
    assert rows_of(run, "time_s")[0].answer.outcome != "found"


def test_money_is_hours_times_price_and_what_is_missing_stays_so():
    run = made_run(PRICES)
    spec = run.spec
    late = dataclasses.replace(
        run.measurements[0], status="timeout", samples_s=(), setup_s=None, bound_s=36.0
    )
    one, other = in_money([run.measurements[0], late], spec)
    assert one.samples_s[0] == pytest.approx(
        run.measurements[0].samples_s[0] / 3600 * 0.1
    )
    assert other.bound_s == pytest.approx(0.001)
    assert other.setup_s is None


def test_a_run_from_before_prices_still_loads():
    run = made_run()
    fields = run.spec.model_dump(exclude={"prices"})
    old = dataclasses.replace(run, spec=Spec.model_validate(fields))
    assert crossovers(old) == crossovers(run)


def test_a_control_that_fires_bars_cost_too():
    copy = "cuda/resident#1"
    LAWS[copy] = (1e-2, 2e-7)
    run = made_run(PRICES, (*tuple(LAWS)[:3], copy))
    del LAWS[copy]
    assert {c.answer.outcome for c in rows_of(run, "cost")} == {"inconclusive"}


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"cpu": 0.0}, r"prices.cpu = 0.0: .*greater than"),
        ({"cpu": -1}, r"prices.cpu = -1: .*greater than"),
        ({"cpu": float("inf")}, r"prices.cpu = inf: .*finite"),
        ({"cpu": float("nan")}, r"prices.cpu = nan: "),
        ({"cpu": "much"}, r"prices.cpu = 'much': .*number"),
        ({"CPU": 0.1}, r"prices: device = 'CPU': must be a device or its kind"),
        ({"cuda/resident": 0.1}, r"prices: device = 'cuda/resident'"),
        ([1], r"prices = \[1\]: .*dictionary"),
    ],
)
def test_bad_prices_are_one_line(prices, message):
    with pytest.raises(InputError, match=message) as error:
        parse_spec(SPEC | {"prices": prices}, "test")
    assert "\n" not in str(error.value)
