"""`bench/promises/gpu_check.py` with made-up steps: bounded, kept, told and packed."""

import os
import re
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import psutil
import pytest

from bench.promises import gpu_check, gpu_steps
from bench.promises.gpu_steps import GRACE_S, Step, pack, telling, time_for

ROOT = Path(__file__).parent.parent

SEVEN_MINUTES_S = 7 * 60


def step(name, code, most_s=60.0, **fields):
    return Step(name, (sys.executable, "-c", code), most_s, **fields)


def checked(tmp_path, *todo):
    folder = tmp_path / "check"
    folder.mkdir()
    code = gpu_check.check(todo, folder, tmp_path / "check.tar.gz")
    return code, (folder / "summary.txt").read_text().splitlines()


GPU = step("devices", "print('cpu  x'); print('cuda:0   NVIDIA H200, 139.8 GiB')")
ANSWER = "  found: The GPU is ahead from 300 (280 to 330) on, 4x at 4,096"
RUN = step(
    "run", f"print('Over batch size:'); print({ANSWER!r}); print('Report'); exit(3)",
    tells=(r"^ +found: ",), passes=(0, 3),
)  # fmt: skip


def test_a_step_that_fails_leaves_its_output_and_the_next_goes_on(tmp_path):
    broken = step("graphed", "print('first'); print('FAILED it'); exit(1)")
    absent = Step("probe", ("/no/such/program",), 60.0)
    code, lines = checked(tmp_path, broken, absent, GPU, RUN)
    assert code == 1
    assert lines[0].startswith("2 of 4 steps did their work, in 0 min ")
    assert lines[0].endswith("Look at: graphed, probe.")
    assert lines[1] == f"run: {ANSWER.strip()}"
    assert lines[2] == "devices: cuda:0   NVIDIA H200, 139.8 GiB"
    assert lines[4] == "graphed: FAILED it"
    folder = tmp_path / "check"
    assert (folder / "graphed.txt").read_text() == "first\nFAILED it\n"
    assert "No such file" in (folder / "probe.txt").read_text()
    with tarfile.open(tmp_path / "check.tar.gz") as tar:
        assert tar.getnames()[0] == "check/summary.txt"
        names = {f"check/{name}.txt" for name in ("graphed", "probe", "devices", "run")}
        assert set(tar.getnames()) == {"check/summary.txt", *names}


HANGS = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_a_step_that_hangs_is_ended_with_all_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_steps, "GRACE_S", 0.2)
    code, lines = checked(tmp_path, GPU, step("doctor", HANGS, most_s=8.0), RUN)
    assert code == 1
    assert "Look at: doctor." in lines[0]
    assert re.search(r"  ended after \d+ s: ", lines[-2])
    assert lines[-1].split("  ")[-1].startswith("exit 3: found: ")
    started = (tmp_path / "check" / "doctor.txt").read_text().split()
    assert len(started) == 2
    assert all(is_gone(int(pid)) for pid in started)


@pytest.mark.slow
def test_an_ended_step_may_write_what_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_steps, "GRACE_S", 30.0)
    partial = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('partial report')))\n"
        "print('begun', flush=True)\n"
        "time.sleep(600)"
    )
    _, lines = checked(tmp_path, GPU, step("run", partial, most_s=38.0))
    assert lines[1] == "run: partial report"


def test_a_flood_of_output_is_cut_in_its_middle(tmp_path):
    flood = "print('first'); print('x' * 10_000_000); print('last')"
    code, _ = checked(tmp_path, GPU, step("probe", flood))
    text = (tmp_path / "check" / "probe.txt").read_text()
    assert code == 0
    assert text.startswith("first\n")
    assert text.endswith("\nlast\n")
    assert "bytes are left out]" in text
    assert len(text) < gpu_steps.MOST_OUTPUT + 100


def test_without_an_accelerator_nothing_is_measured(tmp_path, capsys):
    none = step("devices", "print('cpu   x'); print('cuda  not available: no driver')")
    code, lines = checked(tmp_path, none, RUN)
    assert code == 2
    assert not (tmp_path / "check" / "run.txt").exists()
    assert lines[1] == "devices: cuda  not available: no driver"
    assert "torch can use no accelerator here" in capsys.readouterr().err


def test_devices_that_do_not_answer_stop_nothing(tmp_path):
    code, _ = checked(tmp_path, step("devices", "exit(2)"), RUN)
    assert code == 1
    assert (tmp_path / "check" / "run.txt").exists()


@pytest.mark.parametrize("hanging", ["none", "all", "first", "doctor"])
def test_all_steps_end_within_seven_minutes_and_the_run_has_its_time(hanging):
    steps = gpu_check.steps(Path("out"))
    left_s, given = gpu_check.WHOLE_S, {}
    for number, one in enumerate(steps):
        given[one.name] = time_for(steps, number, left_s)
        hangs = hanging in ("all", one.name) or (hanging == "first" and number == 0)
        left_s -= given[one.name] if hangs else 1.0
    assert left_s >= 0
    assert gpu_check.WHOLE_S < SEVEN_MINUTES_S
    assert given["run"] - GRACE_S > gpu_check.BUDGET_S
    assert steps[-1].name == "run"
    assert [s.name for s in steps][:3] == ["machine", "devices", "probe"]


def test_a_step_without_time_is_said_and_the_reserved_one_runs():
    soon = [step("a", "", 50), step("b", "", 50), step("c", "", 40, reserved=True)]
    assert [time_for(soon, n, left) for n, left in ((0, 100), (1, 50), (2, 40))] == [
        50, 10, 40,
    ]  # fmt: skip
    assert time_for(soon, 1, 30) == 0
    ended = list(gpu_steps.carried_out(soon[:1], Path(), GRACE_S - 1, {}))
    assert [(d.result, d.failed) for d in ended] == [("skipped", True)]


def test_the_archive_stays_small_and_says_what_it_leaves_out(tmp_path):
    folder = tmp_path / "check"
    (folder / "run" / "plots").mkdir(parents=True)
    (folder / "summary.txt").write_text("all is well")
    (folder / "devices.txt").write_text("cuda:0")
    for name, size in (("small", 50_000), ("large", 900_000), ("half", 400_000)):
        (folder / "run" / "plots" / f"{name}.png").write_bytes(os.urandom(size))
    (folder / "run" / "zeros.csv").write_bytes(bytes(5_000_000))
    archive = tmp_path / "check.tar.gz"
    left_out = pack(folder, archive, 600_000)
    assert [name.partition(" ")[0] for name in left_out] == ["run/plots/large.png"]
    assert archive.stat().st_size <= 600_000
    with tarfile.open(archive) as tar:
        packed = {name.removeprefix("check/") for name in tar.getnames()}
        assert tar.getnames()[0] == "check/summary.txt"
    assert packed == {
        "summary.txt", "devices.txt", "run/plots/small.png", "run/plots/half.png",
        "run/zeros.csv",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("devices", "cpu  Xeon\ncuda:1 not available: x\ncuda:0   H200, 9 GiB\n"
         "cuda:0/lesson trains\n", "cuda:0   H200, 9 GiB"),
        ("graphed", "tests/a.py::t[x] FAILED [ 9%]\nFAILED tests/a.py::t - E\n"
         "= 1 failed, 2 passed in 3 s =\n", "FAILED tests/a.py::t - E"),
        ("graphed", "x.py::a PASSED [ 9%]\nx.py::b FAILED [18%]\nx.py::c ",
         "x.py::b FAILED [18%]"),
        ("streamed", "x PASSED\n====== 11 passed, 17 deselected in 7.70s ======\n",
         "11 passed, 17 deselected in 7.70s"),
        ("doctor", "ok  load\nunfit   queue     busy\nNot fit: see queue.",
         "unfit   queue     busy"),
        ("doctor", "ok   load\nFit to measure on.\n", "Fit to measure on."),
        ("run", "Over batch size:\n  inconclusive: a\n  never: b\n", "inconclusive: a"),
        ("machine", "torch 2.11.0\nname, driver\nNVIDIA H200, 580.159.03, 9.0\n",
         "NVIDIA H200, 580.159.03, 9.0"),
        ("racecheck", "1 passed\n=== RACECHECK SUMMARY: 0 hazards displayed\n",
         "RACECHECK SUMMARY: 0 hazards displayed"),
        ("probe", "", "nothing was printed"),
    ],
)  # fmt: skip
def test_the_line_that_says_most_is_told(name, text, line):
    by_name = {s.name: s for s in gpu_check.steps(Path("out"))}
    assert telling(text, by_name[name].tells) == line


@pytest.mark.slow
def test_a_python_without_our_packages_says_what_to_bring(tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in ("pydantic", "PIL"):
        absent = f"raise ModuleNotFoundError('no {name}', name={name!r})"
        (hidden / f"{name}.py").write_text(absent)
    check = "-m", "bench.promises.gpu_check", "--no-install"
    done = subprocess.run(
        [sys.executable, *check, str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(hidden)}, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    said = re.match(r"gpu-check: this Python lacks (.*?)\. ", done.stderr)
    assert set(said[1].split(", ")) == {"PIL", "pydantic"}
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    for name in ("pydantic", "pillow"):
        assert next(p for p in pins if p.startswith(f"{name}==")) in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_stops_the_check_stops_the_step_and_packs_what_there_is(tmp_path):
    folder, ready = tmp_path / "check", tmp_path / "ready"
    main = f"""
import sys
from bench.promises import gpu_check
from bench.promises.gpu_steps import Step
code = "import os, time; open({str(ready)!r}, 'w').write(str(os.getpid())); "
code += "print('begun', flush=True); time.sleep(600)"
gpu_check.steps = lambda folder: [Step("run", (sys.executable, "-c", code), 60)]
gpu_check.missing = lambda: []
sys.argv = ["gpu_check.py", {str(folder)!r}, "--no-install"]
sys.exit(gpu_check.main())
"""
    process = subprocess.Popen([sys.executable, "-c", main], cwd=ROOT)
    while not (ready.exists() and ready.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    assert process.wait() == 130
    assert is_gone(int(ready.read_text()))
    with tarfile.open(tmp_path / "check.tar.gz") as tar:
        assert tar.getnames() == ["check/run.txt"]


def test_a_folder_that_is_there_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", str(tmp_path), "--no-install"])
    assert gpu_check.main() == 2
    assert f"folder = {str(tmp_path)!r}: must be new" in capsys.readouterr().err


def test_a_run_on_a_gpu_can_be_committed():
    """Results are ignored, but for those that are kept for reference."""
    for name, ignored in (("gpu-reference/run/report.md", 1), ("quick/report.md", 0)):
        done = subprocess.run(
            ["git", "check-ignore", "-q", f"results/{name}"], cwd=ROOT, check=False
        )
        assert done.returncode == ignored
