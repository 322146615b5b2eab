"""Files as other tools write them, all of two contenders that cross at n = 27,778.

Each function returns the text of a file: of what a version of a tool writes, with the
fields that its readers need and others that they must pass over.
"""

import json
import math
from statistics import median

SIZES = (1024, 4096, 16384, 65536, 262144)
TRUTH = 0.5e-3 / (2e-8 - 2e-9)
REPETITIONS = 8


def seconds(who, n, repetition=0):
    """Return the time of one call; the noise of half a per cent is always the same."""
    noise = 0.005 * math.sin(1 + 13 * repetition + 7 * math.log(n) + len(who))
    return (2e-8 * n if who == "cpu" else 0.5e-3 + 2e-9 * n) * (1 + noise)


def repeated(who, n, repetitions=None):
    return [seconds(who, n, r) for r in range(repetitions or REPETITIONS)]


CELLS = [(who, n) for n in SIZES for who in ("cpu", "gpu")]


def google_json(version="1.8", name="BM_{who}/{n}", repetitions=REPETITIONS):
    """Return google-benchmark's JSON: 1.4 has no run_type, 1.8 has families."""
    units = {"ns": 1e9, "us": 1e6, "ms": 1e3}
    found = []
    for i, (who, n) in enumerate(CELLS):
        unit = [*units][i % 3]
        run = name.format(who=who, n=n)
        times = [t * units[unit] for t in repeated(who, n, repetitions)]
        rows = [("", t) for t in times]
        if repetitions > 1:
            rows += [("mean", sum(times) / len(times)), ("median", median(times)),
                     ("stddev", 0.01 * times[0])]  # fmt: skip
        for r, (aggregate, time) in enumerate(rows):
            record = {
                "name": run + (f"_{aggregate}" if aggregate else ""),
                "iterations": 100,
                "real_time": time,
                "cpu_time": time / 7,
                "time_unit": unit,
                "items_per_second": n / time * units[unit],
            }
            if version != "1.4":
                kind = "aggregate" if aggregate else "iteration"
                record |= {"run_name": run, "run_type": kind, "threads": 1,
                           "family_index": 0, "per_family_instance_index": i,
                           "repetitions": len(times)}  # fmt: skip
                record |= (
                    {"aggregate_name": aggregate, "aggregate_unit": "time"}
                    if aggregate
                    else {"repetition_index": r}
                )
            found.append(record)
    context = {"date": "2026-01-01", "host_name": "box", "num_cpus": 8}
    if version != "1.4":
        context |= {"library_version": "v1.8.3", "json_schema_version": 1}
    return json.dumps({"context": context, "benchmarks": found}, indent=1)


def google_csv(version="1.8", repetitions=REPETITIONS):
    """Return google-benchmark's CSV, of 1.4 with what is printed before it."""
    lines = [
        "name,iterations,real_time,cpu_time,time_unit,bytes_per_second,"
        "items_per_second,label,error_occurred,error_message"
    ]
    if version == "1.4":
        lines = ["Run on (8 X 3000 MHz CPU s)", "CPU Caches:", "  L1 Data 32K (x4)",
                 *lines]  # fmt: skip
    for who, n in CELLS:
        for time in repeated(who, n, repetitions):
            lines.append(f'"BM_{who}/{n}",100,{1e9 * time!r},1,ns,,,,,')
        for end in ("mean", "stddev") if repetitions > 1 else ():
            lines.append(f'"BM_{who}/{n}_{end}",100,7,1,ns,,,,,')
    lines.append('"BM_gpu/1048576",0,0,0,ns,,,,true,"out of memory"')
    return "\n".join(lines) + "\n"


def hyperfine_json(version="1.18"):
    """Return hyperfine's JSON: 1.8 has one parameter and no exit codes."""
    results = []
    for who, n in CELLS:
        times = repeated(who, n)
        record = {
            "command": f"./run --dev {who} {n}",
            "mean": sum(times) / len(times),
            "stddev": 0.001,
            "median": median(times),
            "user": 0.1,
            "system": 0.1,
            "min": min(times),
            "max": max(times),
            "times": times,
        }
        if version == "1.8":
            record["parameter"] = str(n)
        else:
            record |= {
                "exit_codes": [0] * len(times),
                "memory_usage_byte": [1] * len(times),
                "parameters": {"n": str(n), "dev": who},
            }
        results.append(record)
    if version != "1.8":
        results.insert(0, {"command": "./ref", "mean": 1.0, "times": [1.0, 1.0]})
    return json.dumps({"results": results}, indent=2)


def hyperfine_csv(version="1.18"):
    """Return hyperfine's CSV: before 1.9 it has no median."""
    is_old = version == "1.8"
    heads = ["command", "mean", "stddev", "median", "user", "system", "min", "max",
             "parameter_n", "parameter_dev"]  # fmt: skip
    rows = [["./ref", "1", "", "1", "0", "0", "1", "1", "", ""]]
    for who, n in CELLS:
        time = repr(seconds(who, n))
        rows.append([f"./run {who} {n}", time, "0.1", time, "0", "0", time, time,
                     str(n), who])  # fmt: skip
    kept = [i for i, head in enumerate(heads) if not (is_old and head == "median")]
    return "\n".join(",".join(row[i] for i in kept) for row in [heads, *rows]) + "\n"


def _summary(version, name, tag, value):
    if version == "old":
        values = [{"name": "value", "type": "float64", "value": value}]
        return {"name": f"Average {name} Time (Cold)", "values": values}
    data = [{"name": "value", "type": "float64", "value": repr(value)}]
    return {"tag": tag, "name": f"{name} Time", "hint": "duration", "data": data}


def nvbench_json(version="1.0"):
    """Return nvbench's JSON: the old one has values by their names, and no tags."""
    benches = []
    for who in ("cpu", "gpu"):
        states = []
        for n in (*SIZES, 2**20):
            axis = {"name": "Elements", "type": "int64", "value": str(n)}
            summaries = [
                _summary(version, "CPU", "nv/cold/time/cpu/mean", 7 * seconds(who, n)),
                _summary(version, "GPU", "nv/cold/time/gpu/mean", seconds(who, n)),
            ]
            state = {"name": f"Device=0 Elements={n}", "device": 0,
                     "axis_values": [axis], "is_skipped": False,
                     "summaries": summaries}  # fmt: skip
            if version == "old":
                state["summaries"] = {
                    s["name"]: {"values": s["values"]} for s in summaries
                }
            if n == 2**20 and who == "gpu":
                state |= {"summaries": None, "is_skipped": True,
                          "skip_reason": "out of memory"}  # fmt: skip
            states.append(state)
        benches.append({"name": who, "devices": [0], "axes": [], "states": states})
    meta = {} if version == "old" else {"meta": {"version": {"json": {"major": 1}}}}
    devices = [{"id": 0, "name": "A box's GPU"}]
    return json.dumps({**meta, "devices": devices, "benchmarks": benches})


def nvbench_csv(version="1.0"):
    """Return nvbench's CSV: the size is an axis of powers, or not."""
    power = ["Elements (pow2)"] if version == "1.0" else []
    lines = [["Benchmark", "Device", "Device Name", *power, "Elements", "Skipped",
              "Samples", "CPU Time (sec)", "Noise (%)", "GPU Time (sec)", "Noise (%)",
              "Elem/s (elem/sec)"]]  # fmt: skip
    for who, n in CELLS:
        of = [f"2^{int(math.log2(n))}"] if power else []
        time = seconds(who, n)
        lines.append([who, "0", "X", *of, str(n), "No", "100", repr(7 * time), "inf",
                      repr(time), "0.7", "1e9"])  # fmt: skip
    of = ["2^20"] if power else []
    lines.append(["gpu", "0", "X", *of, str(2**20), "Yes", *[""] * 6])
    return "\n".join(map(",".join, lines)) + "\n"


def julia_json(version="1.3"):
    """Return BenchmarkTools.jl's JSON: types had the package's name before them."""
    before = "BenchmarkTools." if version == "0.4" else ""

    def group(data):
        return [f"{before}BenchmarkGroup", {"data": data, "tags": []}]

    def trial(who, n):
        times = [1e9 * t for t in repeated(who, n)]
        params = [f"{before}Parameters", {"samples": 100, "evals": 1}]
        fields = {"times": times, "gctimes": [0.0] * len(times), "memory": 0,
                  "allocs": 0, "params": params}  # fmt: skip
        return [f"{before}Trial", fields]

    if version == "0.4":
        suite = group({w: group({str(n): trial(w, n) for n in SIZES})
                       for w in ("cpu", "gpu")})  # fmt: skip
    else:
        suite = group({f'("{w}", {n})': trial(w, n) for w, n in CELLS})
    versions = {"Julia": "1.9.0", "BenchmarkTools": "1.0.0"}
    return json.dumps([versions, [suite]])


def triton_csv(version="ms"):
    """Return a CSV of triton.testing with the unit in its heads."""
    lines = [f"N,cpu ({version}),gpu ({version})"]
    for n in SIZES:
        times = [seconds(who, n) for who in ("cpu", "gpu")]
        cells = [1e3 * t if version == "ms" else n * 8e-9 / t for t in times]
        lines.append(f"{n}.0,{cells[0]!r},{cells[1]!r}")
    return "\n".join(lines) + "\n"


def pytest_json(version="5.1", node="box", slower=1.0, commit="1a2b3c4d5e6f"):
    """Return pytest-benchmark's JSON: version 3.0 names no parameters."""
    found = []
    for who, n in CELLS:
        times = [slower * t for t in repeated(who, n)]
        record = {
            "group": None,
            "name": f"test_train[{who}-{n}]",
            "fullname": f"tests/test_it.py::test_train[{who}-{n}]",
            "extra_info": {"loss": n / 7},
            "options": {"timer": "perf_counter"},
            "stats": {"min": min(times), "max": max(times), "median": median(times),
                      "mean": sum(times) / len(times), "data": times, "rounds": 8,
                      "iterations": 1},
        }  # fmt: skip
        if version != "3.0":
            record["param"] = f"{who}-{n}"
            record["params"] = {"device": who, "n": n}
        found.append(record)
    return json.dumps(
        {
            "machine_info": {"node": node, "python_version": "3.11.7"},
            "commit_info": {"id": commit, "dirty": False},
            "benchmarks": found,
            "datetime": "2026-01-01T00:00:00",
            "version": {"3.0": "3.0.0", "4.0": "4.0.0"}.get(version, "5.1.0"),
        }
    )


def asv_store(folder, version=2, machine="box", commit="1a2b3c4d", slower=1.0,
              samples=True, date=1_700_000_000_000):  # fmt: skip
    """Write a store of one commit: a benchmark of (device, n), a function a device."""
    home = folder / machine
    home.mkdir(parents=True, exist_ok=True)
    (home / "machine.json").write_text(json.dumps({"machine": machine, "version": 1}))
    params = [["'cpu'", "'gpu'"], [str(n) for n in SIZES]]
    cells = [(who, n) for who in ("cpu", "gpu") for n in SIZES]

    def of(cells, params):
        kept = [[slower * t for t in repeated(who, n)] for who, n in cells]
        return [median(t) for t in kept], params, kept if samples else None

    results = {"suite.Train.time_train": of(cells, params)}
    for who in ("cpu", "gpu"):
        mine = [(who, n) for n in SIZES]
        results[f"suite.Each.time_{who}"] = of(mine, params[1:])
    results["suite.Train.peakmem_train"] = ([1e9] * 10, params, None)
    fields = {
        "commit_hash": commit.ljust(40, "0"),
        "env_name": "virtualenv-py3.11",
        "date": date,
        "params": {"machine": machine, "python": "3.11"},
        "python": "3.11",
        "requirements": {},
        "version": version,
    }
    if version == 1:
        names = ("result", "params", "samples")
        fields["results"] = {
            name: dict(zip(names, value, strict=True))
            for name, value in results.items()
        }
        fields["results"]["suite.time_plain"] = 0.25
    else:
        fields["result_columns"] = ["result", "params", "version", "samples"]
        fields["results"] = {
            name: [result, params, "v1", kept]
            for name, (result, params, kept) in results.items()
        }
        fields["results"]["suite.time_plain"] = [[0.25], [], "v1"]
    file = home / f"{commit}-virtualenv-py3.11.json"
    file.write_text(json.dumps(fields))
    described = {
        "suite.Train.time_train": {"param_names": ["device", "n"], "type": "time",
                                   "unit": "seconds"},
        "suite.Train.peakmem_train": {"param_names": ["device", "n"],
                                      "type": "peakmemory", "unit": "bytes"},
        **{f"suite.Each.time_{who}": {"param_names": ["n"], "type": "time",
                                      "unit": "seconds"} for who in ("cpu", "gpu")},
        "version": 2,
    }  # fmt: skip
    (folder / "benchmarks.json").write_text(json.dumps(described))
    return file


def flat(analysed):
    """Return each answer with what was asked."""
    return [(asked, row) for asked, found in analysed.pairs for row in found]
