"""One job behind each command: spec -> run -> report, with progress and interrupts."""

import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bench import store
from bench.machine import snapshot, usable_cores
from bench.nouns import SCHEMA, Contender, Crossover, Run, case_id
from bench.plan import Block, next_blocks, notices
from bench.run import Crew, carry_out
from bench.spec import Spec, SpecError, load_preset, load_spec, parse_spec, resolve


@dataclass(frozen=True)
class Ask:
    """What the command line asked for; None leaves the spec's own value."""

    spec_file: Path | None
    preset: str = "quick"
    contenders: list[str] | None = None
    samples: str | None = None
    batch_size: str | None = None
    epochs: str | None = None
    features: int | None = None
    classes: int | None = None
    budget: str | None = None

    def spec(self) -> Spec:
        """Return the spec with the options in it.

        Raises:
            SpecError: naming the option, its value and what is allowed.
        """
        spec = load_spec(self.spec_file) if self.spec_file else load_preset(self.preset)
        fields = spec.model_dump(exclude_defaults=True)
        if self.contenders:
            fields["contenders"] = self.contenders
            first, *rest = self.contenders
            fields["pairs"] = [(first, other) for other in rest] or [(first, first)]
            for sweep in fields["sweep"]:
                sweep.pop("contenders", None), sweep.pop("pairs", None)
        if self.budget:
            fields["budget_s"] = parse_duration(self.budget)
        fields["sweep"] = self._sweeps(fields["sweep"])
        return parse_spec(fields, "options")

    def _sweeps(self, sweeps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lists = {
            name: parse_sizes(name, text)
            for name in ("samples", "batch_size", "epochs")
            if (text := getattr(self, name)) is not None
        }
        fixed = {
            n: v for n in ("features", "classes") if (v := getattr(self, n)) is not None
        }
        if not lists:
            return [{**sweep, **fixed} for sweep in sweeps]
        single = {name: sizes[0] for name, sizes in lists.items() if len(sizes) == 1}
        axes = [n for n, sizes in lists.items() if len(sizes) > 1] or list(lists)[:1]
        base = {k: v for k, v in sweeps[0].items() if k not in ("axis", "values")}
        made = []
        for axis in axes:
            others = {
                n: sizes for n, sizes in lists.items() if n != axis and n not in single
            }
            for combination in _product(others):
                row = {**base, **single, **fixed, **combination}
                row.pop(axis, None)
                made.append({**row, "axis": axis, "values": lists[axis]})
        return made


def _product(lists: dict[str, list[int]]) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = [{}]
    for name, sizes in lists.items():
        rows = [{**row, name: size} for row in rows for size in sizes]
    return rows


def parse_sizes(name: str, text: str) -> list[int]:
    """Read comma-separated sizes.

    Raises:
        SpecError: for an empty list or anything but integers >= 1.
    """
    sizes = []
    for part in text.split(","):
        if not part.strip().isascii() or not part.strip().isdigit() or int(part) < 1:
            raise SpecError(
                f"{name} = {text!r}: must be integers >= 1 separated by commas"
            )
        sizes.append(int(part))
    return sizes


def parse_duration(text: str) -> float:
    """Read `90s`, `5m`, `2h` or plain seconds.

    Raises:
        SpecError: for anything else, and for a duration that is not positive.
    """
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    try:
        seconds = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SpecError(f"budget = {text!r}: must be a duration such as 90s, 5m or 2h")
    return seconds


def do_run(ask: Ask, out: Path | None, resume: bool) -> int:
    """Run or resume, write the report, and return the exit code."""
    if resume:
        if out is None:
            raise SpecError("out = None: must name the run to --resume")
        store.truncate_torn_line(out)
        run = store.load(out)
        spec = Spec.model_validate(run.spec)
    else:
        spec = ask.spec()
        for line in notices(spec):
            print(f"crossover: {line}", file=sys.stderr)
        run, spec = _new_run(spec)
        out = out or Path("results") / run.run_id
        store.create(out, run)
    interrupted = False
    try:
        with _progress(spec, run) as advance:
            run = carry_out(spec, run, out, Crew(), advance)
    except KeyboardInterrupt:
        interrupted = True
        run = store.load(out)
    from bench.report.write import write_report

    found = write_report(run, out, partial=interrupted)
    show(found)
    Console(stderr=False).print(f"Report: {out / 'report.html'}", highlight=False)
    bad = any(m.status not in ("ok", "unavailable") for m in run.measurements)
    return 130 if interrupted else 3 if bad else 0


def _new_run(spec: Spec) -> tuple[Run, Spec]:
    cores = usable_cores()
    resolve(spec, (), cores)  # bad threads are refused before torch is loaded
    texts = {*spec.contenders, *(c for s in spec.sweep for c in s.contenders)}
    asked = {Contender.parse(t.replace("@all", "")).device for t in texts}
    try:
        machine = snapshot(tuple(sorted(asked - {"accelerator"})))
    except ValueError as error:
        raise SpecError(str(error)) from error
    names = tuple(str(a["name"]) for a in machine.accelerators)
    spec = resolve(spec, names, cores)
    now = datetime.now(UTC)
    run = Run(
        f"{spec.name}-{now:%Y%m%d-%H%M%S}",
        SCHEMA,
        spec.model_dump(mode="json"),
        _commit(),
        shlex.join(["crossover", *sys.argv[1:]]),
        machine,
        (),
    )
    return run, spec


def _commit() -> str | None:
    done = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


class _progress:  # noqa: N801
    """A bar with the time left; the plan's expected seconds are its weights."""

    def __init__(self, spec: Spec, run: Run) -> None:
        blocks = next_blocks(spec, run.measurements)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
            console=Console(stderr=True),
        )  # fmt: skip
        total = sum(block.expected_s for block in blocks)
        self._task = self._bar.add_task("measuring", total=total)

    def __enter__(self) -> "_progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, block: Block, seconds: float) -> None:
        self._bar.update(self._task, advance=seconds, description=case_id(block.case))


def show(found: list[Crossover]) -> None:
    """Print the answers of the `train` view."""
    from bench.report.tables import sentence, where

    train = [c for c in found if c.view == "train"]
    for c in train:
        if c.outcome != "not_measured":
            print(f"- {sentence(c)} [{where(c)}]")
    for text in dict.fromkeys(
        sentence(c) for c in train if c.outcome == "not_measured"
    ):
        print(f"- {text}")


def do_plan(ask: Ask) -> None:
    """Print what a run would do."""
    spec = resolve(ask.spec(), (), usable_cores())
    blocks = next_blocks(spec, [])
    for block in blocks:
        names = ", ".join(map(str, block.contenders))
        print(f"{case_id(block.case):40} {len(block.rounds)} rounds: {names}")
    minutes = sum(block.expected_s for block in blocks) / 60
    print(
        f"{len(blocks)} cases; about {minutes:.0f} to {2 * minutes + 1:.0f} minutes on a machine without an accelerator"
    )


def do_report(runs: list[Path]) -> None:
    """Write the derived files of recorded runs again."""
    from bench.report.write import write_report

    loaded = [(store.load(path), path) for path in runs]
    for run, path in loaded:
        show(write_report(run, path))
        print(f"Report: {path / 'report.html'}")
