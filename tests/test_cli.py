"""The command line as a user meets it."""

import subprocess
import sys

import pytest


def crossover(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", "from bench.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def test_devices_lists_the_cpu_and_says_why_not_the_rest():
    done = crossover("devices")
    assert done.returncode == 0
    assert done.stdout.startswith("cpu ")
    assert "cuda" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "quik"), "did you mean quick?"),
        (("--samples", ""), "samples = ''"),
        (("--batch-size", "0"), "batch_size = '0'"),
        (("--epochs", "1.5"), "epochs = '1.5'"),
        (("--contender", "cpu/nothing"), "trainer = 'nothing'"),
        (("--contender", "cpu/resident@999"), "threads = 999"),
        (("--contender", "gpu"), "device = 'gpu'"),
        (("--budget", "soon"), "budget = 'soon'"),
        (("nowhere.toml",), "spec = 'nowhere.toml'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, message, tmp_path):
    done = crossover("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_small_run_writes_every_file(tmp_path):
    out = tmp_path / "run"
    done = crossover(
        "run", "--preset", "smoke", "--contender", "cpu/manual@1",
        "--contender", "cpu/resident@1", "--samples", "256", "--features", "2",
        "--batch-size", "8,512", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clipped to all samples" in done.stderr
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "run.json", "measurements.jsonl", "measurements.csv", "estimates.csv",
        "crossovers.csv", "report.md", "report.html", "plots",
    }  # fmt: skip
    head = (out / "crossovers.csv").read_text().splitlines()[0]
    assert head == (
        "axis,samples,features,classes,batch_size,epochs,view,metric,baseline,"
        "challenger,outcome,at,low,high,confidence,first_win,least_regret,fitted,"
        "speedup_smallest,speedup_largest,slope,flags"
    )
    before = {p.name: p.read_bytes() for p in out.glob("*.csv")}
    assert crossover("report", str(out)).returncode == 0
    assert {p.name: p.read_bytes() for p in out.glob("*.csv")} == before
    again = crossover("run", "--out", str(out))
    assert again.returncode == 2
    assert "holds another run" in again.stderr
