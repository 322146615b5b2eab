"""`crossover report` and `compare` on other tools' results, as a user meets them."""

import json
import shutil
from pathlib import Path

import pytest

from crossover.analysis.frame import read_run
from crossover.record import run_folder

FIXTURES = Path(__file__).parent / "fixtures"
ASV = FIXTURES / "asv"
FILES = FIXTURES / "pytest_benchmark"


@pytest.fixture
def no_report(monkeypatch):
    """Write no plots, which take seconds."""
    written = []

    def write_report(run, out, **options):
        written.append((run, out, options))
        return []

    monkeypatch.setattr("crossover.report.write.write_report", write_report)
    return written


def test_a_full_report_follows_from_asvs_results_alone(crossover, tmp_path):
    out = tmp_path / "report"
    code, said, errors = crossover(
        "report", "--from-asv", f"{ASV / '0.6.6'}@d389ab64", "--out", out
    )
    assert (code, errors) == (3, "")  # a cell of it failed
    assert said.startswith("Incomplete: 1 cell ended without a time (failed).\n")
    assert "wo threads are ahead from " in said
    assert "n/a in asv" in said
    page = (out / "report.html").read_text()
    assert "unpaired" in page
    assert "take turns in rounds" not in page
    assert "not described by asv" in page
    assert "set-up time not recorded" in (out / "crossovers.csv").read_text()
    assert {p.suffix for p in (out / "plots").iterdir()} == {".png", ".svg"}
    frames = read_run(out)
    assert set(frames.measurements["run_id"]) == {"testbox-d389ab64-existing-py3.11"}
    before = (out / "crossovers.csv").read_bytes()
    again, _, _ = crossover("report", out)
    assert again == 3
    assert (out / "crossovers.csv").read_bytes() == before


def test_show_writes_nothing(crossover, tmp_path):
    code, said, _ = crossover(
        "report", "--show", "--from-pytest-benchmark", FILES / "5.3.1.json",
        "--from-asv", f"{ASV / '0.6.6-median'}",
    )  # fmt: skip
    assert code == 3
    assert not list(tmp_path.iterdir())
    median, _, whole = said.partition("testbox-5.3.1:")
    assert "wo threads are ahead from " in whole
    assert "one_process: All rounds are from one process" in whole
    assert "no_interval: asv kept only its median: Too few times" in median
    assert "inconclusive, doubtful (" in median
    assert "found" not in median
    assert "always" not in median


def test_several_runs_get_a_folder_each(crossover, no_report, tmp_path):
    arguments = (
        "report", "--from-asv", ASV / "0.6.6", "--from-asv", ASV / "0.5.1",
        "--from-pytest-benchmark", FILES / "4.0.0.json", "--latex",
    )  # fmt: skip
    code, said, _ = crossover(*arguments, "--out", "here")
    assert code == 3
    names = [
        "testbox-bd16e930-existing-py3.11", "testbox-d389ab64-existing-py3.11",
        "testbox-d389ab64-existing-py3.11-2", "testbox-4.0.0",
    ]  # fmt: skip
    folders = [p.name for p in Path("here").iterdir() if p.is_dir()]
    assert sorted(folders) == sorted(names)
    assert [out.name for _, out, _ in no_report] == names
    assert all(options["latex"] for _, _, options in no_report)
    assert said.count("Report: here/testbox") == 4
    assert crossover(*arguments)[0] == 3
    assert sorted(p.name for p in Path("results").iterdir()) == sorted(names)


def test_a_report_made_again_replaces_its_own_folder_and_no_other(
    crossover, no_report, tmp_path
):
    shutil.copytree(ASV / "0.6.6-median", tmp_path / "asv")
    asked = ("report", "--from-asv", "asv", "--out", "out")
    assert crossover(*asked)[0] == 3
    assert len(run_folder.load(Path("out")).measurements) == 24
    (file,) = (tmp_path / "asv" / "testbox").glob("d389*.json")
    shutil.copy(ASV / "0.6.6" / "testbox" / file.name, file)
    assert crossover(*asked)[0] == 3
    assert len(run_folder.load(Path("out")).measurements) == 17 * 16 + 7
    code, _, errors = crossover(
        "report", "--from-pytest-benchmark", FILES / "4.0.0.json", "--out", "out"
    )
    assert code == 2
    assert errors.count("\n") == 1
    assert "out = 'out': holds another run" in errors
    assert crossover("report", "out", "--out", "copy")[0] == 3
    assert run_folder.load(Path("copy")) == run_folder.load(Path("out"))


def test_prices_given_to_a_report_are_in_its_spec(crossover, no_report):
    code, _, _ = crossover(
        "report", "--from-asv", ASV / "0.5.1", "--out", "out",
        "--price", "cpu=0.09", "--price", "cuda:0=2.49",
    )  # fmt: skip
    assert code == 3
    assert run_folder.load(Path("out")).spec.prices == {"cpu": 0.09, "cuda:0": 2.49}
    assert crossover("report", "out", "--price", "cpu=1")[0] == 3
    assert no_report[-1][0].spec.prices == {"cpu": 1.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "runs: missing; give a run folder, --from-asv or"),
        (("nowhere",), "run = 'nowhere': holds no run.json"),
        (("--from-asv", "nowhere"), "from_asv = 'nowhere': must be a folder"),
        (("--from-asv", ASV), "0.4.2"),
        (
            ("--from-pytest-benchmark", ASV / "0.6.6/benchmarks.json"),
            "benchmarks: mis",
        ),
        (("--from-asv", FILES / "4.0.0.json"), "must be a result file of asv"),
        (("x", "--price", "cpu"), "price = 'cpu': must be DEVICE=PER_HOUR"),
        (("x", "--price", "cpu=0"), "price = 'cpu=0': must be DEVICE=PER_HOUR"),
        (("x", "--price", "cpu=-1"), "price = 'cpu=-1'"),
        (("x", "--price", "cpu=inf"), "price = 'cpu=inf'"),
        (("x", "--price", "cpu=nan"), "price = 'cpu=nan'"),
        (("x", "--price", "CPU=1"), "price = 'CPU=1'"),
        (("x", "--price", "cpu=1", "--price", "cpu=2"), "once for each device"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(crossover, tmp_path, arguments, message):
    code, said, errors = crossover("report", *arguments)
    assert (code, said) == (2, "")
    assert errors.count("\n") == 1
    assert message in errors
    assert not list(tmp_path.iterdir())


def test_prices_are_an_option_of_run_too(crossover, tmp_path):
    code, _, errors = crossover("run", "--price", "cpu=cheap")
    assert code == 2
    assert "price = 'cpu=cheap': must be DEVICE=PER_HOUR" in errors


def test_two_commits_in_asvs_results_are_compared(crossover):
    commits = [f"{ASV / '0.6.6'}@{commit}" for commit in ("d389ab64", "bd16e930")]
    code, said, errors = crossover("compare", *commits, "--fail-slower", "5%")
    assert code == 3  # a cell failed
    # each time is 1.3 times as long, which is the machine's, and the crossover is there
    assert "all times are 1.3x as long" in said
    assert "cpu/resident@2 ahead of cpu/resident@1 along" in said
    assert "FAILED" not in said
    assert "0 of " in said.splitlines()[0]
    assert "--interleave-rounds" in errors


def test_two_files_of_pytest_benchmark_are_compared(crossover):
    files = [FILES / f"{name}.json" for name in ("5.3.1", "5.3.1-slower")]
    code, said, _ = crossover("compare", *files, "--fail-slower", "5%")
    assert code == 0
    assert "all times are " in said
    assert crossover("compare", FILES / "4.0.0.json", files[0])[0] == 0


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ((ASV / "0.6.6", ASV / "0.5.1"), "holds 2: testbox-bd16e930-existing-py3.11"),
        ((f"{ASV / '0.6.6'}@0000", ASV / "0.5.1"), "commit = '0000'"),
        ((ASV / "0.6.6-median", ASV / "0.5.1"), "asv run --record-samples"),
        (("nowhere", "nowhere"), "run = 'nowhere': holds no run.json"),
        (("now@here", "nowhere"), "from_asv = 'now': must be a folder"),
    ],
)
def test_what_cannot_be_compared_is_one_line(crossover, runs, message):
    code, said, errors = crossover("compare", *runs)
    assert (code, said) == (2, "")
    assert errors.count("\n") == 1
    assert message in errors


def test_an_asv_commit_can_be_compared_with_a_run_folder(crossover, no_report):
    assert crossover("report", "--from-asv", ASV / "0.5.1", "--out", "ours")[0] == 3
    header = json.loads((Path("ours") / "run.json").read_text())
    assert header["command"].startswith("crossover report --from-asv")
    assert crossover("compare", "ours", ASV / "0.5.1")[0] == 3


def test_our_own_store_is_reported_beside_a_file_that_was_cut_off(crossover, tmp_path):
    shutil.copytree(FIXTURES / "asv" / "0.6.6", tmp_path / "store")
    broken = tmp_path / "store" / "testbox" / "aaaaaaaa-existing-py3.11.json"
    whole = next(broken.parent.glob("d389*.json")).read_text()
    broken.write_text(whole[:2000])
    code, said, errors = crossover("report", "--from-asv", "store", "--show")
    assert code == 3
    assert errors.startswith("crossover: left out: file = 'store/testbox/aaaaaaaa-exis")
    assert errors.count("\n") == 1
    assert "testbox-bd16e930-existing-py3.11:" in said
    assert "testbox-d389ab64-existing-py3.11:" in said
    for named in ("store@aaaaaaaa", broken):
        code, _, errors = crossover("report", "--from-asv", named, "--show")
        assert code == 2
        assert "aaaaaaaa-existing-py3.11.json: must be JSON" in errors.replace("'", "")


def test_one_of_our_tests_without_statistics_is_a_cell_that_failed(crossover, tmp_path):
    fields = json.loads((FIXTURES / "pytest_benchmark" / "5.3.1.json").read_text())
    fields["benchmarks"][0]["stats"] |= {"median": None, "data": []}
    Path("it.json").write_text(json.dumps(fields), encoding="utf-8")
    code, said, errors = crossover(
        "report", "--from-pytest-benchmark", "it.json", "--show"
    )
    assert (code, errors) == (3, "")
    assert "1 cell ended without a time (failed)" in said
    assert "is ahead" in said or "are ahead" in said
    fields["benchmarks"][1]["stats"]["median"] = "fast"
    Path("it.json").write_text(json.dumps(fields), encoding="utf-8")
    code, _, errors = crossover("report", "--from-pytest-benchmark", "it.json")
    assert code == 2
    assert "benchmarks.1.stats.median = 'fast': must be a valid number" in errors
