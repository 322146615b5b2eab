"""The answers in words: sentences, Markdown, the terminal."""

import dataclasses
import io

import pytest
from rich.console import Console

from crossover.files.escape import code
from crossover.findings import Answer, Crossover, SizeZone
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


def zones(*named):
    """Return zones from (size, name, speedup), limits 4 % either way."""
    return tuple(
        SizeZone(size, name, speedup, speedup / 1.04, speedup * 1.04)
        for size, name, speedup in named
    )


FOUND = found(
    "found",
    310.4,
    270.0,
    362.6,
    0.95,
    speedup_smallest=0.625,
    speedup_largest=3.0,
    most_behind=0.625,
    most_behind_low=0.5,
    most_behind_high=0.8,
    zones=zones((64, "behind", 0.625), (512, "ahead", 3.0)),
    flags=("drifting",),
)
UNSURE = found(
    "inconclusive", None, None, 202.0,
    zones=zones(
        (64, "undecided", 1.01), (128, "equal", 1.0), (256, "ahead", 1.2),
        (4096, "ahead", 1.5),
    ),
)  # fmt: skip
TIE = found(
    "found", 96.2, 80.4, 120.0, 0.95, speedup_largest=1.7, speedup_largest_low=1.62,
    speedup_largest_high=1.79, behind_until=14.04, behind_until_low=9.0,
    behind_until_high=15.5, most_behind=1 / 1.07, most_behind_low=1 / 1.1,
    most_behind_high=1 / 1.05, worst_regret=0.083,
    zones=zones(
        (8, "behind", 0.95), (16, "undecided", 1.0), (64, "not_ahead", 1.0),
        (128, "ahead", 1.2), (4096, "ahead", 1.7),
    ),
)  # fmt: skip
MISSING = found("not_measured", flags=("cuda:0/best: unavailable: none",))
B = "The best on the GPU"
SAID = (
    "The best on the GPU is ahead from 310 (270 to 363) on, 3x at 512; below, the CPU "
    "running the resident code with one thread is up to 1.6x (1.25x to 2x) faster"
)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (FOUND, SAID),
        (
            TIE,
            "The CPU with one thread is up to 7 % (5 % to 10 %) faster below 14 (9 to "
            "15.5); no difference shown from 16 to 64, where the wrong choice costs at "
            "most 8.3 %; the best on the GPU is ahead from 96.2 (80.4 to 120) on, 1.7x "
            "(1.62x to 1.79x) at 4,096",
        ),
        (
            found("found", 310.4, None, None, 0.95, speedup_largest=3.0),
            f"{B} is ahead from 310 (below the smallest size to above the largest "
            "size) on, 3x",
        ),
        (
            found("found", 1841.3),
            f"{B} is ahead from 1,841 (no interval) on",
        ),
        (
            found(
                "always", speedup_smallest=1.7, speedup_largest=8.57,
                speedup_largest_low=8.0, speedup_largest_high=9.0,
                zones=zones((64, "ahead", 1.7), (1024, "ahead", 8.57)),
            ),
            f"{B} is ahead of the CPU with one thread from the smallest size on: 1.7x "
            "faster at 64, 8.57x (8x to 9x) faster at 1,024",
        ),
        (
            found("always", speedup_largest=2.0, zones=zones((64, "ahead", 2.0))),
            f"{B} is ahead of the CPU with one thread at the only size compared: 2x "
            "faster at 64",
        ),
        (
            found(
                "never", speedup_smallest=0.1, speedup_largest=0.5,
                speedup_largest_low=0.4, speedup_largest_high=0.625,
                zones=zones((64, "behind", 0.1), (1024, "behind", 0.5)),
            ),
            f"{B} does not get ahead of the CPU with one thread: behind from 64 to "
            "1,024; 2x (1.6x to 2.5x) slower at 1,024",
        ),
        (
            found(
                "not_monotone",
                zones=zones((8, "behind", 0.5), (16, "ahead", 2), (64, "equal", 1)),
            ),
            f"{B} against the CPU with one thread: the lead changes more than once or "
            "is lost: behind at 8; ahead at 16; equal at 64",
        ),
        (
            UNSURE,
            f"{B} against the CPU with one thread: no answer yet; no difference shown "
            "at 64 (within 6 % either way); equal at 128; ahead from 256 to 4,096; a "
            "lead would begin below 202",
        ),
        (
            dataclasses.replace(UNSURE, next_step="crossover run --resume results/a"),
            f"{B} against the CPU with one thread: no answer yet; no difference shown "
            "at 64 (within 6 % either way); equal at 128; ahead from 256 to 4,096; a "
            "lead would begin below 202; next: crossover run --resume results/a",
        ),
        (MISSING, f"{B} against the CPU with one thread"),
        (
            BY_COST,
            "By cost, the GPU is ahead from 637 (500 to 800) on, 2x",
        ),
    ],
)  # fmt: skip
def test_sentences(row, text):
    longer, shorter = "CPU running the resident code with", "CPU with"
    said = sentences.sentence(row).replace(longer, shorter)
    assert said == text.replace(longer, shorter)


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
        (FOUND, "two threads are ahead from"),
        (found("always"), "two threads are ahead of one thread"),
        (found("never"), "two threads do not get ahead of one thread"),
    ):
        assert sentences.joined(sentences.answer(row, *pair)).startswith(said)


def test_a_number_in_a_sentence_knows_its_column():
    a, b = sentences.people(FOUND.baseline, FOUND.challenger)
    parts = sentences.answer(FOUND, a, b)
    numbers = {p.column: p.text for p in parts if isinstance(p, sentences.Number)}
    assert numbers == {
        "at": "310", "low": "270", "high": "363", "speedup_largest": "3x",
        "most_behind": "1.6x", "most_behind_low": "2x", "most_behind_high": "1.25x",
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
        f"  {sentences.sentence(MISSING)}: cuda:0/best: unavailable: none",
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
    assert lines[0].startswith("| over | pair | what counts | outcome | ahead from |")
    assert lines[2] == (
        "| batch size at 1,500 samples, 2 features, 3 classes, 3 epochs | "
        "cuda:0/best against cpu/resident@1 | training alone | found | 310 | "
        "270 to 363 (95 %) |  |  | 1.6x slower | 3x faster | drifting |"
    )
    assert r"cpu/a\|b&lt;c>" in lines[3]
    assert len(lines) == 4
    assert crossover_table([MISSING]).rows == ()


def test_code_in_markdown_keeps_its_backticks():
    assert code("crossover run") == "`crossover run`"
    assert code("a `b` c") == "``` a `b` c ```"
