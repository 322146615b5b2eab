"""Trainer `compiled`: equal work, few compilations, none of them while training."""

import dataclasses
import importlib.util
import os
import sys
import warnings

import psutil
import pytest
import torch

from softmax_core import TOLERANCE, Case, disagreement, make_data
from softmax_core.reference import VERIFIED_BATCHES, verified_case
from softmax_core.trainers import compiled
from softmax_core.trainers.compiled import CHUNK, CompiledTrainer, call_sizes

CPU = torch.device("cpu")
MISSING = CompiledTrainer().unavailable(CPU)
needs_compiler = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

SMALL = Case(samples=113, batch_size=10, epochs=2, momentum=0.5, learning_rate=0.01)
LARGE = Case(205, 20, 6, 32, 2, 1e-3, dispersion=(0.5, 2.0), dtype="float64")


@pytest.fixture
def short_chunk(monkeypatch):
    """Two steps a call: compiled in a third of the time that eight take."""
    monkeypatch.setattr(compiled, "CHUNK", 2)


@pytest.mark.parametrize(
    ("case", "sizes"),
    [
        (Case(160, batch_size=10), [(10,) * 8] * 2),
        (Case(1503, batch_size=10), [(10,) * 8] * 18 + [(10,)] * 6 + [(3,)]),
        (Case(69, batch_size=10), [(10,)] * 6 + [(9,)]),
        (Case(9, batch_size=60_000), [(9,)]),
    ],
    ids=str,
)
def test_at_most_three_functions_are_compiled(case, sizes):
    assert call_sizes(case) == sizes
    assert sum(map(sum, sizes)) == case.samples
    assert len(set(sizes)) <= 3


@pytest.mark.parametrize("full", [1, 7, 8, 9, 15, 16, 17, 60_000, 60_001, 60_007])
@pytest.mark.parametrize("short", [0, 3])
def test_what_is_timed_is_what_is_verified(full, short):
    assert VERIFIED_BATCHES == CHUNK
    case = Case(5 * full + short, batch_size=5)
    assert set(call_sizes(verified_case(case))) == set(call_sizes(case))


@needs_compiler
@pytest.mark.parametrize("case", [SMALL, LARGE], ids=str)
def test_equal_work_reset_and_no_compilation_while_training(case, short_chunk):
    assert disagreement(CompiledTrainer(), case) <= TOLERANCE[case.dtype]
    session = CompiledTrainer().prepare(case, make_data(case))
    with torch.compiler.set_stance("fail_on_recompile"):
        session.train(2)
        first = session.weights()
        session.reset()
        session.train(2)
    assert all(map(torch.equal, session.weights(), first))
    way = "products written out" if case is SMALL else "matrix products"
    assert session.notes == f"2 steps a call, {way}"


@needs_compiler
def test_another_number_of_samples_compiles_nothing(short_chunk):
    CompiledTrainer().prepare(SMALL, make_data(SMALL))
    more = dataclasses.replace(SMALL, samples=233)
    assert set(call_sizes(more)) == set(call_sizes(SMALL))
    with torch.compiler.set_stance("fail_on_recompile"):
        CompiledTrainer().prepare(more, make_data(more)).train(1)


@needs_compiler
def test_compiling_leaves_no_process_behind(short_chunk):
    CompiledTrainer().prepare(SMALL, make_data(SMALL))
    children = psutil.Process().children(recursive=True)
    assert not any("compile_worker" in " ".join(c.cmdline()) for c in children)


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    reason = CompiledTrainer().unavailable(CPU)
    assert reason == "no C++ compiler no-such-compiler; CXX names another"


def test_missing_headers_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", sys.executable)
    monkeypatch.setattr(compiled.sysconfig, "get_path", lambda _: os.fspath(tmp_path))
    assert CompiledTrainer().unavailable(CPU).startswith("no Python.h")
    (tmp_path / "Python.h").touch()
    assert CompiledTrainer().unavailable(CPU) is None


@pytest.mark.parametrize(("found", "reason"), [(None, "triton is not installed")])
def test_missing_triton_is_named(found, reason, monkeypatch):
    monkeypatch.setattr(compiled.importlib.util, "find_spec", lambda _: found)
    assert CompiledTrainer().unavailable(torch.device("cuda")) == reason


@pytest.mark.parametrize(
    ("cc", "missing", "reason"),
    [
        (None, "gcc clang", "no C compiler gcc or clang for triton; CC names another"),
        (None, "clang", None),
        (None, "gcc", None),
        ("mine", "mine", "no C compiler mine for triton; CC names another"),
        ("mine", "gcc clang", None),
        (None, "Python.h", "no Python.h: Python's headers are not installed"),
    ],
)
def test_triton_needs_a_c_compiler_and_pythons_headers(
    monkeypatch, tmp_path, cc, missing, reason
):
    importlib.import_module("torch._dynamo.device_interface")  # it looks for modules
    monkeypatch.delenv("CC", raising=False)
    if cc:
        monkeypatch.setenv("CC", cc)
    lacks = missing.split()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    found = {"which": lambda name: None if name in lacks else f"/bin/{name}"}
    monkeypatch.setattr(compiled.shutil, "which", found["which"])
    if missing != "Python.h":
        (tmp_path / "Python.h").touch()
    monkeypatch.setattr(compiled.sysconfig, "get_path", lambda _: os.fspath(tmp_path))
    assert CompiledTrainer().unavailable(torch.device("cuda")) == reason


def test_torchs_advice_to_use_tf32_is_no_error(monkeypatch):
    """On GPUs that have it, its compiler warns; the tests make errors of warnings."""

    def compiler(function, **options):
        def call(*arguments):
            advice = (
                "TensorFloat32 tensor cores for float32 matrix multiplication "
                "available but not enabled. Consider setting "
                "`torch.set_float32_matmul_precision('high')` for better performance."
            )
            if not warned:
                warned.append(advice)
                warnings.warn(advice, UserWarning, stacklevel=1)

        return call

    warned = []

    monkeypatch.setattr(torch, "compile", compiler)
    case = dataclasses.replace(SMALL, learning_rate=0.0123)  # not yet compiled
    CompiledTrainer().prepare(case, make_data(case)).train(1)
    assert warned


def test_a_device_without_a_compiler_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert CompiledTrainer().unavailable(torch.device("meta")) == "no compiler for meta"
