"""The fused trainer: its batches, memory, and cache."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from softmax_core import Case, get_trainer, make_data
from softmax_core.trainers.fused.compile import kernel


def prepared(case, threads=1, drawn_on=None):
    return get_trainer("fused").prepare(case, make_data(case), "cpu", threads, drawn_on)


def test_every_sample_is_trained_on_once_an_epoch():
    case = Case(samples=103, batch_size=10)
    session, data = prepared(case), make_data(case)
    session.train(3)
    laid = session._columns[:, : case.samples].T
    right = np.column_stack([data.X.numpy(), data.y.numpy()])
    assert not np.array_equal(laid, right)
    np.testing.assert_array_equal(*(a[np.lexsort(a.T)] for a in (laid, right)))


def test_every_row_is_trained_on_once_an_epoch():
    session = prepared(Case(samples=103, batch_size=10, features=30))
    session.train(3)
    assert not np.array_equal(session._order[0], np.arange(103))
    np.testing.assert_array_equal(np.sort(session._order[0]), np.arange(103))


@pytest.mark.parametrize("features", [2, 30])
def test_reset_starts_its_own_shuffles_anew(features):
    case = Case(samples=103, batch_size=10, features=features, learning_rate=0.001)
    session = prepared(case)
    session.train(2)
    first = session.weights()
    session.train(1)
    assert not torch.equal(session.weights()[0], first[0])
    session.reset()
    session.train(2)
    assert all(map(torch.equal, session.weights(), first))


def held_bytes(session, data):
    """Bytes of the session's arrays that are not the data's own."""
    held = [*vars(session).values()]
    held += [part for v in held if isinstance(v, tuple) for part in v]
    arrays = [v for v in held if isinstance(v, np.ndarray)]
    own = (data.X.numpy(), data.y.numpy())
    return sum(a.nbytes for a in arrays if not any(np.shares_memory(a, o) for o in own))


@pytest.mark.parametrize("features", [1, 2, 30])
def test_memory_is_at_most_that_of_the_data_once_more(features):
    case = Case(samples=20_000, features=features)
    data = make_data(case)
    session = get_trainer("fused").prepare(case, data)
    session.train(1)
    assert held_bytes(session, data) <= data.nbytes


def test_another_device_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^device = 'meta': trainer fused .+$") as e:
        get_trainer("fused").prepare(Case(), make_data(Case()), device="meta")
    assert "\n" not in str(e.value)


def test_a_diverging_training_is_seen_to():
    case = Case(samples=300, batch_size=300, learning_rate=1e38, epochs=3)
    session = prepared(case, drawn_on="cpu")
    session.train(3)
    assert not torch.isfinite(session.weights()[0]).all()


def test_without_a_folder_for_the_cache_kernels_still_compile():
    names = {}
    exec("def successor(x): return x + 1", names)  # no file, so numba has no folder
    assert kernel()(names["successor"])(1) == 2


LAY = """
import numpy as np
from softmax_core.trainers.fused.columns import lay
lay(np.zeros((2, 9)), np.ones((1, 1)), np.ones(1, np.int64), np.empty(0, np.int64))
print(sum(lay.stats.cache_hits.values()))
"""


def run_with_cache(folder):
    environment = dict(os.environ, NUMBA_CACHE_DIR=str(folder))
    command = [sys.executable, "-c", LAY]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


def test_a_second_process_finds_the_compiled_kernels(tmp_path):
    assert run_with_cache(tmp_path) == 0
    assert run_with_cache(tmp_path) == 1


def test_a_cache_folder_that_cannot_be_written_is_no_error():
    run_with_cache("/proc/nowhere")
