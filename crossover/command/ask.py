"""What the command line asks for, as a `Spec`: a file or preset, options over it."""

import itertools
import math
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossover.command.option_texts import parse_duration, parse_prices, parse_sizes
from crossover.files.refusals import first_wrong
from crossover.nouns import Contender, InputError
from crossover.spec.bounds import MOST_CELLS
from crossover.spec.contenders import ALL_THREADS, missing_cores
from crossover.spec.load import load_preset, load_spec
from crossover.spec.spec import Spec, parse_spec
from crossover.workloads.registry import definition
from crossover.workloads.workload import Workload


@dataclass(frozen=True)
class Ask:
    """What the command line asked for; None leaves the spec's own value."""

    spec_file: Path | None = None
    preset: str = "quick"
    contenders: tuple[str, ...] = ()
    sizes: tuple[tuple[str, str], ...] = ()
    """(size of the workload, its values in a text)."""
    budget: str | None = None
    rounds: int | None = None
    width: float | None = None
    grid: bool = False
    prices: tuple[str, ...] = ()

    def spec(self, cores: int | None = None) -> Spec:
        """Return the spec with the options in it.

        Args:
            cores: of this machine, to refuse ranks that it has none for. A file may
                name them for other machines: here its cells are unavailable.

        Raises:
            InputError: naming the option, its value and what is allowed.
        """
        for text in self.contenders:
            _check_ranks(text, cores)
        spec = load_spec(self.spec_file) if self.spec_file else load_preset(self.preset)
        fields = spec.model_dump(exclude_defaults=True)
        fields["sweep"] = self._sweeps(spec.declared, fields["sweep"])
        if self.contenders:
            first, *rest = self.contenders
            baseline = f"cpu/resident{ALL_THREADS}"
            pairs = [(first, c) for c in rest] or [(baseline, first)]
            fields["contenders"] = [*dict.fromkeys(c for pair in pairs for c in pair)]
            fields["pairs"] = pairs
            for sweep in fields["sweep"]:
                sweep.pop("contenders", None), sweep.pop("pairs", None)
        fields |= self._more()
        if self.grid:
            fields["grid"] = True
        if self.prices:
            fields["prices"] = parse_prices(self.prices)
        return parse_spec(fields, "options")

    def _more(self, used_s: float = 0.0) -> dict[str, Any]:
        """Return the fields that say how long to go on, beyond the time used so far."""
        fields: dict[str, Any] = {"rounds": self.rounds, "width": self.width}
        if self.budget:
            fields["budget_s"] = used_s + parse_duration(self.budget)
        return {name: value for name, value in fields.items() if value is not None}

    def without_more(self) -> "Ask":
        """Return what is asked for beside going on."""
        return replace(self, budget=None, rounds=None, width=None)

    def more(self, spec: Spec, used_s: float) -> Spec:
        """Return a recorded spec that goes on for as long as is asked for.

        Args:
            spec: the run's.
            used_s: the time that it has measured; a budget is added to it.

        Raises:
            InputError: naming the option, its value and what is allowed.
        """
        more = self._more(used_s)
        if not more:
            return spec
        try:  # what is recorded was resolved for its machine, and is not judged again
            context = {"workload": spec.declared}
            return Spec.model_validate(spec.model_dump() | more, context=context)
        except ValidationError as error:
            raise InputError(f"options: {first_wrong(error)}") from error

    def _sweeps(
        self, workload: Workload, sweeps: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return the spec's sweeps, or those of its job at the sizes given.

        A list of one size is a fixed value; each longer one is an axis, swept at
        every combination of the others. Where only sizes that a unit of the costs
        depends on are fixed (features, say), the spec's own sweeps have them.
        """
        lists = {name: parse_sizes(workload, name, text) for name, text in self.sizes}
        single = {name: sizes[0] for name, sizes in lists.items() if len(sizes) == 1}
        if single.keys() == lists.keys() <= {*workload.shape}:
            return [_eased(workload, _fixed(sweep, single), single) for sweep in sweeps]
        made_of = math.prod(map(len, lists.values()))
        if made_of > MOST_CELLS:
            raise InputError(
                f"{', '.join(lists)}: {made_of:,} combinations; must be at most "
                f"{MOST_CELLS:,}"
            )
        axes = [n for n in lists if n not in single]
        axes = axes or [n for n in lists if n not in workload.shape][:1]
        base = {**sweeps[0]} if self.spec_file else {}
        made = []
        for axis in axes:
            others = {
                n: sizes for n, sizes in lists.items() if n != axis and n not in single
            }
            for combination in itertools.product(*others.values()):
                row = {**base, **single, **dict(zip(others, combination, strict=True))}
                row.pop(axis, None)
                row |= {"axis": axis, "values": lists[axis]}
                made.append(_eased(workload, row, lists))
        return made


def _fixed(sweep: dict[str, Any], sizes: dict[str, int]) -> dict[str, Any]:
    """Return a sweep at other sizes; one along one of them has that size alone."""
    alone = {"values": [sizes[sweep["axis"]]]} if sweep["axis"] in sizes else {}
    return {**sweep, **sizes, **alone}


def _eased(
    workload: Workload, sweep: dict[str, Any], given: Container[str]
) -> dict[str, Any]:
    return {**sweep, **definition(workload.name).eased(sweep, given)}


def _check_ranks(text: str, cores: int | None) -> None:
    try:
        who = Contender.parse(text.replace(ALL_THREADS, "@1"))
    except ValueError:
        return  # said with the rest of the spec
    if who.ranks > 1 and missing_cores(who, cores):
        raise InputError(
            f"ranks x threads = {who.ranks} x {who.threads} in contender {text!r}: "
            f"must be at most {cores}, the cores of this machine"
        )
