"""Up to which hidden size does an LSTM answer in time, one request after the other?

`crossover run examples/lstm_inference.py hidden=32..1024 --latency --good-enough 20ms`

One forward pass at batch 1, as behind a service: what counts is the slowest call in a
hundred (p99), and whether a GPU, or a second thread, makes it shorter.
"""

import torch
from torch import nn


def answer(device, hidden=128, length=64, batch=1):
    """One forward pass over sequences of 32 numbers, two classes at their end."""
    lstm = nn.LSTM(32, hidden, batch_first=True).to(device).eval()
    head = nn.Linear(hidden, 2).to(device).eval()
    X = torch.randn(batch, length, 32).to(device)

    @torch.inference_mode()
    def step():
        states, _ = lstm(X)
        return head(states[:, -1])

    return step
