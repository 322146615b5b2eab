"""What the command line asks for, as a `Spec`: a file or preset, options over it.

The options say their lists of sizes, durations and prices in texts.
"""

import itertools
import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossover.contender import Contender
from crossover.files.refusals import first_wrong
from crossover.files.untrusted import InputError, refused, shown
from crossover.spec.bounds import LEAST_PRICE, MOST, MOST_CELLS
from crossover.spec.contenders import ALL_THREADS, missing_cores
from crossover.spec.load import load_preset, load_spec
from crossover.spec.spec import DEVICE, Spec, parse_spec
from crossover.workloads.registry import declared, definition
from crossover.workloads.workload import MOST_DIGITS, Workload

OPPONENT = f"cpu/resident{ALL_THREADS}"
"""Whom a contender is compared with if it is the only one given."""
SIZE = re.compile(rf"\d{{1,{MOST_DIGITS}}}", re.ASCII)


@dataclass(frozen=True)
class Ask:
    """What the command line asked for; None leaves the spec's own value."""

    spec_file: Path | None = None
    preset: str = "quick"
    contenders: tuple[str, ...] = ()
    sizes: tuple[tuple[str, str], ...] = ()
    """Pairs of a size of the workload and the text of its values, such as `8,64`."""
    budget: str | None = None
    rounds: int | None = None
    width: float | None = None
    margin: str | None = None
    grid: bool = False
    prices: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Ask":
        """Return what the options of a command ask for.

        Args:
            options: values by the names of the command's parameters.
        """
        names = declared("softmax").axes
        alike = "spec_file", "preset", "budget", "rounds", "width", "margin", "grid"
        return cls(
            contenders=tuple(options["contender"] or ()),
            sizes=tuple((n, options[n]) for n in names if options[n] is not None),
            prices=tuple(options.get("price") or ()),
            **{name: options[name] for name in alike},
        )

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
            pairs = [(first, c) for c in rest] or [(OPPONENT, first)]
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

    @property
    def notices(self) -> list[str]:
        """Lines that say what was added to what was asked for."""
        if len(self.contenders) != 1:
            return []
        return [
            f"contender = {self.contenders[0]}: compared with {OPPONENT}, which was "
            "added, as no second --contender was given"
        ]

    def _more(self, used_s: float = 0.0) -> dict[str, Any]:
        """Return the fields that say how sure to be, and how much longer to go on."""
        fields: dict[str, Any] = {"rounds": self.rounds, "width": self.width}
        fields["margin"] = parse_margin(self.margin)
        if self.budget:
            fields["budget_s"] = used_s + parse_duration(self.budget)
        return {name: value for name, value in fields.items() if value is not None}

    def without_more(self) -> "Ask":
        """Return what is asked for, without how sure to be and how long to go on."""
        return replace(self, budget=None, rounds=None, width=None, margin=None)

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
    """Return a sweep at given sizes; if its axis is given, that is its only value."""
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


def parse_sizes(workload: Workload, name: str, text: str) -> list[int]:
    """Read comma-separated sizes.

    Raises:
        InputError: for an empty list, anything but integers that are large enough, and
            a size that the workload does not have.
    """
    if name not in workload.axes:
        raise InputError(
            f"{name} = {shown(text)}: workload {workload.name} has no such size; must "
            f"be one of {', '.join(workload.axes)}"
        )
    sizes, least = list[int](), workload.size(name).least
    for part in text.split(","):
        digits = part.strip()
        if not SIZE.fullmatch(digits) or int(digits) < least:
            raise InputError(
                f"{name} = {shown(text)}: must be integers >= {least} separated by "
                f"commas, of at most {MOST_DIGITS} digits"
            )
        sizes.append(int(digits))
    return sizes


def _number(text: str) -> float:
    """Return the number that a text is; of any other text NaN, which no range holds."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_duration(text: str) -> float:
    """Read `90s`, `5m`, `2h` or plain seconds.

    Raises:
        InputError: for anything else, and for a duration that is not positive.
    """
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    seconds = _number(text[:-1] if unit else text) * (unit or 1)
    if not 0 < seconds < 1e9:
        raise refused("budget", text, "be a duration such as 90s, 5m or 2h")
    return seconds


def parse_margin(text: str | None) -> float | None:
    """Read a share such as `5%` or `0.05`; None where none is given.

    Raises:
        InputError: for anything else, and for a share that is not at least 0 and less
            than 1.
    """
    if text is None:
        return None
    digits = text.strip().removesuffix("%")
    share = _number(digits) / (100 if digits != text.strip() else 1)
    if not 0 <= share < 1:
        raise InputError(
            f"margin = {shown(text)}: must be a share >= 0 % and < 100 %, such as 5% "
            "or 0.05"
        )
    return share


def parse_prices(texts: tuple[str, ...]) -> dict[str, float]:
    """Read `DEVICE=PER_HOUR` texts.

    Raises:
        InputError: for anything else, a price that is not positive, a device twice.
    """
    prices: dict[str, float] = {}
    for text in texts:
        device, _, amount = text.partition("=")
        per_hour = _number(amount)
        if not (DEVICE.fullmatch(device) and LEAST_PRICE <= per_hour <= MOST):
            raise InputError(
                f"price = {shown(text)}: must be DEVICE=PER_HOUR with a number > 0, "
                "such as cpu=0.09 or cuda:0=2.49"
            )
        if device in prices:
            raise refused("price", text, "be given once for each device")
        prices[device] = per_hour
    return prices
