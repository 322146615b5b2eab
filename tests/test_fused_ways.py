"""The ways and threads of trainer fused: all do the same work; which is chosen."""

import json

import numpy as np
import pytest
import torch
from numba import njit

from softmax_core import TOLERANCE, Case, disagreement, get_trainer, make_data
from softmax_core.trainers.fused import choose, kept, products, sessions
from softmax_core.trainers.fused.choose import Choice
from softmax_core.trainers.fused.gemm import address
from softmax_core.trainers.fused.meet import meet, meeting_places
from softmax_core.trainers.fused.sessions import WAYS
from softmax_core.trainers.fused.team import team
from softmax_core.trainers.fused.trainer import FusedTrainer


class Given(FusedTrainer):
    """The trainer, with its choice given."""

    def __init__(self, way, threads=1):
        self.way, self.given = way, threads

    def start(self, case, data, setup):
        return WAYS[self.way](case, data, setup, self.given)


CASES = {
    "short last batch": Case(203, 30, 6, 50, learning_rate=0.001),
    "momentum": Case(203, 30, 6, 50, momentum=0.5, learning_rate=0.001),
    "batches of one": Case(40, 30, 7, 1, momentum=0.5, learning_rate=0.001),
    "more classes than features": Case(203, 3, 17, 50, learning_rate=1e-3),
    "float64": Case(203, 30, 6, 50, 3, 0.001, 0.5, dtype="float64"),
    "several tiles": Case(700, 30, 5, 300, learning_rate=0.001),
    "several tiles, momentum": Case(700, 30, 5, 300, 3, 0.001, 0.9),
    "several tiles, a last batch of one": Case(301, 30, 5, 300, 3, 0.001, 0.9),
}
COLUMNS = {
    "large batches": Case(2500, batch_size=1100),
    "large batches, momentum": Case(5000, batch_size=2100, momentum=0.5),
}
has_product = pytest.mark.skipif(not address("float32"), reason="torch shows none")
of_each_way = pytest.mark.parametrize(
    "way", ["rows", pytest.param("products", marks=has_product)]
)
of_threads = pytest.mark.parametrize("threads", [1, 2, 3])


@of_each_way
@of_threads
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_way_does_the_same_work(way, threads, case, monkeypatch):
    monkeypatch.setattr(sessions, "TILE", 1)
    trainer = Given(way, threads)
    assert disagreement(trainer, case) <= TOLERANCE[case.dtype]


@has_product
@of_threads
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_many_weights_and_few_rows_do(threads, momentum):
    """Then threads share the classes, not the rows; there are enough for that."""
    case = Case(300, 300, 120, 4, 3, 1e-4, momentum)
    assert case.features * case.classes > products.WIDE * case.batch_size
    assert disagreement(Given("products", threads), case) <= TOLERANCE["float32"]


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("case", COLUMNS.values(), ids=COLUMNS)
def test_threads_do_in_columns(threads, case):
    trainer = Given("columns", threads)
    assert disagreement(trainer, case) <= TOLERANCE["float32"]


@of_each_way
def test_a_diverging_training_is_seen_to(way):
    case = Case(203, 30, 17, 203, learning_rate=1e38)
    session = Given(way).prepare(case, make_data(case))
    session.train(3)
    assert not torch.isfinite(session.weights()[0]).all()


def trained(way, threads, case, epochs=4):
    """Return the weights after shuffles of the kernels' own."""
    session = Given(way, threads).prepare(case, make_data(case))
    session.train(epochs - 1)
    session.train(1)
    return session.weights()[0]


@pytest.mark.parametrize(
    ("way", "case"),
    [
        ("columns", COLUMNS["large batches, momentum"]),
        ("rows", CASES["momentum"]),
        pytest.param("products", CASES["momentum"], marks=has_product),
        pytest.param("products", CASES["several tiles"], marks=has_product),
    ],
)
def test_threads_train_in_the_same_shuffled_order(way, case):
    one = trained(way, 1, case)
    assert torch.equal(one, trained(way, 1, case))
    assert not torch.allclose(one, trained(way, 1, case, epochs=5), rtol=1e-4)
    for threads in (2, 3):
        torch.testing.assert_close(
            one, trained(way, threads, case), rtol=1e-4, atol=1e-5
        )


@has_product
def test_rows_and_products_train_in_the_same_shuffled_order():
    case = CASES["momentum"]
    rows, by_library = (trained(way, 1, case) for way in ("rows", "products"))
    torch.testing.assert_close(rows, by_library, rtol=1e-4, atol=1e-5)


@has_product
def test_products_leave_torchs_threads_as_they_were():
    before = torch.get_num_threads()
    for threads in (1, 2):
        trained("products", threads, CASES["momentum"])
        assert torch.get_num_threads() == before


@njit(nogil=True)
def meetings(place, thread, threads, seen):
    """Count how often a thread saw what the first one wrote too early or too late."""
    wrong = 0
    for i in range(2_000):
        meet(place, threads)
        if thread == i % threads:
            seen[0] = i
        meet(place, threads)
        wrong += seen[0] != i
    seen[1 + thread] = wrong


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_goes_on_before_all_are_there(threads):
    (place,), seen = meeting_places(1), np.full(1 + threads, -1)
    team(threads).run(lambda thread: meetings(place, thread, threads, seen))
    assert not seen[1:].any()


def test_a_failure_in_a_thread_is_raised_where_it_was_asked_for():
    def work(thread):
        if thread:
            raise ValueError("of thread 1")

    with pytest.raises(ValueError, match="of thread 1"):
        team(2).run(work)
    team(2).run(lambda thread: None)


SMALL, MANY = Case(2_000, 64, 3, 100), Case(2_000, 64, 40, 100)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for what is kept, and nothing remembered."""
    monkeypatch.setattr(kept, "_file", lambda: tmp_path / kept.NAME)
    for remembered in (choose._way, choose._threads, kept._machine):
        remembered.cache_clear()
    yield tmp_path
    for remembered in (choose._way, choose._threads, kept._machine):
        remembered.cache_clear()


def timed(monkeypatch, seconds):
    """Let trainings take these seconds, by way and threads; return who was timed."""
    timed = []

    def turns(sessions, clock, *limits):
        timed.extend((s.way, s.threads) for s in sessions.values())
        return {n: seconds[s.way, s.threads] for n, s in sessions.items()}

    monkeypatch.setattr(choose, "_turns", turns)
    return timed


@has_product
@pytest.mark.parametrize(("rows_s", "way"), [(1.0, "rows"), (3.0, "products")])
def test_the_fastest_way_is_chosen_and_said(folder, monkeypatch, rows_s, way):
    timed(monkeypatch, {("rows", 1): [rows_s, 9.0], ("products", 1): [2.0, 2.0]})
    choice = choose.choose(MANY, 1)
    ratio = max(rows_s, 2.0) / min(rows_s, 2.0)
    other = "products" if way == "rows" else "rows"
    assert choice == Choice(way, 1, f"; {other} {ratio:.2g} x as long")


def test_nothing_is_measured_where_one_way_is_left(folder, monkeypatch):
    who = timed(monkeypatch, {})
    assert choose.choose(Case(), 1) == Choice("columns")
    assert choose.choose(Case(features=11, classes=3), 1) == Choice("columns")
    assert choose.choose(SMALL, 1) == Choice("rows")
    assert choose.choose(Case(), 2).threads == 1
    assert who == []


def test_rows_are_tried_where_columns_are_many(folder, monkeypatch):
    timed(monkeypatch, {("columns", 1): [3.0], ("rows", 1): [2.0]})
    case = Case(features=23, classes=2)
    assert choose.choose(case, 1) == Choice("rows", 1, "; columns 1.5 x as long")


@pytest.mark.parametrize(
    ("two", "threads", "said"),
    [
        ([0.6, 0.6, 0.6], 2, " (0.6 x one's time)"),
        ([0.95, 1.0, 1.1], 1, " of 2, as 2 took 1 x its time"),
        ([0.6, 40.0, 40.0], 1, " of 2, as 2 took 40 x its time"),
    ],
)
def test_threads_are_chosen_only_where_they_pay(
    folder, monkeypatch, two, threads, said
):
    timed(monkeypatch, {("rows", 1): [1.0, 1.0, 1.0], ("rows", 2): two})
    case = Case(40_000, 784, 3, 4_000)
    assert choose.choose(case, 2) == Choice("rows", threads, said)
    assert choose.choose(case, 1).threads == 1


@has_product
def test_what_was_measured_is_kept_for_the_next_process(folder, monkeypatch):
    who = timed(monkeypatch, {("rows", 1): [3.0], ("products", 1): [2.0]})
    first = choose.choose(MANY, 1)
    choose._way.cache_clear()
    assert choose.choose(MANY, 1) == first
    assert who == [("rows", 1), ("products", 1)]


def spoilt():
    """Yield what a file may hold instead, from the whole file's text."""
    yield lambda text: ""
    yield lambda text: text[:-3]
    yield lambda text: "[" * 100_000
    yield lambda text: "[1, 2]"
    yield lambda text: text.replace("3.0", "NaN")
    yield lambda text: text.replace("3.0", '"fast"')
    yield lambda text: text.replace("rows", "columns")
    yield lambda text: json.dumps(
        {f"another {k}": v for k, v in json.loads(text).items()}
    )
    yield lambda text: json.dumps(dict.fromkeys(json.loads(text), 1))
    yield lambda text: text + " " * kept.MOST_BYTES


@has_product
@pytest.mark.parametrize("spoil", [*spoilt()])
def test_a_broken_or_foreign_file_is_not_trusted(folder, monkeypatch, spoil):
    seconds = {("rows", 1): [3.0], ("products", 1): [2.0]}
    who = timed(monkeypatch, seconds)
    choose.choose(MANY, 1)
    (path,) = folder.iterdir()
    path.write_text(spoil(path.read_text()))
    choose._way.cache_clear()
    assert choose.choose(MANY, 1).way == "products"
    assert len(who) == 4


@has_product
@pytest.mark.parametrize(
    "what", ["numba.__version__", "torch.__version__", "get_host_cpu_name"]
)
def test_what_another_version_or_machine_found_is_not_trusted(
    folder, monkeypatch, what
):
    who = timed(monkeypatch, {("rows", 1): [3.0], ("products", 1): [2.0]})
    choose.choose(MANY, 1)
    another = (lambda: "another") if what == "get_host_cpu_name" else "another"
    monkeypatch.setattr(f"{kept.__name__}.{what}", another)
    choose._way.cache_clear()
    kept._machine.cache_clear()
    assert choose.choose(MANY, 1).way == "products"
    assert len(who) == 4


@has_product
def test_a_folder_that_cannot_be_written_is_no_error(folder, monkeypatch):
    timed(monkeypatch, {("rows", 1): [3.0], ("products", 1): [2.0]})
    monkeypatch.setattr(kept, "_file", lambda: folder / "missing" / kept.NAME)
    assert choose.choose(MANY, 1).way == "products"


def test_a_session_says_its_way_and_threads(folder, monkeypatch):
    chosen = Choice("rows", 2, " (0.6 x one's time)")
    monkeypatch.setattr(
        "softmax_core.trainers.fused.trainer.choose", lambda case, most: chosen
    )
    case = Case(203, 30, 6, 50, momentum=0.5, learning_rate=0.001)
    session = get_trainer("fused").prepare(case, make_data(case), threads=None)
    assert session.notes == "rows, 2 threads (0.6 x one's time)"
    assert session.threads == 2
