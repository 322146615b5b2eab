"""`crossover doctor` on the simulated accelerator: it names each fault and no other."""

import json

import pytest

from crossover.doctor import facts
from crossover.doctor.device_checks import device_checks
from crossover.measure import machine

NAME = "simulated:0"
# Products of matrices take 50 ms there, of which the host needs a few.
CLEAN = {
    "bytes_per_s": 6e7, "pageable_bytes_per_s": 2e9, "pinned_bytes_per_s": 4e9,
    "first_use_s": 0.1,
}  # fmt: skip


@pytest.fixture
def settings(simulated_environment, monkeypatch):
    """Set the device up for processes that are started from now on."""

    def set_up(**costs):
        for name, value in simulated_environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SIMULATED_ACCELERATOR", json.dumps(CLEAN | costs))

    return set_up


def unfit():
    checks = device_checks(NAME, machine.ask_device(NAME, verify=True), 2**30)
    return {check.name: check.finding for check in checks if check.status == "unfit"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        ({"fault": "lost"}, NAME, "device lost"),
        ({"fault": "abort"}, NAME, f"{NAME} fails: killed by SIGABRT"),
        ({"fault": "hang"}, NAME, f"{NAME} does not answer in 4 s"),
        ({"memory_bytes": 2**16}, NAME, "out of memory"),
        ({"bytes_per_s": 0}, "queue", "the host is busy for"),
        (
            {"throttle_after_s": 0.2, "throttle_factor": 2.5},
            "speed",
            "at work its clock is 40% of its highest",
        ),
        ({"fault": "tf32"}, "precision", "rounded to TF32"),
    ],
    ids=["lost", "abort", "hang", "memory", "not asynchronous", "throttled", "tf32"],
)
def test_each_fault_is_named(settings, monkeypatch, fault, check, said):
    if fault.get("fault") == "hang":
        monkeypatch.setattr(machine, "DEVICE_TIMEOUT_S", 4.0)
    settings(**fault)
    found = unfit()
    # TF32 is off by more than the work's bound, too
    assert list(found) == ([check, "work"] if check == "precision" else [check])
    assert said in found[check]


@pytest.mark.slow
def test_compiling_may_take_longer_than_a_device_to_answer(settings, monkeypatch):
    """Each operator takes 0.3 s to be loaded, as a kernel to be compiled: the facts
    are there in time, and what no trainer's check may exceed is named by trainer."""
    settings(first_launch_s=0.3, fault="hang", fault_rows=32)
    monkeypatch.setattr(machine, "DEVICE_TIMEOUT_S", 60.0)
    monkeypatch.setattr(machine, "VERIFY_TIMEOUT_S", 3.0)
    monkeypatch.setattr(machine, "TRAINERS", ["fused", "resident"])
    found = machine.ask_device(NAME, verify=True)
    assert found.error == ""
    assert list(found.equal_work) == ["resident"]
    assert found.equal_work["resident"].startswith("slower than 3 s")


def of_a_product(seconds):
    """Settings of a device that takes this long for a product of 512 by 512."""
    fast = {"multiply_adds_per_s": 512**3 / seconds, "skip_products": 1}
    return {"bytes_per_s": 0, "idle_share": 0.3, **fast}


ON_EITHER_SIDE = [pytest.param(us, marks=pytest.mark.slow) for us in (1, 60)]


@pytest.mark.parametrize("us", [10, *ON_EITHER_SIDE])
def test_a_fast_device_is_asynchronous(settings, us):
    """A queue of 1,024 launches is full long before 5,000 products of 10 us are done;
    nor may the clock be read when the device is idle."""
    settings(**of_a_product(us * 1e-6))
    found = machine.ask_device(NAME).facts
    assert found.queued_share < 0.5
    assert found.clock_share == 1.0


def test_a_fast_device_with_a_short_queue_is_not(settings):
    settings(**of_a_product(1e-5), queue_depth=1)
    assert machine.ask_device(NAME).facts.queued_share > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code", "verdict"),
    [
        ({}, 0, "Fit to measure on"),
        ({"fault": "wrong"}, 1, "Not fit to measure on: see work."),
    ],
    ids=["clean", "wrong"],
)
def test_the_exit_code(settings, monkeypatch, crossover, fault, code, verdict):
    # What else runs on the machine of the tests is not what is tested here.
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    monkeypatch.setattr(facts, "busy_programs", list)
    monkeypatch.setattr(facts, "growth_in_work", lambda *_: 0)
    monkeypatch.setattr(facts, "free_bytes", lambda _: 2**33)
    # Products of 5 ms: the host has queued them long before, however busy it is.
    settings(multiply_adds_per_s=512**3 / 5e-3, **fault)
    found, out, err = crossover("doctor", "--quick")
    assert (found, err) == (code, "")
    assert out.splitlines()[-1].startswith(verdict)
    if fault:
        assert "equal to the reference: none; wrong:" in out
        assert "lesson (weights off by" in out
    else:
        assert ", lesson, manual, resident, streamed; not available:" in out


@pytest.mark.slow
def test_a_slow_bus_is_no_wait(settings):
    settings(pageable_bytes_per_s=2e6, pinned_bytes_per_s=4e6)
    found = machine.ask_device(NAME).facts.copies_bytes_per_s
    for way in ("to_device", "to_host"):
        assert found[f"{way}_pageable"] == pytest.approx(2e6, rel=0.3)
        assert found[f"{way}_pinned"] == pytest.approx(4e6, rel=0.3)


@pytest.mark.slow
def test_a_device_that_rounds_products_is_not_measured_and_says_so(settings):
    settings(fault="tf32")
    found = machine.snapshot((NAME, "cpu"))
    assert "products are rounded (TF32)" in found.unavailable[NAME]


@pytest.mark.slow
def test_a_device_that_does_not_answer_is_not_measured_and_the_rest_is(
    settings, monkeypatch
):
    settings(fault="lost")
    found = machine.snapshot((NAME, "cpu"))
    assert "device lost" in found.unavailable[NAME]
    assert "cpu" not in found.unavailable
