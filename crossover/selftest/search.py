"""The search on simulated truth: does it hold where a lead begins, and how narrowly?

`searched` goes the way of the plan with times drawn at each size that it asks for.
"""

from collections.abc import Callable
from functools import partial

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
    Row,
    holds,
    width,
    within,
)
from crossover.selftest.simulate import (
    SIZES,
    TIES,
    Model,
    baseline,
    log_ratios,
    passes,
    seconds,
    tie,
)

GIVEN = tuple(int(size) for size in SIZES[::3])
"""The sizes that the search begins with: every third one of the grid."""


def searched(
    curve: Callable[[Array], Array],
    model: Model,
    seed: int,
    rng: np.random.Generator,
    asked: float = WIDTH,
) -> tuple[Answered, float]:
    """Search where a lead begins; return the answer, and the time that it took.

    Args:
        curve: sizes -> true log-ratios.
        model: how the times are disturbed; with the most rounds of a size.
        seed: of the bootstrap.
        rng: draws the times.
        asked: the high / low that is narrow enough.
    """
    aim, looks = Aim(model.rounds, asked, MARGIN), looks_up_to(model.rounds)
    drawn: dict[int, Array] = {}
    rounds = dict.fromkeys(GIVEN, next_look(0))
    while True:
        rounds = dict(sorted(rounds.items()))
        for size in rounds.keys() - drawn.keys():
            at = np.array([float(size)])
            times = seconds(curve(at), model, rng, at)
            drawn[size] = log_ratios(times)[0]
        sizes = np.array([*rounds], float)
        ratios = [drawn[size][:n] for size, n in rounds.items()]
        found = boundaries(sizes, ratios, CONFIDENCE, MARGIN, seed, looks)
        proposed = next_size(found, rounds, aim)
        if proposed is None:
            spent = baseline(sizes) * (1 + np.exp(-curve(sizes)))
            return found, float(spent @ np.array([*rounds.values()]))
        rounds[proposed] = next_look(rounds.get(proposed, 0))


def search_after_tie(law: str, lag: float, gain: float, sweeps: int, seed: int) -> Row:
    """A tie that ends anywhere between two of the sizes given, then a lead."""
    held, widths = 0, []
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 17, TIES.index(law), int(10 * gain), i])
        start = float(np.exp(rng.uniform(*np.log(SIZES[[3, 6]]))))
        curve = partial(tie, law, lag, gain, start)
        answer, _ = searched(curve, TIED, seed + i, rng)
        held += holds(answer.ahead_from, passes(curve, LEAD))
        widths.append(width(answer.ahead_from))
    typical = float(np.exp(np.median(widths)))
    level = f"{lag:.0%} behind" if lag else "equal"
    return Row(
        f"search: {level}, then a {law} to {gain:g}x",
        "covers >= 93 %, median high / low <= 1.5",
        f"covers {held / sweeps:.1%}, {typical:.2f}",
        within(held, sweeps, 0.93, 1.0) and typical <= 1.5,
    )
