"""Run directories from strangers: read as data, or refused in one line."""

import dataclasses
import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
import readers
from trees import NASTY, places

from crossover.files.untrusted import InputError
from crossover.nouns import SCHEMA
from crossover.record import codec, run_folder
from crossover.report import write
from crossover.workloads.softmax import SOFTMAX

WHOLE = Path(__file__).parent / "fixtures" / "schema" / str(SCHEMA)
EVIL = (
    "\x1b[2J\x1b]0;owned\x07</script><script>alert(1)</script>"
    "=HYPERLINK(1);=1+1 {{ 7*7 }} $\\frac{$ \\input{/etc/passwd} [x](javascript:1)"
    " | `\u202e"
)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(WHOLE, tmp_path / "run")
    return tmp_path / "run"


def edit(folder, change):
    header = json.loads((folder / run_folder.HEADER).read_text())
    change(header)
    (folder / run_folder.HEADER).write_text(json.dumps(header))


def rename(folder, name):
    """Call a run something else, in its header and in its rows."""
    edit(folder, lambda header: header.update(run_id=name))
    rows = (folder / run_folder.JOURNAL).read_text().splitlines()
    named = "".join(json.dumps({**json.loads(r), "run_id": name}) + "\n" for r in rows)
    (folder / run_folder.JOURNAL).write_text(named)


def edit_row(folder, change):
    rows = (folder / run_folder.JOURNAL).read_text().split("\n")
    row = json.loads(rows[0])
    change(row)
    rows[0] = json.dumps(row)
    (folder / run_folder.JOURNAL).write_text("\n".join(rows))


def refusal(folder):
    with pytest.raises(InputError) as error:
        run_folder.load(folder)
    said = str(error.value)
    assert said.startswith(f"run = {str(folder)!r}: ")
    return said


@pytest.mark.parametrize("text", ["gpu!", "cpu/", "cpu@" + "9" * 5000, "", "cpu\n", 7])
def test_a_pair_that_cannot_be_parsed_is_one_line(folder, crossover, text):
    edit(
        folder, lambda h: h["spec"]["sweep"][0].update(pairs=[["cpu/resident@1", text]])
    )
    for command in (
        ["report", folder],
        ["compare", folder, WHOLE],
        ["report", "--show", folder],
    ):
        code, said, error = crossover(*command)
        assert (code, said) == (2, "")
        assert error.count("\n") == 1
        assert "run.json: spec" in error or "run.json: sweep.0.pairs" in error


def test_every_field_of_the_header_may_be_of_a_wrong_type(folder):
    text = (folder / run_folder.HEADER).read_text()
    refused = 0
    for i in range(len(places(json.loads(text)))):
        header = json.loads(text)
        holder, key = places(header)[i]
        holder[key] = {"x": [1]} if i % 2 else -1.5
        (folder / run_folder.HEADER).write_text(json.dumps(header))
        try:
            run_folder.load(folder)
        except InputError:
            refused += 1
    assert refused > 60


def test_every_field_of_a_row_may_be_anything(folder):
    text = (folder / run_folder.JOURNAL).read_text().split("\n")[20]
    refused = 0
    for i in range(len(places(json.loads(text)))):
        for value in NASTY[i % 4 :: 4]:
            row = json.loads(text)
            holder, key = places(row)[i]
            holder[key] = value
            refused += readers.refused(
                partial(codec.LineReader(SOFTMAX), json.dumps(row))
            )
    assert refused > 300


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"samples_s": [-1.0]}, "samples_s"),
        ({"samples_s": [float("nan")]}, "samples_s"),
        ({"samples_s": [1e300]}, "samples_s"),
        ({"samples_s": []}, "samples_s"),
        ({"samples_s": "1"}, "samples_s"),
        ({"status": "fine"}, "status"),
        ({"round": -1}, "round"),
        ({"round": 10**400}, "round"),
        ({"calls_per_sample": 0}, "calls_per_sample"),
        ({"setup_s": float("inf")}, "setup_s"),
        ({"contender": {"device": "../x"}}, "contender"),
        ({"contender": {"device": "cpu", "trainer": "best"}}, "not best"),
        ({"case": {"samples": 1}}, "case"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_line_and_field(folder, change, field):
    ok = {"status": "ok", "samples_s": [1.0]}
    edit_row(folder, lambda row: row.update({**ok, **change}))
    said = refusal(folder)
    assert "line 1 of measurements.jsonl is garbled" in said
    assert field in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 10**7, "is too large"),
        ("[" * 10**5, "nested too deep"),
        ('{"schema":' * 10**5, "nested too deep"),
        ('{"schema": 2, "schema": 2}', "key 'schema' is there more than once"),
        ('{"schema": ' + "9" * 5000 + "}", "too many digits"),
        ('{"schema": NaN}', "must have schema"),
        ("[]", "must have schema"),
        ("", "must be JSON"),
        ("\x00", "must be JSON"),
        ('{"sch\x00ema": 2}', "must be JSON"),
    ],
)
def test_a_header_that_is_none(folder, text, said):
    (folder / run_folder.HEADER).write_text(text)
    assert said in refusal(folder)


def test_encodings(folder):
    header = (folder / run_folder.HEADER).read_text()
    (folder / run_folder.HEADER).write_text(header, encoding="utf-8-sig")
    assert run_folder.load(folder) == run_folder.load(WHOLE)
    (folder / run_folder.HEADER).write_text(header, encoding="utf-16")
    assert "UTF-8" in refusal(folder)
    (folder / run_folder.HEADER).write_text(header)
    rows = (folder / run_folder.JOURNAL).read_bytes()
    (folder / run_folder.JOURNAL).write_bytes(b"\xff\xfe\n" + rows)
    said = "line 1 of measurements.jsonl is garbled: must be text in UTF-8"
    assert said in refusal(folder)


@pytest.mark.parametrize("name", [run_folder.HEADER, run_folder.JOURNAL])
def test_two_gigabytes_are_refused_by_their_size(folder, name):
    os.truncate(folder / name, 2**31)  # sparse: it takes no room
    assert "is too large; must be at most" in refusal(folder)


def test_a_line_of_megabytes_is_refused(folder):
    rows = (folder / run_folder.JOURNAL).read_text()
    line = '{"notes": "' + "a" * 2**21 + '"}\n'
    (folder / run_folder.JOURNAL).write_text(line + rows)
    assert "line 1 of measurements.jsonl is garbled: must be at most 1 MiB" in refusal(
        folder
    )


def test_more_rounds_than_a_plan_takes_are_refused(folder):
    rows = (folder / run_folder.JOURNAL).read_text().splitlines()
    row = next(row for row in map(json.loads, rows) if row["status"] == "ok")
    many = "".join(json.dumps({**row, "round": i}) + "\n" for i in range(1001))
    (folder / run_folder.JOURNAL).write_text(many)
    assert "= 1,001: must be at most 1,000" in refusal(folder)


@pytest.mark.parametrize("name", [run_folder.HEADER, run_folder.JOURNAL])
def test_links_and_pipes_are_not_read(folder, tmp_path, name):
    shutil.move(folder / name, tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert f"{name} is a link; must be a file" in refusal(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert f"{name} is no file; must be one" in refusal(folder)
    (folder / name).unlink()
    (folder / name).mkdir()
    assert name in refusal(folder)


def test_writing_follows_no_link_of_the_folder(folder, crossover, tmp_path, undrawn):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in ("report.html", "report.html.part", "crossovers.csv.part", "report.md"):
        (folder / name).symlink_to(victim)
    assert crossover("report", folder)[0] == 3  # cells of it timed out
    assert victim.read_text() == "mine"
    assert not (folder / "report.html").is_symlink()


def test_plots_are_not_written_through_a_link(folder, crossover, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "plots").symlink_to(tmp_path / "elsewhere")
    code, _, error = crossover("report", folder)
    assert code == 2
    assert "plots is a link; must be a folder" in error
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    "name", ["../../up", "/tmp/up", "..", ".hidden", "a/b", "x" * 999]
)
def test_a_runs_name_leads_nowhere(folder, crossover, tmp_path, monkeypatch, name):
    rename(folder, name)
    written = []
    monkeypatch.setattr(
        write, "write_report", lambda run, out, **_: written.append(out) or []
    )
    shutil.copytree(folder, tmp_path / "other")
    assert (
        crossover("report", folder, tmp_path / "other", "--out", tmp_path / "o")[0] == 3
    )
    assert len({out.resolve() for out in written}) == 2
    for out in written:
        assert out.resolve().parent == (tmp_path / "o").resolve()
        assert not out.name.startswith(".")


def test_nothing_of_a_strangers_texts_is_run_by_whoever_shows_it(
    folder, crossover, undrawn
):
    def change(header):
        header.update(commit=EVIL, command=EVIL)
        machine = header["machine"]
        machine.update(
            hostname=EVIL, cpu=EVIL, energy_unmeasured=EVIL, fingerprint=EVIL
        )
        machine["versions"][EVIL] = EVIL
        machine["unavailable"][EVIL] = EVIL
        machine["threads"][EVIL] = EVIL
        machine["accelerators"][0].update(name=EVIL, description=EVIL)
        header["spec"]["name"] = EVIL[:80]

    edit(folder, change)
    rename(folder, EVIL)
    edit_row(
        folder, lambda row: row.update(notes=EVIL, energy_of=EVIL, started_utc=EVIL)
    )
    rows = (folder / run_folder.JOURNAL).read_text().splitlines()
    flagged = [
        json.dumps({**json.loads(r), "flags": [EVIL], "notes": EVIL}) for r in rows
    ]
    (folder / run_folder.JOURNAL).write_text("\n".join(flagged) + "\n")
    code, said, error = crossover("report", folder, "--latex")
    assert (code, error.count("\n")) == (3, 1)
    assert error.endswith(" of no sweep were left out of the answers\n")
    assert "\x1b" not in said + error
    assert "\u202e" not in said
    readers.harmless_files(folder)
    page = (folder / "report.html").read_text()
    assert "{{ 7*7 }}" in page
    assert "49" not in page.split("{{ 7*7 }}")[1][:10]
    assert "&lt;/script&gt;" in page
    for name in ("report.md", "estimates.tex", "crossovers.csv", "report.html"):
        assert "\x1b" not in (folder / name).read_text()
    assert "\\input{" not in (folder / "crossovers.tex").read_text().replace(
        "\\\\input", ""
    )


def test_our_own_readers_read_the_tables_back(folder, crossover, undrawn):
    assert crossover("report", folder)[0] == 3  # cells of it timed out
    code, said, _ = crossover(
        "analyse", folder / "measurements.csv", "--axis", "batch_size", "--time",
        "setup_s", "--contender", "contender", "--round", "round",
        "--baseline", "cpu/lesson@1", "--challenger", "cpu/resident@1",
    )  # fmt: skip
    assert code in (0, 2), said


def test_a_halved_surrogate_does_not_lose_a_run(tmp_path):
    run = run_folder.load(WHOLE)
    run = dataclasses.replace(run, command="crossover run \udcff", commit=None)
    run_folder.put(tmp_path / "run", run)
    assert run_folder.load(tmp_path / "run").command == "crossover run \\udcff"


def test_times_that_differ_by_rounding_alone_are_drawn(tmp_path):
    run = run_folder.load(WHOLE)
    times = (1e-4, 1e-4, 1.0000000000000002e-4, 9.999999999999999e-05)
    rows = tuple(
        dataclasses.replace(m, samples_s=(times[m.round % 4],), calls_per_sample=1)
        for m in run.measurements
        if m.status == "ok" and m.case["batch_size"] == 10
    )
    # a warning is an error here
    write.write_report(dataclasses.replace(run, measurements=rows), tmp_path)
    assert (tmp_path / "plots" / "sweep1-batch_size.png").stat().st_size > 1000
