"""The answers in words: sentences, Markdown, the terminal."""

import io

import pytest
from rich.console import Console

from crossover.files.escape import code
from crossover.findings import Answer, Crossover
from crossover.report.tables import crossover_table
from crossover.report.terminal import show
from crossover.report.words import numbers, sentences
from crossover.report.words.table import markdown_lines
from crossover.workloads.softmax import SOFTMAX

BASE = (
    "batch_size",
    SOFTMAX.case(epochs=3).without("batch_size"),
    "train",
    "time_s",
    "cpu/resident@1",
    "cuda:0/best",
)
BY_COST = Crossover(
    "samples",
    SOFTMAX.case().without("samples"),
    "train",
    "cost",
    "cpu/resident",
    "cuda/resident",
    Answer(
        "found", 637.2, 500.0, 800.0, 0.9, speedup_smallest=0.5, speedup_largest=2.0
    ),
)


def found(*values, **fields):
    return Crossover(*BASE, Answer(*values, **fields))


FOUND = found(
    "found",
    310.4,
    270.0,
    362.6,
    0.95,
    speedup_smallest=0.625,
    speedup_largest=3.0,
    flags=("drifting",),
)
UNSURE = found(
    "inconclusive", None, None, 202.0, speedup_smallest=1.001, speedup_largest=1.5
)
MISSING = found("not_measured", flags=("cuda:0/best: unavailable: none",))
SAID = (
    "cuda:0's best overtakes cpu/resident@1 from batch size 310 (95 % interval 270 to "
    "363); 1.6x slower at the smallest size, 3x faster at the largest"
)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (FOUND, SAID),
        (
            found("found", 310.4, None, None, 0.95, None, None, None, 1.0, 3.0),
            "cuda:0's best overtakes cpu/resident@1 from batch size 310 (95 % interval "
            "below the smallest size to above the largest size); as fast at the "
            "smallest size, 3x faster at the largest",
        ),
        (
            found("always", speedup_smallest=1.7, speedup_largest=8.57),
            "cuda:0's best is ahead of cpu/resident@1 at every batch size measured "
            "(1.7x faster at the smallest, 8.57x faster at the largest): a crossover "
            "would lie below",
        ),
        (
            found("never", speedup_smallest=0.1, speedup_largest=0.5),
            "cuda:0's best does not overtake cpu/resident@1: it is 2x slower at the "
            "largest batch size measured",
        ),
        (
            found("not_monotone"),
            "cuda:0's best against cpu/resident@1: the lead changes more than once or "
            "is lost",
        ),
        (
            UNSURE,
            "cuda:0's best against cpu/resident@1: no answer yet (as fast at the "
            "smallest batch size, 1.5x faster at the largest); a crossover would lie "
            "below 202",
        ),
        (MISSING, "cuda:0's best against cpu/resident@1"),
        (
            BY_COST,
            "by cost, cuda/resident overtakes cpu/resident from 637 samples (90 % "
            "interval 500 to 800); 2x dearer at the smallest size, 2x cheaper at the "
            "largest",
        ),
    ],
)  # fmt: skip
def test_sentences(row, text):
    assert sentences.sentence(row) == text


@pytest.mark.parametrize(
    ("baseline", "challenger", "names"),
    [
        ("cpu/resident@1", "cpu/resident@2", ("one thread", "two threads")),
        ("cpu/resident@1", "cpu/resident@64", ("one thread", "64 threads")),
        ("cpu/lesson@1", "cpu/resident@1", ("the lesson code", "the resident code")),
        (
            "cpu/lesson@1", "cpu/resident@4",
            ("the lesson code with one thread", "the resident code with four threads"),
        ),
        ("cpu/resident@2", "cuda/resident", ("the CPU with two threads", "the GPU")),
        ("cpu/best", "cuda/best", ("the best on the CPU", "the best on the GPU")),
        ("cuda:0/resident", "cuda:1/resident", ("the GPU 0", "the GPU 1")),
        ("<b>", "cpu/resident@1", ("<b>", "cpu/resident@1")),
    ],
)  # fmt: skip
def test_names_that_people_use(baseline, challenger, names):
    a, b = sentences.people(baseline, challenger)
    assert (a.text, b.text) == names
    assert b.plural == (b.text in ("two threads", "64 threads"))


def test_verbs_agree_with_their_subjects():
    pair = sentences.Name("one thread"), sentences.Name("two threads", plural=True)
    for row, said in (
        (FOUND, "two threads overtake one thread from"),
        (found("always"), "two threads are ahead of one thread"),
        (
            found("never"),
            "two threads do not overtake one thread: they are",
        ),
    ):
        assert sentences.joined(sentences.answer(row, *pair)).startswith(said)


def test_a_number_in_a_sentence_knows_its_column():
    a, b = sentences.people(FOUND.baseline, FOUND.challenger)
    parts = sentences.answer(FOUND, a, b)
    numbers = {p.column: p.text for p in parts if isinstance(p, sentences.Number)}
    assert numbers == {
        "at": "310", "confidence": "95", "low": "270", "high": "363",
        "speedup_smallest": "1.6x", "speedup_largest": "3x",
    }  # fmt: skip


def test_numbers_have_three_digits():
    values = [1234567.0, 310.4, 12.49, 0.0123, 99.99]
    texts = ["1,230,000", "310", "12.5", "0.0123", "100"]
    assert [numbers.number(v) for v in values] == texts


def test_plain_lines_where_there_is_no_terminal():
    file = io.StringIO()
    show([FOUND, UNSURE, MISSING], Console(file=file, width=40))
    lines = file.getvalue().splitlines()
    assert lines == [
        "Over batch size at 1,500 samples, 2 features, 3 classes, 3 epochs:",
        f"  found, doubtful (the machine's speed shifted): {SAID}",
        f"  inconclusive: {sentences.sentence(UNSURE)}",
        "Not measured:",
        "  cuda:0's best against cpu/resident@1: cuda:0/best: unavailable: none",
    ]
    assert all(line.count("inconclusive") <= 1 for line in lines)
    assert "\x1b" not in file.getvalue()


def test_the_same_sentences_on_a_terminal():
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    show([FOUND, UNSURE, MISSING], console)
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("Over batch size at 1,500 samples")
    assert lines[1].startswith("  found, doubtful (the machine's speed shifted): ")
    assert max(map(len, lines)) <= 80
    flat = " ".join(" ".join(lines).split())
    assert SAID in flat
    assert "cuda:0/best: unavailable: none" in flat


def test_names_are_not_markup_on_a_terminal():
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, color_system=None)
    hostile = Crossover(*BASE[:4], "[red]a[/red]", "[/oops]", Answer("always"))
    show([hostile], console)
    assert "[/oops]" in file.getvalue()
    assert "[red]a[/red]" in file.getvalue()


def test_a_markdown_table_is_compact_and_escaped():
    control = Crossover(
        *BASE[:5], "cpu/a|b<c>", Answer("inconclusive"), is_control=True
    )
    lines = list(markdown_lines(crossover_table([FOUND, MISSING, control])))
    assert lines[0].startswith("| over | pair | what counts | outcome | from |")
    assert lines[2] == (
        "| batch size at 1,500 samples, 2 features, 3 classes, 3 epochs | "
        "cuda:0/best against cpu/resident@1 | training alone | found | 310 | "
        "270 to 363 (95 %) | 1.6x slower | 3x faster | drifting |"
    )
    assert r"cpu/a\|b&lt;c>" in lines[3]
    assert len(lines) == 4
    assert crossover_table([MISSING]).rows == ()


def test_code_in_markdown_keeps_its_backticks():
    assert code("crossover run") == "`crossover run`"
    assert code("a `b` c") == "``` a `b` c ```"
