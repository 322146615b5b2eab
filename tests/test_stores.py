"""asv's and pytest-benchmark's results of any suite: `crossover report --axis`."""

import csv
import json
import math
import shutil
from pathlib import Path

import foreign_files as files
import pytest

from crossover.files.untrusted import InputError
from crossover.sources.foreign.answers import answers
from crossover.sources.foreign.asv_store import plain, read_store
from crossover.sources.foreign.pytest_files import read_files
from crossover.sources.foreign.question import HeldAsk

TRAIN = "suite.Train.time_train"


def of_store(folder, contender="device", bench="time_train", axis="n", **asked):
    held = read_store([str(folder)], "crossover report")
    return answers(held, HeldAsk(axis, contender, bench=bench, **asked))


def edited(file, edit):
    fields = json.loads(file.read_text())
    edit(fields)
    file.write_text(json.dumps(fields))


@pytest.mark.parametrize("version", [1, 2])
def test_a_parameter_of_any_store_is_a_contender(tmp_path, version):
    files.asv_store(tmp_path, version)
    ((ask, row),) = files.flat(of_store(tmp_path))
    assert (ask.baseline, ask.challenger) == ("cpu", "gpu")
    assert row.answer.outcome == "found"
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)
    assert row.answer.parity_low < files.TRUTH < row.answer.parity_high
    assert "unpaired: asv's results does not say" not in row.answer.flags
    assert row.answer.flags[0].startswith("unpaired: ")


@pytest.mark.parametrize("contender", ["benchmark", "function", "device"])
def test_the_function_may_be_the_contender(tmp_path, contender):
    files.asv_store(tmp_path)
    if contender == "device":  # no parameter is called so
        described = tmp_path / "benchmarks.json"
        edited(described, lambda f: f[TRAIN].update(param_names=["on", "n"]))
    ((ask, row),) = files.flat(of_store(tmp_path, contender, "Each"))
    assert "cpu" in ask.baseline
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_without_samples_there_is_no_interval(tmp_path):
    files.asv_store(tmp_path, samples=False)
    ((_, row),) = files.flat(of_store(tmp_path))
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)
    assert row.answer.parity_low is None
    assert "median of times that were not kept" in row.answer.flags


def test_machines_and_commits_are_answers_of_their_own_in_the_order_of_time(tmp_path):
    files.asv_store(tmp_path, commit="bbbbbbbb", date=2)
    files.asv_store(tmp_path, commit="aaaaaaaa", date=3)
    files.asv_store(tmp_path, machine="hpc", commit="bbbbbbbb", date=1, slower=2.0)
    found = files.flat(of_store(tmp_path))
    assert found[0][0].by == ("machine", "commit")
    assert [row.group for _, row in found] == [
        ("hpc", "bbbbbbbb"), ("box", "bbbbbbbb"), ("box", "aaaaaaaa"),
    ]  # fmt: skip
    for _, row in found:
        assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_of_many_commits_the_newest_are_answered_and_any_can_be_named(
    crossover, tmp_path
):
    for i in range(23):
        files.asv_store(tmp_path / "store", commit=f"{i:08x}", date=1000 - i)
    asked = ("--axis", "n", "--contender", "device", "--bench", "Train", "--show")
    code, said, errors = crossover("report", "--from-asv", "store", *asked)
    assert (code, errors) == (0, "")
    *lines, read = said.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        f"commit = {i:08x}" for i in reversed(range(20))
    ]
    assert "; the newest 20 of 23 commits (name others: DIR@COMMIT); " in read
    code, said, _ = crossover("report", "--from-asv", "store@00000016", *asked)
    assert (code, len(said.splitlines())) == (0, 2)


def test_two_machines_or_commits_can_be_the_contenders(tmp_path):
    files.asv_store(tmp_path, commit="aaaaaaaa", date=1)
    files.asv_store(tmp_path, commit="bbbbbbbb", date=2, slower=0.5)
    found = files.flat(of_store(tmp_path, "commit"))
    assert [row.group for _, row in found] == [("cpu",), ("gpu",)]
    assert [row.answer.outcome for _, row in found] == ["always", "always"]
    assert {(a.baseline, a.challenger) for a, _ in found} == {("aaaaaaaa", "bbbbbbbb")}


def test_a_contender_on_two_machines_is_refused_and_can_be_two(tmp_path):
    def without(who):
        def edit(fields):
            result = fields["results"][TRAIN]
            for i in range(10):
                if (i < 5) == (who == "cpu"):
                    result[0][i] = result[3][i] = None

        return edit

    for machine, missing in (("a", "cpu"), ("b", "gpu"), ("c", "gpu")):
        edited(files.asv_store(tmp_path, machine=machine), without(missing))
    described = tmp_path / "benchmarks.json"
    assert described.exists()
    with pytest.raises(
        InputError, match=r"rows of cpu differ in machine \(b, c\): add"
    ):
        of_store(tmp_path)
    shutil.rmtree(tmp_path / "c")
    ((_, row),) = files.flat(of_store(tmp_path))
    assert "machine differs: a for gpu, b for cpu" in row.answer.flags


def test_a_size_of_zero_is_left_out_and_named(tmp_path):
    def edit(fields):
        fields["results"][TRAIN][1][1][0] = "0"

    edited(files.asv_store(tmp_path), edit)
    found = of_store(tmp_path)
    assert found.left_out == ("n = 0 is no size (2 rows)",)
    assert files.flat(found)[0][1].answer.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_commits_with_another_version_of_a_benchmark_are_told(tmp_path):
    files.asv_store(tmp_path, commit="aaaaaaaa", date=1)
    file = files.asv_store(tmp_path, commit="bbbbbbbb", date=2, slower=0.5)
    edited(file, lambda fields: fields["results"][TRAIN].__setitem__(2, "v2"))
    found = of_store(tmp_path, "commit")
    assert all("version differs: v1 for aaaaaaaa, v2 for bbbbbbbb" in row.answer.flags
               for _, row in files.flat(found))  # fmt: skip


def test_what_failed_or_was_skipped_is_named_and_the_rest_answered(tmp_path):
    def edit(fields):
        result, _, _, samples = fields["results"][TRAIN]
        result[9], samples[9] = None, None
        result[8], samples[8] = math.nan, None
        samples[0][0] = -1.0

    edited(files.asv_store(tmp_path), edit)
    found = of_store(tmp_path)
    assert found.left_out == (
        "cpu at n = 1,024: -1.0: no time",
        "gpu at n = 65,536: n/a in asv: skipped there, or not selected",
        "gpu at n = 262,144: failed in asv",
    )


@pytest.mark.parametrize(
    "text", ["", "{", '{"version": 3, "results": {}, "commit_hash": "x"}', "[]"]
)
def test_a_file_that_cannot_be_read_is_left_out_of_a_store(tmp_path, text):
    file = files.asv_store(tmp_path)
    broken = file.with_name("99999999-virtualenv-py3.11.json")
    broken.write_text(text)
    found = of_store(tmp_path)
    assert len(files.flat(found)) == 1
    assert len(found.left_out) == 1
    assert broken.name in found.left_out[0]
    for named in (broken, f"{tmp_path}@99999999"):
        with pytest.raises(InputError, match="99999999-virtualenv"):
            of_store(named)
    file.unlink()
    with pytest.raises(InputError, match="99999999-virtualenv"):
        of_store(tmp_path)


def test_a_benchmark_or_a_description_that_is_broken_is_left_out_alone(tmp_path):
    file = files.asv_store(tmp_path)
    edited(file, lambda fields: fields["results"]["suite.Each.time_cpu"][0].pop())
    found = of_store(tmp_path)
    assert len(files.flat(found)) == 1
    assert "suite.Each.time_cpu: result: length = 4: must be 5" in found.left_out[0]
    (tmp_path / "benchmarks.json").write_text("{")
    found = of_store(tmp_path, "param1", axis="param2")
    assert len(files.flat(found)) == 1
    assert any("benchmarks.json" in line for line in found.left_out)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'cpu'", "cpu"), ("'1000'", "1000"), ('"it\'s"', "it's"), ("1000", "1000"),
        ("<function gemm at 0x7f00>", "gemm"), ("<class 'numpy.int8'>", "numpy.int8"),
        ("np.int64(1000)", "1000"), ("np.str_('cpu')", "cpu"), ("'a' (1)", "a (1)"),
        ("(32, 32)", "(32, 32)"), ("None", "None"),
    ],
)  # fmt: skip
def test_a_parameter_is_written_as_it_is_typed(text, said):
    assert plain(text) == said


def test_a_number_in_a_tuple_can_be_the_axis(tmp_path):
    file = files.asv_store(tmp_path)
    shapes = [f"({n}, {n})" for n in files.SIZES]
    edited(
        file, lambda f: f["results"][TRAIN].__setitem__(1, [["'cpu'", "'gpu'"], shapes])
    )
    ((ask, row),) = files.flat(of_store(tmp_path, axis="n.0"))
    assert ask.by == ()
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_a_store_is_listed_and_each_command_answers(crossover, tmp_path):
    files.asv_store(tmp_path / "store")
    files.asv_store(tmp_path / "store", machine="hpc")
    code, said, errors = crossover("report", "--from-asv", "store")
    assert code == 2
    assert errors == "crossover: axis: missing; name --axis and --contender as above\n"
    assert max(map(len, said.splitlines())) < 100
    assert "  device: cpu, gpu" in said.splitlines()
    commands = [line.split()[1:] for line in said.splitlines() if "--axis" in line]
    assert commands[0][-4:] == ["--axis", "n", "--contender", "device"]
    for command in commands:
        code, said, errors = crossover(*command, "--show")
        assert code == 0, errors
        assert "over n" in said


def test_the_answers_are_written_where_asked(crossover, tmp_path):
    files.asv_store(tmp_path / "store")
    arguments = ("report", "--from-asv", "store", "--axis", "n", "--contender",
                 "device", "--bench", "Train")  # fmt: skip
    code, said, _ = crossover(*arguments, "--show")
    assert code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]
    code, said, _ = crossover(*arguments)
    assert said.endswith("Report: results/asv-store/analyse.html\n")
    code, said, _ = crossover(*arguments, "--out", "here")
    with Path("here/analyse.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["parity"]) == pytest.approx(files.TRUTH, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--axis", "m"), "axis = 'm': must be one of device, n, "),
        (("--contender", "n"), "contender = 'n': must not be the axis"),
        (("--bench", "nothing"), "bench = 'nothing': must be found in one of"),
        (("--bench", "("), "bench = '(': must be a regular expression"),
        (("--baseline", "tpu"), "baseline = 'tpu': must be one of cpu, gpu"),
        (("--axis", "device", "--contender", "n"), "axis = 'device': must hold num"),
        (("--contender", "machine"), "contender = 'machine': must hold two"),
    ],
)
def test_what_cannot_be_asked_is_one_line(crossover, tmp_path, arguments, said):
    files.asv_store(tmp_path / "store")
    usual = {"--axis": "n", "--contender": "device", "--bench": "Train"}
    usual |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    options = [word for pair in usual.items() for word in pair]
    code, _, errors = crossover("report", "--from-asv", "store", *options, "--show")
    assert code == 2
    assert errors.startswith(f"crossover: {said}")
    assert errors.count("\n") == 1


def test_the_options_of_others_benchmarks_need_such(crossover):
    code, _, errors = crossover("report", "results/x", "--axis", "n")
    assert (code, errors) == (
        2, "crossover: axis = 'n': goes with --from-asv and --from-pytest-benchmark "
        "only\n",
    )  # fmt: skip


def of_files(*paths, contender="device", axis="n", **asked):
    held = read_files(paths, "crossover report")
    return answers(held, HeldAsk(axis, contender, **asked))


@pytest.mark.parametrize(
    ("version", "axis", "contender"),
    [("3.0", "param2", "param1"), ("4.0", "n", "device"), ("5.1", "n", "device")],
)
def test_any_file_of_pytest_benchmark(tmp_path, version, axis, contender):
    (tmp_path / "it.json").write_text(files.pytest_json(version))
    found = files.flat(of_files(tmp_path / "it.json", contender=contender, axis=axis))
    ((ask, row),) = found
    assert (ask.baseline, ask.challenger) == ("cpu", "gpu")
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_a_folder_of_saved_files_has_an_answer_for_each(tmp_path):
    home = tmp_path / ".benchmarks" / "Linux-CPython-3.11-64bit"
    home.mkdir(parents=True)
    (home / "0001_first.json").write_text(files.pytest_json())
    (home / "0002_again.json").write_text(files.pytest_json())
    (home / "0003_half.json").write_text(files.pytest_json()[:999])
    found = of_files(tmp_path / ".benchmarks")
    assert [row.group for _, row in files.flat(found)] == [
        ("0001_first",),
        ("0002_again",),
    ]
    assert len(found.left_out) == 1
    assert "0003_half.json': must be JSON" in found.left_out[0]
    with pytest.raises(InputError, match="must be JSON"):
        of_files(home / "0003_half.json")


def test_files_and_machines_can_be_the_contenders(tmp_path):
    (tmp_path / "a.json").write_text(files.pytest_json(node="box"))
    (tmp_path / "b.json").write_text(files.pytest_json(node="hpc", slower=0.5))
    for contender, pair in (("file", ("a", "b")), ("machine", ("box", "hpc"))):
        paths = tmp_path / "a.json", tmp_path / "b.json"
        found = files.flat(of_files(*paths, contender=contender))
        assert {(ask.baseline, ask.challenger) for ask, _ in found} == {pair}
        assert [row.group for _, row in found] == [("cpu",), ("gpu",)]


def test_a_test_without_statistics_failed(tmp_path):
    fields = json.loads(files.pytest_json())
    stats = fields["benchmarks"][9]["stats"]
    stats |= dict.fromkeys(("min", "max", "median", "mean")) | {"data": []}
    (tmp_path / "it.json").write_text(json.dumps(fields))
    found = of_files(tmp_path / "it.json")
    assert found.left_out == ("gpu at n = 262,144: failed: stats.median = None",)
