"""A worker that tells how long its proofs take, for `bench.promises.checks`."""

from bench.promises.checks import time_proofs
from crossover.measure.worker import serve

time_proofs()
__all__ = ["serve"]
