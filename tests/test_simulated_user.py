"""A user's own file on a simulated accelerator, whose costs are known.

A step launches kernels, and the host prepares one while the device is at the one
before: they take

    launches x the longer of launch_s and a kernel's seconds

and on the CPU it spins for so long a row. What both cost is linear in the rows.
"""

import csv
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import torch

from crossover.measure.pipe import Declare, Open
from crossover.measure.process import WorkerProcess
from crossover.measure.sampler import Sampler
from crossover.workloads.registry import bring
from crossover.workloads.user_file import declare
from softmax_core.launches import Counter

HERE, DEVICE = Path(__file__).parent, "simulated:0"
JOB = declare("known_job.py", str(HERE))
LAUNCHES, ROW_BYTES = JOB.module.LAUNCHES, 4 * JOB.module.NUMBERS
STEPS, MARGIN = 100, 1.05
"""Steps of the job, and how many times as fast is ahead."""


@pytest.fixture
def settings(simulated_environment, monkeypatch):
    """Give every process started from here on a simulated accelerator."""

    def set_them(**costs):
        for name, value in simulated_environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SIMULATED_ACCELERATOR", json.dumps(costs))

    return set_them


def backend():
    from simulated_accelerator import backend as loaded

    return loaded


def sampled():
    """Take a sample of a step that leaves its work queued, and of one that waits."""
    bring(JOB)
    found = []
    for name in ("train", "waits"):
        case = JOB.declared.case(rows=64, steps=3)
        sampler = Sampler(case, name, torch.device(DEVICE), None, 0.0, 0.2)
        sampler.ready()
        backend().reset_counters(0)
        sampler.ready = lambda: None  # it is
        took_s, *_ = sampler.sample()
        seen, left_s = backend().counters(0), backend().pending_s(0)
        sampler.close()
        steps = sampler.calls * sampler.repeats
        found.append([took_s / steps, seen["busy_s"] / steps, left_s, seen])
    return found


def test_a_step_that_leaves_its_work_queued_is_timed_to_its_end(child):
    """As one that waits for it: no less than the device was busy."""
    kernel_s = 2e-3
    queued, waited = child.run(sampled, kernel_s=kernel_s)
    for took_s, busy_s, left_s, _ in (queued, waited):
        assert took_s >= busy_s == pytest.approx(LAUNCHES * kernel_s)
        assert left_s == 0.0
    print(f"a step: {queued[0]:.5f} s queued, {waited[0]:.5f} s waited for")
    (*_, all_queued), (*_, all_waited) = queued, waited
    assert all_queued["launches"] == all_waited["launches"]
    assert all_queued["synchronisations"] == 2 < all_waited["synchronisations"]


EXAMPLES = [
    ("mlp", ["hidden=16,64", "batch=4"]),
    ("lstm", ["length=4,8", "batch=4"]),
    ("attention", ["context=16,64", "dtype=float32,bfloat16"]),
    ("policy", ["envs=1,8"]),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), EXAMPLES)
def test_every_example_is_measured_there(
    settings, crossover, undrawn, tmp_path, name, words
):
    settings()
    file, out = HERE.parent / "examples" / f"{name}.py", tmp_path / "run"
    code, said, errors = crossover(
        "run", file, *words, "steps=5", "--grid", "--rounds", "5",
        "--contender", "cpu@1", "--contender", DEVICE, "--out", out,
    )  # fmt: skip
    assert code == 0, errors + said
    with open(out / "measurements.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    there = [row for row in rows if row["contender"].startswith(DEVICE)]
    assert {row["status"] for row in rows} == {"ok"}, {row["notes"] for row in rows}
    assert {row["verified"] for row in there} == {"True"}


COUNTED = {"mlp": {"hidden": 64}, "policy": {"envs": 4}}
"""Examples whose operators are the same everywhere, and a case of each."""


def example(name):
    job = declare(f"{name}.py", str(HERE.parent / "examples"))
    (function,) = job.declared.implementations
    return job, function.name, job.declared.case(**COUNTED[name])


def counted_there(name):
    """Count the second step of an example on the device."""
    job, function, case = example(name)
    session = job.session(case, function, DEVICE, None, 1)
    session.move()
    session.build()
    session.run(1)
    counter = Counter()
    with counter:
        session.run(1)
    return [counter.launches, counter.bytes, counter.operations]


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_on_the_cpu_is_what_a_device_gets(child, name):
    """Optimizers, too, update there as torch does it on accelerators."""
    job, function, case = example(name)
    (found,) = job.count(function, [case])
    here = [found.launches, found.bytes, found.operations]
    assert child.run(counted_there, name) == here


@dataclass(frozen=True)
class Costs:
    """What the accelerator costs, and how long the CPU spins a row."""

    row_ns: int
    launch_s: float = 0.0
    kernel_s: float = 0.0
    bytes_per_s: float = 0.0
    transfer_s: float = 0.0
    pageable_bytes_per_s: float = 0.0
    first_use_s: float = 0.0

    def settings(self):
        return {n: v for n, v in asdict(self).items() if n != "row_ns"}

    def launch(self):
        """Return the seconds of a launch, which reads two tensors and writes one.

        The second number is what each row adds.
        """
        row_s = 3 * ROW_BYTES / self.bytes_per_s if self.bytes_per_s else 0.0
        return max(self.launch_s, self.kernel_s), row_s


SETTINGS = {
    "launches": Costs(
        10_500, launch_s=2e-3, transfer_s=0.1, pageable_bytes_per_s=6e5, first_use_s=2.5
    ),
    "kernels": Costs(
        5250, kernel_s=1e-3, transfer_s=0.1, pageable_bytes_per_s=6e5, first_use_s=1.2
    ),
    "bandwidth": Costs(
        5250, kernel_s=6e-4, bytes_per_s=2.4e8, transfer_s=0.08,
        pageable_bytes_per_s=1.2e6, first_use_s=1.0,
    ),
}  # fmt: skip


def crossings(costs, set_up_s):
    """Return from which size on the device is ahead by the margin, by view.

    Args:
        costs: of the device, and of a row on the CPU.
        set_up_s: of the CPU, and of the device where it costs nothing.
    """
    fixed_s, row_s = (STEPS * LAUNCHES * s for s in costs.launch())
    cpu_row_s = STEPS * costs.row_ns * 1e-9
    move_s, byte_s = costs.transfer_s, ROW_BYTES / costs.pageable_bytes_per_s
    ahead = set_up_s[1] + costs.first_use_s - set_up_s[0] / MARGIN
    device = {
        "train": (fixed_s, row_s),
        "with_transfer": (fixed_s + move_s, row_s + byte_s),
        "from_scratch": (fixed_s + move_s + ahead, row_s + byte_s),
    }
    return {
        view: MARGIN * fixed / (cpu_row_s - MARGIN * row)
        for view, (fixed, row) in device.items()
    }


def launched():
    """Return how many kernels a step launches, and how long the device is busy."""
    session = JOB.session(JOB.declared.case(rows=1000), "train", DEVICE, 1, 1)
    session.move()
    session.build()
    backend().reset_counters(0)
    session.run(1)
    session.synchronize()
    seen = backend().counters(0)
    return seen["launches"], seen["busy_s"]


def test_a_step_costs_what_the_truth_says(child):
    costs = SETTINGS["bandwidth"]
    fixed_s, row_s = costs.launch()
    launches, busy_s = child.run(launched, **costs.settings())
    assert launches == LAUNCHES
    assert busy_s == pytest.approx(launches * (fixed_s + 1000 * row_s))


def set_up_s(device):
    """Return how long the job's set-up takes in a fresh process."""
    worker = WorkerProcess(1)
    try:
        declared = worker.ask(Declare(target="known_job.py", folder=str(HERE)), 60)
        request = Open(
            workload="known_job.py", case={"rows": 2000, "steps": STEPS},
            device=device, trainer="train", threads=1, longest_s=0.1,
            declared=declared,
        )  # fmt: skip
        return worker.ask(request, 60).setup_s
    finally:
        worker.stop()


SPEC = """
workload = "known_job.py"
contenders = ["cpu@1", "simulated:0@1"]
pairs = [["cpu@1", "simulated:0@1"]]
grid = true
control = false
rounds = 8
longest_sample_s = 0.1
[[sweep]]
axis = "rows"
"""


def measured(crossover, out, costs, sizes):
    """Run the command with a spec; return its answers by view."""
    shutil.copy(HERE / "known_job.py", out.parent)
    spec = out.with_suffix(".toml")
    rest = f"values = {sizes}\nsteps = {STEPS}\nrow_ns = {costs.row_ns}\n"
    spec.write_text(SPEC + rest)
    code, said, errors = crossover("run", spec, "--out", out)
    assert code == 0, errors + said
    with open(out / "crossovers.csv", encoding="utf-8") as rows:
        found = [r for r in csv.DictReader(rows) if r["metric"] == "time_s"]
    return {row["view"]: row for row in found}


def around(truths, steps=(0.6, 0.85, 1.2, 1.7)):
    return sorted({round(step * truth) for truth in truths for step in steps})


@pytest.mark.simulation
def test_where_a_users_file_is_ahead_is_in_the_interval(
    settings, crossover, undrawn, tmp_path, monkeypatch, capsys
):
    """The costs are the simulation's by construction, whatever else runs here."""
    monkeypatch.setattr("crossover.analysis.crossover.is_withheld", lambda flags: False)
    held = {}
    for name, costs in SETTINGS.items():
        settings()
        truths = crossings(costs, (set_up_s("cpu"), set_up_s(DEVICE)))
        settings(**costs.settings())
        sizes = around(truths.values())
        answers = measured(crossover, tmp_path / name, costs, sizes)
        for view, truth in truths.items():
            row = answers[view]
            low, high = float(row["low"] or 0), float(row["high"] or "inf")
            held[name, view] = row["outcome"] == "found" and low <= truth <= high
            names = "outcome", "at", "low", "high", "flags"
            with capsys.disabled():
                print(name, view, f"truth {truth:.5g}", *(row[n] for n in names))
    assert sum(held.values()) >= 8, held
