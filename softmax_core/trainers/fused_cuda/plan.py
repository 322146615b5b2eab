"""Choose how a GPU's blocks share a batch: a `Plan`, from sizes alone.

The same features, classes, batch, dtype and device give the same plan, so that equal
work is verified on the kernel that is timed. This module loads no numba and no torch.
"""

from dataclasses import dataclass

from softmax_core.case import Case

SHARED_BYTES = 47 * 1024
"""Most shared memory of a block. Every GPU has 48 KB for a block, of which the code
needs a little; numba cannot ask for more."""
MOST_THREADS = 512
"""Most threads of a block: with 128 registers each, one block fits on any GPU."""
BLOCK_WORK = 2**15
"""Batch x features x classes that one block computes in the time of a barrier of the
grid: about 2 microseconds, at 16 products a clock. An estimate, not a measurement."""
MOST_PARTIALS = 2**16
"""Most partial sums that every block adds up itself; more are shared among blocks."""
ROWS_A_SLICE = 8
"""Fewest rows that a thread sums alone before others help it."""
LAYOUTS = ("one block", "features over blocks", "rows over blocks")


@dataclass(frozen=True)
class Plan:
    """Sizes that a kernel is compiled for.

    `features` is the number that a block has; zeros fill up the last block. `tile` is
    the number of rows in shared memory at a time: whole batches, or a part of a block's
    share of one. `slices` threads share a weight's sum over rows, and `folds` threads
    its sum over blocks. `on_chip` tells whether the weights stay in shared memory.
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
        """Number of a block's weights: those of its features, and the biases."""
        return (self.features + 1) * self.classes

    @property
    def starts(self) -> tuple[int, ...]:
        """Start of weights, velocity, sums, logits, labels and rows, and their end."""
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
        """How many numbers in global memory the blocks need to exchange their sums."""
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
    """Choose a plan; tests may give `threads` in a block and a `layout`.

    Raises:
        ValueError: when a row or the given layout does not fit into shared memory.
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
    """Return a power of two of threads, from 32 to `MOST_THREADS`, for `most` items."""
    return min(MOST_THREADS, max(32, 1 << (most - 1).bit_length()))


def _slices(threads: int, weights: int, terms: int) -> int:
    """Return how many threads, a power of two, share the sum of a weight's terms."""
    most = min(threads // weights, terms // ROWS_A_SLICE)
    return 1 << (most.bit_length() - 1) if most > 1 else 1
