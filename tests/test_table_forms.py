"""`crossover analyse` on tables of other forms, and what it refuses to guess."""

import json
from pathlib import Path

import pytest

from crossover.files.untrusted import InputError
from crossover.sources.table.analyse import analyse_file
from crossover.sources.table.ask import Wanted

SIZES = (1024, 4096, 16384, 65536, 262144)
TRUE = 27_778


def cpu(n):
    return 2e-5 * n


def gpu(n):
    return 0.5 + 2e-6 * n


@pytest.fixture
def analyse(tmp_path):
    """Analyse a table by what is said of it."""

    def command(text, *more, **said):
        path = tmp_path / "times"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return analyse_file(path, Wanted(*more, **said), None)

    return command


def parity(found):
    (row,) = found.answers
    assert row.answer.outcome == "found", row
    return row.answer.parity


def is_right(found, true=TRUE):
    return 0.9 * true < parity(found) < 1.1 * true


def table(head, row, sizes=SIZES):
    return "\n".join([head, *(row(n) for n in sizes)]) + "\n"


def long(head="n,device,ms", cell=lambda ms: f"{ms:.6f}", size=str, mark=","):
    rows = [head.replace(",", mark)]
    for n in SIZES:
        for who, ms in (("cpu", cpu(n)), ("gpu", gpu(n))):
            rows.append(mark.join((size(n), who, cell(ms))))
    return "\n".join(rows) + "\n"


FORMS = {
    "units_in_heads": table(
        "n,cpu_us,gpu_ms", lambda n: f"{n},{1e3 * cpu(n):.3f},{gpu(n):.6f}"
    ),
    "units_below_the_head": table(
        "n,cpu,gpu\n,us,ms", lambda n: f"{n},{1e3 * cpu(n):.3f},{gpu(n):.6f}"
    ),
    "units_in_brackets": table(
        "n;cpu [us];gpu [ms]", lambda n: f"{n};{1e3 * cpu(n):.3f};{gpu(n):.6f}"
    ),
    "words_in_heads": table(
        "Size,CPU time (ms),GPU time (ms)", lambda n: f"{n},{cpu(n):.6f},{gpu(n):.6f}"
    ),
    "mean_and_deviation_side_by_side": table(
        "n,cpu_mean,cpu_std,gpu_mean,gpu_std",
        lambda n: f"{n},{cpu(n):.6f},0.1,{gpu(n):.6f},0.2",
    ),
    "a_column_for_each_size": "device,"
    + ",".join(map(str, SIZES))
    + "\ncpu,"
    + ",".join(str(cpu(n)) for n in SIZES)
    + "\ngpu,"
    + ",".join(str(gpu(n)) for n in SIZES)
    + "\n",
    "names_with_the_size": "name,real_time,time_unit\n"
    + "".join(f"BM_{w}/{n},{f(n)},ms\n" for n in SIZES for w, f in
              (("cpu", cpu), ("gpu", gpu))),
    "parameters_in_brackets": "test,time\n"
    + "".join(f"test_sum[{w}-{n}],{f(n)}\n" for n in SIZES for w, f in
              (("cpu", cpu), ("gpu", gpu))),
    "markdown": table(
        "| n | device | ms |\n|---:|---|---:|",
        lambda n: f"| {n} | cpu | {cpu(n):.6f} |\n| {n} | gpu | {gpu(n):.6f} |",
    ),
    "aligned_with_spaces": table(
        "   n   device  ms",
        lambda n: f"{n:>8}  cpu   {cpu(n):.6f}\n{n:>8}  gpu   {gpu(n):.6f}",
    ),
    "rows_numbered_by_r": '"n" "device" "ms"\n'
    + "".join(
        f'"{2 * i + j + 1}" {n} "{w}" {f(n):.6f}\n'
        for i, n in enumerate(SIZES)
        for j, (w, f) in enumerate((("cpu", cpu), ("gpu", gpu)))
    ),
    "a_head_in_a_comment": table(
        "# n cpu gpu", lambda n: f"{n} {cpu(n):.6f} {gpu(n):.6f}"
    ),
    "a_title_before_the_head": "Results of Monday\n\n" + long(),
    "german": long("Größe,Gerät,Zeit (ms)", lambda ms: f"{ms:.4f}".replace(".", ","),
                   lambda n: f"{n:,}".replace(",", "."), ";"),
    "deviation_in_the_cell": long(cell=lambda ms: f"{ms:.6f} ± {ms / 50:.6f}"),
    "deviation_in_brackets": long(cell=lambda ms: f"{ms:.6f} (0.05)"),
    "minutes_and_seconds": long(
        "n,device,time", lambda ms: f"{int(ms)}m{ms % 1 * 60}s"
    ),
    "thousands_by_thin_spaces": long(size=lambda n: f"{n:,}".replace(",", "\u202f")),
    "thousands_by_apostrophes": long(size=lambda n: f"{n:,}".replace(",", "'")),
    "binary_units": long(size=lambda n: f"{n // 1024} KiB"),
    "powers_raised": long(size=lambda n: "2" + "".join(
        "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(d)] for d in str(n.bit_length() - 1))),
    "shapes": long(mark=";", size=lambda n: f"({int(n**0.5)}, {int(n**0.5)})"),
    "words_around_sizes": long(size=lambda n: f"N = {n} rows"),
    "an_index_without_a_name": ",n,device,ms\n" + "".join(
        f"{i},{line}\n" for i, line in enumerate(long().splitlines()[1:])),
    "empty_columns_and_rows": long("n,device,ms,,", lambda ms: f"{ms:.6f},,")
    + ",,,,\n,,,,\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_table_of_any_form_is_understood(analyse, name):
    assert is_right(analyse(FORMS[name]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_encoding_is_read(analyse, encoding):
    assert is_right(analyse(FORMS["german"].encode(encoding)))


def test_an_encoding_of_windows_is_said(analyse):
    found = analyse(FORMS["german"].encode("cp1252"))
    assert is_right(found)
    assert "text in Windows-1252" in found.read
    assert "Größe is the size, Gerät who ran, Zeit (ms) the time" in found.read


def test_json_with_parts_is_a_table(analyse):
    rows = [
        {"params": {"n": n}, "device": who, "times": [f(n), 1.01 * f(n)]}
        for n in SIZES
        for who, f in (("cpu", cpu), ("gpu", gpu))
    ]
    found = analyse("\n".join(map(json.dumps, rows)))
    assert is_right(found)
    assert "params.n is the size, device who ran, times the time" in found.read
    assert is_right(analyse(json.dumps(rows)))


REFUSED = {
    "thousands_or_decimals": (
        long(cell=lambda ms: f"{round(1e3 * ms)}", size=lambda n: f'"{n:,}"'),
        "n = '1,024' in line 2: may be 1.024 or 1024; say which with --decimal",
    ),
    "both_marks": (
        long(mark=";").replace("0.020480", "0,020480"),
        "write all numbers in one way",
    ),
    "two_times": (
        table("n,device,real_time,cpu_time", lambda n: f"{n},cpu,1,2\n{n},gpu,1,2"),
        "time: may be real_time or cpu_time; say which with --time",
    ),
    "two_sizes": (
        table("n,m,device,ms", lambda n: f"{n},{2 * n},cpu,1\n{n},{2 * n},gpu,1"),
        "axis: may be n or m; say which with --axis",
    ),
    "two_names": (
        table(
            "n,kernel,dtype,ms", lambda n: f"{n},gemm,fp32,1\n{n},gemv,fp16,1"
        ),
        "contender: may be kernel or dtype; say which with --contender",
    ),
    "thousands_of_two_kinds": (
        long(size=lambda n: f"{3 * n // 1024}K"),
        "n = '3K': may be 3,072 or 3,000; write the sizes as numbers",
    ),
    "clock_of_an_event_log": (
        table("n,device,CPU Time (sec),GPU Time (sec),Noise",
              lambda n: f"{n},a,1,2,0\n{n},b,1,2,0"),
        "may be the times of two contenders, or device says who ran",
    ),
    "one_contender": (
        table("n,device,ms", lambda n: f"{n},cpu,1"), "tells who ran",
    ),
    "another_table": (
        long() + "n,device,joules\n" + "1024,cpu,3\n",
        "line 12 begins another table (n, device, joules); must be one",
    ),
    "joined_cells": (
        table("n,device,ms", lambda n: f"{n},,1").replace("1024,,", "1024,cpu,", 1)
        + "1024,gpu,1\n",
        "must name who ran",
    ),
    "no_head": (
        table("1,cpu,7", lambda n: f"{n},cpu,1\n{n},gpu,2"),
        "head = 1, cpu, 7: is a row like those below",
    ),
    "nothing_that_names_contenders": (
        table("n,time,memory", lambda n: f"{n},1,2"), "tells who ran",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_two_readings_are_both_named(analyse, name):
    text, said = REFUSED[name]
    with pytest.raises(InputError) as refused:
        analyse(text)
    assert said in str(refused.value)


def test_the_decimal_mark_may_be_said(analyse):
    text = REFUSED["thousands_or_decimals"][0]
    assert is_right(analyse(text, decimal="."))
    assert is_right(analyse(text, decimal=","), TRUE / 1000)


def test_what_is_said_decides_between_two_readings(analyse):
    text = table(
        "n,m,device,real_time,cpu_time",
        lambda n: f"{n},{2 * n},cpu,{cpu(n)},1\n{n},{2 * n},gpu,{gpu(n)},1",
    )
    assert is_right(analyse(text, "m", "real_time"), 2 * TRUE)
    assert is_right(analyse(text, axis="n", time="real_time"))


def test_several_challengers_have_an_answer_each(analyse):
    text = table(
        "n,cpu,gpu,tpu", lambda n: f"{n},{cpu(n):.6f},{gpu(n):.6f},{gpu(n) / 2:.6f}"
    )
    found = analyse(text)
    assert [asked.challenger for asked, _ in found.pairs] == ["gpu", "tpu"]
    assert [row.answer.outcome for row in found.answers] == ["found", "found"]
    assert [best.contender for best in found.best] == [*["cpu"] * 2, *["tpu"] * 3]
    assert found.best[-1].second == "gpu"
    assert found.best[-1].ratio == pytest.approx(2, rel=1e-4)
    chosen = analyse(text, baseline="tpu", challengers=("gpu",))
    assert [(a.baseline, a.challenger) for a, _ in chosen.pairs] == [("tpu", "gpu")]


def test_rates_side_by_side_are_rates(analyse):
    text = table(
        "n,cpu_gflops,gpu_gflops", lambda n: f"{n},{n / cpu(n):.3f},{n / gpu(n):.3f}"
    )
    with pytest.raises(InputError, match="is a rate, of which more is better"):
        analyse(text)
    assert is_right(analyse(text, higher_is_better=True))


STAN = Path(__file__).parent / "fixtures" / "stan" / "cholesky.csv"


def test_a_cholesky_decomposition_on_real_gpus():
    wanted = Wanted(by=("variant",), baseline="i7", challengers=("V100",))
    found = analyse_file(STAN, wanted, None)
    assert found.read == "Read: size is the size, device who ran, seconds the time."
    answers = {row.group[0]: row.answer for row in found.answers}
    assert {row.outcome for row in answers.values()} == {"found"}
    double, var = answers["double"], answers["var"]
    assert 570 < double.parity < 590
    assert 550 < double.low < double.at < double.high < 650
    assert (var.low, var.high) == (100, 500)
    for answer in answers.values():
        flags = {flag.partition(":")[0] for flag in answer.flags}
        assert {"unpaired", "coarse_grid"} <= flags


def test_sizes_found_out_that_nobody_shares_are_refused(analyse):
    rows = [
        f"{n + (who == 'gpu')},{who},1" for n in SIZES for who in ("cpu", "gpu")
    ] * 2
    with pytest.raises(InputError, match="no n has times of cpu and gpu: say which"):
        analyse("\n".join(["n,device,ms", *rows]) + "\n")


def test_a_page_shows_all_answers(crossover, tmp_path, unclipped, monkeypatch):
    from crossover.report.pictures import figures

    monkeypatch.setenv("CROSSOVER_PORTABLE", "1")  # all are drawn in this process
    drawn = []
    save = figures.save
    monkeypatch.setattr(
        figures,
        "save",
        lambda figure, *more: drawn.append(figure) or save(figure, *more),
    )
    path = Path("times.csv")
    rows = ["n,batch,device,ms"]
    for batch in (1, 8):
        for n in SIZES:
            for rep in range(6):
                for who, ms in (("cpu", cpu(n)), ("gpu", gpu(n)), ("tpu", 2 * gpu(n))):
                    rows.append(f"{n},{batch},{who},{batch * ms * (1 + 0.003 * rep)}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    code, said, error = crossover(
        "analyse", path, "--axis", "n", "--by", "batch", "--out", "out"
    )
    assert (code, error) == (0, "")
    assert said.count("batch = 8: found") == 2
    page = Path("out/analyse.html").read_text(encoding="utf-8")
    assert "4 answers: 4 found." in page
    assert page.count("<img") == 4  # of each group, and a map of each pair
    best = Path("out/best.csv").read_text(encoding="utf-8").splitlines()
    assert best[0] == "batch,n,fastest,median,second,ratio"
    assert [line.split(",")[2] for line in best[1:6]] == [*["cpu"] * 3, *["gpu"] * 2]
    assert "| 8 | cpu | cpu | cpu | gpu | gpu |" in Path("out/analyse.md").read_text(
        encoding="utf-8"
    )
    assert len(drawn) == 4
    for figure in drawn:
        unclipped(figure)
