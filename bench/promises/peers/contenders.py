"""Verify the peers that take the same steps, then measure them beside `fused`."""

import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import torch

from bench.promises.peers.measure import Work, rounds, training
from bench.promises.peers.results import SAME_STEPS, Row, not_measured, row_of
from softmax_core.case import Case
from softmax_core.data import Data, make_data
from softmax_core.reference import TOLERANCE, disagreement
from softmax_core.registry import TRAINERS
from softmax_core.training import Trainer, get_trainer

CPU = torch.device("cpu")
JAX, JAX_HOST = "JAX", "JAX, order from NumPy"
TORCH = {"torch eager": "resident", "torch compiled": "compiled"}
TRIALS = 3
"""Rounds that choose the fastest way."""
Made = dict[str, tuple[Work, str]]
"""Works and their notes, by the peer's name."""


class UnequalError(Exception):
    """A peer ends with other weights than the reference."""


def verified(trainer: Trainer, case: Case) -> Trainer:
    """Return the trainer when it does equal work.

    Raises:
        UnequalError: when the weights are farther off than `TOLERANCE`.
    """
    off = disagreement(trainer, case, threads=1)
    if not off <= TOLERANCE[case.dtype]:
        raise UnequalError(f"weights off by {off:.1e} of the largest")
    return trainer


def torch_works(peer: str, name: str, case: Case, data: Data) -> Made:
    """Return the work and the notes of one of our own trainers.

    Raises:
        LookupError: when it cannot be measured, with the reason.
    """
    if name not in TRAINERS:
        raise LookupError(f"no trainer is called {name}")
    trainer = get_trainer(name)
    reason = trainer.unavailable(CPU)
    if reason is not None:
        raise LookupError(reason)
    session = verified(trainer, case).prepare(case, data, threads=1)
    return {peer: (training(session), session.notes)}


def jax_works(case: Case, data: Data, every: bool) -> Made:
    """Return work and notes of both JAX trainers, each in its fastest way.

    Raises:
        LookupError: when JAX is not installed.
    """
    if find_spec("jax") is None:
        raise LookupError("jax is not installed")
    from bench.promises.peers.jax_parts import ways
    from bench.promises.peers.jax_scan import JaxTrainer

    found = {}
    for name, host in ((JAX, False), (JAX_HOST, True)):
        works, notes = {}, {}
        for number, listed in enumerate(ways(case, every)):
            way = replace(listed, shuffle="NumPy's") if host else listed
            trainer = JaxTrainer(way, host)
            if host:  # verifying hands over an order, so it runs this program only
                verified(trainer, case)
            works[str(number)] = training(trainer.prepare(case, data, threads=1))
            notes[str(number)] = str(way)
        took = rounds(works, TRIALS)
        best = min(took, key=lambda key: statistics.median(took[key]))
        found[name] = works[best], notes[best]
    return found


def same_steps(label: str, case: Case, least: float, every: bool) -> list[Row]:
    """Measure the peers that take the same steps; `least` is the bound of JAX."""
    data = make_data(case)
    fused = verified(get_trainer("fused"), case).prepare(case, data, threads=1)
    works, notes = {"fused": training(fused)}, {}
    missing: dict[str, str] = {}

    def add(peers: tuple[str, ...], made: Callable[[], Made]) -> None:
        try:
            for peer, (work, note) in made().items():
                works[peer], notes[peer] = work, note
        except (LookupError, UnequalError) as error:
            missing.update(dict.fromkeys(peers, str(error)))

    add((JAX, JAX_HOST), lambda: jax_works(case, data, every))
    for peer, name in TORCH.items():
        add((peer,), partial(torch_works, peer, name, case, data))
    took = rounds(works)
    rows = []
    for peer in (JAX, JAX_HOST, *TORCH):
        bound = {JAX: least, JAX_HOST: 1.0}.get(peer)
        if peer in missing:
            rows.append(not_measured(label, peer, SAME_STEPS, missing[peer], bound))
            continue
        rows.append(
            row_of(
                label, peer, SAME_STEPS, took[peer], took["fused"], bound, notes[peer]
            )
        )
    return rows
