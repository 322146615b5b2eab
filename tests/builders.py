"""Machines, rounds, runs and workers for tests: only what a test is about is given."""

import dataclasses
import time
from functools import partial

from law import OPENED, batch_s

from crossover import pipeline
from crossover.contender import Contender
from crossover.measure.environment import Environment
from crossover.measure.pipe import Close, Closed, Open, Opened, Sampled
from crossover.measure.process import Workers
from crossover.nouns import SCHEMA, Cell, Machine, Measurement, Run
from crossover.record import run_folder
from crossover.spec.spec import Spec, parse_spec

MACHINE = Machine("host", "a CPU", 2, None, 8 << 30, 0.0, (), {}, {}, {}, "f")


def make_machine(**changes):
    """Return a machine of two cores and no accelerator, but for the changes."""
    return dataclasses.replace(MACHINE, **changes)


def make_round(case, contender, number=0, seconds=None, **fields):
    """Return a round of a cell, with one sample where its seconds are given."""
    who = contender if isinstance(contender, Contender) else Contender.parse(contender)
    samples = {} if seconds is None else {"samples_s": (float(seconds),)}
    known = {"run_id": "r", "status": "ok", **samples, **fields}
    return Measurement(
        Cell(case, who).id, round=number, case=case, contender=who, **known
    )


def make_rounds(cases, contenders, law, rounds=8):
    """Return rounds of each cell: what the law says of it, case by case.

    `law(case, contender, number)` gives seconds, or the fields of a measurement, or
    None for a round that was not measured.
    """
    who = [Contender.parse(c) if isinstance(c, str) else c for c in contenders]
    said = (
        (case, contender, number, law(case, contender, number))
        for case in cases
        for contender in who
        for number in range(rounds)
    )
    return [
        make_round(*cell, **found)
        if isinstance(found, dict)
        else make_round(*cell, seconds=found)
        for *cell, found in said
        if found is not None
    ]


def cases_of(spec):
    """Return the cases of all sweeps, each once."""
    return dict.fromkeys(case for s in spec.sweep for case in s.cases().values())


def make_run(spec, rows=(), name="r", **changes):
    """Return a run of a spec, or of a spec's fields, with its rounds."""
    spec = spec if isinstance(spec, Spec) else parse_spec(spec, "test")
    whole = Run(name, SCHEMA, spec, None, "x", MACHINE, tuple(rows))
    return dataclasses.replace(whole, **changes)


def carried_out(spec, out, worker, **changes):
    """Carry out a new run in a folder, with a worker made for each contender."""
    begun = make_run(spec, **changes)
    run_folder.create(out, begun)
    return carried_on(begun, out, worker)


def carried_on(run, out, worker):
    """Go on with a run in its folder, with a worker made for each contender."""
    workers = Timed(worker)
    return pipeline.carry_out(
        run.spec, run, out, workers, environment=workers.surroundings()
    )


def timed_workers(monkeypatch, worker):
    """Return workers for a run that is not kept, which goes by their clock."""
    workers = Timed(worker)
    by_theirs = partial(pipeline.carry_out, environment=workers.surroundings())
    monkeypatch.setattr(pipeline, "carry_out", by_theirs)
    return workers


class Timed(Workers):
    """Workers whose samples take the time that they tell, by a clock of their own."""

    def __init__(self, start):
        super().__init__(start=start)
        self.sampled_s = 0.0

    def surroundings(self):
        return Environment(clock_s=lambda: time.monotonic() + self.sampled_s)

    def ask(self, contender, request, timeout_s):
        reply = super().ask(contender, request, timeout_s)
        if isinstance(reply, Sampled):
            self.sampled_s += reply.sample_s + sum(reply.latency)
        return reply


def opened(**fields):
    """Return the reply to a cell that is open; what is not given is as usual."""
    return Opened(**OPENED | fields)


def sampled(took_s, **fields):
    return Sampled(sample_s=took_s, transfer_s=0.0, **fields)


class FakeWorker:
    """A worker without a process that answers at once, by the law of batches.

    Who inherits changes one of the answers. `cell` is the request that opened the
    cell; `number` counts the requests.
    """

    crossing = 1000
    jitter = 0.005
    """Samples differ by up to this share, the same in each run."""

    def __init__(self, contender=None):
        self.contender, self.number = contender, 0

    def ask(self, request, timeout_s):
        self.number += 1
        match request:
            case Open():
                self.cell = request
                return self.opened(request)
            case Close():
                return Closed()
        return self.sampled(request)

    def opened(self, request):
        return opened(threads=request.threads)

    def took_s(self):
        """Return the seconds of a sample."""
        return (
            batch_s(self.cell.case["batch_size"], self.cell.threads, self.crossing)
            * self.jittered()
        )

    def jittered(self):
        """Return this request's factor."""
        threads = self.cell.threads or 0
        return 1 + self.jitter * ((7 * self.number + threads) % 11 - 5) / 5

    def sampled(self, request):
        return sampled(self.took_s())

    def stop(self):
        """Nothing is left to end."""
