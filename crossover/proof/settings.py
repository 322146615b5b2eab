"""The environment of a worker: what would make a label wrong is not passed on to it.

Variables of thread pools, placement, instructions, compilers, precision belong to us:
they are set by a contender's label or left out, but for those allowed here. What else
matters for the speed is passed on and recorded. `measure` builds environments by it
and records them, and `doctor` names what is passed on.
"""

from collections.abc import Mapping

from crossover.files.untrusted import printable

THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS",
    "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip
"""Variables that are set to the threads of a contender, if its label has a number."""
OURS = (
    "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_",
    "NUMEXPR_", "NUMBA_", "ATEN_", "ONEDNN_", "DNNL_", "NVIDIA_TF32_", "CUDA_",
    "CUBLAS_", "CUBLASLT_", "CUDNN_", "TRITON_", "TORCH_COMPILE", "TORCH_ALLOW_TF32",
    "TORCH_CUDNN", "TORCH_BLAS", "TORCHDYNAMO_", "TORCHINDUCTOR_", "TORCH_LOGS",
    "TORCH_SHOW", "TORCH_CPP_LOG", "TORCH_DISTRIBUTED_DEBUG", "AOT_", "PYTORCH_JIT",
    "PYTORCH_NVFUSER", "PYTORCH_TUNABLEOP_", "PYTORCH_MPS_", "PYTORCH_NO_",
)  # fmt: skip
"""How names begin that are left out, unless they are allowed or recorded."""
ALLOWED = (
    "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_CACHE_PATH", "NUMBA_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TRITON_HOME",
)  # fmt: skip
"""Names among them that say where files are, and nothing of the speed."""
RECORDED = (
    "OMP_WAIT_POLICY", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_MPS_",
    "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK",
    "ONEAPI_DEVICE_SELECTOR", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_BIND_NOW", "LD_AUDIT",
    "DYLD_", "MALLOC_", "JE_MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES",
    "PYTHONMALLOC", "PYTHONOPTIMIZE", "PYTHONDEVMODE", "PYTHONTRACEMALLOC",
    "PYTHON_JIT", "PYTHON_GIL",
    "NCCL_", "GLOO_", "XLA_", "JAX_", "CC", "CXX", "CFLAGS", "CXXFLAGS",
)  # fmt: skip
"""Names, or with a last `_` how they begin, that are passed on and recorded."""
LONGEST = 300
"""At most this many characters are recorded of a value."""


def for_worker(environment: Mapping[str, str], threads: int | None) -> dict[str, str]:
    """Return the variables of a worker.

    Args:
        environment: that of this process.
        threads: of its contender; None leaves each pool's size to its library.
    """
    kept = {k: v for k, v in environment.items() if not _is_left_out(k)}
    if threads is not None:
        kept |= dict.fromkeys(THREADS, str(threads))
    return kept


def left_out(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that no worker gets."""
    return {k: _shown(v) for k, v in sorted(environment.items()) if _is_left_out(k)}


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a worker gets and that may change its speed."""
    return {k: _shown(v) for k, v in sorted(environment.items()) if _is_recorded(k)}


def notices(passed: Mapping[str, str], left: Mapping[str, str]) -> list[str]:
    """Return a sentence about each kind of variable, if there are any."""
    said = []
    if left:
        said.append(f"environment: not passed on to what is measured: {_named(left)}")
    if passed:
        said.append(f"environment: passed on, may change the speed: {_named(passed)}")
    return said


def _named(variables: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in variables.items())


def _is_left_out(name: str) -> bool:
    return name.startswith(OURS) and name not in ALLOWED and not _is_recorded(name)


def _is_recorded(name: str) -> bool:
    return any(
        name.startswith(known) if known.endswith("_") else name == known
        for known in RECORDED
    )


def _shown(value: str) -> str:
    return printable(value[:LONGEST])
