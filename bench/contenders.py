"""What a contender's text may say, beyond its form: in a spec, and on this machine."""

from bench.nouns import Contender, Machine
from bench.untrusted import near
from softmax_core.registry import ONLY_ON, RANKED

ACCELERATOR = "accelerator"
STAND_IN = "cuda"
"""What `accelerator` means where there is none: recorded as unavailable, with why."""
ALL_THREADS = "@all"


def check_contender(text: str, trainers: tuple[str, ...]) -> None:
    """Check a contender of a spec; `@all` and `accelerator` are not replaced yet.

    Raises:
        ValueError: naming the field, its value and what is allowed.
    """
    contender = Contender.parse(text.replace(ALL_THREADS, "@1"))
    if contender.trainer not in trainers:
        raise ValueError(
            f"trainer = {contender.trainer!r} in contender {text!r}: must be one of "
            f"{', '.join(sorted(trainers))}{near(contender.trainer, trainers)}"
        )
    kind = contender.device.partition(":")[0]
    only = ONLY_ON.get(contender.trainer, kind)
    if only != kind and (kind != ACCELERATOR or only == "cpu"):
        raise ValueError(
            f"device = {contender.device!r} in contender {text!r}: trainer "
            f"{contender.trainer} must be on {only}"
        )
    if contender.threads is not None and contender.threads < 1:
        raise ValueError(f"threads = 0 in contender {text!r}: must be >= 1 or all")
    if contender.ranks < 1:
        raise ValueError(f"ranks = 0 in contender {text!r}: must be >= 1")
    if contender.ranks > 1 and contender.trainer not in RANKED:
        raise ValueError(
            f"ranks = {contender.ranks} in contender {text!r}: must be 1, only trainer "
            f"{' or '.join(RANKED)} takes more"
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
