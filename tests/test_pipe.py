"""The lines of the pipe: what a worker may say, and that each request has its reply."""

import json
import math
import typing

import pytest
from builders import opened, sampled

from crossover.measure import pipe
from crossover.measure.pipe import (
    Close,
    Closed,
    Described,
    Ended,
    Open,
    Request,
    Sample,
    read_reply,
    read_request,
)

OPEN = Open(
    workload="softmax", case={"samples": 4, "dispersion": (0.5, 2.0)}, device="cpu",
    trainer="resident", threads=None, longest_s=0.1,
)  # fmt: skip


@pytest.mark.parametrize("kind", typing.get_args(pipe.AnyRequest))
def test_each_request_names_the_reply_that_its_type_does(kind):
    assert issubclass(kind, Request[kind.good])


def test_a_request_is_read_back():
    assert read_request(Sample(round=3).model_dump_json()) == Sample(round=3)
    case = {"samples": 4, "dispersion": [0.5, 2.0]}  # as JSON has it
    assert read_request(OPEN.model_dump_json()).case == case
    with pytest.raises(ValueError, match="a request with an unknown field: '"):
        read_request('{"op": "close", "more": 1}')


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (OPEN, opened(loss=math.inf, work={"step": 150, "row": 0.5})),
        (Sample(), sampled(1 / 3, sample_j=None)),
        (Close(), Closed()),
        (Close(), Ended(status="failed", notes="why", refused="x = 1: must be 2")),
    ],
)
def test_a_reply_is_read_back(request_, reply):
    assert read_reply(request_, reply.model_dump_json().encode()) == reply


def test_what_diverged_is_no_number_and_costs_stay_whole_numbers():
    line = opened(loss=math.nan, work={"step": 150}).model_dump_json().encode()
    reply = read_reply(OPEN, line)
    assert math.isnan(reply.loss)
    assert repr(reply.work) == "{'step': 150}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"loss": 1e19}, "with an impossible loss"),
        ({"setup_s": math.nan}, "with an impossible setup_s"),
        ({"setup_s": True}, "with an impossible setup_s"),
        ({"calls_per_sample": 0}, "with an impossible calls_per_sample"),
        ({"calls_per_sample": 1.0}, "with an impossible calls_per_sample"),
        ({"peak_bytes": 10**400}, "with an impossible peak_bytes"),
        ({"threads": -1}, "with an impossible threads"),
        ({"warmup_s": [0.1] * 1001}, "with an impossible warmup_s"),
        ({"warmup_s": [0.1, -1]}, "with an impossible warmup_s"),
        ({"work": {"step": "x"}}, "with an impossible work"),
        ({"notes": None}, "with an impossible notes"),
        ({"more": 1}, "with an unknown field"),
        ({"status": "odd"}, "of no known status"),
        ({"status": 5}, "of no known status"),
    ],
)
def test_what_is_wrong_with_a_reply_is_said(fields, said):
    whole = json.loads(opened().model_dump_json())
    with pytest.raises(ValueError, match=f"^a reply {said}: '"):
        read_reply(OPEN, json.dumps(whole | fields).encode())


def test_notes_are_cut_and_can_be_written():
    assert len(Ended(status="failed", notes="x" * 5000).notes) == 2000
    odd = Ended(status="failed", notes="file \udcff")
    assert json.loads(odd.model_dump_json())["notes"] == "file ?"


def test_what_is_seen_of_a_machine_is_typed():
    line = b'{"cpu": "x", "accelerators": [{"name": "cuda:0"}]}'
    with pytest.raises(ValueError, match="a reply without energy_unmeasured"):
        read_reply(pipe.Describe(), line)
    fields = {n: {} for n in ("unavailable", "trainers", "versions", "threads")}
    whole = {"cpu": "x", "energy_unmeasured": None, "accelerators": [], **fields}
    reply = read_reply(pipe.Describe(), json.dumps(whole).encode())
    assert reply == Described(**whole | {"accelerators": ()})
