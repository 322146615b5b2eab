"""What a training takes in tests, known exactly: workers of all kinds answer by it.

Standard library only: worker processes import it in no time.
"""

OPENED = {
    "calls_per_sample": 1, "epochs_run": 1, "setup_s": 1.0, "warmup_s": (0.1,),
    "peak_bytes": None, "threads": 1, "loss": 0.5, "accuracy": 0.9, "notes": "",
}  # fmt: skip
"""The usual fields of a reply to a cell that is opened."""


def batch_s(batch_size, threads, crossing=1000):
    """Return the seconds of a training by its batch size.

    It is 1 ms and 1 us a row on one thread. On more threads a row costs half of that,
    and the fixed part is longer: both take the same at `crossing` rows a batch.
    """
    if threads == 1:
        return 1e-3 + 1e-6 * batch_size
    return 1e-3 + 0.5e-6 * (crossing + batch_size)
