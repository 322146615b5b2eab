"""A user's own file as a workload: its functions are the implementations.

A function whose first parameter is `device` prepares the job there and returns a step.
Its other arguments are sizes (integers) and settings. Only workers load the file; the
main process gets its declaration as data (docs/workloads.md).
"""

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from crossover.contender import BEST
from crossover.files.untrusted import InputError, shown
from crossover.nouns import Case, UserFile
from crossover.workloads.definition import Definition, DeviceWork
from crossover.workloads.sound import IMPLEMENTATION, RESERVED, check_declared
from crossover.workloads.values import Setting, Size, Value
from crossover.workloads.workload import Implementation, Workload

if TYPE_CHECKING:
    from crossover.workloads.user_session import UserSession

STEPS = "steps"
"""The size that repeats, which no argument may be called."""
NOT_THEIRS = ("data", "synchronize")
"""Functions of the file that are no implementations."""
DEFAULT_CHECK = 1e-2
"""How far results may lie apart, as a share of the largest, unless the file says it."""
STEP_S = 1e-3
"""Rough seconds of a step, only to foretell durations: nothing is known of it."""
MODULE = "crossover_user_file_"
"""Begins the name of the module that a file becomes."""


@dataclass
class UserJob(Definition):
    """The code of a user's workload; see `Definition`.

    The main process keeps one, too, and never loads the file.
    """

    declared: Workload
    file: UserFile

    def work(self, case: Case) -> dict[str, float]:
        """See `Definition`: nothing is known but the number of steps."""
        return {}

    def expected_s(self, case: Case, implementation: str) -> float:
        """See `Definition`: as if the time grew with every size."""
        growth = 1.0
        for size in self.declared.sizes:
            if size.default and not size.repeats:
                growth *= case[size.name] / size.default
        return case.repeats * STEP_S * growth

    def session(
        self, case: Case, implementation: str, device: str, threads: int | None,
        ranks: int,
    ) -> "UserSession":  # fmt: skip
        """See `Definition`."""
        from crossover.workloads.user_session import UserSession

        return UserSession(self.module, case, implementation, device)

    def first_use(self, implementation: str, device: str, ranks: int) -> None:
        """See `Definition`."""
        from crossover.workloads.user_session import first_use

        first_use(device)

    def count(self, implementation: str, cases: Sequence[Case]) -> list[DeviceWork]:
        """See `Definition`: of one step on the CPU, at each case's own sizes."""
        from crossover.workloads.user_count import count_step

        try:
            return [
                count_step(self.session(case, implementation, "cpu", None, 1))
                for case in cases
            ]
        except Exception as error:  # the user's code may raise anything
            place = place_of(error, Path(self.file.path)) or self.file.name
            what = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            said = f"{what}{error}".split("\n")[0]
            raise InputError(f"{place}: {implementation}: {said}") from error

    @cached_property
    def module(self) -> ModuleType:
        """The loaded file.

        Raises:
            InputError: when it is not as it was when the run began.
        """
        module, file = load(self.file.name, self.file.path)
        if file.sha256 != self.file.sha256:
            raise InputError(f"{self.file.name}: was edited since the run began")
        return module


def declare(target: str, folder: str) -> UserJob:
    """Load a user's file, or the module of `module:function`, and declare its workload.

    Args:
        target: as it was typed.
        folder: what a path is relative to, and where a module is looked for, too.

    Raises:
        InputError: in one line, with the file and the line number.
    """
    if target.endswith(".py"):
        path = Path(folder, target)
        name = path.name
    else:
        if folder not in sys.path:
            sys.path.append(folder)
        path, name = _module_path(target), target
    module, file = load(name, str(path))
    functions = implementations(module, name.partition(":")[2])
    if not functions:
        raise InputError(
            f"{name}: has no public function whose first parameter is device, such as "
            "def train(device, hidden=256)"
        )
    return UserJob(declaration(name, module, functions), file)


def _module_path(target: str) -> Path:
    """Return the file of the module in `module:function`.

    Raises:
        InputError: when there is no such module.
    """
    name = target.partition(":")[0]
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.origin or not found.origin.endswith(".py"):
        raise InputError(f"{target}: no module {shown(name)} in Python files is found")
    return Path(found.origin)


def load(name: str, path: str) -> tuple[ModuleType, UserFile]:
    """Load a file as Python runs a script: its folder is the first one searched.

    Args:
        name: the workload's; of `module:function`, the module is imported.
        path: where the file is.

    Raises:
        InputError: when it cannot be read or does not load, with the line number.
    """
    where = Path(path).resolve()
    try:
        code = where.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: {error.strerror} ({shown(str(where))})") from error
    file = UserFile(name, hashlib.sha256(code).hexdigest(), str(where))
    module_name, is_module, _ = name.partition(":")
    try:
        if is_module:
            if (root := _root(where, module_name)) not in sys.path:
                sys.path.append(root)
            return importlib.import_module(module_name), file
        if (folder := str(where.parent)) not in sys.path:
            sys.path.insert(0, folder)
        return _executed(where, code), file
    except SyntaxError as error:
        place = f"{name}:{error.lineno}" if error.filename == str(where) else name
        raise InputError(f"{place}: {error.msg}") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}".split("\n")[0]
        raise InputError(f"{place_of(error, where) or name}: {said}") from error
    except SystemExit as error:
        place = place_of(error, where) or name
        raise InputError(f"{place}: leaves by SystemExit as it is loaded") from error


def _root(where: Path, module_name: str) -> str:
    """Return the folder in which Python looks for a module, given the module's file."""
    above = module_name.count(".") + (where.name == "__init__.py")
    return str(where.parents[above])


def _executed(where: Path, code: bytes) -> ModuleType:
    name = MODULE + "".join(c if c.isalnum() else "_" for c in where.stem)
    spec = importlib.util.spec_from_file_location(name, where)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and compilers look it up
    try:
        exec(compile(code, str(where), "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def place_of(error: BaseException, where: Path) -> str:
    """Return `FILE:LINE` of the last line of a file that led to an error, or ""."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(where)
    ]
    return f"{where.name}:{lines[-1]}" if lines else ""


def implementations(module: ModuleType, only: str = "") -> dict[str, FunctionType]:
    """Return the functions of a module that are implementations, by name, in order.

    Args:
        module: the loaded file.
        only: the name of the one that is meant; "" for all.
    """
    public = getattr(module, "__all__", None)
    found = {}
    for name, value in vars(module).items():
        its_own = inspect.isfunction(value) and value.__module__ == module.__name__
        is_public = not name.startswith("_") and name not in NOT_THEIRS
        is_meant = name == only if only else public is None or name in public
        if its_own and is_meant and (is_public or only) and takes_device(value):
            found[name] = value
    return found


def takes_device(function: FunctionType) -> bool:
    """Tell whether a function's first parameter is `device`."""
    return next(iter(inspect.signature(function).parameters), None) == "device"


def declaration(
    name: str, module: ModuleType, functions: dict[str, FunctionType]
) -> Workload:
    """Return the workload of the file's implementations, which have the same sizes.

    Raises:
        InputError: naming the function's line, the argument and what is allowed.
    """
    each = {one: _Arguments(name, function) for one, function in functions.items()}
    first, *others = each
    for one, its in each.items():
        if its.takes_data and not callable(getattr(module, "data", None)):
            raise InputError(f"{its.place}: {one} takes data: must have def data")
        if one == BEST or not IMPLEMENTATION.fullmatch(one):
            raise InputError(
                f"{its.place}: function {one}: must be small letters, digits "
                f"and _, at most 40, and not {BEST}"
            )
    for one in others:
        if each[one].values != each[first].values:
            raise InputError(
                f"{each[one].place}: {one} has {each[one]}; must have those of "
                f"{first}: {each[first]}"
            )
    sizes = [_size(n, v) for n, v in each[first].values.items() if _is_size(v)]
    steps = Size(STEPS, 1000, words="number of steps", one="step", many="steps",
                 repeats=True)  # fmt: skip
    workload = Workload(
        name=name,
        sizes=(*sizes, steps),
        settings=tuple(
            Setting(n, v)  # type: ignore[arg-type]  # `_Arguments` checks it
            for n, v in each[first].values.items()
            if not _is_size(v)
        ),
        implementations=tuple(Implementation(one) for one in functions),
        check=_check(name, module),
    )
    try:
        check_declared(workload)
    except ValueError as error:
        raise InputError(f"{each[first].place}: {error}") from error
    return workload


def _check(name: str, module: ModuleType) -> float | None:
    """Return how far results may lie apart, as a share; None: they are not compared.

    Raises:
        InputError: for anything else.
    """
    check = getattr(module, "check", DEFAULT_CHECK)
    if inspect.isroutine(check):
        raise InputError(f"{name}: check: must be a number > 0, or None")
    is_number = isinstance(check, int | float) and not isinstance(check, bool)
    if check is not None and not (is_number and 0 < check < float("inf")):
        raise InputError(f"{name}: check = {check!r}: must be a number > 0, or None")
    return None if check is None else float(check)


def _is_size(value: object) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and value >= 0  # type: ignore[operator]


def _size(name: str, default: Any) -> Size:
    return Size(name, default, least=min(1, default))


class _Arguments:
    """The sizes and settings of a function: arguments after `device` and `data`."""

    def __init__(self, file: str, function: FunctionType) -> None:
        self.place = f"{file}:{function.__code__.co_firstlineno}"
        self.takes_data = False
        self.values: dict[str, Value] = dict(self._read(function))

    def __str__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.values.items())

    def _read(self, function: FunctionType) -> Iterator[tuple[str, Value]]:
        _, *others = inspect.signature(function).parameters.values()
        for place, one in enumerate(others):
            where = f"{self.place}: argument {one.name} of {function.__name__}"
            if one.name == "data":
                if place or one.default is not one.empty:
                    raise InputError(f"{where}: must be the second, without a default")
                self.takes_data = True
                continue
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
                raise InputError(f"{where}: must be one that is given by its name")
            if one.default is one.empty:
                raise InputError(f"{where}: must have a default, such as {one.name}=32")
            if one.name == STEPS:
                raise InputError(
                    f"{where}: must have another name; steps=N says how often the step "
                    "is repeated"
                )
            if one.name in RESERVED:
                raise InputError(f"{where}: must not have the name of a column")
            if not isinstance(one.default, bool | int | float | str):
                raise InputError(
                    f"{where}: {one.name}={one.default!r}: must be an integer, which "
                    "is a size, or a setting: true or false, a number or a text"
                )
            yield one.name, one.default
