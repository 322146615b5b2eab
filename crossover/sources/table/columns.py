"""What each column of a table may be: a size, a time, who ran, or something else.

In: rows as texts. Out: a `Column` each with what it can be taken for. `roles` chooses.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from crossover.sources.table.text.cells import read_cell
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.sizes import are_sizes
from crossover.sources.table.text.units import (
    TIMES,
    is_rate,
    is_unit_column,
    named_unit,
    seconds_of,
    words,
)
from crossover.sources.table.unlike import COMMENT, DATE, MOMENT, REPETITION

AXIS_WORDS = {
    "n", "m", "size", "sizes", "samples", "elements", "length", "len", "rows", "batch",
    "dim", "dims", "dimension", "nodes", "points", "particles", "tokens", "seq",
    "sequence", "width", "height", "problem", "input", "order", "groesse", "grösse",
    "taille", "numel", "nelem", "nrow", "nrows", "scale",
}  # fmt: skip
CONTENDER_WORDS = {
    "contender", "device", "backend", "hardware", "processor", "accelerator", "who",
    "implementation", "impl", "engine", "library", "lib", "platform", "method",
    "solver", "target", "framework", "provider", "executor", "gerät", "expr", "tool",
    "variant", "algorithm", "machine", "arch",
}  # fmt: skip
DEVICE = re.compile(
    r"cpus?|gpus?|cuda|[tn]pu|fpga|xpu|mps|metal|rocm|hip|opencl|sycl|vulkan|host|"
    r"serial|sequential|openmp|omp|numpy|cupy|torch|pytorch|jax|numba|tensorflow|mkl|"
    r"cublas|openblas|simd|scalar|i[3579]|xeon|ryzen|epyc|[avhtp][0-9]{2,4}|rtx|gtx|"
    r"titan.*|radeon.*|nvidia|amd|intel|python|cpp|rust|julia|matlab"
)
"""A word for what computes."""
CPU = re.compile(
    r"cpus?|host|serial|sequential|seq|numpy|scalar|naive|reference|ref|baseline|base|"
    r"i[3579]|xeon|ryzen|epyc|openmp|omp|mkl|openblas"
)
"""A word for what others are compared with."""
SPREAD = {
    "std", "stddev", "stdev", "sd", "var", "variance", "cv", "iqr", "q1", "q3", "sem",
    "mad", "err", "error", "noise", "ci", "low", "high", "lower", "upper", "min", "max",
    "minimum", "maximum", "p90", "p95", "p99", "outliers",
}  # fmt: skip
MEMORY = {"peak", "memory", "mem", "rss", "vram"}
TYPICAL = ("median", "mean", "average", "avg")
MOST_NAMES = 50
"""A column that tells who ran has at most this many values."""
LOOKED_AT = 2000
"""At most this many values of a column are looked at."""


@dataclass(frozen=True)
class Column:
    """One column, and the different texts in it."""

    head: str
    texts: tuple[str, ...]
    """Each once, in the order of the table."""
    rows: int

    @property
    def words(self) -> list[str]:
        """The words of its name."""
        return words(self.head)

    @cached_property
    def known(self) -> list[str]:
        """Texts that are there."""
        return [text for text in self.texts[:LOOKED_AT] if text]

    @cached_property
    def are_numbers(self) -> bool:
        """Whether most of its texts are numbers, or say that there is none."""
        cells = [read_cell(text, mark) for text in self.known for mark in ".,"]
        pairs = zip(cells[::2], cells[1::2], strict=True)
        read = [one or other for one, other in pairs]
        values = sum(c is not None and bool(c.values) for c in read)
        return bool(read) and values >= 0.5 * len(read)

    @cached_property
    def has_units(self) -> bool:
        """Whether its texts are times with a unit."""
        cells = [read_cell(text, ".") or read_cell(text, ",") for text in self.known]
        return bool(cells) and any(c and c.unit and not c.is_bound for c in cells)

    @property
    def is_time(self) -> bool:
        """Whether it is called a time, or its texts are."""
        called = named_unit(self.head) is not None or any(
            w in TIMES for w in self.words
        )
        is_called = called and not is_rate(self.head) and not self.is_unit
        return (is_called and self.are_numbers) or self.has_units

    @property
    def is_unit(self) -> bool:
        """Whether it holds units of time."""
        is_named = is_unit_column(self.head, "")
        return is_named or all(seconds_of(t) is not None for t in self.texts)

    @property
    def is_rate(self) -> bool:
        """Whether it is called a rate."""
        return is_rate(self.head) and self.are_numbers

    @property
    def is_spread(self) -> bool:
        """Whether it is called a spread, or an extreme."""
        return bool({*self.words} & SPREAD)

    @property
    def is_index(self) -> bool:
        """Whether it numbers rows or repetitions, or says when one was measured."""
        said = {*self.words} - {"per", "of", "the", "unnamed", "0", ":"}
        if not said or said <= REPETITION or said & (MOMENT | COMMENT):
            return True
        return bool(self.known) and all(map(DATE.fullmatch, self.known))

    @cached_property
    def is_size(self) -> bool:
        """Whether it may be the axis: several sizes, some of them in several rows."""
        if self.is_time or self.is_rate or self.is_spread or self.is_index:
            return False
        if self.is_unit or {*self.words} & MEMORY:
            return False
        comes_again = 1 < len(self.known) < self.rows
        return comes_again and are_sizes(self.known)

    @property
    def is_called_size(self) -> bool:
        """Whether a word of its name is one for a size."""
        return bool({*self.words} & AXIS_WORDS)

    @cached_property
    def is_name(self) -> bool:
        """Whether it may tell who ran: a few names that come again."""
        if self.is_index or self.is_unit or not 2 <= len(self.known) <= MOST_NAMES:
            return False
        return not self.are_numbers and not are_sizes(self.known)

    @property
    def names_devices(self) -> bool:
        """Whether its texts name what computes, two at least."""
        return sum(map(is_device, self.known)) > 1

    @property
    def is_called_contender(self) -> bool:
        """Whether a word of its name is one for who ran."""
        return bool({*self.words} & CONTENDER_WORDS)


def is_device(text: str) -> bool:
    """Tell whether a word of a text names what computes."""
    parts = re.findall(r"[^\W_]+", text.casefold())
    return any(map(DEVICE.fullmatch, parts))


def is_cpu(text: str) -> bool:
    """Tell whether a text names what others are compared with."""
    parts = re.findall(r"[^\W_]+", text.casefold())
    return any(map(CPU.fullmatch, parts))


def columns_of(rows: Rows) -> list[Column]:
    """Return the columns of a table."""
    found = []
    for place, head in enumerate(rows.heads):
        texts = tuple(dict.fromkeys(rows.column(place)))
        found.append(Column(head, texts, len(rows.rows)))
    return found
