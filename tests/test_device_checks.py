"""What the doctor says of an accelerator, fact by fact."""

import dataclasses
import sys

import pytest

from crossover.doctor.checks import Gpu, gpu
from crossover.doctor.device_checks import device_checks
from crossover.doctor.facts import gpus
from crossover.measure.machine import DeviceAnswer
from crossover.measure.pipe import Examined

GIB = 2**30
FACTS = {
    "queued_share": 0.03,
    "clock_ratio": 1.01,
    "launch_s": 4e-6,
    "round_trip_s": 12e-6,
    "copies_bytes_per_s": {
        "to_device_pageable": 9e9,
        "to_host_pageable": 8e9,
        "to_device_pinned": 25e9,
        "to_host_pinned": 26e9,
    },
    "memory_free_bytes": 79 * GIB,
    "clock_share": 0.97,
    "uuid": "ab12",
    "rounds_products": False,
}
EQUAL = {"resident": "", "lesson": ""}
MISSING = {"fused_cuda": "numba-cuda is not installed"}
NVML = Gpu("H", processes=0, mig=False, bus_bytes_per_s=31.5e9, uuid="GPU-ab12")
OTHER = Gpu("H", processes=7, mig=True, bus_bytes_per_s=1e9, uuid="GPU-cd34")


def statuses(
    states=(OTHER, NVML), equal_work=EQUAL, memory_bytes=80 * GIB, missing=MISSING,
    **facts,
):  # fmt: skip
    seen = DeviceAnswer(Examined(**FACTS | facts), equal_work=equal_work)
    found = device_checks("cuda:0", seen, memory_bytes, missing, states)
    return {check.name: check for check in found}


def test_a_good_device_is_ok_in_all():
    found = statuses()
    assert {name: check.status for name, check in found.items()} == dict.fromkeys(
        ("queue", "clock", "launches", "copies", "room", "speed", "precision", "work"),
        "ok",
    )
    assert found["copies"].finding == (
        "cuda:0: to device pageable 9.0, to host pageable 8.0, to device pinned 25.0, "
        "to host pinned 26.0 GB/s; the bus' nominal is 31.5"
    )
    assert found["work"].finding == (
        "cuda:0: equal to the reference: resident, lesson; not available: fused_cuda "
        "(numba-cuda is not installed)"
    )
    assert all(check.advice == "" for check in found.values())


@pytest.mark.parametrize(
    ("facts", "name", "status", "text"),
    [
        ({"queued_share": 0.98}, "queue", "unfit", "98%"),
        ({"clock_ratio": 0.05}, "clock", "unfit", "0.050 x"),
        ({"clock_ratio": 1.6}, "clock", "unfit", "1.600 x"),
        ({"launch_s": 90e-6}, "launches", "warn", "90.0 us an operator"),
        ({"memory_free_bytes": 8 * GIB}, "room", "unfit", "8.0 of 80.0 GiB free"),
        ({"clock_share": 0.4}, "speed", "unfit", "40%"),
        ({"rounds_products": True}, "precision", "unfit", "rounded to TF32"),
        (
            {"equal_work": {"resident": "weights off by 0.2, more than 0.0001"}},
            "work", "unfit", "reference: none; wrong: resident (weights off by 0.2",
        ),
    ],
)  # fmt: skip
def test_each_fault_is_named(facts, name, status, text):
    found = statuses(**facts)
    assert (found[name].status, text in found[name].finding) == (status, True)
    assert found[name].advice
    assert [n for n, check in found.items() if check.status != "ok"] == [name]


@pytest.mark.parametrize(
    ("copies", "status"),
    [
        ({"to_device_pinned": 12e9}, "unfit"),
        ({"to_host_pinned": 16e9, "to_host_pageable": 29e9}, "warn"),
        ({"to_device_pinned": None, "to_host_pinned": None}, "ok"),
    ],
)
def test_copies_are_judged_by_the_bus_and_by_each_other(copies, status):
    found = statuses(copies_bytes_per_s=FACTS["copies_bytes_per_s"] | copies)
    assert found["copies"].status == status


def test_what_cannot_be_known_is_said_not_passed():
    unknown = {"clock_ratio": None, "memory_free_bytes": None, "clock_share": None}
    found = statuses(states=(), **unknown)
    named = {name for name, check in found.items() if check.status == "unknown"}
    assert named == {"clock", "copies", "room", "speed"}


@pytest.mark.parametrize(
    ("state", "text"),
    [({"processes": 2}, "2 other processes on it"), ({"mig": True}, "MIG splits it")],
)
def test_other_users_are_named(state, text):
    room = statuses(states=(dataclasses.replace(NVML, **state),))["room"]
    assert (room.status, text in room.finding) == ("warn", True)


def test_a_device_that_hangs_or_is_lost_is_one_unfit_line():
    (check,) = device_checks(
        "npu:1", DeviceAnswer(None, "npu:1 does not answer in 120 s")
    )
    assert (check.name, check.status) == ("npu:1", "unfit")
    assert check.finding == "npu:1 does not answer in 120 s"


def test_a_device_that_another_process_has_alone_is_named():
    said = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"
    (check,) = device_checks("cuda:0", DeviceAnswer(None, said))
    assert check.status == "unfit"
    assert check.advice.endswith("sudo nvidia-smi -c 0")


@pytest.fixture
def nvml(monkeypatch):
    """Return the one GPU that is found where NVML answers as told."""

    class Nvml:
        NVML_CLOCK_SM, NVML_TEMPERATURE_GPU = 1, 0

        class NVMLError(Exception):
            pass

        def __init__(self, **known):
            self.known = known

        def __getattr__(self, name):
            return lambda *_: self.known.get(name.removeprefix("nvmlDeviceGet"))

        def nvmlInit(self):  # noqa: N802
            pass

        def nvmlDeviceGetCount(self):  # noqa: N802
            return 1

    def found(**known):
        monkeypatch.setitem(sys.modules, "pynvml", Nvml(**known))
        (gpu,) = gpus()
        return gpu

    return found


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        (0, "ok", ""),
        (1, "unfit", "exclusive"),
        (3, "unfit", "exclusive"),
        (None, "ok", ""),
    ],
)
def test_exclusive_compute_mode_is_named(nvml, mode, status, said):
    """Each contender has a process of its own: the second would be refused."""
    check = gpu(nvml(Name="H100", ComputeMode=mode, PersistenceMode=1))
    assert check.status == status
    assert said in check.finding
    assert ("sudo nvidia-smi -c 0" in check.advice) == (status == "unfit")


def test_the_bus_and_mig_are_read_from_nvml(nvml):
    found = nvml(
        Name=b"H100", MaxPcieLinkGeneration=5, MaxPcieLinkWidth=16, MigMode=(1, 1),
        UUID="GPU-ab12",
    )  # fmt: skip
    assert found.bus_bytes_per_s == pytest.approx(63e9, rel=0.01)
    assert (found.name, found.mig, found.uuid) == ("H100", True, "GPU-ab12")
