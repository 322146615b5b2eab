"""`crossover lesson`: what it compares, writes and refuses."""

import csv
import dataclasses

import pytest
import torch

from crossover.lesson import claims, job
from crossover.lesson.evidence import Whole
from crossover.lesson.verdict import OUTCOMES
from crossover.nouns import InputError
from softmax_core import device as devices
from softmax_core import experiments


def test_the_range_a_claim_allows():
    claim = claims.Claim("hard", "plateau", (0.78, 0.8), 0.02, "range")
    assert claim.holds((0.76, 0.82))
    assert not claim.holds((0.759, 0.8))
    assert not claim.holds((0.78, 0.821))
    exact = claims.Claim("worked", "two", (0.1420, 2.0))
    assert exact.holds((0.14204, 2.0))
    assert not exact.holds((0.1421, 2.0))
    assert not exact.holds((0.1420,))


def test_the_command_writes_its_files(crossover, tmp_path):
    code, said, errors = crossover("lesson", "--experiment", "manual", "--out", "a")
    assert code == 0, errors
    names = {str(p.relative_to(tmp_path / "a")) for p in tmp_path.rglob("*.*")}
    assert names == {"lesson.csv", "lesson.md"}
    text = (tmp_path / "a" / "lesson.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["published"] for row in rows] == ["0.8207", "0.9427", "0.9567"]
    assert {row["ok"] for row in rows} == {"yes"}
    assert "3 of 3 checked rows within their tolerance." in said


def test_an_unknown_experiment_is_one_line_and_exit_2(crossover, tmp_path):
    code, _, errors = crossover("lesson", "--experiment", "hard-init", "--out", "a")
    assert code == 2
    assert "experiment = 'hard-init': must be one of worked, manual" in errors
    assert errors.endswith("(did you mean hard-inits?)\n")
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_gpu_that_is_here_is_named_where_it_was_not_asked_for(short, monkeypatch):
    monkeypatch.setattr(devices, "accelerators", lambda: [torch.device("cuda", 0)])
    task = job.Task(torch.device("cpu"), lambda epochs: None)
    _, gpu = job.timing.timing_small(task)
    assert gpu.ok == "not measured: ask for it with --device cuda"


@pytest.mark.parametrize("device", ["gpu", "meta"])
def test_a_device_that_cannot_be_used_is_refused(device, tmp_path):
    with pytest.raises(InputError, match=f"^device = '{device}': .+"):
        job.do_lesson(None, device, False, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_value_that_is_off_exits_1(tmp_path, monkeypatch, capsys):
    tampered = tuple(
        dataclasses.replace(c, published=(9.0,) * len(c.published))
        if c.what == "X @ w, row 1" else c
        for c in claims.CLAIMS
    )  # fmt: skip
    monkeypatch.setattr(claims, "CLAIMS", tampered)
    assert job.do_lesson("worked", "cpu", False, tmp_path) == 1
    assert "NO: worked, X @ w, row 1" in capsys.readouterr().out
    pictures = {path.name for path in (tmp_path / "plots").iterdir()}
    assert pictures == {
        f"{name}.{kind}"
        for name in ("data", "polynomials", "softmax-against-max")
        for kind in ("png", "svg")
    }


def test_what_was_finished_is_written_when_interrupted(tmp_path, monkeypatch):
    def stopped(task):
        raise KeyboardInterrupt

    def trained(task):
        task.rounds["hard"] = [0.1, 0.7, 0.8]
        task.starts["inits"] = [[0.5, 0.6], [0.7, 0.8]]
        return [claims.not_checked("hard", "accuracy", "1 | 2", "3")]

    monkeypatch.setattr(job, "EXPERIMENTS", {"a": (trained, 1), "b": (stopped, 1)})
    assert job.do_lesson(None, "cpu", False, tmp_path) == 130
    text = (tmp_path / "lesson.md").read_text()
    assert "Interrupted" in text
    assert r"1 \| 2" in text
    assert (tmp_path / "plots" / "accuracy.png").stat().st_size > 10_000
    assert (tmp_path / "plots" / "inits.svg").exists()


@pytest.fixture
def short(monkeypatch):
    """Make the large job small, and let the codes take few steps of it."""
    from crossover.lesson import large

    def small_job(device):
        job = experiments.seeded_job(experiments.HARD, device)
        return experiments.LibraryJob(job.features, job.labels, 5, 0.3)

    monkeypatch.setattr(experiments, "large_job", small_job)
    monkeypatch.setattr(devices, "accelerators", list)  # whatever is here
    monkeypatch.setattr(
        devices,
        "unavailable_reason",
        lambda d: None if d.type == "cpu" else "no device",
    )
    monkeypatch.setattr(job.timing, "SMALL_ROUNDS", range(2))
    monkeypatch.setattr(large, "LARGE_ROUNDS", range(1, 4))
    monkeypatch.setattr(large, "LARGE_STEPS", 300)
    monkeypatch.setattr(large, "CHUNKS", 6)
    monkeypatch.setattr(large, "LOOP_STEPS", {5: 10, 50: 5})
    monkeypatch.setattr(large, "FUSED_ROWS", 3000)
    monkeypatch.setattr(large, "WARMUP_STEPS", 5)


def test_timings_say_what_was_not_measured(short):
    task = job.Task(torch.device("cpu"), lambda epochs: None)
    cpu, gpu = job.timing.timing_small(task)
    assert cpu.ok == "not checked"
    assert cpu.measured.partition(" s,")[0].replace(".", "").isdigit()
    assert gpu.ok.startswith("not measured: ")
    cpu, gpu, claim = job.timing.timing_large(task)
    assert "extrapolated from 60 steps" in cpu.measured
    assert (gpu.measured, claim.measured) == ("", "")
    assert gpu.ok == claim.ok == f"not measured: {task.evidence.gpu_missing}"
    for code in (task.evidence.loop, task.evidence.fused):
        assert [len(cost.seconds) for cost in code.costs] == [6, 6]
        assert code.setup_s > 0
        assert all(s > 0 for cost in code.costs for s in cost.seconds)
    assert [c.steps for c in task.evidence.fused.costs] == [600, 60]


def test_in_full_every_step_is_taken_by_fused(short):
    trained = []
    task = job.Task(torch.device("cpu"), trained.append, full=True)
    threads = torch.get_num_threads()
    *_, fused, claim = job.timing.timing_large(task)
    whole = task.evidence.fused_whole
    assert [steps for steps, _ in whole.rounds] == [300, 600, 900]
    assert whole.steps == task.evidence.steps == 1800
    assert whole.accuracy > 0.6
    assert f"accuracy {whole.accuracy:.3f}" in fused.measured
    assert claim.ok.startswith("not measured: ")
    assert torch.get_num_threads() == threads == task.evidence.threads
    assert sum(trained[-3:]) == 6 * 300 / 150


class FakeGpu:
    """Says that it is a GPU; what is sent there stays where it is."""

    type = "cuda"

    def __str__(self):
        return "cuda"


def test_another_device_fills_its_rows(short, monkeypatch):
    monkeypatch.setattr(devices, "parse_device", lambda _: torch.device("cpu"))
    monkeypatch.setattr(experiments, "parse_device", lambda _: torch.device("cpu"))
    waited = []
    monkeypatch.setattr(devices, "synchronize", lambda d: waited.append(d.type))
    task = job.Task(FakeGpu(), lambda epochs: None, full=True)
    monkeypatch.setattr(job.timing, "taken_by_loop", lambda task: task_whole)
    task_whole = Whole(((900, 1.0), (900, 1.0)), 0.7)
    cpu, gpu, fused, claim = job.timing.timing_large(task)
    assert gpu.ok == claim.ok == "not checked"
    assert gpu.measured.startswith("0.00 h, every step; ")
    assert "extrapolated from 60 steps" in cpu.measured
    assert "accuracy" in fused.measured
    assert claim.measured in OUTCOMES.values()
    assert task.evidence.gpu_missing == ""
    assert len(task.evidence.gpu.costs) == 2
    # both ends of each of the 6 chunks of 2 batch sizes, and the end of its start
    assert waited.count("cuda") == 2 * 6 * 2 + 1


def test_the_verdict_is_written_and_printed(short, tmp_path, capsys):
    assert job.do_lesson("timing-large", "cpu", False, tmp_path) == 0
    said = capsys.readouterr().out
    assert "Verdict: " in said
    assert str(tmp_path / "verdict.html") in said
    names = {p.name for p in tmp_path.rglob("*.*")}
    files = {"lesson.csv", "lesson.md", "verdict.html", "verdict.md"}
    assert names == files | {"steps.png", "steps.svg"}
    text = (tmp_path / "verdict.md").read_text()
    assert "CPU" in text
    assert "ask for it with --full" in text


def test_the_large_job_is_the_lesson_s():
    large = experiments.large_job("cpu")
    assert len(large.batches) == job.large.LARGE_STEPS
    group = large.optimizer.param_groups[0]
    assert (group["lr"], group["momentum"]) == (0.03, 0.3)
    assert job.large.WHOLE * job.large.SMALL_STEPS == 109_800_000
