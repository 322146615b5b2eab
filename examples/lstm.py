"""From which sequence length on does a GPU, or a second thread, pay for an LSTM?

`crossover run examples/lstm.py length=4..128`

On two cores of an AMD EPYC, after 70 seconds: no answer yet; two threads are ahead at a
length of 128, and the lead would begin between 7.6 and 55. A GPU was not measured.
"""

import torch
from torch import nn


def train(device, length=32, batch=16, hidden=64):
    """One step of Adam on sequences of 32 numbers, classified by their last state."""
    lstm = nn.LSTM(32, hidden, batch_first=True).to(device)
    head = nn.Linear(hidden, 2).to(device)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()])
    X = torch.randn(batch, length, 32).to(device)
    y = torch.randint(2, (batch,)).to(device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        states, _ = lstm(X)
        loss = nn.functional.cross_entropy(head(states[:, -1]), y)
        loss.backward()
        optimizer.step()
        return loss

    return step
