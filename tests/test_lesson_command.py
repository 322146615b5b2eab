"""`crossover lesson`: what it compares, writes and refuses."""

import csv
import dataclasses

import pytest
import torch
from lesson_run import workers

from crossover.files.untrusted import InputError
from crossover.lesson import claims, job, large, tasks
from crossover.lesson.evidence import FUSED, STEPS, Whole, steps_of
from crossover.measure.process import Workers
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
        return [claims.unjudged("hard", "accuracy", "3", says="1 | 2")]

    monkeypatch.setattr(job, "EXPERIMENTS", {"a": (trained, 1), "b": (stopped, 1)})
    assert job.do_lesson(None, "cpu", False, tmp_path) == 130
    text = (tmp_path / "lesson.md").read_text()
    assert "Interrupted" in text
    assert r"1 \| 2" in text
    assert (tmp_path / "plots" / "accuracy.png").stat().st_size > 10_000
    assert (tmp_path / "plots" / "inits.svg").exists()


@pytest.fixture
def short(monkeypatch):
    """Let virtual workers measure, and let a small job be trained in full."""
    monkeypatch.setattr(devices, "accelerators", list)  # whatever is here
    monkeypatch.setattr(
        devices,
        "unavailable_reason",
        lambda d: None if d.type == "cpu" else "no device",
    )
    rounds = [0.142] + [0.8] * 19
    monkeypatch.setattr(experiments, "rounds", lambda name, device, seen: rounds)
    monkeypatch.setattr(claims, "CLAIMS", ())
    monkeypatch.setattr(large, "Workers", lambda: workers(monkeypatch))
    monkeypatch.setattr(large, "EPOCHS", 6)
    monkeypatch.setattr(large, "EPOCH_STEPS", 300)


def test_timings_say_what_was_not_measured(short, monkeypatch):
    monkeypatch.setattr("os.getloadavg", lambda: (9999.0,) * 3)
    task = job.Task(torch.device("cpu"), lambda epochs: None)
    cpu, gpu = job.timing.timing_small(task)
    assert cpu.ok == "not checked"
    assert cpu.measured.partition(" s,")[0].replace(".", "").isdigit()
    assert gpu.ok == "not measured: no device"
    cpu, gpu, claim = job.timing.timing_large(task)
    assert cpu.measured.startswith(
        "12.20 h extrapolated from 12,000 steps, 400 us each "
        "(96.8 % interval 11.96 to 12.44 h; doubtful: other programs kept the cores"
    )
    assert cpu.measured.endswith("), 2 threads")
    assert (gpu.measured, claim.measured) == ("", "")
    assert gpu.ok == claim.ok == "not measured: no device"


def test_the_training_of_hard_is_timed_once(short, monkeypatch):
    trained = []
    known = experiments.rounds
    monkeypatch.setattr(
        experiments, "rounds", lambda *a, **k: trained.append(1) or known(*a, **k)
    )
    task = job.Task(torch.device("cpu"), lambda epochs: None)
    tasks.hard(task)
    task.hard_s = 8.55
    cpu, _ = job.timing.timing_small(task)
    assert cpu.measured.startswith("8.55 s, 300 us a step, ")
    assert (trained, list(task.rounds)) == ([1], ["hard"])


def test_a_loop_that_cannot_be_measured_is_said_and_gives_no_verdict(
    short, monkeypatch
):
    monkeypatch.setattr(large, "Workers", lambda: workers(monkeypatch, loop=None))
    task = job.Task(torch.device("cpu"), lambda epochs: None)
    rows = job.timing.timing_large(task)
    assert {row.ok for row in rows} == {"not measured: unavailable: broken"}
    assert task.evidence is None


def test_in_full_every_step_is_taken_by_fused(short):
    trained = []
    task = job.Task(torch.device("cpu"), trained.append, full=True)
    threads = torch.get_num_threads()
    *_, fused, claim = job.timing.timing_large(task)
    whole = task.evidence.wholes[FUSED]
    assert [steps for steps, _ in whole.rounds] == [300, 600, 900]
    assert whole.accuracy > 0.6
    assert f"accuracy {whole.accuracy:.3f}" in fused.measured
    assert claim.ok.startswith("not measured: ")
    assert torch.get_num_threads() == threads
    assert sum(trained[-3:]) == 6 * 300 / 150


def test_another_device_fills_its_rows(short, monkeypatch):
    monkeypatch.setattr(
        large, "Workers", lambda: workers(monkeypatch, gpu=(640, 0.1, 4.5))
    )
    whole = Whole(((900, 1.0), (900, 1.0)), 0.7)
    taken = []
    monkeypatch.setattr(
        large, "_whole", lambda task, who: taken.append(str(who)) or whole
    )
    task = job.Task(torch.device("cuda"), lambda epochs: None, full=True)
    cpu, gpu, fused, claim = job.timing.timing_large(task)
    assert taken == [FUSED, "cuda/lesson"]
    assert gpu.ok == claim.ok == "not checked"
    assert gpu.measured.startswith("0.00 h, every step; 19.5")
    assert "extrapolated from 12,000 steps" in cpu.measured
    assert "accuracy 0.700" in fused.measured
    assert claim.measured == "Not supported"
    assert task.evidence.missing == {}


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


def test_an_interrupt_while_the_engine_measures_leaves_what_is_there(
    short, tmp_path, monkeypatch
):
    def stopped(contender):
        raise KeyboardInterrupt

    monkeypatch.setattr(large, "Workers", lambda: Workers(stopped))
    names = {n: job.EXPERIMENTS[n] for n in ("timing-small", "timing-large")}
    monkeypatch.setattr(job, "EXPERIMENTS", names)
    assert job.do_lesson(None, "cpu", False, tmp_path) == 130
    assert {p.name for p in tmp_path.rglob("*.*")} == {"lesson.csv", "lesson.md"}
    text = (tmp_path / "lesson.md").read_text()
    assert "**Interrupted: not all experiments ran.**" in text
    assert "timing-small" in text


def test_the_large_job_is_the_lesson_s():
    whole, data = large._large()
    assert (len(data.X), whole.steps_per_epoch) == (300_000, large.EPOCH_STEPS)
    assert (whole.learning_rate, whole.momentum) == (0.03, 0.3)
    case = large.large_spec().sweep[0].case_at(5)
    assert (case["learning_rate"], case["momentum"]) == (0.03, 0.3)
    assert steps_of(case) == STEPS == 109_800_000
