"""Parts of the page on their own: rounding, the spec as TOML, the BibTeX entry."""

import dataclasses
import itertools
import re
import tomllib
from pathlib import Path

import pytest

from crossover.record import run_folder
from crossover.report.cells import WRITE
from crossover.report.spec_text import bibtex, spec_toml
from crossover.spec.spec import parse_spec

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results/reference"


@pytest.mark.parametrize(
    ("value", "rule", "text"),
    [
        (0.26136333, "seconds", "261 ms"),
        (0.0009999, "seconds", "1 ms"),
        (1234.5, "seconds", "1,230 s"),
        (3.2e-10, "seconds", "0.32 ns"),
        (31.9639, "size", "32"),
        (12345, "count", "12,345"),
        (0.95, "share", "95 %"),
        (0.9921875, "share", "99.2 %"),
        (1.43370, "factor", "1.43x"),
        (0.098359, "size", "0.0984"),
    ],
)
def test_how_numbers_are_written(value, rule, text):
    assert WRITE[rule](value) == text


def test_the_spec_on_the_page_asks_for_the_same_run():
    run = run_folder.load(REFERENCE)
    assert parse_spec(tomllib.loads(spec_toml(run.spec)), "spec.toml") == run.spec
    odd = {"name": 'a"b\\c\n\x7fü', "prices": {"cuda:0": 2.5}}
    read = tomllib.loads(spec_toml(run.spec.model_copy(update=odd)))
    assert {name: read[name] for name in odd} == odd


def test_a_bibtex_entry_is_escaped():
    run = run_folder.load(REFERENCE)
    machine = dataclasses.replace(run.machine, cpu="A_B {50 %} \\x")
    entry = bibtex(dataclasses.replace(run, machine=machine))
    assert entry.startswith("@misc{")
    assert r"A\_B \{50 \%\} /x" in entry
    assert "year = {2026}" in entry
    assert entry.count("{") == entry.count("}")


def luminance(colour):
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_contrast_in_both_schemes():
    style = (ROOT / "crossover/report/templates/page.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.S)
    schemes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in blocks]
    assert [len(scheme) for scheme in schemes[:2]] == [10, 10]
    for scheme in schemes[:2]:
        texts = scheme.keys() - {"paper", "raised", "line"}
        for text, ground in itertools.product(texts, ("paper", "raised")):
            pair = sorted(luminance(scheme[name]) for name in (text, ground))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (text, ground)
