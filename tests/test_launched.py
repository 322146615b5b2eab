"""The folder of a launched run: its jobs, and how they are merged."""

import dataclasses
import json
import shutil
import tomllib

import pytest
from builders import make_machine, make_round, make_run

from crossover.files.untrusted import InputError
from crossover.record import codec, launched, run_folder
from crossover.record.launched import Launched, jobs_of
from crossover.record.line import parted, plain
from crossover.report.spec_text import spec_toml
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import SOFTMAX

SPEC = {
    "name": "cluster",
    "contenders": ["cpu/resident@1", "cpu/manual@1"],
    "pairs": [["cpu/resident@1", "cpu/manual@1"]],
    "rounds": 2,
    "grid": True,
    "control": False,
    "sweep": [
        {"axis": "samples", "values": [20, 40]},
        {"axis": "samples", "values": [20, 80], "features": 4},
        {"axis": "epochs", "values": [1, 2]},
    ],
}


def spec(**launch):
    return parse_spec({**SPEC, "launch": launch}, "test")


def test_a_job_has_whole_sweeps_and_every_node_type_has_them_all():
    nodes = {"small": {}, "big": {"gpus": 4}}
    jobs = jobs_of(spec(nodes=nodes))
    names = ["small-1", "small-2", "small-3", "big-1", "big-2", "big-3"]
    assert [job.name for job in jobs] == names
    whole = spec(nodes=nodes).sweep
    assert [job.spec.sweep for job in jobs[:3]] == [(sweep,) for sweep in whole]
    assert [job.node_type.gpus for job in jobs] == [0] * 3 + [4] * 3
    two = jobs_of(spec(nodes=nodes, sweeps_per_job=2))
    assert [job.spec.sweep for job in two[:2]] == [whole[:2], whole[2:]]
    assert {job.spec.launch for job in jobs} == {None}
    assert [job.name for job in jobs_of(parse_spec(SPEC, "test"))] == [
        "node-1", "node-2", "node-3"
    ]  # fmt: skip


def row(case, number, contender="cpu/resident@1"):
    return make_round(case, contender, number, 0.1)


def put_job(out, job, rows, **machine):
    run = make_run(job.spec, name=f"whole-{job.name}", machine=make_machine(**machine))
    rows = tuple(dataclasses.replace(m, run_id=run.run_id) for m in rows)
    run = dataclasses.replace(run, measurements=rows)
    run_folder.put(out / "jobs" / job.name, run)


@pytest.fixture
def folder(tmp_path):
    whole = Launched(
        launch="local", run_id="whole", command="crossover run", commit=None,
        spec=spec(nodes={"a": {}, "b": {}}),
    )  # fmt: skip
    launched.create(tmp_path / "out", whole)
    return tmp_path / "out"


def test_jobs_of_a_node_type_are_merged_and_their_rounds_never_pair(folder):
    first, second, *_ = jobs_of(launched.load(folder).spec)
    shared, alone = SOFTMAX.case(samples=20), SOFTMAX.case(samples=40)
    put_job(folder, first, [row(shared, 0), row(shared, 1), row(alone, 0)])
    put_job(folder, second, [row(shared, 0), row(shared, 1)], hostname="host2")
    assert launched.merge(folder) == [folder / "merged" / "a"]
    run = run_folder.load(folder / "merged" / "a")
    assert [(m.case, m.round) for m in run.measurements] == [
        (shared, 0), (shared, 1), (alone, 0), (shared, 2), (shared, 3)
    ]  # fmt: skip
    assert (run.run_id, run.command, run.machine.hostname) == (
        "whole-a", "crossover run", "host, host2"
    )  # fmt: skip
    asked = [list(sweep.values) for sweep in run.spec.sweep]
    assert asked == [[20, 40], [20, 80]]
    assert launched.merge(folder) == [folder / "merged" / "a"]  # as often as asked
    assert run_folder.load(folder / "merged" / "a") == run


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fingerprint": "g"}, "machine: f → g"),
        ({"cores": 1}, "cores: 2 → 1"),
        ({"versions": {"torch": "2.1"}}, "torch: 2.0 → 2.1"),
        ({"passed_on": {"LD_PRELOAD": "x"}}, "LD_PRELOAD: unset → x"),
    ],
    ids=str,
)
def test_different_circumstances_of_a_node_type_are_kept_apart(folder, changed, said):
    first, second, third, *_ = jobs_of(launched.load(folder).spec)
    usual = {"versions": {"torch": "2.0"}, "passed_on": {}}
    put_job(folder, first, [row(SOFTMAX.case(samples=20), 0)], **usual)
    put_job(folder, second, [row(SOFTMAX.case(samples=20), 0)], **usual | changed)
    put_job(folder, third, [row(SOFTMAX.case(epochs=1), 0)], **usual)
    lines = []
    names = [path.name for path in launched.merge(folder, lines.append)]
    assert names == ["a", "a+2"]
    assert lines == [f"job a-2: kept apart from a-1: {said}"]
    headers = [run_folder.load_header(folder / "jobs" / f"a-{n}") for n in (1, 2)]
    with pytest.raises(InputError, match=f"{said}; must be from one machine"):
        launched.one_run(launched.load(folder), "a", headers)


def test_a_job_that_is_a_copy_of_another_is_refused(folder):
    first, second, *_ = jobs_of(launched.load(folder).spec)
    put_job(folder, first, [row(SOFTMAX.case(samples=20), 0)])
    jobs = folder / "jobs"
    shutil.copytree(jobs / first.name, jobs / second.name)
    with pytest.raises(InputError, match=r"jobs/a-2': is a copy of '.*jobs/a-1'"):
        launched.merge(folder)


def test_a_garbled_job_is_named_and_a_link_is_not_followed(folder, tmp_path):
    first, *_ = jobs_of(launched.load(folder).spec)
    put_job(folder, first, [row(SOFTMAX.case(samples=20), 0)])
    journal = folder / "jobs" / "a-1" / "measurements.jsonl"
    journal.write_text(journal.read_text() + "{}\n" * 2)
    with pytest.raises(InputError, match=r"jobs/a-1.*line 2 of measurements.jsonl"):
        launched.merge(folder)
    journal.write_text(journal.read_text().partition("\n")[0] + "\n")
    shutil.rmtree(folder / "merged")
    (tmp_path / "elsewhere").mkdir()
    (folder / "merged").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is a link"):
        launched.merge(folder)
    assert not list((tmp_path / "elsewhere").iterdir())
    (folder / "launch.json").write_text('{"launch": 1}')
    with pytest.raises(InputError, match=r"launch.json: launch = 1"):
        launched.load(folder)


def test_a_plain_line_is_read_as_any_other():
    m = row(SOFTMAX.case(), 3)
    text = codec.line(m)[:-1]
    assert parted(text, plain(SOFTMAX))
    spaced = text.replace('"round": 3', '"round":  3').replace(": null", ":null")
    assert not parted(spaced, plain(SOFTMAX))
    assert codec.LineReader(SOFTMAX)(text) == codec.LineReader(SOFTMAX)(spaced)
    for twice in (
        text.replace('"round": 3', '"round": 3, "round": 4'),
        text.replace('"round": 3', '"round": 3 , "round": 4'),
        text.replace('"samples": 1500', '"samples": 1500, "samples": 1500'),
    ):
        assert not parted(twice, plain(SOFTMAX))
        with pytest.raises(ValueError, match="more than once"):
            codec.LineReader(SOFTMAX)(twice)


def test_what_is_launched_is_plain_json(folder):
    fields = json.loads((folder / "launch.json").read_text())
    assert [*fields] == ["launch", "run_id", "command", "commit", "spec"]
    assert fields["spec"]["launch"]["nodes"]["a"]["limit_minutes"] == 60


def test_the_table_comes_back_from_the_toml_of_a_report():
    asked = spec(nodes={"a": {"gpus": 2, "extra": {"qos": "low", "hold": True}}})
    text = spec_toml(asked)
    assert parse_spec(tomllib.loads(text), "test") == asked
