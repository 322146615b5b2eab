"""From which context length on is a GPU, or a second thread, ahead in attention?

`crossover run examples/attention.py context=16..512`
`crossover run examples/attention.py context=16..512 dtype=float32,bfloat16`

A text argument is a setting: several make one answer each. In float32, on two cores of
an AMD EPYC, after 70 seconds: two threads are ahead from 48 to 512; at 16 no difference
is shown (within 41 %). A GPU was not measured.
"""

import torch
from torch import nn

check = 5e-2  # bfloat16 keeps eight bits


def forward(device, context=128, heads=4, width=64, dtype="float32"):
    """Scaled dot-product attention of 4 sequences, without gradients."""
    kind = getattr(torch, dtype)
    q, k, v = (torch.randn(4, heads, context, width).to(device, kind) for _ in range(3))

    def step():
        with torch.no_grad():
            return nn.functional.scaled_dot_product_attention(q, k, v)

    return step
