"""A run goes on under the circumstances it began under, or its rounds are marked."""

import dataclasses
import shutil
import socket

import by_hand
import pytest
import virtual
from builders import make_machine, make_round, make_run

from crossover.analysis.crossover import crossovers
from crossover.analysis.rounds import Recorded, TrainSeconds, paired_log_ratios
from crossover.command import job, new_run
from crossover.command.ask import Ask
from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.measure.machine import usable_cores
from crossover.measure.pipe import Sample
from crossover.nouns import Circumstances
from crossover.record import copies, run_folder
from crossover.record.circumstances import changes, machine_id
from crossover.workloads.softmax import SOFTMAX

pytestmark = pytest.mark.usefixtures("undrawn")
POOL = {"internal_api": "openmp", "num_threads": 2, "version": None}
USUAL = {
    "versions": {"torch": "2.0", "numpy": "2"},
    "threads": {"torch": 2, "pools": [POOL]},
    "passed_on": {"LD_PRELOAD": "a.so"},
    "accelerators": (
        {"name": "cuda:0", "description": "T4", "memory_bytes": 1, "driver": "550.1"},
    ),
}
GPU = USUAL["accelerators"][0]
DIFFERENT = [
    ({"hostname": "other"}, "host: host → other"),
    ({"cpu": "B"}, "cpu: a CPU → B"),
    ({"cores": 1}, "cores: 2 → 1"),
    ({"quota_cores": 1.5}, "quota of cores: none → 1.5"),
    ({"versions": {"torch": "2.1", "numpy": "2"}}, "torch: 2.0 → 2.1"),
    ({"threads": {"torch": 1, "pools": [POOL]}}, "threads of torch: 2 → 1"),
    (
        {"threads": {"torch": 2, "pools": [POOL | {"version": "MKL 1"}]}},
        "pools of threads: openmp 2 → openmp 2 MKL 1",
    ),
    (
        {"accelerators": (GPU | {"driver": "551"},)},
        "accelerators: cuda:0 T4 550.1 → cuda:0 T4 551",
    ),
    ({"accelerators": ()}, "accelerators: cuda:0 T4 550.1 → none"),
    ({"passed_on": {}}, "LD_PRELOAD: a.so → unset"),
    ({"passed_on": {"LD_PRELOAD": ""}}, "LD_PRELOAD: a.so → empty"),
    ({"left_out": {"OMP_NUM_THREADS": "1"}}, "OMP_NUM_THREADS: unset → 1"),
    ({"fingerprint": "g"}, "machine: f → g"),
]


def there(commit="c0ffee", **changed):
    return Circumstances(make_machine(**USUAL | changed), commit)


@pytest.mark.parametrize(("changed", "said"), DIFFERENT, ids=[s for _, s in DIFFERENT])
def test_what_differs_is_named_with_what_it_was_and_is(changed, said):
    assert changes(there(), there(**changed)) == [said]
    assert changes(there(**changed), there(**changed)) == []
    hosts = changes(there(), there(**changed), hosts=False)
    assert hosts == ([] if "hostname" in changed else [said])


def test_another_commit_differs_and_an_unknown_one_is_not_compared():
    assert changes(there(), there(commit="c0")) == ["commit: c0ffee → c0"]
    assert changes(there(), there(commit=None)) == []
    assert changes(there(commit=None), there()) == []


def test_load_is_no_circumstance_and_what_an_older_run_lacks_is_not_compared():
    assert changes(there(), there(load_1min=9.0)) == []
    older = there(passed_on=None, versions={}, threads={}, cores=None)
    assert changes(older, there()) == []
    assert changes(there(), older) == []


def test_an_edited_checkout_is_another_commit_by_what_was_edited(monkeypatch):
    said = {"ls-files": "new_run.py", "describe": "c0ffee-dirty", "diff": "-a\n+b"}
    monkeypatch.setattr(new_run, "_git", lambda verb, *_: said[verb])
    first = new_run.commit()
    said["diff"] = "-a\n+c"
    assert first.startswith("c0ffee-dirty-")
    assert new_run.commit() not in (first, "c0ffee-dirty")
    said["describe"] = "c0ffee"
    assert new_run.commit() == "c0ffee"
    said["ls-files"] = None  # installed in a folder of another checkout
    assert new_run.commit() is None


FIELDS = {
    "contenders": ["cpu/resident@1", "cpu/resident@2"],
    "pairs": [["cpu/resident@1", "cpu/resident@2"]], "grid": True, "rounds": 8,
    "sweep": [{"axis": "batch_size", "values": [100, 9000], "samples": 9000}],
}  # fmt: skip


class Stop(Exception):  # noqa: N818
    """Ends a run like a kill: nothing is written after it."""


@pytest.fixture
def begun(tmp_path):
    """Return the folder of a run that was killed in its second round."""
    _, run = by_hand.new(**FIELDS)
    run = dataclasses.replace(run, machine=make_machine(**USUAL), commit="c0ffee")
    out = tmp_path / "run"
    run_folder.create(out, run)
    stopped(out, run, 6)
    return out


def stopped(out, run, samples):
    left = [None] * samples

    def before(request):
        if isinstance(request, Sample) and not left:
            raise Stop
        if isinstance(request, Sample):
            left.pop()

    with pytest.raises(Stop):
        by_hand.measure(run.spec, run, out, before)


@pytest.fixture
def resumed(monkeypatch):
    """Return what goes on with a run under changed circumstances."""

    def go_on(
        out, force=False, before=lambda request: None, others=virtual.Nobody, **changed
    ):
        now = there(**changed)
        monkeypatch.setattr(new_run, "snapshot", lambda devices: now.machine)
        monkeypatch.setattr(new_run, "commit", lambda: now.commit)
        clock, said = virtual.Clock(out), []
        code = job.do_run(
            Ask(), None, out, force=force, workers=by_hand.Clocked(clock, before),
            environment=clock.around(say=said.append, others=others),
        )  # fmt: skip
        return code, said

    return go_on


@pytest.mark.parametrize(
    ("changed", "said"),
    [*DIFFERENT, ({"commit": "c0"}, "commit: c0ffee → c0")],
    ids=[*(s for _, s in DIFFERENT), "commit"],
)
def test_a_run_does_not_go_on_under_other_circumstances(begun, resumed, changed, said):
    before = (begun / run_folder.JOURNAL).read_bytes()
    with pytest.raises(InputError) as refused:
        resumed(begun, **changed)
    assert f"run = {str(begun)!r}: {said}; must be as before" in str(refused.value)
    assert "--force goes on" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (begun / run_folder.JOURNAL).read_bytes() == before


def test_a_run_goes_on_as_before_and_its_rounds_say_nothing_of_it(begun, resumed):
    assert resumed(begun, load_1min=9.0) == (0, [])
    run = run_folder.load(begun)
    assert {m.machine_id for m in run.measurements} == {""}
    assert run.others == {}
    assert b"machine_id" not in (begun / run_folder.JOURNAL).read_bytes()


class Compiler(virtual.Nobody):
    """A program that takes all cores."""

    def shares(self):
        return [("cc1plus", float(usable_cores()))]


def test_who_else_is_at_work_is_said(begun, resumed):
    code, said = resumed(begun, others=Compiler)
    n = usable_cores()
    assert code == 0
    assert said == [
        f"other programs use {n}.0 of {n} cores (cc1plus {n}.0): stop them first, or "
        "no answer of this run can be trusted"
    ]


def test_forced_rounds_carry_the_id_of_their_machine_and_answers_say_so(
    begun, resumed, capsys
):
    code, said = resumed(begun, force=True, cores=1)
    name = machine_id(there(cores=1))
    assert code == 0
    assert said == [
        f"run = {str(begun)!r}: cores: 2 → 1: new rounds carry the machine's id {name}"
    ]
    run = run_folder.load(begun)
    assert {m.machine_id for m in run.measurements[:2]} == {""}
    assert {m.machine_id for m in run.measurements[2:]} == {name}
    assert run.others == {name: there(cores=1)}
    assert "measured under changed circumstances" in capsys.readouterr().out
    (answer,) = crossovers(run)[:1]
    assert "circumstances_changed" in answer.flags


def test_a_run_goes_back_to_a_machine_that_it_knows(begun, resumed):
    def stop(request):
        raise Stop

    with pytest.raises(Stop):
        resumed(begun, force=True, before=stop, cores=1)
    assert resumed(begun) == (0, [])
    assert {m.machine_id for m in run_folder.load(begun).measurements} == {""}


def test_a_run_of_an_older_version_goes_on_and_says_what_is_not_compared(
    begun, resumed
):
    run = run_folder.load(begun)
    old = dataclasses.replace(run.machine, passed_on=None)
    run_folder.put(begun, dataclasses.replace(run, machine=old))
    code, said = resumed(begun, passed_on={"LD_PRELOAD": "other"})
    assert code == 0
    assert said == [
        f"run = {str(begun)!r}: is of an older version, which recorded less: the "
        "environment is not compared"
    ]


def test_the_second_of_two_copies_does_not_go_on(begun, resumed, tmp_path):
    other = tmp_path / "copy"
    shutil.copytree(begun, other)
    assert resumed(begun)[0] == 0
    said = f"run = {str(other)!r}: is a copy of {str(begun)!r}, which has other rounds"
    with pytest.raises(InputError) as refused:
        resumed(other)
    assert str(refused.value).startswith(said)
    assert resumed(begun) == (0, [])  # it holds them all


def test_a_forced_copy_has_an_id_of_its_own_and_keeps_it(begun, resumed, tmp_path):
    other = tmp_path / "copy"
    shutil.copytree(begun, other)
    assert resumed(begun)[0] == 0

    def stop(request):
        if isinstance(request, Sample) and run_folder.load(other).measurements[2:]:
            raise Stop

    with pytest.raises(Stop):
        resumed(other, force=True, before=stop)
    assert resumed(other)[0] == 0
    ids = [m.machine_id for m in run_folder.load(other).measurements]
    assert ids[:2] == ["", ""]
    assert len(set(ids[2:])) == 1
    assert ids[2] not in ("", machine_id(there()))


def test_a_folder_that_was_moved_goes_on(begun, resumed, tmp_path):
    run = run_folder.load(begun)
    copies.note(begun, run)
    begun.rename(tmp_path / "moved")
    assert resumed(tmp_path / "moved") == (0, [])


def test_a_copy_that_is_measured_right_now_is_noticed(begun, resumed, tmp_path):
    other = tmp_path / "copy"
    shutil.copytree(begun, other)
    begins = []

    def meanwhile(request):
        if not begins:
            begins.append(request)
            with pytest.raises(InputError) as refused:
                resumed(other)
            begins.append(str(refused.value))

    assert resumed(begun, before=meanwhile)[0] == 0
    who = f"process {virtual.os.getpid()} on {socket.gethostname()}"
    assert begins[1] == (
        f"run = {str(other)!r}: {who}, in {str(begun)!r}, measures a copy of it; must "
        "be stopped first"
    )


def test_a_user_without_a_folder_for_it_measures_all_the_same(
    begun, resumed, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    assert resumed(begun) == (0, [])


CASE = SOFTMAX.case()
PAIR = (Contender.parse("cpu/resident@1"), Contender.parse("cpu/resident@2"))


@pytest.mark.parametrize("kind", [Recorded, TrainSeconds])
def test_rounds_of_different_machines_are_never_paired(kind):
    ids = [("", ""), ("a", "a"), ("a", ""), ("", "b"), ("a", "b"), ("b", "b")]
    rows = [
        make_round(CASE, who, number, 1.0 + number * at, machine_id=name)
        for number, names in enumerate(ids)
        for at, (who, name) in enumerate(zip(PAIR, names, strict=True))
    ]
    recorded = kind(()) if kind is TrainSeconds else kind(rows)
    for m in rows if kind is TrainSeconds else ():
        recorded.add(m)
    _, challenger_s = recorded.paired(CASE, PAIR, "train")
    assert [*challenger_s] == [1.0, 2.0, 6.0]
    assert len(paired_log_ratios(recorded, CASE, PAIR, "train")) == 3


def test_the_circumstances_of_rounds_are_read_back(tmp_path):
    rows = [make_round(CASE, "cpu/resident@1", 0, 1.0, machine_id="abc")]
    run = make_run(FIELDS | {"name": "x"}, rows, others={"abc": there(cores=1)})
    run_folder.put(tmp_path / "run", run)
    again = run_folder.load(tmp_path / "run")
    assert again.others == run.others
    assert again.measurements[0].machine_id == "abc"
