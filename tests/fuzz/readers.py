"""Each reader as a function of bytes: it accepts or refuses them, nothing else.

A refusal is an `InputError` of one line. What is accepted is taken through all that is
computed and written of it; the pictures of a few only, as they take seconds.
"""

import contextlib
import csv
import dataclasses
import io
import re
import shutil
import tempfile
import warnings
import zlib
from pathlib import Path

from crossover.analysis.frame import derive
from crossover.command.ask import parse_duration, parse_prices, parse_words
from crossover.command.sweeps import sweeps
from crossover.contender import Contender
from crossover.files.untrusted import InputError, one_line
from crossover.gate.changes import compare
from crossover.gate.words import lines, summary
from crossover.plan.plan import next_blocks, notices
from crossover.record import run_folder
from crossover.report import write
from crossover.report.terminal import plain_lines
from crossover.sources.asv import read_asv
from crossover.sources.foreign.answers import answers
from crossover.sources.foreign.asv_store import read_store
from crossover.sources.foreign.offer import listing, offers
from crossover.sources.foreign.pytest_files import read_files
from crossover.sources.foreign.question import HeldAsk
from crossover.sources.foreign.recognise import recognised
from crossover.sources.pytest_benchmark import read_pytest_benchmark
from crossover.sources.table import paper
from crossover.sources.table.analyse import analyse_file
from crossover.sources.table.ask import Wanted
from crossover.spec.load import load_spec
from crossover.spec.resolve import resolve
from crossover.workloads.softmax import SOFTMAX

PART = b"\n%%%%\n"
"""Between the files that one input holds."""
CODE = re.compile("(?<!`)(`+)(?!`).+?(?<!`)\\1(?!`)")
"""Code in Markdown, which is shown as it is written."""
WRITTEN, DRAWN = 8, 400
"""One input in 8 has its report written, and one in 400 its pictures drawn."""


@contextlib.contextmanager
def folder():
    """Yield an empty folder, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_memory()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _memory():
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else None


def refused(call):
    """Tell whether a call refused its input, and that it did so in one line."""
    try:
        call()
    except InputError as error:
        said = one_line(str(error))
        assert said
        assert said.isprintable()
        return True
    return False


def _put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _report(run, out, data):
    """Compute all there is of a run; write it, and look for what must not be in it."""
    number = zlib.crc32(data)
    found = derive(run).crossovers
    for line in plain_lines([c for c in found if c.view == "train"]):
        assert line.isprintable(), line
    if number % WRITTEN:
        return
    pictures = write.pictures
    if number % DRAWN:
        write.pictures = lambda *_, **__: iter(())
    try:
        write.write_report(run, out, latex=True)
    finally:
        write.pictures = pictures
    harmless_files(out)


def harmless_files(out):
    """Look for what a page, a table or a text must never hold."""
    for page, scripts in (("report.html", 1), ("analyse.html", 0)):
        if (out / page).exists():
            text = (out / page).read_text(encoding="utf-8")
            assert text.count("<script>") == scripts
            assert text.count("</script>") == scripts
    for table in out.glob("*.csv"):
        with table.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        for part in (part for cell in cells for part in cell.split(";")):
            assert not part.startswith(("=", "@", "+", "\t", "\r")), (table.name, part)
    for notes in filter(Path.exists, (out / "report.md", out / "analyse.md")):
        outside = CODE.sub("", notes.read_text(encoding="utf-8"))
        assert "<" not in outside
        assert "](javascript" not in outside.replace("\\](", "")


def run_directory(data):
    """Read a run directory and write its report."""
    header, _, rows = data.partition(PART)
    with folder() as out:
        _put(out / run_folder.HEADER, header)
        _put(out / run_folder.JOURNAL, rows)
        runs = []
        if not refused(lambda: runs.append(run_folder.load(out))):
            refused(lambda: _report(runs[0], out, data))


def two_runs(data):
    """Compare two run directories."""
    header, _, rest = data.partition(PART)
    before, _, after = rest.partition(PART)
    with folder() as out:
        for name, rows in (("a", before), ("b", after)):
            _put(out / name / run_folder.HEADER, header)
            _put(out / name / run_folder.JOURNAL, rows)

        def call():
            runs = [run_folder.load(out / name) for name in "ab"]
            found = compare(runs, ["a", "b"])
            for line in [*lines(found), *summary(found).splitlines()]:
                assert line.isprintable(), line

        refused(call)


def spec(data):
    """Read a spec and plan it."""
    with folder() as out:
        _put(out / "spec.toml", data)

        def call():
            planned = resolve(load_spec(out / "spec.toml"), (), 2)
            notices(planned)
            next_blocks(planned, [])

        refused(call)


def asv(data):
    """Read asv's results and write the report of each run."""
    result, _, rest = data.partition(PART)
    machine, _, benchmarks = rest.partition(PART)
    with folder() as out:
        _put(out / "results" / "box" / "abcdef12-existing.json", result)
        for path, part in (
            (out / "results" / "box" / "machine.json", machine),
            (out / "results" / "benchmarks.json", benchmarks),
        ):
            if part:
                _put(path, part)
        refused(lambda: _held(read_store([str(out / "results")], "report"), out, data))
        runs = []
        refused(lambda: runs.extend(read_asv(str(out / "results"))))
        for run in runs:
            _kept(run, out / "report", data)


def pytest_benchmark(data):
    """Read a file of pytest-benchmark and write its report."""
    with folder() as out:
        _put(out / "saved.json", data)
        refused(lambda: _held(read_files([out / "saved.json"], "report"), out, data))
        runs = []
        refused(lambda: runs.append(read_pytest_benchmark(out / "saved.json")))
        for run in runs:
            _kept(run, out / "report", data)


def _kept(run, out, data):
    """Store a run of another tool, read it back as one of ours, and report it."""
    run_folder.put(out, run)
    assert _same(run_folder.load(out), run)
    refused(lambda: _report(run, out, data))


def _same(one, other):
    # by their text: a loss that is not a number differs from itself
    return repr(one) == repr(other)


ASKED = Wanted("n", "seconds", "who", "cpu", ("gpu",), "round", ("model",))


def table(data):
    """Read a table of which much, little or nothing is said; write its answers."""
    with folder() as out:
        _put(out / "times.csv", data)
        alone = Wanted(*list(vars(ASKED).values())[:5])
        pooled = dataclasses.replace(alone, pool=("model", "round"))
        rates = dataclasses.replace(ASKED, higher_is_better=False)
        wide = Wanted(wide=("n", "seconds"), decimal=",")
        for asked in (ASKED, alone, pooled, rates, Wanted(), wide):

            def call(asked=asked):
                found = analyse_file(out / "times.csv", asked, out / "report")
                said = (*found.lines, found.read, *found.notes, *found.left_out)
                for line in map(one_line, said):
                    assert line.isprintable(), line

            with _undrawn(data):
                is_refused = refused(call)
            if not is_refused:
                harmless_files(out / "report")


@contextlib.contextmanager
def _undrawn(data):
    """Draw the pictures of a few tables only."""
    drawn = paper.drawn
    if zlib.crc32(data) % DRAWN:
        paper.drawn = lambda *_: iter(())
    try:
        yield
    finally:
        paper.drawn = drawn


def foreign(data):
    """Read another tool's file, list what it holds, and answer what can be asked."""
    with folder() as out:
        _put(out / "times.x", data)

        def call():
            held = recognised(out / "times.x", "analyse")
            if held is not None:
                _held(held, out, data)

        refused(call)


def _held(held, out, data):
    for line in listing(held, held.rows)[0]:
        assert line.isprintable(), line
    for offer in offers(held, held.rows)[:3]:
        found = []
        ask = HeldAsk(offer.axis, offer.contender)
        if refused(lambda ask=ask, found=found: found.append(answers(held, ask))):
            continue
        for line in (found[0].read, *found[0].lines, *found[0].left_out):
            assert line.isprintable(), line
        with _undrawn(data):
            found[0].write(out / "answers")
        harmless_files(out / "answers")


def options(data):
    """Read what options hold: sizes, durations, prices, contenders, names of cases."""
    text = data.decode("utf-8", "surrogateescape")
    for name in SOFTMAX.names:
        refused(lambda name=name: sweeps(SOFTMAX, [], {name: text}, False))
    refused(lambda: parse_words(text.split()))
    refused(lambda: parse_duration(text))
    refused(lambda: parse_prices(tuple(text.split(","))))
    for read in (Contender.parse, SOFTMAX.parse_case):
        with contextlib.suppress(ValueError):
            read(text)


ALL = (
    run_directory, two_runs, spec, asv, pytest_benchmark, foreign, table, options,
)  # fmt: skip
READERS = {reader.__name__: reader for reader in ALL}


def quietly(reader, data):
    """Call a reader with nothing printed; a warning is an error."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        reader(data)
