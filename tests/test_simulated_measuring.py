"""What is measured on the simulated accelerator: all of the work, and nothing else."""

import gc
import time
from dataclasses import asdict

import pytest
import torch

from crossover.measure.clock import measured_s
from crossover.measure.pipe import Close, Open, Sample
from crossover.measure.sampler import Sampler
from crossover.measure.worker import Worker
from crossover.proof.label import NotAsLabelled, prove_device
from crossover.workloads.softmax import SOFTMAX
from softmax_core import Case, get_trainer, make_data

DEVICE = torch.device("simulated", 0) if hasattr(torch, "simulated") else None
CASE = Case(samples=60, features=20, batch_size=20, epochs=2, dispersion=(0.5, 2.0))


def backend():
    from simulated_accelerator import backend as loaded

    return loaded


def opened(case=CASE, longest_s=0.2):
    mine = SOFTMAX.case(**asdict(case))
    return Sampler(mine, "resident", DEVICE, 1, 0.0, longest_s)


def readings():
    """Seconds of queued work at each reading of the clock, with work queued before."""
    session = get_trainer("resident").prepare(CASE, make_data(CASE), DEVICE)
    left_s = []

    def now():
        left_s.append(backend().pending_s(0))
        return time.perf_counter()

    backend().start_anew(kernel_s=5e-3, devices=2)
    session.train(1)
    measured_s(lambda: session.train(1), session.synchronize, now)
    return [left_s, backend().counters(0)["synchronisations"]]


def test_the_clock_is_read_only_when_the_queue_is_empty(child):
    assert child.run(readings) == [[0.0, 0.0], 2]


def sample():
    sampler = opened()
    sampler.ready()
    backend().start_anew(kernel_s=1e-3, transfer_s=1e-3, devices=2)
    sampler.ready = lambda: None  # it is
    took_s, *_ = sampler.sample()
    trained = backend().counters(0)
    backend().reset_counters(0)
    move_s = sampler.transfer_s()
    moved = backend().counters(0)
    sampler.close()
    return [took_s, trained, move_s, moved, sampler.calls]


def test_a_sample_is_the_work_and_no_copy(child):
    took_s, trained, move_s, moved, calls = child.run(sample)
    assert took_s >= trained["busy_s"] == pytest.approx(1e-3 * trained["launches"])
    assert trained["launches"] >= 60 * calls
    assert trained["synchronisations"] == 2
    assert trained["host_to_device"] == trained["device_to_host"] == 0
    assert moved["launches"] == 0
    assert moved["host_to_device"] == 2
    assert moved["host_to_device_bytes"] == make_data(CASE).nbytes
    assert move_s >= moved["busy_s"] == pytest.approx(2e-3)


def cold(first_launch_s):
    """The first launch of each operator, `first_launch_s`, is in the set-up alone."""
    case = Case(samples=64, features=3, batch_size=32, epochs=40)
    sampler = opened(case, longest_s=first_launch_s / 3)
    sampler.close()
    return sampler.opened.model_dump()


def test_the_first_call_is_set_up_and_not_a_sample(child):
    """Some 15 operators are loaded, and a sample may last a third of one loading."""
    first_s = 0.3
    found = child.run(cold, first_s, first_launch_s=first_s)
    assert found["warmup_s"][0] >= 5 * first_s
    assert found["setup_s"] >= 5 * first_s
    assert len(found["warmup_s"]) >= 5
    assert max(found["warmup_s"][1:]) < first_s
    assert found["epochs_run"] > 1


def request(samples=60, **fields):
    case = asdict(CASE) | {"samples": samples} | fields
    return Open(
        workload="softmax", case=case, device="simulated:0", trainer="resident",
        threads=1, longest_s=0.2,
    )  # fmt: skip


def context(first_use_s):
    """Open a cell on a device that this process has not yet used."""
    Worker().answer(request())  # Python has loaded what it needs
    backend().start_anew(first_use_s=first_use_s)
    worker = Worker()
    found = worker.answer(request())
    worker.answer(Close())
    return found.model_dump()


def test_the_context_is_set_up(child):
    """The device's own start: paid by a fresh process, and by no sample."""
    found = child.run(context, 1.5)
    assert found["setup_s"] >= 1.5
    assert sum(found["warmup_s"]) < 1.5


def cells():
    """Live bytes before and after cells, one of which does not fit."""
    worker = Worker()
    worker.answer(request(30))
    worker.answer(Close())
    gc.collect()
    live, statuses = [backend().counters(0)["live_bytes"]], []
    for samples in (60, 300_000, 90):
        try:
            statuses.append(worker.answer(request(samples)).status)
            worker.answer(Sample())
            worker.answer(Close())
        except torch.OutOfMemoryError:
            statuses.append("oom")
        gc.collect()
        live.append(backend().counters(0)["live_bytes"])
    return [live, statuses]


def test_memory_returns_after_each_cell(child):
    live, statuses = child.run(cells, memory_bytes=2**20)
    assert statuses == ["ok", "oom", "ok"]
    assert live == [0, 0, 0, 0]


def clocks(rounds):
    worker = Worker()
    worker.answer(request())
    replies = [worker.answer(Sample(round=n)) for n in rounds]
    left_s = backend().pending_s(0)
    worker.answer(Close())
    return [left_s, *(reply.clock_share for reply in replies)]


def test_throttled_clocks_are_recorded(child):
    busy = {"kernel_s": 1e-3, "idle_share": 0.2}
    assert child.run(clocks, [0, 0, 1], **busy) == [0, 1.0, 1.0, 1.0]
    throttled = {"throttle_after_s": 1e-6}
    assert child.run(clocks, [0, 0, 1], **busy, **throttled) == [0, 0.5, 0.5, 0.5]


def launches_of_samples(rounds):
    worker = Worker()
    worker.answer(request())
    found = []
    for number in rounds:
        backend().reset_counters(0)
        worker.answer(Sample(round=number))
        found.append(backend().counters(0)["launches"])
    worker.answer(Close())
    return found


def test_the_clock_costs_one_epoch_a_round(child):
    first, second, third = child.run(launches_of_samples, [0, 0, 1])
    assert first == third > second


def held():
    said = []
    try:
        prove_device(DEVICE)
    except NotAsLabelled as error:
        said.append(str(error))
    kept = torch.ones(9, device=DEVICE)
    prove_device(DEVICE)
    return [*said, len(kept)]


def test_a_device_that_holds_nothing_was_not_used(child):
    assert child.run(held) == ["simulated:0 was not used: it held no data", 9]
