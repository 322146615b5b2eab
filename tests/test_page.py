"""The page against the CSV files: every number on it, and what its HTML promises."""

import base64
import csv
import dataclasses
import hashlib
import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crossover.analysis.flags import ADVICE
from crossover.analysis.frame import Frames, derive, frames
from crossover.contender import Contender
from crossover.files.csv_file import frame_csv
from crossover.findings import Answer, Crossover
from crossover.record import run_folder
from crossover.report import page as pages
from crossover.report.page import page
from crossover.report.words import document
from crossover.report.words.document import Picture

REFERENCE = Path(__file__).parent.parent / "results/reference"
VOID = {"meta", "link", "input", "img", "br"}
PNG = bytes(16) + (640).to_bytes(4) + (480).to_bytes(4)  # as far as it is read
COUNTS = {"samples", "features", "classes", "batch_size", "rounds"}
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "x": 1.0, "%": 0.01, "": 1.0}


class Reader(HTMLParser):
    """Collects elements, their texts, and the CSV row that they stand under."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.marked, self.loose, self.elements = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        above = self.stack[-1] if self.stack else {"row": None}
        own = dict(attributes)
        row = own.get("data-row", above["row"])
        element = {"tag": tag, "own": own, "text": "", "row": row}
        self.elements.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        element = self.stack.pop()
        assert element["tag"] == tag
        if "data-value" in element["own"]:
            self.marked.append(element)

    def handle_data(self, data):
        for element in self.stack:
            element["text"] += data
        inner = self.stack[-1] if self.stack else None
        if inner and inner["row"] and "data-value" not in inner["own"]:
            self.loose.append((inner["row"], data))

    def all(self, tag):
        return [e for e in self.elements if e["tag"] == tag]


def csv_rows(folder: Path, tables: Frames) -> dict[str, list[dict[str, str]]]:
    """Write the tables as the report does, and read them back as texts."""
    found = {}
    for field in dataclasses.fields(tables):
        file = folder / f"{field.name}.csv"
        file.write_text(frame_csv(getattr(tables, field.name)))
        with open(file, encoding="utf-8", newline="") as lines:
            found[field.name] = list(csv.DictReader(lines))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the reference run's page, read, and its CSV rows as texts."""
    run = run_folder.load(REFERENCE)
    derived = derive(run)
    tables = frames(run, derived)
    names = [f"sweep{i}-{s.axis}" for i, s in enumerate(run.spec.sweep, start=1)]
    words = ("A picture", "what is seen", "n = 8", PNG)
    text = page(
        run,
        derived,
        tables,
        [Picture(name, *words, sweep=i) for i, name in enumerate(names, 1)],
    )
    return text, Reader(text), csv_rows(tmp_path_factory.mktemp("csv"), tables)


def agrees(text: str, value: float, column: str) -> bool:
    """Tell whether a text is a value, rounded to three digits, counts in full."""
    if text in ("as fast", "the same"):
        return abs(value - 1) < 0.005
    number, unit = re.fullmatch(r"([\d.,e+-]+) ?(\D*)", text).groups()
    shown = float(number.replace(",", "")) * UNITS[unit]
    allowed = [value]
    if unit == "x":
        allowed.append(1 / value)  # 1.6x slower
    if column == "confidence":
        allowed.append(100 * value)  # `95` stands before ` %` in a sentence
    if column in COUNTS:
        return shown == value
    return any(abs(shown - v) <= 0.00501 * abs(v) for v in allowed)


def test_every_number_is_its_csv_cell(made):
    _, reader, rows = made
    seen = set()
    for element in reader.marked:
        file, _, place = element["row"].partition(":")
        column = element["own"]["data-column"]
        cell = rows[file][int(place) - 1][column]
        assert element["own"]["data-value"] == cell
        assert agrees(element["text"], float(cell), column), (element["text"], cell)
        seen.add((file, place, column))
    counts = Counter(file for file, _, _ in seen)
    assert min(counts[n] for n in ("crossovers", "breakeven", "speedups")) >= 100
    assert counts["estimates"] >= 1000
    assert counts["costs"] >= 40


def test_no_number_stands_unmarked_in_a_row_or_an_answer(made):
    _, reader, rows = made
    checked = 0
    for row, text in reader.loose:
        file, _, place = row.partition(":")
        texts = " ".join(rows[file][int(place) - 1].values())  # names and flags
        for digits in re.findall(r"\d[\d.,]*", text):
            assert digits.rstrip(".,") in texts, (row, text)
            checked += 1
    assert checked > 50


def test_every_row_and_every_filled_cell_is_on_the_page(made):
    text, reader, rows = made
    heads = {c.field for c in pages.cells.CROSSOVERS}
    on_page = {(e["row"], e["own"]["data-column"]) for e in reader.marked}
    for place, row in enumerate(rows["crossovers"], start=1):
        for column in heads & {"at", "low", "high", "first_win", "fitted", "slope"}:
            assert ((f"crossovers:{place}", column) in on_page) == bool(row[column])
    keys = {e["own"].get("data-row") for e in reader.all("tr")}
    count, most = len(rows["estimates"]), pages.MOST_ROWS
    assert keys >= {f"estimates:{i + 1}" for i in range(min(count, most))}
    assert (f"The first {most} of {count:,} rows" in text) == (count > most)
    assert keys >= {
        f"speedups:{i}"
        for i, row in enumerate(rows["speedups"], start=1)
        if row["view"] == "train"
    }


def test_the_page_is_one_document_without_anything_outside(made):
    text, reader, _ = made
    assert [e["text"] for e in reader.all("h1")] == ["From which size on does it pay?"]
    levels = [
        int(e["tag"][1]) for e in reader.elements if re.match("h[1-6]$", e["tag"])
    ]
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert reader.all("html")[0]["own"]["lang"] == "en"
    for element in reader.elements:
        source = element["own"].get("src", "data:")
        assert source.startswith("data:"), source
        href = element["own"].get("href", "#")
        assert not re.match(r"[a-z]+:(?!,)|//", href), href
    ids = [e["own"]["id"] for e in reader.elements if "id" in e["own"]]
    assert len(ids) == len(set(ids))
    for link in reader.all("a"):
        href = link["own"]["href"]
        assert not href.startswith("#") or href[1:] in ids, href
    files = {e["own"]["href"] for e in reader.all("a")}
    assert files >= {
        "measurements.csv", "estimates.csv", "crossovers.csv", "breakeven.csv",
        "speedups.csv", "costs.csv", "plots/sweep1-batch_size.svg",
    }  # fmt: skip
    assert all(e["own"]["alt"] for e in reader.all("img"))
    assert len(reader.all("caption")) == len(reader.all("table")) > 0
    assert all(e["own"].get("scope") for e in reader.all("th"))
    assert text.startswith("<!doctype html>")


def test_only_the_pages_own_script_may_run(made):
    _, reader, _ = made
    (script,) = reader.all("script")
    digest = hashlib.sha256(script["text"].encode()).digest()
    policy = next(
        e["own"]["content"] for e in reader.all("meta") if "http-equiv" in e["own"]
    )
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert not any(key.startswith("on") for e in reader.elements for key in e["own"])


def test_the_answers_come_first_and_in_words(made):
    _, reader, _ = made
    said = [e["text"] for e in reader.all("p") if e["own"].get("class") == "say"]
    assert said
    doubt = r"((Unfinished|Doubtful) \(.+\): )?"
    assert all(re.match(rf"{doubt}(One|Two|The|No difference) ", one) for one in said)
    heads = [e["text"] for e in reader.all("h2")]
    assert heads[:3] == ["On this machine", "Not measured, and why", "Every crossover"]
    terms = [e["own"].get("id", "") for e in reader.all("dt")]
    assert set() < {t[5:] for t in terms if t.startswith("flag-")} <= set(ADVICE)


def test_hostile_texts_stay_texts():
    evil = "<script>alert(1)</script>\"'</style><img src=x onerror=alert(1)>{{ 7*7 }}🦀"
    run = run_folder.load(REFERENCE)
    machine = dataclasses.replace(run.machine, cpu=evil, hostname=evil)
    rows = [
        dataclasses.replace(m, notes=evil, contender=Contender(evil, evil, 1))
        if m.contender.trainer == "manual" else m
        for m in run.measurements
    ]  # fmt: skip
    run = dataclasses.replace(
        run, run_id=evil, command=evil, machine=machine, commit=evil,
        measurements=tuple(rows), spec=run.spec.model_copy(update={"name": evil}),
    )  # fmt: skip
    derived = derive(run)
    row = Crossover(
        "epochs",
        rows[0].case.without("epochs"),
        "train",
        "time_s",
        evil,
        evil,
        Answer("always", flags=(evil,)),
    )
    derived = dataclasses.replace(derived, crossovers=[row, *derived.crossovers])
    picture = Picture("sweep1-batch_size", evil, evil, evil, PNG)
    text = page(run, derived, frames(run, derived), [picture], partial=True)
    reader = Reader(text)
    assert len(reader.all("script")) == 1
    assert len(reader.all("style")) == 1
    assert [e["own"]["alt"] for e in reader.all("img")] == [evil]
    assert not any(key.startswith("on") for e in reader.elements for key in e["own"])
    assert evil in [e["text"] for e in reader.all("code")]
    assert "{{ 7*7 }}🦀" in text
    assert "Interrupted: this report is partial." in text


def test_a_large_run_keeps_the_first_rows_and_says_where_the_rest_is(monkeypatch):
    monkeypatch.setattr(pages, "MOST_ROWS", 3)
    monkeypatch.setattr(pages, "MOST_NUMBERS", 5)
    monkeypatch.setattr(document, "MOST_BYTES", 0)
    run = run_folder.load(REFERENCE)
    derived = derive(run)
    words = ("A picture", "what is seen", "n = 8", PNG)
    picture = Picture("sweep1-batch_size", *words, sweep=1)
    reader = Reader(page(run, derived, frames(run, derived), [picture]))
    keys = [e["own"]["data-row"] for e in reader.all("tr") if "data-row" in e["own"]]
    assert len([k for k in keys if k.startswith("crossovers:")]) == 3
    # the times, the numbers of the picture, the extrapolated cells
    assert len([k for k in keys if k.startswith("estimates:")]) == 3 + 5 + 3
    assert not reader.all("img")
    notes = " ".join(e["text"] for e in reader.all("p"))
    count = len(derived.estimates)
    assert f"The first 3 of {count:,} rows; all are in estimates.csv" in notes
    assert "Left out here to keep the page small: what is seen" in notes
