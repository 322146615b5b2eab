"""What a contender's text may say, beyond its form: in a spec, and on this machine."""

from collections.abc import Sequence

from crossover.contender import Contender
from crossover.files.untrusted import InputError, near
from crossover.nouns import Machine
from crossover.workloads.workload import Implementation

ACCELERATOR = "accelerator"
STAND_IN = "cuda"
"""Without an accelerator, `accelerator` becomes this name; its cells are recorded as
unavailable."""
ALL_THREADS = "@all"


def check_contender(text: str, known: Sequence[Implementation]) -> None:
    """Check a contender of a spec; `@all` and `accelerator` are not replaced yet.

    Args:
        text: as it is typed.
        known: the workload's implementations that it may name.

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    usual = [one.name for one in known[:1]]
    contender = Contender.parse(text.replace(ALL_THREADS, "@1"), *usual)
    by_name = {one.name: one for one in known}
    if contender.trainer not in by_name:
        raise InputError(
            f"trainer = {contender.trainer!r} in contender {text!r}: must be one of "
            f"{', '.join(sorted(by_name))}{near(contender.trainer, (*by_name,))}"
        )
    kind = contender.device.partition(":")[0]
    only = by_name[contender.trainer].only_on or kind
    if only != kind and (kind != ACCELERATOR or only == "cpu"):
        raise InputError(
            f"device = {contender.device!r} in contender {text!r}: trainer "
            f"{contender.trainer} must be on {only}"
        )
    if contender.threads is not None and contender.threads < 1:
        raise InputError(f"threads = 0 in contender {text!r}: must be >= 1 or all")
    if contender.ranks < 1:
        raise InputError(f"ranks = 0 in contender {text!r}: must be >= 1")
    ranked = [one.name for one in known if one.ranked]
    if contender.ranks > 1 and contender.trainer not in ranked:
        takes = f", only trainer {' or '.join(ranked)} takes more" * bool(ranked)
        raise InputError(
            f"ranks = {contender.ranks} in contender {text!r}: must be 1{takes}"
        )


def missing(contender: Contender, machine: Machine) -> str | None:
    """Say what a machine lacks for a contender, None when it lacks nothing known."""
    device = contender.device
    for name in (device, f"{device}:0"):  # `cuda` is the first of its kind
        reason = machine.unavailable.get(name) or machine.trainers.get(
            f"{name}/{contender.trainer}"
        )
        if reason:
            return f"{device}: {reason}"
    return missing_cores(contender, machine.cores)


def missing_cores(contender: Contender, cores: int | None) -> str | None:
    """Say why a machine has too few cores for a contender, None when it has enough.

    Args:
        contender: who.
        cores: those that its processes may run on; None where nobody knows.
    """
    ranks, threads = contender.ranks, contender.threads
    if cores is None or threads is None or ranks * threads <= cores:
        return None
    need = f"{threads} thread{'s' * (threads > 1)}"
    need = f"{ranks} ranks of {need}" if ranks > 1 else need
    return f"{contender}: {need}, but {cores} usable core(s)"
