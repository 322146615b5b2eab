"""Every trainer that runs on any device, on the simulated one: equal work, all of it
on the device, no copy a step, no memory that grows."""

import gc
import time

import pytest
import torch

from softmax_core import TOLERANCE, Case, disagreement, get_trainer, make_data
from softmax_core.registry import TRAINERS

DEVICE = torch.device("simulated", 0) if hasattr(torch, "simulated") else None
CASE = Case(samples=130, features=50, batch_size=20, epochs=2, dispersion=(0.5, 2.0))
STEPS = CASE.steps_per_epoch
NAMES = sorted(name for name, entry in TRAINERS.items() if not entry.only_on)
IN_AN_EPOCH = {
    "resident": (0, 0, 0),
    "lesson": (0, 1, 1),  # the order is read once, to index row after row
    "manual": (STEPS, 1, 1 + STEPS),  # the lesson moves each batch's indices
}
"""Host to device, device to host, synchronisations."""


def backend():
    from simulated_accelerator import backend as loaded

    return loaded


def prepared(name):
    return get_trainer(name).prepare(CASE, make_data(CASE), DEVICE)


def counted(session, epochs):
    backend().reset_counters(0)
    session.train(epochs)
    return backend().counters(0)


def missing(name):
    return get_trainer(name).unavailable(DEVICE)


@pytest.fixture
def trainer(child, request):
    reason = child.run(missing, request.param)
    if reason:
        pytest.skip(f"{request.param}: {reason}")
    return request.param


each_trainer = pytest.mark.parametrize("trainer", NAMES, indirect=True)


def differing(name, dtype):
    case = Case(**{**vars(CASE), "dtype": dtype, "momentum": 0.5})
    return disagreement(get_trainer(name), case, DEVICE)


@each_trainer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_work_is_equal(child, trainer, dtype):
    assert child.run(differing, trainer, dtype) <= TOLERANCE[dtype]


def test_a_wrong_kernel_is_noticed(child):
    assert child.run(differing, "resident", "float32", fault="wrong") > 1e-3


def traffic(name):
    session = prepared(name)
    session.train(1)
    return counted(session, 1)


@each_trainer
def test_an_epoch_copies_no_features(child, trainer):
    found = child.run(traffic, trainer)
    names = "host_to_device", "device_to_host", "synchronisations"
    if trainer in IN_AN_EPOCH:
        assert tuple(found[name] for name in names) == IN_AN_EPOCH[trainer]
    if not get_trainer(trainer).streams:
        assert found["host_to_device_bytes"] <= 8 * CASE.samples  # the order alone
        assert found["device_to_host_bytes"] <= 8 * CASE.samples
    assert found["launches"] >= 5 * STEPS


def homes(name):
    session = prepared(name)
    session.train(1)
    held = vars(session).values()
    found = {"model": [], "data": []}
    for value in held:
        if isinstance(value, torch.nn.Module):
            found["model"] += [str(p.device) for p in value.parameters()]
            found["model"] += [str(p.grad.device) for p in value.parameters()]
        if hasattr(value, "X"):
            found["data"] += [str(value.X.device), str(value.y.device)]
    return found


def test_data_weights_and_gradients_are_on_the_device(child):
    found = child.run(homes, "resident")
    assert found == {"model": ["simulated:0"] * 4, "data": ["simulated:0"] * 2}


def live_bytes():
    """Live bytes, once autograd's own thread has let go of the last step."""
    found = []
    for _ in range(20):
        time.sleep(0.01)
        found.append(backend().counters(0)["live_bytes"])
    return min(found)


def memory(name):
    """Live bytes: before, while it lives after 2 and after 6 epochs, and afterwards."""
    data = make_data(CASE)
    gc.collect()
    start = live_bytes()
    session = prepared(name)
    found = []
    for epochs in (2, 4):
        session.train(epochs)
        found.append(live_bytes())
    del session
    gc.collect()
    return [start, *found, live_bytes(), data.nbytes]


@each_trainer
def test_memory_does_not_grow_and_returns(child, trainer):
    start, after_two, after_six, end, data = child.run(memory, trainer)
    assert after_six <= after_two
    assert end == start
    if not get_trainer(trainer).streams:
        assert after_two - start >= data


def launches(name):
    session = prepared(name)
    session.train(1)
    return [counted(session, epochs)["launches"] for epochs in (1, 3)]


@each_trainer
def test_every_epoch_launches_as_much(child, trainer):
    one, three = child.run(launches, trainer)
    assert three == 3 * one
