"""A worker whose answers are a pure function of the request: no torch, no clock.

Every answer takes `REAL_S` of real time, so that there is a moment to be killed in.
"""

import json
import os
import random
import signal
import time

REAL_S = 0.004
FIXED_S = {("cpu", 1): 1e-3, ("cpu", 2): 1.5e-3}
ROW_S = {("cpu", 1): 1e-6, ("cpu", 2): 0.5e-6}
"""Equal at 1,000 rows a batch."""
FAILS = {"manual": 1000}
"""From which batch size on a trainer fails, in its third round."""


def opened(request):
    if request["device"] != "cpu":
        return {"status": "unavailable", "notes": "no such device"}
    loss = 0.5 if request["trainer"] != "lesson" else 0.9
    return {
        "status": "ok", "calls_per_sample": 1, "epochs_run": 1, "setup_s": 0.25,
        "warmup_s": [0.1, 0.05], "peak_bytes": None, "threads": request["threads"],
        "loss": loss, "accuracy": 0.9, "notes": "",
    }  # fmt: skip


def sample(cell, request):
    size, who = cell["case"]["batch_size"], (cell["device"], cell["threads"])
    if request["round"] >= 2 and size >= FAILS.get(cell["trainer"], size + 1):
        return {"status": "failed", "notes": "as arranged"}
    known = cell["case"], cell["trainer"], who, request["round"], request["position"]
    jitter = random.Random(repr(known)).gauss(1, 0.01)
    took_s = (FIXED_S[who] + ROW_S[who] * size) * jitter
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
