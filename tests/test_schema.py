"""Every version of the stored format is read for ever; a newer one says what it needs.

tests/fixtures/schema holds a run directory of each. They are never changed.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from builders import make_round

from crossover.analysis.crossover import crossovers
from crossover.analysis.frame import read_run
from crossover.analysis.rounds import Recorded
from crossover.files.untrusted import InputError
from crossover.nouns import SCHEMA, Cell, Machine, Measurement, Run
from crossover.record import codec, run_folder
from crossover.workloads.spin import SPIN

FOLDERS = Path(__file__).parent / "fixtures" / "schema"
STORED = {
    "1-first": ("quick-20261124-181214", {"time_s"}),
    "1": ("reference-20261124-214449", {"time_s"}),
    "2": ("schema-2", {"time_s", "cost"}),
    "3": ("schema-3", {"time_s", "cost"}),
}
"""The run's name, and what its rounds answer."""


def version_of(folder):
    return json.loads((folder / run_folder.HEADER).read_text())["schema"]


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(FOLDERS / str(SCHEMA), tmp_path / "run")
    return tmp_path / "run"


def edit(folder, **fields):
    header = json.loads((folder / run_folder.HEADER).read_text())
    (folder / run_folder.HEADER).write_text(json.dumps({**header, **fields}))


def test_there_is_a_fixture_of_every_version():
    found = {version_of(folder) for folder in FOLDERS.iterdir()}
    assert found == set(range(codec.OLDEST, SCHEMA + 1))
    assert {folder.name for folder in FOLDERS.iterdir()} == set(STORED)


@pytest.mark.parametrize("name", STORED)
def test_every_version_is_read(name):
    run = run_folder.load(FOLDERS / name)
    run_id, metrics = STORED[name]
    assert (run.run_id, run.schema) == (run_id, SCHEMA)
    assert len(run.measurements) == 146
    train = [c for c in crossovers(run) if c.view == "train"]
    assert {c.metric for c in train} == metrics
    assert [c.answer.outcome for c in train if c.challenger == "cpu/resident@1"] == [
        "always"
    ]
    ok = [m for m in run.measurements if m.status == "ok"]
    assert all(m.samples_s and m.setup_s and m.cell_id for m in ok)


@pytest.mark.parametrize("name", STORED)
def test_what_is_read_is_written_as_todays_version(name, tmp_path):
    run = run_folder.load(FOLDERS / name)
    run_folder.put(tmp_path / "run", run)
    assert version_of(tmp_path / "run") == SCHEMA
    assert run_folder.load(tmp_path / "run") == run


def test_the_newest_fixture_holds_every_field():
    header = json.loads((FOLDERS / str(SCHEMA) / run_folder.HEADER).read_text())
    unstored = {"measurements", "lost", "machine_id"}
    fields = {f.name for f in dataclasses.fields(Run)} - unstored
    assert set(header) == fields | {"needs", "workload"}
    assert set(header["machine"]) <= {f.name for f in dataclasses.fields(Machine)}
    rows = (FOLDERS / str(SCHEMA) / run_folder.JOURNAL).read_text().splitlines()
    keys = {key for row in rows for key in json.loads(row)}
    assert keys == {f.name for f in dataclasses.fields(Measurement)}


def test_a_discarded_round_counts_for_nothing():
    run = run_folder.load(FOLDERS / "3")
    (odd,) = (m for m in run.measurements if m.discarded)
    rest = [m for m in run.measurements if m is not odd]
    recorded = Recorded(run.measurements)
    assert odd not in recorded.ok[Cell(odd.case, odd.contender)]
    assert sum(map(len, recorded.ok.values())) == sum(m.status == "ok" for m in rest)


def test_what_is_optional_is_a_column_where_it_is_said():
    said, old = read_run(FOLDERS / "3"), read_run(FOLDERS / "2")
    more = {"waited_s", "verified", "discarded", "items", "affinity", "machine_id"}
    assert {*said.measurements} - {*old.measurements} == more
    peaks = said.measurements["peak_bytes"].dropna()
    assert set(peaks) == {1 << 20}


@pytest.mark.parametrize(
    ("needs", "said"),
    [("0.9.1", "needs crossover 0.9.1, and this is "), (None, "a later version")],
)
def test_a_newer_version_is_refused_with_the_version_that_reads_it(copy, needs, said):
    edit(copy, schema=SCHEMA + 1, needs=needs, of_the_future=[1])
    with pytest.raises(InputError, match=said) as error:
        run_folder.load(copy)
    assert f"must have schema {SCHEMA}, which this version reads" in str(error.value)
    assert f"has {SCHEMA + 1}" in str(error.value)


@pytest.mark.parametrize("schema", [0, -1, True, 1.0, "2", None, [2], 10**400])
def test_what_is_no_version_is_refused(copy, schema):
    text = json.dumps(
        json.loads((copy / run_folder.HEADER).read_text()) | {"schema": 0}
    )
    written = "1" + "0" * 400 if schema == 10**400 else json.dumps(schema)
    (copy / run_folder.HEADER).write_text(
        text.replace('"schema": 0', f'"schema": {written}')
    )
    with pytest.raises(InputError, match=f"must have schema {SCHEMA}"):
        run_folder.load(copy)


def test_the_header_says_which_version_reads_it():
    header = json.loads(codec.header(run_folder.load(FOLDERS / "1")))
    assert (header["schema"], header["needs"]) == (SCHEMA, codec.NEEDS)


def test_a_line_of_another_workload_may_lack_its_work():
    case = SPIN.case()
    row = make_round(case, "cpu/spin_1_1@1", seconds=1.0, positions=(0,))
    fields = json.loads(codec.line(row))
    del fields["work"]
    assert codec.LineReader(SPIN)(json.dumps(fields)).work == {}
