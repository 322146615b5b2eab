"""The arrows of the design: who may import whom, and what is never loaded."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(ROOT.glob("bench/**/*.py")) + sorted(ROOT.glob("softmax_core/**/*.py"))

OUTSIDE = ("bench.command", "bench.launch", "bench.cli")
"""What nothing of the core may know of."""
FORBIDDEN = {
    "softmax_core": ("bench", "pandas", "seaborn", "time"),
    "bench.nouns": ("torch", "pandas", "bench"),
    "bench.interrupts": ("bench",),
    "bench.spec": (
        "bench.measure", "bench.run", "bench.record", "bench.plan", *OUTSIDE,
    ),
    "bench.plan": (
        "bench.measure", "bench.run", "bench.record", "bench.report", "time", *OUTSIDE,
    ),
    "bench.measure": (
        "bench.plan", "bench.record", "bench.run", "bench.report", "bench.machine",
        *OUTSIDE,
    ),
    "bench.record": (
        "torch", "bench.plan", "bench.run", "bench.report", "bench.analysis", *OUTSIDE,
    ),
    "bench.record.journal": ("bench.record.store",),
    "bench.record.lock": ("bench.record.store", "bench.record.stored"),
    "bench.run": ("bench.report", "bench.analysis", "torch", *OUTSIDE),
    "bench.analysis": (
        "torch", "bench.plan", "bench.report", "bench.run", "bench.measure", *OUTSIDE,
    ),
    "bench.sources": ("torch", "bench.run", "bench.measure", "bench.report", *OUTSIDE),
    "bench.report": ("torch", "bench.run", "bench.measure", "scipy", *OUTSIDE),
    "bench.suites": ("bench.report", "bench.record", "pandas", *OUTSIDE),
    "bench.cli": ("torch", "pandas", "scipy"),
    "bench.command": ("bench.cli", "bench.launch"),
    "bench.command.asked": (
        "bench.measure", "bench.run", "bench.record", "bench.analysis",
    ),
    "bench.command.job": ("torch", "pandas", "scipy"),
    "bench.command.reports": (
        "torch", "pandas", "scipy", "bench.run", "bench.command.job",
    ),
    "bench.command.selftest": ("torch", "bench.report"),
    "bench.launch": ("bench.cli",),
}  # fmt: skip


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_for_types(node):
    """Tell an import that only a type checker follows."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path):
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if not is_for_types(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name, package):
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_one_way(path):
    for layer, forbidden in FORBIDDEN.items():
        if within(module_name(path), layer):
            wrong = [i for i in imports(path) if any(within(i, f) for f in forbidden)]
            assert wrong == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("from softmax_core import train", ("pandas", "seaborn", "bench")),
        ("import bench.cli", ("torch", "pandas", "seaborn", "scipy", "matplotlib")),
        ("import bench.analysis.frame", ("torch",)),
        ("import bench.analysis.breakeven", ("torch", "pandas")),
        ("import bench.run", ("torch", "pandas")),
    ],
)
def test_what_an_import_loads(statement, absent):
    code = (
        f"{statement}; import sys; print([m for m in {absent!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_file_is_longer_than_a_reader_can_hold(path):
    assert len(path.read_text().splitlines()) <= 350


NAMES_A_KIND = {
    "softmax_core.registry": "for which kind a trainer is written",
    "softmax_core.device": "which kinds are listed, whose driver it is",
    "softmax_core.unusable": "which CUDA torch was built for",
    "softmax_core.experiments_worked": "the lesson's own `.cuda()`",
    "softmax_core.trainers.compiled": "Metal's compiler needs no triton",
    "softmax_core.trainers.graphed": "CUDA graphs",
    "softmax_core.trainers.fused_cuda": "a kernel for CUDA",
}
KINDS = {"cuda", "xpu", "mps"}


def lines_naming_a_kind(path):
    """Yield where code, not a text, depends on a kind of accelerator."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in KINDS:
            yield node.lineno
        if isinstance(node, ast.Compare | ast.Call):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and inner.value in KINDS:
                    yield node.lineno


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_code_asks_for_a_kind_of_accelerator(path):
    if module_name(path) not in NAMES_A_KIND:
        assert list(lines_naming_a_kind(path)) == []


def test_where_a_kind_is_named_it_is_seen():
    seen = {module_name(p) for p in FILES if list(lines_naming_a_kind(p))}
    assert seen == set(NAMES_A_KIND)
