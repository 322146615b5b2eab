"""The search on simulated truth: does it hold where a lead begins, and how narrowly?

`searched` goes the way of the plan with times drawn at each size that it asks for.
"""

from collections.abc import Callable

import numpy as np

from crossover.crossing.boundaries import Answered, boundaries
from crossover.crossing.decide import Array, looks_up_to
from crossover.plan.next_size import Aim, next_size
from crossover.plan.plan import next_look
from crossover.selftest.promises import (
    CONFIDENCE,
    LEAD,
    MARGIN,
    TIED,
    WIDTH,
    holds,
    width,
)
from crossover.selftest.row import Row, within
from crossover.selftest.simulate import (
    SIZES,
    Model,
    log_ratios,
    passes,
    seconds,
    tie_name,
    ties,
)

GIVEN = tuple(int(size) for size in SIZES[::3])
"""The sizes that the search begins with: every third one of the grid."""


def searched(
    curve: Callable[[Array], Array],
    model: Model,
    seed: int,
    rng: np.random.Generator,
) -> Answered:
    """Search where a lead begins.

    Args:
        curve: sizes -> true log-ratios.
        model: how the times are disturbed; with the most rounds of a size.
        seed: of the bootstrap.
        rng: draws the times.
    """
    aim, looks = Aim(model.rounds, WIDTH, MARGIN), looks_up_to(model.rounds)
    drawn: dict[int, Array] = {}
    rounds = dict.fromkeys(GIVEN, next_look(0))
    while True:
        rounds = dict(sorted(rounds.items()))
        for size in rounds.keys() - drawn.keys():
            at = np.array([float(size)])
            drawn[size] = log_ratios(seconds(curve(at), model, rng, at))[0]
        sizes = np.array([*rounds], float)
        ratios = [drawn[size][:n] for size, n in rounds.items()]
        found = boundaries(sizes, ratios, CONFIDENCE, MARGIN, seed, looks)
        proposed = next_size(found, rounds, aim)
        if proposed is None:
            return found
        rounds[proposed] = next_look(rounds.get(proposed, 0))


def search_after_tie(law: str, lag: float, gain: float, sweeps: int, seed: int) -> Row:
    """A tie that ends anywhere between two of the sizes given, then a lead."""
    held, widths = 0, []
    for i, curve, rng in ties(law, lag, gain, sweeps, seed, 17):
        found = searched(curve, TIED, seed + i, rng).ahead_from
        held += holds(found, passes(curve, LEAD))
        widths.append(width(found))
    typical = float(np.exp(np.median(widths)))
    return Row(
        f"search: {tie_name(law, lag, gain)}",
        "covers >= 93 %, median high / low <= 1.5",
        f"covers {held / sweeps:.1%}, {typical:.2f}",
        within(held, sweeps, 0.93, 1.0) and typical <= 1.5,
    )
