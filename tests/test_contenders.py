"""Ranks in a contender's text: read, printed, bounded, compared and paid for."""

import dataclasses
import json
from pathlib import Path

import pytest
from builders import FakeWorker, carried_out, make_machine, opened

from crossover.command.ask import Ask
from crossover.contender import BEST, Contender
from crossover.files.untrusted import InputError
from crossover.nouns import SCHEMA, Cell
from crossover.record import codec, run_folder
from crossover.report.words.names import people
from crossover.sources.sweeps_of_cells import pairs
from crossover.spec.contenders import missing_cores
from crossover.spec.load import load_preset
from crossover.spec.resolve import resolve
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import SOFTMAX

TWO = Contender("cpu", "data_parallel", 1, ranks=2)
SPEC = {
    "control": False,
    "grid": True,
    "rounds": 2,
    "contenders": ["cpu/resident@1"],
    "pairs": [["cpu/resident@1", "cpu/data_parallel@2x1"]],
    "sweep": [{"axis": "batch_size", "values": [8], "samples": 64}],
}


def named(text):
    return Contender.parse(text)


@pytest.mark.parametrize(
    ("text", "contender", "printed"),
    [
        ("cpu/data_parallel@2x1", TWO, "cpu/data_parallel@2x1"),
        ("cpu/data_parallel@1x2", named("cpu/data_parallel@2"), "cpu/data_parallel@2"),
        ("cuda/data_parallel@4x3#1",
         Contender("cuda", "data_parallel", 3, 1, 4), "cuda/data_parallel@4x3#1"),
    ],
)  # fmt: skip
def test_text_and_contender(text, contender, printed):
    assert Contender.parse(text) == contender
    assert str(contender) == printed
    assert named(printed) == contender


@pytest.mark.parametrize("text", ["cpu@2x", "cpu@x1", "cpu@2x1x1", "cpu@1234567x1"])
def test_what_is_no_text(text):
    with pytest.raises(ValueError, match=r"must be DEVICE\[/TRAINER\]\[@\[RANKSx\]TH"):
        Contender.parse(text)


@pytest.mark.parametrize(
    ("name", "measured", "covers"),
    [
        ("cpu/best", "cpu/data_parallel@2x1", True),
        ("cpu/best@1", "cpu/data_parallel@2x1", False),
        ("cpu/data_parallel@1", "cpu/data_parallel@2x1", False),
        ("cpu/data_parallel@2x1", "cpu/data_parallel@1", False),
        ("cpu/data_parallel@2x1", "cpu/data_parallel@2x1", True),
        ("cuda/best", "cuda/data_parallel@2x1", False),
        ("cuda/best", "cuda/data_parallel@1", True),
    ],
)
def test_a_name_for_one_device_or_thread_is_not_one_for_several(name, measured, covers):
    assert named(name).covers(named(measured)) is covers


def test_a_price_is_that_of_all_devices():
    spec = parse_spec({**SPEC, "prices": {"cpu": 1.0, "cuda": 4.0}}, "test")
    assert spec.price_of(TWO) == 1.0
    assert spec.price_of(named("cuda/data_parallel@1")) == 4.0
    assert spec.price_of(named("cuda/data_parallel@2x1")) == 8.0


def test_cores_that_are_missing():
    assert missing_cores(TWO, 2) is missing_cores(TWO, None) is None
    said = "cpu/data_parallel@2x1: 2 ranks of 1 thread, but 1 usable core(s)"
    assert missing_cores(TWO, 1) == said
    assert "3 threads, but 2" in missing_cores(named("cpu@3"), 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cpu/resident@2x1", "ranks = 2 .* must be 1, only trainer data_parallel"),
        (f"cpu/{BEST}@2x1", "trainer = 'best'"),
        ("cpu/data_parallel@0x1", "ranks = 0 .* must be >= 1"),
        ("cpu/data_parallel@2x0", "threads = 0 .* must be >= 1"),
        ("cpu/data_parallel@3x1", "ranks x threads = 3 x 1 .* must be at most 2, the"),
        ("cpu/data_parallel@2x2", "ranks x threads = 2 x 2 .* must be at most 2, the"),
    ],
)
def test_ranks_that_cannot_be_meant_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        Ask(contenders=("cpu/resident@1", text)).spec(2)


def test_as_many_as_there_are_cores_are_not():
    spec = resolve(Ask(contenders=("cpu/resident@1", str(TWO))).spec(2), (), 2)
    assert spec.pairs == (("cpu/resident@1", "cpu/data_parallel@2x1"),)


class Ready(FakeWorker):
    """A worker that opens whatever it is asked to."""

    def opened(self, request):
        assert request.ranks == 1
        return opened()


@pytest.mark.parametrize("spec", [parse_spec(SPEC, "test"), load_preset("full")])
def test_a_file_may_name_more_ranks_than_there_are_cores(spec, tmp_path):
    machine = make_machine(cores=1, unavailable={"cuda": "no"})
    spec = resolve(spec, (), 1).model_copy(update={"rounds": 2, "grid": True})
    done = carried_out(spec, tmp_path / "run", Ready, machine=machine)
    mine = [m for m in done.measurements if m.contender == TWO]
    assert mine
    assert {m.status for m in mine} == {"unavailable"}
    assert {m.notes for m in mine} == {missing_cores(TWO, 1)}
    assert run_folder.load(tmp_path / "run") == done


def test_rows_without_ranks_are_of_one_and_those_with_are_read_back(tmp_path):
    folder = Path(__file__).parent / "fixtures" / "schema" / str(SCHEMA)
    rows = run_folder.load(folder).measurements
    assert {m.contender.ranks for m in rows} == {1}
    of_two = dataclasses.replace(
        rows[0], contender=TWO, cell_id=Cell(rows[0].case, TWO).id
    )
    assert codec.LineReader(SOFTMAX)(codec.line(of_two)) == of_two
    fields = json.loads(codec.line(of_two))
    fields["contender"]["threads"] = None  # has no text
    with pytest.raises(InputError, match="contender = "):
        codec.LineReader(SOFTMAX)(json.dumps(fields))


@pytest.mark.parametrize(
    ("baseline", "challenger", "names"),
    [
        ("cpu/data_parallel@1", "cpu/data_parallel@2x1", ("one rank", "two ranks")),
        ("cpu/resident@1", "cpu/data_parallel@2x1",
         ("the resident code with one thread",
          "the data_parallel code with two ranks of one thread")),
        ("cpu/resident@2", "cpu/data_parallel@2x2",
         ("the resident code with two threads",
          "the data_parallel code with two ranks of two threads")),
    ],
)  # fmt: skip
def test_names_that_people_use(baseline, challenger, names):
    assert tuple(n.text for n in people(baseline, challenger)) == names


def test_ranks_are_compared_with_as_many_threads():
    found = pairs(map(named, ["cpu/data_parallel@2x1", "cpu@1", "cpu@2"]))
    assert found == (
        ("cpu/resident@1", "cpu/resident@2"),
        ("cpu/resident@2", "cpu/data_parallel@2x1"),
    )


def test_a_case_and_its_ranks_are_a_name():
    assert (
        Cell(SOFTMAX.case(epochs=3), TWO).id
        == "n1500-d2-c3-b10-e3:cpu/data_parallel@2x1"
    )
