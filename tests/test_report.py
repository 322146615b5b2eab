"""What a report writes, from a run whose numbers are made."""

import dataclasses
import json
import re

import pandas as pd
import pytest
from builders import cases_of, make_machine, make_rounds, make_run
from law import batch_s

from crossover.analysis.crossover import crossovers
from crossover.analysis.frame import frames, read_run
from crossover.cli import main
from crossover.files.csv_file import frame_csv
from crossover.files.escape import harmless
from crossover.files.untrusted import InputError
from crossover.nouns import SCHEMA
from crossover.record import run_folder
from crossover.report import write
from crossover.report.write import write_report
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import Softmax

MACHINE = make_machine(
    cpu="a <fast> CPU", unavailable={"cuda": "no device"}, versions={"torch": "2.13.0"}
)
SPEC = {
    "name": "made",
    "rounds": 8,
    "grid": True,
    "control": False,
    "contenders": ["cpu/resident@1", "cpu/resident@2", "cuda/resident"],
    "pairs": [
        ["cpu/resident@1", "cpu/resident@2"],
        ["cpu/resident@2", "cuda/resident"],
    ],
    "sweep": [
        {"axis": "batch_size", "values": [10, 100, 1000, 10000], "samples": 10000},
        # holds the case n10000-b100, too, with another learning rate: no mixing
        {"axis": "epochs", "values": [1, 2], "samples": 10000, "batch_size": 100,
         "learning_rate": 0.01},
    ],
}  # fmt: skip
TABLES = (
    "measurements", "estimates", "crossovers", "breakeven", "speedups", "costs",
)  # fmt: skip


def made_run(command="crossover run", notes="cuda: no device"):
    """One thread costs 1 ms + b us, two 1.5 ms + b / 2: equal at batch 1000."""
    spec = parse_spec(SPEC, "test")
    size_of = {c: n for s in spec.sweep for n, c in s.cases().items()}

    def found(case, who, number):
        if who.device == "cuda":
            return None if number else {"status": "unavailable", "notes": notes}
        cost_s = batch_s(size_of[case], who.threads)
        return {
            "positions": (0, 1), "setup_s": 1.0, "transfer_s": 0.0,
            "samples_s": tuple(cost_s * (1 + r * number) for r in (0.001, -0.002)),
            "threads": who.threads, "work": Softmax().work(case),
            "started_utc": "2026-11-24T18:12:26.469+00:00",
        }  # fmt: skip

    rows = make_rounds(cases_of(spec), SPEC["contenders"], found)
    return make_run(spec, rows, commit="abc", command=command, machine=MACHINE)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the folder and the crossovers of a report with everything in it."""
    out = tmp_path_factory.mktemp("report")
    return out, write_report(made_run(), out, latex=True, parquet=True)


def test_every_file_is_there(report):
    out, found = report
    names = {path.name for path in out.iterdir()}
    csvs = {f"{name}.csv" for name in (*TABLES, "regret")}
    parquets = {f"{name}.parquet" for name in (*TABLES, "regret")}
    texs = {"estimates.tex", "crossovers.tex", "breakeven.tex"}
    assert names == csvs | parquets | texs | {"report.md", "report.html", "plots"}
    plots = {path.name for path in (out / "plots").iterdir()}
    assert plots >= {"sweep1-batch_size.png", "sweep1-batch_size.svg"}
    assert {name.rpartition(".")[2] for name in plots} == {"png", "svg"}
    assert len(found) == 2 * 2 * 3


def test_the_markdown_has_answers_a_table_and_every_picture(report):
    out, found = report
    text = (out / "report.md").read_text()
    links = re.findall(r"^!\[.+\]\((plots/\S+\.png)\)$", text, re.M)
    assert sorted(links) == sorted(f"plots/{p.name}" for p in out.glob("plots/*.png"))
    assert re.search(
        r"^- \*\*found.*\*\*, over .*: .*wo threads are ahead from [\d,]+ \([\d,]+ to ",
        text,
        re.M,
    )
    measured = [c for c in found if c.answer.outcome != "not_measured"]
    answers = text.partition("\n## Picking")[0]
    assert len(re.findall(r"^\| (batch|number)", answers, re.M)) == len(measured)
    reason = "cuda/resident: unavailable: cuda: no device"
    assert f"- The GPU against the CPU with two threads: {reason}" in text
    assert "a &lt;fast> CPU, 2 cores, 8.0 GiB" in text
    assert "partial" not in text


def test_the_csv_reads_back_to_the_numbers(report):
    out, _ = report
    table = pd.read_csv(out / "crossovers.csv")
    row = table[(table["view"] == "train") & (table.outcome == "found")].iloc[0]
    assert row.parity == pytest.approx(1000, rel=1e-3)
    assert row.parity_low < 1000 < row.parity_high
    assert row.parity < row["at"] < row.high
    assert pd.isna(row.batch_size)
    assert row.samples == 10000
    pd.testing.assert_frame_equal(
        pd.read_csv(out / "estimates.csv")[["median_s", "low_s", "high_s"]],
        frames(made_run()).estimates[["median_s", "low_s", "high_s"]],
        check_exact=True,
    )
    heads = {n: (out / f"{n}.csv").read_text().partition("\n")[0] for n in TABLES}
    assert heads["crossovers"] == (
        "axis,samples,features,classes,batch_size,epochs,view,metric,baseline,"
        "challenger,outcome,at,low,high,confidence,first_win,least_regret,fitted,"
        "speedup_smallest,speedup_largest,slope,behind_until,behind_until_low,"
        "behind_until_high,parity,parity_low,parity_high,equal_from,equal_to,"
        "worst_regret,next_ahead,next_ahead_speedup,speedup_smallest_low,"
        "speedup_smallest_high,speedup_largest_low,speedup_largest_high,most_behind,"
        "most_behind_low,most_behind_high,zones,flags"
    )
    assert heads["speedups"] == (
        "axis,samples,features,classes,batch_size,epochs,view,baseline,challenger,"
        "speedup,low,high,confidence,rounds"
    )
    started = (out / "measurements.csv").read_text().splitlines()[1]
    assert "2026-11-24T18:12:26.469+00:00" in started


def test_parquet_holds_the_same_tables_with_their_types(report):
    out, _ = report
    made = frames(made_run())
    for name in TABLES:
        read = pd.read_parquet(out / f"{name}.parquet")
        table = getattr(made, name)
        # pyarrow hands categories of texts back as such; their values are the same
        assert [str(k) for k in read.dtypes] == [str(k) for k in table.dtypes]
        pd.testing.assert_frame_equal(
            read.astype(object), table.astype(object), check_dtype=False
        )


def test_latex_escapes_and_keeps_the_columns(report):
    out, _ = report
    text = (out / "crossovers.tex").read_text()
    assert r"batch\_size" in text
    assert "cpu/resident@2" in text
    assert r"\begin{longtable}" in text
    assert text.count(r"\\") >= len(crossovers(made_run()))


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"softmax-crossover\[parquet\]"):
        write_report(made_run(), tmp_path, parquet=True)
    assert not list(tmp_path.iterdir())


def test_no_text_becomes_a_formula():
    table = pd.DataFrame(
        {
            "notes": pd.array(["=1+1", "-2", "+3", "@x", "\tx", "a=b", None], "string"),
            "contender": pd.Categorical(["=cmd|' /C calc'!A0"] * 7),
            "loss": [-1.0] * 7,
        }
    )
    safe = harmless(table)
    expected = ["'=1+1", "'-2", "'+3", "'@x", "'\tx", "a=b"]
    assert list(safe.notes[:6]) == expected
    assert pd.isna(safe.notes[6])
    assert set(safe.contender) == {"'=cmd|' /C calc'!A0"}
    assert list(safe.loss) == [-1.0] * 7
    assert list(table.notes[:1]) == ["=1+1"]


def test_a_cell_that_is_a_formula_in_a_run(tmp_path):
    run = made_run(notes='=HYPERLINK("http://example.org")')
    table = frames(run).measurements
    assert (table.notes == '=HYPERLINK("http://example.org")').any()
    written = pd.read_csv(pd.io.common.StringIO(frame_csv(table)), dtype=str)
    starts = written.notes.dropna().str[:2].unique()
    assert list(starts) == ["'="]


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, None])
def test_a_run_of_another_schema_is_one_clear_line(
    schema, tmp_path, capsys, monkeypatch
):
    run = dataclasses.replace(made_run(), measurements=())
    out = tmp_path / "run"
    run_folder.create(out, run)
    header = json.loads((out / "run.json").read_text())
    header["schema"] = schema
    (out / "run.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match=f"must have schema {SCHEMA}, which this"):
        read_run(out)
    monkeypatch.setattr("sys.argv", ["crossover", "report", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"crossover: run = {str(out)!r}")
    assert {p.name for p in out.iterdir()} == {"run.json", "measurements.jsonl"}


def test_a_run_without_measurements_is_reported(tmp_path):
    run = dataclasses.replace(made_run(), measurements=())
    run_folder.create(tmp_path / "run", run)
    found = write_report(run, tmp_path / "run", partial=True)
    assert {c.answer.outcome for c in found} == {"not_measured"}
    page = (tmp_path / "run/report.html").read_text()
    assert "Nothing could be compared" in page
    for text in (page, (tmp_path / "run/report.md").read_text()):
        assert "Interrupted: this report is partial." in text
    assert read_run(tmp_path / "run").estimates.empty
    assert (tmp_path / "run/estimates.csv").read_text().startswith("cell_id,samples")
