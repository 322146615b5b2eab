"""What the tests of ranks share: a long training, and work that is done meanwhile."""

import threading

from softmax_core import Case, get_trainer, make_data

LONG = Case(4096, 784, 10, 64, 100_000, 1e-3, 0.0, (0.5, 2.0))
"""Some hours of training: what a rank is killed amid."""


def prepared(ranks, case):
    return get_trainer("data_parallel", ranks).prepare(case, make_data(case), "cpu", 1)


def soon(work, seconds=0.3):
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer
