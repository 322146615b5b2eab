"""The environment of a worker: what would make a label wrong does not reach it."""

import json
import os

import pytest

from crossover.measure.machine import snapshot
from crossover.measure.process import worker_environment
from crossover.proof.settings import for_worker, left_out, notices, passed_on

WRONG = {
    "OMP_THREAD_LIMIT": "1", "OMP_PLACES": "{0}", "OMP_PROC_BIND": "true",
    "KMP_AFFINITY": "compact", "GOMP_CPU_AFFINITY": "0", "MKL_NUM_THREADS": "1",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "OPENBLAS_CORETYPE": "Core2",
    "TORCH_COMPILE_DISABLE": "1", "TORCHDYNAMO_DISABLE": "1",
    "TORCHINDUCTOR_MAX_AUTOTUNE": "1", "ATEN_CPU_CAPABILITY": "default",
    "NUMBA_DISABLE_JIT": "1", "NUMBA_CPU_NAME": "generic",
    "NVIDIA_TF32_OVERRIDE": "1", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "CUDA_LAUNCH_BLOCKING": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":0:0", "TRITON_INTERPRET": "1",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "1", "PYTORCH_TUNABLEOP_ENABLED": "1",
}  # fmt: skip
RECORDED = {
    "CUDA_VISIBLE_DEVICES": "1", "OMP_WAIT_POLICY": "passive", "LD_PRELOAD": "x.so",
    "MALLOC_ARENA_MAX": "1", "PYTORCH_CUDA_ALLOC_CONF": "backend:native",
}  # fmt: skip
PLAIN = {"HOME": "/root", "TORCHINDUCTOR_CACHE_DIR": "/c", "MY_DATA": "/data"}


@pytest.mark.parametrize("name", WRONG)
def test_what_would_make_a_label_wrong_does_not_reach_a_worker(name):
    given = {name: WRONG[name], **PLAIN}
    assert for_worker(given, None) == PLAIN
    assert left_out(given) == {name: WRONG[name]}
    assert passed_on(given) == {}


@pytest.mark.parametrize("name", RECORDED)
def test_what_else_matters_is_passed_on_and_recorded(name):
    given = {name: RECORDED[name], **PLAIN}
    assert for_worker(given, None) == given
    assert passed_on(given) == {name: RECORDED[name]}
    assert left_out(given) == {}


def test_threads_are_those_of_the_label_whatever_the_environment_says():
    found = for_worker({"OMP_NUM_THREADS": "7", "MKL_NUM_THREADS": "7"}, 2)
    pools = "OMP", "MKL", "OPENBLAS", "NUMBA"
    assert [found[f"{pool}_NUM_THREADS"] for pool in pools] == ["2"] * 4
    assert for_worker({"OMP_NUM_THREADS": "7"}, None) == {}


def test_values_that_a_terminal_obeys_and_long_ones_are_made_harmless():
    given = {"LD_PRELOAD": "\x1b[31m" + "x" * 999, "OMP_PLACES": "\udcff"}
    assert passed_on(given)["LD_PRELOAD"].startswith("\\x1b[31mxx")
    assert len(passed_on(given)["LD_PRELOAD"]) < 310
    json.dumps(left_out(given)).encode()


def test_a_sentence_says_what_is_left_out_and_what_is_passed_on():
    assert notices({}, {}) == []
    assert notices({"LD_PRELOAD": "x"}, {"OMP_PLACES": "{0}", "MKL_CBWR": "1"}) == [
        "environment: not passed on to what is measured: OMP_PLACES={0}, MKL_CBWR=1",
        "environment: passed on, may change the speed: LD_PRELOAD=x",
    ]


@pytest.mark.slow
def test_a_machine_keeps_both_and_torch_has_the_threads_it_chose(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    found = snapshot()
    assert found.left_out["OMP_NUM_THREADS"] == "1"
    assert found.passed_on["MALLOC_ARENA_MAX"] == "2"
    assert found.threads["torch"] == len(os.sched_getaffinity(0))
    assert "OMP_NUM_THREADS" not in worker_environment()
