"""Trainer streamed: equal work, chunks, notes; on accelerators its memory too."""

import pytest
import torch

from softmax_core import (
    TOLERANCE,
    Case,
    disagreement,
    make_data,
)
from softmax_core.device import accelerators, peak_memory_bytes, reset_peak_memory
from softmax_core.trainers import streamed

TRAINER = streamed.StreamedTrainer()
CASES = [
    Case(103, batch_size=10, momentum=0.5),  # 3 batches a chunk, both last ones short
    Case(100, batch_size=10),
    Case(60, batch_size=1),
    Case(50, batch_size=60),
    Case(50, batch_size=50, momentum=0.9, learning_rate=0.01),
    Case(90, features=1, classes=2),
    Case(203, 7, 10, 32, dtype="float64"),
    Case(203, 30, 100, 50, dtype="float64", learning_rate=1e-4),
    Case(70, 1000, 2, 16, learning_rate=1e-3, dispersion=(0.1, 2.0)),
]


def prepared(case, device="cpu"):
    return TRAINER.prepare(case, make_data(case), device)


def trained(session, epochs):
    session.train(epochs)
    session.synchronize()
    return session.weights()


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(streamed, "CHUNK_BYTES", 480)  # 30 rows: 2 float32, a label


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_equal_work(case):
    off = disagreement(TRAINER, case)
    assert off <= TOLERANCE[case.dtype]


@pytest.mark.usefixtures("small_chunks")
def test_chunks_are_whole_batches_and_the_last_one_is_short(monkeypatch):
    session = prepared(Case(103, batch_size=10))
    sizes = []
    monkeypatch.setattr(session, "step", lambda X, y: sizes.append(len(X)))
    used = []
    use = session.use
    monkeypatch.setattr(session, "use", lambda b, n: (used.append(n), use(b, n)))
    session.train(1)
    assert session.chunk == 30
    assert used == [30, 30, 30, 13]
    assert sizes == [10] * 10 + [3]


@pytest.mark.parametrize(
    ("case", "chunk"),
    [
        (Case(1500), 1500),  # one chunk is larger than the data
        (Case(2_000_000, batch_size=1000), 524_000),
        (Case(50, batch_size=60), 50),
        (Case(30_000, 784, batch_size=20_000), 20_000),  # a batch is larger than one
    ],
)
def test_chunk_and_notes(case, chunk):
    session = prepared(case)
    assert session.chunk == chunk
    said = "buffers, not pinned, no copy stream"
    assert session.notes == f"chunks of {chunk} rows, 2 {said}"


def test_one_sample_a_chunk(monkeypatch):
    monkeypatch.setattr(streamed, "CHUNK_BYTES", 1)
    case = Case(samples=2, classes=2, batch_size=1, momentum=0.5)
    assert prepared(case).chunk == 1
    assert disagreement(TRAINER, case) <= TOLERANCE["float32"]


@pytest.mark.usefixtures("small_chunks")
def test_training_on_is_as_training_at_once_and_reset_starts_anew():
    case = Case(103, batch_size=10, momentum=0.5)
    session = prepared(case)
    first = trained(session, 3)
    session.reset()
    session.train(1)
    assert all(map(torch.equal, trained(session, 2), first))


def test_the_data_are_left_where_they_are():
    data = make_data(Case())
    session = TRAINER.prepare(Case(), data)
    assert TRAINER.streams
    assert session.data.X is data.X
    assert session.data.y is data.y


@pytest.mark.gpu
@pytest.mark.parametrize(
    "device",
    accelerators() or [pytest.param(None, marks=pytest.mark.skip("no accelerator"))],
    ids=str,
)
class TestOnAnAccelerator:
    @pytest.mark.usefixtures("small_chunks")
    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_equal_work_in_many_chunks(self, device, case):
        assert disagreement(TRAINER, case, device) <= TOLERANCE[case.dtype]

    def test_equal_work_in_large_chunks(self, device, monkeypatch):
        monkeypatch.setattr(streamed, "CHUNK_BYTES", 1 << 20)
        case = Case(200_000, 20, 5, 4_000, 4, 1e-3, 0.5)
        W, b = trained(prepared(case, device), case.epochs)
        right = trained(prepared(case), case.epochs)
        torch.testing.assert_close(W, right[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(b, right[1], rtol=1e-4, atol=1e-4)

    def test_peak_memory_is_that_of_the_buffers(self, device, monkeypatch):
        monkeypatch.setattr(streamed, "CHUNK_BYTES", 1 << 20)
        case = Case(400_000, 30, batch_size=1_000)  # 51 MB
        trained(prepared(case, device), 1)  # libraries' workspaces stay allocated
        reset_peak_memory(device)
        before = peak_memory_bytes(device)
        session = prepared(case, device)
        trained(session, 1)
        if before is None:
            pytest.skip(f"{device.type} does not count its memory")
        assert "a copy stream" in session.notes
        assert peak_memory_bytes(device) - before < (2 + 2) << 20
