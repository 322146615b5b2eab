"""Collect the suite for `pytest --benchmark-only` only, and describe the machine."""

from pathlib import Path
from typing import Any

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the suite out unless `--benchmark-only` is given."""
    return None if config.getoption("benchmark_only", False) else True


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add accelerators, drivers, BLAS and threads, which pytest-benchmark omits."""
    from crossover.suites.facts import machine_facts

    machine_info.update(machine_facts())


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Add the declaration of the cells' workload, so that it need not be loaded."""
    from crossover.suites.cells import declaration

    output_json.update(declaration())
