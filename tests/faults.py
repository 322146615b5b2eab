"""Ways for a worker to break: real ones, with no torch needed."""

import ctypes
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

SLEEP = [sys.executable, "-c", "import time; time.sleep(3600)"]


def segfault():
    ctypes.string_at(0)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def aborted():
    print("the last words", file=sys.stderr)
    os.abort()


def exited():
    os._exit(7)


def left():
    sys.exit("nothing to train")


def out_of_memory():
    """A real MemoryError: no more than 256 MiB beyond what is mapped already."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + 2**28
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        bytearray(2**30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def torch_out_of_memory():
    import torch

    torch.empty(2**50)


def in_group():
    """Take more memory than a control group of 64 MiB has: the kernel kills."""
    group = Path(os.environ["FAULT_GROUP"])
    (group / "memory.limit_in_bytes").write_text(str(2**26))
    (group / "cgroup.procs").write_text(str(os.getpid()))
    kept = bytearray(2**28)  # calloc: nothing is taken yet
    for at in range(0, len(kept), 4096):
        kept[at] = 1


def hang():
    """In native code that keeps Python's lock: no thread and no signal handler runs."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("about to hang", file=sys.stderr)
    ctypes.PyDLL(None).sleep(3600)


def flood():
    block = b"x" * 2**20
    for _ in range(int(os.environ.get("FAULT_MIB", "32"))):
        os.write(1, block)
        os.write(2, block)
    os.write(2, b"\nthe end of the flood\n")
    os._exit(9)


def children():
    """One as usual, one in a session of its own, one of both whose parent has gone."""
    subprocess.Popen(SLEEP)
    subprocess.Popen(SLEEP, start_new_session=True)
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            time.sleep(3600)
        os._exit(0)


def crash_with_children():
    children()
    segfault()


def hang_with_children():
    children()
    hang()


def ask_the_reaper_to_go():
    """Kill who watches over us, while children hold all pipes that we hold."""
    children()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(3600)


def said(text):
    """Return what writes to the pipe of the replies, which is found by what it is."""

    def say():
        for number in range(3, 64):
            try:
                mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
                is_pipe = os.readlink(f"/proc/self/fd/{number}").startswith("pipe:")
            except OSError:
                continue
            if is_pipe and mode == os.O_WRONLY:
                os.write(number, text)

    return say


def endless():
    for _ in range(64):
        said(b"x" * 2**20)()


def wrong(**fields):
    good = {
        "calls_per_sample": 1, "epochs_run": 1, "setup_s": 0.1, "warmup_s": [0.1],
        "peak_bytes": None, "threads": 1, "loss": 0.5, "accuracy": 0.9, "notes": "",
        "status": "ok",
    }  # fmt: skip
    return said(json.dumps(good | fields).encode() + b"\n")


KILLED = "killed by SIGKILL (out of memory?): no last words"
FAULTS = {
    "segfault": (segfault, "crashed", "killed by SIGSEGV: no last words"),
    "killed": (killed, "crashed", KILLED),
    "aborted": (aborted, "crashed", "killed by SIGABRT: the last words"),
    "exited": (exited, "crashed", "exit status 7: no last words"),
    "left": (left, "crashed", "exit status 1: nothing to train"),
    "hang": (hang, "timeout", "about to hang"),
    "flood": (flood, "crashed", "exit status 9: the end of the flood"),
    "children": (crash_with_children, "crashed", "killed by SIGSEGV: no last words"),
    "hang with children": (hang_with_children, "timeout", "about to hang"),
    "reaper": (ask_the_reaper_to_go, "crashed", KILLED),
    "no JSON": (said(b"no JSON\n"), "crashed", "a reply that is no JSON: 'no JSON'"),
    "no UTF-8": (said(b'"\xff"\n'), "crashed", "a reply that is no JSON"),
    "nested": (said(b"[" * 99_999 + b"\n"), "crashed", "a reply that is no JSON: '[[["),
    "list": (said(b"[1, 2]\n"), "crashed", "a reply that is no object: '[1, 2]'"),
    "empty": (said(b"{}\n"), "crashed", "a reply without calls_per_sample: '{}'"),
    "status": (said(b'{"status": "odd"}\n'), "crashed", "a reply of no known status"),
    "reason": (said(b'{"status": "oom"}\n'), "crashed", "a reply without notes"),
    "unknown": (wrong(more=1), "crashed", "a reply with an unknown field"),
    "text": (wrong(setup_s="1"), "crashed", "a reply with an impossible setup_s"),
    "negative": (wrong(setup_s=-1), "crashed", "a reply with an impossible setup_s"),
    "endless": (endless, "crashed", "a reply longer than 16 MiB"),
}  # fmt: skip
"""What breaks, and how it is recorded."""
CAUGHT = {
    "MemoryError": (out_of_memory, "oom", "out of host memory"),
    "torch": (torch_out_of_memory, "oom", "DefaultCPUAllocator: can't allocate"),
}
"""What the real worker itself catches."""
MORE = {"in a group": (in_group, "crashed", KILLED)}
EVERY = {**CAUGHT, **MORE, **FAULTS}
