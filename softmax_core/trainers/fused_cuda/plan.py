"""How a batch is shared out on the GPU: a `Plan`, from sizes alone. No numba, no torch.

The same features, classes, batch, dtype and device give the same plan, so that a cell
is verified on the kernel that is timed.
"""

from dataclasses import dataclass

from softmax_core.case import Case

SHARED_BYTES = 47 * 1024
"""Shared memory of a block: on every GPU 48 KB without asking for more, what the code
itself has included; numba cannot ask."""
MOST_THREADS = 512
"""Threads of a block: with 128 registers each, one block fits on any GPU."""
BLOCK_WORK = 2**15
"""Batch x features x classes that one block does while a grid waits for itself: some
2 microseconds, at 16 products a clock. An estimate, not a measurement."""
MOST_PARTIALS = 2**16
"""Partial sums that every block adds up for itself, rather than share that out."""
ROWS_A_SLICE = 8
"""Rows one thread sums at least before others help it."""
LAYOUTS = ("one block", "features over blocks", "rows over blocks")


@dataclass(frozen=True)
class Plan:
    """Sizes that a kernel is compiled for.

    `features` is a block's own share, zeros fill up the last block's. `tile` is how
    many rows are in shared memory at a time: whole batches, or a part of a block's
    share of one. `slices` threads share a weight's sum over rows and `folds` its sum
    over blocks. `on_chip` tells whether the weights stay in shared memory.
    """

    layout: str
    dtype: str
    blocks: int
    threads: int
    features: int
    classes: int
    batch: int
    tile: int
    slices: int
    folds: int
    on_chip: bool

    @property
    def weights(self) -> int:
        """Weights a block has: those of its features and the biases."""
        return (self.features + 1) * self.classes

    @property
    def starts(self) -> tuple[int, ...]:
        """Where weights, velocity, sums, logits, labels and rows start; the end."""
        kept = self.weights if self.on_chip else 0
        sums = max(self.slices, self.folds)
        rows = self.tile if self.layout == LAYOUTS[2] else self.batch
        sizes = (
            kept,
            kept,
            sums * self.weights if sums > 1 else 0,
            rows * self.classes,
            self.tile,
            self.tile * self.features,
        )
        return tuple(sum(sizes[:i]) for i in range(7))

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a block in bytes."""
        return self.starts[-1] * _bytes(self.dtype)

    @property
    def scratch(self) -> int:
        """Numbers in global memory by which blocks tell each other their sums."""
        if self.layout == LAYOUTS[2]:
            return 2 * self.blocks * self.weights
        return 2 * self.blocks * self.batch * self.classes if self.blocks > 1 else 1

    def __str__(self) -> str:
        if self.layout == LAYOUTS[0]:
            return f"one block of {self.threads} threads"
        where = "" if self.on_chip else ", weights in memory"
        return f"{self.layout}, {self.blocks} of {self.threads} threads{where}"


def plan(
    case: Case, multiprocessors: int, threads: int | None = None, layout: str = ""
) -> Plan:
    """Choose a plan; `threads` a block and a layout can be told, to test them.

    Raises:
        ValueError: when a row does not fit into shared memory, or the layout told
            does not fit.
    """
    n = min(case.batch_size, case.samples)
    work = n * case.features * case.classes
    room = SHARED_BYTES // _bytes(case.dtype)
    one, spread = None, None
    if layout in ("", LAYOUTS[0]):
        one = _by_features(case, n, 1, threads, room)
    if layout in ("", LAYOUTS[1]) and multiprocessors > 1:
        least = max(2, min(multiprocessors, -(-work // BLOCK_WORK)))
        tries = range(least, multiprocessors + 1)
        plans = (_by_features(case, n, b, threads, room) for b in tries)
        spread = next((p for p in plans if p is not None), None)
    if one is not None and (work <= BLOCK_WORK or layout):
        return one
    # Blocks exchange as many numbers as there are logits, or as there are weights.
    if spread is not None and (n <= case.features or layout):
        return spread
    if layout in LAYOUTS[:2]:
        raise ValueError(f"layout = {layout!r}: does not fit {n} x {case.features}")
    return _by_rows(case, n, multiprocessors, threads, room)


def _by_features(
    case: Case, n: int, blocks: int, threads: int | None, room: int
) -> Plan | None:
    """Return a plan in which a block has some features of all rows, if it fits."""
    own = -(-case.features // blocks)
    weights = (own + 1) * case.classes
    threads = threads or _threads(max(n * case.classes, weights))
    slices = _slices(threads, weights, n)
    kept = weights * (2 + (slices if slices > 1 else 0)) + n * case.classes
    tile = max(room - kept, 0) // (own + 1) // n * n
    if tile == 0:
        return None
    blocks = -(-case.features // own)
    sizes = own, case.classes, n, tile, slices, 1, True
    return Plan(LAYOUTS[blocks > 1], case.dtype, blocks, threads, *sizes)


def _by_rows(
    case: Case, n: int, multiprocessors: int, threads: int | None, room: int
) -> Plan:
    """Return a plan in which a block has all features of some rows."""
    width = case.features + case.classes + 1
    if width > room:
        raise ValueError(
            f"features = {case.features}: trainer fused_cuda has room for "
            f"{room - 1 - case.classes} with {case.classes} classes in {case.dtype}"
        )
    # 32 stands for what a row costs beside its products: it lies anywhere in memory.
    cost = n * (case.features * case.classes + 32)
    blocks = max(1, min(multiprocessors, n, 2 * cost // BLOCK_WORK))
    share = -(-n // blocks)
    weights = (case.features + 1) * case.classes
    threads = threads or _threads(max(share * case.classes, weights))
    slices = _slices(threads, weights, share)
    folds = _slices(threads, weights, blocks)
    kept = weights * (2 + (max(slices, folds) if max(slices, folds) > 1 else 0))
    on_chip = weights * blocks <= MOST_PARTIALS and kept + width <= room
    if not on_chip:
        kept, slices, folds = 0, 1, 1
    tile = min(share, (room - kept) // width)
    sizes = case.features, case.classes, n, tile, slices, folds, on_chip
    return Plan(LAYOUTS[2], case.dtype, blocks, threads, *sizes)


def _bytes(dtype: str) -> int:
    return 4 if dtype == "float32" else 8


def _threads(most: int) -> int:
    """Return a power of two of threads, a warp at least, that has work for all."""
    return min(MOST_THREADS, max(32, 1 << (most - 1).bit_length()))


def _slices(threads: int, weights: int, terms: int) -> int:
    """Return a power of two by which to share the sum of each weight's terms."""
    most = min(threads // weights, terms // ROWS_A_SLICE)
    return 1 << (most.bit_length() - 1) if most > 1 else 1
