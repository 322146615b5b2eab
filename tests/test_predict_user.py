"""What a device would do with a user's own file: counted in a worker, or refused."""

import csv
import itertools

import pytest
from builders import cases_of, make_rounds, make_run

from crossover.command.sweeps import sweeps
from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.findings import Estimate
from crossover.predict.model import Counts, predicted_s, with_bounds
from crossover.predict.sheet import load_sheet
from crossover.record import run_folder
from crossover.record.journal import Journal
from crossover.spec.spec import parse_spec
from crossover.workloads.registry import bring
from crossover.workloads.user_file import declare

JOB = """
import torch

def data(hidden):
    return {"x": torch.randn(8, hidden), "more": [torch.ones(3)]}

def train(device, data, hidden=64, dtype="float32"):
    kind = getattr(torch, dtype)
    x = data["x"].to(kind)
    w = torch.randn(hidden, hidden).to(device, kind).requires_grad_()
    bias = torch.zeros(hidden).to(device, kind).requires_grad_()
    optimizer = torch.optim.SGD([w, bias], lr=0.1)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = (x @ w + bias).sum()
        loss.backward()
        optimizer.step()
        return loss

    return step
"""
PLAIN = """
import torch

def data(hidden):
    return torch.randn(8, hidden)

def train(device, data, hidden=64):
    weights = torch.randn(hidden, hidden).to(device)
    return lambda: (data @ weights).sum()
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="job.py"):
        (tmp_path / name).write_text(text)
        return declare(name, str(tmp_path))

    return write


def test_a_step_is_counted_as_a_device_would_run_it(written):
    """Both parameters are updated by one kernel, as torch does on accelerators.

    The others: a product, the bias, a sum; and back a fill, the sum's gradient for the
    bias, and the product's for the weights.
    """
    hidden = 32
    job = written(JOB)
    (found,) = job.count("train", [job.declared.case(hidden=hidden)])
    products = 2 * (2 * 8 * hidden * hidden)
    assert found.launches == 7
    assert products < found.operations < 1.2 * products
    assert (found.dtype, found.copies) == ("float32", 2)
    assert found.moved_bytes == 4 * (8 * hidden + 3)


def test_numbers_of_another_type_are_counted_as_such(written):
    job = written(JOB)
    cases = [job.declared.case(dtype=name) for name in ("float32", "bfloat16")]
    usual, short = job.count("train", cases)
    assert (short.dtype, short.operations) == ("bfloat16", usual.operations)
    assert short.bytes == pytest.approx(usual.bytes / 2, rel=0.05)


NO_WORK = "return lambda: 1.0", "gives torch no work that can be counted"
UNKNOWN = (
    "return lambda: torch.linalg.inv(torch.eye(n)).sum()",
    "calls aten::linalg_inv_ex, whose work on a device is not known",
)
COMPILED = (
    "return torch.compile(lambda: torch.ones(n).sum(), backend='eager')",
    "compiles, which decides on the device what is launched",
)
RAISES = "return lambda: 1 / 0", "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("body", "said"),
    [NO_WORK, UNKNOWN, RAISES, pytest.param(*COMPILED, marks=pytest.mark.slow)],
    ids=["no work", "unknown", "raises", "compiled"],
)
def test_what_cannot_be_counted_is_refused_in_a_line(written, body, said):
    job = written(f"import torch\n\ndef train(device, n=4):\n    {body}\n")
    with pytest.raises(ValueError, match=r"job\.py") as refused:
        job.count("train", [job.declared.case()])
    assert str(refused.value).partition(": ")[2] == f"train: {said}"


def test_another_library_is_not_counted(written):
    job = written(
        "def train(device, n=4):\n    return float\n\ndef synchronize(device): pass\n"
    )
    with pytest.raises(ValueError, match="has a synchronize of its own"):
        job.count("train", [job.declared.case()])


def test_the_host_needs_no_more_for_a_launch_than_the_least_step_shows(written):
    workload = written(JOB).declared
    cases = {n: workload.case(hidden=n, steps=10) for n in (16, 32)}
    counts = {16: Counts(10, 0, 0), 32: Counts(20, 0, 0)}
    known = [
        estimate(cases[16], "cpu/train@1", 10 * 1e-3),
        estimate(cases[32], "cpu/train@1", 10 * 4e-3),
        estimate(cases[16], "cpu/other@1", 10 * 1e-6),
    ]
    found = with_bounds(counts, cases, known, "train")
    assert {n: c.host_s for n, c in found.items()} == {
        16: (0.0, pytest.approx(1e-3)), 32: (0.0, pytest.approx(2e-3)),
    }  # fmt: skip
    assert with_bounds(counts, cases, known, "unknown")[16].host_s == (0.0, 0.0)


def estimate(case, who, seconds):
    return Estimate(
        "", "train", case, Contender.parse(who), seconds, seconds, seconds, seconds,
        0.95, 8, (),
    )  # fmt: skip


def test_a_step_that_may_wait_takes_both_at_worst():
    sheet = load_sheet("h100-sxm")
    alone, waiting = (
        predicted_s(sheet, Counts(10, 1e9, 0, may_wait=waits), "train")
        for waits in (False, True)
    )
    assert waiting.low == alone.low
    assert waiting.high == pytest.approx(alone.high + 10 * sheet.launch_s[1])


@pytest.fixture
def run(written, tmp_path):
    """Return a run of 1,000 steps, each of 0.1 us a unit of the width."""
    job = written(PLAIN)
    bring(job)
    fields = {
        "workload": "job.py", "name": "r", "contenders": ["cpu@1"],
        "pairs": [["cpu@1", "cpu@2"]],
        "sweep": sweeps(job.declared, [], {"hidden": "16,256,4096"}, False),
    }  # fmt: skip
    spec, clock_s = parse_spec(fields, "test"), itertools.count(1e3, 1e3)
    rows = make_rounds(
        cases_of(spec), ("cpu/train@1", "cpu/train@2"),
        lambda case, who, number: {
            "samples_s": (case["hidden"] * 1e-4,), "transfer_s": 1e-4, "setup_s": 0.1,
            "elapsed_s": next(clock_s), "epochs_run": case["steps"],
        },
    )  # fmt: skip
    out = tmp_path / "run"
    run_folder.create(out, make_run(spec, user_file=job.file))
    journal = Journal(out)
    journal.append(rows)
    journal.close()
    return out


def test_a_run_of_a_file_is_predicted(run, crossover, tmp_path):
    code, said, errors = crossover("predict", run, "--device", "h100-sxm")
    assert code == 0, errors
    assert "predicted, not measured" in said
    with open(run / "predicted.csv", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {(row["view"], row["baseline"], row["trainer"]) for row in rows} == {
        (view, f"cpu/train@{threads}", "train")
        for view in ("train", "with_transfer") for threads in (1, 2)
    }  # fmt: skip
    assert {row["outcome"] for row in rows} == {"found"}


def test_a_file_that_is_not_what_it_was_is_not_loaded(run, crossover, tmp_path):
    file = tmp_path / "job.py"
    file.write_text(PLAIN + "\nraise SystemExit('imported')\n")
    assert crossover("predict", run) == (
        2, "", f"crossover: {file}: was edited since the run began: must be as it was, "
        "or a new run\n",
    )  # fmt: skip
    file.unlink()
    assert crossover("predict", run) == (
        2, "", f"crossover: {file}: No such file or directory: the run needs it\n"
    )  # fmt: skip


def test_a_function_that_the_file_does_not_have_is_refused(run, crossover):
    assert crossover("predict", run, "--trainer", "trian") == (
        2, "",
        "crossover: trainer = 'trian': job.py has none of that name; must be train\n",
    )  # fmt: skip


def test_a_type_of_numbers_without_throughput_is_refused():
    with pytest.raises(InputError) as refused:
        predicted_s(load_sheet("t4"), Counts(1, 0, 1, dtype="bfloat16"), "train")
    assert str(refused.value) == (
        "device = 'NVIDIA T4': its sheet states operations_per_s for float32, float64, "
        "not for bfloat16; must be a .toml file that does"
    )
