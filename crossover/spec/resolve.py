"""From a spec for any machine to one for this: its accelerators and cores by name."""

from collections.abc import Callable
from typing import TypeVar

from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.spec.contenders import ACCELERATOR, ALL_THREADS, STAND_IN
from crossover.spec.spec import Spec
from crossover.spec.sweep import Sweep

SpecOrSweep = TypeVar("SpecOrSweep", Spec, Sweep)
Here = Callable[[str, str], str]
"""Returns a contender's text for an accelerator's name."""


def resolve(spec: Spec, accelerators: tuple[str, ...], cores: int) -> Spec:
    """Replace `accelerator` and `@all` by what this machine has.

    Without an accelerator the name becomes `STAND_IN`, whose cells are then recorded as
    unavailable with the reason: what did not run is reported, never left out.

    Raises:
        InputError: for more threads than cores.
    """
    devices = accelerators or (STAND_IN,)
    return renamed(spec, devices, lambda text, device: _here(text, device, cores))


def renamed(spec: Spec, devices: tuple[str, ...], here: Here) -> Spec:
    """Return a spec whose contenders and pairs have the names of some devices."""
    sweeps = tuple(_renamed(sweep, devices, here) for sweep in spec.sweep)
    return _renamed(spec, devices, here).model_copy(update={"sweep": sweeps})


def _renamed(asked: SpecOrSweep, devices: tuple[str, ...], here: Here) -> SpecOrSweep:
    names = [here(text, device) for text in asked.contenders for device in devices]
    both = [
        (here(baseline, device), here(challenger, device))
        for baseline, challenger in asked.pairs
        for device in devices
    ]
    once: dict[str, object] = {
        "contenders": tuple(dict.fromkeys(names)),
        "pairs": tuple(dict.fromkeys(both)),
    }
    return asked.model_copy(update=once)


def _here(text: str, device: str, cores: int) -> str:
    """Return a contender's text with one accelerator's name and this many cores."""
    found = text.replace(ACCELERATOR, device).replace(ALL_THREADS, f"@{cores}")
    threads = Contender.parse(found).threads
    if threads is not None and threads > cores:
        raise InputError(
            f"threads = {threads} in contender {found!r}: must be at most {cores}, the "
            "cores of this machine"
        )
    return found
