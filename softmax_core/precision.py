"""Products of float32 matrices in full float32: pinned, recorded, and looked at.

TF32 reads ten bits of each number's fraction. It is faster, and other work than the
CPU's: small cells pass verification with it all the same.
"""

import os

import torch

OVERRIDES = (
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
)
"""Environment variables that libraries obey; the first and last whatever torch says."""
WIDTH = 512
"""Libraries multiply smaller matrices in other ways."""


def pin_products() -> None:
    """Have torch multiply float32 matrices in full, whatever was set before."""
    torch.set_float32_matmul_precision("highest")


def describe_products() -> dict[str, object]:
    """Return torch's setting, and which variables of the environment override it."""
    return {
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "overrides": {
            name: os.environ[name] for name in OVERRIDES if name in os.environ
        },
    }


def rounds_products(device: torch.device) -> bool:
    """Tell whether a product on the device loses bits of its float32 operands."""
    bit = 2.0**-12  # beyond TF32's ten
    a = torch.full((WIDTH, WIDTH), 1 + bit, device=device)
    product = torch.mm(a, torch.eye(WIDTH).to(device)).cpu()
    return bool((product - 1).abs().max() < bit / 2)
