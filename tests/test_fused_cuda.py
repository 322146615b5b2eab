"""fused_cuda: in numba's simulator for its arithmetic, on a GPU where there is one.

The simulator has to be chosen before numba is imported: one process trains all cases
(fused_cuda_cases.py) and the tests look at what it found.
"""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
from gpu.cases import LAID_OUT, SHAPES

from softmax_core import TOLERANCE, Case, disagreement, make_data, reference_weights
from softmax_core.device import unavailable_reason
from softmax_core.reference import verified_case
from softmax_core.trainers.fused_cuda import trainer
from softmax_core.trainers.fused_cuda.plan import (
    LAYOUTS,
    MOST_THREADS,
    SHARED_BYTES,
    plan,
)
from softmax_core.trainers.fused_cuda.trainer import FusedCudaTrainer

CUDA = torch.device("cuda")
ROOT = Path(__file__).parent.parent


def simulated(*parts):
    """Return what the simulator's process printed."""
    script = Path(__file__).parent / "fused_cuda_cases.py"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, script, *parts],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found():
    return simulated("right", "repeats", "divergent")


@pytest.mark.parametrize(
    ("case", "notes"),
    [
        ("one block", "one block of 4 threads"),
        ("one block, float64", "one block of 3 threads"),
        ("one block, slices", "one block of 16 threads"),
        ("one block, batches of one", "one block of 5 threads"),
        ("one block, one tile a batch", "one block of 4 threads"),
        ("features", "features over blocks, 3 of 4 threads"),
        ("features, float64", "features over blocks, 5 of 4 threads"),
        ("features, slices", "features over blocks, 2 of 16 threads"),
        ("rows", "rows over blocks, 3 of 4 threads"),
        ("rows, slices, float64", "rows over blocks, 4 of 8 threads"),
        (
            "rows, weights in memory",
            "rows over blocks, 3 of 4 threads, weights in memory",
        ),
        (
            "rows, weights in memory, float64",
            "rows over blocks, 2 of 4 threads, weights in memory",
        ),
    ],
)
def test_weights_equal_the_references_in_the_simulator(found, case, notes):
    """A share of 1e-4 (float32) or 1e-10 (float64) of the largest weight."""
    share, said = found["right"][case]
    assert share <= 1
    assert said == notes


@pytest.mark.slow
def test_faults_are_noticed():
    found = simulated("wrong")
    assert len(found["wrong"]) == 9
    assert {
        fault: share for fault, share in found["wrong"].items() if share <= 10
    } == {}


@pytest.mark.slow
def test_each_barrier_of_a_block_is_needed():
    """Without it the simulator's order of the threads gives other weights."""
    found = simulated("without")
    assert len(found["without"]) == 10
    assert {at: share for at, share in found["without"].items() if share <= 10} == {}


def test_the_simulator_refuses_a_barrier_some_do_not_reach(found):
    assert found["divergent"].startswith("threads wait at different barriers")


@pytest.mark.parametrize("case", ["one block", "features", "rows"])
def test_reset_and_single_epochs_train_the_same(found, case):
    assert found["repeats"][case] is True


@pytest.mark.parametrize("multiprocessors", [1, 8, 132])
@pytest.mark.parametrize("case", SHAPES, ids=str)
def test_a_plan_fits_any_gpu_and_does_all_the_work(case, multiprocessors):
    chosen = plan(case, multiprocessors)
    n = min(case.batch_size, case.samples)
    assert 0 < chosen.shared_bytes <= SHARED_BYTES
    assert 1 <= chosen.blocks <= multiprocessors
    assert chosen.threads <= MOST_THREADS
    assert chosen.threads % 32 == 0
    if chosen.layout == LAYOUTS[2]:
        assert chosen.features == case.features
        assert chosen.tile >= 1
    else:
        assert chosen.tile % n == 0
        assert chosen.tile >= n
        assert chosen.features * chosen.blocks >= case.features
        assert chosen.features * (chosen.blocks - 1) < case.features
    if chosen.slices > 1 or chosen.folds > 1:
        most = max(chosen.slices, chosen.folds)
        assert most * chosen.weights <= chosen.threads


@pytest.mark.parametrize("case", SHAPES, ids=str)
def test_a_cell_is_verified_on_the_kernel_that_is_timed(case):
    assert plan(verified_case(case), 132) == plan(case, 132)


@pytest.mark.parametrize(
    ("case", "layout"), [*zip(SHAPES, [0, 0, 2, 1, 2, 1, 2, 2, 0], strict=True)]
)
def test_the_layout_follows_from_the_sizes(case, layout):
    assert plan(case, 132).layout == LAYOUTS[layout]


def test_a_row_too_long_for_shared_memory_is_refused():
    with pytest.raises(ValueError, match=r"features = 20000: .* room for 12028 with 3"):
        plan(Case(features=20_000, batch_size=50_000, samples=50_000), 132)


def test_other_devices_are_refused():
    with pytest.raises(ValueError, match="device = 'cpu': trainer fused_cuda must be"):
        FusedCudaTrainer().prepare(Case(), make_data(Case()), "cpu")


def test_without_a_gpu_the_reason_says_what_to_install():
    if unavailable_reason(CUDA) is None:
        pytest.skip("there is a GPU here")
    assert "install numba-cuda[cu12]" in FusedCudaTrainer().unavailable(CUDA)


@pytest.mark.parametrize(
    ("implementation", "said"),
    [("Built-in", "numba's own CUDA target is out of date: install numba-cuda"),
     (None, "numba's own CUDA target is out of date: install numba-cuda"),
     ("NVIDIA", None)],
)  # fmt: skip
def test_numbas_own_target_is_not_taken_for_numba_cuda(
    monkeypatch, tmp_path, implementation, said
):
    """With a driver and a toolkit, it says that it is available, and cannot compile."""
    barrier = tmp_path / "libcudadevrt.a"
    barrier.touch()
    target = types.SimpleNamespace(is_available=lambda: True)
    if implementation:
        target.implementation = implementation
    libs = types.SimpleNamespace(get_cudalib=lambda name, static: str(barrier))
    modules = {"numba.cuda": target, "numba.cuda.cudadrv.libs": libs}
    found = trainer.import_module
    monkeypatch.setattr(
        trainer, "import_module", lambda name: modules.get(name) or found(name)
    )
    reason = FusedCudaTrainer().unavailable(CUDA)
    assert reason == said or reason.startswith(said)


@pytest.mark.gpu
@pytest.mark.parametrize(("case", "layout"), LAID_OUT, ids=str)
def test_weights_equal_the_references_on_a_gpu(case, layout):
    trainer = FusedCudaTrainer(layout=layout)
    if reason := unavailable_reason(CUDA) or trainer.unavailable(CUDA):
        pytest.skip(reason)
    assert disagreement(trainer, case, CUDA) <= TOLERANCE[case.dtype]
    data = make_data(case)
    session = trainer.prepare(case, data, CUDA, drawn_on="cpu")
    assert session.notes.startswith(layout)
    session.train(case.epochs)
    got = torch.cat([t.reshape(-1) for t in session.weights()]).double()
    right = torch.cat([t.reshape(-1) for t in reference_weights(case, data)])
    scale = float(right.abs().max())
    assert float((got - right).abs().max()) <= TOLERANCE[case.dtype] * scale
    session.reset()
    session.train(case.epochs)
    again = torch.cat([t.reshape(-1) for t in session.weights()]).double()
    assert torch.equal(got, again)
