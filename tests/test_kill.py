"""SIGKILL at random moments: tests/kill/torture.py, 8 kills here and 200 in full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_kills_lose_at_most_the_round_in_flight():
    judge(tortured(8, 1), 8)


@pytest.mark.torture
def test_two_hundred_kills_lose_at_most_the_round_in_flight():
    found = tortured(200, 7)
    judge(found, 200)
    assert min(found["killed"]["main"], found["killed"]["worker"]) > 50
