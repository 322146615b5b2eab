"""Keep products of float32 matrices in full float32, and check that they are.

TF32 reads only ten bits of each number's fraction: faster, but not the work that the
CPU does, and small cells would pass verification with it. Workers pin the precision,
runs record it, and the doctor checks it.
"""

import torch

WIDTH = 512
"""Width of the matrix tested; for smaller ones libraries use other algorithms."""


def pin_products() -> None:
    """Make torch multiply float32 matrices in full float32."""
    torch.set_float32_matmul_precision("highest")


def describe_products() -> dict[str, object]:
    """Return torch's setting."""
    return {"float32_matmul_precision": torch.get_float32_matmul_precision()}


def rounds_products(device: torch.device) -> bool:
    """Tell whether a product on the device loses bits of its float32 operands."""
    bit = 2.0**-12  # beyond TF32's ten
    a = torch.full((WIDTH, WIDTH), 1 + bit, device=device)
    product = torch.mm(a, torch.eye(WIDTH).to(device)).cpu()
    return bool((product - 1).abs().max() < bit / 2)


def flushes_subnormals() -> bool:
    """Tell whether this thread takes numbers nearer to 0 than normal ones for 0.

    `torch.set_flush_denormal` asks for it, and so do some libraries as they are loaded.
    """
    least = torch.full((1,), torch.finfo(torch.float32).tiny)
    return bool((least * 0.5 == 0).item())
