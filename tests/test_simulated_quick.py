"""Preset quick where there is an accelerator: its answer comes first, on every axis."""

import json

import pytest
from builders import MACHINE

from crossover.analysis.crossover import crossovers
from crossover.pipeline import Workers, carry_out_unkept
from crossover.plan.plan import next_blocks
from crossover.report.terminal import plain_lines
from crossover.spec.load import load_preset
from crossover.spec.resolve import resolve

GPU = "simulated:0"
AXES = ("samples", "batch_size", "epochs")
SMALL = {
    "samples": {"values": (40, 80), "batch_size": 80},
    "batch_size": {"values": (20, 40), "samples": 40},
    "epochs": {"values": (1, 2), "samples": 40},
}


def quick():
    return resolve(load_preset("quick"), (GPU,), 2)


def test_the_accelerators_three_axes_are_measured_before_anything_else():
    """So a budget that ends early cuts what says nothing of the accelerator."""
    spec = quick()
    first = spec.sweep[: len(AXES)]
    assert {sweep.axis for sweep in first} == set(AXES)
    for sweep in first:
        baseline, challenger = spec.pairs_of(sweep)[0]
        assert (baseline.device, challenger.device) == ("cpu", GPU)
    planned = [block.case for block in next_blocks(spec, [])]
    wanted = {case for sweep in first for case in sweep.cases().values()}
    assert set(planned[: len(wanted)]) == wanted


@pytest.fixture
def simulated(simulated_environment, monkeypatch):
    for name, value in simulated_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SIMULATED_ACCELERATOR", json.dumps({"kernel_s": 1e-4}))


@pytest.mark.slow
@pytest.mark.usefixtures("simulated")
def test_the_first_answer_printed_is_the_accelerators():
    """The preset's first sweeps at two small sizes each, and their first pairs."""
    spec = quick()
    small = []
    for sweep in spec.sweep[:3]:
        pair = (sweep.pairs or spec.pairs)[0]
        only = {"contenders": pair, "pairs": (pair,)}
        small.append(sweep.model_copy(update=SMALL[sweep.axis] | only))
    changes = {"sweep": (*small,), "rounds": 5, "grid": True, "control": False}
    spec = spec.model_copy(update=changes | {"longest_sample_s": 0.01})
    run = carry_out_unkept(spec, MACHINE, Workers())
    found = [c for c in crossovers(run) if c.view == "train"]
    lines = plain_lines(found)
    assert lines[0].startswith("Over batch size at 40 samples, 784 features")
    assert {found[0].baseline, found[0].challenger} == {
        "cpu/resident@2", f"{GPU}/resident"
    }  # fmt: skip
    heads = [n for n, line in enumerate(lines) if line.startswith("Over ")]
    assert [lines[n].split()[1] for n in heads[:3]] == ["batch", "number", "number"]
    assert all(GPU in f"{c.baseline} {c.challenger}" for c in found[:3])
