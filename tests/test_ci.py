"""docs/ci.md: its workflow can be read, and gives options that the commands have."""

import re
import shlex
from pathlib import Path

import typer.main
import yaml

from crossover.cli import app

TEXT = (Path(__file__).parent.parent / "docs" / "ci.md").read_text("utf-8")
COMMANDS = typer.main.get_command(app).commands


def workflow():
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)
    return yaml.safe_load(block)


def steps():
    (job,) = workflow()["jobs"].values()
    return job["steps"]


def test_the_workflow_has_a_trigger_and_steps_that_do_one_thing():
    assert workflow()[True] == "pull_request"  # YAML reads `on` as true
    assert all(("run" in step) != ("uses" in step) for step in steps())
    paths = [step["with"]["path"] for step in steps() if "checkout" in str(step)]
    assert paths == ["base", "head"]


def test_the_workflow_runs_commands_as_they_are():
    scripts = [step["run"].replace("\\\n", " ") for step in steps() if "run" in step]
    lines = [line for script in scripts for line in script.splitlines()]
    seen = set()
    for line in lines:
        if "/crossover" not in line:
            continue
        _, name, *words = shlex.split(line.partition("||")[0])
        seen.add(name)
        options = [word for word in words if word.startswith("--")]
        known = {o for p in COMMANDS[name].params for o in p.opts}
        assert {*options} <= known
        COMMANDS[name].make_context(name, list(words))
    assert seen == {"run", "compare"}
    (compared,) = [line for line in lines if "crossover compare" in line]
    told = re.findall(r"--markdown (\S+)", compared)
    assert f"cat {told[0]}" in " ".join(lines)


def test_the_documented_verdicts_and_fields_are_those_of_the_models():
    from crossover.gate.outcome import Change, Verdict

    (verdicts,) = re.findall(r"\| `verdict` \| (.*) \|", TEXT)
    assert re.findall(r"`(\w+)`", verdicts) == list(Verdict.__args__)
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", TEXT, re.M)
    fields = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert fields <= set(Change.model_fields)
    assert {"kind", "verdict", "ratio", "low", "high", "failed"} <= fields
