"""Trainer streamed on a simulated device: no buffer is touched before its turn."""

import collections

import pytest
import torch

from softmax_core import Case, Data, make_data
from softmax_core.trainers import streamed
from softmax_core.training import Setup

CASES = [
    Case(103, batch_size=10, momentum=0.5),  # 3 batches a chunk, both last ones short
    Case(60, batch_size=1),
    Case(50, batch_size=60),
    Case(203, 7, 10, 32, dtype="float64"),
]


def prepared(case):
    return streamed.StreamedTrainer().prepare(case, make_data(case))


def trained(session, epochs):
    session.train(epochs)
    session.synchronize()
    return session.weights()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(streamed, "CHUNK_BYTES", 480)  # 30 rows: 2 float32, a label


class Stream:
    """Work in order of arrival, done only when something makes it advance."""

    def __init__(self, world, name):
        self.world, self.name, self.queue = world, name, collections.deque()

    def push(self, work, blocked=lambda: False):
        self.queue.append((work, blocked))
        self.world.run_ahead()

    def advance(self):
        work, _ = self.queue[0]
        work()
        self.queue.popleft()

    def wait_event(self, event):
        ticket = event.recorded
        if self.world.dropped != f"{self.name} waits":
            self.push(lambda: event.reach(ticket), lambda: event.done < ticket)

    def __enter__(self):
        self.world.current = self

    def __exit__(self, *error):
        self.world.current = self.world.computing


class Event:
    """Reaching it makes its stream advance, and through that those it waits for."""

    def __init__(self, world):
        self.world, self.recorded, self.done = world, 0, 0

    def record(self, stream):
        if self.world.dropped == "buffers begin free" and self.world.session is None:
            return
        self.recorded += 1
        ticket, self.stream = self.recorded, stream
        stream.push(lambda: setattr(self, "done", ticket))

    def synchronize(self):
        if self.world.dropped != "host waits":
            self.reach(self.recorded)

    def reach(self, ticket):
        while self.done < ticket:
            self.stream.advance()


class World:
    """An asynchronous device: `ahead` runs as early as it may, the rest when it must.

    `dropped` names a wait that is left out.
    """

    def __init__(self):
        self.ahead = self.dropped = self.session = None
        self.copying = Stream(self, "copying")
        self.computing = self.current = Stream(self, "computing")
        self.log = []

    def queues(self, device):
        def event():
            return Event(self)

        return streamed.Queues(self.copying, lambda: self.computing, event, apart=True)

    def run_ahead(self):
        if self.ahead:
            stream = getattr(self, self.ahead)
            while stream.queue and not stream.queue[0][1]():
                stream.advance()

    def drain(self):
        for stream in (self.copying, self.computing):
            while stream.queue:
                stream.advance()

    def scribble(self):
        """Work queued before the session: it had the buffers' memory."""
        for buffer in self.session.buffers if self.session else ():
            buffer.moved.X.fill_(7)

    def prepare(self, case):
        self.computing.push(self.scribble)
        self.session = Simulated(case, make_data(case), Setup(torch.device("cpu")))
        self.session.world = self
        for buffer in self.session.buffers:
            buffer.moved.X.zero_()
            buffer.moved.y.zero_()
        return self.session


class Simulated(streamed.StreamedSession):
    """What the device would do is queued on the current stream."""

    def later(self, name, work):
        def logged():
            self.world.log.append(name)
            work()

        self.world.current.push(logged)

    def copy(self, buffer, count):
        number = self.buffers.index(buffer)
        self.later(f"copy {number}", lambda: super(Simulated, self).copy(buffer, count))

    def step(self, X, y):
        self.later("step", lambda: super(Simulated, self).step(X, y))

    def synchronize(self):
        self.world.drain()


@pytest.fixture
def simulated(monkeypatch):
    world = World()
    monkeypatch.setattr(streamed, "open_queues", world.queues)
    return world


ORDERS = [None, "copying", "computing"]


@pytest.mark.parametrize("ahead", ORDERS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_whichever_stream_is_ahead_the_weights_are_the_same(
    simulated, case, ahead, monkeypatch
):
    simulated.ahead = ahead
    got = trained(simulated.prepare(case), case.epochs)
    right = trained(prepared_in_turn(case, monkeypatch), case.epochs)
    torch.testing.assert_close(got, right)


@pytest.mark.parametrize(
    "dropped", ["copying waits", "computing waits", "host waits", "buffers begin free"]
)
def test_without_a_wait_some_order_gives_other_weights(simulated, dropped, monkeypatch):
    """The test above can fail: every wait that the trainer has is needed."""
    case, weights = Case(103, batch_size=10), []
    for ahead in ORDERS:
        world = World()
        monkeypatch.setattr(streamed, "open_queues", world.queues)
        world.ahead, world.dropped = ahead, dropped
        weights.append(trained(world.prepare(case), 1)[0])
    right = trained(prepared_in_turn(case, monkeypatch), 1)[0]
    assert any(not torch.allclose(W, right, rtol=1e-3) for W in weights)


def prepared_in_turn(case, monkeypatch):
    in_turn = streamed.InTurn()
    queues = streamed.Queues(in_turn, lambda: in_turn, lambda: in_turn, apart=False)
    monkeypatch.setattr(streamed, "open_queues", lambda device: queues)
    return prepared(case)


def test_copies_run_beside_the_steps_and_not_further_ahead_than_the_buffers(simulated):
    simulated.ahead = "copying"
    trained(simulated.prepare(Case(120, batch_size=10)), 1)
    steps = ["step"] * 3
    # Both buffers are full before the first step; each is refilled once it was used.
    assert simulated.log == [
        *["copy 0", "copy 1", *steps],
        *["copy 0", *steps],
        *["copy 1", *steps],
        *steps,
    ]


def held(thing):
    """Find every tensor that an object holds, itself or in its parts."""
    if isinstance(thing, torch.Tensor):
        return [thing]
    parts = thing if isinstance(thing, list | tuple) else vars(thing).values()
    own = (list, tuple, torch.Tensor, streamed.Buffer, Data)
    return [t for part in parts if isinstance(part, own) for t in held(part)]


@pytest.mark.usefixtures("simulated")
def test_device_memory_does_not_grow_with_the_samples():
    """The simulated device's tensors are on the CPU, beside the staging buffers."""
    found = []
    for samples in (300, 3_000):
        case = Case(samples)
        session = prepared(case)
        trained(session, 1)
        found.append(sum(t.nbytes for t in held(session)) - session.data.nbytes)
    weights, ones = 4 * (2 + 1) * 3, 4 * 10
    staging = device = streamed.BUFFERS * 480
    # The weights are held thrice: at first, now, and their velocity.
    assert found == [staging + device + 3 * weights + ones] * 2
