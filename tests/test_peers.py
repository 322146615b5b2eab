import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from bench.promises.peers import contenders, to_loss
from bench.promises.peers.cases import PROMISES
from bench.promises.peers.measure import ROUNDS, Work, rounds
from bench.promises.peers.plot import figure
from bench.promises.peers.results import (
    SAME_STEPS,
    csv_text,
    fewest,
    markdown,
    not_measured,
    row_of,
)
from softmax_core import Case

ROOT = Path(__file__).parent.parent


def row(least=None):
    return row_of("c", "p", SAME_STEPS, [2.0, 8.0, 6.0], [1.0, 2.0, 1.0], least, "n")


def test_a_row_has_medians_and_the_range_of_the_rounds_ratios():
    found = row()
    assert (found.seconds, found.fused_s, found.rounds) == (6.0, 1.0, 3)
    assert (found.ratio, found.low, found.high) == (6.0, 2.0, 6.0)


def test_series_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="1 rounds and 2 of fused"):
        row_of("c", "p", SAME_STEPS, [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="0 rounds"):
        row_of("c", "p", SAME_STEPS, [], [])


def test_a_bound_is_broken_below_it_and_where_nothing_was_measured():
    assert not row(6.0).broken
    assert row(6.01).broken
    assert not row().broken
    assert not_measured("c", "p", SAME_STEPS, "why", 1.0).broken
    assert not not_measured("c", "p", SAME_STEPS, "why").broken


def test_the_table_says_what_is_broken_and_what_was_not_measured():
    text = markdown([row(10.0), not_measured("c", "q", SAME_STEPS, "no q here")])
    lines = text.splitlines()
    assert lines[2] == (
        "| c | p | same steps | 6,000 | 1,000 | 6 | 2 to 6 | >= 10: BROKEN | n |"
    )
    assert lines[3] == ("| c | q | same steps |  |  | not measured |  |  | no q here |")
    assert len({line.count("|") for line in lines}) == 1


def test_the_csv_has_empty_cells_for_what_was_not_measured():
    text = csv_text([row(10.0), not_measured("c", "q", SAME_STEPS, "no q here")])
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["ratio"], first["broken"]) == ("6.0", "True")
    assert (second["ratio"], second["seconds"], second["broken"]) == ("", "", "False")


@pytest.mark.parametrize("right", [1, 2, 3, 7, 64, 100])
def test_the_fewest_passes_to_a_loss_are_found(right):
    assert fewest(lambda n: 1 / n, 1 / right, 100) == right


def test_a_loss_out_of_reach_is_tried_no_longer_than_allowed():
    asked = []

    def loss_of(n):
        asked.append(n)
        return 1.0

    assert fewest(loss_of, 0.5, 10) is None
    assert asked == [1, 2, 4, 8, 10]


def test_works_are_done_in_turn_forward_and_backward():
    done = []

    def work(name):
        def run(count):
            done.append(name)
            sum(range(2_000 * count))

        return Work(run)

    found = rounds({"a": work("a"), "b": work("b")}, 4)
    assert done[-8:] == ["a", "b", "b", "a"] * 2
    assert {name: len(series) for name, series in found.items()} == {"a": 4, "b": 4}


def test_the_promised_cases_are_all_there():
    assert ROUNDS >= 7
    least = {
        (p.case.samples, p.case.batch_size): p.least
        for p in PROMISES
        if p.case.features == 2
    }
    assert least == {
        (15_000, 5): 10, (1_500, 10): 10, (15_000, 100): 5, (15_000, 1_000): 5,
        (300_000, 60_000): 1,
    }  # fmt: skip
    wide = [p.case.batch_size for p in PROMISES if p.case.features == 784]
    assert wide == [10, 100, 1_000]
    assert len({p.label for p in PROMISES}) == len(PROMISES)


def test_missing_peers_are_rows_that_say_why(monkeypatch):
    for module in (contenders, to_loss):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setattr(contenders, "TRAINERS", {})
    monkeypatch.setattr(
        contenders, "rounds", lambda works: {name: [1.0] for name in works}
    )
    case = Case(60, batch_size=20)
    rows = contenders.same_steps("c", case, 10, False) + to_loss.same_loss("c", case)
    assert {r.peer: r.notes for r in rows} == {
        "JAX": "jax is not installed",
        "JAX, order from NumPy": "jax is not installed",
        "torch eager": "no trainer is called resident",
        "torch compiled": "no trainer is called compiled",
        "sklearn SGDClassifier": "scikit-learn is not installed",
        "sklearn LogisticRegression": "scikit-learn is not installed",
    }
    assert all(r.ratio is None for r in rows)


def test_every_peer_is_on_the_plot_and_no_text_is_cut_off(unclipped):
    drawn = figure([row(3.0), not_measured("c", "q", SAME_STEPS, "why")])
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert sorted(labels) == ["p (same steps)", "q (not measured)"]
    assert drawn.axes[0].get_xscale() == "log"
    unclipped(drawn)


def test_a_wrong_case_number_is_refused_in_a_line():
    """The command keeps its process to one core: it needs one of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.promises.peers", "99"], check=False,
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2
    assert "case = [99]: must be 0 to 7" in done.stderr
    assert "Traceback" not in done.stderr


CASES = (
    Case(47, batch_size=5, epochs=2),
    Case(200, batch_size=64, epochs=2, momentum=0.9),
    Case(90, features=30, classes=4, batch_size=40, epochs=2, dispersion=(0.5, 1.0)),
)


@pytest.mark.parametrize("case", CASES, ids=["short", "momentum", "wide"])
def test_jax_does_equal_work_in_every_way(case):
    pytest.importorskip("jax", reason="jax is not installed: make peers")
    from bench.promises.peers.jax_parts import ways
    from bench.promises.peers.jax_scan import JaxTrainer
    from softmax_core.reference import TOLERANCE, disagreement

    for way in ways(case):
        assert disagreement(JaxTrainer(way), case) <= TOLERANCE[case.dtype], way


@pytest.mark.parametrize("kind", ["packed", "permutation"])
def test_jax_shuffles_are_permutations_each_its_own(kind):
    jax = pytest.importorskip("jax", reason="jax is not installed: make peers")
    from bench.promises.peers.jax_parts import shuffled

    first, second = (shuffled(kind, jax.random.key(i), 3_000).tolist() for i in (0, 1))
    assert sorted(first) == sorted(second) == list(range(3_000))
    assert first != second


def test_a_packed_shuffle_has_rounds_enough():
    pytest.importorskip("jax", reason="jax is not installed: make peers")
    from bench.promises.peers.jax_parts import packed_rounds

    found = {n: packed_rounds(n) for n in (2, 1_500, 15_000, 300_000)}
    assert found == {2: (1, 1), 1_500: (11, 1), 15_000: (14, 2), 300_000: (19, 3)}


@pytest.mark.parametrize("host", [False, True])
def test_jax_with_its_own_shuffles_trains_on_every_sample_once(host):
    pytest.importorskip("jax", reason="jax is not installed: make peers")
    from bench.promises.peers.jax_scan import JaxTrainer
    from softmax_core import make_data, reference_weights

    case = Case(60, batch_size=60, epochs=3)
    data = make_data(case)
    session = JaxTrainer(host=host).prepare(case, data)
    session.train(1)
    session.reset()
    session.train(1)
    session.train(2)
    right = reference_weights(case, data)
    for got, wanted in zip(session.weights(), right, strict=True):
        assert (got - wanted).abs().max() <= 1e-4 * wanted.abs().max()


def test_jax_shuffles_anew_in_every_epoch():
    pytest.importorskip("jax", reason="jax is not installed: make peers")
    from bench.promises.peers.jax_scan import JaxTrainer
    from softmax_core import make_data

    case = Case(60, batch_size=7)
    session = JaxTrainer(host=True).prepare(case, make_data(case))
    first, second = session._orders(2).tolist()
    assert sorted(first) == sorted(second) == list(range(60))
    assert first != second
    key = session._key.copy()
    session = JaxTrainer().prepare(case, make_data(case))
    session.train(1)
    assert session._key != key


def test_float64_is_refused():
    pytest.importorskip("jax", reason="jax is not installed: make peers")
    from bench.promises.peers.jax_scan import JaxTrainer
    from softmax_core import make_data

    case = Case(60, dtype="float64")
    with pytest.raises(ValueError, match="dtype = 'float64': trainer jax must have"):
        JaxTrainer().prepare(case, make_data(case))
