"""asv's benchmark of the crossover: from which size on a contender is ahead."""

from typing import ClassVar

from crossover.suites import cells, choice

PAIRS = [" to ".join(pair) for pair in choice.first_pairs()]
AXIS = choice.first_axis()


class Crossing:
    """One number for each pair of the profile's first sweep; NaN if none is found."""

    params: ClassVar = [PAIRS]
    param_names: ClassVar = ["pair"]
    version = cells.version()
    timeout = 900
    unit = "samples" if AXIS == "batch_size" else AXIS

    def setup(self, pair: str) -> None:
        """Skip a contender that cannot run here; asv then shows n/a."""
        for contender in pair.split(" to "):
            reason = cells.unavailable(contender)
            if reason is not None:
                raise NotImplementedError(reason)


def _crossing(self: Crossing, pair: str) -> float:
    """Return the size from which the second contender is ahead."""
    from crossover.suites import crossing

    baseline, challenger = pair.split(" to ")
    return crossing.crossover_size(baseline, challenger)


setattr(Crossing, f"track_crossover_{AXIS}", _crossing)
