"""A journal that contradicts itself is refused, or rows of it are left out and said."""

import dataclasses
import json
import re
import shutil

import by_hand
import pytest
from builders import make_round, make_run

from crossover.analysis.frame import read_run
from crossover.files.untrusted import InputError
from crossover.record import launched, run_folder
from crossover.record.invariants import Invariants, breaches
from crossover.record.journal import Journal
from crossover.record.launched import Launched, jobs_of
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import SOFTMAX

JOURNAL = run_folder.JOURNAL
SMALL = {"rounds": 4, "grid": True}
pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a run that nobody edited."""
    spec, run = by_hand.new(**SMALL)
    out = tmp_path_factory.mktemp("whole") / "run"
    run_folder.create(out, run)
    by_hand.measure(spec, run, out)
    return out


@pytest.fixture
def edited(whole, tmp_path):
    """Return a function that makes a copy of the run with other rows."""

    def make(rows):
        out = tmp_path / "run"
        out.mkdir(exist_ok=True)
        shutil.copy(whole / "run.json", out)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (out / JOURNAL).write_text(text)
        return out

    return make


def rows_of(folder):
    return [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]


def is_of(row, threads):
    return row["status"] == "ok" and row["contender"]["threads"] == threads


def times(row, factor, **fields):
    return {**row, "samples_s": [factor * s for s in row["samples_s"]], **fields}


def duplicated(rows):
    return rows + [times(r, 10, in_round=1) for r in rows if is_of(r, 1)]


def foreign(rows):
    return rows + [times(r, 0.2, run_id="other-20200101") for r in rows if is_of(r, 2)]


def swapped(rows):
    def other(who):
        return {**who, "threads": 3 - who["threads"]} if who["threads"] else who

    return [{**r, "contender": other(r["contender"])} for r in rows]


def of_another_cell(rows):
    return [{**r, "cell_id": "lies:cpu/xxx@9"} for r in rows]


def reversed_(rows):
    return rows[::-1]


def sixth(**fields):
    def edit(rows):
        return [{**r, **fields} if i == 5 else r for i, r in enumerate(rows)]

    return edit


def with_a_huge_round(rows):
    return [*rows[:-1], {**rows[-1], "round": 10**9}]


def of_two_threads(**fields):
    def edit(rows):
        return [{**r, **fields} if is_of(r, 2) else r for r in rows]

    return edit


def each(**fields):
    return lambda rows: [{**r, **fields} for r in rows]


def with_another_case(rows):
    known = [r for r in rows if r["status"] == "ok" and r["case"]["batch_size"] == 1000]
    case = {**known[0]["case"], "batch_size": 500} if known else {}
    new = [times(r, 50 if is_of(r, 2) else 1, case=case, in_round=2) for r in known]
    return rows + new


def failed_in_the_end(rows):
    ok = next(r for r in rows if r["status"] == "ok")
    none = {"samples_s": [], "positions": [], "in_round": None}
    return [*rows, {**ok, **none, "status": "failed", "notes": "late", "round": 8}]


EDITS = {
    "duplicated": duplicated,
    "foreign": foreign,
    "swapped": swapped,
    "cell_id": of_another_cell,
    "reversed": reversed_,
    "huge": sixth(samples_s=[9e17, 9e17]),
    "round": with_a_huge_round,
    "negative": sixth(samples_s=[-1.0]),
    "calls": of_two_threads(calls_per_sample=1_000_000),
    "epochs": of_two_threads(epochs_run=50),
    "threads": each(threads=7),
    "another case": with_another_case,
    "positions": each(positions=[0, 0]),
    "failed": failed_in_the_end,
    "started": each(started_utc='=HYPERLINK("http://x")\x1b[31m'),
}
PLAUSIBLE = {"calls", "threads", "started"}
"""Edits of all rows alike: without checksums, no other row contradicts them."""


def is_silent(out, known):
    """Tell whether a run is read without a word though its rows are others."""
    try:
        run = run_folder.load(out)
    except InputError as error:
        said = str(error)
    else:
        return not run.lost and run.measurements != known
    assert re.match(rf"run = {str(out)!r}: line \d+ of {JOURNAL}", said)
    assert said.count("\n") == 0
    return False


@pytest.mark.parametrize("first", EDITS)
def test_no_edit_and_no_two_edits_pass_in_silence(whole, edited, first):
    known, rows = run_folder.load(whole).measurements, rows_of(whole)
    assert is_silent(edited(EDITS[first](rows)), ()) is False
    silent = [
        second
        for second in EDITS
        if is_silent(edited(EDITS[second](EDITS[first](rows))), known)
    ]
    assert silent == []


@pytest.mark.parametrize("first", EDITS)
def test_rows_without_checksums_that_contradict_each_other_are_refused(
    whole, edited, first
):
    known, rows = run_folder.load(whole).measurements, rows_of(whole)
    for row in rows:
        del row["check"]
    assert not is_silent(edited(rows), known)
    is_plausible = first in PLAUSIBLE
    assert is_silent(edited(EDITS[first](rows)), known) is is_plausible
    silent = {
        second
        for second in EDITS
        if is_silent(edited(EDITS[second](EDITS[first](rows))), known)
    }
    assert silent <= (PLAUSIBLE if is_plausible else set())


@pytest.mark.parametrize("name", EDITS)
def test_what_is_recovered_was_measured(whole, edited, name):
    known = run_folder.load(whole).measurements
    out = edited(EDITS[name](rows_of(whole)))
    said = run_folder.recover(out)
    assert any(line.startswith("left out ") for line in said)
    assert len(said) < 12
    run = run_folder.load(out)
    assert run.lost == ""
    assert set(map(repr, run.measurements)) <= {*map(repr, known)}
    assert run_folder.recover(out) == []


def test_every_reader_refuses_in_one_line(whole, edited, crossover):
    rows = rows_of(whole)
    out = edited([{**rows[0], "cell_id": "lies:cpu/xxx@9"}, *rows[1:]])
    for command in (
        ["report", out], ["report", "--show", out], ["compare", whole, out],
        ["run", "--resume", out], ["predict", out],
    ):  # fmt: skip
        code, _, error = crossover(*command)
        assert (code, error.count("\n")) == (2, 1), error
        assert f"run = {str(out)!r}: line 1 of {JOURNAL}: " in error
        assert "--recover" in error
    with pytest.raises(InputError, match="line 1"):
        read_run(out)
    code, _, error = crossover("report", out, "--recover")
    assert code == 3
    assert f"left out line 1 of {JOURNAL}: check = " in error


CASE = SOFTMAX.case(samples=1000, batch_size=100, epochs=4)
SPEC = {
    "contenders": ["cpu/resident@1", "cpu/manual@1"],
    "pairs": [["cpu/resident@1", "cpu/manual@1"]], "control": False,
    "sweep": [{"axis": "batch_size", "values": [10, 100], "samples": 1000,
               "epochs": 4}],
}  # fmt: skip
USUAL = {
    "positions": (0,), "epochs_run": 1, "setup_s": 1.0, "in_round": 1, "elapsed_s": 9.0
}  # fmt: skip


def row(number=0, **fields):
    who, name = fields.pop("contender", "cpu/resident@1"), fields.pop("cell_id", None)
    made = make_round(CASE, who, number, 0.1, **{**USUAL, **fields})
    return dataclasses.replace(made, cell_id=name or made.cell_id)


def said_of(*rows, **spec):
    """Return number and field of each breach."""
    run = make_run(SPEC | spec)
    return [(at, breach.field) for at, breach in breaches(run, rows)]


def test_what_a_run_takes_for_granted():
    second = {"contender": "cpu/manual@1", "positions": (1,), "in_round": 2}
    assert said_of(row(), row(1, elapsed_s=9.2)) == []
    assert said_of(row(in_round=2), row(**second)) == []
    assert said_of(row(run_id="s")) == [(0, "run_id")]
    assert said_of(row(cell_id="x")) == [(0, "cell_id")]
    assert said_of(row(), row(1, contender="cpu/manual@1", cell_id=row().cell_id)) == [
        (1, "cell_id")
    ]
    assert said_of(row(in_round=2), row(in_round=2))[0] == (1, "cell_id")
    assert said_of(row(), row(1, elapsed_s=9.2), row(elapsed_s=9.4)) == [(2, "round")]
    assert said_of(row(epochs_run=4)) == []
    assert said_of(row(epochs_run=5)) == [(0, "epochs_run")]
    assert said_of(row(in_round=2), row(**{**second, "positions": (0,)}))[0] == (
        1, "positions"
    )  # fmt: skip
    assert said_of(row(positions=(4,))) == [(0, "positions")]
    assert said_of(row(positions=(0, 1))) == [(0, "positions")]
    assert said_of(row(positions=())) == []
    assert said_of(row(in_round=2)) == [(0, "in_round")]


def test_a_block_has_one_number_of_calls():
    later = {"elapsed_s": 9.2, "calls_per_sample": 2}
    assert said_of(row(), row(1, **later)) == [(1, "calls_per_sample")]
    assert said_of(row(), row(1, **later, setup_s=1.1)) == []  # opened again
    assert said_of(row(), row(1, **later, warmup_s=(0.1,))) == []  # the next block
    assert said_of(row(), row(1, elapsed_s=9.2, epochs_run=2)) == [(1, "epochs_run")]


def test_a_cell_that_ended_has_no_later_rounds():
    ended = make_round(CASE, "cpu/resident@1", 1, status="failed", elapsed_s=9.1)
    assert said_of(row(), ended) == []
    assert said_of(row(), ended, row(2, elapsed_s=9.3)) == [(2, "round")]
    assert said_of(row(), ended, ended) == [(2, "round")]


def test_samples_take_no_more_than_the_time_that_passed():
    assert said_of(row(elapsed_s=0.1)) == []
    assert said_of(row(elapsed_s=0.05)) == [(0, "samples_s")]
    assert said_of(row(), row(1, elapsed_s=9.05)) == [(1, "samples_s")]
    assert said_of(row(), row(1, elapsed_s=8.9)) == [(1, "elapsed_s")]
    assert said_of(row(elapsed_s=None), row(1, elapsed_s=None)) == []
    pair = (
        row(in_round=2),
        row(contender="cpu/manual@1", positions=(1,), in_round=2, elapsed_s=9.1),
    )
    assert said_of(*pair)[0] == (1, "elapsed_s")


def test_a_case_is_of_a_sweep():
    between, beside = CASE.at(batch_size=50), CASE.at(features=7)

    def of(case, **fields):
        return make_round(case, "cpu/resident@1", 0, 0.1, **{**USUAL, **fields})

    assert said_of(of(between)) == []  # the search may add it
    assert said_of(of(between), grid=True) == [(0, "case")]
    assert said_of(of(beside)) == [(0, "case")]
    assert said_of(of(beside, elapsed_s=None)) == []  # older runs, and other tools


def test_a_discarded_round_may_be_measured_again():
    assert said_of(row(discarded="stopped"), row(1, elapsed_s=9.2)) == []
    frozen = dataclasses.replace(row(discarded="stopped"), samples_s=(23.0,))
    assert said_of(frozen, row(elapsed_s=9.3)) == []  # no time of the run's passed
    later = dataclasses.replace(frozen, elapsed_s=9.2)
    assert said_of(frozen, later, row(elapsed_s=9.4)) == []  # two attempts alike
    again = row(elapsed_s=9.3)
    known = Invariants(make_run(SPEC))
    assert known.add([row(discarded="stopped")]) is None
    assert known.add([again]) is None
    assert known.add([again]).field == "round"


def test_a_second_attempt_that_was_torn_leaves_the_first(tmp_path):
    out = tmp_path / "run"
    run_folder.create(out, make_run(SPEC))
    journal = Journal(out)
    for elapsed_s in (9.0, 9.3):
        known = {"discarded": "stopped", "in_round": 2, "elapsed_s": elapsed_s}
        other = row(contender="cpu/manual@1", positions=(1,), **known)
        journal.append([row(**known), other])
    journal.close()
    written = (out / JOURNAL).read_bytes()
    (out / JOURNAL).write_bytes(written[:-20])
    for read in (run_folder.load(out), run_folder.reopen(out)):
        assert [m.elapsed_s for m in read.measurements] == [9.0, 9.0]
        assert "the round in flight is lost" in read.lost
    (out / JOURNAL).write_bytes(b"".join(written.splitlines(keepends=True)[:3]))
    assert [m.elapsed_s for m in run_folder.load(out).measurements] == [9.0, 9.0]


def test_rows_in_breach_are_not_taken_in():
    known = Invariants(make_run(SPEC))
    assert known.add([row(epochs_run=9)]).must == "must be 1 to 4, as its case says"
    assert known.add([row()]) is None


def test_a_merge_is_one_chain_of_several_jobs(tmp_path):
    fields = {**SPEC, "grid": True, "launch": {"nodes": {"a": {}}}}
    fields["sweep"] = [fields["sweep"][0], {**fields["sweep"][0], "features": 4}]
    whole = Launched(
        launch="local", run_id="whole", command="x", commit=None,
        spec=parse_spec(fields, "test"),
    )  # fmt: skip
    launched.create(tmp_path / "out", whole)
    for job in jobs_of(whole.spec):
        name = f"whole-{job.name}"
        cases = job.spec.sweep[0].cases().values()
        rows = [
            make_round(case, "cpu/resident@1", 0, 0.1, run_id=name)
            for case in (*cases,)
        ]
        run_folder.put(tmp_path / "out/jobs" / job.name, make_run(job.spec, rows, name))
    (merged,) = launched.merge(tmp_path / "out")
    run = run_folder.load(merged)
    assert [m.run_id for m in run.measurements] == ["whole-a-1"] * 2 + ["whole-a-2"] * 2
    lines = (merged / JOURNAL).read_bytes().splitlines(keepends=True)
    (merged / JOURNAL).write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(InputError, match=f"line 2 of {JOURNAL}: check = "):
        run_folder.load(merged)
    journal = tmp_path / "out/jobs/a-1" / JOURNAL
    journal.write_text(journal.read_text().replace('"round": 0', '"round": 1'))
    with pytest.raises(InputError, match=r"jobs/a-1.*line 1 of .*: check = "):
        launched.merge(tmp_path / "out")


def test_a_run_of_an_older_version_goes_on_with_checksums(whole, edited):
    rows = rows_of(whole)
    for old in rows:
        del old["check"]
    out, spec = edited(rows[:20]), by_hand.new(**SMALL)[0]
    begun = run_folder.reopen(out)
    before, old = (out / JOURNAL).read_bytes(), len(begun.measurements)
    by_hand.measure(spec, dataclasses.replace(begun, lost=""), out)
    lines = (out / JOURNAL).read_bytes().splitlines(keepends=True)
    assert b"".join(lines).startswith(before)
    assert len(lines) == len(rows)
    has_check = ["check" in json.loads(line) for line in lines]
    assert has_check == [False] * old + [True] * (len(rows) - old)
    (out / JOURNAL).write_bytes(b"".join(lines[: old - 1] + lines[old:]))
    with pytest.raises(InputError, match=rf"line {old} of {JOURNAL}: check = "):
        run_folder.load(out)
    (out / JOURNAL).write_bytes(b"".join(lines) + lines[0])
    with pytest.raises(InputError, match="check: missing"):
        run_folder.load(out)


def test_a_line_that_another_program_wrote_again_is_refused(whole, edited):
    rows = rows_of(whole)
    out = edited(rows)
    lines = (out / JOURNAL).read_text().splitlines()
    lines[3] = json.dumps(json.loads(lines[3]), separators=(",", ":"))
    (out / JOURNAL).write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"line 4 .*: check = .*: must end the line"):
        run_folder.load(out)
