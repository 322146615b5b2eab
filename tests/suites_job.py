"""A user's job for the suites: a profile, its file, and what the suites kept of it."""

import json

PROFILE = """
name = "tokens"
workload = "tokens.py"
contenders = ["cpu@1"]
pairs = [["cpu@1", "cpu/twice@1"], ["cpu@1", "accelerator"]]
grid = true
control = false
rounds = 5

[[sweep]]
axis = "width"
values = [16, 64]
steps = 20
dtype = "float64"
"""
JOB = """
import torch

THREADS_START = torch.ones(512, 512) @ torch.ones(512, 512)  # which no fork outlasts


class Job:
    items = 32

    def __init__(self, device, width, dtype):
        self.w = torch.ones(width, width, dtype=getattr(torch, dtype)).to(device)

    def step(self):
        return (self.w @ self.w).sum()


def train(device, width=64, dtype="float32"):
    return Job(device, width, dtype)


def twice(device, width=64, dtype="float32"):
    job = Job(device, width, dtype)
    return lambda: (job.step() + job.step()) / 2
"""
CASES = tuple(f"width={width},steps=20,dtype=float64" for width in (16, 64))
WHO = "cpu/train@1", "cuda/train", "cpu/twice@1"


def written(folder):
    """Write the profile and its file; return the profile."""
    (folder / "tokens.py").write_text(JOB)
    (folder / "profile.toml").write_text(PROFILE)
    return folder / "profile.toml"


def seconds(case, who, sample):
    """Return a sample: 20 steps, twice as long by `twice`, and little noise."""
    width = int(case.partition(",")[0].removeprefix("width="))
    return 1e-3 * width * (2 if "twice" in who else 1) * (1 + 1e-3 * (sample % 3))


def kept_by_pytest(file, declared):
    """Write what pytest-benchmark keeps of the job, as if it ran without CUDA."""
    benchmarks = [
        {
            "extra_info": {"cell_id": f"{case}:{who}", "view": "train", "calls": 1,
                           "items": 640.0, "loss": None, "accuracy": None},
            "stats": {"median": seconds(case, who, 0),
                      "data": [seconds(case, who, i) for i in range(8)]},
        }
        for case in CASES
        for who in WHO
        if "cuda" not in who
    ]  # fmt: skip
    document = {
        "benchmarks": benchmarks, "version": "5.3.1", "workload": declared,
        "machine_info": {"node": "box", "unavailable": {"cuda": "no driver"}},
    }  # fmt: skip
    file.write_text(json.dumps(document))
    return file


def kept_by_asv(folder, version):
    """Write the results folder that asv keeps of the job; return it."""

    def told(case, who):
        return [seconds(case, who, i) for i in range(8)]

    pairs = [(case, who) for case in CASES for who in WHO]
    result = [float("nan") if "cuda" in who else told(c, who)[0] for c, who in pairs]
    samples = [None if "cuda" in who else told(c, who) for c, who in pairs]
    params = [[f"'{text}'" for text in texts] for texts in (CASES, WHO)]
    columns = ["result", "params", "version", "samples"]
    row = [result, params, version, samples]
    document = {
        "version": 2, "commit_hash": "c0ffee" * 6, "result_columns": columns,
        "results": {"training.Training.time_train": row},
    }  # fmt: skip
    machine = folder / "box"
    machine.mkdir(parents=True)
    (machine / "machine.json").write_text("{}")
    (machine / "c0ffee-existing.json").write_text(json.dumps(document))
    return folder
