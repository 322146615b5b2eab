"""The simulated accelerator with the queue of a real one, as `gpu_probe` printed it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from simulated_accelerator import calibration

from bench.promises import gpu_probe
from crossover.measure import machine

RECORDED = Path(__file__).parent.parent / "results" / "gpu-reference" / "probe.txt"
NAME = "simulated:0"


class Gpu:
    """A device of made numbers, on a clock of its own, for `gpu_probe` to probe."""

    launch_s, product_s, depth = 6e-6, 250e-6, 300

    def __init__(self, monkeypatch):
        self.now_s, self.done_s = 0.0, []
        clock = SimpleNamespace(perf_counter=lambda: self.now_s)
        monkeypatch.setattr(gpu_probe, "time", clock)
        monkeypatch.setattr(gpu_probe, "synchronize", self.synchronize)
        monkeypatch.setattr(gpu_probe, "product", lambda *_: self.launch)
        monkeypatch.setattr(gpu_probe, "clock_share", lambda _: self.share)

    @property
    def share(self):
        return 1.0 if self.done_s and self.done_s[-1] > self.now_s else 0.25

    def launch(self):
        self.now_s += self.launch_s
        if len(self.done_s) >= self.depth:
            self.now_s = max(self.now_s, self.done_s[-self.depth])
        last_s = self.done_s[-1] if self.done_s else 0.0
        self.done_s.append(max(self.now_s, last_s) + self.product_s)

    def synchronize(self, device):
        self.now_s = max(self.now_s, *self.done_s[-1:], self.now_s)
        self.done_s.clear()


def probed(monkeypatch, capsys, **numbers):
    """Return what the probe prints of a device of these numbers."""
    gpu = Gpu(monkeypatch)
    vars(gpu).update(numbers)
    for question in (gpu_probe.queue, gpu_probe.clocks, gpu_probe.products):
        question(torch.device("cpu"))
    return capsys.readouterr().out


def test_settings_are_those_of_the_device_that_was_probed(monkeypatch, capsys):
    found = calibration.costs(probed(monkeypatch, capsys))
    assert found.pop("multiply_adds_per_s") == pytest.approx(512**3 / 250e-6, rel=0.05)
    assert found.pop("queue_depth") == pytest.approx(300, abs=2)
    assert found == {"launch_s": 6e-6, "skip_products": 1, "idle_share": 0.25}


def test_a_queue_in_which_no_launch_waits_is_as_long_as_usual(monkeypatch, capsys):
    found = calibration.costs(probed(monkeypatch, capsys, depth=10**6))
    assert "queue_depth" not in found


@pytest.mark.parametrize("missing", ["queue: ", "product   512"])
def test_a_probe_that_failed_calibrates_nothing(monkeypatch, capsys, missing):
    text = probed(monkeypatch, capsys).replace(missing, "lost ")
    with pytest.raises(
        ValueError, match="probe: must tell the queue and a product 512"
    ):
        calibration.costs(text)


def test_a_real_gpus_queue_is_fit_to_measure_with(simulated_environment, monkeypatch):
    """The doctor must not call the queue unfit for which it was recorded."""
    if not RECORDED.exists():
        pytest.skip("no run on a GPU is recorded: results/gpu-reference/probe.txt")
    for name, value in simulated_environment.items():
        monkeypatch.setenv(name, value)
    costs = calibration.costs(RECORDED.read_text())
    monkeypatch.setenv("SIMULATED_ACCELERATOR", json.dumps(costs))
    facts = machine.ask_device(NAME).facts
    assert facts.queued_share < 0.5
