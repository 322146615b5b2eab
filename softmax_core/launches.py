"""Count how many kernels a trainer launches, on the CPU: no accelerator is needed.

`count_launches` trains small cases of a few steps and counts, below autograd, the aten
operators that start a kernel on an accelerator. Views, allocations without filling,
changes of metadata, and copies of Python lists from the host (one a step in `manual`)
are not counted. An operator counts once, though a device's library may take two kernels
for it: a sort behind randperm, or a fill before the gradient of the loss.
"""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from softmax_core.case import Case
from softmax_core.data import make_data
from softmax_core.registry import CALL, REPLAYS, entry
from softmax_core.trainers.graphed import GraphedTrainer, Work
from softmax_core.trainers.ranks.share import Place, ShareSession
from softmax_core.training import Session, Setup, get_trainer

NO_KERNEL = {
    "_local_scalar_dense",
    "_unsafe_view",
    "empty",
    "empty_like",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "resize_",
    "set_",
}
"""Operators that start no kernel although they are no views."""
GATHERS = {"index_select", "gather", "index"}
"""Operators that read as much of their source as they write, not all of it."""
_FLASH = "_scaled_dot_product_flash_attention"
FLOPS: dict[Any, Any] = flop_registry | {
    getattr(torch.ops.aten, f"{_FLASH}_for_cpu{end}"): flop_registry[
        getattr(torch.ops.aten, f"{_FLASH}{end}")
    ]
    for end in ("", "_backward")
}
"""Formulas of what products of matrices multiply and add, attention on the CPU too."""
TORCHS = {"aten", "prim", "prims", "profiler"}
"""Namespaces whose operators are counted, or start no kernel."""
UNCOUNTED = re.compile(
    r"_?mkldnn|_?cudnn|_?linalg_(?!vector_norm)|lu_|cholesky|triangular_solve|geqrf"
    r"|or[gm]qr|_cdist|_transformer|_native_multi_head|_ctc_loss"
)
"""Operators that hide how many kernels or operations they take."""
STEPS = (3, 8)
"""Steps in the two epochs whose difference gives the launches of a step."""
MOST_ROWS = 64
"""Most samples in a batch while launches are counted."""


@dataclasses.dataclass(frozen=True)
class Launches:
    """Kernel launches of one case: per_call + epochs x (per_epoch + steps x per_step).

    `per_epoch` counts what an epoch takes beside its steps: the shuffle and the gather.
    All three are None if they cannot be counted; `reason` then says why.
    """

    per_step: float | None
    per_epoch: float | None
    per_call: float | None
    reason: str = ""


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts, inside its `with` block, the operators that would start a kernel.

    `bytes` counts every operand and result; `operations` counts the multiplications and
    additions of matrix products, and one for each element that other operators write.
    `uncounted` lists the operators of which this would tell too little.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.launches, self.bytes, self.operations = 0, 0.0, 0.0
        self.uncounted: list[str] = []
        self._by_type: dict[torch.dtype, float] = defaultdict(float)

    @property
    def dtype(self) -> str:
        """The type of numbers that most operations are done with: `float32`."""
        floats = {t: n for t, n in self._by_type.items() if t.is_floating_point}
        most = max(floats, key=floats.__getitem__, default=torch.float32)
        return str(most).removeprefix("torch.")

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run the operator and count it."""
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        out = func(*args, **kwargs)
        if func.namespace not in TORCHS or UNCOUNTED.match(name):
            self.uncounted.append(f"{func.namespace}::{name}")
        if func.namespace == "aten" and not func.is_view and name not in NO_KERNEL:
            self.launches += 1
            written = sum(t.nbytes for t in _tensors(out))
            read = sum(t.nbytes for t in _tensors((args, kwargs)))
            self.bytes += written + (written if name in GATHERS else read)
            flops, made = FLOPS.get(func.overloadpacket), _tensors(out)
            done = (
                sum(t.numel() for t in made)
                if flops is None
                else flops(*args, **kwargs, out_val=out)
            )
            self.operations += done
            if made:
                self._by_type[made[0].dtype] += done
        return out


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def count_launches(trainer: str, case: Case, ranks: int = 1) -> Launches:
    """Count what a trainer launches for a case.

    A step and an epoch are counted on a case of a few batches; `graphed` on the case's
    own number of steps, for which it captures graphs. Ranks launch side by side, so one
    of them is counted, and its part of their sum is one launch.

    Args:
        trainer: a name from the registry.
        case: what is trained; its batch size, features, classes and momentum matter.
        ranks: processes that share the training.

    Raises:
        ValueError: for an unknown trainer.
    """
    declared = entry(trainer)
    if declared.launches == CALL:
        return Launches(0, 0, 1)
    if declared.launches == REPLAYS:
        return Launches(0, _graphed_epoch(case), 0)
    reason = declared.launches_unknown
    if declared.only_on not in ("", "cpu"):
        reason = f"trainer {trainer} runs on no CPU, where launches are counted"
    if reason:
        return Launches(None, None, None, reason)
    fewer, more = (
        counted(_prepared(trainer, _small(case, steps), ranks)).launches
        for steps in STEPS
    )
    per_step = (more - fewer) / (STEPS[1] - STEPS[0])
    return Launches(per_step, fewer - STEPS[0] * per_step, 0)


def _prepared(trainer: str, case: Case, ranks: int) -> Session:
    """Prepare a case on the CPU; of several ranks, rank 0 without the others.

    Its sum then launches one kernel, as theirs does, and gives wrong numbers.
    """
    data, cpu = make_data(case), Setup(torch.device("cpu"))
    if ranks > 1:
        return ShareSession(case, data, cpu, Place(0, ranks), torch.neg_)
    return get_trainer(trainer).prepare(case, data)


def _small(case: Case, steps: int) -> Case:
    """Return the case cut to `steps` full batches, which may be smaller ones."""
    batch = max(min(case.batch_size, case.samples, MOST_ROWS), case.classes)
    return dataclasses.replace(case, samples=steps * batch, batch_size=batch)


def counted(session: Session) -> Counter:
    """Count one epoch, after another in which the session allocates what it keeps."""
    # On accelerators torch.optim.SGD updates all parameters in one launch; on the CPU
    # only if `foreach` is set.
    optimizer = getattr(session, "optimizer", None)
    for group in optimizer.param_groups if optimizer else ():
        group["foreach"] = True
    session.train(1)
    counter = Counter()
    with counter:
        session.train(1)
    return counter


def _graphed_epoch(case: Case) -> int:
    """Count an epoch of `graphed`: the replay of a graph is one launch."""
    replays: list[None] = []

    def capture(work: Work, device: torch.device) -> Callable[[], None]:
        return lambda: replays.append(None)

    narrow = dataclasses.replace(case, features=1, classes=2)
    session = GraphedTrainer(capture).prepare(narrow, make_data(narrow), "cpu")
    return counted(session).launches + len(replays) // 2
