"""SIGKILL at random moments: tests/kill/torture.py, 3 kills here and 200 in full."""

import json
import subprocess
import sys
from pathlib import Path

import by_hand
import pytest

from crossover.measure.pipe import Ended, Sample
from crossover.record import run_folder

TORTURE = Path(__file__).parent / "kill" / "torture.py"


def tortured(kills, seed):
    done = subprocess.run(
        [sys.executable, TORTURE, "--kills", str(kills), "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    print(done.stdout)
    return json.loads(done.stdout.partition("\n}\n")[0] + "}")


def judge(found, kills):
    assert found["wrong"] == []
    killed = found["killed"]
    assert killed.get("main", 0) + killed.get("worker", 0) == kills
    lost = found["rounds lost by a kill of main"]
    assert set(lost) <= {"0", "1"}
    assert sum(lost.values()) == killed.get("main", 0)


@pytest.mark.slow
def test_kills_lose_at_most_the_round_in_flight():
    judge(tortured(3, 1), 3)


@pytest.mark.torture
def test_two_hundred_kills_lose_at_most_the_round_in_flight():
    found = tortured(200, 7)
    judge(found, 200)
    assert min(found["killed"]["main"], found["killed"]["worker"]) > 50


class Killed(by_hand.Worker):
    """Is killed in its answers to some requests, by their number."""

    at: tuple[int, ...] = ()
    asked = 0

    def ask(self, request, timeout_s):
        if isinstance(request, Sample) and self.cell["threads"] == 2:
            Killed.asked += 1
            if Killed.asked in self.at:
                notes = "killed by SIGKILL"
                return Ended(status="crashed", notes=notes, killed=True)
        return super().ask(request, timeout_s)


@pytest.mark.parametrize(
    ("at", "crashed"), [((), 0), ((7,), 0), ((7, 30), 0), ((7, 8), 1), ((1, 2), 1)]
)
def test_a_worker_that_is_killed_twice_in_a_round_ends_its_cell(
    tmp_path, monkeypatch, at, crashed
):
    spec, run = by_hand.new()
    for name, moments in (("undisturbed", ()), ("killed", at)):
        monkeypatch.setattr(Killed, "at", moments)
        monkeypatch.setattr(Killed, "asked", 0)
        monkeypatch.setattr(by_hand, "Worker", Killed)
        said = []
        run_folder.create(tmp_path / name, run)
        by_hand.measure(spec, run, tmp_path / name, say=said.append)
    rows = run_folder.load(tmp_path / "killed").measurements
    assert sum(m.status == "crashed" for m in rows) == crashed
    words = "the worker of cpu/resident@2 was killed: round measured again"
    assert said == [words] * len(at[: len(at) - crashed])
    same = rows == run_folder.load(tmp_path / "undisturbed").measurements
    assert same == (not crashed)
