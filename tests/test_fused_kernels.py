"""The fused kernels' parts: exp, vectors, shuffles."""

import itertools
import platform

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features
from numba import njit
from scipy.stats import chisquare

from softmax_core.trainers.fused import columns as kernel
from softmax_core.trainers.fused.compile import OPTIONS
from softmax_core.trainers.fused.exp import cut, exp
from softmax_core.trainers.fused.products import _largest
from softmax_core.trainers.fused.shuffle import _below, deal

CUT = {np.float32: 2.0**-63, np.float64: 2.0**-511}
LEAST = {np.float32: -43.66, np.float64: -354.19}
"""exp of them lies just above the cut."""


@njit(**OPTIONS)
def exp_of_each(x, out):
    for i in range(len(x)):
        out[i] = exp(x[i])


@njit(**OPTIONS)
def cut_of_each(x):
    out = np.empty_like(x)
    for i in range(len(x)):
        out[i] = cut(x[i])
    return out


def units_in_the_last_place_off(x, wide):
    """The largest error of exp, judged in a wider type."""
    got = np.empty_like(x)
    exp_of_each(x, got)
    right = np.exp(x.astype(wide))
    return float(np.max(np.abs(got - right) / np.spacing(right.astype(x.dtype))))


@pytest.mark.parametrize("dtype", LEAST)
def test_exp_is_within_2_units_in_the_last_place(dtype):
    x = np.linspace(LEAST[dtype], 0, 300_001).astype(dtype)
    near = -np.logspace(-30, 0, 3_001).astype(dtype)
    off = units_in_the_last_place_off(np.concatenate([x, near]), np.longdouble)
    assert 0 < off <= 1


@pytest.mark.simulation
def test_exp_of_every_float32_is_within_2_units_in_the_last_place():
    """All 1.11 thousand million of them from the cut to 0."""
    zero, end = 1 << 31, int(np.float32(LEAST[np.float32]).view(np.uint32)) + 1
    off = 0.0
    for first in range(zero, end, 1 << 22):
        bits = np.arange(first, min(first + (1 << 22), end), dtype=np.uint32)
        off = max(off, units_in_the_last_place_off(bits.view(np.float32), np.float64))
    assert 0 < off <= 1


@pytest.mark.parametrize("dtype", LEAST)
def test_exp_is_zero_below_the_cut(dtype):
    x = np.array([0, -1e-30, LEAST[dtype]], dtype)
    got = np.empty_like(x)
    exp_of_each(x, got)
    np.testing.assert_array_equal(got[:2], 1)
    assert CUT[dtype] <= got[2] < 1.02 * CUT[dtype]
    far = [1.001, 1.02, 1.99, 2, 2.05, 3, 1e9]
    x = np.array([*(LEAST[dtype] * share for share in far), -np.inf], dtype)
    got = np.empty_like(x)
    exp_of_each(x, got)
    np.testing.assert_array_equal(got, 0)


@pytest.mark.parametrize("dtype", CUT)
def test_what_is_smaller_than_the_cut_becomes_zero(dtype):
    """The cut squared is the smallest normal number; infinity and nan stay."""
    least = CUT[dtype]
    assert least * least == np.finfo(dtype).tiny
    smaller = np.nextafter(dtype(least), dtype(0))
    x = np.array([least, -least, smaller, -smaller, least**2 / 4, 3, -np.inf], dtype)
    got = cut_of_each(x)
    np.testing.assert_array_equal(got, [least, -least, 0, 0, 0, 3, -np.inf])
    assert np.isnan(cut_of_each(np.array([np.nan], dtype)))[0]


def vector_registers(assembly):
    return sum("ymm" in line or "zmm" in line for line in assembly.splitlines())


looks_at_assembly = pytest.mark.skipif(
    platform.machine() != "x86_64" or not get_host_cpu_features().get("avx2"),
    reason="looks at AVX2 code",
)


@looks_at_assembly
def test_the_loop_over_samples_is_vectorised():
    """Promotion of int32 to int64, or a test of an index, would stop it."""

    @njit(error_model="numpy")
    def sums(columns, w, g):
        kernel.sums((0, 0), (0, 0, 0), columns, 0, columns.shape[1], w, g)

    columns, w = np.ones((3, 64), np.float32), np.ones((3, 3), np.float32)
    sums(columns, w, np.zeros((3, 2), np.float32))
    (assembly,) = sums.inspect_asm().values()
    shifts = [line for line in assembly.splitlines() if "vpslld" in line]
    assert vector_registers("\n".join(shifts)) >= 3
    assert vector_registers(assembly) > 50


@njit(**OPTIONS)
def largest_of_each(z, classes, out):
    for s in range(len(z)):
        out[s] = _largest(z, np.uint64(s), classes)


@pytest.mark.parametrize("dtype", LEAST)
@pytest.mark.parametrize("classes", [1, 2, 33, 100])
def test_the_largest_score_is_that_of_the_classes(dtype, classes):
    z = np.random.default_rng(3).normal(size=(50, 112)).astype(dtype)
    out = np.empty(50, dtype)
    largest_of_each(z, classes, out)
    np.testing.assert_array_equal(out, z[:, :classes].max(axis=1))


@looks_at_assembly
def test_the_largest_score_is_found_in_vectors():
    """One by one, it would take as long as the rest of a step with 1,000 classes."""
    largest_of_each(np.ones((2, 50), np.float32), 50, np.empty(2, np.float32))
    assembly = "\n".join(largest_of_each.inspect_asm().values())
    found = [line for line in assembly.splitlines() if "vmaxps" in line]
    assert vector_registers("\n".join(found)) >= 4


def permutations(samples, times, seed):
    """Deal (1, samples) anew and anew, in two parts each time."""
    order, state = np.arange(samples).reshape(1, -1), np.array([seed], np.uint64)
    for _ in range(times):
        deal((0,), order, 0, samples // 2, samples, state)
        deal((0,), order, samples // 2, samples, samples, state)
        yield tuple(order[0])


def test_every_permutation_is_as_likely():
    counts = dict.fromkeys(itertools.permutations(range(5)), 0)
    for order in permutations(5, 36_000, seed=7):
        counts[order] += 1
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_every_position_is_as_likely_in_longer_ones():
    counts = np.zeros((50, 50))
    for order in permutations(50, 5_000, seed=8):
        counts[order, np.arange(50)] += 1
    freedom = 49 * 49
    chi2 = float(((counts - 100) ** 2 / 100).sum())
    assert abs(chi2 - freedom) < 4 * (2 * freedom) ** 0.5


def test_drawing_below_a_limit_has_no_bias():
    """2^32 is no multiple of 3 x 2^30: without rejection thirds would be 2 : 1 : 1."""

    @njit
    def thirds(times):
        counts, counter = np.zeros(3), np.uint64(5)
        for _ in range(times):
            drawn, counter = _below(np.uint64(3 << 30), counter)
            counts[int(drawn % np.uint64(3))] += 1
        return counts

    assert chisquare(thirds(300_000)).pvalue > 0.001
