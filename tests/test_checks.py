"""Every verdict of the doctor, on facts made up for it."""

import dataclasses

import pytest

from crossover.doctor import checks
from crossover.doctor.checks import Gpu, TorchBuild
from crossover.measure.pipe import Accelerator, Ended

TORCH = TorchBuild(
    cpu="cpu",
    energy_unmeasured=None,
    trainers={},
    versions={"torch": "2.9.0"},
    capability="AVX2",
    threads={"torch": 4},
    mkl=True,
    openmp=True,
    machine="x86_64",
    accelerators=(),
    unavailable={"cuda": "no driver"},
)
NO_TORCH = Ended(status="crashed", notes="torch cannot be loaded")
T4 = Accelerator(name="cuda:0", description="T4", memory_bytes=1, driver=None)


def torch(**fields):
    return TORCH.model_copy(update=fields)


@pytest.mark.parametrize(
    ("check", "status", "says"),
    [
        (checks.timer(50e-9, 60e-9), "ok", "step 50 ns, 60 ns a call"),
        (checks.timer(2e-6, 60e-9), "warn", "tsc"),
        (checks.timer(50e-9, 1.5e-6), "warn", "1500 ns a call"),
        (checks.timer(50e-9, 2.6e-6), "unfit", "tsc"),
        (checks.timer(2e-4, 60e-9), "unfit", "step 200000 ns"),
        (checks.load(1.1, 4), "ok", "1.10"),
        (checks.load(1.3, 4), "warn", "stop other programs"),
        (checks.load(4.0, 4), "warn", "4 cores"),
        (checks.load(4.1, 4), "unfit", "4.10"),
        (checks.others([("init", 0.09)], 4), "ok", "no other program"),
        (checks.others([("cc1plus", 0.9), ("sh", 0.0)], 4), "warn", "cc1plus 90%"),
        (checks.others([("a", 1.0), ("b", 1.0), ("c", 0.2)], 4), "unfit", "220%"),
        (checks.governor([]), "unknown", "virtual machine"),
        (checks.governor(["performance"] * 4), "ok", "performance"),
        (checks.governor(["performance", "powersave"]), "warn", "cpupower"),
        (checks.turbo(None), "unknown", "does not say"),
        (checks.turbo(False), "ok", "off"),
        (checks.turbo(True), "warn", "no_turbo"),
        (checks.smt(None, 4), "unknown", "does not say"),
        (checks.smt(False, 4), "ok", "off"),
        (checks.smt(True, 4), "warn", "at most 4 threads"),
        (checks.smt(True, None), "warn", "as many as physical threads"),
        (checks.quota(None, 4, None), "ok", "no CPU quota"),
        (checks.quota(4.0, 4, 7), "warn", "4 of 4 cores"),
        (checks.quota(1.5, 4, 0), "warn", "in 0 periods"),
        (checks.quota(1.5, 4, None), "warn", "1.5 of 4 cores"),
        (checks.quota(2.5, 4, 3), "unfit", "taskset -c 0-1 "),
        (checks.quota(0.5, 4, 3), "unfit", "taskset -c 0-0 "),
        (checks.memory(8 * 2**30), "ok", "8.0 GiB"),
        (checks.memory(2 * 2**30), "warn", "2.0 GiB"),
        (checks.memory(2**29), "unfit", "0.5 GiB"),
        (checks.settings({}, {}), "ok", "nothing in the environment"),
        (checks.settings({"LD_PRELOAD": "x"}, {}), "warn", "LD_PRELOAD=x"),
        (
            checks.settings({}, {"OMP_NUM_THREADS": "1"}),
            "ok",
            "not passed on to workers: OMP_NUM_THREADS=1",
        ),
        (checks.torch_build(NO_TORCH, 4, 4), "unfit", "can"),
        (checks.torch_build(TORCH, 4, 4), "ok", "2.9.0, AVX2, MKL, OpenMP, 4 threads"),
        (checks.torch_build(TORCH, 8, 4), "ok", "4 threads for 8 usable cores"),
        (checks.torch_build(TORCH, 8, 8), "warn", "cpu/resident@1"),
        (checks.torch_build(torch(mkl=False), 4, 4), "ok", "no MKL"),
        (checks.torch_build(torch(openmp=False), 4, 4), "warn", "no OpenMP"),
        (
            checks.torch_build(torch(capability="DEFAULT"), 4, 4),
            "warn",
            "AVX2 is not used",
        ),
        (
            checks.torch_build(torch(capability="DEFAULT", machine="aarch64"), 4, 4),
            "ok",
            "DEFAULT",
        ),
        (checks.accelerators(NO_TORCH, True), "unknown", "torch"),
        (checks.accelerators(TORCH, False), "ok", "cuda: no driver"),
        (
            checks.accelerators(
                torch(unavailable={"cuda": "torch was built without CUDA"}), True
            ),
            "warn",
            "install a torch built for CUDA",
        ),
        (
            checks.accelerators(
                torch(unavailable={"cuda": "NVIDIA's driver is for CUDA 12.4"}),
                True,
            ),
            "warn",
            "driver is loaded, and this torch cannot use it",
        ),
        (
            checks.accelerators(torch(accelerators=(T4,)), True),
            "ok",
            "cuda:0 T4",
        ),
    ],
)
def test_verdicts(check, status, says):
    assert check.status == status
    assert says in f"{check.finding} {check.advice}"
    assert (status in {"ok", "unknown"}) or check.advice


QUIET = Gpu("T4", 1590, 1590, 40, True, 0x01, 0)


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({}, "ok", "T4: 1590 of 1590 MHz, 40 °C"),
        ({"clock_mhz": 300}, "ok", "300 of 1590 MHz"),  # idle is not throttled
        ({"reasons": 0x04}, "warn", "power cap"),
        ({"reasons": 0x08}, "unfit", "hardware slowdown"),
        ({"reasons": 0x20 | 0x40}, "unfit", "hardware thermal slowdown"),
        ({"reasons": 0x80}, "unfit", "power brake"),
        ({"temperature_c": 85}, "warn", "let it cool"),
        ({"persistent": False}, "warn", "nvidia-smi -pm 1"),
        ({"processes": 2}, "warn", "stop the 2 processes"),
        (dict.fromkeys(["clock_mhz", "reasons", "temperature_c"]), "ok", "? of 1590"),
    ],
)
def test_verdicts_on_an_accelerator(changes, status, says):
    check = checks.gpu(dataclasses.replace(QUIET, **changes))
    assert check.status == status
    assert says in f"{check.finding} {check.advice}"


def test_without_nvml_an_accelerator_is_unknown():
    assert checks.gpu(None).status == "unknown"
    assert "no NVML" in checks.gpu(None).finding
