"""Collected only by `pytest --benchmark-only`; says what machine it was."""

from pathlib import Path
from typing import Any

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the suite out unless benchmarks are asked for, and nothing else."""
    return None if config.getoption("benchmark_only", False) else True


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add what pytest-benchmark does not know: accelerators, drivers, BLAS, threads."""
    from crossover.suites.facts import machine_facts

    machine_info.update(machine_facts())
