"""Whole epochs in one compiled call: the CPU's best contender (docs/fused.md)."""

from typing import Any

import numpy as np
import torch
from numba import config, set_num_threads
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data, initial_weights
from softmax_core.trainers.fused import columns, rows
from softmax_core.training import Session, Setup, Trainer

MOST_SUMS = 24
"""Largest (features + 1) x (classes - 1) whose loops are written out: for more, that
takes long to compile and gains little."""
THREADED_WORK = 1e6
"""Smallest batch x classes x features for which waking up threads pays."""
MOST_LANES = 16
"""Most lanes of a batch for which the kernel is compiled for just their number."""


def _is_small(case: Case) -> bool:
    return (case.features + 1) * (case.classes - 1) <= MOST_SUMS


def threads_of(case: Case, threads: int | None) -> int:
    """Return how many threads train: one if a batch is too small to share.

    None asks for as many as torch has. numba starts at most one for each core, or
    NUMBA_NUM_THREADS. In columns one thread trains: most of a large batch's time goes
    into shuffling, which threads cannot share.
    """
    limit: int = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    most = min(threads or torch.get_num_threads(), limit)
    batch = min(case.batch_size, case.samples)
    work = batch * case.classes * case.features
    return most if work >= THREADED_WORK and not _is_small(case) else 1


class FusedSession(Session):
    """The base of both ways to train: weights, step sizes, the state of the shuffles.

    `notes` tells which way was chosen and how many threads train. The kernels shuffle
    by themselves, unless the set-up says where the order is drawn.
    """

    way, is_transposed = "", False

    def build(self, data: Data) -> None:
        """Bring data and weights into the layout of the kernels."""
        case = self.case
        self.threads = threads = threads_of(case, self.setup.threads)
        self._is_given = self.setup.drawn_on is not None
        self.notes = f"{self.way}, {threads} thread{'s' * (threads > 1)}"
        self._X = np.ascontiguousarray(data.X.cpu().numpy())
        self._y = data.y.cpu().numpy()
        self._batch = min(case.batch_size, case.samples)
        self._short = case.samples % self._batch or self._batch
        sizes = np.array([self._batch, self._short])
        self._rates = (case.learning_rate / sizes).astype(case.dtype)
        self._momentum = self._X.dtype.type(case.momentum)
        self._state = np.zeros(1, np.uint64)
        joined = np.vstack([t.numpy() for t in initial_weights(case)])
        self._initial = self._turned(joined)

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self._w, self._u = self._initial.copy(), np.zeros_like(self._initial)
        self._state[0] = self.case.seed + 2
        self._lay(None)
        if self._is_given:
            self.order.restart()

    def train(self, epochs: int) -> None:
        """Train further epochs: in one call, unless their order is given."""
        if not self._is_given:
            self._run(True, epochs)
            return
        for _ in range(epochs):
            self._lay(self.order.next_epoch().cpu().numpy())
            self._run(False, 1)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        w = torch.from_numpy(self._turned(self._w))
        return w[:-1], w[-1]

    def _turned(self, w: Any) -> Any:
        """Return weights, biases last, in the kernels' layout, or from it: a copy."""
        return np.ascontiguousarray(w.T) if self.is_transposed else w.copy()

    def _run(self, shuffled: bool, epochs: int) -> None:
        if self.threads == 1:
            self._call(shuffled, epochs)
            return
        before = torch.get_num_threads()
        set_num_threads(self.threads)
        self._call(shuffled, epochs)
        # Where both use the same OpenMP, starting numba's threads sets torch's.
        torch.set_num_threads(before)

    def _steps(self, shuffled: bool, epochs: int) -> tuple[Any, ...]:
        """Return the arguments that all kernels have in common."""
        shared = self._rates, self._momentum, self._state, shuffled, epochs
        return self._batch, self._w, self._u, *shared

    def _lay(self, order: Any) -> None:
        """Put the samples into an order (samples,); None means that of the data."""
        raise NotImplementedError

    def _call(self, shuffled: bool, epochs: int) -> None:
        raise NotImplementedError


class ColumnsSession(FusedSession):
    """For few features and classes: trains on a shuffled copy, in columns."""

    way = "columns"

    def build(self, data: Data) -> None:
        """Make the columns, and the masks of a full batch and of the short one."""
        case = self.case
        self._columns = np.zeros(
            (case.features + 1, case.samples + columns.LANES), case.dtype
        )
        super().build(data)
        width = -(-self._batch // columns.LANES) * columns.LANES
        self._sizes = (0,) * case.features, (0,) * case.classes
        self._lanes = (0,) * width if width <= MOST_LANES else ()
        self._masks = np.zeros((2, width), case.dtype)
        if self._batch <= columns.BLOCK:
            self._masks[0, : self._batch] = self._masks[1, : self._short] = 1

    def _lay(self, order: Any) -> None:
        none = np.empty(0, np.int64)
        columns.lay(self._columns, self._X, self._y, none if order is None else order)

    def _call(self, shuffled: bool, epochs: int) -> None:
        data = self._columns, self.case.samples
        steps = self._steps(shuffled, epochs)
        if self._batch <= columns.BLOCK:
            columns.train_small(*data, *steps, *self._sizes, self._lanes, self._masks)
        else:
            columns.train_large(*data, *steps, *self._sizes)


class RowsSession(FusedSession):
    """For many features or classes: reads the data in place, in a shuffled order."""

    way, is_transposed = "rows", True

    def _lay(self, order: Any) -> None:
        laid = np.arange(self.case.samples) if order is None else order
        self._order = laid.astype(np.int32).reshape(1, -1)

    def _call(self, shuffled: bool, epochs: int) -> None:
        data = self._X, self._y, self._order
        steps = *self._steps(shuffled, epochs), (0,) * (self.case.classes % 4)
        if self.threads == 1:
            rows.train_rows(*data, *steps)
        else:
            rows.train_rows_threaded(*data, *steps, self.threads)


class FusedTrainer(Trainer):
    """Trains by kernels that numba compiles; on the CPU only."""

    name, only_on = "fused", "cpu"

    def start(self, case: Case, data: Data, setup: Setup) -> FusedSession:
        """See `Trainer`."""
        return (ColumnsSession if _is_small(case) else RowsSession)(case, data, setup)
