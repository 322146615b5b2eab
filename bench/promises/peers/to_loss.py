"""Measure the peers that take other steps, until they have the loss of `fused`.

`fused` trains the case's epochs from its initial weights. The passes that a peer needs
for that loss are found beforehand; then its whole fit is timed.
"""

import statistics
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from bench.promises.peers.measure import Work, repeated, rounds
from bench.promises.peers.results import SAME_LOSS, Row, fewest, not_measured, row_of
from softmax_core.case import Case
from softmax_core.data import Data, make_data
from softmax_core.training import evaluate, get_trainer

MARGIN = 1.01
"""The peers must reach the loss of `fused` times this."""
MOST = {"sklearn SGDClassifier": 16, "sklearn LogisticRegression": 128}
"""Most passes over the data, or iterations, that are tried."""


def same_loss(label: str, case: Case) -> list[Row]:
    """Measure scikit-learn until it has the loss of `fused` after the case's epochs."""
    if find_spec("sklearn") is None:
        reason = "scikit-learn is not installed"
        return [not_measured(label, peer, SAME_LOSS, reason) for peer in MOST]
    from bench.promises.peers.sklearn_fit import makers

    data = make_data(case)
    session = get_trainer("fused").prepare(case, data, threads=1)

    def fused() -> None:
        session.reset()
        session.train(case.epochs)

    fused()
    reached = evaluate(*session.weights(), data)[0]
    works: dict[Any, Work] = {"fused": repeated(fused)}
    notes, lowest = {}, {}
    for peer, settings in makers(case).items():
        ready, notes[peer], lowest[peer] = reaching(settings, data, reached, MOST[peer])
        works |= {(peer, setting): work for setting, work in ready.items()}
    took = rounds(works)
    rows = []
    for peer, most in MOST.items():
        own = {key: took[key] for key in took if key[0] == peer}
        if not own:
            reason = (
                f"not reached in {most} passes: lowest loss {lowest[peer]:.4g}, "
                f"fused {reached:.4g}"
            )
            rows.append(not_measured(label, peer, SAME_LOSS, reason))
            continue
        best = min(own, key=lambda key: statistics.median(own[key]))
        note = f"{best[1]}; {notes[peer][best[1]]}"
        rows.append(
            row_of(label, peer, SAME_LOSS, own[best], took["fused"], None, note)
        )
    return rows


def reaching(
    settings: dict[str, Callable[[int], Any]], data: Data, reached: float, most: int
) -> tuple[dict[str, Work], dict[str, str], float]:
    """Return the works and notes of the settings that reach it, and the lowest loss."""
    from bench.promises.peers.sklearn_fit import Fit

    works, notes, lowest = {}, {}, float("inf")
    for setting, make in settings.items():
        fit = Fit(make, data)
        losses: dict[int, float] = {}

        def loss_of(n: int, fit: Fit = fit, losses: dict[int, float] = losses) -> float:
            if n not in losses:
                losses[n] = fit.loss(n)
            return losses[n]

        count = fewest(loss_of, MARGIN * reached, most)
        lowest = min(lowest, *losses.values())
        if count is not None:
            works[setting] = repeated(partial(fit.fitted, count))
            notes[setting] = (
                f"passes: {count}, loss {losses[count]:.4g}, fused {reached:.4g}"
            )
    return works, notes, lowest
