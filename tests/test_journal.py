"""A journal that is torn or garbled anywhere, and a run that goes on from anywhere."""

import dataclasses
import json

import by_hand
import pytest
from builders import MACHINE

from crossover.command import job, new_run
from crossover.files.untrusted import InputError
from crossover.plan.unfinished import unfinished
from crossover.record import run_folder

JOURNAL = run_folder.JOURNAL


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a spec, a run's folder and what its journal holds."""
    spec, run = by_hand.new()
    out = tmp_path_factory.mktemp("whole") / "run"
    run_folder.create(out, run)
    by_hand.measure(spec, run, out)
    return spec, out, (out / JOURNAL).read_bytes()


@pytest.fixture
def torn(whole, tmp_path, undrawn):
    """Return a function that makes a run whose journal holds some bytes."""

    def make(data):
        run_folder.create(
            tmp_path / "run", dataclasses.replace(run_folder.load(whole[1]))
        )
        (tmp_path / "run" / JOURNAL).write_bytes(data)
        return tmp_path / "run"

    return make


def rounds_of(rows):
    return {(m.case, m.round) for m in rows if m.status == "ok"}


def test_a_run_stopped_after_any_line_ends_as_if_it_was_not(whole, tmp_path):
    """Within rounds, within blocks, after failures: the same bytes."""
    spec, _, data = whole
    lines = data.splitlines(keepends=True)
    run = by_hand.new()[1]
    for number in range(0, len(lines), 4):
        out = tmp_path / str(number)
        run_folder.create(out, run)
        (out / JOURNAL).write_bytes(b"".join(lines[:number]) + lines[number][:40])
        kept = run_folder.reopen(out)
        assert number - 2 <= len(kept.measurements) <= number
        by_hand.measure(spec, dataclasses.replace(kept, lost=""), out)
        assert (out / JOURNAL).read_bytes() == data, number


@pytest.mark.parametrize("budget_s", [0.3, 1.0, 2.0])
def test_time_used_before_an_interrupt_counts(tmp_path, budget_s):
    spec, run = by_hand.new(budget_s=budget_s)
    run_folder.create(tmp_path / "whole", run)
    rows = by_hand.measure(spec, run, tmp_path / "whole").measurements
    assert budget_s - 0.2 < rows[-1].elapsed_s <= budget_s
    data = (tmp_path / "whole" / JOURNAL).read_bytes()
    lines = data.splitlines(keepends=True)
    for number in range(1, len(lines), 11):
        out = tmp_path / str(number)
        run_folder.create(out, run)
        (out / JOURNAL).write_bytes(b"".join(lines[:number]))
        by_hand.measure(spec, run_folder.reopen(out), out)
        assert (out / JOURNAL).read_bytes() == data


def test_a_block_is_finished_before_the_plan_looks_again(whole):
    spec, out, _ = whole
    rows = run_folder.load(out).measurements
    assert unfinished(spec, rows) is None
    starts = [i for i, m in enumerate(rows) if m.warmup_s and not rows[i - 1].warmup_s]
    assert len(starts) > 4
    assert unfinished(spec, rows[: starts[3]]) is None
    block = unfinished(spec, rows[: starts[3] + 6])
    assert block.done == 3  # of two contenders
    assert len(block.rounds) >= 8
    other = dataclasses.replace(rows[starts[3]], round=99)
    assert unfinished(spec, (*rows[: starts[3]], other)) is None


def test_the_last_append_may_be_torn_at_any_byte(whole, torn):
    data = whole[2]
    rows = run_folder.load(whole[1]).measurements
    last = [m for m in rows if (m.case, m.round) == (rows[-1].case, rows[-1].round)]
    start = len(data) - sum(map(len, data.splitlines(keepends=True)[-len(last) :]))
    assert len(last) == last[0].in_round == 2
    out = torn(data)
    for end in {*range(start + 1, len(data), 29), *range(len(data) - 3, len(data))}:
        (out / JOURNAL).write_bytes(data[:end])
        run = run_folder.load(out)
        assert run.measurements == rows[:-2]
        assert "lost" in run.lost
    run_folder.reopen(out)
    assert (out / JOURNAL).read_bytes() == data[:start]
    assert run_folder.load(out).lost == ""


@pytest.mark.parametrize(
    "tail", [b'{"cell_id": "n1', b"garbage\n", b"\0" * 99, b"\xff\xfe\n", b"{}\n"]
)
def test_a_garbled_last_line_is_left_out_and_said(whole, torn, crossover, tail):
    out = torn(whole[2] + tail)
    number = whole[2].count(b"\n") + 1
    said = f"line {number} of {JOURNAL}, its last, is torn: the round in flight is lost"
    code, _, error = crossover("report", out)
    assert (code, error) == (3, f"crossover: run = {str(out)!r}: {said}\n")
    for name in ("report.md", "report.html"):
        text = (out / name).read_text().replace("\\", "")
        assert "Incomplete: " in text
        assert f"; {said}" in text
    assert crossover("compare", out, whole[1])[2].count(said) == 1
    assert (out / JOURNAL).read_bytes() == whole[2] + tail  # reading changes nothing


@pytest.mark.parametrize("bad", [b"garbage", b"\0" * 99, b"\xff\xfe", b"{}", b""])
def test_a_garbled_middle_line_is_refused_and_recovered_when_asked(
    whole, torn, crossover, monkeypatch, bad
):
    lines = whole[2].splitlines()
    rows = run_folder.load(whole[1]).measurements
    number = next(i for i, m in enumerate(rows) if m.round == 3) + 1
    lines[number - 1] = bad
    data = b"\n".join(lines) + b"\n"
    out = torn(data)
    for command in (["report"], ["run", "--resume"]):
        code, _, error = crossover(*command, out)
        assert code == 2
        assert f"line {number} of {JOURNAL} is garbled: " in error
        assert "--recover" in error
        assert error.count("\n") == 1
    code, _, error = crossover("report", out, "--recover")
    assert code == 3
    assert f"left out line {number} of {JOURNAL}" in error
    assert f"kept in {out / JOURNAL}.1" in error
    assert (out / f"{JOURNAL}.1").read_bytes() == data
    gone = {(rows[number - 1].case, rows[number - 1].round)}
    kept = run_folder.load(out).measurements
    assert rounds_of(rows) - rounds_of(kept) == gone
    assert kept == tuple(m for m in rows if {(m.case, m.round)} != gone)
    assert run_folder.recover(out) == []


def test_a_recovered_run_goes_on(whole, torn, crossover, monkeypatch):
    lines = whole[2].splitlines(keepends=True)
    out = torn(b"garbage\n" + b"".join(lines[10:]))
    clock = by_hand.virtual.Clock(out)
    workers = by_hand.Clocked(clock, lambda request: None)
    monkeypatch.setattr(job, "Workers", lambda: workers)
    monkeypatch.setattr(new_run, "snapshot", lambda devices: MACHINE)
    code, _, error = crossover("run", "--resume", out, "--recover")
    assert code == 3, error  # cells of it fail
    assert "left out line 1" in error
    ok = [m for m in run_folder.load(out).measurements if m.status == "ok"]
    assert len(ok) == len({(m.cell_id, m.round) for m in ok})
    assert "torn" not in (out / "report.md").read_text()


def test_what_a_killed_beginning_leaves_is_no_other_run(tmp_path):
    _, run = by_hand.new()
    out = tmp_path / "run"
    out.mkdir()
    (out / JOURNAL).touch()
    (out / "run.json.part").write_text("{")
    (out / "run.lock").write_text("process 1 on host")
    with pytest.raises(InputError, match=r"holds no run\.json"):
        run_folder.entered(out, new=False)
    with run_folder.entered(out, new=True):
        run_folder.create(out, run)
    assert run_folder.load(out) == run
    assert sorted(p.name for p in out.iterdir()) == [JOURNAL, "run.json"]
    (out / JOURNAL).write_text(json.dumps({}))
    with (
        pytest.raises(InputError, match="holds another run"),
        run_folder.entered(out, new=True),
    ):
        run_folder.create(out, run)
