"""Choose how `fused` trains a case: by measuring, once for each kind of shape.

What is measured is a training of a few batches like the case's, of cut size, on random
data. Ways are compared by the CPU time of one thread, which other programs hardly
change, and kept on disk; numbers of threads by the clock on the wall, in each process.
"""

import functools
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.trainers.fused import kept
from softmax_core.trainers.fused.columns import BLOCK
from softmax_core.trainers.fused.sessions import WAYS, FusedSession
from softmax_core.training import Setup

CUT = {"features": 1024, "classes": 128, "batch_size": 128}
"""Largest sizes that are measured: beyond, the same way stays ahead."""
CUT_SHARED_CLASSES = 512
"""Most classes where threads are compared: more share their work in the same way."""
CUT_COLUMNS = 8192
"""Largest batch that is measured in columns."""
SHARED_EPOCHS = 5
"""Epochs of each training when threads are compared, as they start with each one."""
WORK, MOST_STEPS = 4e6, 64
"""Multiplications that a measured training has, about, and its most steps."""
MANY_FEATURES = 12
"""Below, rows take longer than columns where these fit: not measured."""
FEW_CLASSES = 12
"""Below, a product takes longer to call and to fill than rows take: not measured."""
SHARED_WORK = 5e4
"""Multiplications in a batch below which waiting for each other takes as long."""
SOFTMAX = 16
"""Multiplications that take as long as what softmax does with a score."""
TURNS, LONGEST_S = 7, 0.012
"""Trainings of each candidate, and the seconds after which no more are begun."""
SHARED_LONGEST_S = 0.05
"""The same when threads are compared, which other programs disturb more."""
GAIN = 0.9
"""Share of one thread's time that several must stay below to be chosen."""
WORSE = 1.3
"""They may never take longer than this in their middle turn."""

Clock = Callable[[], float]
Name = TypeVar("Name")


@dataclass(frozen=True)
class Choice:
    """How a case is trained; `reason` says what was measured, for the notes."""

    way: str
    threads: int = 1
    reason: str = ""


def choose(case: Case, most: int) -> Choice:
    """Return the fastest way to train a case on this machine.

    Args:
        case: its sizes, dtype and momentum matter.
        most: threads that are allowed.
    """
    like = _like(case)
    way, reason = _way(like)
    if most == 1:
        return Choice(way, 1, reason)
    like = _like(case, shared=True)
    if not _can_share(like, way):
        return Choice(way, 1, f" of {most}, as a batch is too small to share{reason}")
    threads, more = _threads(like, way, most)
    return Choice(way, threads, more + reason)


def _can_share(like: Case, way: str) -> bool:
    if way == "columns":
        return like.batch_size > BLOCK
    return like.batch_size * (like.features + SOFTMAX) * like.classes >= SHARED_WORK


def _like(case: Case, shared: bool = False) -> Case:
    """Return the case that is measured in the place of one, the same for its like.

    Threads meet a few times in each batch: if it is shared, it is cut only where it
    has more work than all that is measured.
    """
    is_small = WAYS["columns"].fits(case)
    features = min(case.features, CUT["features"])
    classes = min(case.classes, CUT_SHARED_CLASSES if shared else CUT["classes"])
    most = CUT_COLUMNS if is_small else CUT["batch_size"]
    if shared:
        most = max(most, round(WORK / (features * classes)))
    batch = min(case.batch_size, case.samples, most)
    steps = min(MOST_STEPS, math.ceil(WORK / (batch * features * classes)))
    samples = max(batch * (2 if is_small else steps), classes)
    return Case(
        samples, features, classes, batch, 1, 1e-6, 0.5 * (case.momentum > 0),
        dtype=case.dtype,
    )  # fmt: skip


def _candidates(case: Case) -> list[str]:
    if WAYS["columns"].fits(case):
        return ["columns"] + ["rows"] * (case.features >= MANY_FEATURES)
    many = case.classes >= FEW_CLASSES and WAYS["products"].fits(case)
    return ["rows", "products"] if many else ["rows"]


@functools.cache
def _way(like: Case) -> tuple[str, str]:
    """Return the fastest way on one thread, and what the others take."""
    candidates = _candidates(like)
    if len(candidates) == 1:
        return candidates[0], ""
    found = kept.read(like, candidates)
    if found is None:
        sessions = {way: _session(like, way, 1) for way in candidates}
        took = _turns(sessions, time.thread_time)
        found = {way: min(seconds) for way, seconds in took.items()}
        kept.write(like, found)
    best = min(found, key=found.__getitem__)
    others = (f"{way} {found[way] / found[best]:.2g}" for way in found if way != best)
    return best, f"; {', '.join(others)} x as long"


@functools.cache
def _threads(like: Case, way: str, most: int) -> tuple[int, str]:
    """Return how many threads train, one or `most`, and what was measured of them."""
    sessions = {count: _session(like, way, count) for count in (1, most)}
    took = _turns(sessions, time.perf_counter, SHARED_EPOCHS, SHARED_LONGEST_S)
    gain = min(took[most]) / min(took[1])
    middle = statistics.median(took[most]) / statistics.median(took[1])
    if gain <= GAIN and middle <= WORSE:
        return most, f" ({gain:.2g} x one's time)"
    return 1, f" of {most}, as {most} took {max(gain, middle):.2g} x its time"


def _session(like: Case, way: str, threads: int) -> FusedSession:
    draws = torch.Generator().manual_seed(like.seed)
    dtype = getattr(torch, like.dtype)
    X = torch.randn(like.samples, like.features, generator=draws, dtype=dtype)
    y = torch.randint(like.classes, (like.samples,), generator=draws)
    return WAYS[way](like, Data(X, y), Setup(torch.device("cpu")), threads)


def _turns(
    sessions: Mapping[Name, FusedSession],
    clock: Clock,
    epochs: int = 1,
    longest_s: float = LONGEST_S,
) -> dict[Name, list[float]]:
    """Return the seconds of each session's trainings; they take turns."""
    took: dict[Name, list[float]] = {name: [] for name in sessions}
    for session in sessions.values():
        session.train(1)  # loads what it needs
    begun = time.perf_counter()
    for turn in range(TURNS):
        if turn and time.perf_counter() - begun > longest_s:
            break
        for name, session in sessions.items():
            start = clock()
            session.train(epochs)
            took[name].append(clock() - start)
    return took
