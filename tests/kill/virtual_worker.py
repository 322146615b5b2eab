"""A worker whose answers are a pure function of the request: no torch, no clock.

Every answer takes `REAL_S` of real time, so that there is a moment to be killed in.
"""

import json
import os
import random
import signal
import time

from law import OPENED, batch_s

REAL_S = 0.004
FAILS = {"manual": 1000}
"""From which batch size on a trainer fails, in its third round."""


def opened(request):
    if request["device"] != "cpu":
        return {"status": "unavailable", "notes": "no such device"}
    loss = 0.5 if request["trainer"] != "lesson" else 0.9
    known = {"setup_s": 0.25, "threads": request["threads"], "loss": loss}
    return {"status": "ok", **OPENED, **known}


def sample(cell, request):
    size, who = cell["case"]["batch_size"], (cell["device"], cell["threads"])
    if request["round"] >= 2 and size >= FAILS.get(cell["trainer"], size + 1):
        return {"status": "failed", "notes": "as arranged"}
    known = cell["case"], cell["trainer"], who, request["round"], request["position"]
    jitter = random.Random(repr(known)).gauss(1, 0.01)
    took_s = batch_s(size, cell["threads"]) * jitter
    return {"sample_s": took_s, "transfer_s": 0.0, "clock_share": None}


def answer(cell, request):
    match request["op"]:
        case "open":
            return opened(request)
        case "sample":
            return sample(cell, request)
    return {}


def serve(requests, replies):
    cell, stuck = None, int(os.environ.get("STUCK", "1000000"))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in requests:
        request = json.loads(line)
        if request.get("round", 0) >= stuck:
            time.sleep(60)
        time.sleep(REAL_S)
        if request["op"] == "open":
            cell = request
        print(json.dumps(answer(cell, request)), file=replies, flush=True)
