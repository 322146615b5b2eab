"""The simulated accelerator itself: a whole torch device that behaves as CUDA does."""

import pytest
import torch

FIRST, SECOND = "simulated:0", "simulated:1"


def backend():
    from simulated_accelerator import backend as loaded

    return loaded


def known_to_torch():
    current = torch.accelerator.current_accelerator(check_available=True)
    return [current.type, torch.accelerator.device_count(), hasattr(torch, "simulated")]


def test_torch_loads_it_by_itself_and_only_there(child):
    assert child.run(known_to_torch) == ["simulated", 2, True]
    assert not hasattr(torch, "simulated")


def trained_network(device):
    torch.manual_seed(0)
    X, y = torch.randn(40, 5), torch.arange(40) % 3
    net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.ReLU())
    net.append(torch.nn.Linear(7, 3)).to(device)
    optimizer = torch.optim.Adam(net.parameters(), foreach=True)
    for rows in torch.arange(40).split(16):
        logits = net(X[rows].to(device))
        loss = torch.nn.functional.cross_entropy(logits, y[rows].to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(p.device == torch.device(device) for p in net.parameters())
    return [loss.item(), *(p.tolist() for p in net.parameters())]


@pytest.mark.parametrize("device", [FIRST, SECOND])
def test_a_network_trains_to_the_cpus_bits(child, device):
    assert child.run(trained_network, device) == child.run(trained_network, "cpu")


def mixed(kind):
    functional = torch.nn.functional
    X, W, b = (torch.ones(n, 3, device=FIRST) for n in (2, 4, 1))
    y = torch.tensor([0, 2], device=FIRST)
    {
        "add": lambda: X + torch.ones(2, 3),
        "in place": lambda: X.add_(torch.ones(2, 3)),
        "linear": lambda: functional.linear(X.cpu(), W),
        "bias": lambda: functional.linear(X, W, torch.ones(4)),
        "loss": lambda: functional.cross_entropy(X, y.cpu()),
        "rows": lambda: torch.index_select(X, 0, y.cpu()),
        "out": lambda: torch.index_select(X, 0, y, out=torch.empty(2, 3)),
        "two devices": lambda: b + b.to(SECOND),
        "scalar": lambda: X + torch.tensor(1.0),
        "indices": lambda: X[torch.tensor([1, 0])],
    }[kind]()


@pytest.mark.parametrize(
    "kind", ["add", "in place", "linear", "bias", "loss", "rows", "out", "two devices"]
)
def test_operands_on_different_devices_are_refused(child, kind):
    with pytest.raises(AssertionError, match=r"RuntimeError.*same device"):
        child.run(mixed, kind)


@pytest.mark.parametrize("kind", ["scalar", "indices"])
def test_what_cuda_lets_pass_passes(child, kind):
    child.run(mixed, kind)


def queue(how):
    X = torch.ones(4, 3, device=FIRST)
    backend().start_anew(kernel_s=0.02, devices=2)
    X.add_(1)
    queued = backend().pending_s(FIRST) > 0
    {
        "synchronize": lambda: torch.accelerator.synchronize(0),
        "by name": lambda: torch.simulated.synchronize(FIRST),
        "item": X[0, 0].item,
        "to the host": X.cpu,
        "equal": lambda: torch.equal(X, X),
    }[how]()
    counted = backend().counters(FIRST)
    left_s = backend().pending_s(FIRST)
    return [queued, left_s, counted["synchronisations"], counted["device_to_host"]]


@pytest.mark.parametrize(
    ("how", "copies"),
    [
        ("synchronize", 0),
        ("by name", 0),
        ("item", 1),
        ("to the host", 1),
        ("equal", 1),
    ],
)
def test_work_is_queued_and_waited_for(child, how, copies):
    assert child.run(queue, how) == [True, 0.0, 1, copies]


def moved(pinned, non_blocking):
    X = torch.ones(1000)
    X = X.pin_memory() if pinned else X
    X.to(FIRST, non_blocking=non_blocking)
    counted = backend().counters(FIRST)
    names = "host_to_device", "host_to_device_bytes", "synchronisations", "busy_s"
    return [X.is_pinned(), *(counted[name] for name in names)]


@pytest.mark.parametrize(
    ("pinned", "non_blocking", "waits", "rate"),
    [(0, 0, 1, 1e6), (0, 1, 1, 1e6), (1, 0, 1, 4e6), (1, 1, 0, 4e6)],
)
def test_the_host_waits_for_a_copy_unless_pinned(
    child, pinned, non_blocking, waits, rate
):
    costs = {"transfer_s": 1e-3, "pageable_bytes_per_s": 1e6, "pinned_bytes_per_s": 4e6}
    found = child.run(moved, pinned, bool(non_blocking), **costs)
    assert found[:4] == [bool(pinned), 1, 4000, waits]
    assert found[4] == pytest.approx(1e-3 + 4000 / rate)


def out_of_memory():
    kept = torch.empty(500, dtype=torch.uint8, device=FIRST)
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        torch.empty(600, dtype=torch.uint8, device=FIRST)
    torch.empty(600, dtype=torch.uint8, device=SECOND)
    del kept
    torch.empty(600, dtype=torch.uint8, device=FIRST)
    return [
        torch.simulated.memory_allocated(FIRST),
        backend().counters(0)["peak_bytes"],
    ]


def test_memory_has_a_limit_and_returns(child):
    assert child.run(out_of_memory, memory_bytes=1000) == [0, 600]


def random_numbers():
    here = torch.Generator(FIRST).manual_seed(5)
    first = torch.randperm(20, generator=here, device=FIRST)
    second = torch.randperm(20, generator=here, device=FIRST)
    here.manual_seed(5)
    again = torch.randperm(20, generator=here, device=FIRST)
    return [first.tolist(), second.tolist(), again.tolist()]


def test_generators_are_seeded_and_go_on(child):
    first, second, again = child.run(random_numbers)
    assert sorted(first) == list(range(20))
    assert first == again != second


def throttled():
    X = torch.ones(4, device=FIRST)
    shares = []
    for _ in range(3):
        before = backend().counters(0)["busy_s"]
        X.add_(1)
        took_s = backend().counters(0)["busy_s"] - before
        shares.append([round(took_s, 6), torch.simulated.clock_rate(0) / 1000])
    return shares


def test_clocks_fall_after_a_while(child):
    found = child.run(throttled, kernel_s=1e-3, throttle_after_s=1e-9)
    assert found[-1] == [2e-3, 0.5]
    assert child.run(throttled, kernel_s=1e-3)[-1] == [1e-3, 1.0]


def spin_of_known_length():
    start, end = (torch.Event(FIRST, enable_timing=True) for _ in range(2))
    start.record()
    torch.simulated._sleep(3_000_000)  # of 1 GHz
    end.record()
    done_early = end.query()
    end.synchronize()
    return [start.elapsed_time(end), done_early]


def test_events_time_a_spin_of_known_length(child):
    took_ms, done_early = child.run(spin_of_known_length)
    assert took_ms >= 3
    assert not done_early


def launches_until_the_host_waits(count):
    X = torch.ones(4, device=FIRST)
    backend().start_anew(kernel_s=1e-3, queue_depth=8, devices=2)
    for _ in range(count):
        X.add_(1)
    return backend().pending_s(0)


def test_a_full_queue_keeps_the_host_waiting(child):
    """However many are launched, at most eight kernels of 1 ms are pending."""
    assert 1e-3 < child.run(launches_until_the_host_waits, 40) <= 8e-3


def product(out):
    a, b = torch.full((2, 3), 1 + 2.0**-12), torch.ones(3, 5)
    a, b = a.to(FIRST), b.to(FIRST)
    result = torch.zeros(2, 5, device=FIRST)
    backend().reset_counters(0)
    made = torch.mm(a, b, out=result) if out else torch.mm(a, b)
    return [backend().counters(0)["busy_s"], made[0, 0].item()]


def test_a_product_costs_its_multiply_adds(child):
    busy_s, value = child.run(product, False, multiply_adds_per_s=1000)
    assert (busy_s, value) == (pytest.approx(0.030), 3 * (1 + 2.0**-12))


def test_a_product_may_cost_time_without_being_computed(child):
    costs = {"multiply_adds_per_s": 1000, "skip_products": 1}
    assert child.run(product, True, **costs) == [pytest.approx(0.030), 0]


def test_products_may_round_their_operands_to_tf32(child):
    assert child.run(product, True, fault="tf32")[1] == 3


def clocks():
    X = torch.ones(4, device=FIRST)
    torch.simulated.synchronize(0)
    idle = torch.simulated.clock_rate(0)
    X.add_(1)
    return [idle, torch.simulated.clock_rate(0)]


def test_the_clock_of_an_idle_device_is_low(child):
    assert child.run(clocks, kernel_s=0.05, idle_share=0.25) == [250, 1000]


def recurrent():
    """Return an LSTM's results and gradients, here and there."""
    found = []
    for device in ("cpu", FIRST):
        torch.manual_seed(0)
        lstm = torch.nn.LSTM(5, 7, batch_first=True).to(device)
        states, (_, cells) = lstm(torch.randn(3, 4, 5).to(device))
        (states.square().sum() + cells.sum()).backward()
        gradients = [p.grad for p in lstm.parameters()]
        found.append(
            [
                t.cpu().flatten().tolist()
                for t in (states.detach(), cells.detach(), *gradients)
            ]
        )
    return found


def test_an_lstm_has_a_kernel_for_its_cell(child):
    """torch asks this kind of device for one, and no other kernel stands in for it."""
    here, there = child.run(recurrent)
    for mine, theirs in zip(here, there, strict=True):
        assert theirs == pytest.approx(mine, rel=1e-5, abs=1e-6)
