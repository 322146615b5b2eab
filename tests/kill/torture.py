"""Kill `crossover run` and its workers at random moments, and look what is lost.

    python tests/kill/torture.py --kills 200 --seed 7

A life is a process, forked from this one so that it needs no second to start. It is
killed by SIGKILL, or a worker of it is, and the next life goes on, until one ends by
itself: then its folder must hold the same bytes as that of a run nobody disturbed.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import virtual
from life import Life

from crossover.files.untrusted import InputError
from crossover.record import run_folder

GONE_S = 10.0
MEASURING = 0.75
"""The share of a life that is not spent on the report."""


def files_of(folder):
    """Return what each file holds, whatever the folder is called."""
    paths = (p for p in folder.rglob("*") if p.is_file())
    name = str(folder).encode()
    return {
        str(p.relative_to(folder)): p.read_bytes().replace(name, b"RUN") for p in paths
    }


class Torture:
    """Kills so far, and what came of them."""

    def __init__(self, kills, seed, root):
        self.kills, self.draw, self.root = kills, random.Random(seed), root
        self.count, self.lost, self.runs, self.wrong = Counter(), Counter(), 0, []
        self.specs = {}
        for name, budget in virtual.BUDGETS.items():
            self.specs[name] = root / f"{name}.toml"
            self.specs[name].write_text(virtual.SPEC.format(budget=budget))
        self.wanted, self.seconds, self.rounds_in_all = {}, {}, {}

    def begin(self, folder, name):
        def target(pipe):
            return virtual.live(folder, self.specs[name], pipe)

        return Life(target, folder.parent / "log")

    def undisturbed(self):
        """Run each spec as nobody disturbs it, twice: it must be the same."""
        for name in self.specs:
            found = []
            for number in range(2):
                folder = self.root / f"{name}-{number}" / "run"
                folder.parent.mkdir()
                start = time.monotonic()
                life = self.begin(folder, name)
                assert life.ended(start + 120) is not None
                self.seconds[name] = time.monotonic() - start
                found.append((life.tale(), files_of(folder)))
            assert found[0] == found[1]
            assert "report.html" in found[0][1]
            self.wanted[name] = found[0][1]
            self.rounds_in_all[name] = self.rounds(folder)

    def chain(self, number):
        """Kill a run again and again until it ends, or all kills are done."""
        name = ("whole", "budget")[number % 2]
        folder = self.root / f"chain{number}" / "run"
        folder.parent.mkdir()
        while not self.life(name, folder):
            pass
        self.runs += 1
        found = files_of(folder)
        for file in found.keys() | self.wanted[name].keys():
            if found.get(file) != self.wanted[name].get(file):
                self.wrong.append(f"chain {number}: {file} differs")

    def life(self, name, folder):
        """Live, and die or end; return whether it ended."""
        before = self.rounds(folder)
        life = self.begin(folder, name)
        begun_s = time.monotonic()
        end_s = begun_s + 120
        done = before / self.rounds_in_all[name]
        length_s = self.seconds[name] * (1 - MEASURING * done)
        if self.left() and self.draw.random() < 0.5:
            moment = begun_s + self.draw.uniform(0, length_s)
            if life.ended(moment) is None and (below := life.below()):
                self.draw.choice(below).kill()
                self.count["worker"] += 1
        if self.left() and self.draw.random() < 0.9:
            moment = begun_s + self.draw.uniform(0, length_s)
            end_s = max(moment, time.monotonic())
        status = life.ended(end_s)
        below = [] if status is not None else life.below()
        if status is None:
            os.kill(life.pid, signal.SIGKILL)
            os.waitpid(life.pid, 0)
            self.count["main"] += 1
        tale = life.tale()
        self.look(folder, before, tale, status is None)
        _, alive = psutil.wait_procs(below, timeout=GONE_S)
        self.wrong += [f"{folder}: orphan {p.pid}" for p in alive]
        if status not in (None, 3 << 8):
            self.wrong.append(f"{folder}: ended with {status}")
        return status is not None

    def left(self):
        return self.kills > sum(self.count[who] for who in ("main", "worker"))

    def rounds(self, folder):
        if not (folder / run_folder.HEADER).exists():
            return 0
        rows = run_folder.load(folder).measurements
        return len({(m.case, m.round) for m in rows if m.status == "ok"})

    def look(self, folder, before, tale, was_killed):
        """Load what a life left; count the rounds that it began and did not keep."""
        try:
            kept = self.rounds(folder) - before
        except InputError as error:
            self.wrong.append(f"{folder}: not loadable: {error}")
            return
        if tale.count("r") > kept:
            self.wrong.append(f"{folder}: lost a recorded round: {tale}")
        if was_killed:
            in_flight = tale.rfind("b") > tale.rfind("r") and "w" not in tale
            self.lost[int(in_flight and kept == tale.count("r"))] += 1
            phases = {"w": "in the report", "b": "in a round", "c": "opening cells"}
            phase = next((said for c, said in phases.items() if c in tale), "at first")
            if phase == "in a round" and not in_flight:
                phase = "between rounds"
            self.count[f"main, {phase}"] += 1


def torture(kills, seed, root):
    """Return the figures of so many kills."""
    made = Torture(kills, seed, root)
    made.undisturbed()
    while made.left():
        made.chain(made.runs)
    return {
        "seed": seed, "kills": kills, "runs": made.runs, "wrong": made.wrong,
        "rounds lost by a kill of main": dict(sorted(made.lost.items())),
        "killed": dict(sorted(made.count.items())),
        "undisturbed_s": {n: round(s, 2) for n, s in made.seconds.items()},
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made_root:
        figures = torture(asked.kills, asked.seed, Path(made_root))
        print(json.dumps(figures, indent=1))
        if figures["wrong"]:
            print((Path(made_root)).joinpath("chain0", "log").read_text()[-3000:])
    sys.exit(bool(figures["wrong"]))
