"""`crossover analyse` reads units, and takes no rate for a time."""

import re
from pathlib import Path

import pytest

from crossover.sources.table.text.units import is_rate, seconds_of

TABLES = Path(__file__).parent / "fixtures" / "tables"
SIZES = (1024, 4096, 16384, 65536, 262144)
TRUE = 27_778
"""Where the tables' curves cross."""


@pytest.fixture
def analyse(crossover, tmp_path, undrawn):
    def command(table, time, *options):
        path = TABLES / table
        if "\n" in table:
            path = tmp_path / "times.csv"
            path.write_text(table)
        axis = "M" if "GFLOP" in time else "n"
        who = "Device" if axis == "M" else "device"
        code, said, error = crossover(
            "analyse", path, "--axis", axis, "--contender", who, "--baseline", "cpu",
            "--challenger", "gpu", "--time", time, *options,
        )  # fmt: skip
        assert error.count("\n") == (code == 2)
        return code, said or error

    return command


def at(said):
    """Return the size from which on the gpu is ahead by a factor of 1.05."""
    found = re.search(r"gpu is ahead from ([\d,.]+) \(", said)
    assert found, said
    return float(found[1].replace(",", ""))


def made(head, cell, unit=lambda device: ""):
    """Write a table whose cells are made of milliseconds."""
    rows = [f"n,device,{head}"]
    for n in SIZES:
        for device, ms in (("cpu", 2e-5 * n), ("gpu", 0.5 + 2e-6 * n)):
            rows.append(f"{n},{device},{cell(ms)}{unit(device)}")
    return "\n".join(rows) + "\n"


def test_a_column_of_units_is_read(analyse):
    code, said = analyse("unit_column.csv", "real_time")
    assert code == 0
    assert 0.9 * TRUE < at(said) < 1.1 * TRUE


SPELLINGS = {
    1e-9: ("ns", "nanoseconds", "nsec", "NS"),
    1e-6: ("us", "µs", "μs", "usec", "Microseconds", "(us)"),
    1e-3: ("ms", "msec", "millisecond", "[ms]"),
    1.0: ("s", "sec", "seconds", "Seconds"),
    60.0: ("min", "minutes"),
}


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [(seconds, unit) for seconds, units in SPELLINGS.items() for unit in units],
)
@pytest.mark.parametrize("head", ["time_unit", "unit", "Units", "timeUnit", "t_unit"])
def test_any_spelling_of_a_unit_beside_milliseconds(analyse, head, seconds, unit):
    rows = made(f"t,{head}", lambda ms: ms, lambda d: ",ms" if d == "cpu" else ",X")
    lines = rows.splitlines()
    for i, line in enumerate(lines):
        if line.endswith(",X"):
            n, device, ms, _ = line.split(",")
            lines[i] = f"{n},{device},{float(ms) * 1e-3 / seconds!r},{unit}"
    code, said = analyse("\n".join(lines) + "\n", "t")
    assert code == 0
    assert 0.9 * TRUE < at(said) < 1.1 * TRUE


def test_units_in_a_column_of_any_name(analyse):
    rows = made("t,scale", lambda ms: ms, lambda d: ",ms" if d == "cpu" else ",us")
    code, said = analyse(rows, "t")
    assert code == 0
    assert said.startswith("always")  # taken for microseconds


def test_units_in_the_cells(analyse):
    code, said = analyse("unit_in_cells.csv", "time")
    assert code == 0
    assert 0.9 * TRUE < at(said) < 1.1 * TRUE
    table = (TABLES / "unit_in_cells.csv").read_text().replace("502 us", "502")
    code, error = analyse(table, "time")
    assert code == 2
    assert "time = '502' in line 3: must have a unit, as '20.48 us' has" in error


@pytest.mark.parametrize(
    ("head", "time", "unit", "said"),
    [
        ("t,time_unit", "t", "furlong", "time_unit = 'furlong' in line 3: must be"),
        ("t,time_unit", "t", "", "time_unit = '' in line 3: must be a unit of time"),
        ("t,unit", "t", "GFLOP/s", "unit = 'GFLOP/s' in line 3: must be a"),
        ("t_ms,unit", "t_ms", "us", "add --pool unit if that is not the unit of t_ms"),
    ],
)  # fmt: skip
def test_units_that_do_not_go_together_are_refused(analyse, head, time, unit, said):
    rows = made(head, lambda ms: ms, lambda d: ",ms" if d == "cpu" else f",{unit}")
    code, error = analyse(rows, time)
    assert code == 2
    assert said in error
    assert analyse(rows, time, "--pool", head.split(",")[1])[0] == 0


@pytest.mark.parametrize("head", ["memory_unit", "unit"])
def test_a_unit_of_something_else_is_left_alone(analyse, head):
    code, said = analyse(made(f"t,{head}", lambda ms: ms, lambda _: ",MB"), "t")
    assert code == 0
    assert 0.9 * TRUE < at(said) < 1.1 * TRUE


@pytest.mark.parametrize(
    ("table", "time", "true"),
    [("gflops.csv", "GFLOP/s", 166.7), ("throughput.csv", "items_per_second", TRUE)],
)
def test_a_rate_is_refused_with_the_option_that_answers(analyse, table, time, true):
    code, error = analyse(table, time)
    assert code == 2
    assert f"time = '{time}': is a rate" in error
    assert "add --higher-is-better" in error
    code, said = analyse(table, time, "--higher-is-better")
    assert code == 0
    assert 0.9 * true < at(said) < 1.1 * true
    # what is called a rate may be a time all the same
    assert analyse(table, time, "--lower-is-better")[0] == 0


def test_a_unit_column_may_say_that_it_is_a_rate(analyse):
    rows = made("value,unit", lambda ms: 1 / ms, lambda _: ",images/s")
    code, error = analyse(rows, "value")
    assert code == 2
    assert "unit = 'images/s': is a rate" in error
    code, said = analyse(rows, "value", "--higher-is-better")
    assert code == 0
    assert 0.9 * TRUE < at(said) < 1.1 * TRUE


@pytest.mark.parametrize("time", ["t_ms", "real_time", "Time (sec)"])
def test_a_time_is_not_taken_for_a_rate(analyse, time):
    code, error = analyse(made(time, lambda ms: ms), time, "--higher-is-better")
    assert code == 2
    assert "leave out --higher-is-better" in error


RATES = re.findall(
    r"\S+",
    """
GFLOP/s GFLOPS GFLOPs GFlops TFLOPS flops FLOP/s fps FPS throughput Throughput(img/s)
ops Mops/sec items_per_second itemsPerSecond gridpoints_per_sec bytes_per_second GB/s
GiB/s MB_s MBps Gbps bandwidth images/sec it/s tok/s samples/s req/s rows_per_ms 1/s
s^-1 Hz kHz MLUPS qps speedup speed accuracy queries/min
""",
)
TIMES = re.findall(
    r"\S+",
    """
ms us ns µs s sec seconds time real_time cpu_time wall_time latency_ms elapsed result
value train_s ns/op us_per_call s/it seconds_per_iteration ms/step time/s t/s mean
duration median setup_s samples_s TimeMs batch_time Time_(sec) user times steps
""",
)


def test_names_of_rates_and_of_times():
    assert [name for name in RATES if not is_rate(name)] == []
    assert [name for name in TIMES if is_rate(name)] == []


def test_what_is_no_unit_of_time_has_no_seconds():
    words = ("", "m", "x", "MB", "size", "ms/op")
    assert [seconds_of(word) for word in words] == [None] * 6
