"""The numbers in README and docs are those of the reference run."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def numbers():
    spec = importlib.util.spec_from_file_location(
        "numbers_", ROOT / "docs/reference_numbers.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_document_has_drifted(numbers):
    """Where this fails: python docs/reference_numbers.py."""
    for path, text in numbers.documents().items():
        assert path.read_text("utf-8") == text, f"{path}: run docs/reference_numbers.py"


def test_the_readme_has_a_marked_part(numbers):
    assert len(numbers.MARKED.findall((ROOT / "README.md").read_text("utf-8"))) == 1


def test_a_number_that_changes_is_seen(numbers, monkeypatch):
    readme = ROOT / "README.md"
    part = numbers.readme_part(ROOT / "results/reference")
    digits = next(c for c in part if c.isdigit())
    other = part.replace(digits, str((int(digits) + 1) % 10))
    monkeypatch.setattr(numbers, "readme_part", lambda folder: other)
    assert numbers.documents()[readme] != readme.read_text("utf-8")
