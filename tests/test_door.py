"""Results as people hold them: recorded runs, comparisons, anybody's table."""

import contextlib
import io
import json
import math
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.figure
import pandas as pd
import pytest
from builders import make_machine, make_rounds, make_run

from crossover import InputError, analyse, compare, read, run
from crossover.door.progress import Line, NotebookLine
from crossover.door.result import Result
from crossover.plan.plan import Block

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results/reference"
SIZES = [8, 32, 48, 64, 80, 96, 128, 256, 512]
SPEC = {
    "workload": "softmax",
    "contenders": ["cpu/resident@1", "cpu/resident@2"],
    "pairs": [["cpu/resident@1", "cpu/resident@2"]],
    "sweep": [{"axis": "batch_size", "values": SIZES, "samples": 512}],
    "control": False,
}


class Page(HTMLParser):
    """Collects the tags of a page, and the text in each kind of them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for tag in self._open[-1:]:
            self.texts.setdefault(tag, []).append(data.strip())


def crossing_run(crossing=64, noise=0.01, name="r"):
    """Return a run in which two threads are ahead above a batch size."""

    def law(case, contender, number):
        drawn = random.Random(f"{case.id} {contender} {number}").gauss(0, noise)
        size = case["batch_size"]
        rows = crossing + size / 2 if contender.threads == 2 else 1.5 * size
        return 1e-4 * rows * math.exp(drawn)

    spec = make_run(SPEC).spec
    cases = spec.sweep[0].cases().values()
    rows = make_rounds(cases, SPEC["contenders"], law, 32)
    return make_run(spec, rows, name, machine=make_machine())


@pytest.fixture(scope="module")
def reference():
    return read(REFERENCE)


def test_a_recorded_run_is_read_with_its_answers(reference, crossover):
    _, said, _ = crossover("report", "--show", REFERENCE)
    told = reference.answer.splitlines()
    assert len(told) > 10
    assert {line for line in told if line.startswith("  ")} <= {*said.splitlines()}
    assert repr(reference) == reference.answer
    assert reference.folder == REFERENCE
    assert not reference.partial


@pytest.mark.parametrize(
    "name",
    ["crossovers", "measurements", "estimates", "breakeven", "speedups", "costs"],
)
def test_the_tables_of_a_result_are_those_of_its_files(reference, name):
    table = reference.frame(name)
    kept = pd.read_csv(REFERENCE / f"{name}.csv")
    assert [*table.columns] == [*kept.columns]
    assert len(table) == len(kept)
    table["extra"] = 1
    assert "extra" not in reference.frame(name)


def test_a_wrong_name_says_what_is_allowed(reference):
    with pytest.raises(InputError, match=r"frame = 'rounds': must be one of .*costs"):
        reference.frame("rounds")
    with pytest.raises(InputError, match=r"sweep = 99: must be 1 to \d+"):
        reference.plot(99)
    with pytest.raises(InputError, match="holds no "):
        read(ROOT / "softmax_core")


def test_a_notebook_shows_answers_picture_and_zones():
    found = Result(crossing_run())
    shown = found._repr_html_()
    page = Page(shown)
    (picture,) = [attrs for tag, attrs in page.tags if tag == "img"]
    assert picture["src"].startswith("data:image/png;base64,iVBOR")
    assert picture["alt"].startswith("Left time, right speedup. ")
    assert not {"script", "link", "style"} & {tag for tag, _ in page.tags}
    assert "http" not in re.sub(r'src="data[^"]*"', "", shown)
    assert page.texts["caption"] == ["two threads against one thread, size by size"]
    sizes = page.texts["th"]
    assert sizes[:2] == ["batch size", "two threads are"]
    assert sizes[-9:] == [*map(str, SIZES)]
    assert page.texts["td"][0] == "behind"
    assert "ahead" in page.texts["td"]
    assert page.texts["li"][0].startswith(": One thread is up to ")
    answer = found.answer.splitlines()[1]
    assert page.texts["strong"][-1] in answer


def test_texts_of_strangers_are_shown_and_never_obeyed():
    evil = "<img src=x onerror=alert(1)>"
    table = pd.DataFrame(
        [(n, who, 1e-3 * n) for n in (1, 2) for who in (evil, "b") for _ in range(6)],
        columns=["n", "who", "seconds"],
    )
    found = analyse(table, axis="n", contender="who", time="seconds")
    page = Page(found._repr_html_())
    assert [tag for tag, _ in page.tags if tag == "img"] == []
    assert f"b against {evil}, size by size" in page.texts["caption"]


def test_a_picture_is_a_figure_that_a_notebook_can_show(unclipped):
    figure = Result(crossing_run()).plot()
    assert isinstance(figure, matplotlib.figure.Figure)
    assert len(figure.axes) >= 2
    assert figure._repr_png_().startswith(b"\x89PNG")
    unclipped(figure)


def test_a_run_without_a_time_has_no_picture():
    spec = make_run(SPEC).spec
    with pytest.raises(InputError, match="nothing of it was measured"):
        Result(make_run(spec)).plot()
    assert "<img" not in Result(make_run(spec))._repr_html_()


def test_a_result_goes_on_where_it_is_saved(tmp_path):
    found = Result(crossing_run(noise=0.6))
    assert "inconclusive" in found.answer, found.answer
    assert ".save('DIR'), then crossover run --resume DIR" in found.answer
    out = found.save(tmp_path / "kept")
    assert f"next: crossover run --resume {out}" in found.answer
    assert ".save" not in found.answer
    assert read(out).answer == found.answer
    with pytest.raises(InputError, match="holds"):
        Result(crossing_run(name="other")).save(out)


def test_what_is_partial_says_so_first():
    found = Result(crossing_run(), partial=True)
    said = "Interrupted: this is what was measured until then."
    assert found.answer.splitlines()[0] == said
    assert said in Page(found._repr_html_()).texts["strong"]


def test_runs_are_compared_wherever_they_are(tmp_path):
    first, second = Result(crossing_run()), Result(crossing_run(crossing=100))
    same = compare(first, first.save(tmp_path / "first"))
    assert not same.changed
    assert re.match(
        r"0 of \d+ changed by more than 5 %(\. Not .*)?\nr: r; ", same.answer
    )
    found = compare(first, second, fail_moved=1.25, fail_slower="5%")
    assert found.changed
    assert found.failed
    table = found.frame()
    assert {*table["kind"]} == {"crossover", "contender", "time"}
    crossing = table[table["kind"] == "crossover"].iloc[0]
    assert crossing["failed"]
    assert crossing["before"] == pytest.approx(69, rel=0.15)
    assert json.loads(found.json())["failed"]
    assert found.markdown().startswith("# Benchmarks: failed\n")
    page = Page(found._repr_html_())
    assert len(page.texts["caption"]) == 3
    failed = table["failed"] & (table["verdict"] == "slower")
    assert page.texts["td"].count("FAILED: slower") == failed.sum()
    assert not compare(first, second, margin="90%").changed
    assert len(compare(first, first, second).comparison.sides) == 3


@pytest.mark.parametrize(
    ("sides", "options", "kind", "said"),
    [
        ((REFERENCE, "nowhere"), {}, ValueError, "run = 'nowhere'"),
        ((REFERENCE, REFERENCE), {"margin": "all"}, ValueError, "margin = 'all'"),
        (
            (REFERENCE, REFERENCE),
            {"fail_slower": []},
            TypeError,
            "fail_slower = \\[\\]",
        ),
        ((REFERENCE, REFERENCE), {"fail_moved": 1}, ValueError, "fail_moved = '1'"),
        ((REFERENCE, REFERENCE), {"margin": []}, TypeError, "margin = \\[\\]: must be"),
    ],
)
def test_wrong_sides_say_what_is_allowed(sides, options, kind, said):
    with pytest.raises(kind, match=said):
        compare(*sides, **options)


def times_of_two(rounds=8):
    return pd.DataFrame(
        {"n": n, "device": device, "round": i, "ms": (3 + n * slope) * (1 + i / 1e4)}
        for n in (10, 100, 1000)
        for i in range(rounds)
        for device, slope in (("cpu", 0.1), ("gpu", 0.01))
    )


def test_a_table_is_analysed_as_its_file_is(tmp_path, crossover):
    table = times_of_two()
    table["ms"] += (table["device"] == "gpu") * 5
    found = analyse(
        table, axis="n", contender="device", time="ms", round="round", baseline="cpu",
        challenger="gpu",
    )  # fmt: skip
    table.to_csv(tmp_path / "times.csv", index=False)
    _, said, _ = crossover(
        "analyse", tmp_path / "times.csv", "--axis", "n", "--contender", "device",
        "--time", "ms", "--round", "round", "--baseline", "cpu", "--challenger", "gpu",
        "--out", tmp_path / "typed",
    )  # fmt: skip
    assert said.startswith(f"{found.answer}\n{found.read}\n")
    assert found.answer.startswith("found")
    out = found.save(tmp_path / "saved")
    for name in ("analyse.csv", "analyse.md"):
        assert (out / name).read_text() == (tmp_path / "typed" / name).read_text()
    row = found.frame().iloc[0]
    assert row["outcome"] == "found"
    assert row["low"] < row["at"] < row["high"]
    assert Page(found._repr_html_()).texts["th"][-3:] == ["10", "100", "1,000"]


def test_groups_of_a_table_have_an_answer_each():
    table = pd.concat([times_of_two().assign(model=m) for m in ("a", "b")])
    found = analyse(table, "n", "device", "ms", round="round", by="model")
    assert found.frame()["model"].tolist() == ["a", "b"]
    assert found.answer.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "options", "kind", "said"),
    [
        (lambda t: [1], {}, TypeError, r"table = \[1\]: must be a DataFrame"),
        (lambda t: t, {"axis": "m"}, ValueError, "column = 'm': must be one of n, dev"),
        (
            lambda t: t,
            {"contender": "x"},
            ValueError,
            "column = 'x': must be one of",
        ),
        (
            lambda t: t.assign(device="cpu"),
            {},
            ValueError,
            "contender: only cpu is there; must be two to compare",
        ),
        (lambda t: t.assign(ms="soon"), {}, ValueError, "ms = 'soon'"),
        (lambda t: t, {"by": 3}, TypeError, "by = 3: must be texts, such as 'model'"),
    ],
)
def test_a_wrong_table_says_what_is_allowed(change, options, kind, said):
    named = {"axis": "n", "contender": "device", "time": "ms"} | options
    with pytest.raises(kind, match=said) as raised:
        analyse(change(times_of_two()), round="round", **named)
    assert "/tmp" not in str(raised.value)


JOB = """
import torch

def train(device, hidden=64):
    w, x = torch.ones(hidden, hidden).to(device), torch.ones(8, hidden).to(device)
    return lambda: (x @ w).sum()

def twice(device, hidden=64):
    once = train(device, hidden)
    return lambda: (once() + once()) / 2
"""


@pytest.mark.slow
def test_a_run_has_a_process_for_each_contender(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text(JOB)
    found = run(
        "job.py", sizes={"hidden": [8, 16], "steps": 20}, rounds=5, grid=True,
        contenders=["cpu/train@1", "cpu/twice@1"],
    )  # fmt: skip
    rows = found.frame("measurements")
    assert rows["setup_s"].notna().all()
    assert rows["flags"].isna().all() or {*rows["flags"]} == {""}
    assert {*rows["contender"]} == {"cpu/train@1", "cpu/twice@1"}
    assert len(rows) >= 20
    assert found.run.command == "crossover.run('job.py')"
    assert "one process" not in found.answer
    assert [path.name for path in tmp_path.iterdir()] == ["job.py"]
    out = found.save("kept")
    assert json.loads((out / "run.json").read_text())["user_file"]["name"] == "job.py"


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "said"),
    [
        (("nothing.toml",), {}, ValueError, "spec = 'nothing.toml': No such file"),
        (("nothing.py",), {}, ValueError, "nothing.py: No such file"),
        ((SPEC,), {"rounds": 8}, ValueError, "job: is a spec, which must hold all"),
        (({**SPEC, "round": 3},), {}, ValueError, "job: round: unknown key; must be"),
        ((None, ["a"]), {}, TypeError, r"sizes = \['a'\]: must be values by name"),
        ((None, None, 3), {}, TypeError, "contenders = 3: must be texts"),
        ((None, None, None, "x"), {}, ValueError, "budget = 'x': must be a duration"),
        ((None,), {"preset": "huge"}, ValueError, "preset = 'huge': must be one of"),
    ],
)
def test_a_wrong_job_says_what_is_allowed(arguments, options, kind, said):
    with pytest.raises(kind, match=said):
        run(*arguments, **options)


def test_a_log_gets_a_line_a_minute():
    now, said = [0.0], []
    line = Line(said.append, 60.0, lambda: now[0])
    case = make_run(SPEC).spec.sweep[0].case_at(8)
    with line:
        for second in range(0, 200, 10):
            now[0] = float(second)
            line(Block(case, (), (0,)), second, 240.0)
    assert said == [
        f"crossover: {share} % of about 4 min is done, now at {case.id}"
        for share in (25, 50, 75)
    ]


def test_a_notebook_gets_one_line_that_changes():
    shown = []

    class Handle:
        def update(self, data, raw):
            assert raw
            shown.append(data["text/plain"])

    def display(data, raw, display_id):
        assert raw
        assert display_id
        shown.append(data["text/plain"])
        return Handle()

    with NotebookLine(display):
        pass
    assert shown == ["crossover: measuring", "crossover: measured"]


@pytest.mark.slow
def test_every_example_of_the_docs_runs_and_prints_what_it_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs/python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", text, re.S)
    assert [bool(said) for _, said in blocks].count(True) == 5
    names = {"__name__": "documents"}
    for code, said in blocks:
        if "import pytest" in code:  # tests/test_pytest_plugin.py runs it
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            quick = code.replace('budget="20s"', 'budget="5s", grid=True, rounds=5')
            exec(compile(quick, "docs/python.md", "exec"), names)
        if said:
            assert out.getvalue().strip() == said.strip()
    assert "all rounds are of one process" in names["found"].answer
