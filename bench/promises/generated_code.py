"""Read the module that inductor generates: what its function `call` launches.

Nothing is run. What comes in is the module's text; `compiled_offline` asks.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

QUIET = {
    "args.clear",
    "assert_size_stride",
    "empty_strided_cuda",
    "get_raw_stream",
    "reinterpret_tensor",
    "torch.cuda._DeviceGuard",
    "torch.cuda.set_device",
}
"""Calls that start no kernel."""
COPY = "copy_if_misaligned"
"""Copies an argument unless its address is a multiple of 16: one launch, or none."""
ALIGNMENT = 16
"""Bytes. Buffers begin at a multiple of it; a view may not."""
STRAIGHT = ast.Assign, ast.Delete, ast.Expr, ast.Return, ast.With
"""Statements that are carried out once a call."""
REPEATED = ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp
"""Expressions whose parts are not carried out just once."""


@dataclass(frozen=True)
class Launched:
    """What one call of a generated module launches, in order."""

    arguments: tuple[str, ...]
    triton: tuple[str, ...]
    """Kernels that inductor wrote."""
    extern: tuple[str, ...]
    """Calls into the device's libraries, which may take several kernels each."""
    copied: tuple[str, ...]
    """Arguments that are copied first if they are misaligned."""

    @property
    def kernels(self) -> int:
        """Return the launches of a call whose arguments are aligned."""
        return len(self.triton) + len(self.extern)

    def copies(self, arguments: list[Any]) -> int:
        """Return how many tensors the call copies, given its arguments."""
        given = dict(zip(self.arguments, arguments, strict=True))
        starts = (given[n].storage_offset() * given[n].itemsize for n in self.copied)
        return sum(start % ALIGNMENT > 0 for start in starts)


def launched(code: str) -> Launched:
    """Return what a call of the generated module launches.

    Raises:
        ValueError: for a loop, a branch, or a function of which it is not known whether
            it launches: then a count would be a guess.
    """
    function = _call(code)
    names: dict[str, list[str]] = {"triton": [], "extern": [], "copied": []}
    for called in _calls(function.body):
        name = ast.unparse(called.func)
        if name.startswith("triton_") and name.endswith(".run"):
            names["triton"].append(name.removesuffix(".run"))
        elif name.startswith("extern_kernels."):
            names["extern"].append(name.removeprefix("extern_kernels."))
        elif name == COPY:
            names["copied"].append(ast.unparse(called.args[0]))
        elif name not in QUIET:
            raise ValueError(
                f"line {called.lineno}: {name} is in no list; does it launch a kernel?"
            )
    return Launched(_arguments(function), **{k: tuple(v) for k, v in names.items()})


def kernels(code: str) -> dict[str, str]:
    """Return the source of each Triton kernel in a generated module, by its name."""
    return {
        ast.literal_eval(node.args[0]): ast.literal_eval(node.args[1])
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "async_compile.triton"
    }


def _call(code: str) -> ast.FunctionDef:
    found = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef) and node.name == "call"
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} functions are named call: must be one")
    return found[0]


def _arguments(function: ast.FunctionDef) -> tuple[str, ...]:
    """Return the names into which the first line unpacks `args`."""
    first = function.body[0]
    assert isinstance(first, ast.Assign)
    assert ast.unparse(first.value) == "args"
    target = first.targets[0]
    assert isinstance(target, ast.Tuple)
    return tuple(ast.unparse(name) for name in target.elts)


def _calls(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """Yield the calls of straight code, line by line."""
    for statement in body:
        if not isinstance(statement, STRAIGHT):
            kind = type(statement).__name__
            raise ValueError(f"line {statement.lineno}: {kind} is not carried out once")
        if isinstance(statement, ast.With):
            for item in statement.items:
                yield from _within(item)
            yield from _calls(statement.body)
        else:
            yield from _within(statement)


def _within(node: ast.AST) -> Iterator[ast.Call]:
    for inner in ast.walk(node):
        if isinstance(inner, REPEATED):
            kind = type(inner).__name__
            raise ValueError(f"line {inner.lineno}: {kind} is not carried out once")
        if isinstance(inner, ast.Call):
            yield inner
