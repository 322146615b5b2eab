"""Write the numbers in README.md, docs/tables.md and docs/cost_model.md from
results/reference.

Parts of README and cost_model.md stand between `<!-- numbers -->` and
`<!-- /numbers -->`; those of tables.md are the outputs of its Python
examples. `--check` changes nothing and exits with 1 where a file would change.

    python docs/reference_numbers.py [--check]
"""

import argparse
import contextlib
import io
import math
import os
import re
import sys
from pathlib import Path

from crossover.analysis.cost_model import cost_models
from crossover.analysis.crossover import crossovers
from crossover.analysis.flags import doubts
from crossover.analysis.sweeps import is_along
from crossover.findings import Crossover
from crossover.record.run_folder import load
from crossover.report.tables import cost_table
from crossover.report.terminal import plain_lines
from crossover.report.words.table import markdown_lines

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results/reference"
MARKED = re.compile(r"(<!-- numbers -->\n).*?(<!-- /numbers -->)", re.DOTALL)
EXAMPLE = re.compile(r"(```python\n(.*?)```\n+```text\n).*?(```)", re.DOTALL)


def _width(c: Crossover) -> float:
    """Return high / low of an interval; infinite if it is open."""
    a = c.answer
    return a.high / a.low if a.low and a.high else math.inf


def readme_part(folder: Path) -> str:
    """Return what the README says of the reference run: its least doubtful answer."""
    run = load(folder)
    found = [c for c in crossovers(run) if c.view == "train"]
    m = run.machine
    devices = ", ".join(str(a["description"]) for a in m.accelerators)
    started = sorted(x.started_utc for x in run.measurements if x.started_utc)
    first = min(
        (c for c in found if c.answer.outcome == "found"),
        key=lambda c: (len(doubts(c.flags)), _width(c)),
    )
    sweeps = enumerate(run.spec.sweep, start=1)
    pair = first.baseline, first.challenger
    place = next(
        n
        for n, sweep in sweeps
        if is_along(first, sweep)
        and pair in [tuple(map(str, asked)) for asked in run.spec.pairs_of(sweep)]
    )
    file = f"results/reference/plots/sweep{place}-{first.axis}.png"
    every = (c for sweep in run.spec.sweep for c in run.spec.contenders_of(sweep))
    asked = {c.device.partition(":")[0] for c in every}
    absent = (
        f"{kind} ({why.removeprefix(kind + ': ')})"
        for kind, why in m.unavailable.items()
        if kind in asked
    )
    lines = [
        f"![Time and speedup against size, with the crossover's interval]({file})",
        "",
        f"One answer from {m.cpu}, {m.cores_text}, {devices or 'no accelerator'} "
        f"({len(run.measurements):,} measurements, {started[0][:10]}):",
        "",
        "```text",
        *plain_lines([first]),
        "```",
        "",
        f"Not measured there: {'; '.join(absent)}. The other answers are in",
        "[`results/reference`](results/reference/report.md).",
    ]
    return "\n".join(lines) + "\n"


def with_outputs(text: str) -> str:
    """Return a document with the outputs of its Python examples."""
    names: dict[str, object] = {}

    def run(match: re.Match[str]) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.chdir(ROOT):
            exec(compile(match[2], "example", "exec"), names)
        return f"{match[1]}{out.getvalue()}{match[3]}"

    return EXAMPLE.sub(run, text)


def documents() -> dict[Path, str]:
    """Return every document with numbers of the reference run, as it should be."""
    readme, tables = ROOT / "README.md", ROOT / "docs/tables.md"
    costs = ROOT / "docs/cost_model.md"
    part = readme_part(REFERENCE)
    rows = "\n".join(markdown_lines(cost_table(cost_models(load(REFERENCE))))) + "\n"
    return {
        readme: MARKED.sub(lambda m: f"{m[1]}{part}{m[2]}", readme.read_text("utf-8")),
        tables: with_outputs(tables.read_text("utf-8")),
        costs: MARKED.sub(lambda m: f"{m[1]}{rows}{m[2]}", costs.read_text("utf-8")),
    }


def main() -> int:
    """Write the documents, or say which would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    changed = {p: t for p, t in documents().items() if p.read_text("utf-8") != t}
    for path, text in changed.items():
        print(f"{'drifted' if check else 'written'}: {os.path.relpath(path)}")
        if not check:
            path.write_text(text, "utf-8")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
