"""A run that did not finish does not sound finished, and can be given more."""

import dataclasses
import io
import json

import by_hand
import pytest
import virtual
from rich.console import Console

from crossover.analysis.crossover import crossovers, incomplete, unreached
from crossover.analysis.flags import ADVICE, DOUBTS
from crossover.command import job, new_run
from crossover.command.ask import Ask
from crossover.files.untrusted import InputError
from crossover.interrupts import EXIT_CODE, Interrupted
from crossover.measure.pipe import Sample
from crossover.record import run_folder
from crossover.report.terminal import plain_lines, show
from crossover.report.words.sentences import doubtful

pytestmark = pytest.mark.usefixtures("undrawn")
PAIR = ["cpu/resident@1", "cpu/resident@2"]
SIZES = [100, 300, 1000, 9000]
FIELDS = {
    "contenders": PAIR, "pairs": [PAIR], "grid": True, "rounds": 8,
    "sweep": [{"axis": "batch_size", "values": SIZES, "samples": 9000}],
}  # fmt: skip
ROWS_A_SIZE = 2 * 8


def measured(out, sizes=4, **fields):
    """Return a run of some of its sizes, measured under a virtual clock."""
    spec, run = by_hand.new(**FIELDS | fields)
    run_folder.create(out, run)
    whole = by_hand.measure(spec, run, out)
    kept = whole.measurements[: sizes * ROWS_A_SIZE]
    run_folder.put(out, dataclasses.replace(whole, measurements=kept))
    return run_folder.load(out)


def resume(out, before=lambda request: None, **more):
    """Go on with a run as the command line does; return its exit code."""
    clock = virtual.Clock(out)
    workers = by_hand.Clocked(clock, before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(new_run, "snapshot", lambda devices: virtual.MACHINE)
        return job.do_run(
            Ask(**more), None, out, workers=workers, environment=clock.around()
        )


def test_an_interrupt_after_one_size_of_four_then_all_of_them(tmp_path, capsys):
    out = tmp_path / "run"
    measured(out, sizes=1)

    def interrupt(request):
        if isinstance(request, Sample):
            raise Interrupted

    assert resume(out, interrupt) == EXIT_CODE
    said = capsys.readouterr().out
    assert said.startswith("Incomplete: 1 pair did not reach all sizes asked for.\n")
    answer = next(line for line in said.splitlines() if "against" in line)
    assert answer.startswith("  inconclusive, unfinished (3 of 4 sizes not reached: ")
    assert "always" not in said
    assert "never" not in said
    for name in ("report.md", "report.html"):
        text = (out / name).read_text()
        assert "Interrupted: this report is partial" in text
        assert "3 of 4 sizes not reached" in text
    assert resume(out) == 0
    said = capsys.readouterr().out
    assert "Incomplete" not in said
    assert "unfinished" not in said
    assert "Incomplete" not in (out / "report.md").read_text()


def test_a_budget_that_is_over_before_all_sizes_is_3_and_says_how_to_go_on(
    tmp_path, capsys
):
    out = tmp_path / "run"
    used_s = measured(out, sizes=2).measurements[-1].elapsed_s
    header = json.loads((out / "run.json").read_text())
    header["spec"]["budget_s"] = used_s
    (out / "run.json").write_text(json.dumps(header))
    assert resume(out) == 3
    said = capsys.readouterr().out
    assert said.startswith("Incomplete: ")
    assert f"crossover run --resume {out} --budget 10m" in said
    assert resume(out, budget="10m") == 0
    spec = run_folder.load(out).spec
    assert spec.budget_s == pytest.approx(used_s + 600)
    assert resume(out) == 0  # what was given stays


def test_a_budget_that_is_over_with_every_size_measured_is_0(tmp_path):
    out = tmp_path / "run"
    run = measured(out, grid=False, rounds=32, width=1.0001)
    header = json.loads((out / "run.json").read_text())
    header["spec"]["budget_s"] = run.measurements[-1].elapsed_s
    (out / "run.json").write_text(json.dumps(header))
    assert resume(out) == 0


def test_more_rounds_and_a_smaller_width_are_recorded(tmp_path):
    out = tmp_path / "run"
    measured(out)
    assert resume(out, rounds=10, width=1.1) == 0
    run = run_folder.load(out)
    assert (run.spec.rounds, run.spec.width) == (10, 1.1)
    assert max(m.round for m in run.measurements) == 9


def test_a_run_of_one_core_goes_on_though_its_pair_is_one_contender(tmp_path):
    """What `@1` and `@all` became there would be refused of a spec that is typed."""
    out = tmp_path / "run"
    measured(out, sizes=1)
    header = json.loads((out / "run.json").read_text())
    header["spec"]["pairs"] = [PAIR, [PAIR[0], PAIR[0]]]
    (out / "run.json").write_text(json.dumps(header))
    assert resume(out, rounds=9) == 0
    assert run_folder.load(out).spec.rounds == 9


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rounds": 1}, "rounds = 1"),
        ({"width": 1.0}, "width = 1.0"),
        ({"budget": "soon"}, "budget = 'soon'"),
        (
            {"sizes": (("samples", "100"),)},
            "resume: takes a folder and no option but --budget",
        ),
    ],
)
def test_what_cannot_be_given_is_refused_and_nothing_lost(tmp_path, more, said):
    out = tmp_path / "run"
    run = measured(out, sizes=1)
    with pytest.raises(InputError, match=said):
        resume(out, **more)
    assert run_folder.load(out) == run


@pytest.mark.parametrize("sizes", [1, 2, 3])
def test_no_always_and_no_never_over_sizes_that_were_not_measured(tmp_path, sizes):
    run = measured(tmp_path / "run", sizes)
    for pair in (PAIR, PAIR[::-1]):
        spec = run.spec.model_copy(update={"pairs": (tuple(pair),)})
        rows = crossovers(dataclasses.replace(run, spec=spec))
        assert not {c.answer.outcome for c in rows} & {"always", "never"}
        lacks = f"{4 - sizes} of 4 sizes not reached"
        assert all(lacks in doubtful(c) for c in rows)
        assert incomplete(run, rows) == ["1 pair did not reach all sizes asked for"]


def test_a_size_that_failed_is_no_size_that_is_missing(tmp_path):
    """Out of memory at the largest size: neither never, nor unreached."""
    run = measured(tmp_path / "run")
    rows = list(run.measurements)
    largest = [m for m in rows if m.case["batch_size"] == 9000]
    first = next(m for m in largest if str(m.contender) == PAIR[1])
    kept = [m for m in rows if m not in largest or m.contender != first.contender]
    failed = dataclasses.replace(first, status="oom", samples_s=(), notes="no room")
    run = dataclasses.replace(run, measurements=(*kept, failed))
    spec = run.spec.model_copy(update={"pairs": (tuple(PAIR[::-1]),)})
    found = crossovers(dataclasses.replace(run, spec=spec))
    assert "failed: oom at 9,000" in found[0].flags
    assert doubtful(found[0]).startswith("Unfinished (oom at 9,000)")
    assert found[0].answer.outcome not in ("always", "never")
    assert unreached(found) == []
    assert incomplete(run, found) == ["1 cell ended without a time (oom)"]


def test_a_device_that_is_not_here_makes_nothing_incomplete(tmp_path):
    run = measured(tmp_path / "run")
    cuda = dataclasses.replace(run.measurements[0].contender, device="cuda")
    row = dataclasses.replace(
        run.measurements[0], contender=cuda, status="unavailable", samples_s=(),
        notes="cuda: none", cell_id="",
    )  # fmt: skip
    pairs = [PAIR, [PAIR[0], str(cuda)]]
    run = dataclasses.replace(
        run,
        measurements=(*run.measurements, row),
        spec=run.spec.model_copy(update={"pairs": tuple(map(tuple, pairs))}),
    )
    found = crossovers(run)
    assert found[3].answer.outcome == "not_measured"
    assert incomplete(run, found) == []


BUSY = "Not to be trusted: other programs kept the cores busy; "


@pytest.mark.parametrize(("load", "is_doubtful"), [(2.4, False), (4.5, True)])
def test_a_busy_machine_is_a_doubt_in_the_first_line_of_every_answer(
    tmp_path, load, is_doubtful
):
    """Two cores: our own workers make a load of up to two, four programs one of six."""
    run = measured(tmp_path / "run")
    rows = tuple(dataclasses.replace(m, load_1min=load) for m in run.measurements)
    machine = dataclasses.replace(run.machine, cores=2)
    run = dataclasses.replace(run, measurements=rows, machine=machine)
    found = crossovers(run)
    lines = [line for line in plain_lines(found) if line.startswith("  ")]
    assert lines
    assert all((BUSY in line) == is_doubtful for line in lines)


def test_doubts_stand_in_front_on_a_terminal_too(tmp_path):
    run = measured(tmp_path / "run", sizes=2)
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    show(crossovers(run), console)
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("Over batch size at 9,000 samples")
    assert lines[1].startswith(
        "  found, unfinished (2 of 4 sizes not reached: 300, 1,000), doubtful (no size "
    )
    assert max(map(len, lines)) <= 80
    assert all(line.startswith("    ") for line in lines[2:])


def test_every_flag_is_a_doubt_in_words_or_none_on_purpose():
    no_doubts = {"control", "setup_once", "energy_counters", "misfit"}
    no_doubts |= {"withheld"}  # busy_cores says why
    no_doubts |= {"timed_out"}  # every sentence says it where it is told of a size
    assert set(ADVICE) - set(DOUBTS) == no_doubts
    assert set(DOUBTS) <= set(ADVICE)
