"""What asv runs. It imports this folder as a top-level package, `bench` installed.

asv's forkserver (asv.conf.json) imports it once and forks a process for each cell.
Those then need not load torch, nor what the first optimizer loads: seconds each. No
thread of torch's is started, and no device touched, before the fork.
"""

import sys

if "run_server" in sys.argv[:2]:
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)])
