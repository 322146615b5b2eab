"""Ctrl-C, SIGTERM and SIGHUP, wherever a run is stuck (tests/kill/stuck.py)."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crossover.interrupts import Interrupted, check, heeded, unbroken

STUCK = Path(__file__).parent / "kill" / "stuck.py"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stuck")
    done = subprocess.run(
        [sys.executable, STUCK, folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


STOPPED = [
    "sample, SIGINT", "sample, SIGTERM", "sample, SIGHUP",
    "before the first round, SIGINT",
]  # fmt: skip


@pytest.mark.parametrize("name", STOPPED)
def test_the_first_signal_ends_the_workers_and_leaves_a_partial_report(found, name):
    case = found[name]
    assert case["code"] == 130, case
    assert case["workers"] >= (2 if name.startswith("sample") else 1)
    assert case["workers left"] == 0
    assert case["partial"] is True
    assert "report.html" in case["files"]
    assert "run.lock" not in case["files"]
    assert "Ctrl-C again: without it" in case["log"]
    assert "go on with: crossover run --resume " in case["log"]
    assert "Traceback" not in case["log"]
    assert (case["rows"] > 0) == name.startswith("sample")


def test_a_signal_within_the_last_report_ends_it(found):
    case = found["the last report, SIGTERM"]
    assert (case["code"], case["partial"]) == (130, None)
    assert case["rows"] > 50
    assert "go on with: crossover run --resume " in case["log"]
    assert "Traceback" not in case["log"]


def test_a_second_signal_ends_all_at_once(found):
    case = found["the partial report, SIGINT twice"]
    assert (case["code"], case["partial"], case["workers left"]) == (130, None, 0)
    assert case["rows"] > 0
    assert "Traceback" not in case["log"]


def test_a_signal_before_there_is_a_folder_leaves_none(found):
    case = found["before the folder, SIGINT"]
    assert (case["code"], case["rows"]) == (130, None)
    assert case["log"] == "crossover: interrupted\n"


def start(done):
    with unbroken():
        signal.raise_signal(signal.SIGTERM)
        done.append("started")


def test_what_must_be_known_to_be_ended_is_not_broken_off():
    done = []
    with heeded():
        with pytest.raises(Interrupted):
            start(done)
        with pytest.raises(Interrupted):  # also where somebody's except lost it
            check()
    assert done == ["started"]
    check()  # the next command of this process begins anew


def test_a_signal_that_was_ignored_stays_so(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    usual = signal.getsignal(signal.SIGTERM)
    try:
        with heeded():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not usual
            signal.raise_signal(signal.SIGHUP)
            check()
        assert signal.getsignal(signal.SIGTERM) is usual
    finally:
        signal.signal(signal.SIGHUP, before)
