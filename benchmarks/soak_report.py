"""What a soak found: soak.md with a verdict for each criterion, and the figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.nouns import Run
from bench.report.figures import image
from bench.report.layout import entitle, legend_below, new_figure
from bench.report.looks import UNKNOWN, Look, looks, theme
from bench.store import write_atomically
from benchmarks.soak import CONTENDERS, Reading, Verdict, a_round_s, by_case

MIB = 2**20


class Line(NamedTuple):
    """What is drawn in one colour."""

    label: str
    values: Sequence[float]
    look: Look


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
    """Return the verdicts, and where the time of a round went, tenth by tenth."""
    not_ok = sum(m.status != "ok" for m in run.measurements)
    lines = [
        f"{len(readings):,} rounds of {' and '.join(CONTENDERS)} in "
        f"{readings[-1].at_s / 60:.1f} minutes on {run.machine.cpu}, "
        f"{run.machine.cores_text}: {len(run.measurements):,} rows, {not_ok} not ok.",
        "",
        "| | first tenth | after it | ratio | at most | |",
        "|---|---|---|---|---|---|",
    ]
    for v in verdicts:
        ratio = f"{v.after / v.before:.3f}" if v.before else "-"
        most = f"{v.most:.2f}" if v.before else "0"
        lines.append(
            f"| {v.what} | {v.before:.4g} {v.unit} | {v.after:.4g} {v.unit} | {ratio} "
            f"| {most} | {'flat' if v.ok else 'NOT FLAT'} |"
        )
    lines += [
        "",
        "Memory, handles and processes: the highest. Processor time: the second tenth "
        "and the last, each the median over its sizes.",
        "",
        "| tenth | main, processor | main | workers, not timed | load |",
        "|---|---|---|---|---|",
    ]
    names = ("main_cpu_s", "main_s", "worker_s", "load_1min")
    columns = [a_round_s(readings, name, rounds_each) for name in names]
    for number, (cpu_s, main_s, worker_s, load) in enumerate(
        zip(*columns, strict=True), start=1
    ):
        lines.append(
            f"| {number} | {cpu_s * 1e3:.2f} ms | {main_s * 1e3:.2f} ms | "
            f"{worker_s * 1e3:.1f} ms | {load:.1f} |"
        )
    return "\n".join(lines) + "\n"


def figure(readings: list[Reading], rounds_each: int) -> Figure:
    """Draw memory, handles, processes and overhead over the rounds."""
    palette = looks(["main process", *CONTENDERS, "keepers"])
    main, first, second, keepers = palette.values()
    rounds = [r.round + 1 for r in readings]
    cases = rounds[::rounds_each]

    def ms(name: str) -> list[float]:
        return [1e3 * value for value in by_case(readings, name, rounds_each)]

    with theme():
        drawn, panels = new_figure(11, 7, 2, 2)
        draw(panels[0], "Memory (MiB)", rounds, [
            Line("main process", [r.main_bytes / MIB for r in readings], main),
            Line(f"worker of {CONTENDERS[0]}",
                 [r.first_worker_bytes / MIB for r in readings], first),
            Line(f"worker of {CONTENDERS[1]}",
                 [r.second_worker_bytes / MIB for r in readings], second),
            Line("both keepers", [r.keepers_bytes / MIB for r in readings], keepers),
        ])  # fmt: skip
        draw(panels[1], "File handles and processes", rounds, [
            Line("file handles", [r.handles for r in readings], UNKNOWN),
            Line("processes", [r.processes for r in readings], UNKNOWN.turned(1)),
        ])  # fmt: skip
        draw(panels[2], "Main process, a round (ms)", cases, [
            Line("seconds beside asking", ms("main_s"), second),
            Line("processor time", ms("main_cpu_s"), main),
        ])  # fmt: skip
        draw(panels[3], "Workers, not timed, a round (ms)", cases, [
            Line("opening, warming up, garbage", ms("worker_s"), first),
        ])  # fmt: skip
        legend_below(drawn, panels)
    return drawn


def draw(axes: Axes, title: str, places: Sequence[int], lines: list[Line]) -> None:
    """Draw lines over the rounds, from 0."""
    for line in lines:
        axes.plot(
            places, line.values, color=line.look.colour, ls=line.look.line,
            lw=1.6, label=line.label,
        )  # fmt: skip
    axes.set_ylim(0, 1.15 * max(max(line.values) for line in lines))
    axes.set_xlim(0, places[-1])
    axes.set_xlabel("rounds")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    entitle(axes, title)
