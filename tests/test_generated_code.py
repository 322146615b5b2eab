"""What a module of inductor's launches, read from its text."""

from pathlib import Path

import pytest
import torch

from bench.promises import compiled_offline
from bench.promises.compiled_offline import CASES, Epoch
from bench.promises.generated_code import kernels, launched

FIXTURES = Path(__file__).parent / "fixtures/inductor"
STEP = (FIXTURES / "wide_step.txt").read_text()
"""A step on 64 rows of 784 features, 10 classes: torch 2.13.0 wrote it for sm_90."""
SOFTMAX = "triton_per_fused__softmax__to_copy_arange_eq_prepare_softmax_online_sub_0"
UPDATE = "triton_poi_fused_copy__mul_sub_1"
LAUNCH = f"            {UPDATE}.run("
assert STEP.count(LAUNCH) == 1


def call(*lines):
    body = "".join(f"    {line}\n" for line in ("a, b = args", *lines))
    return f"def call(args):\n{body}"


def test_a_step_is_two_products_and_two_kernels():
    step = launched(STEP)
    assert step.triton == (SOFTMAX, UPDATE)
    assert step.extern == ("mm", "mm")
    assert step.kernels == 4
    assert (step.arguments, step.copied) == (
        ("arg0_1", "arg1_1", "arg2_1"),
        ("arg0_1", "arg1_1"),
    )


def test_each_launch_counts_and_a_kernel_that_is_not_launched_does_not():
    lines = STEP.splitlines(keepends=True)
    (place,) = (n for n, line in enumerate(lines) if line.startswith(LAUNCH))
    without = "".join(lines[:place] + lines[place + 1 :])
    twice = "".join([*lines[:place], lines[place], *lines[place:]])
    assert launched(without).kernels == 3
    assert launched(without).triton == (SOFTMAX,)
    assert launched(twice).triton == (SOFTMAX, UPDATE, UPDATE)
    assert {*kernels(without)} == {SOFTMAX, UPDATE}


def test_the_sources_of_all_kernels_are_found():
    sources = kernels(STEP)
    assert [*sources] == [SOFTMAX, UPDATE]
    assert all(f"def {name}(" in source for name, source in sources.items())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (call("a.zero_()"), "line 3: a.zero_ is in no list"),
        (call("x = torch.ops.aten.sort.default(a)"), "torch.ops.aten.sort.default is"),
        (call("x = reinterpret_tensor(a.clone(), (2,))"), r"a\.clone is in no list"),
        (
            call("for i in range(3):", "    triton_a.run(a)"),
            "line 3: For is not carried",
        ),
        (call("if b:", "    triton_a.run(a)"), "line 3: If is not carried"),
        (call("x = [triton_a.run(i) for i in a]"), "ListComp is not carried out once"),
        ("x = 1", "0 functions are named call"),
        (call() + call(), "2 functions are named call"),
    ],
)
def test_what_may_launch_unseen_is_refused(code, message):
    with pytest.raises(ValueError, match=message):
        launched(code)


X, Y, W = torch.zeros(4, 3), torch.zeros(4, 1, dtype=torch.long), torch.zeros(5, 2)


@pytest.mark.parametrize(
    ("arguments", "copies"),
    [
        ([X, Y, W], 0),
        ([X[1:], Y, W], 1),  # begins at byte 12
        ([X[1:], Y[1:], W], 2),
        ([X, Y[2:], W], 0),  # begins at byte 16
        ([X, Y, W[1:]], 0),  # of the weights no alignment is asked
    ],
)
def test_views_that_are_not_aligned_cost_a_launch_each(arguments, copies):
    assert launched(STEP).copies(arguments) == copies


def test_an_epoch_adds_up_what_its_calls_launch():
    epoch = Epoch()
    step, other = epoch.load(STEP), epoch.load(call("triton_a.run(a)"))
    step([X, Y, W])
    epoch.restart()
    step([X, Y, W])
    step([X[1:], Y, W])
    other([X, Y])
    assert (epoch.launches, epoch.copies) == (4 + 4 + 1 + 1, 1)


@pytest.mark.parametrize(
    ("name", "plain", "padded", "questions", "wrong"),
    [
        ("the lesson's case", 2.0, None, 0, []),
        ("the lesson's case", 2.5, None, 0, ["2.5 launches a step, expected 2"]),
        ("the lesson's case", 2.0, None, 3, ["inductor asked 3 times about padding"]),
        ("wide", 4.0, 7.0, 20, []),
        ("wide", 4.0, 6.0, 20, ["6 launches a step, expected 7"]),
        ("wide", 4.0, 7.0, 0, ["inductor asked 0 times about padding"] * 2),
    ],
)
def test_another_count_than_the_docs_is_said(
    name, plain, padded, questions, wrong, monkeypatch
):
    def show(case, is_padded):
        assert case == CASES[name][0]
        return (padded if is_padded else plain), questions

    monkeypatch.setattr(compiled_offline, "show", show)
    said = compiled_offline.differences(name)
    assert said == [f"{name}: {text}" for text in wrong]


def test_a_torch_without_cuda_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(torch.version, "cuda", None)
    assert compiled_offline.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "make compiled-offline" in said.err
