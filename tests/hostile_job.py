"""Steps that strangers write; each function is one implementation of the same job."""

import os
import subprocess
import sys
import time

import torch


def fine(device, n=64):
    a = torch.ones(n, n)

    def step():
        return (a @ a).sum()

    return step


def leaves_work_queued(device, n=64):
    a = torch.ones(n, n)
    return lambda: torch.sum(a @ a)


def returns_a_tensor_there(device, n=64):
    a = torch.ones(n, n, device=device)
    return lambda: torch.sum(a @ a)


def raises(device, n=64):
    fine(device, n)

    def step():
        raise ValueError("not\nat all")

    return step


def raises_at_large(device, n=64):
    if n > 100:
        raise RuntimeError("too large")
    return fine(device, n)


def prints(device, n=64):
    step = fine(device, n)

    def loud():
        print("hello " * 10, flush=True)
        print('{"status": "ok"}', file=sys.stderr)
        return step()

    return loud


def hangs(device, n=64):
    return lambda: time.sleep(1000)


def leaves(device, n=64):
    return lambda: os._exit(7)


def exits(device, n=64):
    return lambda: sys.exit(7)


def forks(device, n=64):
    step, started = fine(device, n), []

    def forking():
        if not started:
            started.append(subprocess.Popen([sys.executable, "-c", "import time\n"
                                             "time.sleep(600)"]))  # fmt: skip
        return step()

    return forking


def changes_threads(device, n=64):
    torch.set_num_threads(3)
    return fine(device, n)


def other_work(device, n=64):
    a = torch.full((n, n), 1.1)
    return lambda: torch.sum(a @ a)


def other_shape(device, n=64):
    a = torch.ones(n, n)
    return lambda: torch.sum(a @ a, 0)


def spends_memory(device, n=64):
    kept = []

    def step():
        kept.append(bytearray(2**62))
        return 1.0

    return step


def uses_globals(device, n=64):
    return fine.__globals__["fine"](device, n)


def random_there(device, n=64):
    a = torch.ones(n, n) + 0.0 * torch.rand(n, n)
    return lambda: torch.sum(a @ a)
