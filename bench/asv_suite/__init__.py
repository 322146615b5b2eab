"""The suite that asv runs: it imports this folder as a top-level package.

`crossover` and `softmax_core` are installed from the commit that asv measures. asv's
forkserver (asv.conf.json) imports this module once and forks a process for each cell,
which then has torch and all that the first optimizer loads: that saves seconds. Before
the fork torch starts no thread and touches no device.
"""

import os
import sys
from pathlib import Path

from crossover.files.untrusted import InputError
from crossover.suites import cells, choice

# asv runs this in folders of its own, and tells only what builds where the suite is.
os.environ.setdefault(choice.BESIDE, str(Path(__file__).parents[2]))
try:
    cells.cells()
except InputError as error:
    sys.exit(f"crossover: {error}")

if "run_server" in sys.argv[:2]:
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)])
