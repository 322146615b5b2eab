"""Sessions of trainer `fused`, one class for each way to train (docs/fused.md)."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data, initial_weights
from softmax_core.trainers.fused import columns, products, rows
from softmax_core.trainers.fused.gemm import address
from softmax_core.trainers.fused.meet import meeting_places
from softmax_core.trainers.fused.team import team
from softmax_core.training import Session

MOST_SUMS = 24
"""Largest (features + 1) x (classes - 1) whose loops are written out: for more, that
takes long to compile and gains little."""
MOST_LANES = 16
"""Most lanes of a batch for which the kernel is compiled for just their number."""
TILE = 1 << 18
"""Most numbers of a batch that are copied together for a product, and most scores."""
LEAST_ROWS = 128
"""Rows that are copied together even if they have more numbers."""
LINE = 64
"""Bytes that a processor reads at a time."""


def _zeros(*shape: int, dtype: str) -> Any:
    """Return an array that begins at a multiple of 64 bytes, as torch's tensors do.

    Where a matrix begins can change how a library adds, and so the last digits.
    """
    return torch.zeros(shape, dtype=getattr(torch, dtype)).numpy()


class FusedSession(Session):
    """The base of both ways to train: weights, step sizes, the state of the shuffles.

    `threads` is how many train. The kernels shuffle by themselves, unless the set-up
    says where the order is drawn.
    """

    way: ClassVar[str] = ""
    threads = 1
    _room: tuple[Any, ...]

    @classmethod
    def fits(cls, case: Case) -> bool:
        """Tell whether a case can be trained in this way."""
        raise NotImplementedError

    def build(self, data: Data, threads: int = 1) -> None:
        """Bring data and weights into the layout of the kernels."""
        case, self.threads = self.case, threads
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
        self._w, self._u = (
            _zeros(*self._initial.shape, dtype=case.dtype) for _ in range(2)
        )

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self._w[:], self._u[:] = self._initial, 0
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
        w = torch.from_numpy(self._read(self._w))
        return w[:-1], w[-1]

    def _turned(self, w: Any) -> Any:
        """Return weights (features + 1, classes), biases last, for the kernels."""
        return w

    def _read(self, w: Any) -> Any:
        """Return a copy of the kernels' weights as `_turned` takes them."""
        return w.copy()

    def _run(self, shuffled: bool, epochs: int) -> None:
        if self.threads == 1:
            self._call(shuffled, epochs, 0)
        else:
            team(self.threads).run(partial(self._call, shuffled, epochs))

    def _steps(self, shuffled: bool, epochs: int) -> tuple[Any, ...]:
        """Return the arguments that all kernels have in common."""
        shared = self._rates, self._momentum, self._state, shuffled, epochs
        return self._batch, self._w, self._u, *shared

    def _lay(self, order: Any) -> None:
        """Put the samples into an order (samples,); None means that of the data."""
        raise NotImplementedError

    def _call(self, shuffled: bool, epochs: int, thread: int) -> None:
        raise NotImplementedError


class ColumnsSession(FusedSession):
    """For few features and classes: trains on a shuffled copy, in columns."""

    way = "columns"

    @classmethod
    def fits(cls, case: Case) -> bool:
        """See `FusedSession`."""
        return (case.features + 1) * (case.classes - 1) <= MOST_SUMS

    def build(self, data: Data, threads: int = 1) -> None:
        """Make the columns, and the masks of a full batch and of the short one."""
        case = self.case
        self._columns = np.zeros(
            (case.features + 1, case.samples + columns.LANES), case.dtype
        )
        is_large = min(case.batch_size, case.samples) > columns.BLOCK
        super().build(data, threads if is_large else 1)
        width = -(-self._batch // columns.LANES) * columns.LANES
        self._sizes = (0,) * case.features, (0,) * case.classes
        self._lanes = (0,) * width if width <= MOST_LANES else ()
        self._masks = np.zeros((2, width), case.dtype)
        if self._batch <= columns.BLOCK:
            self._masks[0, : self._batch] = self._masks[1, : self._short] = 1
        sums = self.threads, case.features + 1, case.classes - 1
        self._room = _zeros(*sums, dtype=case.dtype), meeting_places(2)

    def _lay(self, order: Any) -> None:
        none = np.empty(0, np.int64)
        columns.lay(self._columns, self._X, self._y, none if order is None else order)

    def _call(self, shuffled: bool, epochs: int, thread: int) -> None:
        data = self._columns, self.case.samples
        steps = self._steps(shuffled, epochs)
        if self._batch <= columns.BLOCK:
            columns.train_small(*data, *steps, *self._sizes, self._lanes, self._masks)
        else:
            g, places = self._room
            team = g, thread, self.threads, places
            columns.train_large(*data, *steps, *self._sizes, *team)


class RowsSession(FusedSession):
    """For many features: reads the data in place, in a shuffled order."""

    way = "rows"

    @classmethod
    def fits(cls, case: Case) -> bool:
        """See `FusedSession`."""
        return True

    def build(self, data: Data, threads: int = 1) -> None:
        """Make room for the scores of a few rows and for each thread's sums."""
        super().build(data, threads)
        (self._place,) = meeting_places(1)
        self._make_room()

    def _make_room(self) -> None:
        classes, width = self._initial.shape
        dtype, threads = self.case.dtype, self.threads
        self._room = (
            _zeros(threads, classes, rows.ROWS, dtype=dtype),
            _zeros(threads, classes, width, dtype=dtype),
        )

    def _turned(self, w: Any) -> Any:
        return self._filled(w.T)

    def _read(self, w: Any) -> Any:
        return np.ascontiguousarray(w[:, : self.case.features + 1].T)

    def _filled(self, w: Any) -> Any:
        return np.pad(w, ((0, 0), (0, self._wide(w.shape[1]) - w.shape[1])))

    def _wide(self, count: int) -> int:
        """Return to how many numbers a row is filled up, so that each begins a line.

        They do not all begin in the same set of the cache. A matrix library takes up to
        twice as long to add to rows of an odd length.
        """
        line = LINE // self._X.itemsize
        wide = -(-count // line) * line
        return wide + line * (wide % (16 * line) == 0)

    def _lay(self, order: Any) -> None:
        laid = np.arange(self.case.samples) if order is None else order
        self._order = laid.astype(np.int32).reshape(1, -1)

    def _arguments(self, shuffled: bool, epochs: int, thread: int) -> tuple[Any, ...]:
        data = self._X, self._y, self._order
        steps = self._steps(shuffled, epochs)
        return *data, *steps, *self._room, thread, self.threads, self._place

    def _call(self, shuffled: bool, epochs: int, thread: int) -> None:
        rows.train_rows(*self._arguments(shuffled, epochs, thread))


class ProductsSession(RowsSession):
    """For many classes: torch's library multiplies rows that are copied together."""

    way = "products"

    @classmethod
    def fits(cls, case: Case) -> bool:
        """See `FusedSession`: torch's library must show its product."""
        return address(case.dtype) != 0

    def _make_room(self) -> None:
        """Make room for rows that are copied together, and for their scores."""
        classes, features, dtype = (
            self.case.classes,
            self.case.features,
            self.case.dtype,
        )
        wide, along = self._wide(features + 1), self._initial.shape[1]
        count = min(self._batch, max(LEAST_ROWS, TILE // max(wide, along)))
        own = self.threads if self._batch > count else 1
        tiles = _zeros(own, count, wide, dtype=dtype)
        tiles[:, :, features] = 1
        z = _zeros(own, count, along, dtype=dtype)
        g = _zeros(own - 1, *self._initial.shape, dtype=dtype)
        self._room = tiles, z, g, classes, address(dtype)

    def _turned(self, w: Any) -> Any:
        return self._filled(w)

    def _read(self, w: Any) -> Any:
        return w[:, : self.case.classes].copy()

    def _call(self, shuffled: bool, epochs: int, thread: int) -> None:
        before = torch.get_num_threads()
        torch.set_num_threads(1)  # of the library, in each of our threads
        try:
            products.train_products(*self._arguments(shuffled, epochs, thread))
        finally:
            torch.set_num_threads(before)


WAYS: dict[str, type[FusedSession]] = {
    session.way: session for session in (ColumnsSession, RowsSession, ProductsSession)
}
