"""Write a file to start from: a user's own job, which measures as it stands."""

import keyword
from pathlib import Path

from crossover.files.untrusted import DEVICE, InputError, shown

START = '''"""From which size on does the GPU pay for this job?

    crossover run {name} {axis}

A function whose first parameter is `device` is an implementation. Its other arguments
need defaults: integers are sizes, and any of them can be the axis; others are settings.
"""

import torch
from torch import nn


def train(device, hidden=256, batch=32):
    # Set-up: timed apart. Draw on the CPU, then move: the same numbers on every device.
    net = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    net = net.to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    X = torch.randn(batch, 784).to(device)
    y = torch.randint(10, (batch,)).to(device)

    # The job: what is timed, again and again. No synchronising, no clock: we do that.
    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(X), y)
        loss.backward()
        optimizer.step()
        return loss  # after three steps, contenders must agree on it, or none is timed

    return step


# More that a file may have, each by its name:
#
# def compiled(device, hidden=256, batch=32): ...   # a second implementation, which
#                                                   # --contender cpu/compiled@1 names
# def data(hidden, batch): ...        # tensors on the CPU: we move and time them, and
#                                     # pass them: def train(device, data, hidden=256)
# def synchronize(device): ...        # for what is not torch
# check = 1e-2                        # how far results may lie apart; None: unverified
'''
AXIS = "hidden=16..2048"


def write_start(file: Path) -> tuple[str, str]:
    """Write a file to start from; return the two commands to try.

    Raises:
        InputError: for a name that Python cannot load, or that is taken.
    """
    stem = file.stem
    is_name = stem.isidentifier() and not keyword.iskeyword(stem)
    if file.suffix != ".py" or not is_name or DEVICE.match(stem):
        raise InputError(
            f"file = {shown(str(file))}: must be a name such as my_job.py: letters, "
            "digits and _, and no word of Python's or name of Windows' own"
        )
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(START.format(name=file, axis=AXIS))
    except FileExistsError as error:
        raise InputError(
            f"file = {shown(str(file))}: exists already; must be a new one"
        ) from error
    return f"crossover plan {file} {AXIS}", f"crossover run {file} {AXIS}"
