"""Whole epochs in one compiled call: the CPU's best contender (docs/fused.md)."""

import torch
from numba import config

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.trainers.fused.choose import choose
from softmax_core.trainers.fused.sessions import WAYS, FusedSession
from softmax_core.training import Setup, Trainer


def most_threads(threads: int | None) -> int:
    """Return how many threads may train: at most one a core, or NUMBA_NUM_THREADS.

    None asks for as many as torch has.
    """
    limit: int = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    return min(threads or torch.get_num_threads(), limit)


class FusedTrainer(Trainer):
    """Trains by kernels that numba compiles; on the CPU only."""

    name, only_on = "fused", "cpu"

    def start(self, case: Case, data: Data, setup: Setup) -> FusedSession:
        """Return a session of the way that is fastest here; see `Trainer`."""
        choice = choose(case, most_threads(setup.threads))
        session = WAYS[choice.way](case, data, setup, choice.threads)
        session.notes += choice.reason
        return session
