"""Every reader on inputs like its corpus: it accepts or refuses, and nothing else.

A shortened form of the coverage-guided fuzzers of tests/fuzz (`make torture`).
"""

import random
from pathlib import Path

import pytest

hypothesis = pytest.importorskip("hypothesis")
import readers  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from trees import NASTY, edit_text  # noqa: E402

CORPUS = Path(__file__).parent / "fuzz" / "corpus"
PUT = (
    b"NaN", b"1e999", b"9" * 5000, b"\x00", b"\xef\xbb\xbf", b"\xff", b"\x1b[2J", b'"',
)  # fmt: skip
FEW, MANY = 8, 2000
MOST_CORPUS = 100_000
"""Bytes of a reader's corpus, which the repository keeps."""


def seeds(name):
    return sorted((CORPUS / name).iterdir())


def of(name):
    """Return inputs: an entry of the corpus, edited as trees, then as text."""

    def build(data, rng, cut, put):
        parts = data.split(readers.PART)
        i = rng.randrange(len(parts))
        rows = parts[i].decode("utf-8", "replace").split("\n")
        if rows[0] == "{":  # a tree over many lines
            rows = ["\n".join(rows)]
        j = rng.randrange(len(rows))
        rows[j] = edit_text(rows[j], rng)
        parts[i] = "\n".join(rows).encode("utf-8", "surrogatepass")
        whole = readers.PART.join(parts)
        if put:
            at = int(cut * len(whole))
            whole = whole[:at] + put + whole[at + len(put) // 2 :]
        return whole

    data = st.sampled_from([path.read_bytes() for path in seeds(name)])
    put = st.just(b"") | st.binary(max_size=8) | st.sampled_from(PUT)
    where = st.floats(0, 1, exclude_max=True)
    return st.builds(build, data, st.randoms(use_true_random=False), where, put)


def test_edits_leave_a_tree_of_bounded_size_and_what_they_put_in_as_it_is():
    text, nasty = '[[{"x": [1, [2, [3]]]}], {}]', repr(NASTY)
    for seed in range(3000):
        assert len(edit_text(text, random.Random(seed))) < 200 * (len(text) + 500)
    assert repr(NASTY) == nasty


def check(name, examples):
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(of(name))
    def holds(data):
        readers.quietly(readers.READERS[name], data)

    holds()


@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_on_its_corpus(name):
    paths = seeds(name)
    assert paths
    assert sum(path.stat().st_size for path in paths) < MOST_CORPUS
    for path in paths:
        readers.quietly(readers.READERS[name], path.read_bytes())


@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_accepts_or_refuses_what_is_like_its_corpus(name):
    check(name, FEW)


@pytest.mark.torture
@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_accepts_or_refuses_much_that_is_like_its_corpus(name):
    check(name, MANY)


@pytest.mark.parametrize("name", readers.READERS)
@settings(max_examples=10, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(
    data=st.binary(max_size=200) | st.text().map(lambda t: t.encode("utf-8", "replace"))
)
def test_a_reader_refuses_noise(name, data):
    readers.quietly(readers.READERS[name], data)


@pytest.mark.torture
@pytest.mark.parametrize("name", readers.READERS)
def test_the_pictures_of_edited_runs_are_drawn(name, monkeypatch):
    monkeypatch.setattr(readers, "WRITTEN", 1)
    monkeypatch.setattr(readers, "DRAWN", 1)
    check(name, 60)
