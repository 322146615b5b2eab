"""The doctor's A/A, its order, its output and its exit code."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from builders import FakeWorker, opened, sampled

from crossover.doctor import examine as doctor
from crossover.doctor.checks import Check, TorchBuild
from crossover.measure.machine import DeviceAnswer
from crossover.measure.pipe import Accelerator, Ended


class Timed(FakeWorker):
    """Answers with samples of a made-up clock; the second worker may be slower."""

    def __init__(self, clock, calls, call_s, broken=False):
        super().__init__()
        self.clock, self.calls, self.call_s, self.broken = clock, calls, call_s, broken
        self.stopped = False

    def opened(self, request):
        return opened(calls_per_sample=self.calls)

    def sampled(self, request):
        if self.broken:
            return Ended(status="crashed", notes="exit status -9")
        self.clock.asked.append(self)
        seconds = self.calls * self.call_s
        self.clock.now_s += seconds
        return sampled(seconds)

    def stop(self):
        self.stopped = True


def made_up_workers(*arguments):
    clock = SimpleNamespace(now_s=0.0, asked=[])
    workers = [Timed(clock, *a) for a in arguments]
    left = iter(workers)
    return doctor.measure_twice(1.0, lambda _: next(left), lambda: clock.now_s), workers


def test_one_cell_is_measured_twice_in_turns():
    (log_ratios, failure), workers = made_up_workers((5, 0.001), (3, 0.002))
    assert failure == ""
    # a round takes 2 x 5 + 2 x 6 ms
    assert len(log_ratios) == pytest.approx(1.0 / 0.022, abs=1)
    assert np.allclose(log_ratios, np.log(0.5))
    order = [workers.index(w) for w in workers[0].clock.asked[:8]]
    assert order == [0, 1, 1, 0, 1, 0, 0, 1]
    assert all(worker.stopped for worker in workers)


def test_a_dead_worker_ends_the_aa_with_its_reason():
    (log_ratios, failure), workers = made_up_workers((1, 0.1), (1, 0.1, True))
    assert log_ratios == []
    assert failure == "crashed: exit status -9"
    assert all(worker.stopped for worker in workers)
    assert doctor.same_twice(log_ratios, failure).status == "unknown"


@pytest.mark.parametrize(
    ("median", "sd", "status"),
    [
        (0.0, 0.05, "ok"),
        (0.015, 0.01, "ok"),
        (0.04, 0.02, "unfit"),
        (-0.04, 0.02, "unfit"),
        (0.0, 0.15, "warn"),
        (0.0, 0.3, "unfit"),
    ],
)
def test_verdicts_on_the_aa(median, sd, status):
    values = np.random.default_rng(3).normal(0.0, 1.0, 150)
    values = median + sd * (values - np.median(values)) / np.std(values, ddof=1)
    check = doctor.same_twice(list(values))
    assert check.status == status
    assert f"{median:+.3f}" in check.finding
    assert f"SD {sd:.3f}" in check.finding


def test_a_difference_that_noise_explains_is_not_off():
    values = list(np.linspace(-0.12, 0.18, 20))
    assert np.median(values) == pytest.approx(0.03)
    assert doctor.same_twice(values).status == "ok"


def test_too_few_rounds_are_not_judged():
    assert doctor.same_twice([0.0] * 5).status == "unknown"


GOOD, POOR = Check("load", "ok", "0.1"), Check("turbo", "warn", "[on]", "off")
BAD = Check("quota", "unfit", "1 of 4", "raise it")
UNKNOWN = Check("smt", "unknown", "?")


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ([GOOD, UNKNOWN], 0, "Fit to measure on."),
        ([GOOD, POOR], 0, "Fit to measure on, with care: see turbo."),
        ([BAD, POOR], 1, "Not fit to measure on: see quota."),
    ],
)
def test_what_is_printed_and_the_exit_code(monkeypatch, capsys, found, code, last):
    monkeypatch.setattr(doctor, "examine", lambda quick: iter(found))
    assert doctor.diagnose() == code
    *lines, verdict = capsys.readouterr().out.splitlines()
    assert verdict == last
    for line, check in zip(lines, found, strict=True):
        assert line.split()[:2] == [check.status, check.name]
        assert check.finding in line
        assert line.endswith(check.advice)


def test_a_machine_is_examined_from_its_root(monkeypatch, tmp_path):
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("150000 100000\n")
    t4 = Accelerator(name="cuda:0", description="T4", memory_bytes=1, driver="570")
    torch = TorchBuild(
        cpu="cpu", energy_unmeasured=None, accelerators=(t4,), unavailable={},
        trainers={"cpu/resident": "", "cuda:0/compiled": "no triton"},
        versions={"torch": "2"}, threads={"torch": 4}, capability="AVX2", mkl=True,
        openmp=True, machine="x86_64",
    )  # fmt: skip
    lost = DeviceAnswer(None, "cuda:0 fails: the device was lost")
    monkeypatch.setattr(doctor, "usable_cores", lambda: 4)
    monkeypatch.setattr(doctor, "ask_device", lambda *_, **__: lost)
    monkeypatch.setattr(doctor, "measure_twice", lambda: ([0.01, -0.01] * 50, ""))
    for name, value in {
        "ask_torch": torch, "gpus": [], "busy_programs": [("cc", 3.0)],
        "growth_in_work": 3,
    }.items():  # fmt: skip
        monkeypatch.setattr(doctor.facts, name, lambda *_, v=value: v)
    found = {check.name: check for check in doctor.examine(False, tmp_path)}
    assert found["others"].status == "unfit"
    assert found["governor"].status == "unknown"
    assert found["quota"].status == "unfit"
    assert found["quota"].finding.startswith("1.5 of 4 cores; it stopped")
    assert found["devices"].finding == "cuda:0 T4"
    assert found["gpu"].finding == "no NVML"
    assert (found["cuda:0"].status, found["cuda:0"].finding) == ("unfit", lost.error)
    assert found["A/A"].status == "ok"
    assert "A/A" not in {check.name for check in doctor.examine(True, tmp_path)}


@pytest.mark.slow
def test_the_command_examines_this_machine():
    code = (
        "import sys; from crossover.cli import main\n"
        "try: main()\n"
        "finally: print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    *lines, last, loaded_torch = done.stdout.splitlines()
    marks = {line.split()[1]: line.split()[0] for line in lines}
    assert list(marks)[:11] == [
        "load", "others", "timer", "governor", "turbo", "smt", "quota", "memory",
        "settings", "torch", "devices",
    ]  # fmt: skip
    assert "A/A" not in marks
    assert set(marks.values()) <= {"ok", "warn", "unfit", "unknown"}
    assert done.returncode == int("unfit" in marks.values())
    assert "it to measure on" in last
    assert loaded_torch == "False"
