"""Functions of this process as a workload, as those of a user's file are one.

`find` calls it. The functions stay in memory: no file of them is loaded again.
"""

import inspect
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

from crossover.files.untrusted import InputError, shown
from crossover.nouns import UserFile
from crossover.workloads.registry import bring
from crossover.workloads.user_file import (
    NOT_THEIRS,
    UserJob,
    declaration,
    takes_device,
)
from crossover.workloads.workload import Workload

MakeStep = Callable[..., Any]
FORM = "must be a function whose first parameter is device, such as "
EXAMPLE = "def train(device, hidden=256)"
TAKEN = (*NOT_THEIRS, "check")
"""Names that mean something else in a file."""


@dataclass
class GivenJob(UserJob):
    """The code of a workload whose functions are here; see `Definition`."""

    given: ModuleType

    @cached_property
    def module(self) -> ModuleType:
        """What holds the functions by their names, as a loaded file does."""
        return self.given


def bring_functions(
    make_step: MakeStep | Sequence[MakeStep],
    data: Callable[..., Any] | None,
    synchronize: Callable[[str], object] | None,
    check: float | None,
) -> Workload:
    """Return the workload of functions, which this process knows from then on.

    Args:
        make_step: a function that prepares a step, or several that do the same work.
        data: makes the data that the functions take.
        synchronize: waits for a device that is not torch's.
        check: how far results may lie apart; None: they are not compared.

    Raises:
        TypeError: for what is no function.
        InputError: for a function that prepares no step, naming it and its line.
    """
    given: object = [make_step] if callable(make_step) else make_step
    if not isinstance(given, list | tuple) or not given:
        raise TypeError(f"make_step = {shown(make_step)}: {FORM}{EXAMPLE}")
    functions = {function.__name__: function for function in map(_checked, given)}
    if len(functions) < len(given):
        raise InputError(
            f"make_step = {', '.join(functions)}: each must have a name of its own"
        )
    if taken := functions.keys() & {*TAKEN}:
        raise InputError(
            f"make_step = {taken.pop()}: must not be called {', '.join(TAKEN)}"
        )
    first = next(iter(functions.values()))
    name = f"{_word(first.__module__)}:{_word(first.__name__)}"
    module = ModuleType(name)
    vars(module).update(functions, check=check)
    for optional, value in (("data", data), ("synchronize", synchronize)):
        if value is not None:
            if not callable(value):
                raise TypeError(f"{optional} = {shown(value)}: must be a function")
            setattr(module, optional, value)
    workload = declaration(name, module, functions)
    # Of another call, a function of the same name may be another one.
    file = UserFile(name, secrets.token_hex(8))
    bring(GivenJob(workload, file, module))
    return workload


def _checked(function: object) -> FunctionType:
    """Return a function that prepares a step.

    Raises:
        TypeError: for what is no function.
        InputError: for a function of another form.
    """
    if not inspect.isfunction(function):
        raise TypeError(f"make_step = {shown(function)}: {FORM}{EXAMPLE}")
    if not takes_device(function):
        raise InputError(f"make_step = {function.__name__}: {FORM}{EXAMPLE}")
    return function


def _word(name: object) -> str:
    """Return a part of a workload's name, which holds letters, digits, _ and dots."""
    return re.sub(r"[^\w.]", "_", str(name))[:80] or "_"
