"""Files of other tools: recognised, read right, and answered by `crossover analyse`."""

import csv
import json
import shlex
from pathlib import Path

import foreign_files as files
import pytest

from crossover.files.untrusted import InputError
from crossover.sources.foreign.answers import answers
from crossover.sources.foreign.google import names
from crossover.sources.foreign.held import as_text, checked, size_of
from crossover.sources.foreign.offer import completed, offers
from crossover.sources.foreign.question import HeldAsk
from crossover.sources.foreign.recognise import recognise
from crossover.sources.table.analyse import analyse_file
from crossover.sources.table.ask import Wanted

FORMATS = {
    "google-benchmark's JSON": (files.google_json, "1.4", "1.8"),
    "google-benchmark's CSV": (files.google_csv, "1.4", "1.8"),
    "hyperfine's JSON": (files.hyperfine_json, "1.18"),
    "hyperfine's CSV": (files.hyperfine_csv, "1.8", "1.18"),
    "nvbench's JSON": (files.nvbench_json, "old", "1.0"),
    "nvbench's CSV": (files.nvbench_csv, "old", "1.0"),
    "BenchmarkTools.jl's JSON": (files.julia_json, "0.4", "1.3"),
    "pytest-benchmark's JSON": (files.pytest_json, "3.0", "4.0", "5.1"),
}
CASES = [(t, make, v) for t, (make, *vs) in FORMATS.items() for v in vs]
ONE_TIME = ("hyperfine's CSV", "nvbench's JSON", "nvbench's CSV")  # fmt: skip
SIZE, WHO = (1024, "cpu"), (4096, "gpu")


def held_of(text, name="times.x"):
    return recognise(text, name, f"crossover analyse {name}")


def answered(text, **asked):
    held = held_of(text)
    return answers(held, completed(held, HeldAsk(**asked)))


def only(text, **asked):
    ((ask, row),) = files.flat(answered(text, **asked))
    return ask, row.answer


@pytest.mark.parametrize(("tool", "make", "version"), CASES)
def test_every_format_is_recognised_and_gives_the_known_crossover(tool, make, version):
    text = make(version)
    assert held_of(text).tool == tool
    ask, found = only(text)
    assert ask.baseline.endswith("cpu") or "cpu" in ask.baseline
    assert "gpu" in ask.challenger
    assert found.outcome == "found"
    assert found.parity == pytest.approx(files.TRUTH, rel=0.03)
    has_interval = found.parity_low is not None
    assert has_interval == (tool not in ONE_TIME)
    assert any(flag.startswith("unpaired") for flag in found.flags) == has_interval


def test_hyperfines_old_parameter_has_no_name():
    text = files.hyperfine_json("1.8")
    _, found = only(text, axis="parameter", contender="command")
    assert found.parity == pytest.approx(files.TRUTH, rel=0.03)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("BM_x/1024", {"benchmark": "BM_x", "arg1": "1024"}),
        ("BM_x/8/64", {"benchmark": "BM_x", "arg1": "8", "arg2": "64"}),
        ("BM_x/n:64/threads:2", {"benchmark": "BM_x", "n": "64", "threads": "2"}),
        ("BM<a/b, c::d<int>>/8", {"benchmark": "BM<a/b, c::d<int>>", "arg1": "8"}),
        ("Fix/Method/8/real_time", {"benchmark": "Fix/Method", "arg1": "8"}),
        ("BM/8/iterations:1/repeats:3/min_time:2.0", {"benchmark": "BM", "arg1": "8"}),
        ("BM_x/manual_time", {"benchmark": "BM_x"}),
        ("a::b/8", {"benchmark": "a::b", "arg1": "8"}),
        ("1/2", {"benchmark": "1", "arg1": "2"}),
    ],
)  # fmt: skip
def test_a_name_of_google_benchmark_holds_its_arguments(name, keys):
    assert names(name) == keys


def test_wall_time_is_taken_and_processor_time_where_it_is_asked_for():
    text = files.google_json()
    assert "time = real_time" in answered(text).read
    _, found = only(text, time="cpu_time")
    assert found.outcome == "found"
    with pytest.raises(InputError, match=r"time = 'items_per_second': is a rate"):
        answered(text, time="items_per_second")
    _, found = only(text, time="items_per_second", higher_is_better=True)
    assert found.parity == pytest.approx(files.TRUTH, rel=0.05)


def test_times_that_were_taken_by_hand_beside_others_are_told():
    text = files.google_json().replace("BM_gpu/1024", "BM_gpu/1024/manual_time")
    assert "; 1 of 10 are timed by hand (manual_time); " in answered(text).read
    assert "by hand" not in answered(files.google_json()).read


def test_units_that_differ_from_row_to_row_are_read_right():
    fields = json.loads(files.google_json(repetitions=1))
    assert {b["time_unit"] for b in fields["benchmarks"]} == {"ns", "us", "ms"}
    fields["benchmarks"][0]["time_unit"] = "fortnights"
    found = answered(json.dumps(fields))
    assert found.left_out == ("BM_cpu at arg1 = 1,024: time_unit = 'fortnights'",)


def test_statistics_are_no_repetitions_and_alone_stand_for_a_time():
    fields = json.loads(files.google_json())
    held = held_of(json.dumps(fields))
    assert {row.statistic for row in held.rows} == {""}
    fields["benchmarks"] = [
        b for b in fields["benchmarks"] if b["run_type"] == "aggregate"
    ]
    _, found = only(json.dumps(fields))
    assert found.parity == pytest.approx(files.TRUTH, rel=0.03)
    assert found.parity_low is None
    assert "median of times that were not kept" in found.flags


def test_a_benchmark_may_be_called_as_a_statistic():
    text = files.google_json("1.4", name="BM_{who}_max", repetitions=1)
    assert {row.keys["benchmark"] for row in held_of(text).rows} >= {"BM_cpu_max"}


def test_a_row_that_failed_is_left_out_and_named():
    found = answered(files.google_csv())
    assert found.left_out == ("BM_gpu at arg1 = 1,048,576: failed: out of memory",)
    found = answered(files.nvbench_csv())
    assert found.left_out == ("gpu at Elements = 1,048,576: skipped",)
    found = answered(files.nvbench_json())
    assert found.left_out == ("gpu at Elements = 1,048,576: skipped: out of memory",)


def test_runs_of_hyperfine_that_ended_with_an_error_do_not_count():
    fields = json.loads(files.hyperfine_json())
    first = next(r for r in fields["results"] if r["command"].endswith("gpu 1024"))
    first["exit_codes"][2] = 1
    first["times"][2] = 1e-9
    found = answered(json.dumps(fields))
    assert found.left_out == ("gpu at n = 1,024: 1 of 8 runs failed",)
    ((_, row),) = files.flat(found)
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_commands_without_parameters_hold_the_sizes_themselves():
    fields = json.loads(files.hyperfine_json())
    del fields["results"][0]
    for record in fields["results"]:
        del record["parameters"]
        record["command"] = (
            record["command"].replace("cpu ", "cpu --n=").replace("gpu ", "gpu --n=")
        )
    ask, found = only(json.dumps(fields))
    assert (ask.axis, ask.baseline) == ("n", "./run --dev cpu --n={n}")
    assert found.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_a_contender_is_known_by_a_word_that_no_other_has():
    fields = json.loads(files.hyperfine_json())
    for record in fields["results"]:
        record.get("parameters", {}).pop("dev", None)
    ask, _ = only(json.dumps(fields), axis="n", contender="command", baseline="gpu")
    assert (ask.baseline, ask.challenger) == (
        "./run --dev gpu {n}",
        "./run --dev cpu {n}",
    )
    with pytest.raises(InputError, match="baseline = 'run': must be one of"):
        only(json.dumps(fields), axis="n", contender="command", baseline="run")


def test_the_time_on_the_gpu_is_taken_where_every_state_has_it():
    text = files.nvbench_csv()
    assert "time = GPU Time" in answered(text).read
    assert "time = CPU Time" in answered(text, time="CPU Time (sec)").read
    lines = text.splitlines()
    lines = [
        ",".join("" if i == 9 else c for i, c in enumerate(line.split(",")))
        if line.startswith("cpu")
        else line
        for line in lines
    ]
    assert "time = CPU Time" in answered("\n".join(lines)).read


@pytest.mark.parametrize("unit", ["ms", "GB/s"])
def test_a_csv_of_triton_is_a_table_with_a_column_for_each_provider(tmp_path, unit):
    path = tmp_path / "matmul-performance.csv"
    path.write_text(files.triton_csv(unit))
    assert held_of(path.read_text()) is None
    is_rate = unit == "GB/s" or None
    if is_rate:
        with pytest.raises(InputError, match=r"\(GB/s\)': is a rate"):
            analyse_file(path, Wanted(), None)
    ((ask, row),) = files.flat(
        analyse_file(path, Wanted(higher_is_better=is_rate), None)
    )
    assert (ask.axis, ask.baseline, ask.challenger) == ("N", "cpu", "gpu")
    assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.05)


def test_arguments_are_groups_and_an_ambiguous_question_is_listed():
    text = files.google_json(name="BM_{who}/{n}/7")
    fields = json.loads(text)
    more = json.loads(files.google_json(name="BM_{who}/{n}/9"))
    fields["benchmarks"] += more["benchmarks"]
    held = held_of(json.dumps(fields))
    asked = [(offer.axis, offer.contender) for offer in offers(held, held.rows)]
    assert asked[0] == ("arg1", "benchmark")
    assert ("arg1", "arg2") in asked
    assert completed(held, HeldAsk()) == HeldAsk()
    found = files.flat(answered(json.dumps(fields), axis="arg1", contender="benchmark"))
    assert [row.group for _, row in found] == [("7",), ("9",)]


def test_every_contender_meets_the_baseline():
    fields = json.loads(files.google_json())
    third = [
        {**b, "name": b["name"].replace("gpu", "opencl"),
         "run_name": b["run_name"].replace("gpu", "opencl"),
         "real_time": 2 * b["real_time"]}
        for b in fields["benchmarks"] if "gpu" in b["name"]
    ]  # fmt: skip
    fields["benchmarks"] += third
    pairs = [
        (a.baseline, a.challenger) for a, _ in files.flat(answered(json.dumps(fields)))
    ]
    assert pairs == [("BM_cpu", "BM_gpu"), ("BM_cpu", "BM_opencl")]
    ask, _ = only(json.dumps(fields), challengers=("opencl",), baseline="BM_gpu")
    assert (ask.baseline, ask.challenger) == ("BM_gpu", "BM_opencl")


def test_jobs_in_names_are_never_compared_with_each_other():
    fields = json.loads(files.google_json(name="BM_sort_{who}/{n}"))
    more = json.loads(files.google_json(name="BM_gemm_{who}/{n}"))
    fields["benchmarks"] += more["benchmarks"]
    found = files.flat(answered(json.dumps(fields), axis="arg1", contender="device"))
    assert [row.group for _, row in found] == [("BM_sort_*",), ("BM_gemm_*",)]
    found = files.flat(answered(json.dumps(fields), axis="arg1", contender="benchmark"))
    assert [(a.baseline, a.challenger) for a, _ in found] == [
        ("BM_sort_cpu", "BM_sort_gpu"), ("BM_gemm_cpu", "BM_gemm_gpu"),
    ]  # fmt: skip


def test_sizes_in_the_names_of_functions_are_found():
    fields = json.loads(files.pytest_json())
    for record in fields["benchmarks"]:
        device, n = record["params"]["device"], record["params"]["n"]
        record |= {"params": None, "fullname": f"t.py::test_{device}_{n}"}
    ask, found = only(json.dumps(fields))
    assert (ask.axis, ask.baseline) == ("number", "t.py::test_cpu_*")
    assert found.parity == pytest.approx(files.TRUTH, rel=0.03)


def test_rows_that_differ_in_what_makes_no_group_are_refused():
    fields = json.loads(files.nvbench_json())
    for state in fields["benchmarks"][1]["states"]:
        again = json.loads(json.dumps(state))
        block = {"name": "Block", "type": "int64"}
        state["axis_values"].append({**block, "value": "128"})
        again["axis_values"].append({**block, "value": "256"})
        fields["benchmarks"][1]["states"] = [
            *fields["benchmarks"][1]["states"], again,
        ]  # fmt: skip
    text = json.dumps(fields)
    with pytest.raises(
        InputError, match=r"rows of gpu at Elements = 1024 differ in Blo"
    ):
        answered(text, axis="Elements", contender="benchmark")


@pytest.mark.parametrize(
    "text",
    [
        "n,device,ms\n1,cpu,2\n", "", "{}", "[]", "[1, 2]", '{"benchmarks": 7}',
        '{"a": 1}\n{"results": 2}\n', '{"results": [{"x": 1}]}', "a\n" * 100,
    ],
)  # fmt: skip
def test_what_no_tool_wrote_is_left_to_the_reader_of_tables(text):
    assert held_of(text) is None


def test_a_half_written_file_is_one_line(crossover):
    Path("half.json").write_text(files.google_json()[:5000], encoding="utf-8")
    code, said, errors = crossover("analyse", "half.json")
    assert (code, said, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("crossover: file = 'half.json': must be JSON")


def test_the_command_says_what_it_took_and_writes_the_answers(crossover, tmp_path):
    Path("bench.json").write_text(files.google_json(), encoding="utf-8")
    code, said, errors = crossover("analyse", "bench.json", "--out", "here")
    assert code == 0
    assert errors == ""
    assert "over arg1, BM_gpu is ahead from " in said
    assert said.splitlines()[1] == (
        "Read: bench.json as google-benchmark's JSON; time = real_time; axis = arg1; "
        "contender = benchmark."
    )
    with (tmp_path / "here" / "analyse.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["baseline"], row["challenger"]) == ("BM_cpu", "BM_gpu")
    assert float(row["parity"]) == pytest.approx(files.TRUTH, rel=0.03)
    assert "BM_gpu is ahead" in (tmp_path / "here" / "analyse.md").read_text()


def test_a_question_that_must_be_asked_is_listed_with_its_commands(crossover):
    fields = json.loads(files.google_json(name="BM_{who}/{n}/7"))
    more = json.loads(files.google_json(name="BM_{who}/{n}/9"))
    fields["benchmarks"] += more["benchmarks"]
    Path("two args.json").write_text(json.dumps(fields), encoding="utf-8")
    code, said, errors = crossover("analyse", "two args.json")
    assert code == 2
    assert errors == (
        "crossover: axis: missing; name --axis and --contender as above\n"
    )
    line = "  crossover analyse 'two args.json' --axis arg1 --contender benchmark"
    assert line in said.splitlines()
    code, said, _ = crossover(
        "analyse", "two args.json", "--axis", "arg1", "--contender", "benchmark"
    )
    assert code == 0
    assert said.startswith("arg2 = 7: found")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000", 1000), ("1_000", 1000), ("1e4", 10_000), ("2^10", 1024), ("0", None),
        ("2**10", 1024), ("0.5", 0.5), ("-1", None), ("x", None), ("1e999", None),
    ],
)  # fmt: skip
def test_sizes(text, size):
    assert size_of(text) == size


def test_values_that_are_no_times_are_named_once():
    assert checked([1, "2.5", 0, 0, None, "x", True, float("nan"), 10**400], 1e-3) == (
        (1e-3, 2.5e-3),
        "0, None, 'x', ...: no time",
    )
    assert [as_text(v) for v in (1.0, 0.5, None, [1, 2.0])] == [
        "1", "0.5", "None", "(1, 2)",
    ]  # fmt: skip


TABLES = Path(__file__).parent / "fixtures" / "tables"


@pytest.mark.parametrize(
    ("name", "options", "parity", "code", "left_out"),
    [
        ("google_benchmark.csv",
         "--axis name --time real_time --contender name --baseline BM_cpu "
         "--challenger BM_gpu", 27_778, 0, 0),
        ("hyperfine_reference_row.csv",
         "--axis parameter_n --time mean --contender parameter_dev --baseline cpu "
         "--challenger gpu", 5_556, 0, 0),
        ("nvbench_skipped.csv",
         "--axis Elements --contender Benchmark --baseline cpu --challenger gpu "
         "--time 'GPU Time (sec)'", 27_778, 3, 1),
    ],
)  # fmt: skip
def test_the_columns_may_be_named_as_in_the_files_head(
    crossover, tmp_path, name, options, parity, code, left_out
):
    out = ("--out", tmp_path / "out")
    got, said, errors = crossover("analyse", TABLES / name, *shlex.split(options), *out)
    assert got == code
    assert errors.count("left out: ") == left_out
    assert "doubtful (one time a size" in said
    with (tmp_path / "out" / "analyse.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["parity"]) == pytest.approx(parity, rel=0.03)


def test_one_size_of_two_commands_is_answered(crossover):
    code, said, errors = crossover(
        "analyse", TABLES / "hyperfine.json", "--axis", "n", "--time", "times",
        "--contender", "command", "--baseline", "cpu", "--challenger", "gpu",
    )  # fmt: skip
    assert code == 0
    assert errors == ""
    assert "as hyperfine's JSON; " in said
    assert said.startswith("never, doubtful (contenders did not take turns)")
