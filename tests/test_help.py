"""Every help can be read anywhere, and every example is one that the program takes."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from crossover.cli import app

ROOT = Path(__file__).parent.parent
PROGRAM = typer.main.get_command(app)
COMMANDS = PROGRAM.commands
TEXTS = [
    ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]  # fmt: skip
PLACEHOLDERS = re.compile(r"\.\.\.|[\[\]|<>]")
"""What a line of syntax holds and an example does not."""


@pytest.fixture
def plain(monkeypatch):
    """Let the terminal be one of 80 columns that knows no colours."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_of_the_program_and_of_every_command(
    crossover, plain, monkeypatch, flag, columns
):
    monkeypatch.setenv("COLUMNS", columns)
    for name in ("", *COMMANDS):
        code, said, errors = crossover(*filter(None, [name]), flag)
        assert (code, errors) == (0, ""), name
        assert said.startswith("Usage: crossover " + name)
        assert max(map(len, said.splitlines())) <= 80
        assert "\x1b" not in said


def test_help_on_a_terminal_with_colours(crossover, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, said, _ = crossover("run", "--help")
    assert code == 0
    assert "DEVICE[/TRAINER][@[RANKSx]THREADS]" in said


def test_every_option_is_explained_and_flags_look_like_flags(crossover, plain):
    for name, command in COMMANDS.items():
        for option in command.params:
            assert option.help, (name, option.name)
        _, said, _ = crossover(name, "--help")
        assert "<bool>" not in said
        assert "<str>" not in re.sub(r"^  [A-Z]+ <str>", "", said, flags=re.M)


def test_every_line_of_the_overview_is_whole(crossover, plain):
    _, said, _ = crossover()
    assert said == crossover("--help")[1]
    assert "..." not in said.replace("[ARGS]...", "")


def test_the_version_is_that_of_the_distribution(crossover):
    code, said, _ = crossover("--version")
    assert code == 0
    assert re.fullmatch(r"crossover \d+\.\d+\.\d+\n", said)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_an_example_and_stands_in_the_readme(name):
    assert f"  crossover {name}" in COMMANDS[name].epilog
    assert f"`crossover {name}" in (ROOT / "README.md").read_text()


def examples(text):
    """Yield the command lines in a text: in its code blocks, and between backticks."""
    text = re.sub(r"\\\n\s*", "", text)
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, flags=re.M | re.S))
    indented = re.findall(r"^ {4,}(?:\$ )?(crossover .*)", text, flags=re.M)
    yield from re.findall(r"^(?:\$ )?(crossover .*)", fenced, flags=re.M)
    yield from (line for line in indented if not PLACEHOLDERS.search(line))
    for span in re.findall(r"`(crossover [^`]*)`", text):
        if not PLACEHOLDERS.search(span):
            yield " ".join(span.split())


def parse(line):
    """Have the command line read a line, as far as running it."""
    program, name, *rest = shlex.split(line, comments=True)
    assert name in COMMANDS, line
    if not {"-h", "--help"} & {*rest}:
        COMMANDS[name].make_context(f"{program} {name}", rest)


def is_abbreviated(line):
    """Tell whether a line names a command alone, as prose does: `crossover analyse`."""
    words = line.split()
    return len(words) == 2 or words[1].startswith("-")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_example_in_a_text_is_parsed(path):
    for line in examples(path.read_text()):
        if is_abbreviated(line):
            assert line.split()[1] in (*COMMANDS, "--version"), line
        else:
            parse(line)


def test_every_example_of_a_help_is_parsed():
    lines = [
        one
        for c in COMMANDS.values()
        for one in examples(c.epilog.replace("\n", "\n  "))
    ]
    assert len(lines) >= len(COMMANDS)
    for line in lines:
        parse(line)


def test_a_line_that_is_no_example_is_noticed():
    with pytest.raises(typer.TyperException, match="No such option"):
        parse("crossover run --no-such-option")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--no-such-option"), "No such option: --no-such-option"),
        (("run", "--rounds", "many"), "--rounds"),
        (("run", "--features", "many"), "features = 'many'"),
        (("analyse",), "FILE"),
        (("nothing",), "nothing"),
    ],
)
def test_what_cannot_be_parsed_is_one_line(crossover, arguments, said):
    code, out, errors = crossover(*arguments)
    assert (code, out) == (2, "")
    assert said in errors
    assert errors.count("\n") == 1
