"""The page in Debian's Chromium: wide and narrow, light and dark, without a script.

Chromium is started once. Skipped, with the reason, where there is none; axe-core is
taken from the environment variable AXE_CORE (the file axe.min.js).
"""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from crossover.analysis.frame import derive, frames
from crossover.findings import Answer, Crossover
from crossover.record import run_folder
from crossover.report import page as pages
from crossover.report.pictures.figures import pictures, small_png

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is missing"),
    # Chromium's pipes are closed by its own thread, after the test that looks
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
REFERENCE = Path(__file__).parent.parent / "results/reference"
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking",
]  # fmt: skip
EVIL = "<script>document.title='executed'</script>\"><img src=x onerror=alert(1)>🦀'"
LOOKS = [(1280, "light"), (390, "dark")]
"""Each width and each scheme once: no rule of the page depends on both."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Write the reference run's page with a picture and hostile texts in it."""
    run = run_folder.load(REFERENCE)
    run = dataclasses.replace(
        run, command=f"crossover run {EVIL}", commit=EVIL,
        machine=dataclasses.replace(run.machine, cpu=f"AMD {EVIL}"),
    )  # fmt: skip
    derived = derive(run)
    row = Crossover(
        "epochs",
        run.spec.sweep[0].line.at(batch_size=1).without("epochs"),
        "train",
        "time_s",
        "cpu/resident@1",
        EVIL,
        Answer("always", speedup_smallest=1.5, speedup_largest=2.0, flags=(EVIL,)),
    )
    derived = dataclasses.replace(derived, crossovers=[*derived.crossovers, row])
    first = next(pictures(run, derived))
    shown = dataclasses.replace(first, png=small_png(first.draw()))
    out = tmp_path_factory.mktemp("page") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "MOST_ROWS", 20)  # axe looks at every cell
        text = pages.page(run, derived, frames(run, derived), [shown])
    out.write_text(text, "utf-8")
    return out


@pytest.fixture(scope="module")
def browser():
    """Start Chromium once."""
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, file):
    """Return what opens the page; it fails on errors and requests in the end."""
    contexts, wrong = [], []

    def open_page(width=1280, scheme="light", **more):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **more
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: wrong.append(dialog.message))
        tab.on("request", lambda request: _note(request.url))
        tab.goto(file.as_uri())
        return tab

    def _note(url):
        if url != file.as_uri() and not url.startswith("data:"):
            wrong.append(url)

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_overflows_and_nothing_is_executed(opened, width, scheme):
    tab = opened(width, scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = "document.documentElement.scrollWidth"
    assert tab.evaluate(wide) <= width
    assert tab.evaluate("document.body.scrollWidth") <= width
    # tables are wider and scroll in their own regions, that the keyboard can reach
    regions = tab.locator(".scroll")
    assert regions.count() >= 4
    assert tab.evaluate(
        "[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)"
    )
    assert tab.title().startswith("Crossover report ")
    assert EVIL in tab.locator("header p").first.inner_text()
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 21, 26)"}[scheme]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_serious(opened, width, scheme):
    axe = os.environ.get("AXE_CORE", "")
    if not Path(axe).is_file():
        pytest.skip("axe-core is missing: AXE_CORE must name axe.min.js")
    tab = opened(width, scheme, bypass_csp=True)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    tab.add_script_tag(path=axe)
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    bad = [
        (v["id"], v["impact"], [n["html"][:120] for n in v["nodes"][:3]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert bad == []
    assert len(found["passes"]) > 20


def test_a_table_is_sorted_by_the_keyboard(opened):
    tab = opened()
    block = tab.locator("[data-table='Times']")
    head = block.locator("th", has_text="Median").first
    column = head.evaluate("h => h.cellIndex") + 1
    cells = block.locator(f"tbody tr td:nth-child({column})")

    def shown():
        return cells.evaluate_all("all => all.map(c => Number(c.dataset.value))")

    before = shown()
    head.get_by_role("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    rising = shown()
    assert rising == sorted(rising) != before
    tab.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    falling = shown()
    assert falling == rising[::-1]
    other = block.locator("th", has_text="Contender").get_by_role("button")
    other.focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") is None


def test_a_table_is_filtered_and_counted(opened):
    tab = opened()
    block = tab.locator("[data-table='Every crossover']")
    rows = block.locator("tbody tr")
    count = rows.count()
    field = block.get_by_label("Filter")
    field.focus()
    tab.keyboard.type("found ALONE")
    visible = [row for row in rows.all() if row.is_visible()]
    assert 0 < len(visible) < count
    assert all("training alone" in row.inner_text() for row in visible)
    said = block.locator("output").inner_text()
    assert said == f"{len(visible)} of {count} rows"
    field.fill("nothing has this in it")
    assert block.locator("output").inner_text() == f"0 of {count} rows"


def test_all_digits_are_shown_on_request(opened):
    tab = opened()
    block = tab.locator("[data-table='Every crossover']")
    cell = block.locator("td[data-column='at']").first
    rounded = cell.inner_text()
    box = block.get_by_label("all digits")
    box.focus()
    tab.keyboard.press("Space")
    assert cell.inner_text() == cell.get_attribute("data-value") != rounded
    tab.keyboard.press("Space")
    assert cell.inner_text() == rounded


def test_the_skip_link_and_folded_numbers_are_reached(opened):
    tab = opened()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.locator(".skip").bounding_box()["x"] >= 0
    tab.locator("figcaption a", has_text="the numbers below").first.focus()
    tab.keyboard.press("Enter")
    playwright.expect(tab.locator("#numbers-1 table").first).to_be_visible()


def test_pictures_have_their_size_and_alternative_text(opened):
    tab = opened(390)
    image_ = tab.locator("figure img").first
    assert "ahead" in image_.get_attribute("alt")
    natural = image_.evaluate("i => [i.naturalWidth, i.naturalHeight]")
    assert natural == [int(image_.get_attribute(n)) for n in ("width", "height")]
    assert natural[0] > 500


def test_it_reads_without_a_script(opened, file):
    tab = opened(java_script_enabled=False)
    derived = run_folder.load(REFERENCE)
    assert derived.run_id in tab.locator("header").inner_text()
    assert tab.locator(".answers li").count() >= 3
    rows = tab.locator("[data-table='Every crossover'] tbody tr")
    assert rows.count() > 10
    assert all(row.is_visible() for row in rows.all())
    assert not tab.locator(".tools").first.is_visible()
    assert tab.locator("thead button").count() == 0


def test_it_prints(opened, tmp_path):
    tab = opened()
    tab.emulate_media(media="print")
    assert not tab.locator("nav").is_visible()
    assert not tab.locator(".tools").first.is_visible()
    # A4 less its margins: wide sections lie across
    for width, tables in ((1047, ".wide table"), (688, "section:not(.wide) table")):
        tab.set_viewport_size({"width": width, "height": 900})
        wide = "all => Math.max(0, ...all.map(t => t.getBoundingClientRect().right))"
        assert tab.locator(tables).evaluate_all(wide) <= width
    pdf = tab.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 3
