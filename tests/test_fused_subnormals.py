"""fused never computes with subnormal numbers, and still ends with the right weights.

Subnormal numbers lie between 0 and the smallest normal one; many processors take a
hundred times as long for them. Time is not measured here: x86 processors note in a
register whether an operation met or made one.
"""

import ctypes
import ctypes.util
import platform

import numpy as np
import pytest
import torch
from numba import njit

from softmax_core import TOLERANCE, Case, get_trainer, make_data, reference_weights
from softmax_core.case import stable_learning_rate
from softmax_core.trainers.fused.sessions import WAYS
from softmax_core.training import Setup

WIDE, NEAR = (6.0, 2.0), (0.1, 2.0)
SHAPES = {
    "2 features, 3 classes": (2, 3, 10, 400, (60.0, 2.0)),
    "2 features, 3 classes, batch 100": (2, 3, 100, 2000, (60.0, 2.0)),
    "2 features, 3 classes, large batches": (2, 3, 1100, 2500, (60.0, 2.0)),
    "32 features, 8 classes": (32, 8, 64, 640, WIDE),
    "16 features, 48 classes": (16, 48, 64, 640, WIDE),
    "2 features, 100 classes": (2, 100, 64, 640, WIDE),
    "64 features, 100 classes": (64, 100, 64, 640, WIDE),
    "64 features, 100 classes, short last batch": (64, 100, 24, 250, WIDE),
    "784 features, 8 classes": (784, 8, 128, 640, NEAR),
    "784 features, 100 classes": (784, 100, 32, 160, WIDE),
    "1000 features, 100 classes": (1000, 100, 32, 160, WIDE),
    "1 feature, 1000 classes": (1, 1000, 64, 1000, WIDE),
}
EPOCHS = 20
DENORMAL, UNDERFLOW, FLAGS = 0x02, 0x10, 0x3F

only_on_x86 = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="reads the flags of an x86 processor as glibc keeps them",
)
of_each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def case_of(shape, rate, momentum=0.0, dtype="float32"):
    """Return the case at `rate` times the learning rate that is stable."""
    features, classes, batch, samples, dispersion = shape
    return Case(
        samples, features, classes, batch, EPOCHS,
        rate * stable_learning_rate(features, classes, dispersion), momentum,
        dispersion, dtype,
    )  # fmt: skip


def flags_after(work):
    """Return what the processor noted of subnormal numbers during `work`."""
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    state = (ctypes.c_uint32 * 8)()  # the last of them is the register MXCSR
    libm.fegetenv(state)
    state[7] &= ~FLAGS
    libm.fesetenv(state)
    work()
    libm.fegetenv(state)
    return state[7] & (DENORMAL | UNDERFLOW)


def is_subnormal(array):
    return (array != 0) & (np.abs(array) < np.finfo(array.dtype).tiny)


@only_on_x86
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_processor_notes_a_subnormal_number(dtype):
    tiny, part = np.full(1, np.finfo(dtype).tiny, dtype), dtype(0.1)

    @njit
    def product(array, factor):
        array[0] *= factor

    product(tiny.copy(), part)
    assert flags_after(lambda: product(np.ones(1, dtype), part)) == 0
    assert flags_after(lambda: product(tiny, part)) & UNDERFLOW
    assert is_subnormal(tiny).all()


@only_on_x86
@of_each_shape
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("rate", [1, 10])
def test_no_operation_meets_a_subnormal_number(shape, rate, momentum):
    case = case_of(shape, rate, momentum)
    session = get_trainer("fused").prepare(case, make_data(case), threads=1)
    session.train(1)
    session.reset()
    assert flags_after(lambda: session.train(EPOCHS)) == 0
    assert torch.isfinite(session.weights()[0]).all()


@only_on_x86
@pytest.mark.parametrize("name", ["2 features, 100 classes", "784 features, 8 classes"])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_nor_does_one_in_float64(name, momentum):
    case = case_of(SHAPES[name], 1000, momentum, "float64")
    session = get_trainer("fused").prepare(case, make_data(case), threads=1)
    session.train(1)
    session.reset()
    assert flags_after(lambda: session.train(EPOCHS)) == 0


@pytest.mark.parametrize(("features", "batch"), [(1, 10), (1, 1100), (30, 10)])
def test_a_velocity_without_gradients_ends_at_zero(features, batch):
    """Momentum alone would end at a number that rounds to itself."""
    case = Case(1200, features, 3, batch, 1, 0.03, 0.9)
    data = make_data(case)
    data.X.zero_()
    data.X[:, 0] = data.y
    session = get_trainer("fused").prepare(case, data, threads=1)
    k = np.arange(3)
    W, b = np.zeros((features, 3), np.float32), -1000 * k**2
    W[0] = 2000 * k  # the score -1000 (k - y)^2 leaves no doubt
    session._w[:] = session._turned(np.vstack([W, b]))
    session._u[:] = 1e-5
    session.train(2_000)
    assert not session._u.any()


@pytest.mark.parametrize("way", ["rows", "products"])
def test_two_threads_leave_no_subnormal_velocity(way):
    case = case_of(SHAPES["64 features, 100 classes"], 10, 0.5)
    if not WAYS[way].fits(case):
        pytest.skip("torch shows no product")
    setup = Setup(torch.device("cpu"))
    session = WAYS[way](case, make_data(case), setup, 2)
    session.train(EPOCHS)
    assert session.threads == 2
    assert not is_subnormal(session._u).any()


@of_each_shape
@pytest.mark.parametrize(("rate", "momentum"), [(1, 0.0), (10, 0.0), (1, 0.9)])
def test_a_long_training_ends_with_the_references_weights(shape, rate, momentum):
    case = case_of(shape, rate, momentum)
    data = make_data(case)
    session = get_trainer("fused").prepare(case, data, threads=1, drawn_on="cpu")
    session.train(EPOCHS)
    right = reference_weights(case, data)
    scale = float(right[0].abs().max())
    for got, expected in zip(session.weights(), right, strict=True):
        off = float((got.double() - expected).abs().max())
        assert off <= TOLERANCE[case.dtype] * scale


@pytest.mark.parametrize("features", [2, 30])
def test_a_diverging_velocity_is_seen_to(features):
    case = Case(300, features, batch_size=300, learning_rate=1e38, momentum=0.9)
    session = get_trainer("fused").prepare(case, make_data(case), drawn_on="cpu")
    session.train(3)
    assert not torch.isfinite(session.weights()[0]).all()
