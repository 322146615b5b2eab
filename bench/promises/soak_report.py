"""Write what a soak found: soak.md with a verdict a criterion, and the figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.promises.soak_judge import (
    CONTENDERS,
    Reading,
    Verdict,
    by_case,
    by_tenth,
    calls_by_tenth,
)
from crossover.files.atomic import write_atomically
from crossover.nouns import Run
from crossover.report.pictures.drawing import Axes, Figure
from crossover.report.pictures.figures import image
from crossover.report.pictures.layout import entitle, legend_below, new_figure
from crossover.report.pictures.styles import Look, look_of, looks, theme
from crossover.report.words.numbers import number
from crossover.report.words.table import Table, markdown_lines

MIB = 2**20


def write_report(
    run: Run,
    readings: list[Reading],
    verdicts: list[Verdict],
    rounds_each: int,
    out: Path,
) -> str:
    """Write soak.md, soak.png and soak.svg; return the text."""
    drawn = figure(readings, rounds_each)
    for kind in ("png", "svg"):
        write_atomically(out / f"soak.{kind}", image(drawn, kind))
    text = markdown(run, readings, verdicts, rounds_each)
    write_atomically(out / "soak.md", text)
    return text


def markdown(
    run: Run, readings: list[Reading], verdicts: list[Verdict], rounds_each: int
) -> str:
    """Return the verdicts, and a table of where the time went, tenth by tenth."""
    not_ok = sum(m.status != "ok" for m in run.measurements)
    said = (
        f"{len(readings):,} rounds of {' and '.join(CONTENDERS)} in "
        f"{readings[-1].at_s / 60:.1f} minutes on {run.machine.cpu}, "
        f"{run.machine.cores_text}: {len(run.measurements):,} rows, {not_ok} not ok."
    )
    parts = (
        said,
        "\n".join(markdown_lines(_verdicts(verdicts))),
        "Memory, handles and processes: the highest in the first tenth, and after it. "
        "Calls and processor time: the second tenth and the last, each the median over "
        "its sizes.",
        "\n".join(markdown_lines(_tenths(readings, rounds_each))),
    )
    return "\n\n".join(parts) + "\n"


def _verdicts(verdicts: list[Verdict]) -> Table:
    rows = [
        (
            v.what, *(f"{number(value, 4)} {v.unit}" for value in (v.before, v.after)),
            f"{v.after / v.before:.3f}" if v.before else "-",
            f"{v.most:.2f}" if v.before else "0", "flat" if v.ok else "NOT FLAT",
        )
        for v in verdicts
    ]  # fmt: skip
    head = ("", "before", "after", "ratio", "at most", "")
    return Table("", head, tuple(rows), numbers=False)


def _tenths(readings: list[Reading], rounds_each: int) -> Table:
    names = ("main_cpu_s", "main_s", "worker_s", "load_1min")
    columns = [by_tenth(by_case(readings, name, rounds_each)) for name in names]
    parts = zip(calls_by_tenth(readings), *columns, strict=True)
    rows = [
        (
            f"{tenth}", f"{calls:,.0f}", f"{cpu_s * 1e3:.2f} ms",
            f"{main_s * 1e3:.2f} ms", f"{worker_s * 1e3:.1f} ms", f"{load:.1f}",
        )
        for tenth, (calls, cpu_s, main_s, worker_s, load) in enumerate(parts, start=1)
    ]  # fmt: skip
    calls = "main, calls", "main, processor", "main", "workers, not timed"
    return Table("", ("tenth", *calls, "load"), tuple(rows))


def figure(readings: list[Reading], rounds_each: int) -> Figure:
    """Draw memory, handles, processes and overhead over the rounds."""
    rounds = [r.round + 1 for r in readings]
    cases = rounds[::rounds_each]

    def mib(name: str) -> list[float]:
        return [getattr(r, name) / MIB for r in readings]

    def ms(name: str) -> list[float]:
        return [1e3 * value for value in by_case(readings, name, rounds_each)]

    first, second = (f"memory of the worker of {name}" for name in CONTENDERS)
    panels: list[tuple[str, list[int], dict[str, Sequence[float]]]] = [
        ("Memory (MiB)", rounds, {
            "memory of the main process": mib("main_bytes"),
            first: mib("first_worker_bytes"),
            second: mib("second_worker_bytes"),
            "memory of nursery, reapers": mib("reapers_bytes"),
        }),
        ("File handles and processes", rounds, {
            "file handles": [r.handles for r in readings],
            "processes": [r.processes for r in readings],
        }),
        ("Main process, a round (ms)", cases, {
            "all but waiting for workers": ms("main_s"),
            "processor time": ms("main_cpu_s"),
        }),
        ("Workers, a round (ms)", cases, {
            "not timed: opening, warming up": ms("worker_s"),
        }),
    ]  # fmt: skip
    with theme():
        drawn, axes = new_figure(11, 7, 2, 2)
        palette = looks([name for _, _, lines in panels for name in lines])
        for one, panel in zip(axes, panels, strict=True):
            draw(one, *panel, palette)
        legend_below(drawn, axes)
    return drawn


def draw(
    axes: Axes,
    title: str,
    places: Sequence[int],
    lines: Mapping[str, Sequence[float]],
    palette: Mapping[str, Look],
) -> None:
    """Draw lines over the rounds, from 0; the first point may be off the scale."""
    for name, values in lines.items():
        look = look_of(palette, name)
        axes.plot(places, values, color=look.colour, ls=look.line, lw=1.6, label=name)
    axes.set_ylim(0, 1.15 * max(max(values[1:] or values) for values in lines.values()))
    axes.set_xlim(0, places[-1])
    axes.set_xlabel("rounds")
    for axis, most in (
        (axes.xaxis, axes.get_xlim()[1]),
        (axes.yaxis, axes.get_ylim()[1]),
    ):
        axis.set_ticks([tick for tick in axis.get_majorticklocs() if 0 <= tick <= most])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    entitle(axes, title)
