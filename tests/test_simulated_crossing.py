"""The whole program finds crossings that are known, because both sides' costs are set.

The baseline spins so long a row; the challenger is `resident` on a simulated
accelerator, one batch an epoch, whose launches are counted. The host prepares one
launch while the device is at the one before, so that they take

    launches x the longer of launch_s and kernel_s
"""

import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass

import pytest
import torch

from crossover.measure.pipe import Open
from crossover.measure.process import WorkerProcess
from crossover.workloads.spin import Law
from softmax_core import Case, get_trainer, make_data

CHALLENGER = "simulated:0/resident"
FASTER = 3.0
"""The challenger, at the samples of the sweep along epochs."""
SAMPLES = 4096
SHAPE = {"features": 64, "dispersion": (0.5, 2.0)}
BYTES_A_ROW = 64 * 4 + 8


@dataclass(frozen=True)
class Costs:
    """What the accelerator costs; the rest of its settings is the default's."""

    launch_s: float = 0.0
    kernel_s: float = 0.0
    transfer_s: float = 0.0
    pageable_bytes_per_s: float = 1e12
    first_use_s: float = 0.0

    def train_s(self, launches):
        return launches * max(self.launch_s, self.kernel_s)

    def move_s(self, copies, n_bytes):
        return copies * self.transfer_s + n_bytes / self.pageable_bytes_per_s


SETTINGS = {
    "kernels": Costs(kernel_s=1e-3, transfer_s=10e-3, first_use_s=6.0),
    "launches": Costs(
        launch_s=1e-3, transfer_s=5e-3, pageable_bytes_per_s=4e8, first_use_s=5.0
    ),
    "transfers": Costs(
        kernel_s=8e-4, transfer_s=8e-3, pageable_bytes_per_s=1e8, first_use_s=8.0
    ),
}


def counted():
    """Count an epoch's launches, and what setting up launches and moves."""
    from simulated_accelerator import backend

    device = torch.device("simulated", 0)
    tiny = Case(samples=4, batch_size=2, epochs=1)
    case = Case(samples=SAMPLES, batch_size=SAMPLES, **SHAPE)
    X = make_data(case).to(device)
    found = []
    for one, data, epochs in ((tiny, make_data(tiny), 1), (case, X, 0)):
        backend.reset_counters(0)
        session = get_trainer("resident").prepare(one, data, device)
        session.train(epochs)
        found.append(backend.counters(0))
    backend.reset_counters(0)
    session.train(1)
    epoch = backend.counters(0)["launches"]
    return [epoch, *(sum(c[n] for c in found) for n in SET_UP)]


SET_UP = "launches", "host_to_device", "host_to_device_bytes"


@dataclass(frozen=True)
class Known:
    """Costs, and the crossings that follow from them."""

    costs: Costs
    epoch: int
    """Launches; then of the set-up."""
    launches: int
    copies: int
    n_bytes: int
    host_s: float
    """Set-up of a fresh process where the device costs nothing."""

    @property
    def epoch_s(self):
        return self.costs.train_s(self.epoch)

    @property
    def law(self):
        return Law(0, round(FASTER * self.epoch_s / SAMPLES * 1e12))

    def crossings(self):
        """Return samples in `train` and `with_transfer`, epochs in `from_scratch`."""
        row_s, costs = self.law.row_ps * 1e-12, self.costs
        per_row_s = row_s - costs.move_s(0, BYTES_A_ROW)
        set_up_s = self.host_s + costs.first_use_s + costs.train_s(self.launches)
        set_up_s += costs.move_s(self.copies, self.n_bytes)
        moved_s = costs.move_s(2, BYTES_A_ROW * SAMPLES)
        return {
            "train": self.epoch_s / row_s,
            "with_transfer": (self.epoch_s + costs.move_s(2, 0)) / per_row_s,
            "from_scratch": (set_up_s + moved_s) / (row_s * SAMPLES - self.epoch_s),
        }


def around(truth, steps=(0.4, 0.75, 1.3, 2.0, 3.0)):
    return sorted({max(3, round(step * truth)) for step in steps})


@pytest.fixture
def known(child, simulated_environment, monkeypatch, brought):
    """Return what is known of costs, which are then those of new processes."""

    def know(costs, setup=True):
        for name, value in simulated_environment.items():
            monkeypatch.setenv(name, value)
        site = brought("beside", "law_beside_softmax:Beside")
        paths = str(site), simulated_environment["PYTHONPATH"]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
        monkeypatch.setenv("SIMULATED_ACCELERATOR", "{}")
        worker = WorkerProcess(1) if setup else None
        case = asdict(Case(samples=SAMPLES, batch_size=SAMPLES, **SHAPE))
        request = Open(
            workload="softmax", case=case, device="simulated:0", trainer="resident",
            threads=1, longest_s=0.1,
        )  # fmt: skip
        host_s = 0.0
        if worker is not None:
            try:
                host_s = worker.ask(request, 60).setup_s
            finally:
                worker.stop()
        monkeypatch.setenv("SIMULATED_ACCELERATOR", json.dumps(asdict(costs)))
        return Known(costs, *child.run(counted), host_s)

    return know


def found_by_run(known, out, views, rounds=8):
    """Run the command with a spec; return the crossings that it writes, by view."""
    truth = known.crossings()
    baseline = f"cpu/{known.law}@1"
    sweeps = []
    if "train" in views:
        sizes = sorted({s for v in views[:2] for s in around(truth[v])})
        sweeps += [f"axis = 'samples'\nvalues = {sizes}\nbatch_size = 1000000"]
    if "from_scratch" in views:
        sizes = around(truth["from_scratch"])
        sweeps += [
            f"axis = 'epochs'\nvalues = {sizes}\nsamples = {SAMPLES}\n"
            f"batch_size = {SAMPLES}"
        ]
    head = (
        "name = 'known'\nworkload = 'beside'\ngrid = true\ncontrol = false\n"
        f"rounds = {rounds}\n"
        f"longest_sample_s = 0.05\ncontenders = ['{baseline}', '{CHALLENGER}@1']\n"
        f"pairs = [['{baseline}', '{CHALLENGER}@1']]\n"
    )
    file = out.with_suffix(".toml")
    shape = f"features = {SHAPE['features']}\ndispersion = [0.5, 2.0]\n"
    file.write_text(head + "".join(f"[[sweep]]\n{s}\n{shape}" for s in sweeps))
    code = "from crossover.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(file), "--out", str(out)],
        env={**os.environ, "KNOWN_LAW": str(known.law)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    with open(out / "crossovers.csv", encoding="utf-8") as rows:
        found = [r for r in csv.DictReader(rows) if r["metric"] == "time_s"]
    axes = {"from_scratch": "epochs"}
    return {
        view: next(
            r
            for r in found
            if (r["view"], r["axis"]) == (view, axes.get(view, "samples"))
        )
        for view in views
    }


def inside(row, truth):
    """Tell whether the size at which both take the same time lies in its interval."""
    low, high = float(row["parity_low"] or 0), float(row["parity_high"] or "inf")
    return row["outcome"] == "found" and low <= truth <= high


@pytest.mark.simulation
def test_a_known_crossing_is_found(known, tmp_path):
    """The costs are the simulation's by construction, whatever else runs here."""
    known = known(SETTINGS["kernels"], setup=False)
    row = found_by_run(known, tmp_path / "run", ("train",), rounds=6)["train"]
    assert row["outcome"] == "found", row
    assert float(row["parity"]) == pytest.approx(known.crossings()["train"], rel=0.1)


@pytest.mark.simulation
def test_the_truth_is_in_the_interval_in_every_view(known, tmp_path):
    held = {}
    for name, costs in SETTINGS.items():
        one = known(costs)
        truth = one.crossings()
        for view, row in found_by_run(one, tmp_path / name, tuple(truth)).items():
            held[name, view] = inside(row, truth[view])
            names = "outcome", "parity", "parity_low", "parity_high", "flags"
            print(name, view, f"truth {truth[view]:.5g}", *(row[n] for n in names))
    assert sum(held.values()) >= 8, held
