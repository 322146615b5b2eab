"""Energy: made-up counters, a made-up clock, and the crossover in joules."""

import dataclasses
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import FakeWorker, carried_out, make_round, opened, sampled

from crossover.analysis.crossover import crossovers
from crossover.measure import energy, worker
from crossover.measure.energy import Meter, energy_unmeasured, find_meter
from crossover.measure.pipe import Close, Open, Sample
from crossover.measure.sampler import Sampler
from crossover.record import run_folder
from crossover.workloads.softmax import SOFTMAX

CPU = torch.device("cpu")
RANGE_UJ = 50_000_000


class Tree:
    """A powercap tree whose packages use `watts` each, updated every millisecond.

    Called as the clock: each reading costs 50 us, and moves the counters.
    """

    def __init__(self, root, watts=(40.0,), update_s=1e-3, extra=("psys", "core")):
        self.root, self.update_s = root, update_s
        self.time_s, self.updated_s = 0.0, -1.0
        self.watts = {}
        for i, value in enumerate(watts):
            self.add(f"intel-rapl:{i}", f"package-{i}", value)
        for i, name in enumerate(extra):
            self.add(f"intel-rapl:0:{i}", name, 1e4)
        self.move(0.0)

    def add(self, folder, name, watts):
        path = self.root / folder
        path.mkdir(parents=True)
        (path / "name").write_text(f"{name}\n")
        (path / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
        self.watts[path / "energy_uj"] = watts

    def move(self, seconds):
        self.time_s += seconds
        updated_s = self.time_s // self.update_s * self.update_s
        if updated_s == self.updated_s:
            return
        self.updated_s = updated_s
        for path, watts in self.watts.items():
            path.write_text(f"{int(updated_s * watts * 1e6) % RANGE_UJ}\n")

    def __call__(self):
        self.move(50e-6)
        return self.time_s

    def work(self, seconds):
        self.move(seconds)
        return seconds


def test_packages_are_added_up_and_their_parts_are_not(tmp_path):
    tree = Tree(tmp_path, watts=(40.0, 60.0))
    meter = find_meter(CPU, tmp_path, tree)
    assert isinstance(meter, Meter)
    assert meter.name == "package-0 + package-1"
    assert meter.update_s == pytest.approx(1e-3, rel=0.05)
    seconds, joules = meter.around(lambda: tree.work(0.05))
    assert seconds == 0.05
    # off by one update at most: 100 W x 1 ms
    assert joules == pytest.approx(5.0, abs=0.1)


def test_a_counter_that_starts_again_is_followed(tmp_path):
    tree = Tree(tmp_path)
    meter = find_meter(CPU, tmp_path, tree)
    used = [meter.around(lambda: tree.work(0.05))[1] for _ in range(60)]
    assert sum(used) > 2 * RANGE_UJ * 1e-6
    assert max(abs(j - 2) for j in used) <= 0.04 + 1e-6
    (package,) = meter.counters
    assert package.joules(RANGE_UJ - 10, 5) == pytest.approx(15e-6)


@pytest.mark.parametrize("offset_s", [0.0, 0.0003, 0.0007])
def test_the_error_of_the_shortest_sample_is_a_quarter_at_most(tmp_path, offset_s):
    tree = Tree(tmp_path)
    meter = find_meter(CPU, tmp_path, tree)
    tree.move(offset_s)
    sample_s = energy.FEWEST_UPDATES * meter.update_s
    _, joules = meter.around(lambda: tree.work(sample_s))
    assert joules == pytest.approx(40 * sample_s, rel=0.251)


def test_a_sample_shorter_than_a_few_updates_has_no_joules(tmp_path):
    tree = Tree(tmp_path, update_s=0.05)
    meter = find_meter(CPU, tmp_path, tree)
    assert meter.around(lambda: tree.work(0.1)) == (0.1, None)
    assert meter.around(lambda: tree.work(0.3))[1] == pytest.approx(12, abs=2.1)
    assert meter.too_short(0.3) == ""
    assert meter.too_short(0.1) == (
        "energy not measured: a sample of 100 ms is shorter than 4 updates of 50 ms"
    )


def test_why_there_is_no_energy(tmp_path, monkeypatch):
    missing = tmp_path / "none"
    reason = f"no RAPL counters of packages in {missing}"
    assert find_meter(CPU, missing) == reason
    assert energy_unmeasured(["cpu"], missing) == f"cpu: {reason}"
    tree = Tree(tmp_path / "parts", watts=())
    assert find_meter(CPU, tree.root, tree) == reason.replace("none", "parts")
    still = Tree(tmp_path / "still", watts=(0.0,), update_s=0.05)
    found = find_meter(CPU, still.root, still)
    assert found == "the counter of package-0 stands still"
    (tree.root / "intel-rapl:9").mkdir()
    (tree.root / "intel-rapl:9" / "name").write_text("package-9")
    assert "intel-rapl:9 cannot be read" in find_meter(CPU, tree.root, tree)

    read_text = Path.read_text

    def refused(path, *encoding):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read_text(path, *encoding)

    monkeypatch.setattr(Path, "read_text", refused)
    found = find_meter(CPU, still.root, still)
    assert found == "intel-rapl:0/energy_uj can be read by root only"
    assert energy_unmeasured(["cpu"], still.root) == f"cpu: {found}"


def test_a_counter_that_goes_away_leaves_the_seconds(tmp_path):
    tree = Tree(tmp_path)
    meter = find_meter(CPU, tmp_path, tree)

    def work():
        (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
        return 0.05

    assert meter.around(work) == (0.05, None)


class FakeNvml(types.ModuleType):
    """A board of 300 W, counted in mJ."""

    class NVMLError(Exception):
        pass

    def __init__(self, tree, broken=False):
        super().__init__("pynvml")
        self.tree, self.broken = tree, broken

    def nvmlInit(self):  # noqa: N802
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        return {"GPU-x": 7}[uuid]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):  # noqa: N802
        assert handle == 7
        if self.broken:
            raise self.NVMLError("Not Supported")
        updated_s = self.tree.time_s // 0.02 * 0.02
        return int(updated_s * 300e3)


@pytest.fixture
def _a_gpu(monkeypatch):
    properties = types.SimpleNamespace(uuid="x")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)


@pytest.mark.usefixtures("_a_gpu")
def test_a_gpu_is_charged_its_board_and_the_packages(tmp_path, monkeypatch):
    tree = Tree(tmp_path)
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(tree))
    cuda = torch.device("cuda:0")
    meter = find_meter(cuda, tmp_path, tree)
    assert meter.name == "board + package-0"
    assert meter.update_s == pytest.approx(0.02, rel=0.05)
    _, joules = meter.around(lambda: tree.work(1.0))
    assert joules == pytest.approx(340, abs=300 * 0.02 + 0.1)
    alone = find_meter(cuda, tmp_path / "none", tree)
    assert alone.name == "board"
    broken = FakeNvml(tree, broken=True)
    monkeypatch.setitem(sys.modules, "pynvml", broken)
    assert find_meter(cuda, tmp_path, tree) == "NVML: NVML: Not Supported"


def test_a_device_nobody_knows_a_counter_of(tmp_path):
    assert find_meter(torch.device("mps"), tmp_path) == (
        "no energy counter is known for mps"
    )


# samples and workers


def test_the_counters_are_read_outside_the_clock():
    time_s, reads = [0.0], []

    def pass_time(seconds):
        time_s[0] += seconds
        return time_s[0]

    slow = types.SimpleNamespace(
        name="slow",
        read=lambda: reads.append(pass_time(0.5)) or len(reads),
        joules=lambda before, after: float(after - before),
    )
    meter, now = Meter((slow,), 1e-3), lambda: pass_time(1e-3)
    opened = Sampler(
        SOFTMAX.case(samples=4), "resident", CPU, 1, 0.0, 1.0, now=now, meter=meter
    )
    opened.train_calls = lambda: pass_time(0.25)
    assert opened.sample()[:2] == (pytest.approx(0.251), 1.0)
    assert len(reads) == 2
    opened.close()


def test_a_worker_gives_joules_beside_seconds_and_says_of_what(monkeypatch):
    steps = iter(range(0, 10**9, 1000))
    ticking = types.SimpleNamespace(
        name="package-0", read=lambda: next(steps), joules=lambda a, b: (b - a) * 1e-3
    )
    meter = Meter((ticking,), 1e-4)
    monkeypatch.setattr(worker, "find_meter", lambda device: meter)
    mine = worker.Worker()
    request = Open(
        workload="softmax", case={"samples": 20}, device="cpu", trainer="resident",
        threads=None, longest_s=1.0,
    )  # fmt: skip
    reply = mine.answer(request)
    assert (reply.status, reply.energy_of) == ("ok", "package-0")
    sample = mine.answer(Sample())
    assert sample.sample_j == 1.0
    assert sample.sample_s > 0
    mine.answer(Close())


SPEC = {
    "contenders": ["cpu/resident@1", "cpu/resident@2"],
    "pairs": [["cpu/resident@1", "cpu/resident@2"]],
    "sweep": [
        {"axis": "batch_size", "values": [2**i for i in range(6, 16)], "samples": 2**15}
    ],
    "rounds": 8,
    "grid": True,
    "control": False,
}
WATTS = {1: 20.0, 2: 30.0}


class Powered(FakeWorker):
    """Two threads use 30 W, one 20 W."""

    crossing, jitter = 2000, 0.001
    unread = 0
    """Each sample of this many, if not 0, is without joules."""

    def opened(self, request):
        return opened(threads=request.threads, energy_of="package-0")

    def sampled(self, request):
        took_s = self.took_s()
        if self.unread and self.number % self.unread == 0:
            return sampled(took_s)
        return sampled(took_s, sample_j=took_s * WATTS[self.contender.threads])


def measured(tmp_path, worker):
    return carried_out(SPEC, tmp_path / "run", worker)


def test_energy_has_a_crossover_of_its_own(tmp_path):
    run = measured(tmp_path, Powered)
    assert run_folder.load(tmp_path / "run") == run
    assert all(len(m.samples_j) == len(m.samples_s) == 2 for m in run.measurements)
    assert {m.energy_of for m in run.measurements} == {"package-0"}
    found = crossovers(run)
    joules = [c for c in found if c.metric == "energy_j"]
    assert [c.view for c in joules] == ["train"]
    time = found[0]
    assert (time.metric, time.answer.outcome) == ("time_s", "found")
    assert time.answer.parity == pytest.approx(2000, rel=0.02)
    # 20 (1e-3 + 1e-6 b) = 30 (2e-3 + 0.5e-6 b)
    assert joules[0].answer.outcome == "found"
    assert joules[0].answer.parity == pytest.approx(8000, rel=0.02)
    assert "energy_counters: package-0" in joules[0].flags


def test_a_round_with_a_sample_without_joules_has_none(tmp_path):
    class Unread(Powered):
        unread = 3

    run = measured(tmp_path, Unread)
    lengths = {len(m.samples_j) for m in run.measurements}
    assert 0 in lengths
    assert lengths <= {0, 2}


def test_a_contender_without_energy_has_no_row(tmp_path):
    class Silent(Powered):
        def sampled(self, request):
            known = super().sampled(request)
            return known if self.contender.threads == 1 else sampled(known.sample_s)

    found = crossovers(measured(tmp_path, Silent))
    assert {c.metric for c in found} == {"time_s"}


def test_journals_and_headers_from_before_energy_load(tmp_path):
    run = measured(tmp_path, Powered)
    path = tmp_path / "run" / run_folder.JOURNAL
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        del row["samples_j"], row["energy_of"], row["check"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    header = json.loads((tmp_path / "run" / run_folder.HEADER).read_text())
    del header["machine"]["energy_unmeasured"]
    (tmp_path / "run" / run_folder.HEADER).write_text(json.dumps(header))
    old = run_folder.load(tmp_path / "run")
    assert {m.samples_j for m in old.measurements} == {()}
    assert old.machine.energy_unmeasured is None
    time = [c for c in crossovers(run) if c.metric == "time_s"]
    assert crossovers(old) == time


def test_rounds_without_joules_are_not_joules_of_zero():
    row = make_round(SOFTMAX.case(), "cpu/resident@1")
    zero = dataclasses.replace(row, samples_s=(1.0,), samples_j=(0.0,))
    from crossover.analysis.metrics import in_joules

    assert in_joules([row, zero]) == []
    half = dataclasses.replace(zero, samples_j=(0.5,), setup_s=1.0)
    assert np.isclose(in_joules([half])[0].samples_s[0], 0.5)
    assert in_joules([half])[0].setup_s is None
