"""The lesson's experiments by name: each trains on a device and returns its rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crossover.lesson import claims
from crossover.lesson.claims import Row, unjudged
from crossover.lesson.evidence import Evidence
from crossover.spec.contenders import STAND_IN

if TYPE_CHECKING:
    import torch

SMALL_EPOCHS = 190
"""The epochs of `hard` and of its timing."""


@dataclass
class Task:
    """What one call of the command works on, and what pictures will need of it."""

    device: "torch.device"
    seen: Callable[[float], object]
    """Called with the epochs of 150 steps just trained."""
    full: bool = False
    """Take every step of the large job."""
    worked: bool = False
    rounds: dict[str, list[float]] = field(default_factory=dict)
    """Accuracies of an experiment, one a round."""
    starts: dict[str, list[list[float]]] = field(default_factory=dict)
    """Accuracies of an experiment, for each start one an epoch."""
    hard_s: float | None = None
    """How long the training of `hard` took, once it has run."""
    evidence: Evidence | None = None
    """What the verdict on the claim is computed from."""


def gpu_missing() -> str:
    """Say why the lesson's GPU was not measured by a command that asked for the CPU."""
    import torch

    from softmax_core.device import accelerators, unavailable_reason

    for device in accelerators():
        return f"ask for it with --device {device.type}"
    return unavailable_reason(torch.device(STAND_IN)) or "no device"


def judged(name: str, values: Mapping[str, Iterable[float]]) -> list[Row]:
    """Return the rows of an experiment's claims, given its values by name."""
    mine = (claim for claim in claims.CLAIMS if claim.experiment == name)
    return [claim.row(tuple(values[claim.what])) for claim in mine]


def worked(task: Task) -> list[Row]:
    """Work out the lesson's examples."""
    from softmax_core.experiments_worked import softmax_against_max, worked_examples

    rows = judged("worked", worked_examples(task.device))
    k, hinge, soft = softmax_against_max()
    gap, where = max((s - h, at) for at, h, s in zip(k, hinge, soft, strict=True))
    task.worked = True
    return [
        *rows,
        unjudged(
            "worked", "softmax against max, k = -10 .. 9",
            f"a picture; furthest apart at {where:g}, by {gap:.4f}", says="a picture",
        ),
        _polynomials(),
    ]  # fmt: skip


def _polynomials() -> Row:
    """Low loss is not a good fit: the loss falls on while the curve leaves sqrt(x)."""
    from softmax_core.experiments_worked import polynomial_fits

    fits = polynomial_fits()
    losses = [fit.loss for fit, _ in fits.values()]
    errors = [error for _, error in fits.values()]
    shown = ", ".join(f"{degree}: {fit.loss:.4f}" for degree, (fit, _) in fits.items())
    misled = losses == sorted(losses, reverse=True) and errors[-1] > min(errors)
    return Row(
        "worked", "polynomials, loss by degree", "low loss is not a good fit",
        f"{shown}; from sqrt(x) itself {min(errors):.4f} at best, "
        f"{errors[-1]:.4f} at degree {max(fits)}",
        "loss falls, error grows", "yes" if misled else "NO",
    )  # fmt: skip


def manual(task: Task) -> list[Row]:
    """Train by hand for three epochs."""
    from softmax_core import experiments

    got = experiments.manual(task.device, seen=task.seen)
    values = {f"accuracy after epoch {i}": [a] for i, a in enumerate(got, start=1)}
    return judged("manual", values)


def hard(task: Task) -> list[Row]:
    """Train and time the library's rounds where the classes overlap."""
    rows: list[Row] = []
    task.hard_s = waited_s(task.device, lambda: rows.extend(rounds("hard", task)))
    return rows


def waited_s(device: "torch.device", work: Callable[[], object]) -> float:
    """Return the seconds of some work, until the device is done."""
    from crossover.measure.clock import measured_s
    from softmax_core.device import synchronize

    return measured_s(work, lambda: synchronize(device))


def rounds(name: str, task: Task) -> list[Row]:
    """Train an experiment round after round."""
    from softmax_core import experiments

    task.rounds[name] = got = experiments.rounds(name, task.device, seen=task.seen)
    values = {f"accuracy, round {i}": [a] for i, a in enumerate(got)}
    for first in (2, 4):
        late = f"accuracy, rounds {first} to {len(got) - 1}"
        values[late] = [min(got[first:]), max(got[first:])]
    return judged(name, values)


def library(task: Task) -> list[Row]:
    """Train by the library for three epochs."""
    from softmax_core import experiments

    loss, accuracy = experiments.library(task.device, seen=task.seen)
    values = {"loss after epoch 3": [loss], "accuracy after epoch 3": [accuracy]}
    return judged("library", values)


def starts(name: str, task: Task) -> list[Row]:
    """Train an experiment from ten random starts."""
    from softmax_core import experiments

    task.starts[name] = got = experiments.starts(name, task.device, seen=task.seen)
    values = {}
    for epoch in (5, 10):
        reached = [curve[epoch - 1] for curve in got]
        what = f"accuracy of 10 starts after epoch {epoch}"
        values[what] = [min(reached), max(reached)]
    return judged(name, values)


def device_check(task: Task) -> list[Row]:
    """Do with devices what the lesson does, or say why not."""
    from softmax_core import experiments_worked

    rows = []
    for check in experiments_worked.device_check(task.device):
        published = "RuntimeError" if check.error else "as described"
        why = check.found if check.ok is None else ""
        row = unjudged("device-check", check.what, check.found, why, published)
        ok = row.ok if why else "yes" if check.ok else "NO"
        rows.append(replace(row, ok=ok))
    return rows
