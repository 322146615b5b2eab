"""What a run begins before this process has loaded what it needs itself."""

from collections.abc import Iterable
from contextlib import suppress


def load_torch(words: Iterable[str] | None, is_elsewhere: bool) -> None:
    """Begin to load torch for the workers of `nurseries`, unless they may not need it.

    Args:
        words: of the command line; a user's file among them may need no torch.
        is_elsewhere: whether the words do not tell what is run, or not here.
    """
    if is_elsewhere or any("=" not in word for word in words or ()):
        return
    from crossover.measure.nursery import begin
    from crossover.measure.process import WORKER, worker_environment

    with suppress(OSError):  # who asks for a worker is told
        begin(WORKER, worker_environment())
