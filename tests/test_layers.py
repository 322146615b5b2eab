"""The arrows of the design: who may import whom, and what is never loaded."""

import ast
import functools
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
    "interrupts": "",
    "files": "",
    "system": "",
    "contender": "files",
    "nouns": "contender",
    "findings": "contender nouns",
    "workloads": "files contender nouns findings",
    "spec": "files contender nouns workloads",
    "crossing": "findings",
    "latency": "files contender nouns spec crossing",
    "proof": "files system",
    "measure": "interrupts files system contender nouns workloads spec proof",
    "record": "files contender nouns workloads spec",
    "analysis": "contender nouns findings workloads spec crossing latency record",
    "plan": "contender nouns findings workloads spec crossing latency analysis",
    "attempts": "system contender nouns spec latency measure plan",
    "pipeline": "files nouns spec measure record plan attempts",
    "selftest": "findings workloads spec crossing latency measure analysis plan "
    "pipeline",
    "sources": "files contender nouns workloads spec crossing record analysis",
    "choose.shipped": "",
    "choose": "files findings nouns workloads crossing analysis choose.shipped",
    "report.words": "files contender nouns findings workloads spec analysis",
    "report.pictures": "files nouns findings workloads analysis report.words",
    "sources.table": "files nouns findings spec crossing analysis report.words "
    "report.pictures",
    "sources.foreign": "files findings spec crossing sources sources.table",
    "gate": "files contender nouns findings crossing analysis report.words "
    "report.pictures",
    "report": "files contender nouns findings workloads spec crossing latency analysis "
    "choose report.words report.pictures",
    "predict": "files nouns findings workloads spec crossing measure record analysis "
    "report.words",
    "doctor": "system workloads measure proof",
    "lesson": "interrupts files system contender nouns findings workloads spec "
    "crossing measure analysis plan pipeline report.words report.pictures",
    "suites": "files contender nouns workloads spec measure analysis pipeline",
    "command": "interrupts files contender nouns findings workloads spec latency proof "
    "measure choose choose.shipped record analysis plan pipeline selftest sources "
    "sources.table sources.foreign gate report",
    "door": "interrupts files contender nouns findings workloads spec crossing latency "
    "measure record analysis choose choose.shipped plan pipeline sources sources.table "
    "gate report report.words report.pictures command",
    "launch": "interrupts files workloads spec measure record plan pipeline command",
    "cli": "interrupts files measure record predict doctor lesson command launch",
    "__main__": "cli",
}
"""Each folder and single module of the engine, lowest first: what it may import."""
ARITHMETIC = {"workloads", "lesson", "measure", "proof", "suites"}
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
MAY = {("softmax_core.trainers.fused.choose", "time")}
"""Exceptions: the fused trainer measures which of its ways is the fastest."""
MOST_MODULES, MOST_LINES = 14, 350


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_for_types(node):
    """Tell an import that only a type checker follows."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


@functools.cache
def imports(path):
    """Return the names that a file imports when it runs."""
    names = set()
    body = [node for node in parsed(path).body if not is_for_types(node)]
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name, package):
    return name == package or name.startswith(package + ".")


def place(name):
    """Return the folder or single module of the engine that holds a name."""
    inside = name.removeprefix("crossover.")
    return max((p for p in ALLOWED if within(inside, p)), key=len, default=inside)


def test_imports_point_one_way():
    wrong = []
    for path in FILES:
        name, mine = module_name(path), place(module_name(path))
        if within(name, "softmax_core") or name == "crossover.__init__":
            continue
        wanted = {place(i) for i in imports(path) if within(i, "crossover")} - {mine}
        wrong += [(name, to) for to in sorted(wanted - {*ALLOWED[mine].split()})]
        if mine not in ARITHMETIC:
            wrong += [(name, i) for i in imports(path) if within(i, "softmax_core")]
    assert wrong == []


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


def test_what_a_module_never_imports():
    wrong = [
        (module_name(path), i)
        for path in FILES
        for layer, forbidden in NEVER.items()
        if within(module_name(path), layer)
        for i in imports(path)
        if any(within(i, f) for f in forbidden if (module_name(path), f) not in MAY)
    ]
    assert wrong == []


def test_matplotlib_is_imported_only_where_our_settings_come_first():
    others = *ROOT.glob("bench/**/*.py"), *ROOT.glob("docs/*.py")
    drawing = {
        path.parent
        for path in (*FILES, *others)
        for name in imports(path)
        if within(name, "matplotlib") or within(name, "seaborn")
    }
    assert drawing == {ROOT / "crossover/report/pictures"}


def test_no_folder_holds_more_than_a_reader_can_survey():
    for folder in {path.parent for path in FILES}:
        modules = [p for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder


LOADED = {
    "from softmax_core import train": ("pandas", "seaborn", "crossover"),
    "import crossover.cli": ("torch", "pandas", "seaborn", "scipy", "matplotlib"),
    "import crossover.pipeline, crossover.analysis.breakeven": (
        "torch",
        "pandas",
        "scipy.stats",
    ),
    "import crossover.analysis.frame": ("torch", "scipy.stats"),
    "import crossover.door.run, crossover.door.compared": ("torch", "matplotlib"),
    "import crossover.door.pytest_plugin": ("torch", "pandas", "numpy", "pydantic"),
}
"""What is never loaded by an import."""


@pytest.mark.parametrize(("statement", "absent"), LOADED.items())
def test_what_an_import_loads(statement, absent):
    assert {*absent} & loaded_by(statement) == set()


def loaded_by(statement):
    """Return the modules that a new process has loaded after a statement."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return {*done.stdout.split()}


def test_no_file_is_longer_than_a_reader_can_hold():
    lines = {p: len(p.read_text().splitlines()) for p in FILES}
    assert {p: n for p, n in lines.items() if n > MOST_LINES} == {}


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
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute) and node.attr in KINDS:
            yield node.lineno
        if isinstance(node, ast.Compare | ast.Call):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and inner.value in KINDS:
                    yield node.lineno


def test_code_asks_for_a_kind_of_accelerator_only_where_it_must():
    seen = {module_name(p): [*lines_naming_a_kind(p)] for p in FILES}
    assert {name for name, lines in seen.items() if lines} == {*NAMES_A_KIND}, seen


def test_the_public_face_is_small_guarded_and_loads_nothing():
    face = ROOT / "crossover/__init__.py"
    assert len(face.read_text().splitlines()) < 100
    loaded = loaded_by("import crossover")
    assert [m for m in loaded if m.startswith("crossover.")] == []
    assert crossover.__all__ == [
        "Frames", "InputError", "__version__", "analyse", "compare", "find",
        "load_export", "read", "read_run", "run",
    ]  # fmt: skip
    assert dir(crossover) == crossover.__all__
    assert all(getattr(crossover, name) for name in crossover.__all__)
    with pytest.raises(AttributeError, match="no attribute 'answer'"):
        crossover.answer  # noqa: B018
