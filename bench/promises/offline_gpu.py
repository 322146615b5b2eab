"""Let torch's compiler write code for a GPU that is not there.

Inside `described()`, Dynamo, inductor and Triton get an H100's answers to what they ask
of the device while they compile. Nothing runs: tensors are fake, and a module that
inductor generated is not loaded, but handed to the caller. This needs a build of torch
for CUDA, and no driver. Torch's private names are patched, as version 2.13 has them.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch

CAPABILITY = 9, 0
NAME = "NVIDIA H100 80GB HBM3"
PROPERTIES = SimpleNamespace(
    name=NAME,
    major=CAPABILITY[0],
    minor=CAPABILITY[1],
    multi_processor_count=132,
    warp_size=32,
    max_threads_per_block=1024,
    max_threads_per_multi_processor=2048,
    regs_per_multiprocessor=65536,
    shared_memory_per_block=48 * 1024,
    shared_memory_per_block_optin=227 * 1024,
    total_memory=80 * 1024**3,
)
"""What torch.cuda.get_device_properties would tell of an H100 SXM."""
ANSWERS: dict[str, Callable[..., Any]] = {
    "is_available": lambda: True,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "get_device_name": lambda device=None: NAME,
    "get_device_capability": lambda device=None: CAPABILITY,
    "get_device_properties": lambda device=None: PROPERTIES,
    "get_rng_state": lambda device=None: torch.zeros(16, dtype=torch.uint8),
    "set_rng_state": lambda state, device=None: None,
    "_exchange_device": lambda index: 0,
    "_maybe_exchange_device": lambda index: 0,
}
"""Functions of torch.cuda that compiling calls."""

Call = Callable[[list[Any]], tuple[()]]
"""Called in place of a generated module's `call`, with the same arguments."""
Load = Callable[[str], Call]
"""Takes a generated module's text."""


class Driver:
    """What Triton asks its driver before it compiles."""

    def get_current_target(self) -> Any:
        """Return what Triton compiles for."""
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", 10 * CAPABILITY[0] + CAPABILITY[1], 32)


@contextlib.contextmanager
def described(load: Load, is_padded: bool) -> Iterator[list[str]]:
    """Compile for an H100 and make fake tensors on "cuda" inside the block.

    Args:
        load: gets each module that inductor generates.
        is_padded: the answer where inductor would time a matrix product on the device,
            with its sizes padded to multiples of four and without, to take the faster.

    Yields:
        A list to which each product is added for which inductor asked that.
    """
    from torch._inductor import config, utils
    from torch._subclasses.fake_tensor import FakeTensorMode

    products: list[str] = []

    def pad(product: str) -> bool:
        products.append(product)
        return is_padded

    torch._dynamo.reset()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        enter(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # torch warns of addresses of fake tensors
        for patch in (*_of_the_device(), *_of_the_compiler(load, pad)):
            enter(patch)
        enter(utils.fresh_cache())
        enter(config.patch(force_disable_caches=True, use_static_triton_launcher=False))
        enter(FakeTensorMode(allow_non_fake_inputs=True))
        yield products
    torch._dynamo.reset()


def _of_the_device() -> Iterator[Any]:
    """Yield the patches by which torch takes the described GPU for a real one."""
    from torch._dynamo.device_interface import CudaInterface
    from torch._subclasses.fake_tensor import FakeTensorMode

    for name, answer in ANSWERS.items():
        yield mock.patch.object(torch.cuda, name, answer)
    # Dynamo keeps functions of torch.cuda under the same names, without the underscore.
    for name in ("device_count", "current_device", "get_device_properties"):
        yield mock.patch.object(CudaInterface, name, staticmethod(ANSWERS[name]))
    for name in ("_exchange_device", "_maybe_exchange_device"):
        answer = staticmethod(ANSWERS[name])
        yield mock.patch.object(CudaInterface, name.lstrip("_"), answer)
    # Dynamo asks this before it looks for the current stream, which starts CUDA.
    yield mock.patch.object(torch.accelerator, "is_available", return_value=False)
    # With this, fake tensors do not start CUDA, and device guards do nothing.
    yield mock.patch.object(FakeTensorMode, "avoid_device_init", True)


def _of_the_compiler(load: Load, pad: Callable[[str], bool]) -> Iterator[Any]:
    """Yield the patches by which nothing is measured, loaded or launched."""
    import triton
    from torch._inductor.codecache import PyCodeCache
    from torch._inductor.fx_passes import pad_mm
    from torch._inductor.runtime import triton_helpers

    def loaded(key: str, path: str, *more: Any, **options: Any) -> SimpleNamespace:
        return SimpleNamespace(
            __file__=path, call=load(Path(path).read_text(encoding="utf-8"))
        )

    yield mock.patch.object(triton.runtime.driver, "_active", Driver())
    yield mock.patch.object(triton_helpers, "set_driver_to_gpu")
    # Inductor asks about products that it takes for bound by arithmetic: all, where it
    # knows no rates, as here, and by those that it estimates for an H100 of this name.
    yield mock.patch.object(pad_mm, "get_cached_should_pad", pad)
    yield mock.patch.object(PyCodeCache, "load_by_key_path", staticmethod(loaded))
