"""Every size can be the axis, features and classes too; the names have one home."""

import ast
import random
from pathlib import Path

import numpy as np
import pytest
from builders import make_rounds, make_run

from crossover.analysis.crossover import crossovers
from crossover.command.ask import Ask
from crossover.files.untrusted import InputError
from crossover.plan import plan
from crossover.plan.plan import Known
from crossover.spec.load import load_spec
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import SOFTMAX, Softmax
from softmax_core.case import stable_learning_rate

ROOT = Path(__file__).parent.parent
PAIR = "cpu/resident@1", "cpu/fused@1"
SWEEP = {"axis": "features", "values": [16, 64, 256, 1024], "samples": 4096}


def spec(**sweep):
    fields = {"contenders": PAIR, "pairs": [PAIR], "sweep": [SWEEP | sweep]}
    return parse_spec(fields, "test")


def asked(**sizes):
    return Ask(sizes=tuple(sizes.items()), contenders=PAIR).spec(2)


def test_a_list_of_features_is_an_axis_at_one_stable_rate():
    (sweep,) = asked(features="1024,16,64", samples="4096", batch_size="256").sweep
    assert (sweep.axis, sweep.values) == ("features", (16, 64, 1024))
    cases = sweep.cases()
    assert {case["learning_rate"] for case in cases.values()} == {
        stable_learning_rate(1024)
    }
    assert {case["samples"] for case in cases.values()} == {4096}
    assert [case["features"] for case in cases.values()] == [16, 64, 1024]


def test_two_lists_are_two_axes_each_at_every_value_of_the_other():
    sweeps = asked(classes="2,10", batch_size="64,256,1024", samples="4096").sweep
    assert [(s.axis, s.line["classes"], s.line["batch_size"]) for s in sweeps] == [
        ("classes", None, 64), ("classes", None, 256), ("classes", None, 1024),
        ("batch_size", 2, None), ("batch_size", 10, None),
    ]  # fmt: skip


def test_a_fixed_number_of_features_is_that_of_the_specs_own_sweeps():
    usual, wide = asked(), asked(features="100")
    assert [s.axis for s in wide.sweep] == [s.axis for s in usual.sweep]
    assert {s.line["features"] for s in wide.sweep} == {100}
    for sweep in wide.sweep:
        classes, dispersion = sweep.line["classes"], sweep.line["dispersion"]
        stable = stable_learning_rate(100, classes, dispersion)
        assert sweep.line["learning_rate"] <= stable


def test_a_specs_axis_of_features_has_a_stable_rate_where_none_is_given(tmp_path):
    assert spec().sweep[0].line["learning_rate"] == stable_learning_rate(1024)
    assert spec(learning_rate=0.01).sweep[0].line["learning_rate"] == 0.01
    assert spec(axis="samples", features=1024).sweep[0].line["learning_rate"] == 0.03
    file = tmp_path / "spec.toml"
    file.write_text(
        f'contenders = ["{PAIR[0]}", "{PAIR[1]}"]\npairs = [["{PAIR[0]}", "{PAIR[1]}"]]'
        '\n[[sweep]]\naxis = "classes"\nvalues = [2, 10, 100]\n'
    )
    (sweep,) = load_spec(file).sweep
    assert sweep.line["learning_rate"] == stable_learning_rate(2, 100)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        (
            {"classes": "1,2"},
            "classes = '1,2': must be integers >= 2 separated by",
        ),
        ({"features": "0"}, "features = '0': must be integers >= 1"),
        ({"features": "many"}, "features = 'many': must be integers >= 1"),
        ({"rungs": "3"}, "rungs = '3': workload softmax has no such size or"),
        (
            {"samples": "4", "classes": "2,8"},
            "samples = 4: must be at least classes = 8",
        ),
    ],
)
def test_bad_sizes_are_named(sizes, said):
    with pytest.raises(InputError, match=said):
        asked(**sizes)


def run_of(asked, law):
    """Record a run in which each contender takes what the law says of the size."""
    rng = np.random.default_rng(0)

    def found(case, who, number):
        seconds = law(str(who), case[asked.sweep[0].axis]) * np.exp(rng.normal(0, 0.01))
        return {
            "samples_s": (seconds,), "setup_s": 0.1, "transfer_s": 0.0,
            "epochs_run": 1, "work": Softmax().work(case),
        }  # fmt: skip

    cases = asked.sweep[0].cases().values()
    return make_run(asked, make_rounds(cases, PAIR, found, rounds=16))


def law(text, size):
    return {PAIR[0]: 1e-4 + 1e-6 * size, PAIR[1]: 3e-4 + 2e-7 * size}[text]


def test_costs_along_features_are_fitted_by_the_size_itself():
    """No step and no row is more along this axis: the size stands for the cost."""
    found = crossovers(run_of(spec(), law))[0]
    assert (found.axis, found.line["features"]) == ("features", None)
    assert found.answer.fitted == pytest.approx(250, rel=0.05)
    assert found.answer.low <= 276 <= found.answer.high  # 5 % ahead; the grid is coarse


def test_work_is_counted_of_each_case():
    run = run_of(spec(batch_size=64), law)
    assert {m.case["features"]: m.work["byte"] for m in run.measurements} == {
        size: 4096 * (4 * size + 8) for size in SWEEP["values"]
    }


@pytest.mark.parametrize(
    ("sizes", "proposed", "planned"),
    [
        ([64, 4096], 10_000, set()),  # settles at 4,096, which is measured
        ([64, 2048], 10_000, {4096}),
        ([64, 4096], 512, {512}),
    ],
)
def test_a_proposal_that_settles_at_a_measured_size_is_not_made(
    monkeypatch, sizes, proposed, planned
):
    asked = spec(axis="batch_size", values=sizes).model_copy(update={"control": False})
    known = Known(asked, run_of(asked, law).measurements)
    monkeypatch.setattr(plan, "next_size", lambda *_: proposed)
    assert {block.case["batch_size"] for block in known.search_blocks()} == planned


SIZES = {"samples", "features", "classes", "batch_size", "epochs"}
ELSEWHERE = {
    "softmax_core": "the arithmetic",
    "crossover/workloads/softmax.py": "its declaration",
    "crossover/lesson": "the lesson is about them",
    "bench/asv_suite": "the unit of asv's number",
    "crossover/command/options.py": "the words of its options",
    "crossover/sources/asv.py": "asv's own samples",
    "crossover/sources/foreign/asv_store.py": "asv's own samples",
    "crossover/sources/table/columns.py": "how strangers call a column of sizes",
}
"""Where the names of softmax's sizes may be keys or attributes, and why."""


def named(path):
    """Yield what the code of a file calls by one of the names."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in SIZES:
            yield ast.unparse(node)
        if isinstance(node, ast.keyword) and node.arg in SIZES:
            yield ast.unparse(node)
        if isinstance(node, ast.Constant) and node.value in SIZES:
            yield repr(node.value)


def test_the_sizes_have_one_home():
    wrong = {}
    for path in [*ROOT.glob("crossover/**/*.py"), *ROOT.glob("softmax_core/**/*.py")]:
        name = str(path.relative_to(ROOT))
        if not name.startswith(tuple(ELSEWHERE)) and (found := [*named(path)]):
            wrong[name] = found
    assert wrong == {}


def test_every_exception_is_one():
    for name in ELSEWHERE:
        where = ROOT / name
        files = where.glob("**/*.py") if where.is_dir() else [where]
        assert any(True for path in files for _ in named(path)), name


def test_ids_of_softmax_stay_as_they_were():
    draw = random.Random(1)
    for _ in range(50):
        n, d, c, b, e = (draw.randrange(2, 10**6) for _ in range(5))
        case = SOFTMAX.case(
            samples=n + c, features=d, classes=c, batch_size=b, epochs=e
        )
        assert case.id == f"n{n + c}-d{d}-c{c}-b{b}-e{e}"
