"""Tables as strangers write them, drawn by a seed, with a crossing that is known.

In: a number. Out: a `Drawn` table: its bytes, what is said of it on the command line,
the same times as plain CSV, and where the curves cross.
"""

import io
import json
from dataclasses import dataclass, field

import numpy as np

SIZES = 2 ** np.arange(8, 21, 2)


@dataclass
class Drawn:
    """A table, and what its answer must be."""

    data: bytes
    said: dict[str, object]
    """Keywords of `Wanted`."""
    plain: str
    """The same times in plain CSV: n, device, rep, ms."""
    true: float
    """Where both take the same time."""
    drawn: dict[str, object] = field(default_factory=dict)
    """What was drawn, for a message."""


class Style:
    """How numbers, sizes and units are written in one table."""

    def __init__(self, rng):
        self.form = rng.choice(
            ["long", "wide", "sizes_side_by_side", "names"], p=[0.5, 0.3, 0.1, 0.1]
        )
        self.delimiter = rng.choice([",", ";", "\t", "|", " ", "json"],
                                    p=[0.35, 0.3, 0.15, 0.07, 0.08, 0.05])  # fmt: skip
        self.decimal = rng.choice([".", ","]) if self.delimiter in ";\t" else "."
        if self.delimiter == "," and rng.random() < 0.1:
            self.decimal = ","  # all in quotes, as a sheet of Google's in German
        groups = {".": ["", "", "", ",", "'", "\u202f"], ",": ["", "", ".", "\u00a0"]}
        self.group = rng.choice(groups[self.decimal])
        if self.delimiter in (" ", "json"):
            self.group = ""
        self.sizes = rng.choice(["plain", "plain", "K", "pow", "e", "square", "word"])
        if self.form == "sizes_side_by_side" and self.sizes == "word":
            self.sizes = "plain"
        if self.form == "names":
            self.sizes, self.group = "plain", ""
        self.digits = int(rng.choice([3, 4, 6, 9]))
        self.unit = rng.choice(["", "head", "cells", "mixed"], p=[0.3, 0.3, 0.2, 0.2])
        if self.delimiter in " " and self.unit in ("cells", "mixed"):
            self.unit = "head"
        if self.form in ("sizes_side_by_side", "names") and self.unit == "head":
            self.unit = ""
        self.missing = rng.choice(["", "NaN", "OOM", "n/a", "-", "error"])
        if self.delimiter == " " and not self.missing:
            self.missing = "NA"
        self.encoding = rng.choice(
            ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"],
            p=[0.5, 0.15, 0.15, 0.05, 0.15],
        )
        self.end = rng.choice(["\n", "\r\n"])

    def number(self, value, digits=None):
        text = f"{value:.{digits or self.digits}f}"
        whole, _, rest = text.partition(".")
        if self.group:
            whole = f"{int(whole):,}".replace(",", self.group)
        return f"{whole}{self.decimal}{rest}" if rest else whole

    def size(self, n):
        power = int(np.log2(n))
        side = 2 ** (power // 2)
        match self.sizes:
            case "K":
                return f"{n // 1024}K" if n >= 1024 else str(n)
            case "pow":
                return f"2^{power}"
            case "e":
                return f"{n:.6e}".replace(".", self.decimal)
            case "square":
                return f"{side}x{side}"
            case "word":
                return f"n={n}"
        return f"{n:,}".replace(",", self.group) if self.group else str(n)

    def time(self, ms, rng):
        if self.unit == "mixed":
            unit, scale = [("µs", 1e3), ("ms", 1.0), ("s", 1e-3)][rng.integers(3)]
            return f"{self.number(ms * scale, 9)} {unit}"
        return self.number(ms) + (" ms" if self.unit == "cells" else "")


def draw(number):
    """Draw a table by its number."""
    rng = np.random.default_rng([7, number])
    style = Style(rng)
    cross = float(np.exp(rng.uniform(np.log(2**10.5), np.log(2**17.5))))
    slope = 10 ** (rng.uniform(-1.5, 0) if style.digits == 3 else rng.uniform(-4, -2))
    names = [("cpu", "gpu"), ("CPU", "GPU"), ("numpy", "cupy"), ("i7", "V100")]
    who = tuple(map(str, names[rng.integers(len(names))]))
    rounds = int(rng.choice([1, 1, 6]))
    times = {}
    for n in map(int, SIZES):
        cost = slope * n, slope * (0.9 * cross + 0.1 * n)
        for name, ms in zip(who, cost, strict=True):
            noise = 1 + 0.003 * rng.standard_normal(rounds)
            times[n, name] = [float(f"{t:.9f}") for t in ms * noise]
    lost = None
    if rng.random() < 0.3:  # at one end, where it moves nothing
        lost = int(SIZES[0]), who[rng.integers(2)]
    rows = [
        {"n": n, "device": name, "rep": r, "ms": None if (n, name) == lost else t[r]}
        for n in map(int, SIZES)
        for r in range(rounds)
        for name, t in ((name, times[n, name]) for name in who)
    ]
    data, said = written(rows, style, rng, who)
    kept = [row for row in rows if row["ms"] is not None]
    plain = "n,device,rep,ms\n" + "".join(
        f"{r['n']},{r['device']},{r['rep']},{rounded(r['ms'], style)!r}\n" for r in kept
    )
    return Drawn(data, said, plain, cross, {**vars(style), "who": who, "said": said})


def rounded(ms, style):
    """Return a time as the table's digits give it."""
    return ms if style.unit == "mixed" else round(ms, style.digits) or ms


def written(rows, style, rng, who):
    """Return a table's bytes, and what is said of it."""
    has_rounds = rows[-1]["rep"] > 0
    axis = str(rng.choice(["n", "size", "N", "Größe", "samples"]))
    device = str(rng.choice(["device", "backend", "Gerät"]))
    time = {"head": "time_ms", "cells": "time", "mixed": "time"}.get(style.unit, "time")
    cell = {(r["n"], r["device"], r["rep"]): r["ms"] for r in rows}

    def shown(n, name, rep):
        ms = cell[n, name, rep]
        return style.missing if ms is None else style.time(ms, rng)

    sizes, reps = map(int, SIZES), range(rows[-1]["rep"] + 1)
    said = {"axis": axis}
    if style.form == "wide":
        heads = [axis, *(f"{w}_ms" if style.unit == "head" else w for w in who)]
        body = [
            [style.size(n), *(shown(n, w, r) for w in who)] for n in sizes for r in reps
        ]
        said["wide"] = tuple(heads[1:])
    elif style.form == "sizes_side_by_side":
        listed = [*sizes]
        heads = [device, *map(style.size, listed)]
        body = [[w, *(shown(n, w, r) for n in listed)] for r in reps for w in who]
        said = {"contender": device}
    elif style.form == "names":
        heads = ["name", time]
        body = [
            [f"bench_{w}/{n}", shown(n, w, r)] for n in sizes for r in reps for w in who
        ]
        said = {"contender": "name", "axis": "name"}
    else:
        heads = [axis, device, *(["rep"] if has_rounds else []), time]
        body = [
            [style.size(n), w, *([str(r)] if has_rounds else []), shown(n, w, r)]
            for n in sizes for r in reps for w in who
        ]  # fmt: skip
        said |= {"contender": device}
    heads, body = with_more(heads, body, style, rng)
    said = {} if rng.random() < 0.5 else said
    return in_bytes(heads, body, style, rng), said


def with_more(heads, body, style, rng):
    """Add columns that nobody names: an index, a host, memory that was measured."""
    if style.form == "sizes_side_by_side":
        return heads, body
    if rng.random() < 0.25:
        heads = ["", *heads]
        body = [[str(i), *row] for i, row in enumerate(body)]
        if style.delimiter == " ":
            heads[0] = "index"
    if rng.random() < 0.2:
        heads = [*heads, "host"]
        body = [[*row, "node7"] for row in body]
    if rng.random() < 0.2:
        heads = [*heads, "peak_bytes"]
        body = [[*row, str(rng.integers(10**6, 10**9))] for row in body]
    return heads, body


def in_bytes(heads, body, style, rng):
    """Write rows with the delimiter, the encoding and what stands around them."""
    if style.delimiter == "json":
        heads = [head or "index" for head in heads]
        records = [dict(zip(heads, row, strict=True)) for row in body]
        return "\n".join(json.dumps(r) for r in records).encode()
    d = style.delimiter
    file = io.StringIO()
    if d in ";\t" and rng.random() < 0.1:
        file.write(f"sep={d}{style.end}")
    elif rng.random() < 0.1:
        file.write(f"# measured on node7, driver 1{style.end}")
    quoting = rng.random() < 0.3
    blank = rng.random() < 0.15
    trailing = d != " " and rng.random() < 0.1
    for number, row in enumerate([heads, *body]):
        cells = [
            f'"{c}"' if d in c or (quoting and number == 0) else str(c) for c in row
        ]
        joint = d + " " if d == "," and style.digits == 4 else d
        file.write(joint.join(cells) + (d if trailing else "") + style.end)
        if blank and number % 5 == 0:
            file.write(style.end)
    text = file.getvalue()
    if style.encoding == "cp1252":
        text = text.replace("\u202f", "\u00a0")
    return text.encode(style.encoding, "replace")
