"""Workloads: their declarations, ids that are read back, and the two built-in ones."""

import dataclasses
import random
import re

import pytest
import torch

import softmax_core
from crossover.workloads import registry
from crossover.workloads.definition import WrongResult
from crossover.workloads.softmax import SOFTMAX, TrainingSession, typed
from crossover.workloads.sound import check_declared
from crossover.workloads.spin import SPIN, Law, Spin, crossing_batch
from crossover.workloads.values import Setting, Size
from crossover.workloads.workload import Implementation, Workload
from softmax_core import Trainer, evaluate, get_trainer, make_data, reference_weights

JOB = Workload(
    "job",
    (Size("width"), Size("depth", 2, most="width")),
    (
        Setting("kind", "plain", choices=("plain", "odd")),
        Setting("deep", False),
        Setting("rate", 0.5, least=0.0, below=1.0),
        Setting("span", (1.0, 2.0)),
        Setting("seed", 0, least=0),
    ),
)


def test_a_case_has_names_and_values():
    case = JOB.case(width=8, rate=0.25)
    assert (case["width"], case["depth"], case["rate"]) == (8, 2, 0.25)
    assert case.at(depth=3) == JOB.case(width=8, rate=0.25, depth=3)
    assert case.without("width") == JOB.case(width=9, rate=0.25).without("width")
    assert case.without("width")["width"] is None
    assert case.repeats == 1
    assert SOFTMAX.case(epochs=7).repeats == 7
    with pytest.raises(KeyError):
        case["height"]
    with pytest.raises(KeyError):
        case.at(height=1)


def test_cases_of_two_workloads_differ():
    other = Workload("other", JOB.sizes, JOB.settings)
    assert JOB.case(width=8) != other.case(width=8)
    assert len({JOB.case(width=8), other.case(width=8), JOB.case(width=8)}) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": 0}, r"width = 0: must be an integer >= 1"),
        ({"width": True}, r"width = True: must be an integer >= 1"),
        ({"width": 1.5}, r"width = 1.5: must be an integer >= 1"),
        ({}, r"width = None: must be an integer >= 1"),
        ({"width": 8, "height": 1}, "height: unknown; must be one of width, depth, ki"),
        ({"width": 8, "kind": "even"}, "kind = 'even': must be plain or odd"),
        ({"width": 8, "deep": 1}, "deep = 1: must be like False"),
        ({"width": 8, "rate": 1.0}, r"rate = 1.0: must be a number in \[0, 1\)"),
        ({"width": 8, "rate": float("nan")}, "rate = nan: must be like 0.5"),
        ({"width": 8, "span": (1.0,)}, r"span = \(1.0,\): must be like \(1.0, 2.0\)"),
    ],
)
def test_a_wrong_value_is_named(values, said):
    with pytest.raises(ValueError, match=said):
        JOB.case(**values)


def test_an_id_is_read_back_exactly():
    draw = random.Random(0)
    for _ in range(300):
        case = JOB.case(
            width=draw.randrange(1, 10**12),
            depth=draw.randrange(1, 10**6),
            kind=draw.choice(["plain", "odd"]),
            deep=draw.choice([True, False]),
            rate=draw.choice([0.5, draw.random(), 1e-30]),
            span=(draw.gauss(0, 1e9), draw.choice([2.0, 1e-12])),
            seed=draw.randrange(2**63),
        )
        assert JOB.parse_case(case.id) == case


def test_an_id_names_sizes_and_what_is_not_usual():
    assert JOB.case(width=8).id == "width=8,depth=2"
    case = JOB.case(width=8, deep=True, rate=0.25)
    assert case.id == "width=8,depth=2,deep=true,rate=0.25"
    assert SOFTMAX.case(momentum=0.3).id == "n1500-d2-c3-b10-e1-m0.3"


@pytest.mark.parametrize("text", ["", "width=8", "width=8,depth=x", "n8-d2", "depth=2"])
def test_a_text_that_names_no_case_is_refused_with_one_that_does(text):
    with pytest.raises(ValueError, match="must name width, depth, such as width=1,"):
        JOB.parse_case(text)


def test_a_size_beyond_the_one_it_cannot_exceed_is_that_one():
    line = JOB.case(width=8).without("depth")
    assert JOB.settled(line, "depth", 100) == 8
    assert JOB.settled(line, "depth", 5) == 5
    assert JOB.settled(JOB.case(width=8).without("width"), "width", 100) == 100


def test_sizes_in_words():
    samples, batch = SOFTMAX.size("samples"), SOFTMAX.size("batch_size")
    assert [samples.said(n) for n in (1, 1500)] == ["1 sample", "1,500 samples"]
    assert batch.said(32) == "batch size 32"
    assert JOB.size("width").said(8) == "width 8"
    assert (JOB.repeat, JOB.repeats) == ("call", "calls")
    assert (SPIN.repeat, SPIN.repeats) == ("pass", "passes")


def test_a_workload_that_nobody_knows_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="must be one of softmax, spin"):
        registry.declared("nothing")


class Careless(Trainer):
    """A trainer whose learning rate is one per cent too high."""

    def prepare(self, *args, **kwargs):
        session = get_trainer("resident").prepare(*args, **kwargs)
        session.optimizer.param_groups[0]["lr"] *= 1.01
        return session


def trained(monkeypatch, case, trainer, device="cpu"):
    monkeypatch.setattr(softmax_core, "get_trainer", lambda *_: trainer)
    session = TrainingSession(typed(case), "x", device, 1, 1)
    session.move()
    return session


def test_a_trainer_with_another_arithmetic_is_found_out(monkeypatch):
    session = trained(monkeypatch, SOFTMAX.case(samples=30), Careless())
    session.build()
    with pytest.raises(WrongResult, match="weights differ from the reference's by"):
        session.verify(1)


def test_the_loss_is_that_of_the_references_batches_whatever_order_is_timed(
    monkeypatch,
):
    case = SOFTMAX.case(samples=120, epochs=2)
    data = make_data(typed(case))
    expected = evaluate(*reference_weights(typed(case), data), data)[0]
    fused = get_trainer("fused")
    timed = fused.prepare(typed(case), data, threads=1)
    timed.train(2)
    session = trained(monkeypatch, case, fused)
    session.build()
    assert session.verify(2)[0] == pytest.approx(expected, rel=1e-5)
    assert evaluate(*timed.weights(), data)[0] != pytest.approx(expected, rel=1e-5)
    assert session.notes == "columns, 1 thread"


@pytest.mark.parametrize("streams", [False, True])
def test_the_data_of_a_trainer_that_streams_stay_where_they_are(monkeypatch, streams):
    seen = []

    class Seeing(Trainer):
        def prepare(self, case, data, device, *_):
            seen.append((data.X.device.type, str(device)))
            return get_trainer("resident").prepare(case, make_data(case))

    trainer = Seeing()
    trainer.streams = streams
    session = trained(monkeypatch, SOFTMAX.case(samples=30), trainer, "meta")
    session.build()
    assert seen == [("cpu" if streams else "meta", "meta")]


def test_a_law_costs_steps_and_rows():
    law = Law.parse("spin_20000_300")
    assert law == Law(20_000, 300)
    assert str(law) == "spin_20000_300"
    case = SPIN.case(rows=1000, batch=400)
    assert law.pass_s(case) == pytest.approx(2.5 * 20e-6 + 1000 * 300e-12, rel=1e-12)
    work = Spin().work(case.at(passes=3))
    assert work == {"step": 3 * 2.5, "row": 3000}


def test_at_the_crossing_both_laws_cost_the_same():
    slow, fast = Law(5_000, 400_000), Law(25_000, 100_000)
    batch = crossing_batch(slow, fast)
    assert batch == pytest.approx(20_000e-9 / 300_000e-12)
    costs = [law.step_ns / batch + law.row_ps / 1000 for law in (slow, fast)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


def test_work_is_counted_of_all_repeats_and_bytes_of_one_move():
    case = SOFTMAX.case(samples=25, features=3, batch_size=10, epochs=4)
    work = registry.definition("softmax").work(case)
    assert work == {"step": 4 * 3, "row": 4 * 25, "byte": make_data(typed(case)).nbytes}
    assert torch.float32.itemsize * 3 * 25 + 8 * 25 == work["byte"]


@pytest.mark.parametrize("workload", [SOFTMAX, SPIN, JOB], ids=lambda w: w.name)
def test_a_sound_declaration_passes(workload):
    check_declared(workload)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sizes": ()}, "sizes and settings = 5: must be 1 to 32"),
        ({"name": "Job"}, "name = 'Job': must be small letters"),
        ({"sizes": (Size("a(?P<b"),)}, "must be letters, digits and _"),
        ({"sizes": (Size("round"),)}, "round: must be a name of its own, and no col"),
        ({"sizes": (Size("rate"),)}, "rate: must be a name of its own"),
        ({"sizes": (Size("a", repeats=True), Size("b", repeats=True))}, "at most one"),
        ({"sizes": (Size("width", most="height"),)}, "must name another size"),
        ({"sizes": (Size("width", 0),)}, "width = 0: must be >= 1"),
        ({"sizes": (Size("width", letter="-"),)}, "a letter of a to z"),
        ({"settings": (Setting("seed", 1, least=0.5),)}, "bound 0.5 must be like"),
        (
            {"settings": (Setting("span", (1.0, 2.0), least=(0.0,) * 3),)},
            "one for each",
        ),
        (
            {"settings": (Setting("kind", "a", choices=("a", "B b")),)},
            "must be letters",
        ),
        ({"shape": ("height",)}, "must name sizes and settings"),
        ({"implementations": (Implementation("a/b"),)}, "must be small letters"),
    ],
)
def test_an_unsound_declaration_is_refused(change, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        check_declared(dataclasses.replace(JOB, **change))
