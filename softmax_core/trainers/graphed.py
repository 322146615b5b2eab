"""CUDA Graphs: many steps in one launch (docs/compiled_graphed.md)."""

from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data, batches
from softmax_core.trainers.closed_form import (
    ClosedFormSession,
    batch_sizes,
    step_in_place,
)
from softmax_core.training import Setup, Trainer

MOST_STEPS = 2_000
"""Most steps in one graph, of 4 or 5 nodes each: it bounds the time to capture it and
its memory, however long an epoch is."""

Work = Callable[[], None]
Capture = Callable[[Work, torch.device], Work]
"""Takes work on fixed tensors; returns a function that repeats it on their contents."""


def capture_cuda(work: Work, device: torch.device) -> Work:
    """Capture work as a CUDA graph and return its replay.

    As torch requires, the work runs once on a side stream first, so that libraries and
    their workspaces are loaded, and nothing waits for the device during the capture.
    The graph owns its memory pool; the returned method keeps the graph alive.
    """
    with torch.cuda.device(device):
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            work()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Without `stream`, torch takes the one of the device that was used first.
        with torch.cuda.graph(graph, stream=side):
            work()
    replay: Work = graph.replay
    return replay


class GraphedTrainer(Trainer):
    """Trains on CUDA only; tests on the CPU replace `capture`."""

    name = "graphed"

    def __init__(self, capture: Capture = capture_cuda) -> None:
        self._capture = capture
        self.only_on = "cuda" if capture is capture_cuda else ""

    def start(self, case: Case, data: Data, setup: Setup) -> "GraphedSession":
        """See `Trainer`."""
        return GraphedSession(case, data, setup, self._capture)


def graph_sizes(case: Case) -> tuple[int, list[list[int]]]:
    """Return the replays of the first graph in an epoch, and each graph's batch sizes.

    An epoch of up to `MOST_STEPS` steps is one graph. A longer one replays a graph of
    full batches as few times as that limit allows; a second graph has the remainder,
    which includes the short last batch.
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
    """Gathers the rows of a graph's steps into its buffers and replays it, in turn.

    Addresses in a graph are fixed, so every replay reads the same buffers, which hold
    the rows of one graph. Shuffling and gathering are not captured: a captured random
    generator would need its state restored.
    """

    def build(self, data: Data, capture: Capture) -> None:
        """Lay the data out and capture the graphs of an epoch."""
        super().build(data)
        repeats, graphs = graph_sizes(self.case)
        rows = [sum(sizes) for sizes in graphs]
        self._rows = [rows[0]] * repeats + rows[1:]
        # The warm-up trains on the buffers, so they must hold data, not old memory.
        X, y = self.X[: max(rows)].clone(), self.y[: max(rows)].clone()
        self._buffers = [(X[:n], y[:n]) for n in self._rows]
        replays = [
            capture(self._work(X[:n], y[:n], sizes), self.device)
            for n, sizes in zip(rows, graphs, strict=True)
        ]
        self._replays = [replays[0]] * repeats + replays[1:]
        steps = " + ".join(str(len(sizes)) for sizes in graphs)
        self.notes = f"graphs of {steps} steps, {len(self._rows)} replays an epoch"

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        for _ in range(epochs):
            parts = torch.split(self.order.next_epoch(), self._rows)
            for rows, (X, y), replay in zip(
                parts, self._buffers, self._replays, strict=True
            ):
                torch.index_select(self.X, 0, rows, out=X)
                torch.index_select(self.y, 0, rows, out=y)
                replay()

    def prove(self) -> None:
        """Show that a replay trains without any operator of torch's.

        Raises:
            RuntimeError: if it does not.
        """
        # That module imports this one.
        counter = import_module("softmax_core.launches").Counter()
        before = self.w.clone()
        with counter:
            self._replays[0]()
        if counter.launches or torch.equal(before, self.w):
            raise RuntimeError("no graph was replayed")

    def _work(self, X: Tensor, y: Tensor, sizes: list[int]) -> Work:
        """Return the work that a graph repeats: a step on each batch of its buffers."""
        parts = batches(X, y, sizes)

        def work() -> None:
            for rows, numbers in parts:
                step_in_place(rows, numbers, self.w, self.velocity, self.case)

        return work
