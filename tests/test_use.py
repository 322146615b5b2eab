"""The documents' examples of using an answer, and what that costs on recorded runs."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import crossover as package
from crossover import analyse, read
from crossover.analysis.frame import derive
from crossover.choose.data import Seen
from crossover.choose.regret import regret_along, regrets
from crossover.door.chosen import seen_in_table

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs/use.md").read_text()


@pytest.fixture(scope="module")
def reference():
    return read(ROOT / "results/reference")


@pytest.mark.filterwarnings("ignore:measured elsewhere")
def test_every_example_runs_and_prints_what_it_says(reference, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(package, "read", lambda folder: reference, raising=False)
    blocks = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", DOCS, re.S)
    assert len(blocks) == 4
    names = {}
    for code, said in blocks:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "docs/use.md", "exec"), names)
        assert out.getvalue().strip() == said.strip()
    line = re.search(r"^    crossover pick (.*)$", DOCS, re.M)[1]
    folder, *words = shlex.split(line)
    assert folder == "results/reference"
    sizes = {name: int(value) for name, value in (word.split("=") for word in words)}
    assert str(reference.pick(**sizes)) in DOCS


def told(name):
    """Return the numbers of a row of the document's table."""
    row = re.search(rf"^\| {name} \| (\d+) \| ([\d.]+) % \| ([\d.]+) % \|$", DOCS, re.M)
    return tuple(map(float, row.groups()))


def test_the_reference_run_is_picked_from_at_little_cost(reference):
    found = regrets(reference.run, derive(reference.run))
    assert len(found) == 9
    n = sum(one.sizes for one in found)
    mean = sum(one.mean * one.sizes for one in found) / n
    always = sum(one.always_mean * one.sizes for one in found) / n
    assert mean < 0.02
    assert mean < always
    assert told("reference") == (n, round(100 * mean, 1), round(100 * always, 1))


def test_a_table_with_real_gpus_is_picked_from_at_little_cost():
    table = pd.read_csv(ROOT / "tests/fixtures/stan/cholesky.csv")
    found = analyse(
        table, axis="size", contender="device", time="seconds", by="variant",
        baseline="i7",
    )  # fmt: skip
    seen = seen_in_table(found.found)
    costs, fixed, n = 0.0, 0.0, 0
    for variant in ("double", "grad", "var"):
        rows = [one for one in seen.timed if one.settings == (variant,)]
        part = Seen(seen.axes, seen.settings, tuple(rows), seen.confidence)
        sizes, _, mean, _, _, always, _ = regret_along(part, 0)
        assert mean < always
        costs, fixed, n = costs + sizes * mean, fixed + sizes * always, n + sizes
    assert n == 26
    assert costs / n < 0.02
    assert fixed / n > 0.1
    assert told("Stan") == (n, round(100 * costs / n, 1), round(100 * fixed / n, 1))
