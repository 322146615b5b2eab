"""What the doctor reads, from files and libraries made up for it."""

import os
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from crossover.doctor import facts
from crossover.doctor.checks import Gpu
from crossover.measure.environment import Others
from crossover.measure.pipe import Ended


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_files_of_the_system(tmp_path):
    cpu = "sys/devices/system/cpu"
    assert facts.governors(tmp_path) == []
    assert facts.turbo(tmp_path) is None
    assert facts.smt(tmp_path) is None
    write(
        tmp_path,
        {
            f"{cpu}/cpu0/cpufreq/scaling_governor": "performance",
            f"{cpu}/cpu1/cpufreq/scaling_governor": "powersave",
            f"{cpu}/intel_pstate/no_turbo": "0",
            f"{cpu}/smt/active": "1",
        },
    )
    assert sorted(facts.governors(tmp_path)) == ["performance", "powersave"]
    assert facts.turbo(tmp_path) is True
    assert facts.smt(tmp_path) is True
    write(tmp_path, {f"{cpu}/intel_pstate/no_turbo": "1", f"{cpu}/smt/active": "0"})
    assert facts.turbo(tmp_path) is False
    assert facts.smt(tmp_path) is False


@pytest.mark.parametrize(("boost", "is_on"), [("1", True), ("0", False), ("", None)])
def test_turbo_of_other_makers(tmp_path, boost, is_on):
    write(tmp_path, {"sys/devices/system/cpu/cpufreq/boost": boost})
    assert facts.turbo(tmp_path) is is_on


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": 5000, "memory.current": 3000}, 2000),
        (
            {
                "memory.max": 5000,
                "memory.current": 3000,
                "memory.stat": "anon 2400\ninactive_file 600",
            },
            2600,
        ),
        (
            {
                "memory/memory.limit_in_bytes": 700,
                "memory/memory.usage_in_bytes": 100,
            },
            600,
        ),
    ],
)
def test_free_memory_of_a_container(tmp_path, files, free):
    assert facts.free_bytes(tmp_path) > 10_000
    write(tmp_path / "sys/fs/cgroup", files)
    assert facts.free_bytes(tmp_path) == free


def test_growth_in_work():
    counts = iter([3, 8, 2, None])
    assert facts.growth_in_work(lambda: next(counts), cores=2, seconds=0.01) == 5
    assert facts.growth_in_work(lambda: next(counts), cores=1, seconds=0.01) is None


def test_a_busy_program_is_named():
    burn = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    with subprocess.Popen(burn, stdout=subprocess.PIPE) as burner:
        assert burner.stdout is not None
        burner.stdout.readline()
        shares = facts.busy_programs(0.5)
        burner.kill()
    assert max(share for name, share in shares if "python" in name) > 0.02
    assert [s for _, s in shares] == sorted((s for _, s in shares), reverse=True)


def test_a_process_of_ours_is_no_other_program(monkeypatch):
    """Torch is loaded in one before anybody looks."""
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code]) as ours:
        seen = [psutil.Process(pid) for pid in (1, os.getpid(), ours.pid)]
        monkeypatch.setattr(psutil, "process_iter", lambda: seen)
        try:
            assert [name for name, _ in Others().shares()] == [seen[0].name()]
        finally:
            ours.kill()


@pytest.mark.parametrize(
    ("shares", "cores", "said"),
    [
        ([("cc", 0.3), ("sh", 0.2)], 2, ""),
        ([("cc", 0.5), ("sh", 0.2)], 4, ""),
        (
            [("cc", 1.0), ("a\x1b[1mb", 0.5), ("sh", 0.04), ("ls", 0.0)],
            2,
            "other programs use 1.5 of 2 cores (cc 1.0, a\\x1b[1mb 0.5): stop "
            "them first, or no answer of this run can be trusted",
        ),
    ],
)
def test_who_takes_much_of_the_cores_is_named(monkeypatch, shares, cores, said):
    monkeypatch.setattr(Others, "shares", lambda self: shares)
    assert Others().notice(cores) == said


def test_torch_that_does_not_load_is_an_error(monkeypatch, tmp_path):
    write(tmp_path, {"torch.py": "raise ImportError('libtorch is broken')"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    notes = "torch cannot be loaded: ImportError: libtorch is broken"
    assert facts.ask_torch() == Ended(status="crashed", notes=notes)


class FakeNvml:
    """One accelerator, in NVML's words; asking for its fan fails."""

    NVMLError = OSError
    NVML_CLOCK_SM, NVML_TEMPERATURE_GPU = 1, 0

    def __init__(self):
        for name, value in {
            "Count": 1, "Name": b"T4", "ClockInfo": 585, "MaxClockInfo": 1590,
            "PersistenceMode": 0, "CurrentClocksEventReasons": 0x40,
            "ComputeRunningProcesses": ["one"], "HandleByIndex": "handle",
        }.items():  # fmt: skip
            setattr(self, f"nvmlDeviceGet{name}", lambda *_, v=value: v)

    def nvmlInit(self):  # noqa: N802
        pass

    def nvmlDeviceGetTemperature(self, *_):  # noqa: N802
        raise self.NVMLError("not supported")


def test_nvml_is_read_and_what_it_does_not_know_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())
    assert facts.gpus() == [Gpu("T4", 585, 1590, None, False, 0x40, 1)]


def test_without_a_driver_there_is_no_accelerator(monkeypatch):
    def no_driver():
        raise RuntimeError("NVML shared library not found")

    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(nvmlInit=no_driver))
    assert facts.gpus() == []


def test_without_nvml_there_is_no_accelerator():
    assert facts.gpus("a_module_that_is_not_there") == []
