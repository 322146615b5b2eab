"""Single calls from the request to the page, with calls whose law is known."""

import contextlib
import csv
import dataclasses
import io
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from builders import (
    FakeWorker,
    carried_out,
    cases_of,
    make_machine,
    make_rounds,
    make_run,
    sampled,
)
from test_page import Reader

from crossover.analysis.crossover import crossovers
from crossover.analysis.frame import derive, frames, read_run
from crossover.contender import Contender
from crossover.latency.calls import CALLS, single_calls
from crossover.latency.quantiles import QUANTILES
from crossover.record import run_folder
from crossover.report.terminal import plain_lines
from crossover.report.words.latency import enough_words
from crossover.report.write import write_report
from crossover.selftest.latency import LAWS
from crossover.spec.spec import Spec, parse_spec
from crossover.workloads.values import Size
from crossover.workloads.workload import Implementation, Workload

ROOT = Path(__file__).parent.parent
FILE = Workload(
    name="net.py",
    sizes=(Size("width", 64), Size("steps", 1000, repeats=True)),
    implementations=(Implementation("answer"),),
)
ONE, TWO = "cpu/answer@1", "cpu/answer@2"
SIZES = [64, 96, 128, 192, 256, 384, 512, 768, 1024]
SPIKE = 4.0


def file_spec(**fields):
    """Return a spec of a user's file with one pair."""
    known = {
        "workload": FILE.name, "contenders": [ONE, TWO], "pairs": [[ONE, TWO]],
        "control": False, "grid": True, "rounds": 16, "latency": True,
        "sweep": [{"axis": "width", "values": SIZES}],
    }  # fmt: skip
    return Spec.model_validate(known | fields, context={"workload": FILE})


def step_s(width, threads):
    """One thread takes 10 us a unit of width, two 2 ms more and half of that a unit."""
    return 1e-5 * width if threads == 1 else 2e-3 / 2 + 0.5e-5 * width


def run_of(spec, calls=100, spikes=0.0):
    """Return a run of it: both cross at 200; two threads have spikes of their own."""

    def found(case, who, number):
        rng = np.random.default_rng([case["width"], who.threads, number])
        usual_s = step_s(case["width"], who.threads)
        calls_s = usual_s * np.exp(0.02 * rng.standard_normal(calls))
        if who.threads == 2:
            calls_s *= np.where(rng.random(calls) < spikes, SPIKE, 1.0)
        return {
            "samples_s": (float(1000 * usual_s * np.exp(0.02 * rng.normal())),),
            "setup_s": 1.0, "verified": True, "latency": tuple(map(float, calls_s)),
        }  # fmt: skip

    return make_run(spec, make_rounds(cases_of(spec), [ONE, TWO], found, spec.rounds))


def answers(run):
    """Return the answers of training alone, by metric."""
    return {c.metric: c.answer for c in crossovers(run) if c.view == "train"}


def test_each_quantile_has_a_crossover_of_its_own():
    """Three calls in a hundred of the challenger's take four times as long."""
    found = answers(run_of(file_spec(width=4.0), spikes=0.03))
    assert set(found) == {"time_s", "p50_s", "p95_s", "p99_s"}
    for metric in ("time_s", "p50_s"):
        assert found[metric].outcome == "found"
        assert found[metric].parity == pytest.approx(200, rel=0.03)
        assert found[metric].low <= found[metric].at <= found[metric].high
    # 4 (1 ms + 5 us n) > 10 us n for every n
    assert found["p99_s"].outcome == "never"
    assert found["p99_s"].speedup_largest == pytest.approx(
        step_s(1024, 1) / step_s(1024, 2) / SPIKE, rel=0.05
    )
    alike = answers(run_of(file_spec(width=4.0)))
    assert alike["p99_s"].outcome == "found"
    assert alike["p99_s"].parity == pytest.approx(200, rel=0.05)


@pytest.mark.parametrize(
    ("calls", "known"),
    [(100, {"p50", "p95", "p99"}), (20, {"p50", "p95"}), (4, {"p50"})],
)
def test_a_quantile_that_the_calls_do_not_tell_is_not_measured(calls, known):
    run = run_of(file_spec(), calls)
    found, tables = answers(run), frames(run)
    for name in ("p50", "p95", "p99"):
        rows = tables.latency[tables.latency["quantile"] == name]
        if name in known:
            assert found[f"{name}_s"].outcome in ("found", "inconclusive")
            assert rows[["latency_s", "low_s", "high_s"]].notna().all(axis=None)
        else:
            assert found[f"{name}_s"].outcome == "not_measured"
            assert re.search(
                rf"unavailable: {16 * calls} calls, {name} needs \d+",
                found[f"{name}_s"].flags[0],
            )
            assert rows[["latency_s", "high_s"]].isna().all(axis=None)
            assert rows["flags"].str.contains(f"few_calls: {name} needs").all()
    assert set(tables.latency["calls"]) == {16 * calls}


def test_rounds_with_few_calls_are_joined_to_know_a_hundredth():
    run = run_of(file_spec(rounds=32), calls=25)
    found = answers(run)["p99_s"]
    assert found.outcome == "found"
    assert found.parity == pytest.approx(200, rel=0.05)


def test_where_calls_lack_at_a_size_the_lead_there_is_not_claimed():
    spec = file_spec(sweep=[{"axis": "width", "values": [256, 384, 512]}], width=9.0)
    run = run_of(spec)
    rows = [
        m if m.case["width"] < 512 else m.__class__(**{**vars(m), "latency": ()})
        for m in run.measurements
    ]
    found = answers(make_run(spec, rows))
    assert found["time_s"].outcome == "always"
    assert found["p99_s"].outcome == "inconclusive"
    assert found["p99_s"].flags[0] == "few_calls: too few calls to know it at 512"


def test_without_single_calls_nothing_is_said_of_them(undrawn, tmp_path):
    run = run_of(file_spec(latency=False), calls=0)
    tables = frames(run)
    assert tables.latency.empty
    assert tables.enough.empty
    assert set(answers(run)) == {"time_s"}
    write_report(run, tmp_path)
    assert not (tmp_path / "latency.csv").exists()
    assert not (tmp_path / "enough.csv").exists()
    assert "ingle calls" not in (tmp_path / "report.html").read_text()
    assert "good_enough" not in (tmp_path / "report.html").read_text()


class Calling(FakeWorker):
    """Times the single calls that it is asked for, each 1 ms."""

    asked: ClassVar = []

    def sampled(self, request):
        self.asked.append((self.cell.trainer, request.single, request.single_s))
        return sampled(self.took_s(), latency=(1e-3,) * request.single)


def batch_spec(**fields):
    known = {
        "contenders": ["cpu/resident@1", "cpu/resident@2"],
        "pairs": [["cpu/resident@1", "cpu/resident@2"]], "rounds": 8, "grid": True,
        "sweep": [{"axis": "batch_size", "values": [100, 1000], "samples": 10000}],
        "latency": True,
    }  # fmt: skip
    return parse_spec(known | fields, "test")


def test_the_copy_of_the_control_times_none():
    spec = batch_spec()
    case, who = next(iter(cases_of(spec))), Contender.parse("cpu/resident@1")
    asked = single_calls(spec)
    assert asked.after(case, who, 1) == asked
    assert asked.after(case, dataclasses.replace(who, copy=1), 1).most == 0


def test_a_cell_has_a_thousand_calls(tmp_path):
    run = carried_out(batch_spec(), tmp_path / "run", Calling)
    counts = {}
    for m in run.measurements:
        counts[m.cell_id] = counts.get(m.cell_id, 0) + len(m.latency)
    assert min(counts.values()) >= CALLS
    assert run_folder.load(tmp_path / "run").measurements == run.measurements


def test_without_latency_no_call_is_asked_for(tmp_path):
    Calling.asked.clear()
    carried_out(batch_spec(latency=False), tmp_path / "run", Calling)
    assert {asked[1:] for asked in Calling.asked} == {(0, 0.0)}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"contenders": ["cpu/data_parallel@2x1"],
             "pairs": [["cpu/resident@1", "cpu/data_parallel@2x1"]]},
            "latency: single calls of several ranks are not timed",
        ),
        (
            {"sweep": [{"axis": "batch_size", "values": [100], "epochs": 30}]},
            "latency: a single call is a whole training, and only 1 of 30 epochs are "
            "timed",
        ),
    ],
)  # fmt: skip
def test_who_times_no_single_calls_says_why(tmp_path, fields, why):
    Calling.asked.clear()
    spec = batch_spec(**fields)
    run = carried_out(spec, tmp_path / "run", Calling)
    silent = [m for m in run.measurements if not m.latency and not m.contender.copy]
    assert silent
    assert {m.notes for m in silent} == {why}
    tables = frames(run)
    reason = why.partition(": ")[2]
    if not tables.latency.empty:
        rows = tables.latency[tables.latency.calls == 0]
        assert set(rows["flags"].str.partition(";")[0]) == {f"few_calls: {reason}"}


def test_single_calls_take_no_more_than_their_share_of_the_budget():
    asked = single_calls(batch_spec(budget_s=64.0))
    assert asked.most == 63
    samples = 2 * 8 * 4
    assert asked.most_s == pytest.approx(0.5 * 64.0 / samples)
    with_gpu = batch_spec(
        budget_s=64.0, contenders=["cpu/resident@1", "cpu/resident@2", "cuda"]
    )
    there = single_calls(with_gpu, make_machine(unavailable={"cuda": "no device"}))
    assert there == asked
    assert single_calls(batch_spec()).most_s == 300.0
    assert single_calls(batch_spec(latency=False)).most == 0


@pytest.mark.parametrize(
    ("rounds", "grid"), [(2, True), (8, True), (32, True), (32, False)]
)
def test_every_plan_asks_for_a_thousand_calls_and_a_hundred_a_round(rounds, grid):
    asked = single_calls(batch_spec(rounds=rounds, grid=grid))
    first = rounds if grid else 8
    assert 2 * asked.most * first >= CALLS
    assert 2 * asked.most >= 100


def rows_of(folder, name):
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return the folder of a run with single calls, in which a report was written."""
    folder = tmp_path_factory.mktemp("stored") / "run"
    run = run_of(file_spec(good_enough_s=4.2e-3), spikes=0.03)
    run_folder.put(folder, run)
    write_report(run_folder.load(folder), folder)
    return folder


def test_the_files_hold_each_quantile_with_its_interval(stored):
    rows = rows_of(stored, "latency")
    assert len(rows) == 3 * 2 * len(SIZES)
    for row in rows:
        width, threads = int(row["width"]), int(row["contender"][-1])
        slow = SPIKE if (row["quantile"], threads) == ("p99", 2) else 1.0
        low, at, high = (float(row[f"{end}_s"]) for end in ("low", "latency", "high"))
        assert low <= at <= high
        assert at == pytest.approx(slow * step_s(width, threads), rel=0.12)
        assert int(row["calls"]) == 1600
    tables = read_run(stored)
    assert str(tables.latency["quantile"].dtype) == "category"
    assert str(tables.latency["calls"].dtype) == "Int64"


def test_up_to_which_size_each_is_fast_enough_by_its_p99(stored):
    """10 us a unit and 5 % are within 4.2 ms up to 400; 4 (1 ms + 5 us) nowhere."""
    one, two = rows_of(stored, "enough")
    assert (one["contender"], one["by"], one["limit_s"]) == (ONE, "p99", "0.0042")
    assert (one["outcome"], one["up_to"], one["next_size"]) == ("found", "384", "512")
    assert int(one["low"]) <= 384 < int(one["high"])
    assert one["confidence"] == "0.95"
    assert (two["outcome"], two["up_to"], two["high"]) == ("none", "", "64")
    assert one["zones"].startswith("64 enough;96 enough;")


def test_markdown_and_page_say_it_first(stored):
    text = (stored / "report.md").read_text()
    heads = re.findall(r"^## (.+)$", text, re.M)
    assert heads[0] == "Fast enough: 4.2 ms at most"
    assert "Single calls (a step) with 95 % intervals" in heads
    assert "no longer at 512" in text
    html = (stored / "report.html").read_text()
    assert html.index("Fast enough: ") < html.index("Training alone, the data")
    reader = Reader(html)
    files = {name: rows_of(stored, name) for name in ("latency", "enough")}
    seen = dict.fromkeys(files, 0)
    for element in reader.marked:
        file, _, place = element["row"].partition(":")
        if file in files:
            column = element["own"]["data-column"]
            value = element["own"]["data-value"]
            assert value == files[file][int(place) - 1][column]
            seen[file] += 1
    assert seen["latency"] > 5 * len(files["latency"])
    assert seen["enough"] >= 6


def test_a_report_may_be_asked_for_another_limit_or_for_none(
    crossover, undrawn, stored
):
    code, said, errors = crossover("report", stored, "--good-enough", "1s")
    assert code == 0, errors
    first, second, *_ = said.splitlines()
    assert first == "Fast enough, 1 s at most, over width at steps 1,000:"
    assert second == (
        f"  {ONE}: at every size measured (up to 1,024; 95 % sure), by the p99 of a "
        "step"
    )
    assert [row["outcome"] for row in rows_of(stored, "enough")] == ["every", "every"]
    assert "Single calls (a step) with 95 % intervals, over width at" in said
    assert re.search(
        rf"^  64, {ONE}: p50 6\d\d \S+ \(.* p99 .*; 1,600 calls$", said, re.M
    )


def test_the_table_of_an_earlier_limit_does_not_stay(crossover, undrawn, tmp_path):
    folder = tmp_path / "run"
    run_folder.put(folder, run_of(file_spec(latency=False), calls=0))
    code, said, _ = crossover("report", folder, "--good-enough", "4ms")
    assert code == 0
    (one, two) = rows_of(folder, "enough")
    assert one["by"] == two["by"] == "median"
    assert (one["up_to"], two["up_to"]) == ("384", "512")
    assert "by the median time of a step, as no single calls were timed" in said
    assert crossover("report", folder)[0] == 0
    assert not (folder / "enough.csv").exists()


def test_without_single_calls_a_whole_training_of_softmax_counts():
    spec = batch_spec(latency=False, good_enough_s=2.1e-3)
    run = make_run(
        spec,
        make_rounds(
            cases_of(spec), spec.contenders,
            lambda case, who, _: 1e-3 + 1e-6 * case["batch_size"] * who.threads,
        ),
    )  # fmt: skip
    one, two = derive(run).enough
    assert (one.contender, one.outcome, one.by) == (
        Contender.parse("cpu/resident@1"), "every", "median",
    )  # fmt: skip
    assert (two.outcome, two.up_to, two.next_size) == ("found", 100, 1000)


def test_where_others_took_the_cores_nobody_is_fast_enough():
    run = run_of(file_spec(good_enough_s=1.0, rounds=8))
    busy = [
        dataclasses.replace(m, waited_s=0.9 * m.samples_s[0]) for m in run.measurements
    ]
    for one in derive(make_run(run.spec, busy)).enough:
        assert (one.outcome, one.low, one.zones) == ("inconclusive", None, ())
        assert one.flags[0] == "withheld: was every"
        assert "Not to be trusted" in enough_words(one)


@pytest.mark.parametrize("command", ["run", "report"])
def test_a_limit_without_a_unit_is_refused(crossover, stored, command):
    target = [stored] if command == "report" else []
    code, _, errors = crossover(command, *target, "--good-enough", "20")
    assert code == 2
    assert errors == (
        "crossover: good_enough = '20': must be a time with its unit, s, ms or us, "
        "such as 20ms\n"
    )


def test_answers_of_quantiles_say_of_what_they_are(stored):
    lines = plain_lines(
        [c for c in crossovers(run_folder.load(stored)) if c.view == "train"]
    )
    assert any("By the p99 of single calls, " in line for line in lines)


def test_the_docs_name_every_column(stored):
    text = (ROOT / "docs/tables.md").read_text()
    for name in ("latency", "enough"):
        for column in {*rows_of(stored, name)[0]} - {"width", "steps"}:
            assert f"`{column}`" in text, (name, column)


def test_the_docs_tell_of_every_law_that_is_simulated():
    text = (ROOT / "docs/latency.md").read_text()
    for law in LAWS:
        for name in QUANTILES:
            assert f"| {name}, {law.name} |" in text


@pytest.mark.slow
def test_the_worked_example_runs_and_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/latency.md").read_text()
    ((code, said),) = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", text, re.S)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "latency.md", "exec"), {})
    printed, promised = ([line.split() for line in text.strip().splitlines()]
                         for text in (out.getvalue(), said))  # fmt: skip
    for found, row in zip(printed, promised, strict=True):
        # beside other work on the cores, nothing is decided
        assert found == row or found[:3] == [*row[:2], "inconclusive"]


@pytest.mark.slow
def test_the_steps_of_a_file_are_timed_one_by_one(crossover, undrawn, tmp_path):
    out = tmp_path / "run"
    code, said, errors = crossover(
        "run", ROOT / "examples/lstm_inference.py", "hidden=8,64", "length=4",
        "--grid", "--rounds", "8", "--contender", "cpu@1", "--contender", "cpu@2",
        "--latency", "--good-enough", "10s", "--out", out,
    )  # fmt: skip
    assert code in (0, 3), errors
    assert said.startswith(
        "Fast enough, 10 s at most, over hidden at length 4, batch 1"
    )
    for m in run_folder.load(out).measurements:
        assert len(m.latency) == (0 if m.contender.copy else 126)
    outcomes = {row["outcome"] for row in rows_of(out, "enough")}
    assert outcomes <= {"every", "inconclusive"}  # the latter beside other work
