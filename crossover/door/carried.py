"""Carry out a run for somebody in Python: in a folder that vanishes, heeding Ctrl-C.

`find` and `run` call it.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from crossover.door.progress import shown
from crossover.door.result import Result
from crossover.interrupts import Interrupted
from crossover.measure.environment import ENVIRONMENT
from crossover.measure.process import Workers
from crossover.nouns import Run
from crossover.pipeline import carry_out
from crossover.record import run_folder


def carried_out(run: Run, workers: Workers, progress: bool) -> Result:
    """Measure a run that begins, and return what was found.

    It is recorded in a temporary folder; `Result.save` writes it to one that stays.
    After Ctrl-C the result holds what is measured, and says that it is partial.

    Args:
        run: what is to be measured.
        workers: who measures.
        progress: whether to show how far it is.

    Raises:
        KeyboardInterrupt: after Ctrl-C before the first round.
    """
    with tempfile.TemporaryDirectory(prefix="crossover-") as folder:
        out = Path(folder) / "run"
        run_folder.create(out, run)
        try:
            with shown(progress) as show:
                return Result(carry_out(run.spec, run, out, workers, show, ENVIRONMENT))
        except (KeyboardInterrupt, Interrupted):
            rows = run_folder.load(out).measurements
            if not rows:
                raise
            return Result(replace(run, measurements=rows), partial=True)
