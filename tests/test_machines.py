"""Several machines: a table with a row each, and where a job should go."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from builders import cases_of, make_machine, make_rounds, make_run
from law import batch_s

from crossover.analysis.crossover import crossovers
from crossover.analysis.machines import found_on, placements
from crossover.record import run_folder
from crossover.report import machines, write
from crossover.report.words.document import markdown, page
from crossover.spec.spec import parse_spec

SPEC = {
    "name": "fleet",
    "contenders": ["cpu/resident@1", "cpu/resident@2"],
    "pairs": [["cpu/resident@1", "cpu/resident@2"]],
    "rounds": 12,
    "grid": True,
    "control": False,
    "sweep": [{"axis": "batch_size", "values": [10, 1000, 5000], "samples": 10000}],
}


def run_on(name, slower=1.0, crossing=1000, rounds=12, noise=0.002, seed=0):
    """Batches cost 1 ms + b on one thread; two threads are as fast at `crossing`."""
    spec = parse_spec(SPEC | {"rounds": rounds}, "test")
    draw = np.random.default_rng(seed)

    def found_in(case, who, number):
        took_s = slower * batch_s(case["batch_size"], who.threads, crossing)
        took_s *= float(np.exp(draw.normal(0, noise)))
        return {
            "positions": (0, 3), "samples_s": (took_s, took_s), "epochs_run": 1,
            "setup_s": 1.0, "transfer_s": 0.0, "threads": who.threads, "run_id": name,
        }  # fmt: skip

    rows = make_rounds(cases_of(spec), SPEC["contenders"], found_in, rounds)
    machine = make_machine(hostname=name, fingerprint=name)
    return make_run(spec, rows, name, machine=machine)


def found(**machines):
    return [
        found_on(node, run, crossovers(run))
        for node, run in ((n, run_on(n, **kind)) for n, kind in machines.items())
    ]


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_each_machine_has_its_own_crossover():
    both = found(small={}, big={"crossing": 3000, "seed": 1})
    rows = [
        row
        for row in table(machines.machines_csv(both))
        if (row["view"], row["metric"]) == ("train", "time_s")
    ]
    assert [row["node"] for row in rows] == ["small", "big"]
    assert [row["fingerprint"] for row in rows] == ["small", "big"]
    assert {row["outcome"] for row in rows} == {"found"}
    small, big = ((float(row["parity_low"]), float(row["parity_high"])) for row in rows)
    assert small[0] <= 1000 <= small[1]
    assert big[0] <= 3000 <= big[1]
    first, second = (float(row["parity"]) for row in rows)
    assert first == pytest.approx(1000, rel=0.05)
    assert 2000 < second < 4000


def test_the_fastest_node_type_is_named_with_an_interval_that_holds_the_truth():
    three = found(
        slow={"slower": 3.0, "seed": 1},
        fast={"seed": 2},
        mid={"slower": 1.5, "seed": 3},
    )
    placed = placements(three)
    assert [p.case["batch_size"] for p in placed] == [10, 1000, 5000]
    for p in placed:
        assert (p.node, p.second, p.also, p.shown) == ("fast", "mid", (), True)
        assert p.low < 1.5 < p.high
        assert p.ratio == pytest.approx(1.5, rel=0.01)
        assert p.confidence == pytest.approx(1 - 0.05 / 2)  # two others share the error
    assert [p.contender for p in placed][::2] == ["cpu/resident@1", "cpu/resident@2"]


def test_a_difference_within_the_noise_is_not_shown():
    alike = found(a={"seed": 1}, b={"slower": 1.005, "seed": 2}, c={"slower": 2.0})
    for p in placements(alike):
        assert not p.shown
        assert {p.node, *p.also} == {"a", "b"}
        assert machines.where_to(p).startswith("no difference shown between")


def test_alike_machines_are_told_apart_no_more_often_than_the_error_allows():
    shown = [
        placements(
            [found_on(n, run_on(n, noise=0.05, seed=s), []) for n, s in pair.items()]
        )[0].shown
        for pair in ({"a": seed, "b": 999 - seed} for seed in range(100))
    ]
    assert sum(shown) <= 9  # 5 % of 100, and chance


def test_too_few_rounds_and_one_machine_alone_say_so():
    few = placements(found(a={"rounds": 3}, b={"rounds": 3, "slower": 9.0, "seed": 1}))
    assert {(p.shown, p.low, p.also) for p in few} == {(False, None, ("b",))}
    alone = placements(found(a={}))
    assert {machines.where_to(p) for p in alone} == {
        "a (no other node type measured it)"
    }
    assert {p.shown for p in alone} == {False}


def test_the_tables_say_it_in_markdown_and_html():
    both = found(small={}, big={"slower": 0.5, "seed": 1})
    whole = machines.document(both, placements(both))
    text, html = markdown(whole), page(whole)
    for said in ("Rounds are paired within a machine alone", "unpaired (Welch"):
        assert said in text
        assert said in html
    lines = text.splitlines()
    assert any(line.startswith("| small | found") for line in lines)
    assert any(line.startswith("| big | found") for line in lines)
    assert sum("-e1 | big | big, cpu/resident@" in line for line in lines) == 3


def test_a_table_is_a_sweep_with_a_row_per_machine_and_a_short_head_per_pair():
    both = found(small={}, big={"slower": 0.5, "seed": 1})
    crossings = machines.document(both, placements(both)).sections[0]
    assert [(table.caption, table.head) for table in crossings.tables] == [
        (
            "Over batch size at 10,000 samples, 2 features, 3 classes, 1 epoch",
            ("machine", "cpu/resident@2 against cpu/resident@1"),
        )
    ]
    assert [row[0] for row in crossings.tables[0].rows] == ["small", "big"]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((17.0, 201.0), "found 173 (17 to 201)"),
        ((None, 201.0), "found 173 (at most 201)"),
        ((17.0, None), "found 173 (at least 17)"),
        ((None, None), "found 173"),
    ],
)
def test_an_open_end_is_said_in_words(ends, said):
    run = run_on("one")
    (one,) = [c for c in crossovers(run) if (c.view, c.metric) == ("train", "time_s")]
    low, high = ends
    answer = dataclasses.replace(one.answer, at=173.0, low=low, high=high, flags=())
    open_ended = dataclasses.replace(one, answer=answer)
    whole = machines.document([found_on("one", run, [open_ended])], [])
    assert whole.sections[0].tables[0].rows == (("one", said),)


def test_what_is_cut_off_is_said(monkeypatch):
    both = found(small={}, big={"slower": 0.5, "seed": 1})
    monkeypatch.setattr(machines, "MOST_ROWS", 1)
    crossings, where = machines.document(both, placements(both)).sections
    assert len(crossings.tables[0].rows) == len(where.tables[0].rows) == 1
    assert "The first 1 of 2 machines; all are in machines.csv." in markdown(
        machines.document(both, placements(both))
    )
    assert where.paragraphs[0].endswith(
        "The first 1 of 3 rows; all are in placements.csv."
    )


def test_no_text_of_a_stranger_is_a_formula_or_a_tag():
    run = run_on("=cmd()", seed=1)
    evil = found_on("<b>x</b>", run, crossovers(run))
    assert "'=cmd()" in machines.machines_csv([evil])
    whole = machines.document([evil], placements([evil]))
    assert "<b>x" not in page(whole)
    assert "<b>x" not in markdown(whole)


def test_a_report_on_two_runs_puts_them_side_by_side(crossover, monkeypatch, tmp_path):
    monkeypatch.setattr(write, "pictures", lambda *args, **kwargs: [])
    for name, kind in (("one", {}), ("two", {"slower": 2.0, "seed": 1})):
        run_folder.put(tmp_path / name, run_on(name, **kind))
    code, said, errors = crossover("report", "one", "two")
    assert code == 0, errors
    assert said.count("-e1: one\n") == 3
    assert "Add --out FOLDER" in said
    assert not (tmp_path / "machines.csv").exists()
    code, said, errors = crossover("report", "one", "two", "--out", "both")
    assert code == 0, errors
    names = {path.name for path in (tmp_path / "both").iterdir()}
    assert names == {
        "one", "two", "machines.csv", "machines.md", "machines.html", "placements.csv"
    }  # fmt: skip
    rows = table((tmp_path / "both" / "placements.csv").read_text())
    assert [(row["node"], row["shown"]) for row in rows] == [("one", "True")] * 3
