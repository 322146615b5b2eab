"""Whatever things are called, what is written has names that every system takes."""

import ast
import re
from pathlib import Path

import pytest
from test_without_torch import NUMPY, SMALL

from crossover.files.untrusted import InputError, file_name
from crossover.spec.spec import parse_spec

ROOT = Path(__file__).parent.parent
WINDOWS_OWN = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
NOT_FOR_WINDOWS = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')


def check_names(folder):
    """Check that the files of a folder can be copied to every system."""
    paths = [*folder.rglob("*")]
    assert paths
    for path in paths:
        assert not WINDOWS_OWN.match(path.name), path
        assert not NOT_FOR_WINDOWS.search(path.name), path
    relative = [str(path.relative_to(folder)).casefold() for path in paths]
    assert len({*relative}) == len(paths)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("con", "_con"), ("NUL.json", "_NUL.json"), ("Com1.a.b", "_Com1.a.b"),
        ("console", "console"), ("com", "com"), ("lpt10", "lpt10"), ("a.con", "a.con"),
        ("cuda:0/resident@1", "cuda_0_resident_1"), ("12:30:05", "12_30_05"),
        ("a. ", "a._"), ("a..", "a"), ("x" * 119 + ".y", "x" * 119), ("...", "run"),
    ],
)  # fmt: skip
def test_a_text_as_a_name(text, name):
    assert file_name(text) == name


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["con"], "launch.nodes: name = 'con': must be letters, digits and any of ._-"),
        (["Lpt1.old"], "and not a name of Windows' own such as con"),
        (["a."], "launch.nodes: name = 'a.': must be letters, digits and any of ._-"),
        (["a100", "A100"], "name = 'A100': must differ from a100 in more than case"),
    ],
)
def test_node_types_that_some_systems_take_for_another_are_refused(names, message):
    fields = {
        "contenders": ["cpu/resident@1", "cpu/manual@1"],
        "pairs": [["cpu/resident@1", "cpu/manual@1"]],
        "sweep": [{"axis": "samples", "values": [20, 40]}],
        "launch": {"nodes": {name: {} for name in names}},
    }
    with pytest.raises(InputError) as refused:
        parse_spec(fields, "test")
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["aux.py", "NUL.py", "lambda.py"])
def test_no_file_is_begun_under_a_name_that_is_taken(crossover, tmp_path, name):
    code, _, errors = crossover("init", name)
    assert code == 2
    assert f"file = '{name}': must be a name such as my_job.py" in errors
    assert not [*tmp_path.iterdir()]


def test_a_run_whose_names_differ_only_in_case(crossover, undrawn, tmp_path):
    text = NUMPY.replace("n=64", "n=64, N=3")
    (tmp_path / "Prüfstand").mkdir()
    (tmp_path / "Prüfstand" / "nul.py").write_text(text, encoding="utf-8")
    who = "cpu/product@1", "cpu/twice@1", "cuda:7/product"
    asked = [word for one in who for word in ("--contender", one)]
    code, said, errors = crossover(
        "run", "Prüfstand/nul.py", "n=8,64", "N=3,4", *SMALL, *asked,
        "--out", "Prüfstand/out",
    )  # fmt: skip
    assert code in (0, 3), errors
    assert "cuda:7/product: unavailable" in said
    check_names(tmp_path / "Prüfstand" / "out")


def test_a_table_whose_names_differ_only_in_case(crossover, tmp_path):
    lines = ["model,contender,n,seconds"]
    for model in ("con", "CON", "a:b", "a/b", "a."):
        for n in (1, 10, 100):
            lines += [
                f"{model},cpu,{n},{0.01 * n}",
                f"{model},CPU,{n},{0.1 + 0.001 * n}",
            ]
    (tmp_path / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    code, said, errors = crossover(
        "analyse", "table.csv", "--by", "model", "--out", "out"
    )
    assert code == 0, said + errors
    check_names(tmp_path / "out")


MOST_UNSAID = {"read_text": 0, "write_text": 1, "fdopen": 99}
"""Calls, and how many arguments they have when none is the encoding."""


def unsaid(path):
    """Return the lines in which a text is read or written in an encoding unsaid."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        called = getattr(getattr(node, "func", None), "attr", None)
        given = {keyword.arg for keyword in getattr(node, "keywords", ())}
        if given & {"text", "universal_newlines"}:
            yield f"{path.name}:{node.lineno} a pipe"
        elif called in MOST_UNSAID and "encoding" not in given:
            modes = [a.value for a in node.args[1:2] if isinstance(a, ast.Constant)]
            is_binary = called == "fdopen" and any("b" in str(mode) for mode in modes)
            if len(node.args) <= MOST_UNSAID[called] and not is_binary:
                yield f"{path.name}:{node.lineno} {called}"


def test_every_text_has_its_encoding_said():
    """The linter sees most; this sees files whose type it does not know, and pipes."""
    files = [
        p for name in ("crossover", "softmax_core") for p in (ROOT / name).rglob("*.py")
    ]
    assert [one for path in files for one in unsaid(path)] == []
