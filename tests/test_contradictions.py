"""A worker whose replies contradict themselves is asked again, then ends its cell."""

import itertools

import pytest
from builders import FakeWorker, Timed, make_run, opened

from crossover import pipeline
from crossover.attempts import MOST_ATTEMPTS
from crossover.measure.environment import Environment
from crossover.measure.process import Workers
from crossover.record import run_folder

LIE_S = 1000.0
PAIR = ["cpu/resident@1", "cpu/resident@2"]
SPEC = {
    "name": "x", "rounds": 8, "grid": True, "control": False, "contenders": PAIR,
    "pairs": [PAIR], "sweep": [{"axis": "batch_size", "values": [10, 1000]}],
}  # fmt: skip


class Liar(FakeWorker):
    """Tells the truth, but for the second contender, for a number of times."""

    lies = itertools.count()

    def __init__(self, contender=None, times=10**9):
        super().__init__(contender)
        self.left = times

    def is_lying(self):
        return self.contender.threads == 2 and next(self.lies) < self.left


class Epochs(Liar):
    """Says that 50 epochs were timed, of one."""

    def opened(self, request):
        is_lying = self.is_lying()
        return opened(threads=request.threads, epochs_run=50 if is_lying else 1)


class Seconds(Liar):
    """Says that each sample took a thousand seconds, while none passed."""

    def sampled(self, request):
        reply = super().sampled(request)
        if not self.is_lying():
            return reply
        return reply.model_copy(update={"sample_s": LIE_S})


class Honest(Timed):
    """Workers whose clock goes on by what is true of their samples."""

    def ask(self, contender, request, timeout_s):
        reply = Workers.ask(self, contender, request, timeout_s)
        took_s = getattr(reply, "sample_s", 0.0)
        self.sampled_s += took_s if took_s < LIE_S else 0.0
        return reply


def carried_out(out, worker, times=10**9):
    """Return the rows of a run with a liar, and what it says to the user."""
    run = make_run(SPEC)
    run_folder.create(out, run)
    worker.lies = itertools.count()
    workers, said = Honest(lambda c: worker(c, times)), []
    clock = workers.surroundings().clock_s
    around = Environment(clock_s=clock, say=said.append)
    whole = pipeline.carry_out(run.spec, run, out, workers, environment=around)
    assert run_folder.load(out).measurements == whole.measurements  # it can be read
    return whole.measurements, said


@pytest.mark.parametrize(
    ("worker", "says"),
    [
        (Epochs, "epochs_run = 50: must be 1 to 1, as its case says"),
        (Seconds, "must fit, with its round's others, in the"),
    ],
)
def test_who_contradicts_itself_is_asked_again_then_fails(tmp_path, worker, says):
    rows, said = carried_out(tmp_path / "run", worker)
    assert len(said) == 2 * (MOST_ATTEMPTS - 1)  # at each of two sizes
    for line in said:
        assert line.startswith("cpu/resident@2 contradicts itself (")
        assert says in line
        assert line.endswith("): round measured again")
    lied = [m for m in rows if m.contender.threads == 2]
    assert [(m.status, m.samples_s) for m in lied] == [("failed", ())] * 2
    for m in lied:
        assert says in m.notes
        assert m.notes.endswith(f"in {MOST_ATTEMPTS} attempts at a round")
    other = [m for m in rows if m.contender.threads == 1]
    assert {m.status for m in other} == {"ok"}


@pytest.mark.parametrize("worker", [Epochs, Seconds])
def test_one_lie_costs_a_round_and_no_number(tmp_path, worker):
    rows, said = carried_out(tmp_path / "run", worker, times=1)
    assert len(said) == 1
    assert {m.status for m in rows} == {"ok"}
    assert len(rows) == 2 * 2 * 8
    assert {m.epochs_run for m in rows} == {1}
    assert max(max(m.samples_s) for m in rows) < 100


class Calls(FakeWorker):
    """Trains more often in a sample, whenever it is opened again in a block."""

    opens = itertools.count(1)

    def opened(self, request):
        return opened(threads=request.threads, calls_per_sample=next(self.opens))


def test_other_calls_within_a_block_are_calibrated_anew(tmp_path):
    """The run goes on in a block; what opens again says the same set-up."""
    run = make_run(SPEC)
    run_folder.create(tmp_path / "run", run)
    workers = Timed(Calls)
    around = workers.surroundings()
    whole = pipeline.carry_out(
        run.spec, run, tmp_path / "run", workers, environment=around
    )
    cut = make_run(SPEC, whole.measurements[:6])
    run_folder.put(tmp_path / "cut", cut)
    workers, said = Timed(Calls), []
    around = Environment(clock_s=workers.surroundings().clock_s, say=said.append)
    again = pipeline.carry_out(
        cut.spec, cut, tmp_path / "cut", workers, environment=around
    )
    assert "calls_per_sample = " in said[0]
    assert "as in the rounds before of its block" in said[0]
    assert {m.status for m in again.measurements} == {"ok"}
    for cell in {m.cell_id for m in again.measurements}:
        rows = [m for m in again.measurements if m.cell_id == cell]
        for one, other in itertools.pairwise(rows):
            is_alike = one.calls_per_sample == other.calls_per_sample
            assert is_alike or other.warmup_s  # its cell was opened for this round
    assert run_folder.load(tmp_path / "cut").measurements == again.measurements
