"""A worker whose trainer breaks in a way of its own, told by the rows of the case.

Started as `WorkerProcess(None, "faulty_worker")`, with this folder on PYTHONPATH. Only
the trainer is another; the serving is that of `bench.measure.worker`.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.measure import sampler, worker
from softmax_core.trainers.resident import ResidentTrainer

GOOD_ROWS = 20
FOLDER = Path(os.environ.get("FAULTY_FOLDER", "."))


def segfault():
    ctypes.string_at(0)


def killed():
    """As the kernel does to who takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def aborted():
    print("terminate called: the last words", file=sys.stderr)
    os.abort()


def exited():
    os._exit(7)


def left():
    sys.exit("nothing to train")


def out_of_memory():
    """A real MemoryError: no more than 256 MiB beyond what is mapped already."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, before[1]))
    try:
        bytearray(2**30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def torch_out_of_memory():
    import torch

    torch.empty(2**50)


def hang():
    """In native code that keeps Python's lock, so that no thread and no signal helps."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("about to hang", file=sys.stderr)
    ctypes.PyDLL(None).sleep(3600)


def flood():
    block = b"x" * 2**20
    for _ in range(int(os.environ.get("FAULTY_MIB", "256"))):
        os.write(1, block)
        os.write(2, block)
    os.write(2, b"\nthe end of the flood\n")
    os._exit(9)


def children():
    """One child as usual, one in a session of its own, one whose parent has gone."""
    sleep = [sys.executable, "-c", "import time; time.sleep(3600)"]
    subprocess.Popen(sleep)
    subprocess.Popen(sleep, start_new_session=True)
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            time.sleep(3600)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGSEGV)


def replies(text):
    """Write to the pipe of the replies, which is found by what it is."""

    def say():
        for descriptor in range(3, 64):
            try:
                if os.get_inheritable(descriptor) or not _is_written(descriptor):
                    continue
                os.write(descriptor, text)
            except OSError:
                continue

    return say


def _is_written(descriptor):
    import fcntl

    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    target = os.readlink(f"/proc/self/fd/{descriptor}")
    return flags & os.O_ACCMODE == os.O_WRONLY and target.startswith("pipe:")


def endless():
    for _ in range(40):
        replies(b"x" * 2**20)()


FAULTS = {
    30: segfault, 31: killed, 32: aborted, 33: exited, 34: left, 35: out_of_memory,
    36: hang, 37: flood, 38: children, 39: replies(b"no JSON\n"),
    40: replies(b"[1, 2]\n"), 41: replies(b"{}\n"), 42: endless,
    43: replies(json.dumps({"sample_s": "1"}).encode() + b"\n"),
    44: torch_out_of_memory, 45: replies(b"[" * 100_000 + b"\n"),
}  # fmt: skip


class FaultyTrainer(ResidentTrainer):
    """Trains as `resident` does, but breaks first where the case says so."""

    def prepare(self, case, *args, **kwargs):
        with open(FOLDER / "opened", "a", encoding="ascii") as file:
            file.write(f"{case.samples} {os.getpid()}\n")
        FAULTS.get(case.samples, lambda: None)()
        return super().prepare(case, *args, **kwargs)


def find_trainer(name):
    return FaultyTrainer()


def serve(requests, answers):
    worker.find_trainer = sampler.find_trainer = find_trainer
    worker.serve(requests, answers)
