"""Count what a step of a user's file would give a device: on the CPU, below autograd.

`user_file.UserJob.count` calls it, in a worker, for `crossover predict`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._pytree import tree_leaves

from crossover.workloads.definition import DeviceWork
from crossover.workloads.user_session import UserSession
from softmax_core.launches import Counter


def count_step(session: UserSession) -> DeviceWork:
    """Count the second step, as the first one allocates what the job keeps.

    Raises:
        ValueError: if torch does not see all that the step does.
    """
    if not session.is_torch:
        raise ValueError(
            "has a synchronize of its own; only what torch does can be counted"
        )
    compiled, counter = _n_compiled(), Counter()
    session.move()
    session.build()
    with _optimizers_as_on_accelerators():
        session.run(1)
        with counter:
            session.run(1)
    if _n_compiled() > compiled:
        raise ValueError("compiles, which decides on the device what is launched")
    if counter.uncounted:
        raise ValueError(
            f"calls {counter.uncounted[0]}, whose work on a device is not known"
        )
    if not counter.launches:
        raise ValueError("gives torch no work that can be counted")
    moved = [*_tensors(session.data)]
    return DeviceWork(
        launches=counter.launches,
        bytes=counter.bytes,
        operations=counter.operations,
        dtype=counter.dtype,
        copies=len(moved),
        moved_bytes=sum(tensor.nbytes for tensor in moved),
    )


@contextmanager
def _optimizers_as_on_accelerators() -> Iterator[None]:
    """Have optimizers update all parameters at once, unless the user's says otherwise.

    That is torch's choice on accelerators, and on the CPU it is not.
    """

    def together(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        for group in optimizer.param_groups:
            chosen = group.get("fused") or group.get("differentiable")
            if "foreach" in group and group["foreach"] is None and not chosen:
                group["foreach"] = True

    handle = register_optimizer_step_pre_hook(together)
    try:
        yield
    finally:
        handle.remove()


def _n_compiled() -> int:
    """Return how many graphs torch.compile has compiled in this process."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    return dynamo.counters["stats"]["unique_graphs"] if dynamo else 0


def _tensors(data: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors that are moved, those of modules too."""
    for leaf in tree_leaves(data):
        if isinstance(leaf, torch.Tensor):
            yield leaf
        elif isinstance(leaf, torch.nn.Module):
            yield from (*leaf.parameters(), *leaf.buffers())
