"""The kernels of trainer fused_cuda without a GPU: compiled, launched, carried out.

`make kernels` runs this in an environment that has numba-cuda; elsewhere it is skipped.
numba-cuda compiles and launches as on a GPU, by a driver library of ours (tests/gpu),
and the CPU carries out what was launched.
"""

from dataclasses import replace

import pytest
import torch
from gpu.cases import LAID_OUT, MULTIPROCESSORS, SHAPES
from gpu.cubins import ARCHITECTURES, usage
from gpu.machine import (
    GRID_BARRIER_OF_THE_BLOCK,
    NO_BLOCK_BARRIER,
    STREAM,
    Launch,
    Machine,
    missing,
)

from softmax_core import TOLERANCE, Case, disagreement, make_data, reference_weights
from softmax_core.trainers.fused_cuda.plan import LAYOUTS, SHARED_BYTES, plan
from softmax_core.trainers.fused_cuda.trainer import FusedCudaTrainer

ONE, FEATURES, ROWS, IN_MEMORY = (LAID_OUT[i] for i in (0, 2, 5, 6))
IN_CI = (FEATURES, ROWS)
ALL = pytest.mark.simulation
OLDEST, USUAL = "sm_75", "sm_90a"
# Every plan of test_fused_cuda.py, and one for a smaller GPU.
PLANS = [
    *(plan(case, MULTIPROCESSORS) for case in SHAPES),
    plan(Case(samples=4096, features=1000, classes=100, batch_size=64), 40),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if reason := missing():
        pytest.skip(reason)
    torch.set_num_threads(1)
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def gpu(machine):
    with machine.in_use():
        yield machine


def chosen(case, layout):
    return plan(case, MULTIPROCESSORS, layout=layout)


def joined(weights):
    return torch.cat([tensor.reshape(-1) for tensor in weights])


def started(case, layout, data):
    trainer = FusedCudaTrainer(layout=layout, multiprocessors=MULTIPROCESSORS)
    return trainer.prepare(case, data, "cpu", drawn_on="cpu")


def assert_equal_work(gpu, case, layout):
    """Compare with the reference: a cell's check, then a whole job in two orders."""
    laid_out, data = chosen(case, layout), make_data(case)
    trainer = FusedCudaTrainer(layout=layout, multiprocessors=MULTIPROCESSORS)
    assert disagreement(trainer, case, "cpu") <= TOLERANCE[case.dtype]
    session, ends = started(case, layout, data), []
    assert session.notes == str(laid_out)
    for gpu.seed in (1, 2):
        session.reset()
        session.train(case.epochs)
        ends.append(joined(session.weights()))
        assert gpu.launches[-1] == launch_of(laid_out, case, case.epochs)
    assert gpu.kernel(laid_out).cooperative == (laid_out.blocks > 1)  # one kernel
    right = joined(reference_weights(case, data))
    off = (ends[0].double() - right).abs().max() / right.abs().max()
    assert off <= TOLERANCE[case.dtype]
    assert torch.equal(*ends)


def launch_of(laid_out, case, epochs):
    """Return what a launch must be: docs/fused_cuda.md has the barriers of a step."""
    steps = epochs * -(-case.samples // case.batch_size)
    many = laid_out.blocks > 1
    a_step = many + (laid_out.layout == LAYOUTS[2] and not laid_out.on_chip)
    return Launch(
        laid_out.blocks, laid_out.threads, laid_out.shared_bytes, many, STREAM,
        steps * a_step,
    )  # fmt: skip


def assert_fits(kernel, laid_out, architecture, folder):
    cubin = kernel.library.get_cubin(ARCHITECTURES[architecture]).code
    used = usage(cubin, kernel.entry_name, folder)
    print(f"{laid_out} | {laid_out.dtype} | {architecture} | {used}")
    assert used.local == 0
    assert used.stack <= 64
    assert used.registers <= 128
    # one block of these threads must fit on a multiprocessor, which has 65,536
    assert used.registers * laid_out.threads <= 65_536
    assert used.shared + laid_out.shared_bytes <= 48 * 1024
    assert laid_out.shared_bytes <= SHARED_BYTES


@pytest.mark.parametrize("architecture", [OLDEST, USUAL])
@pytest.mark.parametrize(("case", "layout"), [ONE, FEATURES, ROWS, IN_MEMORY], ids=str)
def test_a_kernel_fits_the_oldest_and_a_usual_gpu(
    gpu, tmp_path, case, layout, architecture
):
    laid_out = chosen(case, layout)
    assert_fits(gpu.kernel(laid_out), laid_out, architecture, tmp_path)


@ALL
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("laid_out", PLANS, ids=str)
def test_every_kernel_fits_every_architecture(gpu, tmp_path, laid_out, architecture):
    assert_fits(gpu.kernel(laid_out), laid_out, architecture, tmp_path)


@pytest.mark.parametrize(("case", "layout"), IN_CI, ids=str)
def test_a_job_on_the_cpu_is_equal_work(gpu, case, layout):
    assert_equal_work(gpu, case, layout)


@ALL
@pytest.mark.parametrize(("case", "layout"), LAID_OUT, ids=str)
def test_every_job_on_the_cpu_is_equal_work(gpu, case, layout):
    assert_equal_work(gpu, case, layout)


def test_a_launch_before_training_changes_nothing(gpu):
    """It compiles, and its arguments are those of a training of no epochs."""
    case, layout = FEATURES
    session = started(case, layout, make_data(case))
    before = joined(session.weights())
    session.train(0)
    assert gpu.launches == [launch_of(chosen(case, layout), case, 0)]
    assert torch.equal(joined(session.weights()), before)


def test_a_grid_larger_than_the_gpu_is_refused(gpu):
    case, layout = FEATURES
    session = started(case, layout, make_data(case))
    blocks = chosen(case, layout).blocks
    gpu.launches.clear()
    try:
        gpu.become((9, 0), blocks - 1)
        with pytest.raises(Exception, match="COOPERATIVE_LAUNCH_TOO_LARGE"):
            session.train(1)
        assert gpu.launches == []
        gpu.become((9, 0), blocks)
        session.train(1)
    finally:
        gpu.become((9, 0), MULTIPROCESSORS)
    assert len(gpu.launches) == 1


@pytest.mark.parametrize(
    "fault",
    [{"fault": GRID_BARRIER_OF_THE_BLOCK}, {"fault": NO_BLOCK_BARRIER},
     {"short_bytes": 8}],
    ids=["a barrier of the grid waits for a block only", "a block does not wait",
         "8 bytes of shared memory too few"],
)  # fmt: skip
@pytest.mark.parametrize(("case", "layout"), IN_CI, ids=str)
def test_a_fault_is_noticed(gpu, case, layout, fault):
    """Other weights, or a thread that touches memory which is not its block's."""
    data = make_data(case)
    session = started(case, layout, data)
    vars(gpu).update(fault)
    try:
        session.train(1)
    except Exception:
        assert "outside its block's shared memory" in str(gpu.error)
        return
    right = joined(reference_weights(replace(case, epochs=1), data))
    off = (joined(session.weights()).double() - right).abs().max() / right.abs().max()
    assert not off <= TOLERANCE[case.dtype]
