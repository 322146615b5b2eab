"""A run of which no pair can be compared here stops before it measures anything."""

import pytest
from builders import make_machine

from crossover.command import new_run

KNOWN = {
    "unavailable": {"cuda": "no device", "npu": "no driver"},
    "trainers": {"cpu/compiled": "no C++ compiler", "cpu/resident": ""},
}


@pytest.fixture
def here(monkeypatch):
    """Let this machine be known; no worker is started to describe it."""

    def be(**changes):
        machine = make_machine(**KNOWN | changes)
        monkeypatch.setattr(new_run, "snapshot", lambda devices: machine)
        monkeypatch.setattr(new_run, "usable_cores", lambda: machine.cores)
        monkeypatch.setattr("crossover.command.job.usable_cores", lambda: machine.cores)

    be()
    return be


@pytest.mark.parametrize(
    ("contenders", "reasons"),
    [
        (["cuda"], "cuda: no device"),
        (["gpu"], "cuda: no device"),
        (["gpu/graphed"], "cuda: no device"),
        (["cpu/resident@1", "cuda", "npu"], "cuda: no device; npu: no driver"),
        (["cpu/resident@1", "cpu/compiled@1"], "cpu: no C++ compiler"),
        (["cuda", "npu"], "cuda: no device; npu: no driver"),
    ],
)
def test_one_line_with_the_reasons_and_nothing_left(
    crossover, here, tmp_path, contenders, reasons
):
    options = [part for c in contenders for part in ("--contender", c)]
    code, said, error = crossover("run", *options, "--out", "out")
    assert (code, said) == (2, "")
    assert error == f"crossover: pairs: none can be compared here: {reasons}\n"
    assert not list(tmp_path.iterdir())


def test_a_machine_of_one_core_has_nothing_to_compare_with_itself(crossover, here):
    here(cores=1)
    asked = ("--contender", "cpu/resident@1", "--contender", "cpu/resident@all")
    code, _, error = crossover("run", *asked)
    assert code == 2
    assert "cpu/resident@1 against itself, as this machine has one core" in error


def test_a_trainer_that_the_first_device_of_a_kind_lacks(crossover, here):
    found = {"name": "npu:0", "description": "an NPU", "memory_bytes": None}
    lacks = {"npu:0/compiled": "no compiler for it"}
    here(accelerators=(found,), unavailable={}, trainers=lacks)
    code, _, error = crossover("run", "--contender", "npu/compiled", "--out", "out")
    assert (code, "npu: no compiler for it" in error) == (2, True)


def test_a_pair_that_can_be_compared_is_enough(here, monkeypatch):
    from crossover.command.ask import Ask
    from crossover.measure.environment import ENVIRONMENT

    asked = Ask(contenders=("cpu/resident@1", "cpu/manual@1", "cuda"))
    run, spec = new_run.new_run(asked.spec(2), ENVIRONMENT)
    assert len(spec.pairs) == 2
    assert run.machine == make_machine(**KNOWN)


def test_gpu_is_the_accelerator_that_is_here(here):
    from crossover.command.ask import Ask
    from crossover.measure.environment import ENVIRONMENT

    found = {"name": "npu:0", "description": "an NPU", "memory_bytes": None}
    here(accelerators=(found,))
    _, spec = new_run.new_run(Ask(contenders=("gpu/resident",)).spec(2), ENVIRONMENT)
    assert spec.pairs == (("cpu/resident@2", "npu:0/resident"),)


@pytest.mark.parametrize("name", ["gpu:0", "gpu:1/resident"])
def test_a_numbered_gpu_is_refused_with_the_name_to_use(crossover, name):
    code, _, error = crossover("run", "--contender", name)
    assert code == 2
    assert error.count("\n") == 1
    assert f"such as cuda{name.partition('/')[0][3:]}, or gpu for any" in error
