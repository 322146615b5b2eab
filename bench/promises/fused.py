"""Compare trainer fused, side by side, with C++, other trainers, threads and epochs.

`cpp`: the same algorithm in fused.cpp, the fastest of its builds; `trainers`: lesson
and resident; `threads`: two against one, alone and beside a program that takes a core;
`epochs`: the last of 20 against the first and against resident's; `map`: the best of
torch over some 70 shapes, with `--compiled` trainer compiled too. Each pair is a ratio
of medians. Without names all parts but the map run, which takes about six minutes and
3 GB; the map takes eight minutes. Exit code 1: a bound is broken.

    python -m bench.promises.fused [cpp] [trainers] [threads] [epochs] [map]
"""

import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.promises.fused_map import map_all
from softmax_core import Case, get_trainer, make_data
from softmax_core.case import stable_learning_rate
from softmax_core.trainers.fused.sessions import ColumnsSession
from softmax_core.trainers.fused.team import team

REPEATS, SAMPLE_S = 7, 0.03
"""Samples of each work, and the seconds that one lasts."""
SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ["-O3", "-march=native", "-ffast-math"]
BUILDS: dict[str, list[str]] = {"": [], ", 256 bits": ["-mprefer-vector-width=256"]}
"""Further compiler flags, by the build's name."""
CASES = (
    (15_000, 5), (1_500, 10), (15_000, 100), (15_000, 1_000), (300_000, 60_000),
    (300_000, 5),
)  # fmt: skip
"""Samples and batch size of the cases that are compared with C++."""

THREADED = [
    Case(samples, features, classes, batch, 1, 1e-6, dispersion=(0.1, 2.0))
    for samples, features, classes, batch in (
        (60_000, 784, 10, 60_000), (6_000, 784, 10, 1_000), (6_000, 784, 10, 100),
        (6_000, 784, 10, 5), (640, 1_000, 100, 32), (2_048, 1_000, 100, 256),
        (4_096, 1_000, 100, 4_096), (1_024, 4_096, 1_000, 64), (20_000, 2, 1_000, 64),
        (65_536, 32, 10, 65_536), (196_608, 2, 3, 65_536), (20_000, 2, 3, 100),
    )
]  # fmt: skip
"""What two threads are compared with one in."""
LONG_STEP_S, LEAST_GAIN = 0.01, 1.6
"""From this many seconds a step on, two threads must be so many times as fast as one.
What two reach that never meet, which other programs lower, is printed beside it."""

EPOCHS, ROUNDS = 20, 8
"""Epochs of a training, and how often each trainer repeats it."""
SHAPES = (
    # features, classes, batch, samples, dispersion
    (2, 3, 10, 1_000, (6.0, 2.0)), (2, 3, 100, 4_000, (60.0, 2.0)),
    (1, 13, 256, 5_120, (6.0, 2.0)), (11, 3, 100, 4_000, (6.0, 2.0)),
    (32, 10, 64, 1_280, (6.0, 2.0)), (16, 50, 64, 1_280, (6.0, 2.0)),
    (2, 100, 64, 640, (6.0, 2.0)), (64, 100, 64, 640, (6.0, 2.0)),
    (784, 10, 128, 1_280, (0.1, 2.0)), (784, 100, 32, 320, (6.0, 2.0)),
    (1_000, 100, 32, 320, (6.0, 2.0)), (1, 1_000, 64, 1_024, (6.0, 2.0)),
)  # fmt: skip
"""Shapes of the epochs; with many classes, probabilities underflow in float32."""

Work = Callable[[], object]


def medians(works: Mapping[str, Work]) -> dict[str, float]:
    """Return each work's median seconds; the works take turns, round after round."""
    calls: dict[str, int] = {}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for name, work in works.items():
        work()
        begun = time.perf_counter()
        work()
        once = time.perf_counter() - begun
        calls[name] = max(1, round(SAMPLE_S / once))
    for _ in range(REPEATS):
        for name, work in works.items():
            begun = time.perf_counter()
            for _ in range(calls[name]):
                work()
            seconds[name].append((time.perf_counter() - begun) / calls[name])
    return {name: statistics.median(each) for name, each in seconds.items()}


def verdict(text: str, ok: bool, bound: str) -> bool:
    """Print a comparison and its bound, and return whether the bound holds."""
    print(f"{text} ({bound}){'' if ok else ': BROKEN'}", flush=True)
    return ok


def builds(folder: str) -> dict[str, Any]:
    """Compile fused.cpp; return its function by the build's name."""
    found: dict[str, Any] = {}
    for name, more in BUILDS.items():
        library = Path(folder) / f"fused{len(found)}.so"
        options = [*FLAGS, *more, "-shared", "-fPIC"]
        subprocess.run(["g++", *options, str(SOURCE), "-o", str(library)], check=True)
        found[name] = ctypes.CDLL(str(library)).train_softmax
    return found


class Cpp:
    """A copy of a fused session's data, trained by the C++ program."""

    def __init__(
        self, session: ColumnsSession, function: Any, own: bool, shuffled: bool
    ) -> None:
        self.x, self.mask = session._columns.copy(), session._masks[0].copy()
        self.weights = np.stack([session._w, session._u])
        self.state = session._state.copy()
        case, pointer, long = session.case, ctypes.c_void_p, ctypes.c_long
        self.function, self.arguments = function, (
            pointer(self.x.ctypes.data), long(self.x.shape[1]), long(case.samples),
            pointer(self.mask.ctypes.data), long(case.batch_size),
            pointer(self.weights.ctypes.data), ctypes.c_float(case.learning_rate),
            ctypes.c_float(case.momentum), pointer(self.state.ctypes.data),
            ctypes.c_int(shuffled), long(1), ctypes.c_int(own),
        )  # fmt: skip

    def __call__(self) -> None:
        """Train an epoch."""
        self.function(*self.arguments)


def against_cpp() -> bool:
    """Compare every case with C++, with and without the shuffle that both do."""
    if shutil.which("g++") is None:
        print("cpp: not measured: no g++")
        return True
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        functions = builds(folder)
        for samples, batch in CASES:
            for shuffled in (False, True):
                ok &= against_cpp_in(
                    Case(samples, batch_size=batch), shuffled, functions
                )
    return ok


def against_cpp_in(case: Case, shuffled: bool, functions: dict[str, Any]) -> bool:
    """Compare one case, after a check that an epoch gives the same weights."""
    session = get_trainer("fused").prepare(case, make_data(case), threads=1)
    assert isinstance(session, ColumnsSession)
    copies: dict[str, Cpp] = {}
    for build, function in functions.items():
        copies[f"own exp{build}"] = Cpp(session, function, True, shuffled)
        copies[f"std::exp{build}"] = Cpp(session, function, False, shuffled)
    session._run(shuffled, 1)
    for name, copy in copies.items():
        copy()
        np.testing.assert_allclose(
            copy.weights[0], session._w, 1e-3, 1e-3, err_msg=name
        )
    took = medians({"fused": partial(session._run, shuffled, 1), **copies})
    fused = took.pop("fused")
    best = min(took, key=took.__getitem__)
    step = 1e6 / case.steps_per_epoch
    plain = min(v for k, v in took.items() if "bits" not in k)
    return verdict(
        f"C++: {case.samples:,} samples, batch {case.batch_size:,}, "
        f"{'with' if shuffled else 'no'} shuffle: fused {step * fused:.4g} us a step, "
        f"C++ {step * took[best]:.4g} ({best}), ratio {fused / took[best]:.2f}; "
        f"against {' '.join(FLAGS)} alone {fused / plain:.2f}",
        fused <= (most := 1.1 if shuffled else 1.15) * took[best],
        f"at most {most}",
    )


def against_trainers() -> bool:
    """Compare with the trainers lesson and resident, at batch size 5."""
    case = Case(15_000, batch_size=5)
    data = make_data(case)
    works = {}
    for name in ("fused", "resident", "lesson"):
        session = get_trainer(name).prepare(case, data, threads=1)
        works[name] = partial(session.train, 1)
    took = medians(works)
    step = 1e6 / case.steps_per_epoch
    ok = True
    for name, least in (("lesson", 3_000), ("resident", 1_000)):
        ratio = took[name] / took["fused"]
        ok &= verdict(
            f"trainer {name}: batch 5 of 15,000: {step * took[name]:.4g} us a step, "
            f"fused {step * took['fused']:.4g} with its shuffle, {ratio:,.0f} x",
            ratio >= least,
            f"at least {least:,}",
        )
    return ok


def threads() -> bool:
    """Compare two threads with one, alone and beside a program that takes a core."""
    if len(os.sched_getaffinity(0)) < 2:
        print("threads: not measured: one core")
        return True
    ok = True
    for case in THREADED:
        ok &= threads_of(case, "alone", 0.95)
    burning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = "beside a program that takes a core"
        for case in THREADED:
            ok &= threads_of(case, beside, 0.6)
    finally:
        burning.kill()
        burning.wait()
    return ok


def threads_of(case: Case, where: str, least: float) -> bool:
    """Compare two threads with one in a case; a longer step must gain."""
    data, trainer = make_data(case), get_trainer("fused")
    one, another = (trainer.prepare(case, data, threads=1) for _ in range(2))
    two = trainer.prepare(case, data, threads=2)
    both = (one, another)
    works: dict[str, Work] = {
        "one": partial(one.train, 1),
        "two": partial(two.train, 1),
        "apart": lambda: team(2).run(lambda thread: both[thread].train(1)),
    }
    took = medians(works)
    ratio, step_s = took["one"] / took["two"], took["one"] / case.steps_per_epoch
    most = 2 * took["one"] / took["apart"]
    if where == "alone" and step_s >= LONG_STEP_S:
        least = LEAST_GAIN
    return verdict(
        f"threads, {where}: {case.features:,} features, {case.classes:,} classes, "
        f"batch {case.batch_size:,}: {1e6 * step_s:.4g} us a step, asked for two "
        f"{1e6 * took['two'] / case.steps_per_epoch:.4g} ({two.notes}), {ratio:.2f} x; "
        f"two that never meet {most:.2f} x",
        ratio >= least,
        f"at least {least:.2f}",
    )


def epochs() -> bool:
    """Compare epoch 20 with epoch 1, and with resident's, as training converges."""
    # A library that GCC 12 linked with -ffast-math sets this for the whole process.
    torch.set_flush_denormal(False)
    ok = True
    for features, classes, batch, samples, dispersion in SHAPES:
        stable = stable_learning_rate(features, classes, dispersion)
        for times, momentum in ((1, 0.0), (10, 0.0), (1, 0.9), (10, 0.9)):
            case = Case(
                samples, features, classes, batch, EPOCHS, times * stable, momentum,
                dispersion,
            )  # fmt: skip
            ok &= epochs_of(case, f"{times} x the stable rate, momentum {momentum:.1f}")
    return ok


def epochs_of(case: Case, name: str) -> bool:
    """Compare one case by its shortest epochs, as other programs only add time."""
    data = make_data(case)
    took: dict[tuple[str, int], float] = {}
    sessions = {
        name: get_trainer(name).prepare(case, data, threads=1)
        for name in ("fused", "resident")
    }
    for _ in range(ROUNDS):
        for trainer, session in sessions.items():
            session.train(1)  # drives the other trainer's data out of the caches
            session.reset()
            for epoch in range(EPOCHS):
                begun = time.perf_counter()
                session.train(1)
                seconds = time.perf_counter() - begun
                least = took.get((trainer, epoch), seconds)
                took[trainer, epoch] = min(least, seconds)
    first, last = took["fused", 0], took["fused", EPOCHS - 1]
    ratio, beside = last / first, last / took["resident", EPOCHS - 1]
    step = 1e6 / case.steps_per_epoch
    is_beside_bound = case.classes <= 100
    return verdict(
        f"epochs: {case.features} features, {case.classes} classes, batch "
        f"{case.batch_size}, {name}: {step * first:.4g} us a step in epoch 1, "
        f"{step * last:.4g} in epoch {EPOCHS}, {ratio:.2f} x; "
        f"{beside:.3f} x resident's",
        ratio <= 1.2 and (beside <= 1.1 or not is_beside_bound),
        "at most 1.2" + " and 1.1" * is_beside_bound,
    )


PARTS: dict[str, Callable[[], bool]] = {
    "cpp": against_cpp,
    "trainers": against_trainers,
    "threads": threads,
    "epochs": epochs,
}


COMPILED = "--compiled"


def main() -> int:
    """Measure the parts named, print them, and return the exit code."""
    torch.manual_seed(0)
    chosen = [name for name in sys.argv[1:] if name != COMPILED] or list(PARTS)
    parts = PARTS | {"map": partial(map_all, COMPILED in sys.argv)}
    kept = [parts[name]() for name in chosen]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
