"""The verdict as Markdown, as a page, and its picture."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from os import environ
from pathlib import Path

import pytest
from lesson_run import evidence

from crossover.lesson.evidence import FUSED, STEPS, Whole
from crossover.lesson.verdict_files import document, write_verdict
from crossover.report.words.document import markdown, page

EVIL = "<script>document.title='executed'</script>\"><img src=x onerror=alert(1)>|*'"
WHOLE = Whole(((STEPS // 2, 7.0), (STEPS // 2, 7.0)), 0.8)
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(scope="module")
def found():
    """Return the evidence where the reason why there is no GPU is hostile."""
    return replace(evidence(), gpu_missing=EVIL, wholes={FUSED: WHOLE})


@pytest.fixture(scope="module")
def folder(found, tmp_path_factory):
    out = tmp_path_factory.mktemp("verdict")
    (out / "plots").mkdir()
    write_verdict(found, f"CPU {EVIL}", out)
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
    assert row == "| 50 | 850, 833 to 867 (17) | 0.35, 0.343 to 0.357 (0.007) |"
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables if line.startswith("| 5")} == {4}
    cells = set(re.findall(r"<td class=\"n\">([^<]*)</td>", html(folder)))
    assert all(f"| {cell} |" in text for cell in cells)


def html(folder):
    return (folder / "verdict.html").read_text("utf-8")


def test_a_gpu_has_a_column_in_text_and_page():
    text = document(evidence((600, 0.1, 4.5)), "facts", b"\x89PNG" + bytes(20))
    assert "| batch size | cpu/lesson | cpu/fused@1 | cuda/lesson |" in markdown(text)
    assert '<th scope="col" class="n">cuda/lesson</th>' in page(text)
    assert "True here" not in text.answer
    assert "over batch sizes, the GPU is ahead from" in markdown(text)


def test_the_picture_is_that_of_the_run_s_batch_sizes(found):
    section = document(found, "facts", b"png").sections[1]
    (picture,) = section.pictures
    assert (picture.name, picture.png) == ("steps", b"png")
    assert (
        "The fused code with one thread is ahead of the lesson code from the small"
        in picture.alt
    )


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
