"""What the command line asks for, as a `Spec`: a file or preset, options over it.

The options say their lists of sizes, durations and prices in texts.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossover.command.sweeps import sweeps, usual_sweep
from crossover.contender import Contender
from crossover.files.refusals import first_wrong
from crossover.files.untrusted import InputError, file_name, refused, shown
from crossover.latency.enough import parse_limit
from crossover.measure.declare import bring_file, check_steps
from crossover.nouns import UserFile
from crossover.spec.bounds import LEAST_PRICE, MOST
from crossover.spec.contenders import ACCELERATOR, ALL_THREADS, missing_cores
from crossover.spec.load import load_preset, load_spec
from crossover.spec.spec import DEVICE, Spec, parse_spec
from crossover.workloads.registry import declared, user_file
from crossover.workloads.workload import Workload, is_users

WORD = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
"""A word that gives a size or setting; any other one names the job."""
USUAL = {"rounds": 16, "budget_s": 120.0, "width": 2.0, "longest_sample_s": 0.2}
"""How sure, and for how long, a user's file is measured if nothing is asked for."""
FLAGS = "both_ends", "grid", "latency"


@dataclass(frozen=True)
class Ask:
    """What the command line asked for; None leaves the spec's own value."""

    target: str | None = None
    """A spec's file, a user's file, `module:function` or a workload's name."""
    preset: str = "quick"
    contenders: tuple[str, ...] = ()
    sizes: tuple[tuple[str, str], ...] = ()
    """Pairs of a size or setting and the text of its values: `8,64` or `8..4096`."""
    options: tuple[str, ...] = ()
    """Names of the sizes that were given as options, which are those of softmax."""
    budget: str | None = None
    rounds: int | None = None
    width: float | None = None
    margin: str | None = None
    both_ends: bool = False
    grid: bool = False
    prices: tuple[str, ...] = ()
    latency: bool = False
    good_enough: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Ask":
        """Return what the options of a command ask for.

        Args:
            options: values by the names of the command's parameters.
        """
        names = [n for n in declared("softmax").axes if options[n] is not None]
        target, words = parse_words(options["words"] or ())
        for name in names:
            if name in words:
                option = "--" + name.replace("_", "-")
                raise InputError(f"{name}: must be given once, not also as {option}")
        sizes = words | {name: options[name] for name in names}
        alike = "preset", "budget", "rounds", "width", "margin", "good_enough", *FLAGS
        return cls(
            target=target,
            contenders=tuple(options["contender"] or ()),
            sizes=tuple(sizes.items()),
            options=tuple(names),
            prices=tuple(options.get("price") or ()),
            **{name: options[name] for name in alike if name in options},
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
        fields, workload, is_based = self._job()
        own, texts = fields["sweep"], dict(self.sizes)
        fields["sweep"] = sweeps(workload, own, texts, is_based)
        if self.contenders:
            first, *rest = self.contenders
            pairs = [(first, c) for c in rest] or [(opponent(workload), first)]
            fields["contenders"] = [*dict.fromkeys(c for pair in pairs for c in pair)]
            fields["pairs"] = pairs
            for sweep in fields["sweep"]:
                sweep.pop("contenders", None), sweep.pop("pairs", None)
        fields |= self._more()
        fields |= dict.fromkeys((n for n in FLAGS if getattr(self, n)), True)
        if self.good_enough is not None:
            fields["good_enough_s"] = parse_limit(self.good_enough)
        if self.prices:
            fields["prices"] = parse_prices(self.prices)
        spec = parse_spec(fields, "options")
        if file := user_file(spec.workload):
            case = next(iter(spec.sweep[0].cases().values()))
            check_steps(case, *_located(file))
        return spec

    def _job(self) -> tuple[dict[str, Any], Workload, bool]:
        """Return the fields of the spec that is meant, without what options add.

        Returns:
            The fields, their workload, and whether sizes that are not given are those
            of its first sweep.
        """
        target = self.target
        if target is None or is_spec(target):
            spec = (
                load_preset(self.preset)
                if target is None
                else load_spec(Path(target), bring_file)
            )
            fields = spec.model_dump(exclude_defaults=True)
            if self.options and spec.declared.name != "softmax":
                raise self._not_an_option(spec.declared)
            return fields, spec.declared, target is not None
        if target == "softmax":
            fields = load_preset(self.preset).model_dump(exclude_defaults=True)
            return fields, declared(target), False
        workload = bring_file(target, str(Path.cwd())) if is_users(target) else None
        workload = workload or _known(target)
        if self.options:
            raise self._not_an_option(workload)
        if self.preset != Ask.preset:
            raise InputError(
                f"preset = {self.preset!r}: is of softmax, not of {target}"
            )
        first = workload.implementations[0].name
        one, whole = f"cpu/{first}@1", f"cpu/{first}{ALL_THREADS}"
        pairs = [(whole, f"{ACCELERATOR}/{first}"), (one, whole)]
        file = user_file(workload.name)
        if file is not None and not file.loads_torch:  # which knows of accelerators
            del pairs[0]
        fields = {
            "name": file_name(Path(target).stem.partition(":")[0]),
            "workload": workload.name,
            "contenders": [*dict.fromkeys([one, *itertools.chain(*pairs)])],
            "pairs": pairs,
            "sweep": [usual_sweep(workload, dict(self.sizes))],
            **USUAL,
        }
        return fields, workload, True

    def _not_an_option(self, workload: Workload) -> InputError:
        name = self.options[0]
        written = name if name in workload.axes else workload.axes[0]
        return InputError(
            f"--{name.replace('_', '-')}: is an option of softmax; must be a word, "
            f"such as {written}={dict(self.sizes)[name]}, for {workload.name}"
        )

    def notices(self, spec: Spec) -> list[str]:
        """Return lines that say what was added to what was asked for.

        Args:
            spec: what was made of it.
        """
        if len(self.contenders) != 1:
            return []
        return [
            f"contender = {self.contenders[0]}: compared with {spec.pairs[0][0]}, "
            "which was added, as no second --contender was given"
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


def opponent(workload: Workload) -> str:
    """Return whom a contender is compared with if it is the only one given."""
    usual = [one.name for one in workload.implementations[:1]] or ["resident"]
    return f"cpu/{usual[0]}{ALL_THREADS}"


def _known(name: str) -> Workload:
    """Return a workload that has no file, by its name.

    Raises:
        InputError: for anything else, saying what a job can be.
    """
    try:
        found = declared(name)
    except ValueError as error:
        names = str(error).removeprefix("must be one of ")
        raise InputError(
            f"job = {shown(name)}: must be a spec (.toml), a file of Python (.py), "
            f"module:function or a workload: {names}"
        ) from error
    if not found.implementations:
        raise InputError(
            f"job = {shown(name)}: has no implementation; must be in a spec"
        )
    return found


def parse_words(words: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """Return the job that words name, None if they name none, and what they give it.

    Raises:
        InputError: for two jobs, a name given twice or without a value.
    """
    jobs, given = list[str](), dict[str, str]()
    for word in words:
        match = WORD.fullmatch(word)
        if match is None:
            jobs.append(word)
            continue
        name, value = match.groups()
        if not value or name in given:
            must = "be given once" if value else "have a value, such as 64..4096"
            raise InputError(f"{name} = {shown(value)}: must {must}")
        given[name] = value
    if len(jobs) > 1:
        raise InputError(
            f"{shown(jobs[1])}: must be NAME=VALUE, as the job is {shown(jobs[0])}"
        )
    return next(iter(jobs), None), given


def is_spec(target: str) -> bool:
    """Tell whether a job is a spec: by its name's end, or any other file's path."""
    return target.endswith(".toml") or ("/" in target and not target.endswith(".py"))


def _located(file: UserFile) -> tuple[str, str]:
    """Return a user's file as it is declared: what is loaded, and from where."""
    is_module = ":" in file.name
    return file.name if is_module else file.path, str(Path.cwd())


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
    """Read a margin, as `parse_share` does; None where none is given."""
    return None if text is None else parse_share("margin", text)


def parse_share(field: str, text: str) -> float:
    """Read a share such as `5%` or `0.05`.

    Raises:
        InputError: for anything else, and for a share that is not at least 0 and less
            than 1.
    """
    digits = text.strip().removesuffix("%")
    share = _number(digits) / (100 if digits != text.strip() else 1)
    if not 0 <= share < 1:
        raise InputError(
            f"{field} = {shown(text)}: must be a share >= 0 % and < 100 %, such as 5% "
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
