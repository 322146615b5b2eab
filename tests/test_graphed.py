"""Trainer `graphed` without a GPU: what is captured, and what is replayed on what."""

import contextlib
import types

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from softmax_core import TOLERANCE, Case, disagreement, make_data, reference_weights
from softmax_core.device import unavailable_reason
from softmax_core.trainers import graphed
from softmax_core.trainers.graphed import GraphedTrainer, graph_sizes

CASES = [
    Case(),
    Case(samples=103, batch_size=10, epochs=4),  # short last batch
    Case(samples=150, momentum=0.9, learning_rate=0.01),
    Case(samples=60, batch_size=1),
    Case(samples=30, batch_size=60_000),
    Case(samples=300, dtype="float64", momentum=0.3),
    Case(samples=205, classes=10, features=7, batch_size=32),
    Case(230, 3, 100, 50, 2, 1e-4, 0.9, (1.0, 2.0), "float64"),
]


class Recorder(TorchDispatchMode):
    """Records like a CUDA graph: operators and addresses, no Python, no values."""

    def __init__(self):
        super().__init__()
        self.nodes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        self.nodes.append((func, args, kwargs or {}, made))
        return made

    def replay(self):
        for func, args, kwargs, made in self.nodes:
            again = func(*args, **kwargs)
            if isinstance(made, torch.Tensor):
                made.copy_(again)


class Captures:
    """A capture that keeps its recorders and the order in which they are replayed."""

    def __init__(self):
        self.recorders, self.replayed = [], []

    def __call__(self, work, device):
        work()
        recorder, number = Recorder(), len(self.recorders)
        with recorder:
            work()
        self.recorders.append(recorder)

        def replay():
            self.replayed.append(number)
            recorder.replay()

        return replay


def prepared(case, drawn_on="cpu"):
    captures = Captures()
    trainer = GraphedTrainer(captures)
    return trainer.prepare(case, make_data(case), "cpu", drawn_on=drawn_on), captures


@pytest.mark.parametrize("most_steps", [2000, 7, 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_replays_are_equal_work(case, most_steps, monkeypatch):
    monkeypatch.setattr(graphed, "MOST_STEPS", most_steps)
    session, captures = prepared(case)
    session.train(case.epochs)
    right = torch.cat([t.reshape(-1) for t in reference_weights(case, make_data(case))])
    got = torch.cat([t.reshape(-1) for t in session.weights()]).double()
    off = (got - right).abs().max() / right.abs().max()
    assert off <= TOLERANCE[case.dtype]
    assert len(captures.recorders) <= 2
    first = session.weights()
    session.reset()
    session.train(case.epochs)
    assert all(map(torch.equal, session.weights(), first))


@pytest.mark.parametrize(
    ("case", "repeats", "graphs"),
    [
        (Case(1500, batch_size=10), 1, [[10] * 150]),
        (Case(1503, batch_size=10), 1, [[10] * 150 + [3]]),
        (Case(20_000, batch_size=10), 1, [[10] * 2000]),
        (Case(20_001, batch_size=10), 1, [[10] * 2000, [1]]),
        (Case(50_030, batch_size=10), 3, [[10] * 1667, [10] * 2]),
        (Case(300_003, batch_size=5), 30, [[5] * 2000, [3]]),
        (Case(9, batch_size=60_000), 1, [[9]]),
    ],
    ids=str,
)
def test_an_epoch_is_one_graph_or_two_of_bounded_size(case, repeats, graphs):
    assert graph_sizes(case) == (repeats, graphs)
    assert repeats * sum(graphs[0]) + sum(map(sum, graphs[1:])) == case.samples
    assert max(map(len, graphs)) <= graphed.MOST_STEPS


def test_graphs_are_replayed_in_the_order_of_the_batches(monkeypatch):
    monkeypatch.setattr(graphed, "MOST_STEPS", 4)
    session, captures = prepared(Case(samples=93, batch_size=10))
    assert captures.replayed == []
    session.train(2)
    assert captures.replayed == [0, 0, 0, 1] * 2
    assert session.notes == "graphs of 3 + 1 steps, 4 replays an epoch"


def launched(recorder):
    return [f.overloadpacket.__name__ for f, *_ in recorder.nodes if not f.is_view]


@pytest.mark.parametrize(
    ("momentum", "step"),
    [
        (0.0, ["mm", "_softmax", "scatter_", "addmm_"]),
        (0.5, ["mm", "_softmax", "scatter_", "addmm_", "add_"]),
    ],
)
def test_a_graph_holds_four_or_five_nodes_a_step(momentum, step):
    _, captures = prepared(Case(samples=63, momentum=momentum))
    assert launched(captures.recorders[0]) == step * 7


def test_an_own_shuffle_trains_on_every_sample_once():
    session, _ = prepared(Case(samples=103), drawn_on=None)
    session.train(1)
    X, y = session._buffers[0]
    laid = torch.cat([X[:, :2], y], 1)
    data = make_data(session.case)
    right = torch.cat([data.X, data.y.reshape(-1, 1)], 1)
    assert not torch.equal(laid, right)
    assert sorted(laid.tolist()) == sorted(right.tolist())


def test_verification_notices_a_capture_that_goes_wrong():
    def forgets(work, device):
        work()
        return lambda: None

    case = Case(samples=103)
    assert disagreement(GraphedTrainer(Captures()), case) <= TOLERANCE["float32"]
    assert disagreement(GraphedTrainer(forgets), case) > 1e-3


class FakeCuda:
    """Stands for torch.cuda: a stream is of the device that is current."""

    def __init__(self):
        self.current, self.captured_on = 0, []

    @contextlib.contextmanager
    def device(self, index):
        self.current, before = index, self.current
        yield
        self.current = before

    def Stream(self):  # noqa: N802
        return types.SimpleNamespace(of=self.current, wait_stream=lambda other: None)

    current_stream = Stream

    def stream(self, stream):
        return contextlib.nullcontext()

    def CUDAGraph(self):  # noqa: N802
        return types.SimpleNamespace(replay=lambda: None)

    @contextlib.contextmanager
    def graph(self, graph, stream=None):
        """As torch's: a stream of its own is made once, on whatever device."""
        if stream is None:
            self.own = getattr(self, "own", None) or self.Stream()
        self.captured_on.append((stream or self.own).of)
        yield


def test_a_graph_is_captured_on_a_stream_of_its_device(monkeypatch):
    fake = FakeCuda()
    monkeypatch.setattr(graphed.torch, "cuda", fake)
    for device in (0, 1, 0):
        graphed.capture_cuda(lambda: None, device)
    assert fake.captured_on == [0, 1, 0]


def test_without_cuda_it_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^device = 'cpu': trainer graphed .+$") as e:
        GraphedTrainer().prepare(Case(), make_data(Case()), "cpu")
    assert "\n" not in str(e.value)


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES, ids=str)
def test_equal_work_on_cuda(case):
    if reason := unavailable_reason(torch.device("cuda")):
        pytest.skip(reason)
    assert disagreement(GraphedTrainer(), case, "cuda") <= TOLERANCE[case.dtype]
