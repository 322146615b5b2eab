"""Measure the gate: identical pairs of runs, and pairs with one contender 10 % slower.

Each run is the preset `smoke` on the CPU, in processes of its own; the runs of a pair
follow one another. In the second of a slowed pair, each sample that one contender's
worker took is reported 1.1 times as long: what the gate sees is a real run with a
slowdown that is exactly known. The contenders take turns. Exit code 1: more than one
in twenty identical pairs failed, or fewer than nine in ten slowdowns were found with
their direction, or a pair was too disturbed to be judged. A pair takes about a minute.

    python -m bench.promises.gate [PAIRS]
"""

import dataclasses
import sys
from typing import Any

from rich.progress import track

from crossover.contender import Contender
from crossover.gate.changes import Limits, compare
from crossover.gate.outcome import Comparison
from crossover.gate.words import circumstances
from crossover.measure.machine import snapshot, usable_cores
from crossover.measure.pipe import Sampled
from crossover.measure.process import Workers
from crossover.nouns import Run
from crossover.pipeline import carry_out_unkept
from crossover.spec.load import load_preset
from crossover.spec.resolve import resolve

LIMITS = Limits(fail_slower=0.05, fail_moved=1.25)
SLOWER = 1.1


class Slowed(Workers):
    """Workers of which one contender's samples are reported `SLOWER` times as long."""

    slow: Contender

    def ask(self, contender: Contender, request: Any, timeout_s: float) -> Any:
        """Ask as ever, and stretch a sample of it or of its copy."""
        reply = super().ask(contender, request, timeout_s)
        is_slow = dataclasses.replace(contender, copy=0) == self.slow
        if is_slow and isinstance(reply, Sampled):
            return reply.model_copy(update={"sample_s": SLOWER * reply.sample_s})
        return reply


def measured(slow: Contender | None = None) -> Run:
    """Measure the preset once, with new processes."""
    workers = Workers()
    if slow is not None:
        workers = Slowed()
        workers.slow = slow
    return carry_out_unkept(SPEC, MACHINE, workers)


def compared(slow: Contender | None = None) -> Comparison:
    """Measure a pair of runs and compare them."""
    return compare([measured(), measured(slow)], ["before", "after"], LIMITS)


def is_found(found: Comparison, slow: Contender) -> bool:
    """Tell whether a slowdown failed, and nobody else is called slower."""
    slower = {c.contender for c in found.changes if c.verdict == "slower"}
    return found.failed and slower == {str(slow)}


def told(label: str, found: Comparison) -> None:
    """Print the machine's state, and each row that changed."""
    print(label, *circumstances(found), sep="\n  ")
    for c in found.changes:
        if c.failed or c.kind == "contender":
            word = "FAILED, " if c.failed else ""
            ends = f"{c.ratio or 0:.3f} ({c.low or 0:.3f} to {c.high or 0:.3f})"
            print(
                f"    {word}{c.what}: {c.verdict}, {ends}, {c.seconds_ratio or 0:.3f}"
            )


def main() -> int:
    """Measure the pairs, print what was found, and return the exit code."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    false = found = undecided = 0
    for number in track(range(pairs), "Identical pairs"):
        same = compared()
        told(f"Identical pair {number + 1}:", same)
        false += same.failed
        undecided += bool(same.undecided)
    for number in track(range(pairs), "Pairs with a slowdown"):
        slow = WHO[number % len(WHO)]
        slowed = compared(slow)
        told(f"Pair {number + 1}, {slow} slower:", slowed)
        found += is_found(slowed, slow)
        undecided += bool(slowed.undecided)
    print(f"{false} of {pairs} identical pairs failed")
    print(f"{found} of {pairs} slowdowns were found, with their direction")
    print(
        f"{undecided} of all pairs could not be judged in all, as others had the cores"
    )
    return int(undecided > 0 or false > max(1, pairs // 20) or found < 0.9 * pairs)


if __name__ == "__main__":
    MACHINE = snapshot()
    SPEC = resolve(load_preset("smoke"), (), usable_cores())
    WHO = [w for w in map(Contender.parse, SPEC.contenders) if w.device == "cpu"]
    print(MACHINE.cpu)
    sys.exit(main())
