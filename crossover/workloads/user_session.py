"""One case of a user's file in a worker: its data, its factory and its step.

`user_file.UserJob` makes it; the sampler drives it like any `Session`.
"""

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from crossover.files.untrusted import InputError
from crossover.nouns import Case
from crossover.workloads.definition import Session, WrongResult
from crossover.workloads.user_file import UserJob, implementations

SEED = 0
"""Set before the data and before the factory, for random, NumPy and torch."""
CHECKED_STEPS = 3
"""The step whose result is compared with the other contenders'."""
MOST_NUMBERS = 1_000_000
"""Most numbers of a result that are compared, evenly spaced."""


CPU = "cpu"


def try_steps(job: UserJob, case: Case) -> None:
    """Prepare a case on the CPU by each implementation, which must return a step.

    Raises:
        InputError: in one line, with the file and the line number.
    """
    for name, function in implementations(job.module).items():
        line = function.__code__.co_firstlineno
        try:
            session = job.session(case, name, CPU, None, 1)
            session.move()
            session.build()
        except WrongResult as error:
            place = f"{Path(job.file.path).name}:{line}"
            raise InputError(f"{place}: {error}") from error
        except Exception:  # a cell with this reason, if it is so there
            continue


def first_use(device: str) -> None:
    """Do the least work that starts a device of torch; on the CPU, torch itself."""
    if device == CPU and "torch" not in sys.modules:
        return
    import torch

    from softmax_core.device import parse_device, synchronize

    there = parse_device(device)
    torch.ones(1, device=there).sum()
    synchronize(there)


def seed() -> None:
    """Set the seed of every generator that is loaded."""
    random.seed(SEED)
    np.random.seed(SEED)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(SEED)


class UserSession(Session):
    """A user's step; see `Session`.

    Args:
        module: the loaded file.
        case: sizes and settings.
        implementation: name of the function that prepares the job.
        device: where, as text.

    Raises:
        WrongResult: when what the function returns is no step.
    """

    def __init__(
        self, module: ModuleType, case: Case, implementation: str, device: str
    ) -> None:
        self._factory: Callable[..., Any] = getattr(module, implementation)
        self._device = device
        self._values = {name: v for name, v in case.values if name != "steps"}
        self._synchronize = getattr(module, "synchronize", None)
        self.is_torch = self._synchronize is None
        self.data: Any = None
        self.has_data = "data" in inspect.signature(self._factory).parameters
        if self.has_data:
            seed()
            self.data = _called_with(module.data, self._values)
        self._given: dict[str, Any] = {}
        self._done = 0
        self._kept: list[np.ndarray[Any, Any]] | None = None

    def move(self) -> None:
        """See `Session`: move what `data` returned."""
        if self.has_data:
            self._given = {"data": moved(self.data, self._device)}

    def build(self) -> None:
        """See `Session`: call the function, from the same seed on every device."""
        seed()
        self._made = self._factory(self._device, **self._given, **self._values)
        self._step = step_of(self._made, self._factory.__name__)

    def reset(self) -> None:
        """See `Session`: by the object's own `reset`, if it has one."""
        if (reset := getattr(self._made, "reset", None)) is not None:
            reset()
            self._done = 0

    def run(self, repeats: int) -> None:
        """See `Session`: a repeat is a step. The third one's result is kept."""
        if self._kept is None:
            while repeats and self._done < CHECKED_STEPS:
                returned = self._step()
                self._done, repeats = self._done + 1, repeats - 1
                if self._done == CHECKED_STEPS:
                    self._kept = list(numbers(self._result(returned)))
        step = self._step
        for _ in range(repeats):
            step()

    def _result(self, returned: object) -> object:
        result = getattr(self._made, "result", None)
        return returned if result is None else result()

    def synchronize(self) -> None:
        """See `Session`: by the file's own `synchronize`, else torch's."""
        if self._synchronize is not None:
            self._synchronize(self._device)
        elif self._device != CPU:
            from softmax_core.device import parse_device, synchronize

            synchronize(parse_device(self._device))

    def verify(self, repeats: int) -> tuple[None, None]:
        """See `Session`: the engine compares `result` with other contenders'."""
        if self._kept is None:
            self.reset()
            self.run(CHECKED_STEPS - self._done)
        return None, None

    def result(self) -> list[np.ndarray[Any, Any]]:
        """Return the numbers that the third step from the seed returned, on the host.

        Each array has one dimension and values of float64 or complex128.
        """
        return self._kept or []

    @property
    def items(self) -> float | None:
        """How many things a step works on, if the user's object says so."""
        items = getattr(self._made, "items", None)
        found = items() if callable(items) else items
        return None if found is None else float(found)


def step_of(made: object, name: str) -> Callable[[], object]:
    """Return the step of what a function returned.

    Raises:
        WrongResult: when there is none.
    """
    step = getattr(made, "step", made)
    if not callable(step):
        raise WrongResult(
            f"{name} returned {type(made).__name__}: must return a function, or an "
            "object with one called step"
        )
    return step


def _called_with(function: Callable[..., Any], values: dict[str, object]) -> Any:
    """Call a function with those values for which it has arguments."""
    taken = inspect.signature(function).parameters
    takes_all = any(one.kind is one.VAR_KEYWORD for one in taken.values())
    return function(**{n: v for n, v in values.items() if takes_all or n in taken})


def moved(data: Any, device: str) -> Any:
    """Return data with everything that can be moved on the device.

    What has a method `to`, as tensors and modules do, is moved by it; lists, tuples and
    dictionaries of such are searched.
    """
    if isinstance(data, dict):
        return {name: moved(value, device) for name, value in data.items()}
    if isinstance(data, list | tuple):
        parts = [moved(value, device) for value in data]
        if hasattr(data, "_fields"):  # a named tuple
            return type(data)(*parts)
        return type(data)(parts)
    return data.to(device) if hasattr(data, "to") else data


def numbers(result: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the numbers of a result, tensor by tensor, copied to the host.

    Texts, None and objects of other kinds hold none.
    """
    if isinstance(result, dict):
        for value in result.values():
            yield from numbers(value)
    elif isinstance(result, list | tuple):
        for value in result:
            yield from numbers(value)
    elif (torch := sys.modules.get("torch")) and isinstance(result, torch.Tensor):
        whole = result.detach()
        if whole.layout != torch.strided:
            whole = whole.to_dense()
        kind = torch.complex128 if whole.is_complex() else torch.float64
        yield _thinned(whole.cpu().to(kind).flatten().numpy())
    elif isinstance(result, bool | int | float | complex):
        yield np.array([result], complex if isinstance(result, complex) else float)
    elif hasattr(result, "__array__") or hasattr(result, "__dlpack__"):
        array = np.asarray(result)
        if array.dtype.kind in "biufc":
            is_complex = array.dtype.kind == "c"
            yield _thinned(array.astype(complex if is_complex else float).ravel())


def _thinned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array[:: max(1, -(-array.size // MOST_NUMBERS))].copy()
