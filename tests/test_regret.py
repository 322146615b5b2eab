"""What picking costs over sizes that were left out."""

from pathlib import Path

import pandas as pd
import pytest
from builders import cases_of, make_rounds, make_run
from test_choose import SIZES, along
from test_door import crossing_run

from crossover.analysis.frame import derive
from crossover.choose.data import Seen
from crossover.choose.regret import regret_along, regrets
from crossover.report.write import write_report

ROOT = Path(__file__).parent.parent


def cost(rows):
    return regret_along(Seen(("n",), (), tuple(rows), 0.95), 0)


def test_what_crosses_smoothly_is_picked_without_regret():
    sizes, refused, mean, worst, always, fixed, fixed_worst = cost(along())
    assert (sizes, refused) == (3, 2)
    assert (mean, worst) == (0, 0)
    # cpu costs 128 and 256 of 200; always gpu: 200 / 128 at one, as cpu 256 / 200 ...
    assert always == "gpu"
    assert fixed_worst == pytest.approx(200 / 128 - 1)
    assert fixed == pytest.approx((200 / 128 - 1) / 3)


def test_a_step_between_the_sizes_left_costs_what_it_costs():
    """At 256 what is picked is that of 128, and at 128 that of 64."""
    laws = {"a": lambda n: 1e-3, "b": lambda n: 2e-3 if n < 200 else 5e-4}
    sizes, _, mean, worst, *_ = cost(along(laws, [64, 128, 250, 500, 1000]))
    assert (sizes, worst) == (3, 1)
    assert mean in (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_too_few_sizes_or_one_contender_have_none():
    assert cost(along(sizes=SIZES[:3])) is None
    assert cost(along({"a": lambda n: 1e-3})) is None
    assert cost([]) is None


def test_the_report_has_a_table_and_a_file(undrawn, tmp_path):
    run = crossing_run()
    write_report(run, tmp_path)
    (one,) = regrets(run, derive(run))
    table = pd.read_csv(tmp_path / "regret.csv")
    row = table.iloc[0]
    assert [*table.columns] == [
        "axis", "samples", "features", "classes", "batch_size", "epochs", "among",
        "view", "sizes", "refused", "mean", "worst", "always", "always_mean",
        "always_worst",
    ]  # fmt: skip
    assert (row["axis"], row.sizes, row.refused) == ("batch_size", 7, 2)
    assert row["mean"] == one.mean < one.always_mean == row.always_mean
    assert row.among == "cpu/resident@1;cpu/resident@2"
    for name in ("report.md", "report.html"):
        text = (tmp_path / name).read_text()
        assert "Picking by these answers" in text
    assert 'data-row="regret:1"' in text


def test_a_run_of_three_sizes_has_neither(undrawn, tmp_path):
    spec = {
        "contenders": ["cpu/resident@1", "cpu/resident@2"],
        "pairs": [["cpu/resident@1", "cpu/resident@2"]],
        "sweep": [{"axis": "batch_size", "values": [8, 64, 512], "samples": 512}],
        "control": False,
    }
    run = make_run(spec)
    cases = cases_of(run.spec)
    rows = make_rounds(cases, spec["contenders"], lambda *_: 1e-3)
    write_report(make_run(run.spec, rows), tmp_path)
    assert not (tmp_path / "regret.csv").exists()
    assert "Picking" not in (tmp_path / "report.html").read_text()
