"""One cell measured in this process, by a clock that only training moves."""

import gc

import pytest
import torch

from bench.measure import sampler as sampling
from bench.measure.clock import GarbagePause, timer_step_s
from bench.measure.sampler import Sampler, WrongResult
from softmax_core import Case, evaluate, get_trainer, make_data, reference_weights
from softmax_core.trainers._module import AnyDevice


class Clock:
    """Each reading costs 1 us, each epoch what the trainer is said to cost."""

    def __init__(self):
        self.time_s = 0.0

    def __call__(self):
        self.time_s += 1e-6
        return self.time_s


class Priced(AnyDevice):
    """The resident trainer, which moves the clock by a known price an epoch."""

    def __init__(self, clock, epoch_s, first_s=0.0):
        self.clock, self.epoch_s, self.first_s = clock, epoch_s, first_s

    def prepare(self, *args, **kwargs):
        session = get_trainer("resident").prepare(*args, **kwargs)
        train, case = session.train, args[0]

        def priced(epochs):
            train(epochs)
            self.clock.time_s += self.first_s + epochs * self.epoch_s
            self.first_s = 0.0

        session.train = priced
        session.case = case
        return session


def opened(monkeypatch, case, epoch_s, longest_s=1.0, first_s=0.0, trainer=None):
    clock = Clock()
    made = trainer or Priced(clock, epoch_s, first_s)
    monkeypatch.setattr(sampling, "find_trainer", lambda *_: made)
    cpu = torch.device("cpu")
    return Sampler(case, "x", cpu, 1, 0.5, longest_s, clock), clock


@pytest.mark.parametrize("epoch_s", [1e-4, 1e-3, 0.3])
def test_no_sample_is_below_the_floor_and_the_value_is_right(monkeypatch, epoch_s):
    measured, _ = opened(monkeypatch, Case(samples=4, epochs=2), epoch_s)
    sample_s = measured.sample()[0]
    assert sample_s >= sampling.FLOOR_S
    assert sample_s >= 1000 * 1e-6
    assert sample_s / measured.calls == pytest.approx(2 * epoch_s, rel=0.01)
    measured.close()


def test_long_jobs_are_cut_in_epochs_and_say_so(monkeypatch):
    case = Case(samples=30, epochs=1000)
    measured, _ = opened(monkeypatch, case, 0.1, longest_s=0.5)
    assert measured.opened.epochs_run in (4, 5)
    assert measured.opened.notes.startswith("extrapolated: ")
    assert "of 1000 epochs timed" in measured.opened.notes
    measured.close()


def test_setup_holds_the_context_and_what_only_the_first_call_cost(monkeypatch):
    measured, _ = opened(monkeypatch, Case(samples=30, epochs=1), 0.01, first_s=2.0)
    assert measured.opened.setup_s == pytest.approx(0.5 + 2.0, abs=1e-3)
    assert measured.opened.warmup_s[0] == pytest.approx(2.01, abs=1e-3)
    assert measured.sample()[0] == pytest.approx(0.01, abs=1e-3)
    measured.close()


def test_a_wrong_trainer_is_not_measured(monkeypatch):
    class Careless(AnyDevice):
        def prepare(self, *args, **kwargs):
            session = get_trainer("resident").prepare(*args, **kwargs)
            session.optimizer.param_groups[0]["lr"] *= 1.01
            return session

    with pytest.raises(WrongResult, match="weights differ from the reference's by"):
        opened(monkeypatch, Case(samples=30), 0.01, trainer=Careless())
    assert gc.isenabled()


def test_the_loss_is_that_of_the_references_batches_whatever_order_is_timed(
    monkeypatch,
):
    case = Case(samples=120, epochs=2)
    right = reference_weights(case, make_data(case))
    measured, _ = opened(monkeypatch, case, 0.01, trainer=get_trainer("fused"))
    timed = evaluate(*measured._session.weights(), measured._data)[0]
    expected = evaluate(*right, make_data(case))[0]
    assert measured.opened.loss == pytest.approx(expected, rel=1e-5)
    assert timed != pytest.approx(expected, rel=1e-5)
    assert measured.opened.notes == "columns, 1 thread"
    measured.close()


@pytest.mark.parametrize("streams", [False, True])
def test_the_data_of_a_trainer_that_streams_stay_where_they_are(monkeypatch, streams):
    trainer = Priced(Clock(), 0.01)
    trainer.streams = streams
    meta = torch.device("meta")
    seen = []

    class StoppedError(Exception):
        pass

    def prepare(case, data, device, *_):
        seen.append((data.X.device.type, device))
        raise StoppedError

    trainer.prepare = prepare
    monkeypatch.setattr(sampling, "find_trainer", lambda *_: trainer)
    monkeypatch.setattr(sampling, "reset_peak", lambda _: None)
    monkeypatch.setattr(sampling, "synchronize", lambda _: None)
    with pytest.raises(StoppedError):
        Sampler(Case(samples=30), "x", meta, 1, 0.5, 1.0)
    assert seen == [("cpu" if streams else "meta", meta)]


def test_every_sample_starts_from_the_initial_weights(monkeypatch):
    measured, _ = opened(monkeypatch, Case(samples=30, epochs=1), 0.01)
    measured.calls = 1
    measured.sample()[0]
    first = measured._session.weights()[0]
    measured.sample()[0]
    assert torch.equal(first, measured._session.weights()[0])
    measured.close()


def test_garbage_is_collected_between_samples_only():
    pause = GarbagePause()
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 1000
    pause.end()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_timers_step_is_the_smallest_difference_of_two_readings():
    readings = iter(i // 3 * 0.25 for i in range(1000))
    assert timer_step_s(lambda: next(readings)) == 0.25
