"""Facts about cell and machine that a result needs and neither tool records.

pytest-benchmark's suite stores them beside its times.
"""

import re
from typing import Any

import torch

from crossover.measure.devices import describe_here
from crossover.suites.cells import Prepared
from softmax_core.device import describe, parse_device


def blas() -> str:
    """Return the BLAS that torch was built with."""
    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return found[1] if found else "unknown"


def cell_facts(prepared: Prepared, view: str) -> dict[str, Any]:
    """Return the facts about one result: cell, device, software, equal work.

    Args:
        prepared: the cell.
        view: `train` or `transfer`, which moves the data once in a sample.
    """
    case, contender = prepared.cell.case, prepared.cell.contender
    device = describe(parse_device(contender.device))
    items = {} if prepared.items is None else {"items": prepared.items}
    return {
        **dict(case.values),
        **items,
        "cell_id": prepared.cell.id,
        "workload": case.workload.name,
        "view": view,
        "device": device.description,
        "driver": device.driver,
        "threads": prepared.threads,
        "torch": torch.__version__,
        "sync": "device synchronised before both readings of the clock",
        "loss": prepared.loss,
        "accuracy": prepared.accuracy,
        "calls": prepared.calls if view == "train" else 1,
    }


def machine_facts() -> dict[str, Any]:
    """Return the facts about the machine: accelerators, drivers, BLAS, threads."""
    seen = describe_here(())
    return {
        "cpu_name": seen.cpu,
        "accelerators": [found.model_dump() for found in seen.accelerators],
        "unavailable": seen.unavailable,
        "versions": seen.versions,
        "blas": blas(),
        "threads": seen.threads,
    }
