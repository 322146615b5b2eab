"""The command line as a user meets it."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

MAIN = "from crossover.cli import main; main()"
CALL = [sys.executable, "-P", "-c", MAIN]  # as the installed script
# Whoever runs the tests in the background may have interrupts ignored.
HEEDING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "


def process(*arguments, cwd=None):
    return subprocess.run(
        [*CALL, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def test_devices_lists_the_cpu_and_says_why_not_the_rest(tmp_path):
    """In a folder whose own packages of our names are not run."""
    for name in ("bench", "crossover", "softmax_core"):
        (tmp_path / name).mkdir()
        stranger = "raise SystemExit('a stranger was run')"
        (tmp_path / name / "__init__.py").write_text(stranger)
    done = process("devices", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("cpu ")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["cpu/fused"] == lines["cpu/resident"] == "trains"
    for kind in ("cuda", "xpu", "mps"):  # whatever is on the machine of the tests
        listed = [name for name in lines if re.fullmatch(rf"{kind}(:\d+)?", name)]
        assert listed
        for name in listed:
            is_missing = lines[name].startswith("not available: ")
            assert is_missing == (f"{name}/resident" not in lines)
            if is_missing and kind == "cuda":
                assert lines["cuda/graphed"] == lines["cuda/fused_cuda"] == lines[name]


@pytest.mark.slow
def test_devices_lists_an_accelerator_and_what_trains_there(
    simulated_environment, crossover, monkeypatch
):
    for name, value in simulated_environment.items():
        monkeypatch.setenv(name, value)
    code, said, errors = crossover("devices")
    assert (code, errors) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in said.splitlines())
    assert lines["simulated:0"].startswith("simulated accelerator 0 (no hardware)")
    assert lines["simulated:0/resident"] == "trains"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "quik"), "did you mean quick?"),
        (("--samples", ""), "samples = ''"),
        (("--batch-size", "0"), "batch_size = '0'"),
        (("--epochs", "1.5"), "epochs = '1.5'"),
        (("--contender", "cpu/nothing"), "trainer = 'nothing'"),
        (("--contender", "cpu/resident@999"), "threads = 999"),
        (("--contender", "gpu:1"), "device = 'gpu:1'"),
        (("--contender", "abc"), "device = 'abc'"),
        (("--budget", "soon"), "budget = 'soon'"),
        (("nowhere.toml",), "spec = 'nowhere.toml'"),
        (("--features", "0"), "features = '0'"),
        (("--classes", "1"), "classes = '1': must be integers >= 2"),
        (("--contender", "cpu/manual", "--contender", "cpu/manual"), "different"),
        (("--resume", "nowhere"), "run = 'nowhere': holds no run.json"),
        (("--resume", "x", "--out", "y"), "resume: takes a folder"),
        (("--recover",), "recover: must go with --resume DIR"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(crossover, arguments, message, tmp_path):
    code, _, errors = crossover("run", *arguments)
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_small_run_writes_every_file_and_opens_no_connection(
    offline, crossover, undrawn, tmp_path
):
    out = tmp_path / "[run]"
    done = offline(
        tmp_path, "run", "--preset", "smoke", "--contender", "cpu/manual@1",
        "--contender", "cpu/resident@1", "--samples", "256", "--features", "2",
        "--batch-size", "8,512", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clipped to all samples" in done.stderr
    assert done.stdout.endswith(f"Report: {out / 'report.html'}\n")
    # the command itself, and the process that its workers are forked from
    assert (tmp_path / "network.log.started").read_text().count("\n") >= 2
    assert not (tmp_path / "network.log").exists()
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "run.json", "measurements.jsonl", "measurements.csv", "estimates.csv",
        "crossovers.csv", "report.md", "report.html", "plots",
    }  # fmt: skip
    head = (out / "crossovers.csv").read_text().splitlines()[0]
    assert head == (
        "axis,samples,features,classes,batch_size,epochs,view,metric,baseline,"
        "challenger,outcome,at,low,high,confidence,first_win,least_regret,fitted,"
        "speedup_smallest,speedup_largest,slope,behind_until,behind_until_low,"
        "behind_until_high,parity,parity_low,parity_high,equal_from,equal_to,"
        "worst_regret,next_ahead,next_ahead_speedup,speedup_smallest_low,"
        "speedup_smallest_high,speedup_largest_low,speedup_largest_high,most_behind,"
        "most_behind_low,most_behind_high,zones,flags"
    )
    before = {p.name: p.read_bytes() for p in out.glob("*.csv")}
    assert crossover("report", out)[0] == 0
    assert {p.name: p.read_bytes() for p in out.glob("*.csv")} == before
    code, _, errors = crossover("run", "--out", out)
    assert code == 2
    assert "holds another run" in errors


@pytest.mark.torture  # tests/test_interrupt.py and test_kill.py in small
def test_an_interrupt_leaves_a_partial_report_to_go_on_with(tmp_path):
    """Exit 130, every finished round kept, and resumed to the whole plan."""
    out, journal = tmp_path / "run", tmp_path / "run" / "measurements.jsonl"
    asked = (
        "run", "--preset", "smoke", "--samples", "900", "--batch-size", "3,30,300",
        "--contender", "cpu/resident@1", "--contender", "cpu/manual@1",
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING + MAIN, *asked, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (journal.exists() and journal.read_text()):
        time.sleep(0.05)  # until the first round is recorded
    os.kill(process.pid, signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert f"--resume {out}" in said
    assert "partial" in (out / "report.html").read_text()
    kept = journal.read_text()
    done = process("run", "--resume", str(out))
    assert done.returncode == 0, done.stderr
    assert journal.read_text().startswith(kept)
    lines = (out / "measurements.csv").read_text().splitlines()[1:]
    assert len([line for line in lines if "#1" not in line]) == 3 * 2 * 8
    assert "Interrupted" not in (out / "report.html").read_text()
