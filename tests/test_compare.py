"""`crossover compare`: what changed between two runs, and what did not."""

import dataclasses
import sys

import numpy as np
import pytest
from builders import make_machine, make_rounds, make_run

from crossover.cli import main
from crossover.crossing.shifts import drawn_interval, welch_interval
from crossover.files.untrusted import InputError
from crossover.gate.changes import compare, lines
from crossover.record import run_folder
from crossover.workloads.softmax import SOFTMAX

SIZES = (64, 256, 512, 1024, 2048, 8192)
PAIR = ("cpu/resident@1", "cpu/resident@2")


def run(seed, speed=1.0, fixed=600.0, sizes=SIZES, copy=None):
    """Baseline 100 + n, challenger `fixed` + n / 10; `speed` slows both."""
    rng = np.random.default_rng(seed)
    laws = {PAIR[0]: lambda n: 100.0 + n, PAIR[1]: lambda n: fixed + n / 10}
    if copy:
        laws[f"{PAIR[0]}#1"] = lambda n: copy * (100.0 + n)

    def found(case, who, number):
        cost = laws[str(who)](case["samples"])
        return {
            "samples_s": (float(speed * cost * np.exp(rng.normal(0, 0.03))),),
            "epochs_run": 1, "threads": who.threads, "setup_s": 0.0, "transfer_s": 0.0,
            "run_id": f"r{seed}",
        }  # fmt: skip

    cases = [SOFTMAX.case(samples=size, epochs=1) for size in sizes]
    spec = {
        "contenders": PAIR,
        "pairs": [PAIR],
        "sweep": [{"axis": "samples", "values": sizes}],
    }
    return make_run(spec, make_rounds(cases, laws, found, 16), name=f"r{seed}")


def test_two_runs_of_the_same_thing_do_not_differ():
    """8 pairs of runs: a false alarm has probability 5 % in each kind."""
    alarms = [compare(run(2 * i), run(2 * i + 1)).changed for i in range(8)]
    assert sum(alarms) <= 2


def test_a_moved_crossover_is_significant_with_its_interval():
    found = compare(run(1), run(2, fixed=1100.0))
    train = found.crossings[0]
    # (100 + n) / (600 + 0.1 n) = 1.05, and with 1,100 for 600
    assert train.before == pytest.approx(530 / 0.895, rel=0.05)
    assert train.after == pytest.approx(1055 / 0.895, rel=0.05)
    assert train.low < 2 < train.high
    assert train.significant
    assert found.changed
    assert len(found.crossings) == 3
    assert not found.warnings


def test_a_slower_machine_moves_the_times_and_not_the_crossover():
    found = compare(run(1), run(2, speed=1.2))
    assert not any(c.significant for c in found.crossings)
    assert all(c.significant for c in found.times)
    assert all(c.low < 1.2 < c.high for c in found.times)


def test_a_crossover_that_left_the_sizes_is_an_open_change():
    found = compare(run(1), run(2, fixed=1e5)).crossings[0]
    assert found.after is None
    assert found.ratio is None
    assert found.high is None
    assert found.significant
    assert (
        "-> none, ratio none (95 % interval"
        in lines(compare(run(1), run(2, fixed=1e5)))[1]
    )


def test_a_run_whose_control_fired_changes_no_crossover():
    found = compare(run(1, copy=1.3), run(2, fixed=1100.0))
    assert not any(c.significant for c in found.crossings)


def test_runs_without_a_common_case_are_refused():
    with pytest.raises(InputError, match="runs = 'r1', 'r2': must have a case"):
        compare(run(1), run(2, sizes=(65, 257)))


def test_another_machine_is_warned_about():
    other = run(2)
    machine = make_machine(cpu="another", fingerprint="g")
    found = compare(run(1), dataclasses.replace(other, machine=machine))
    assert found.warnings == (
        "the runs are from different machines: a CPU (f) and another (g)",
    )


def test_intervals_of_a_shift():
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, 40), rng.normal(3, 1, 40)
    low, high = welch_interval(one, other)(0.95)
    assert low < 3 < high
    assert high - low < 1.4
    tighter = welch_interval(one, other)(0.5)
    assert low < tighter[0] < tighter[1] < high
    walk = np.cumsum(rng.normal(0, 1, 40))
    plain = 2 * 2.0 * np.std(walk) / np.sqrt(40)
    slow_low, slow_high = welch_interval(walk, walk + 1)(0.95)
    assert slow_high - slow_low > 2 * plain
    low, high = drawn_interval(rng.normal(0, 0.1, 500), rng.normal(1, 0.1, 500))(0.95)
    assert low == pytest.approx(1 - 0.277, abs=0.03)
    assert high == pytest.approx(1 + 0.277, abs=0.03)
    outside = np.full(500, np.inf)
    assert drawn_interval(outside, outside)(0.95) == (-np.inf, np.inf)


def test_the_command_exits_1_on_a_change(tmp_path, monkeypatch, capsys):
    runs = {"a": run(1), "same": run(2), "moved": run(3, fixed=1100.0)}
    for name, recorded in runs.items():
        run_folder.put(tmp_path / name, recorded)

    def command(*names):
        paths = [str(tmp_path / name) for name in names]
        monkeypatch.setattr(sys, "argv", ["crossover", "compare", *paths])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, *capsys.readouterr()

    code, out, _ = command("a", "same")
    assert code == 0
    assert out.endswith("0 of 15 changed significantly\n")
    code, out, _ = command("a", "moved")
    assert code == 1
    assert "CHANGED" in out
    code, _, error = command("a", "nothing")
    assert code == 2
    assert error.count("\n") == 1
