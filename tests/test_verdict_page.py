"""The verdict as Markdown, as a page, and its picture."""

import re
import shutil
from html.parser import HTMLParser
from os import environ
from pathlib import Path

import pytest

from crossover.lesson.evidence import Code, Cost, Evidence, Whole
from crossover.lesson.verdict_files import curve, document, write_verdict
from crossover.report.pictures.verdict import StepCurve, steps_figure
from crossover.report.words.document import markdown, page

EVIL = "<script>document.title='executed'</script>\"><img src=x onerror=alert(1)>|*'"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def code(name, floor_us, row_us):
    costs = []
    for batch in (5, 50, 500):
        step_s = 1e-6 * (floor_us + row_us * batch)
        costs.append(Cost(batch, 100, tuple(100 * step_s for _ in range(8))))
    return Code(name, 0.5, tuple(costs))


def evidence(gpu=None, missing="torch was built without CUDA"):
    whole = Whole(((1000, 0.1), (1000, 0.1)), 0.8)
    loop, fused = code("the loop", 300, 8), code("fused", 0.1, 0.01)
    return Evidence(2000, 500, 2, loop, fused, gpu, missing, whole)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("verdict")
    (out / "plots").mkdir()
    write_verdict(evidence(missing=EVIL), f"CPU {EVIL}", out)
    return out


class Reader(HTMLParser):
    """Collects texts, tags and what is loaded."""

    def __init__(self):
        super().__init__()
        self.tags, self.loaded, self.texts, self.ids = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        self.loaded += [found["src"]] if "src" in found else []
        self.ids += [found["id"]] if "id" in found else []

    def handle_data(self, data):
        self.texts.append(data)


def read(folder):
    reader = Reader()
    reader.feed((folder / "verdict.html").read_text("utf-8"))
    return reader


def test_all_files_are_there(folder):
    names = {str(p.relative_to(folder)) for p in folder.rglob("*.*")}
    assert names == {"verdict.html", "verdict.md", "plots/steps.png", "plots/steps.svg"}


def test_the_page_holds_all_and_loads_nothing(folder):
    reader = read(folder)
    text = " ".join(reader.texts)
    assert "script" not in reader.tags
    assert all(url.startswith("data:image/png;base64,") for url in reader.loaded)
    assert len(reader.loaded) == 1
    assert reader.tags.count("table") == 5
    assert text.count(EVIL) >= 3  # in the facts, the answer, and what is missing
    assert "when the computation takes more than 4 hours" in text
    assert {"answer", "predicted", "decides", "scaled", "full", "missing"} <= set(
        reader.ids
    )
    html = (folder / "verdict.html").read_text("utf-8")
    targets = re.findall(r'href="#([^"]+)"', html)
    assert set(targets) <= set(reader.ids)


def test_the_markdown_says_the_same(folder):
    text = (folder / "verdict.md").read_text("utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "plots/steps.png" in text
    row = next(line for line in text.splitlines() if line.startswith("| 50 |"))
    assert row == "| 50 | 700, 700 to 700 (14) | 0.6, 0.6 to 0.6 (0.012) |"
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables if line.startswith("| 5")} == {4}
    cells = set(re.findall(r"<td class=\"n\">([^<]*)</td>", html(folder)))
    assert all(f"| {cell} |" in text for cell in cells)


def html(folder):
    return (folder / "verdict.html").read_text("utf-8")


def test_a_gpu_has_a_column_in_text_and_page():
    given = evidence(code("GPU loop", 600, 0.1), "")
    text = document(given, "facts", b"\x89PNG" + bytes(20))
    assert "| batch size | the loop | GPU loop | fused |" in markdown(text)
    assert '<th scope="col" class="n">GPU loop</th>' in page(text)
    assert "True here" not in text.answer
    assert "is ahead of the loop from a batch size of 50 on" in markdown(text)


def test_the_picture_shows_the_floor_of_each_code(unclipped):
    given = evidence()
    curves = [curve(given.loop), curve(given.fused)]
    assert curves[0] == StepCurve(
        "the loop", (5, 50, 500), *((pytest.approx((34e-5, 7e-4, 43e-4)),) * 3),
        pytest.approx(3e-4), pytest.approx(8e-6),
    )  # fmt: skip
    figure = steps_figure(curves, 5, "median of n = 8 chunks")
    unclipped(figure)
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    flat = [
        line.get_ydata()[0]
        for line in axes.lines
        if line.get_linestyle() == ":" and len(set(line.get_ydata())) == 1
    ]
    assert flat == pytest.approx([3e-4, 1e-7])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "floor of a step: 300 \u00b5s" in labels
    assert "the loop" in labels


def test_a_code_without_a_floor_has_no_line_for_it():
    bare = StepCurve("x", (5, 50), (1e-6, 1e-5), (1e-6, 1e-5), (1e-6, 1e-5), 0.0, 2e-7)
    (axes,) = steps_figure([bare], 5, "t").axes
    labels = [line.get_label() for line in axes.lines]
    assert not any("floor" in str(label) for label in labels)
    assert steps_figure([], 5, "t").axes[0].texts[0].get_text() == "not measured"


@pytest.mark.chromium
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is missing")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_it_fits_a_phone_and_axe_finds_nothing_serious(folder):
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    axe = environ.get("AXE_CORE", "")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
        for width, scheme in ((1280, "light"), (390, "dark")):
            tab = browser.new_page(
                viewport={"width": width, "height": 900}, color_scheme=scheme,
                bypass_csp=True,
            )  # fmt: skip
            tab.goto((folder / "verdict.html").as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert tab.title() == "Is the GPU faster once a job takes over 4 hours?"
            if Path(axe).is_file():
                tab.add_script_tag(path=axe)
                found = tab.evaluate("axe.run(document)")
                assert [v["id"] for v in found["violations"]] == []
                assert len(found["passes"]) > 15
        browser.close()
