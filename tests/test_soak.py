"""A short soak by the path of every run: nothing grows; and its verdicts can fail."""

import dataclasses
import gc
import weakref

import pytest
from builders import MACHINE, make_round
from law import batch_s

from bench.promises.soak import soak, soak_spec
from bench.promises.soak_judge import Reading, read_csv, verdicts
from bench.promises.soak_report import figure, markdown
from crossover.contender import Contender
from crossover.plan.plan import Known, next_blocks
from crossover.spec.spec import parse_spec

ROUNDS, EACH = 120, 12


@pytest.mark.slow
def test_nothing_grows_in_a_short_soak(tmp_path):
    run, readings = soak(soak_spec(ROUNDS, EACH), tmp_path, MACHINE)
    assert len(readings) == ROUNDS
    rows = [m for m in run.measurements if not m.discarded]
    assert [m.status for m in rows] == ["ok"] * 2 * ROUNDS
    found = verdicts(readings, EACH)
    judged = [v for v in found if not v.what.startswith("processor")]
    assert len(judged) == 8
    assert [v for v in judged if not v.ok] == []
    assert [r.round % EACH for r in readings if r.calls > 500] == [1] * 10
    text = markdown(run, readings, found, EACH)
    assert f"{ROUNDS} rounds" in text
    assert [r.round for r in read_csv(tmp_path / "soak.csv")] == list(range(ROUNDS))
    assert f"{len(run.measurements)} rows, 0 not ok" in text


FLAT = Reading(
    0, 0.0, 10**8, 10**8, 10**8, 10**7, 30, 5, 0, 0.02, 0.02, 0.002, 0.002, 0, 1
)


@pytest.mark.parametrize(
    ("name", "most", "what"),
    [
        ("main_bytes", 1.06e8, "memory of the main process"),
        ("second_worker_bytes", 1.06e8, "memory of the worker of cpu/manual@1"),
        ("handles", 31, "file handles"),
        ("processes", 6, "processes"),
        ("others", 1, "processes that were not there at first"),
        ("calls", 2100, "calls in the main process"),
        ("main_cpu_s", 0.003, "processor time of the main process"),
    ],
)
def test_what_grows_is_not_flat(name, most, what):
    readings = [
        dataclasses.replace(FLAT, **{name: least + (most - least) * number / 399})
        for least in [getattr(FLAT, name)]
        for number in range(400)
    ]
    assert [v.what for v in verdicts([FLAT] * 400, 4) if not v.ok] == []
    assert [v.what for v in verdicts(readings, 4) if not v.ok] == [what]


def test_readings_are_drawn(unclipped):
    readings = [dataclasses.replace(FLAT, round=n) for n in range(40)]
    unclipped(figure(readings, 4))


NAMES = ["cpu/resident@1", "cpu/resident@2"]
SPEC = {
    "name": "plan", "control": False, "rounds": 32, "contenders": NAMES,
    "pairs": [NAMES],
    "sweep": [{"axis": "batch_size", "values": [8, 64, 512], "samples": 4096}],
}  # fmt: skip


def measured(case, contender, number):
    seconds = batch_s(case["batch_size"], contender.threads, crossing=300)
    seconds *= 1 + number % 7 / 200
    return make_round(case, contender, number, seconds, transfer_s=0.0)


@pytest.mark.parametrize("grid", [True, False])
def test_a_plan_that_is_told_of_each_round_is_that_of_all_rounds(grid):
    spec = parse_spec(SPEC | {"grid": grid}, "test")
    known, rows = Known(spec, []), []
    for _ in range(200):
        blocks = known.next_blocks()
        assert blocks == next_blocks(spec, rows)
        if not blocks:
            break
        block = blocks[0]
        new = [
            measured(block.case, contender, number)
            for number in block.rounds
            for contender in block.contenders
        ]
        for m in new:
            known.add([m])
        rows += new
    assert not blocks
    assert len(rows) >= 3 * 2 * (32 if grid else 8)


@pytest.mark.parametrize("grid", [True, False])
def test_planning_keeps_no_rounds(grid):
    spec = parse_spec(SPEC | {"grid": grid}, "test")
    known, contender = Known(spec, []), Contender.parse(NAMES[0])
    case = spec.sweep[0].case_at(8)
    rows = [measured(case, contender, number) for number in range(20)]
    known.add(rows)
    kept = [weakref.ref(m) for m in rows]
    del rows
    gc.collect()
    assert sum(ref() is not None for ref in kept) <= 1  # that of the case itself
