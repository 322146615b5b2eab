"""What fake workers answer, and what real ones are asked that are to break."""

from typing import ClassVar

from crossover.measure.pipe import Close, Closed, Open, Opened, Request, Sampled


def opened(**fields):
    """Return the reply to a cell that is open; what is not given is as usual."""
    usual = {
        "calls_per_sample": 1, "epochs_run": 1, "setup_s": 1.0, "warmup_s": (0.1,),
        "peak_bytes": None, "threads": 1, "loss": 0.5, "accuracy": 0.9, "notes": "",
    }  # fmt: skip
    return Opened(**usual | fields)


def sampled(took_s, **fields):
    return Sampled(sample_s=took_s, transfer_s=0.0, **fields)


class FakeWorker:
    """Answers at once: what opening a cell and a sample find is told by who inherits.

    `cell` is the request that opened the cell which is open.
    """

    def __init__(self, contender=None):
        self.contender = contender

    def ask(self, request, timeout_s):
        match request:
            case Open():
                self.cell = request
                return self.opened(request)
            case Close():
                return Closed()
        return self.sampled(request)

    def opened(self, request):
        return opened(threads=request.threads)

    def sampled(self, request):
        raise NotImplementedError

    def stop(self):
        """Nothing is left to end."""


class Breaking(Request[Opened]):
    """To `light_worker`: break."""

    good: ClassVar = Opened
    op: str = "open"
    fault: str


class Loaded(Request[Closed]):
    """To `light_worker`: a fault before a good answer, or a long request."""

    good: ClassVar = Closed
    op: str = "close"
    fault: str | None = None
    more: str = ""
