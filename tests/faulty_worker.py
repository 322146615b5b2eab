"""The real worker, whose trainer `resident` breaks as the rows of the case tell."""

import faults

import softmax_core
from crossover.measure import worker
from softmax_core.trainers.resident import ResidentTrainer

GOOD_ROWS = (20, 99)
ROWS = {30 + n: f for n, f in enumerate({**faults.FAULTS, **faults.CAUGHT}.items())}


class FaultyTrainer(ResidentTrainer):
    def prepare(self, case, *args, **kwargs):
        if case.samples in ROWS:
            ROWS[case.samples][1][0]()
        return super().prepare(case, *args, **kwargs)


def serve(requests, replies):
    softmax_core.get_trainer = lambda *_: FaultyTrainer()
    worker.serve(requests, replies)
