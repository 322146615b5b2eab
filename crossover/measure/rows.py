"""Turn the workers' replies into the rows of a round; find losses that are wrong, and
what was disturbed: rounds, samples that are too short, set-ups.

`Attempts` calls it after it has asked all contenders.
"""

import dataclasses
import math
import statistics
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from crossover.contender import Contender
from crossover.measure.pipe import Ended, Opened, Sampled
from crossover.nouns import Measurement, by_device
from crossover.spec.spec import Spec
from crossover.system.waits import STEAL_STEP_S

LOSS_RTOL, LOSS_ATOL = 0.02, 1e-3
"""How far contenders' losses may lie apart: a share of the loss, plus a constant."""
NOT_RECORDED = {
    "was_stopped", "floor_s", "setup_idle_s", "warmup_s", "peak_bytes", "flags",
}  # fmt: skip
"""What a reply to opening a cell holds and a row does not, or not as it is."""
Taken = tuple[int, Sampled]
"""A sample's place in its round, from 0, and the sample."""


def measured(
    row: Measurement, opened: Opened, taken: Sequence[Taken], first: bool
) -> Measurement:
    """Return a row with the facts from opening its cell, and with its samples.

    Args:
        row: the row without samples.
        opened: the reply to opening its cell.
        taken: the samples of the round.
        first: whether the round is the first, whose row keeps the warm-up.
    """
    replies = [reply for _, reply in taken]
    waited_s = _all_or_none([reply.waited_s for reply in replies])
    return dataclasses.replace(
        row,
        **opened.model_dump(exclude=NOT_RECORDED),
        positions=tuple(position for position, _ in taken),
        samples_s=tuple(reply.sample_s for reply in replies),
        samples_j=_all_or_none([reply.sample_j for reply in replies]),
        transfer_s=replies[-1].transfer_s,
        clock_share=replies[-1].clock_share,
        waited_s=sum(waited_s) if waited_s else None,
        warmup_s=opened.warmup_s if first else (),
        peak_bytes=by_device(row.contender.device, opened.peak_bytes),
        latency=tuple(call_s for reply in replies for call_s in reply.latency),
        flags=(*row.flags, *opened.flags),
    )


def _all_or_none(values: Sequence[float | None]) -> tuple[float, ...]:
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else ()


def with_stolen(row: Measurement, stolen_s: float, round_s: float) -> Measurement:
    """Return a row whose waiting holds what other virtual machines took of its cores.

    Args:
        row: the row of a round.
        stolen_s: what they took in the whole round. It is known in steps: of what one
            step tells, nothing needs to be of this round.
        round_s: how long the round lasted.
    """
    stolen_s -= STEAL_STEP_S
    if row.waited_s is None or stolen_s <= 0 or round_s <= 0:
        return row
    its_s = stolen_s * min(1.0, sum(row.samples_s) / round_s)
    return dataclasses.replace(row, waited_s=row.waited_s + its_s)


WAITED_MORE = 0.1
"""A round is disturbed if a contender waited for a core longer than usual by this share
of its samples' time, and more than twice as long as usual."""
MOST_DISTURBED = 2
"""Most attempts at one round that may end as disturbed; the next one counts."""
FREE_DISTURBED_S, DISTURBED_SHARE = 5.0, 0.25
"""Longest that disturbed attempts may take in a run: some seconds, and a share of what
the rounds that count took. One round of waiting threads can take a minute."""
REMEMBERED = 100
"""Number of latest rounds of a contender whose median is its usual wait."""


class Waits:
    """How long each contender usually waits for a core, in its latest rounds."""

    def __init__(self, rows: Iterable[Measurement] = ()) -> None:
        self._seen: dict[Contender, deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )
        self._counted_s = self._disturbed_s = 0.0
        self._add([m for m in rows if not m.discarded])

    def _add(self, rows: Iterable[Measurement]) -> None:
        for m in rows:
            if (waited := _waited(m)) is not None:
                self._seen[m.contender].append(waited)

    def _more(self, m: Measurement) -> float:
        """Return how much longer than usual a row waited; 0 if unknown or a little."""
        seen, waited = self._seen[m.contender], _waited(m) or 0.0
        usual = statistics.median(seen) if seen else 0.0
        return waited - usual if waited > 2 * usual else 0.0

    def disturbed(self, rows: Sequence[Measurement], attempts: int) -> str:
        """Say who waited so much in a round that it must be measured again, or "".

        Args:
            rows: the rows of the round.
            attempts: how many attempts at it were disturbed already.
        """
        more = [self._more(m) for m in rows]
        worst = max(more, default=0.0)
        round_s = sum(sum(m.samples_s) for m in rows)
        most_s = FREE_DISTURBED_S + DISTURBED_SHARE * self._counted_s
        has_time = self._disturbed_s + round_s <= most_s
        may_repeat = attempts < MOST_DISTURBED and has_time
        if worst <= WAITED_MORE or not may_repeat:
            self._counted_s += round_s
            self._add(rows)
            return ""
        self._disturbed_s += round_s
        m = rows[more.index(worst)]
        return (
            f"{m.contender} waited {m.waited_s or 0:.3g} s for a core in samples of "
            f"{sum(m.samples_s):.3g} s"
        )


def _waited(m: Measurement) -> float | None:
    """Return the seconds that a row waited in a second of its samples."""
    if m.waited_share is None:  # of ranks it tells nothing
        return None
    assert m.waited_s is not None
    return m.waited_s / sum(m.samples_s)


def too_short(
    rows: Iterable[Measurement], opened: dict[Contender, Opened]
) -> dict[Contender, str]:
    """Say whose samples are too short for the clock, as calibration was disturbed."""
    return {
        m.contender: f"a sample of {m.contender} took {least_s * 1e3:.3g} ms, less "
        f"than {floor_s * 1e3:.3g} ms"
        for m in rows
        if (least_s := min(m.samples_s)) < (floor_s := opened[m.contender].floor_s)
    }


SETUP_SPREAD, SETUP_SPREAD_S = 0.2, 0.05
"""A set-up is disturbed if for this share of it, and for these seconds, its process did
not run."""
SETUP_OUTLIER = 2.0
"""It is, too, if it took longer by this factor than any of the contender's before."""


class Setups:
    """The set-ups of each contender so far, to find one that proves nothing."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._seconds: dict[Contender, list[float]] = defaultdict(list)

    def is_doubtful(self, contender: Contender, opened: Opened) -> bool:
        """Tell whether a set-up was disturbed, or is the only one of its contender.

        Where it is None, as in a process that others have used, nothing is set up.
        """
        setup_s, before = opened.setup_s, self._seconds[contender]
        if setup_s is None:
            return False
        spread_s = max(SETUP_SPREAD_S, SETUP_SPREAD * setup_s)
        most_s = max(SETUP_SPREAD_S, SETUP_OUTLIER * max(before, default=math.inf))
        is_disturbed = opened.setup_idle_s > spread_s or setup_s > most_s
        is_alone = not before and self._has_one_cell(contender)
        before.append(setup_s)
        return is_disturbed or is_alone

    def shorter(self, contender: Contender, again: Opened) -> float:
        """Return the shorter one of the last set-up and that of a second process."""
        assert again.setup_s is not None
        known = self._seconds[contender]
        known[-1] = min(known[-1], again.setup_s)
        return known[-1]

    def _has_one_cell(self, contender: Contender) -> bool:
        asked = [
            s for s in self._spec.sweep if contender in self._spec.contenders_of(s)
        ]
        return len({case for sweep in asked for case in sweep.cases().values()}) == 1


def disagreeing(opened: dict[Contender, Opened]) -> dict[Contender, Ended]:
    """Return the contenders whose loss differs from the others' after equal epochs."""
    found = {}
    losses: dict[int, dict[Contender, float]] = {}
    for contender, reply in opened.items():
        if reply.loss is not None:
            losses.setdefault(reply.epochs_run, {})[contender] = reply.loss
    for alike in losses.values():
        usual = statistics.median_low(alike.values())
        for contender, loss in alike.items():
            if abs(loss - usual) <= LOSS_RTOL * abs(usual) + LOSS_ATOL:
                continue
            notes = (
                f"loss {loss:.6g} where the others end at {usual:.6g}: wrong, "
                "or a learning rate at which training is not stable"
            )
            found[contender] = Ended(status="failed", notes=notes, loss=loss)
    return found
