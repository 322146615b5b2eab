"""Count what trainer `compiled` launches on an H100, from the code written for it.

    make compiled-offline

No GPU and no driver is needed. The trainer prepares, and trains an epoch, with fake
tensors on a GPU that is only described (`offline_gpu`): inductor generates its code,
Triton compiles each kernel of it for sm_90, and a call is counted instead of run. Exit
code 1: launches a step are not as docs/compiled_graphed.md says; 2: torch has no CUDA.
"""

import collections
import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from bench.promises.generated_code import Launched, kernels, launched
from bench.promises.offline_gpu import NAME, Call, described
from softmax_core import Case, make_data
from softmax_core.launches import Counter, count_launches
from softmax_core.trainers import compiled
from softmax_core.trainers.closed_form import step_in_place

CASES = {
    "the lesson's case": (Case(), 2.0, None),
    "with momentum": (Case(momentum=0.5), 2.0, None),
    "large batches": (Case(samples=80_000, batch_size=10_000), 3.0, None),
    "wide": (Case(samples=6000, features=784, classes=10, batch_size=64), 4.0, 7.0),
}
"""Cases, and launches a step as docs/compiled_graphed.md has them: with products as
they are, and padded; the latter is None if inductor does not think of padding."""


@dataclass
class Epoch:
    """What an epoch of compiled calls launches, counted from generated code."""

    modules: dict[str, Launched] = field(default_factory=dict)
    """What a call of each generated module launches, by the module's text."""
    calls: collections.Counter[str] = field(default_factory=collections.Counter)
    """How often each module is called."""
    copies: int = 0
    """Launches that copy a misaligned argument."""

    def load(self, code: str) -> Call:
        """Return a function that counts the calls of a generated module."""
        module = self.modules[code] = launched(code)

        def call(arguments: list[Any]) -> tuple[()]:
            self.calls[code] += 1
            self.copies += module.copies(arguments)
            return ()

        return call

    def restart(self) -> None:
        """Forget the calls so far."""
        self.calls.clear()
        self.copies = 0

    @property
    def launches(self) -> int:
        """Return all launches of the epoch's calls."""
        each = (self.modules[code].kernels * n for code, n in self.calls.items())
        return sum(each) + self.copies


def lowered(case: Case, is_padded: bool) -> tuple[Epoch, int, int]:
    """Return an epoch, how many kernels Triton compiled, and the products in question.

    Args:
        case: what the trainer prepares and trains.
        is_padded: what a measurement of products with padded sizes would have said.
    """
    data, epoch = make_data(case), Epoch()
    compiled._compiled.cache_clear()
    with described(epoch.load, is_padded) as products:
        session = compiled.CompiledTrainer().prepare(case, data, "cuda", drawn_on="cpu")
        epoch.restart()  # the warm-up called each module once
        session.train(1)
        count = sum(map(compile_kernels, epoch.modules))
    compiled._compiled.cache_clear()
    return epoch, count, len(products)


def compile_kernels(code: str) -> int:
    """Let Triton compile a module's kernels for the described GPU; return how many."""
    sources = kernels(code)
    with TemporaryDirectory() as folder:
        for name, source in sources.items():
            path = Path(folder, f"{name[:100]}.py")
            path.write_text(source, encoding="utf-8")
            found = importlib.util.spec_from_file_location("generated", path)
            assert found
            assert found.loader
            module = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            kernel = getattr(module, name)
            kernel.precompile(warm_cache_only=True)  # every variant, and no launcher
            made = [variant.kernel.asm for variant in kernel.compile_results]
            if not made or not all(_is_for_sm_90(variant) for variant in made):
                raise ValueError(f"{name}: Triton made no code for sm_90")
    return len(sources)


def _is_for_sm_90(made: dict[str, Any]) -> bool:
    return ".target sm_90" in made["ptx"] and len(made["cubin"]) > 0


def show(case: Case, is_padded: bool) -> tuple[float, int]:
    """Print what the code launches; return launches a step, and questions."""
    epoch, count, questions = lowered(case, is_padded)
    sizes = list(dict.fromkeys(compiled.call_sizes(case)))
    if questions:
        answer = "padded" if is_padded else "not padded"
        print(
            f"  {questions} products that the GPU would time, padded or not: {answer}"
        )
    for steps, (code, module) in zip(sizes, epoch.modules.items(), strict=True):
        call = f"a call of {len(steps)} x {steps[0]:,} rows, {epoch.calls[code]} in all"
        kinds = f"{len(module.triton)} of Triton, {len(module.extern)} of the library"
        print(f"  {call}: {kinds}")
    if epoch.copies:
        print(f"  {epoch.copies} copies of misaligned rows")
    per_step = epoch.launches / case.steps_per_epoch
    print(f"  {per_step:g} launches a step; Triton compiled {count} kernels for sm_90")
    return per_step, questions


def not_compiled(case: Case) -> int:
    """Return the launches of the same step, operator by operator."""
    X, y = torch.zeros(6, 4), torch.zeros(6, 1, dtype=torch.long)
    w, velocity = torch.zeros(3, 4), torch.zeros(3, 4)
    with Counter() as counter:
        step_in_place(X, y, w, velocity, case)
    return int(counter.launches)


def differences(name: str) -> list[str]:
    """Print a case; return what is not as expected."""
    case, *expected = CASES[name]
    print(f"{name}: {case.features} features, {case.classes} classes")
    told, wrong = count_launches("compiled", case), []
    for is_padded, steps in zip((False, True), expected, strict=True):
        if is_padded and steps is None:
            continue
        per_step, questions = show(case, is_padded)
        if per_step != steps:
            wrong.append(f"{name}: {per_step:g} launches a step, expected {steps:g}")
        if bool(questions) != (expected[1] is not None):
            wrong.append(f"{name}: inductor asked {questions} times about padding")
        if told.per_step not in (None, per_step):
            wrong.append(f"{name}: count_launches says {told.per_step:g} a step")
    print(f"  {not_compiled(case)} if not compiled. count_launches says of compiled:")
    print(f"  {told.reason or told.per_step}\n", flush=True)
    return wrong


def main() -> int:
    """Print all cases; return 1 if one is not as expected, 2 without CUDA's torch."""
    if torch.version.cuda is None or importlib.util.find_spec("triton") is None:
        have = f"torch {torch.__version__} is no build for CUDA with triton"
        print(f"{have}: make compiled-offline installs one", file=sys.stderr)
        return 2
    print(f"torch {torch.__version__}, for an {NAME} that is only described\n")
    wrong = [text for name in CASES for text in differences(name)]
    print("\n".join(wrong) if wrong else "as docs/compiled_graphed.md says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
