"""`pytest --crossover` says answers of anybody's benchmarks, and no more than that."""

import re
import tomllib
from pathlib import Path

import pytest

import crossover.door.benchmarks  # noqa: F401  # what a run loads, pytester unloads

ROOT = Path(__file__).parent.parent
pytest_plugins = ["pytester"]

CLOCK = """
import random

class Clock:
    now, drawn = 0.0, random.Random(1)

    def __call__(self):
        Clock.now += 1e-9
        return Clock.now

def work(seconds):
    Clock.now += seconds * (1 + Clock.drawn.gauss(0, 0.01))
"""
SUITE = """
import pytest
from clock import Clock, work

COST = {"cpu": lambda n: n * 4e-6, "gpu": lambda n: 3e-4 + n * 1e-6}

@pytest.mark.benchmark(timer=Clock())
@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize("n", [16, 32, 64, 90, 128, 200, 300, 1000])
def test_train(benchmark, n, device):
    benchmark.pedantic(work, (COST[device](n),), rounds=20)
"""
ASKED = "--crossover", "axis=n", "--crossover", "contender=device"
TRUTH = 315 / 2.95


@pytest.fixture
def suite(pytester, monkeypatch):
    """Return what runs pytest on a suite, with our plugin installed beside it.

    It does so in this process, or if asked in a new one.
    """
    made = pytester.mkdir("site") / "plugin-1.0.dist-info"
    made.mkdir()
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [f"{n} = {v}" for n, v in points["entry-points"]["pytest11"].items()]
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (made / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    monkeypatch.setenv("PYTHONPATH", str(made.parent))
    monkeypatch.syspath_prepend(made.parent)
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):  # of who runs this test
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(clock=CLOCK)

    def run(text, *options, anew=False):
        pytester.makepyfile(test_theirs=text)
        way = pytester.runpytest_subprocess if anew else pytester.runpytest_inprocess
        return way(*options)

    return run


def answers(done):
    """Return the lines below our head, which stand below pytest-benchmark's table."""
    text = done.stdout.str()
    before, head, after = text.partition("= crossover =")
    assert head, text
    assert "benchmark: " in before
    body = after.partition("\n")[2]
    return re.split(r"\n=+ ", body)[0].splitlines()


def test_answers_stand_under_the_table_of_benchmarks(suite):
    done = suite(SUITE, "--benchmark-only", *ASKED)
    assert done.ret == 0
    done.assert_outcomes(passed=16)
    said, advice = answers(done)
    assert said.startswith("benchmark = test_theirs.py::test_train: found, doubtful (")
    assert "contenders did not take turns; all rounds are of one process" in said
    assert "cpu is up to" in said
    low, high = re.search(
        r"gpu is ahead from \S+ \(([\d.]+) to ([\d.]+)\)", said
    ).groups()
    assert float(low) <= TRUTH <= float(high)
    assert "--round" not in said
    assert "use `crossover run` for a decision" in advice


def test_nothing_is_said_or_loaded_unless_asked(suite):
    looks = """
import sys

def test_what_is_loaded():
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert "crossover" in loaded
    assert not {"torch", "numpy", "pandas", "pydantic", "matplotlib"} & loaded
"""
    done = suite(looks, "-p", "no:benchmark", "-p", "no:xdist", anew=True)
    done.assert_outcomes(passed=1)
    assert "= crossover =" not in done.stdout.str()


def test_each_other_parameter_and_each_test_makes_a_group(suite):
    text = """
import pytest
from clock import Clock, work

@pytest.mark.benchmark(timer=Clock())
@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("who", [max, min])
@pytest.mark.parametrize("size", [1.5, 2, 3])
def test_one(benchmark, size, who, kind):
    benchmark.pedantic(work, (1e-3 * size if who is max else 1e-3,), rounds=6)

@pytest.mark.benchmark(timer=Clock())
@pytest.mark.parametrize("who", [max, min])
@pytest.mark.parametrize("size", [2, 3])
def test_two(benchmark, size, who):
    benchmark.pedantic(work, (1e-3,), rounds=6)

def test_without_parameters(benchmark):
    benchmark.pedantic(work, (1e-3,), rounds=6)
"""
    done = suite(
        text, "--crossover", "axis=size", "--crossover", "contender=who",
        "--crossover", "baseline=min",
    )  # fmt: skip
    done.assert_outcomes(passed=17)
    *said, _ = answers(done)
    groups = [line.partition(": ")[0] for line in said]
    one = "benchmark = test_theirs.py::test_one, kind ="
    assert groups[:2] == [f"{one} f32", f"{one} f64"]
    assert groups[2].startswith("benchmark = test_theirs.py::test_two")
    assert all("max does not get ahead of min" in line for line in said[:2])


def test_the_functions_themselves_can_be_the_contenders(suite):
    text = """
import pytest
from clock import Clock, work

@pytest.mark.benchmark(timer=Clock())
@pytest.mark.parametrize("n", [1, 2, 4])
class TestSort:
    def test_ours(self, benchmark, n):
        benchmark.pedantic(work, (1e-3,), rounds=6)

    def test_theirs(self, benchmark, n):
        benchmark.pedantic(work, (2e-3,), rounds=6)

    def test_others(self, benchmark, n):
        benchmark.pedantic(work, (1e-4,), rounds=6)
"""
    done = suite(text, "--crossover", "axis=n", "--crossover", "contender=function")
    theirs, others, _ = answers(done)
    group = "benchmark = test_theirs.py::TestSort"
    assert theirs.startswith(f"{group}: never, doubtful (")
    assert "test_theirs does not get ahead of test_ours" in theirs
    assert others.startswith(f"{group}: always, doubtful (")
    assert "test_others is ahead of test_ours from the smallest size on" in others


@pytest.mark.slow
def test_exit_codes_are_those_of_the_tests(suite):
    broken = SUITE + "\ndef test_fails():\n    assert 0\n"
    for options, code in (((), 1), (("-k", "nothing"), 5)):
        assert suite(broken, *options, anew=True).ret == code
        assert suite(broken, *options, *ASKED, anew=True).ret == code


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-n", "2"), "with pytest-xdist nothing is measured; run without -n"),
        (("-p", "no:benchmark"), "pytest-benchmark is not installed, or not loaded"),
        (("--benchmark-disable",), "benchmarks are disabled, so nothing was measured"),
        (("-k", "nothing"), "must be parameters of benchmarks that were measured"),
    ],
)
def test_where_nothing_was_measured_a_line_says_why(suite, options, why):
    text = SUITE + "\ndef test_passes():\n    pass\n"
    done = suite(text, *options, *ASKED, anew="-n" in options)
    (said,) = [line for line in done.stdout.lines if line.startswith("no answer: ")]
    assert said.endswith(why)


def test_sizes_that_are_no_numbers_are_named(suite):
    done = suite(SUITE, "--crossover", "axis=device", "--crossover", "contender=n")
    assert done.ret == 0
    (said,) = [line for line in done.stdout.lines if line.startswith("no answer: ")]
    assert said == ("no answer: InputError: axis device = 'cpu': must be a number > 0")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("axis",), "--crossover axis: must be KEY=VALUE with a key, given once, of "),
        (("axes=n",), "--crossover axes=n: must be KEY=VALUE"),
        (("axis=n", "axis=m"), "--crossover axis=m: must be KEY=VALUE"),
        (("axis=n",), "--crossover: must be given for both, such as"),
    ],
)
def test_what_the_option_cannot_mean_is_refused_before_all_tests(suite, options, why):
    typed = [word for text in options for word in ("--crossover", text)]
    done = suite(SUITE, *typed)
    assert done.ret == 4
    assert why in done.stderr.str()


SYNCED = """
import sys, types
import pytest

calls = []

class Accelerator:
    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 2)
    synchronize = staticmethod(calls.append)

sys.modules["torch"] = types.SimpleNamespace(accelerator=Accelerator)

def rounds_of(benchmark):
    calls.clear()
    benchmark.pedantic(lambda: None, rounds=3)
    return [*calls]

@pytest.mark.crossover_sync
@pytest.mark.benchmark(group="mine")
def test_marked(benchmark):
    assert rounds_of(benchmark) == [0, 1] * 6
    assert benchmark.group == "mine"

def test_unmarked(benchmark):
    assert rounds_of(benchmark) == []

@pytest.mark.crossover_sync
def test_no_benchmark():
    pass
"""


def test_a_marked_benchmark_waits_for_all_accelerators(suite):
    suite(SYNCED, "--strict-markers", anew=True).assert_outcomes(passed=3)
    done = suite("import pytest\n\n@pytest.mark.crossover_sync\ndef test_it(): pass\n",
                 "--strict-markers", "-p", "no:benchmark")  # fmt: skip
    done.assert_outcomes(passed=1)
    assert "warning" not in done.stdout.str()


def test_the_clock_goes_on_without_torch_and_without_an_accelerator(monkeypatch):
    import sys

    from crossover.door.pytest_plugin import done_at

    first = done_at()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert done_at() > first


def test_the_example_of_the_docs_runs(suite):
    text = (ROOT / "docs/python.md").read_text()
    (code,) = re.findall(r"```python\n(import pytest\n.*?)```", text, re.S)
    job = "def forward(device, width):\n    return lambda: sum(range(width))\n\n"
    asked = "--crossover", "axis=width", "--crossover", "contender=device"
    done = suite(job + code, "--strict-markers", "--benchmark-max-time=0.01", *asked)
    done.assert_outcomes(passed=6)
    assert answers(done)[0].startswith("benchmark = test_theirs.py::test_forward: ")
