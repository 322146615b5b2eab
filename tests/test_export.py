"""Files to ship: what they pick, what they warn of, and what is refused as one."""

import copy
import importlib
import json
import runpy
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from test_choose import LAWS, SIZES, along, choice, shown
from test_door import crossing_run

from crossover import InputError, analyse, load_export, read
from crossover.choose import export as exports
from crossover.choose.export import exported
from crossover.choose.of_run import data_of_run, run_doubts
from crossover.choose.shipped import elsewhere
from crossover.choose.shipped.choice import Choice
from crossover.choose.zones import answer_zones
from crossover.door.result import Result
from crossover.findings import Answer, SizeZone
from crossover.record import run_folder

HERE = {
    "cpu": "a CPU",
    "cores": 2,
    "driver": "none",
    "torch": "2.0",
    "accelerators": [],
}
MACHINE = {"fingerprint": "f", **HERE, "driver": None}
AGAIN = "crossover run job.py n=64..1024"


@pytest.fixture(autouse=True)
def this_machine(monkeypatch):
    """Let this machine be the one that was measured."""
    monkeypatch.setattr(elsewhere, "facts_here", lambda: HERE)


@pytest.fixture
def data():
    found = choice(along(noise=0.01), verdicts=shown(), machine=MACHINE, again=AGAIN)
    return found.data


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return the folder of a run in which two threads are ahead above a batch size."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    run_folder.put(folder, crossing_run())
    return folder


def loaded(data, folder):
    path = folder / "x.json"
    path.write_text(json.dumps(data))
    return load_export(path)


def test_what_is_read_back_picks_the_same(data, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(exported(data, "json"))
    assert json.loads(path.read_text()) == data
    found = load_export(path)
    for n in (64, 100, 700):
        assert found.pick(n=n) == choice(
            along(noise=0.01), verdicts=shown(), machine=MACHINE
        ).pick({"n": n})
    with pytest.raises(InputError, match="n = 9000: outside of what was measured"):
        found.pick(n=9000)
    assert found.pick(n=9000, extrapolate=True).known == "extrapolated"


def test_the_python_file_needs_nothing_and_picks_the_same(data, tmp_path):
    """In a process without any package but the standard library's."""
    text = exported(data, "python")
    (tmp_path / "shipped.py").write_text(text)
    assert len(text) < 40_000
    code = (
        "import sys, warnings; sys.path.insert(0, sys.argv[1])\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always'); import shipped\n"
        "print(shipped.pick(n=700)); print(len(said), said[0].message)\n"
        "print(shipped.THRESHOLDS)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, tmp_path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *picked, warned, thresholds = done.stdout.splitlines()
    same = choice(along(noise=0.01), verdicts=shown(), machine=MACHINE)
    assert "\n".join(picked) == str(same.pick({"n": 700}))
    assert warned.startswith("1 measured elsewhere: cpu: a CPU -> ")
    assert "torch: 2.0 -> none" in warned
    assert warned.endswith(f"Measure again here: {AGAIN}")
    assert thresholds == "[]"


@pytest.mark.parametrize(
    ("fact", "now", "said"),
    [
        ("cpu", "another CPU", "cpu: a CPU -> another CPU"),
        ("cores", 64, "cores: 2 -> 64"),
        ("torch", "2.1", "torch: 2.0 -> 2.1"),
        ("torch", "none", "torch: 2.0 -> none"),
        ("driver", "560.1", "driver: 550.0 -> 560.1"),
        ("driver", "none", "driver: 550.0 -> none"),
        ("accelerators", ["B"], "accelerator: A -> B"),
        ("accelerators", [], "accelerator: A -> none"),
    ],
)
def test_another_machine_is_warned_of_by_what_differs(
    data, tmp_path, monkeypatch, fact, now, said
):
    there = HERE | {"driver": "550.0", "accelerators": ["A"]}
    data["machine"] = there
    monkeypatch.setattr(elsewhere, "facts_here", lambda: there | {fact: now})
    with pytest.warns(UserWarning, match="measured elsewhere") as caught:
        assert loaded(data, tmp_path).pick(n=700).contender == "gpu"
    assert str(caught[0].message) == (
        f"measured elsewhere: {said}. Measure again here: {AGAIN}"
    )


def test_the_same_machine_and_what_nobody_knows_are_not_warned_of(data, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded(data, tmp_path)
        loaded(data | {"machine": {"accelerators": []}}, tmp_path)
        there = {**MACHINE, "driver": "550.0", "accelerators": ["A"]}
        unknown = {**HERE, "driver": "550.0", "accelerators": None}
        assert elsewhere.differences(there, unknown) == []


def test_what_is_known_of_this_machine(tmp_path):
    nvidia = tmp_path / "nvidia"
    (nvidia / "gpus/0000:01:00.0").mkdir(parents=True)
    (nvidia / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5\n"
    )
    (nvidia / "gpus/0000:01:00.0/information").write_text(
        "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t 18\n"
    )
    fresh = importlib.reload(elsewhere)
    found = fresh.facts_here(nvidia)
    assert found["driver"] == "550.54.15"
    assert found["accelerators"] == ["NVIDIA H100 80GB HBM3"]
    assert found["cores"] >= 1
    assert found["cpu"]
    assert found["torch"].startswith("2.")
    nothing = fresh.facts_here(tmp_path / "nowhere")
    assert (nothing["driver"], nothing["accelerators"]) == ("none", [])


def test_a_run_is_exported_with_its_zones_and_where_it_was_measured(tmp_path):
    found = Result(crossing_run())
    path = found.export(tmp_path / "x.json")
    kept = json.loads(path.read_text())
    assert (kept["schema"], kept["run"], kept["margin"]) == (1, "r", 0.05)
    assert kept["machine"]["cpu"] == "a CPU"
    assert kept["machine"]["fingerprint"] == "f"
    (zone,) = kept["zones"]
    (c,) = [c for c in found.crossovers if c.view == "train"]
    assert zone["outcome"] == "found"
    assert zone["ahead_from"] == {
        "at": c.answer.at, "low": c.answer.low, "high": c.answer.high,
    }  # fmt: skip
    assert zone["behind_until"]["at"] == c.answer.behind_until
    assert zone["worst_regret"] == c.answer.worst_regret
    assert zone["at"]["samples"] == 512
    assert zone["reason"] == ""
    again = load_export(path)
    case = {"batch_size": 300}
    assert again.pick(**case) == found.pick(**case)
    assert again.thresholds == kept["zones"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer("inconclusive", low=3.0, high=9.0, flags=("unstable",)),
         "no answer yet: rounds spread by more than 10 %"),
        (Answer("inconclusive"), "no answer yet: the noise hides who is ahead"),
        (Answer("always", zones=(SizeZone(8, "ahead"),)),
         "ahead at the smallest size measured, 8, already"),
        (Answer("never", zones=(SizeZone(8, "behind"),)),
         "not ahead at the largest size measured, 8"),
        (Answer("not_monotone", at=5.0), "the lead changes more than once, or is lost"),
        (Answer("not_measured", flags=("no device",)), "no device"),
    ],
)  # fmt: skip
def test_a_threshold_that_is_not_known_is_none_with_the_reason(answer, reason):
    told = answer_zones(answer)
    assert told["ahead_from"] is None
    assert told["reason"] == reason


def broken(data, change):
    other = copy.deepcopy(data)
    change(other)
    return other


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("schema"), "must be what `crossover export --to json` wrote"),
        (lambda d: d.update(schema=2), "schema = 2: must be 1"),
        (lambda d: d.pop("axes"), "axes: missing"),
        (lambda d: d.update(groups=[]), "groups"),
        (
            lambda d: d["groups"][0]["times"]["cpu"][0].__setitem__(1, -1),
            "greater than",
        ),
        (lambda d: d["groups"][0]["times"]["cpu"][0].__setitem__(0, 99), "places"),
        (lambda d: d["groups"][0]["points"].__setitem__(0, [1, 2]), "axes"),
        (lambda d: d["groups"][0]["points"].__setitem__(0, [0]), "above 0"),
        (lambda d: d["groups"][0]["points"].__setitem__(0, [900]), "must increase"),
        (lambda d: d["groups"][0]["parts"][0].update(free=[7]), "places of axes"),
        (lambda d: d["groups"][0]["parts"][0].update(of=["x"]), "slopes"),
        (
            lambda d: d["groups"][0]["parts"][0]["slopes"].update(cpu=[1.0]),
            "each point",
        ),
        (lambda d: d["machine"].update(accelerators=3), "accelerators"),
    ],
)
def test_what_is_no_export_is_refused_in_a_line(data, tmp_path, change, said):
    with pytest.raises(InputError, match=r"^export = '.*x.json': ") as caught:
        loaded(broken(data, change), tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_or_no_json_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"export = 'nowhere.json'"):
        load_export("nowhere.json")
    (tmp_path / "x.json").write_text("[1")
    with pytest.raises(InputError, match="must be JSON"):
        load_export(tmp_path / "x.json")
    with pytest.raises(InputError, match=r"path = 'x\.txt': must end in \.json or"):
        Result(crossing_run()).export("x.txt")


def test_names_of_strangers_are_data_in_the_python_file(tmp_path):
    evil = '"""\nraise SystemExit\n"""\'\\'
    rows = along({evil: LAWS["cpu"], "b": LAWS["gpu"]})
    text = exported(choice(rows, machine=MACHINE, again=evil).data, "python")
    (tmp_path / "x.py").write_text(text)
    with pytest.warns(UserWarning, match="measured elsewhere"):
        names = runpy.run_path(str(tmp_path / "x.py"))
    assert names["pick"](n=64).contender == evil


def test_a_table_is_picked_from_and_exported(tmp_path):
    table = pd.DataFrame(
        {"n": n, "who": who, "kind": kind, "ms": 1e3 * law(n) * (1 + i / 1000)}
        for kind in "xy" for n in SIZES for i in range(6) for who, law in LAWS.items()
    )  # fmt: skip
    found = analyse(table, axis="n", contender="who", time="ms", by="kind")
    picked = found.pick(n=512, kind="x")
    assert (picked.contender, picked.known) == ("gpu", "measured")
    assert picked.seconds == pytest.approx(2e-4, rel=0.01)
    assert str(picked).splitlines()[0] == (
        "Doubtful (contenders did not take turns): gpu, 201 µs (200 µs to 201 µs)"
    )
    kept = load_export(found.export(tmp_path / "x.json"))
    assert kept.pick(n=300, kind="y") == found.pick(n=300, kind="y")
    assert [zone["at"] for zone in kept.thresholds] == [{"kind": "x"}, {"kind": "y"}]
    with pytest.raises(InputError, match="kind: missing; was measured at x, y"):
        found.pick(n=300)


def test_a_table_without_a_unit_has_numbers_without_one():
    table = pd.DataFrame(
        {"n": n, "who": who, "took": 7 * law(n) * (1 + i / 1000)}
        for n in SIZES for i in range(6) for who, law in LAWS.items()
    )  # fmt: skip
    picked = analyse(table, axis="n", contender="who", time="took").pick(n=512)
    assert not picked.has_unit
    assert "gpu, 0.0014 (0.0014 to 0.00141)" in str(picked)


def test_every_module_of_a_python_file_is_shipped():
    folder = Path(exports.__file__).with_name("shipped")
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert names == {*exports.SHIPPED}


def test_a_measured_case_is_picked_as_the_tables_have_it():
    reference = Path(__file__).parent.parent / "results/reference"
    found = Choice(data_of_run(run_folder.load(reference), found=[]))
    case = {"samples": 4096, "features": 784, "classes": 10, "epochs": 1}
    picked = found.pick(case | {"batch_size": 4096})
    table = pd.read_csv(reference / "estimates.csv")
    row = table[
        (table["view"] == "train") & (table["contender"] == "cpu/resident@2")
        & (table[[*case]] == pd.Series(case)).all(axis=1) & (table.batch_size == 4096)
    ].iloc[0]  # fmt: skip
    assert picked.contender == row.contender
    assert picked.seconds == pytest.approx(row.median_s)
    assert (picked.low, picked.high) == pytest.approx((row.low_s, row.high_s))
    between = found.pick(case | {"samples": 2048, "batch_size": 100})
    assert between.why.count("(samples=") == 3
    with pytest.raises(ValueError, match="samples = 999: was measured at 4096 only"):
        found.pick(case | {"samples": 999, "features": 1000, "classes": 100,
                           "batch_size": 64})  # fmt: skip


def test_a_pick_is_printed(crossover, kept):
    code, said, errors = crossover("pick", kept, "batch_size=300")
    assert (code, errors) == (0, "")
    assert said == f"{read(kept).pick(batch_size=300)}\n"
    first, *others = said.splitlines()
    assert first.startswith("cpu/resident@2, 21.4 ms (20.")
    assert others[0].startswith("  next: cpu/resident@1, 2.09x as long (1.9")
    assert others[1:] == [
        "  known: inside a zone: ahead at batch_size=256 and batch_size=512",
        "  case: samples=512, features=2, classes=3, batch_size=300, epochs=1",
    ]
    code, said, errors = crossover("pick", kept, "batch_size=8192")
    assert (code, said) == (2, "")
    assert errors == (
        "crossover: batch_size = 8192: outside of what was measured, 8 to 512 with "
        "these other sizes; --extrapolate (extrapolate=True) goes beyond\n"
    )
    code, said, _ = crossover("pick", kept, "batch_size=8192", "--extrapolate")
    assert (code, said[:13]) == (0, "Extrapolated ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pick", "nowhere", "n=3"), "run = 'nowhere': holds no run.json"),
        (("pick", "RUN", "other"), "'other': must be NAME=SIZE"),
        (("pick", "RUN", "batch_size=x"), "batch_size = 'x': must be a number"),
        (("pick", "RUN", "n=3"), "n: unknown; must be one of samples, features"),
        (("pick", "RUN"), "batch_size: missing; was measured at 8, 32, 48"),
        (
            ("pick", "RUN", "--view", "all"),
            "view = 'all': must be one of train, with_t",
        ),
        (("export", "RUN", "--to", "yaml"), "to = 'yaml': must be one of json, python"),
        (
            ("export", "RUN", "--view", "from_scratch"),
            "nothing was measured, view from",
        ),
        (("export", "RUN", "--out", "no/x.py"), "out = 'no/x.py': No such file"),
    ],
)
def test_what_is_refused_is_one_line(crossover, kept, arguments, said):
    given = [str(kept) if one == "RUN" else one for one in arguments]
    code, out, errors = crossover(*given)
    assert (code, out) == (2, "")
    assert said in errors
    assert errors.count("\n") == 1


def test_an_export_is_printed_or_written(crossover, kept):
    code, printed, _ = crossover("export", kept)
    assert (code, json.loads(printed)["view"]) == (0, "train")
    assert crossover("export", kept, "--to", "python", "--out", "x.py")[:2] == (
        0, "Wrote x.py\n",
    )  # fmt: skip
    with pytest.warns(UserWarning, match="measured elsewhere: cpu: a CPU -> "):
        names = runpy.run_path("x.py")
    assert names["pick"](batch_size=512).contender == "cpu/resident@2"
    assert names["THRESHOLDS"] == json.loads(printed)["zones"]


def test_a_run_that_proved_itself_wrong_says_so_first():
    run = crossing_run()
    found = Result(run).crossovers
    assert run_doubts(run, found) == []
    fired = [replace(c, is_control=True) for c in found]
    assert run_doubts(run, fired) == ["a contender seemed to differ from itself"]
    partial = Result(run, partial=True).pick(batch_size=512)
    assert str(partial).startswith("Doubtful (interrupted: only a part was measured): ")
