"""Predictions against the simulated accelerator, whose truth is known."""

import pytest

from crossover.predict.model import Counts, Predicted, predicted_crossover, predicted_s
from crossover.predict.sheet import Sheet
from softmax_core import Case
from softmax_core.work import count_work

WITHIN = 0.15
COSTS = {
    "launches": {"launch_s": 1e-3},
    "kernels": {"kernel_s": 2e-3},
    "bytes": {"kernel_s": 1e-4, "bytes_per_s": 2e9},
}
SHAPES = [(1024, 64, 2, 3), (1024, 1024, 2, 3), (1000, 300, 784, 10)]
"""Samples, batch, features, classes."""


def spent(samples, batch, features, classes, trainer):
    """Train an epoch; return its launches and the seconds the device was busy."""
    import torch
    from simulated_accelerator import backend

    from softmax_core import Case, get_trainer, make_data

    case = Case(samples, features, classes, batch, dispersion=(0.5, 2.0))
    device = torch.device("simulated", 0)
    session = get_trainer(trainer).prepare(case, make_data(case), device)
    session.train(1)
    session.synchronize()
    backend.reset_counters(0)
    session.train(1)
    session.synchronize()
    counters = backend.counters(0)
    return counters["launches"], counters["busy_s"]


def sheet(launch_s=1e-12, kernel_s=1e-12, bytes_per_s=1e18):
    """Return a sheet that states the simulated device's costs."""
    return Sheet(
        name="simulated",
        source="its settings",
        memory_bytes=1e12,
        memory_bytes_per_s=bytes_per_s,
        operations_per_s={"float32": 1e18, "float64": 1e18},
        bus_bytes_per_s=1e18,
        bus_latency_s=1e-12,
        launch_s=(launch_s, launch_s),
        kernel_s=(kernel_s, kernel_s),
        reached=(1.0, 1.0),
    )


def true_s(child, shape, costs, trainer="resident"):
    """Return what an epoch takes: the longer of the host's launches and the device."""
    launches, busy_s = child.run(spent, *shape, trainer, **costs)
    return max(launches * costs.get("launch_s", 0.0), busy_s)


def predicted(shape, costs, trainer="resident"):
    samples, batch, features, classes = shape
    case = Case(samples, features, classes, batch, epochs=1)
    counts = Counts(*count_work(trainer, case).of(case))
    return predicted_s(sheet(**costs), counts, "train")


@pytest.mark.parametrize(
    ("costs", "shape"),
    [("launches", 0), ("kernels", 1), ("bytes", 1), ("bytes", 2)],
)
def test_predicted_times_are_within_15_percent(child, shape, costs):
    costs, shape = COSTS[costs], SHAPES[shape]
    truth = true_s(child, shape, costs)
    assert predicted(shape, costs).middle == pytest.approx(truth, rel=WITHIN)


@pytest.mark.parametrize("trainer", ["lesson", "manual"])
def test_other_trainers_too(child, trainer):
    truth = true_s(child, SHAPES[1], COSTS["kernels"], trainer)
    got = predicted(SHAPES[1], COSTS["kernels"], trainer)
    assert got.middle == pytest.approx(truth, rel=WITHIN)


def test_the_predicted_crossover_is_the_true_one(child):
    sizes, samples, costs = (16, 64, 256, 1024), 1024, COSTS["launches"]
    shapes = [(samples, size, 2, 3) for size in sizes]
    device = [predicted(shape, costs) for shape in shapes]
    truth = [true_s(child, shape, costs) for shape in shapes]
    baseline = [Predicted(0.3, 0.3, 0.3)] * len(sizes)

    def crossing(times):
        return predicted_crossover(sizes, baseline, times).at

    expected = crossing([Predicted(t, t, t) for t in truth])
    assert sizes[0] < expected < sizes[-1]
    assert crossing(device) == pytest.approx(expected, rel=WITHIN)
