"""Files of asv and pytest-benchmark, and specs, from strangers: one line or a run."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from crossover.cli import main
from crossover.files.untrusted import InputError, file_name, one_line, printable, shown
from crossover.sources import json_file
from crossover.sources.as_run import MOST_CELLS, MOST_ROUNDS
from crossover.sources.asv import read_asv
from crossover.sources.find_runs import run_named
from crossover.sources.pytest_benchmark import read_pytest_benchmark
from crossover.spec.load import load_spec

FIXTURES = Path(__file__).parent / "fixtures"
SAVED = FIXTURES / "pytest_benchmark" / "5.3.1.json"
ASV = FIXTURES / "asv" / "0.6.6"

TEXTS = {
    "brackets": ("[" * 10**7, "too many values"),
    "nested": ("[" * 10**5, "nested too deep"),
    "objects": ('{"a":' * 10**5, "nested too deep"),
    "values": ('{"benchmarks": [' + "1," * 3 * 10**6 + "1]}", "too many values"),
    "digits": ('{"benchmarks": ' + "9" * 5000 + "}", "too many digits"),
    "twice": ('{"version": 1, "version": 1}', "key 'version' is there more than once"),
    "list": ("[]", "must be a JSON object"),
    "nul": ('{"a": "\x00"}', "must be JSON"),
    "latin": ('{"a": "é"}'.encode("latin-1"), "must be text in UTF-8"),
    "wide": ('{"a": "é"}'.encode("utf-16"), "must be text in UTF-8"),
    "empty": ("", "must be JSON"),
}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "saved.json"

    def write(data):
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def spoilt(change):
    fields = json.loads(SAVED.read_text())
    change(fields)
    return json.dumps(fields)


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_json_object_is_one_line(saved, tmp_path, name):
    data, said = TEXTS[name]
    for read in (read_pytest_benchmark, read_asv, run_named):
        with pytest.raises(InputError) as error:
            read(saved(data) if read is read_pytest_benchmark else str(saved(data)))
        assert said in str(error.value)
        assert one_line(str(error.value)).isprintable()


def test_two_gigabytes_are_refused_by_their_size(saved):
    os.truncate(saved("{}"), 2**31)  # sparse: it takes no room
    with pytest.raises(InputError, match="too large; must be at most 64 MiB"):
        read_pytest_benchmark(saved.__closure__[0].cell_contents)


def test_millions_of_wrong_items_are_one_error(saved):
    path = saved('{"benchmarks": [' + "1," * 500_000 + "1]}")
    with pytest.raises(InputError, match=r"benchmarks\.0 = 1: must be"):
        read_pytest_benchmark(path)
    path = saved(spoilt(lambda f: f["machine_info"].update(versions={"a": 1})))
    with pytest.raises(InputError, match=r"versions.*'a' = 1: must be a text"):
        read_pytest_benchmark(path)


def moved(fields):
    found = fields["benchmarks"]
    return next(b for b in found if b["extra_info"].get("view") == "transfer")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda f: f["benchmarks"][0]["extra_info"].update(cell_id="n" + "9" * 5000),
            "case =",
        ),
        (lambda f: f["benchmarks"][0]["extra_info"].update(calls=10**400), "calls"),
        (lambda f: f["benchmarks"][0]["extra_info"].update(threads=10**30), "threads"),
        (lambda f: moved(f)["extra_info"].update(calls=10**400), "calls"),
        (lambda f: f["benchmarks"][0]["stats"].update(data=[1e-320]), "stats"),
        (lambda f: f["benchmarks"][0]["stats"].update(data=[float("inf")]), "data.0"),
        (lambda f: f.update(benchmarks={}), "benchmarks"),
    ],
)
def test_a_number_out_of_all_bounds_is_named(saved, change, said):
    with pytest.raises(InputError) as error:
        read_pytest_benchmark(saved(spoilt(change)))
    assert said in str(error.value)


def test_a_byte_order_mark_is_no_part_of_a_file(saved):
    run = read_pytest_benchmark(saved(SAVED.read_bytes()))
    assert read_pytest_benchmark(saved(b"\xef\xbb\xbf" + SAVED.read_bytes())) == run


def test_texts_and_names_of_strangers(saved, tmp_path):
    def change(fields):
        fields["machine_info"].update(node="../\x1b[2J\ud800", cpu_name="\u202ex")
        fields["datetime"] = "0001-01-01T00:00:00+14:00"

    path = saved(spoilt(change))
    run = read_pytest_benchmark(path.rename(tmp_path / "...json"))
    assert run.machine.cpu == "\\u202ex"
    assert run.machine.hostname == "../\\x1b[2J\\ud800"
    assert run.run_id.isascii()
    assert not run.run_id.startswith(".")
    assert {"/", "\\"}.isdisjoint(run.run_id)
    assert run.measurements[0].started_utc == ""


def test_more_samples_than_can_be_analysed_are_thinned_evenly(saved):
    def change(fields):
        cells = [
            b for b in fields["benchmarks"] if b["fullname"].endswith("@1-train]")
        ][:2]
        fields["benchmarks"] = cells
        for benchmark in cells:
            benchmark["stats"]["data"] = [1e-3 + i * 1e-9 for i in range(5000)]

    run = read_pytest_benchmark(saved(spoilt(change)))
    first = [m for m in run.measurements if m.cell_id == run.measurements[0].cell_id]
    assert len(first) == MOST_ROUNDS == run.spec.rounds
    assert first[-1].samples_s[0] == pytest.approx(1e-3 + 4995e-9)
    assert first[0].notes == "1,000 of 5,000 samples, evenly"


def test_asv_parameters_are_not_multiplied_without_bound(tmp_path):
    shutil.copytree(ASV, tmp_path / "results")
    file = next((tmp_path / "results" / "testbox").glob("d389*.json"))
    fields = json.loads(file.read_text())
    column = fields["result_columns"].index("params")
    many = [[f"'n{i + 100}-d2-c3-b10-e1'" for i in range(5000)], ["'cpu'"] * 5000]
    fields["results"]["softmax.Train.time_train"][column] = many
    fields["results"]["softmax.Train.time_train"][0] = None
    file.write_text(json.dumps(fields))
    with pytest.raises(InputError, match=f"combinations.*at most {MOST_CELLS:,}"):
        read_asv(str(tmp_path / "results"))


def test_a_pipe_in_asvs_folder_is_not_waited_for(tmp_path):
    shutil.copytree(ASV, tmp_path / "results")
    os.mkfifo(tmp_path / "results" / "testbox" / "abcdef12-pipe.json")
    with pytest.raises(InputError, match="is no file; must be one"):
        read_asv(str(tmp_path / "results"))


REST = """
contenders = ["cpu/lesson", "cpu/resident"]
pairs = [["cpu/lesson", "cpu/resident"]]
[[sweep]]
axis = "samples"
values = [100]
"""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a = " + "[" * 10**5, "nested too deep"),
        ("a." * 10**5 + "b = 1", "too many dots"),
        ("a = 0x" + "f" * 10**5, "unknown key"),
        ("seed = 0x" + "f" * 10**5, "seed = a huge int"),
        ("a = " + "9" * 5000, "not TOML"),
        ("rounds = 8\nrounds = 8", "not TOML"),
        ("name = 'a\x00b'", "not TOML"),
        ("\ufeffrounds = 'x'", "rounds = 'x'"),
        (b"name = '\xff'", "must be text in UTF-8"),
        ("x" * 300_000, "must be at most 256 KiB"),
        ("prices." + "a." * 2000 + "a = 1", "prices"),
        ('"\\u001b[2J" = 1', "unknown key"),
    ],
)
def test_a_spec_that_is_none_is_one_line(saved, data, said, monkeypatch, capsys):
    path = saved(data if isinstance(data, bytes) else data + REST)
    with pytest.raises(InputError):
        load_spec(path)
    monkeypatch.setattr(sys, "argv", ["crossover", "plan", str(path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.rstrip("\n").isprintable()
    assert said in error


@pytest.mark.parametrize(
    "option",
    [
        ("--samples", "9" * 5000), ("--samples", "\u0661"), ("--features", "9" * 30),
        ("--samples", ",".join(map(str, range(1, 60_000)))), ("--budget", "1e999s"),
        ("--budget", "nan"), ("--contender", "\x1b[2J"), ("--classes", "1"),
        ("--preset", "\x1b"), ("--contender", "cpu@" + "9" * 5000),
    ],
)  # fmt: skip
def test_an_option_is_bounded_too(option, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["crossover", "plan", *option])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.rstrip("\n").isprintable()
    assert len(error) < 2100


def test_how_texts_are_shown():
    assert printable("a b\u00e9\U0001f600") == "a b\u00e9\U0001f600"
    assert printable("\x1b\n\t\u202e\ud800\x00") == "\\x1b\\n\\t\\u202e\\ud800\\x00"
    assert len(one_line("a\n" * 10**6)) == 2003
    assert shown(16**5000) == "a huge int"
    assert shown("a" * 100) == "'" + "a" * 59 + "..."
    assert file_name("../../a b/é") == "_.._a_b_"
    assert file_name("..") == file_name("") == "run"


def test_clean_and_parts_keep_what_is_harmless(saved):
    assert json_file.read_object(
        saved('{"\\u001b": ["\\n", 1, null, {"a": true}]}')
    ) == {"\\x1b": ["\\n", 1, None, {"a": True}]}
