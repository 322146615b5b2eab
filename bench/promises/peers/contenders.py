"""The peers that take the same steps: verified, then measured beside `fused`."""

import statistics
from collections.abc import Callable
from dataclasses import replace
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


def torch_work(name: str, case: Case, data: Data) -> tuple[Work, str]:
    """Return a trainer of the registry, ready.

    Raises:
        LookupError: saying why it cannot be measured.
    """
    if name not in TRAINERS:
        raise LookupError(f"no trainer is called {name}")
    trainer = get_trainer(name)
    reason = trainer.unavailable(CPU)
    if reason is not None:
        raise LookupError(reason)
    session = verified(trainer, case).prepare(case, data, threads=1)
    return training(session), session.notes


def jax_works(case: Case, data: Data, every: bool) -> dict[str, tuple[Work, str]]:
    """Return both of JAX's trainers in the fastest of their ways.

    Raises:
        LookupError: where JAX is not installed.
    """
    if find_spec("jax") is None:
        raise LookupError("jax is not installed")
    from bench.promises.peers.jax_parts import ways  # noqa: PLC0415
    from bench.promises.peers.jax_scan import JaxTrainer  # noqa: PLC0415

    found = {}
    for name, host in ((JAX, False), (JAX_HOST, True)):
        works, notes = {}, {}
        for number, listed in enumerate(ways(case, every)):
            way = replace(listed, shuffle="NumPy's") if host else listed
            trainer = JaxTrainer(way, host)
            if host:  # Whose program is the one that is given an order in both.
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

    def add(peers: tuple[str, ...], made: Callable[[], dict]) -> None:
        try:
            for peer, (work, note) in made().items():
                works[peer], notes[peer] = work, note
        except (LookupError, UnequalError) as error:
            missing.update(dict.fromkeys(peers, str(error)))

    add((JAX, JAX_HOST), lambda: jax_works(case, data, every))
    for peer, name in TORCH.items():
        add((peer,), lambda p=peer, n=name: {p: torch_work(n, case, data)})
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
