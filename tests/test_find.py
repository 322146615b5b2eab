"""`crossover.find` measures in this process, by the engine's rules, and says so."""

import gc
import random
import time

import numpy as np
import pytest
import threadpoolctl
import torch
from builders import make_machine

from crossover import find, read
from crossover.analysis.flags import is_withheld
from crossover.measure.machine import usable_cores
from crossover.record import run_folder

EACH = {"sizes": [1, 2], "at": {"steps": 1}, "grid": True, "rounds": 5}
"""Two sizes with as few rounds as give an answer."""
SNAPSHOT = "crossover.door.find.snapshot"
two_cores = pytest.mark.skipif(usable_cores() < 2, reason="needs two cores")


@pytest.fixture
def known(monkeypatch):
    """Let the machine be one that nobody needs to ask."""
    machine = make_machine(cores=usable_cores())
    monkeypatch.setattr(SNAPSHOT, lambda devices, start: machine)


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return 1.0


def steep(device, n=64):
    return lambda: spin(n * 4e-6)


def flat(device, n=64):
    return lambda: spin(3e-4 + n * 1e-6)


TRUTH = 315 / 2.95
"""Rows at which `steep` takes 1.05 times as long as `flat`."""


def adds(device, n=1, seed=0):
    x = torch.ones(64 * n).to(device)
    return lambda: x.sum() / n


def adds_again(device, n=1, seed=0):
    x = torch.ones(64 * n).to(device)
    return lambda: x.flip(0).sum() / n


def spinning_pair(seed):
    return find(
        [steep, flat], axis="n", sizes=[16, 64, 256, 1024], devices="cpu@1",
        at={"steps": 10}, budget=12, progress=False, seed=seed,
    )  # fmt: skip


@pytest.mark.slow
def test_a_spinning_pair_crosses_where_its_law_says(known):
    found = spinning_pair(0)
    answer = found.crossovers[0].answer
    line = next(s for s in found.answer.splitlines() if s.startswith("  "))
    if is_withheld(answer.flags):  # a machine with other work on its cores
        assert line.startswith("  Not to be trusted: ")
        return
    if answer.outcome == "inconclusive":  # disturbed too often for its rounds
        assert "; next: crossover.find(..., " in line
        return
    assert answer.outcome == "found", found.answer
    assert answer.low / 1.1 <= TRUTH <= answer.high * 1.1
    assert answer.speedup_largest == pytest.approx(4096 / 1324, rel=0.1)
    assert found.answer.startswith("Over n at ")
    assert "doubtful (all rounds are of one process" in line


@pytest.mark.simulation
def test_the_truth_is_in_the_interval_of_most_runs(known):
    answers = [spinning_pair(seed).crossovers[0].answer for seed in range(20)]
    inside = [a.outcome == "found" and a.low <= TRUTH <= a.high for a in answers]
    assert sum(inside) >= 18, answers


def test_every_round_says_that_one_process_measured_it(known):
    found = find([adds, adds_again], devices="cpu@1", **EACH)
    rows = found.frame("measurements")
    assert {*rows["flags"]} == {"one_process"}
    assert rows["setup_s"].isna().all()
    assert {*rows["verified"]} == {"True"}
    assert {*rows["contender"]} == {"cpu/adds@1", "cpu/adds_again@1"}
    assert len(rows) >= 2 * 2 * 5
    answers = found.frame()
    scratch = answers[answers["view"] == "from_scratch"]
    assert {*scratch["outcome"]} == {"not_measured"}


@two_cores
def test_each_contender_has_its_threads_and_this_process_has_its_own_back(known):
    torch.set_num_threads(2)
    seen, pools = {}, set()

    def watched(device, n=1):
        x = torch.ones(8)
        most = max(pool["num_threads"] for pool in threadpoolctl.threadpool_info())
        pools.add((torch.get_num_threads(), most))

        def step():
            seen[torch.get_num_threads()] = True
            return x.sum()

        return step

    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    before = random.random(), np.random.random(), torch.rand(1).item()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    torch.set_float32_matmul_precision("high")
    try:
        found = find(watched, devices=["cpu@1", "cpu@2"], **EACH)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert {*seen} == {1, 2}
    assert pools == {(1, 1), (2, 2)}
    threads = found.frame("measurements").groupby("contender", observed=True)["threads"]
    assert threads.unique().map(list).to_dict() == {
        "cpu/watched@1": [1], "cpu/watched@2": [2],
    }  # fmt: skip
    assert torch.get_num_threads() == 2
    assert (random.random(), np.random.random(), torch.rand(1).item()) == before
    assert gc.isenabled()


def no_device(width=3):
    return lambda: None


def keyless(device, n):
    return lambda: None


def check(device, n=1):
    return lambda: None


def sized(device, n=1, rate=0.5):
    return lambda: 1.0


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ((3,), TypeError, "make_step = 3: must be a function whose first parameter"),
        (([],), TypeError, "make_step = []: must be a function"),
        (([sized, "x"],), TypeError, "make_step = 'x': must be a function"),
        ((no_device,), ValueError, "make_step = no_device: must be a function"),
        (([sized, sized],), ValueError, "make_step = sized: each must have a name"),
        ((check,), ValueError, "must not be called data, synchronize, check"),
        ((keyless,), ValueError, "argument n of keyless: must have a default"),
        ((lambda device, n=1: 0,), ValueError, "must be small letters, digits and _"),
        ((sized, "m"), ValueError, "axis = 'm': must be one of n, steps"),
        ((sized, "n", 0.5), ValueError, "n = '0.5': must be integers >= 1"),
        ((sized, "n", [1.5]), TypeError, "sizes = [1.5]: must be integers, such as"),
        ((sized, "n", [0, 2]), ValueError, "n = '0,2': must be integers >= 1"),
        ((sized, "n", "9..3"), ValueError, "n = '9..3': must be A..B"),
        ((sized, "n", [1, 2], 3), TypeError, "devices = 3: must be texts, such as"),
        ((sized, "n", [1, 2], []), ValueError, "devices = []: must hold at least one"),
        ((sized, "n", [1, 2], ["CPU"]), ValueError, "contender = 'CPU/sized': must be"),
        ((sized, "n", [1, 2], ["cpu/other"]), ValueError, "must be one of sized"),
        ((sized, "n", [1, 2], ["cpu@9999"]), ValueError, "threads = 9999"),
        ((sized, "n", [1, 2], "cpu@1", "soon"), ValueError, "budget = 'soon': must be"),
        ((sized, "n", [1, 2], "cpu@1", []), TypeError, "budget = []: must be a number"),
    ],
)  # fmt: skip
def test_wrong_arguments_say_what_is_allowed(known, arguments, kind, said):
    with pytest.raises(kind) as raised:
        find(*arguments)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"at": {"m": 1}}, ValueError, "at = 'm': must be one of n, steps, rate"),
        ({"at": {"n": 1}, "axis": "n"}, ValueError, "must not hold the axis, n"),
        ({"at": 3}, TypeError, "at = 3: must be values by name"),
        ({"at": {"rate": "fast"}}, ValueError, "rate = 'fast': must be like 0.5"),
        ({"at": {"steps": [1, 2]}}, ValueError, "must hold one value of each name"),
        ({"data": 3}, TypeError, "data = 3: must be a function"),
        ({"check": -1}, ValueError, "check = -1: must be a number > 0, or None"),
        ({"rounds": 1}, ValueError, "rounds = 1"),
        ({"margin": 2}, ValueError, "margin = '2': must be a share"),
        ({"margin": True}, TypeError, "margin = True: must be a share"),
        ({"devices": ["cuda"]}, ValueError, "pairs: none can be compared here"),
    ],
)
def test_wrong_options_say_what_is_allowed(known, monkeypatch, options, kind, said):
    lacks = make_machine(unavailable={"cuda": "no driver"}, cores=usable_cores())
    monkeypatch.setattr(SNAPSHOT, lambda devices, start: lacks)
    with pytest.raises(kind) as raised:
        find(sized, **options)
    assert said in str(raised.value)


def test_contenders_that_do_other_work_have_no_times(known):
    def twice(device, n=1, seed=0):
        return lambda: 2.0

    found = find([adds, twice], devices="cpu@1", **EACH)
    assert found.answer.startswith("Incomplete: ")
    notes = found.frame("measurements")["notes"]
    assert any("must be the same work" in note for note in notes)


def test_work_that_nobody_compares_is_unverified(known):
    found = find([adds, adds_again], devices="cpu@1", check=None, **EACH)
    assert "  Unverified: " in found.answer


def test_a_function_of_the_same_name_is_measured_anew(known):
    for number in (1.0, 2.0):

        def one(device, n=1, result=number):
            return lambda: result

        def other(device, n=1, result=number):
            return lambda: result

        found = find([one, other], devices="cpu@1", **EACH)
        assert found.frame("measurements")["result"].unique() == [number]


def stops_at(size):
    def stops(device, n=1):
        if n == size:
            raise KeyboardInterrupt
        return lambda: 1.0

    return stops


def goes_on(device, n=1):
    return lambda: 1.0


def test_ctrl_c_returns_what_there_is(known):
    found = find([goes_on, stops_at(2)], devices="cpu@1", **EACH)
    assert found.partial
    assert found.answer.startswith("Interrupted: this is what was measured until then.")
    assert {*found.frame("measurements")["n"]} == {1}
    assert gc.isenabled()
    assert not find([goes_on, stops_at(3)], devices="cpu@1", **EACH).partial


def test_ctrl_c_before_the_first_round_passes_through(known):
    with pytest.raises(KeyboardInterrupt):
        find([goes_on, stops_at(1)], devices="cpu@1", **EACH)


def test_a_result_is_saved_as_any_run(known, tmp_path, crossover):
    found = find([adds, adds_again], devices="cpu@1", **EACH)
    out = found.save(tmp_path / "kept")
    again = read(out)
    assert again.run.measurements == found.run.measurements
    assert again.answer == found.answer
    assert run_folder.load(out).command.startswith("crossover.find(adds, axis='n'")
    assert (out / "report.html").exists()
    code, said, _ = crossover("report", out)
    assert code == 0
    assert "all rounds are of one process" in said
    for command in (("run", "--resume"), ("predict",)):
        code, _, errors = crossover(*command, out)
        assert code == 2
        assert "was measured by crossover.find in a process that is over" in errors
        assert errors.count("\n") == 1


def test_this_machine_is_described_without_another_process(monkeypatch):
    def no_process(*_, **__):
        raise AssertionError("a worker was started")

    started = "crossover.measure.process.WorkerProcess.__init__"
    monkeypatch.setattr(started, no_process)
    found = find([adds, adds_again], devices="cpu@1", **EACH)
    assert found.run.machine.cores == usable_cores()
    assert found.run.machine.versions["torch"] == torch.__version__
    assert found.run.machine.left_out == {}


def test_by_default_all_threads_meet_one_and_the_accelerator(known):
    found = find(adds, **EACH)
    pairs = {(c.baseline, c.challenger) for c in found.crossovers if not c.is_control}
    many = f"cpu/adds@{usable_cores()}"
    assert pairs == {("cpu/adds@1", many), (many, "cuda/adds")}
