"""The loop, the plan and the store, with workers whose cost is known exactly."""

import dataclasses
import json

import pytest
from builders import FakeWorker, carried_on, carried_out, make_run, opened

from crossover.analysis.crossover import crossovers
from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.measure.pipe import Ended
from crossover.nouns import Cell
from crossover.plan.plan import Block, next_blocks, outermost_first, round_order
from crossover.record import run_folder
from crossover.spec.load import load_preset
from crossover.spec.resolve import resolve
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import SOFTMAX

SPEC = {
    "name": "fake",
    "rounds": 8,
    "grid": True,
    "control": False,
    "width": 100.0,
    "contenders": ["cpu/resident@1", "cpu/resident@2", "cuda/resident"],
    "pairs": [
        ["cpu/resident@1", "cpu/resident@2"],
        ["cpu/resident@1", "cuda/resident"],
    ],
    "sweep": [
        {"axis": "batch_size", "values": [10, 100, 1000, 10000], "samples": 10000}
    ],
}


class Priced(FakeWorker):
    """There is no cuda, and what else goes wrong is told before."""

    loss = (None, 0.5)
    interrupt_at = crash = None

    def opened(self, request):
        if self.contender.device == "cuda":
            return Ended(status="unavailable", notes="cuda: no device")
        contender, loss = self.loss
        loss = loss if self.contender == contender else 0.5
        return opened(threads=request.threads, loss=loss)

    def sampled(self, request):
        if self.interrupt_at == self.number:
            raise KeyboardInterrupt
        if self.crash == self.cell.case["batch_size"]:
            return Ended(status="crashed", notes="exit status -11: boom")
        return super().sampled(request)


def run_with(tmp_path, worker=Priced, **fields):
    return carried_out(SPEC | fields, tmp_path / "run", worker)


def broken(**faults):
    """Return a worker with faults."""
    return type("Broken", (Priced,), faults)


def test_known_crossover_is_found_and_cuda_is_not_measured(tmp_path):
    run = run_with(tmp_path)
    threads, _, _, cuda, *_ = crossovers(run)
    assert threads.answer.outcome == "found"
    # between 100 and 10000 the curve is interpolated over decades
    assert threads.answer.parity == pytest.approx(1000, rel=0.05)
    assert threads.answer.parity_low <= 1000 * 1.02
    assert cuda.answer.outcome == "not_measured"
    assert "no device" in cuda.flags[0]
    assert next_blocks(run.spec, run.measurements) == []
    assert run_folder.load(tmp_path / "run") == run


def test_rounds_are_palindromes_and_positions_are_kept(tmp_path):
    run = run_with(tmp_path)
    for m in run.measurements:
        if m.status == "ok":
            assert m.positions[0] + m.positions[1] == 5  # three contenders, ABCCBA
    block = Block(SOFTMAX.case(), tuple(map(Contender.parse, SPEC["contenders"])), (0,))
    orders = {tuple(round_order(run.spec, block, number)) for number in range(30)}
    assert len(orders) == 6
    assert all(order == order[::-1] for order in orders)


def test_an_interrupted_run_resumes_to_the_same_plan(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_with(tmp_path, broken(interrupt_at=21))
    kept = run_folder.load(out)
    assert 0 < len(kept.measurements) < 68
    whole = carried_on(kept, out, Priced)
    ok = [m for m in whole.measurements if m.status == "ok"]
    assert len(ok) == 4 * 2 * 8
    assert len({(m.cell_id, m.round) for m in ok}) == len(ok)


def test_a_crash_is_a_row_and_the_sweep_goes_on(tmp_path):
    run = run_with(tmp_path, broken(crash=100))
    crashed = [m for m in run.measurements if m.status == "crashed"]
    assert {m.case["batch_size"] for m in crashed} == {100}
    assert crashed[0].notes == "exit status -11: boom"
    measured = {m.case["batch_size"] for m in run.measurements if m.status == "ok"}
    assert measured == {10, 1000, 10000}


def test_a_cell_with_another_loss_is_failed_not_fast(tmp_path):
    wrong = Contender.parse("cpu/resident@2")
    run = run_with(tmp_path, broken(loss=(wrong, 0.7)))
    assert {m.status for m in run.measurements if m.contender == wrong} == {"failed"}
    assert crossovers(run)[0].answer.outcome == "not_measured"


def test_a_directory_of_another_schema_or_run_is_refused(tmp_path):
    run, out = make_run(SPEC), tmp_path / "run"
    run_folder.create(out, run)
    with pytest.raises(InputError, match="holds another run"):
        run_folder.create(out, run)
    header = json.loads((out / run_folder.HEADER).read_text())
    (out / run_folder.HEADER).write_text(json.dumps(header | {"schema": 99}))
    with pytest.raises(InputError, match="schema 1"):
        run_folder.load(out)


def test_names_are_stable():
    case = SOFTMAX.case(samples=1500, batch_size=10, epochs=3)
    cell = Cell(case, Contender.parse("cpu/resident@1"))
    assert cell.id == "n1500-d2-c3-b10-e3:cpu/resident@1"
    changed = case.at(momentum=0.3, dtype="float64")
    assert changed.id == "n1500-d2-c3-b10-e3-m0.3-float64"
    assert outermost_first(5) == [0, 4, 2, 1, 3]


def test_presets_resolve_with_and_without_an_accelerator():
    for name in ("smoke", "quick", "lesson", "full"):
        without = resolve(load_preset(name), (), 2)
        assert "cuda/resident" in without.contenders
        with_two = resolve(load_preset(name), ("npu:0", "npu:1"), 2)
        assert {"npu:0/resident", "npu:1/resident"} <= set(with_two.contenders)
        assert ("cpu/resident@2", "npu:1/resident") in with_two.pairs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"round": 3}, r"unknown key.*did you mean rounds"),
        ({"rounds": 0}, r"rounds = 0: .*greater than or equal to 2"),
        ({"contenders": []}, r"contenders = \[\]: .*at least 1"),
        ({"contenders": ["cpu/residant"]}, r"did you mean resident"),
        ({"contenders": ["cpu resident"]}, r"must be DEVICE"),
        ({"contenders": ["cpu/resident@0"]}, r"threads = 0"),
        ({"contenders": ["cuda:1/fused"]}, r"'cuda:1' in .*fused must be on cpu"),
        ({"contenders": ["accelerator/fused"]}, r"'accelerator'.*must be on cpu"),
        ({"sweep": [{"axis": "epochs", "values": []}]}, r"values = \[\]"),
        ({"sweep": [{"axis": "epochs", "values": [1.5]}]}, r"1.5: .*integer"),
        ({"sweep": [{"axis": "epochs", "values": [-1]}]}, r"-1: .*greater"),
        ({"sweep": [{"axis": "epoch", "values": [1]}]}, r"'epoch': .*'epochs'"),
        ({"sweep": [{"axis": "samples", "values": [2]}]}, r"at least classes = 3"),
    ],
)
def test_bad_specs_are_one_line(change, message):
    with pytest.raises(InputError, match=message) as error:
        parse_spec(SPEC | change, "test")
    assert "\n" not in str(error.value)


def test_more_threads_than_cores_are_refused():
    spec = parse_spec(SPEC, "test")
    with pytest.raises(InputError, match=r"threads = 2.*at most 1"):
        resolve(spec, (), 1)


def test_an_interval_wider_than_asked_is_inconclusive_but_kept(tmp_path):
    sizes = [{"axis": "batch_size", "values": [10, 700, 1600, 9000], "samples": 9000}]
    run = run_with(tmp_path, sweep=sizes)
    wide = run.spec.model_copy(update={"grid": False, "width": 1.0001})
    row = crossovers(dataclasses.replace(run, spec=wide))[0]
    assert (row.answer.outcome, row.answer.at) == ("inconclusive", None)
    assert row.flags[0].startswith("wider_than_asked: ")
    assert row.answer.low < row.answer.high
    assert crossovers(run)[0].answer.outcome == "found"


def test_what_depends_on_one_set_up_is_not_decided(tmp_path):
    """Both set up for 1 s and train for 1 to 11 ms."""
    rows = crossovers(run_with(tmp_path))
    views = {c.view: c for c in rows if c.challenger == "cpu/resident@2"}
    assert views["train"].answer.outcome == "found"
    assert views["from_scratch"].answer.outcome == "inconclusive"
    assert "setup_once" in views["from_scratch"].flags


class Late(Priced):
    """One thread times out at the largest size."""

    def sampled(self, request):
        if self.cell.threads == 1 and self.cell.case["batch_size"] == 10000:
            return Ended(status="timeout", notes="slower than 600 s")
        return super().sampled(request)


@pytest.mark.parametrize(("timeout_s", "low"), [(600.0, 400.0), (0.02, None)])
def test_a_timeout_is_a_bound(tmp_path, timeout_s, low):
    """Two threads take 6.5 ms there: a fifth of 600 s is more, of 20 ms is not."""
    sizes = [{"axis": "batch_size", "values": [10, 100, 400, 10000], "samples": 10000}]
    run = run_with(tmp_path, Late, sweep=sizes, cell_timeout_s=timeout_s)
    late = [m for m in run.measurements if m.status == "timeout"]
    assert [m.bound_s for m in late] == [timeout_s / 5]
    row = crossovers(run)[0]
    assert (row.answer.outcome, row.answer.at) == ("inconclusive", None)
    assert (row.answer.low, row.answer.high) == (low, None)
    assert "timed_out: cpu/resident@1 at 10,000" in row.flags
