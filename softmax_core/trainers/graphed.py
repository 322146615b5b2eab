"""CUDA Graphs: many steps in one launch (docs/compiled_graphed.md)."""

from collections.abc import Callable

import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.device import parse_device
from softmax_core.trainers.closed_form import (
    ClosedFormSession,
    batch_sizes,
    step_in_place,
)
from softmax_core.trainers.module import AnyDevice

MOST_STEPS = 2_000
"""Steps in one graph: at 4 or 5 nodes each, captured and kept in bounded time and
memory however long an epoch is."""

Work = Callable[[], None]
Capture = Callable[[Work, torch.device], Work]
"""Take work on static tensors; return what repeats it, with what they then hold."""


def capture_cuda(work: Work, device: torch.device) -> Work:
    """Capture work as a CUDA graph and return its replay.

    As torch asks: warmed up on a side stream first, so that libraries and their
    workspaces are loaded; nothing waits for the device while it is captured. The
    graph owns its memory pool, and the returned method keeps the graph.
    """
    with torch.cuda.device(device):
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            work()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Without a stream, torch takes one that it keeps, of the device first used.
        with torch.cuda.graph(graph, stream=side):
            work()
    replay: Work = graph.replay
    return replay


class GraphedTrainer(AnyDevice):
    """On CUDA only; `capture` is replaced where its logic is tested without."""

    def __init__(self, capture: Capture = capture_cuda) -> None:
        self._capture = capture

    def prepare(
        self,
        case: Case,
        data: Data,
        device: torch.device | str = "cuda",
        threads: int | None = None,
        drawn_on: torch.device | str | None = None,
    ) -> "GraphedSession":
        """See `Trainer.prepare`.

        Raises:
            ValueError: for a device other than CUDA.
        """
        kind = parse_device(device).type
        if kind != "cuda" and self._capture is capture_cuda:
            raise ValueError(
                f"device = {str(device)!r}: trainer graphed must be on cuda"
            )
        return GraphedSession(case, data, device, threads, drawn_on, self._capture)


def graph_sizes(case: Case) -> tuple[int, list[list[int]]]:
    """Return (replays of the first graph in an epoch, batch sizes in each graph).

    An epoch that fits is one graph. Otherwise the first holds equally many full
    batches as its repetitions, as many as allow; a second has what is left over, the
    short last batch included.
    """
    size, full, short = batch_sizes(case)
    last = [short] if short else []
    if full + len(last) <= MOST_STEPS:
        return 1, [[size] * full + last]
    repeats = -(-full // MOST_STEPS)
    steps, left = divmod(full, repeats)
    rest = [size] * left + last
    return repeats, [[size] * steps, rest] if rest else [[size] * steps]


class GraphedSession(ClosedFormSession):
    """Gathers the rows of a graph's steps into its buffers, replays it, and goes on.

    An address in a graph is fixed, so every replay reads the same buffers: the rows
    of one graph, not the epoch's. Shuffling and gathering stay outside, where the
    random generator's state needs no care.
    """

    def __init__(
        self,
        case: Case,
        data: Data,
        device: torch.device | str,
        threads: int | None,
        drawn_on: torch.device | str | None,
        capture: Capture,
    ) -> None:
        super().__init__(case, data, device, threads, drawn_on)
        repeats, graphs = graph_sizes(case)
        rows = [sum(sizes) for sizes in graphs]
        self._rows = [rows[0]] * repeats + rows[1:]
        X = self.X.new_empty(max(rows), self.X.shape[1])
        y = self.y.new_empty(max(rows), 1)
        # Warming up trains on them, so they must be data, not what memory held.
        torch.index_select(self.X, 0, self._first(max(rows)), out=X)
        torch.index_select(self.y, 0, self._first(max(rows)), out=y)
        self._buffers = [(X[:n], y[:n]) for n in self._rows]
        replays = [
            capture(self._work(X[:n], y[:n], sizes), self.device)
            for n, sizes in zip(rows, graphs, strict=True)
        ]
        self._replays = [replays[0]] * repeats + replays[1:]
        steps = " + ".join(str(len(sizes)) for sizes in graphs)
        self.notes = f"graphs of {steps} steps, {len(self._rows)} replays an epoch"
        self.reset()

    def train(self, epochs: int) -> None:
        """Train on; may return before the device is done."""
        for _ in range(epochs):
            parts = torch.split(self.order.next_epoch(), self._rows)
            for rows, (X, y), replay in zip(
                parts, self._buffers, self._replays, strict=True
            ):
                torch.index_select(self.X, 0, rows, out=X)
                torch.index_select(self.y, 0, rows, out=y)
                replay()

    def _first(self, rows: int) -> Tensor:
        return torch.arange(rows, device=self.device)

    def _work(self, X: Tensor, y: Tensor, sizes: list[int]) -> Work:
        """Return what a graph repeats: a step on each batch of its buffers."""
        batches = list(zip(torch.split(X, sizes), torch.split(y, sizes), strict=True))

        def work() -> None:
            for rows, numbers in batches:
                step_in_place(rows, numbers, self.w, self.velocity, self.case)

        return work
