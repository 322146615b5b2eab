"""Runs of which the truth is known: what is the machine's, and what not."""

import numpy as np
from builders import make_rounds, make_run

from crossover.workloads.softmax import SOFTMAX

PAIR = ("cpu/resident@1", "cpu/resident@2")
THIRD = "cpu/resident@4"
SIZES = (64, 256, 512, 1024, 2048, 8192)


def run(
    seed, sizes=SIZES, rounds=16, fixed=600.0, speed=1.0, drift=0.0, process=0.0,
    noise=0.03, copy=None, name=None, only=None, third=False, **slower,
):  # fmt: skip
    """Return a run: the baseline takes 100 + n, the challenger `fixed` + n / 10.

    Args:
        seed: of the noise.
        sizes: numbers of samples.
        rounds: of each cell.
        fixed: what the challenger takes beside the samples.
        speed: factor on all times.
        drift: standard deviation, from one round of a case to the next, of the log of
            a factor on all times: a random walk.
        process: standard deviation of the log of a factor on all times of a contender.
        noise: standard deviation of the log of each time.
        copy: how many times as long the baseline's copy takes; None: there is none.
        name: of the run; None: after the seed.
        only: the contenders that are measured; None: all.
        third: whether a third contender is measured, which takes 300 + n / 2.
        slower: factor on all times of one: `one=1.1` of the baseline, `two=1.1`.
    """
    rng = np.random.default_rng(seed)
    laws = {
        PAIR[0]: lambda n: slower.get("one", 1.0) * (100.0 + n),
        PAIR[1]: lambda n: slower.get("two", 1.0) * (fixed + n / 10),
    }
    if copy:
        laws[f"{PAIR[0]}#1"] = lambda n: copy * (100.0 + n)
    if third:
        laws[THIRD] = lambda n: 300.0 + n / 2
    laws = {who: law for who, law in laws.items() if only is None or who in only}
    mine = {who: rng.normal(0, process) for who in laws}
    cases = [SOFTMAX.case(samples=size, epochs=1) for size in sizes]
    walks = np.cumsum(rng.normal(0, drift, rounds * len(sizes))).reshape(rounds, -1)
    machine = {case: walks[:, i] for i, case in enumerate(cases)}

    def found(case, who, number):
        log = machine[case][number] + mine[str(who)] + rng.normal(0, noise)
        seconds = speed * laws[str(who)](case["samples"]) * np.exp(log)
        return {
            "samples_s": (float(seconds),), "epochs_run": 1, "threads": who.threads,
            "setup_s": 0.0, "transfer_s": 0.0, "run_id": name or f"r{seed}",
        }  # fmt: skip

    spec = {
        "contenders": (*PAIR, THIRD) if third else PAIR,
        "pairs": [PAIR],
        "sweep": [{"axis": "samples", "values": sizes}],
    }
    rows = make_rounds(cases, laws, found, rounds)
    return make_run(spec, rows, name=name or f"r{seed}")
