"""From which width on is a GPU, or a second thread, ahead for a small network?

`crossover run examples/mlp.py hidden=16..2048 --contender cpu@1 --contender cpu@2`

On two cores of an AMD EPYC whose neighbours were at work, three runs with `--budget 4m`
found two threads ahead from a width of 280 (255 to 494) on, from 390 (189 to 452), and
could not decide, with a lead that would begin between 159 and 412; 1.44x (1.1x to
1.63x) at 2,048. A GPU was not measured.
"""

import torch
from torch import nn


def train(device, hidden=256, batch=32):
    """One step of SGD on random digits: 784 pixels, one hidden layer, 10 classes."""
    net = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    net = net.to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    X = torch.randn(batch, 784).to(device)  # drawn on the CPU: the same everywhere
    y = torch.randint(10, (batch,)).to(device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(X), y)
        loss.backward()
        optimizer.step()
        return loss  # compared between contenders before a time counts

    return step
