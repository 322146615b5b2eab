"""The arrows of the design: who may import whom, and what is never loaded."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import crossover

ROOT = Path(__file__).parent.parent
PACKAGES = "crossover", "softmax_core"
FILES = [path for name in PACKAGES for path in sorted(ROOT.glob(f"{name}/**/*.py"))]

ALLOWED = {
    "nouns": "",
    "interrupts": "",
    "findings": "nouns",
    "files": "nouns",
    "workloads": "nouns findings",
    "spec": "nouns files workloads",
    "crossing": "findings",
    "measure": "nouns interrupts spec workloads",
    "record": "nouns files spec workloads",
    "analysis": "nouns findings record spec workloads crossing",
    "plan": "nouns spec workloads crossing analysis",
    "pipeline": "nouns spec measure record plan",
    "selftest": "findings spec workloads crossing measure analysis pipeline",
    "sources": "nouns files spec workloads crossing record analysis",
    "sources.table": "nouns findings files spec crossing analysis",
    "report.words": "nouns findings spec analysis",
    "report.pictures": "nouns findings files workloads analysis report.words",
    "report": "nouns findings files spec workloads crossing record analysis "
    "report.words report.pictures",
    "predict": "nouns findings files spec workloads crossing measure record analysis",
    "doctor": "workloads measure",
    "lesson": "nouns interrupts findings files spec workloads crossing measure record "
    "analysis plan pipeline report report.pictures report.words",
    "suites": "nouns files spec workloads measure analysis pipeline",
    "command": "nouns findings interrupts files spec workloads measure record analysis "
    "plan pipeline selftest sources report",
    "launch": "nouns interrupts files spec measure record plan pipeline command",
    "__main__": "cli",
    "cli": "nouns interrupts files record sources.table predict doctor lesson command "
    "launch",
}
"""Each folder and single module of the engine, lowest first: what it may import."""
ARITHMETIC = {"workloads", "lesson", "measure", "suites"}
"""Who imports `softmax_core`."""
NEVER = {
    "softmax_core": ("pandas", "seaborn", "time"),
    "crossover.nouns": ("torch", "pandas"),
    "crossover.plan": ("time",),
    "crossover.record": ("torch",),
    "crossover.pipeline": ("torch",),
    "crossover.analysis": ("torch",),
    "crossover.sources": ("torch",),
    "crossover.report": ("torch", "scipy"),
    "crossover.suites": ("pandas",),
    "crossover.cli": ("torch", "pandas", "scipy"),
    "crossover.selftest": ("torch",),
    "crossover.command": ("torch", "pandas", "scipy"),
    "crossover.record.journal": ("crossover.record.run_folder",),
    "crossover.record.lock": ("crossover.record.run_folder", "crossover.record.codec"),
}
"""What these never import themselves."""
MOST_MODULES, MOST_LINES = 14, 350


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


def place(name):
    """Return the folder or single module of the engine that holds a name."""
    inside = name.removeprefix("crossover.")
    return max((p for p in ALLOWED if within(inside, p)), key=len, default=inside)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_one_way(path):
    name = module_name(path)
    names = set(imports(path))
    if within(name, "softmax_core") or name == "crossover.__init__":
        return
    mine = place(name)
    wanted = {place(i) for i in names if within(i, "crossover")} - {mine}
    assert wanted <= {*ALLOWED[mine].split()}
    if any(within(i, "softmax_core") for i in names):
        assert mine in ARITHMETIC


def test_the_arithmetic_knows_nothing_of_the_engine():
    for path in ROOT.glob("softmax_core/**/*.py"):
        assert not any(within(i, "crossover") for i in imports(path))


def test_the_arrows_form_no_circle_and_none_is_listed_in_vain():
    order = TopologicalSorter({p: names.split() for p, names in ALLOWED.items()})
    assert {*order.static_order()} == {*ALLOWED}
    used = {
        (place(module_name(path)), place(name))
        for path in FILES
        for name in imports(path)
        if within(name, "crossover")
    }
    listed = {(p, name) for p, names in ALLOWED.items() for name in names.split()}
    assert listed <= used


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_what_a_module_never_imports(path):
    for layer, forbidden in NEVER.items():
        if within(module_name(path), layer):
            wrong = [i for i in imports(path) if any(within(i, f) for f in forbidden)]
            assert wrong == []


def test_no_folder_holds_more_than_a_reader_can_survey():
    for folder in {path.parent for path in FILES}:
        modules = [p for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("from softmax_core import train", ("pandas", "seaborn", "crossover")),
        ("import crossover.cli", ("torch", "pandas", "seaborn", "scipy", "matplotlib")),
        ("import crossover.analysis.frame", ("torch",)),
        ("import crossover.analysis.breakeven", ("torch", "pandas")),
        ("import crossover.pipeline", ("torch", "pandas")),
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
    assert len(path.read_text().splitlines()) <= MOST_LINES


NAMES_A_KIND = {
    "softmax_core.registry": "for which kind a trainer is written",
    "softmax_core.device": "which kinds are listed, with whose driver and CUDA",
    "softmax_core.experiments_worked": "the lesson's own `.cuda()`",
    "softmax_core.trainers.compiled": "Metal's compiler needs no triton",
    "softmax_core.trainers.graphed": "CUDA graphs",
    "softmax_core.trainers.fused_cuda.trainer": "a kernel for CUDA",
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


def test_the_public_face_is_small_guarded_and_loads_nothing():
    face = ROOT / "crossover/__init__.py"
    assert len(face.read_text().splitlines()) < 100
    code = "import crossover, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [m for m in loaded if m.startswith("crossover.")] == []
    assert crossover.__all__ == ["Frames", "InputError", "__version__", "read_run"]
    assert dir(crossover) == crossover.__all__
    assert all(getattr(crossover, name) for name in crossover.__all__)
    with pytest.raises(AttributeError, match="no attribute 'answer'"):
        crossover.answer  # noqa: B018
