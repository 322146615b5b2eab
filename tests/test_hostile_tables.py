"""CSV tables from strangers: bounded, refused exactly, harmless when written."""

import os
import threading

import pytest
import readers

from crossover.files.escape import code, harmless, text
from crossover.sources.table import analyse as read
from crossover.sources.table.text import file, layout

OPTIONS = (
    "--axis", "n", "--time", "s", "--contender", "who", "--round", "r", "--by", "g",
    "--baseline", "a", "--challenger", "b",
)  # fmt: skip
HEAD = "n,s,who,g,r\n"
OTHER = "1,1,b,0,0\n"
PAIR = "1,1,a,{0},0\n1,2,b,{0},0\n"


@pytest.fixture
def analyse(crossover, tmp_path, undrawn):
    path = tmp_path / "times.csv"

    def command(data, *more):
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return crossover("analyse", path, *OPTIONS, *more)

    return command


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "file has no rows"),
        (b"\n" * 10**5, "file has no rows"),
        ("a" * 10**6, "field larger than field limit"),
        (HEAD + '"' + "a\n" * 10**5, "field larger than field limit"),
        (HEAD + ",1" * 10**5, "line 2 has 100001 fields; must have 5 as the first"),
        (HEAD + "1\n", "line 2 has 1 fields; must have 5"),
        (HEAD + '"1\n1",1\n', "line 3 has 2 fields; must have 5"),
        (
            HEAD + "1" + "0" * 400 + ",1,a,0,0\n" + OTHER,
            "in line 2: must be a number > 0",
        ),
        (HEAD + "inf,1,a,0,0\n" + OTHER, "n = 'inf' in line 2"),
        (HEAD + "1,nan,a,0,0\n" + OTHER, "s = 'nan' in line 2"),
        (HEAD + "1,1e999,a,0,0\n" + OTHER, "s = '1e999' in line 2"),
        (HEAD + "1,1e-999,a,0,0\n" + OTHER, "s = '1e-999' in line 2"),
        (HEAD + "1,1\x00,a,0,0\n" + OTHER, r"s = '1\x00' in line 2"),
        (HEAD + "1,\u0661,a,0,0\n" + OTHER, "in line 2: must be a number"),
        ("n,s,who,g,r,n\n1,1,a,0,0,2\n", "column = 'n': must be there only once"),
        ((HEAD + PAIR.format("\x81")).encode("latin-1"), "must be text in UTF-8"),
        ((HEAD + PAIR.format("x")).encode("utf-16")[:-1], "must be text in UTF-8"),
        (HEAD + "1,1,\x1b[2J\n,0,0\n", "fields; must have 5"),
        (HEAD + "1,1,\x1b[2J,0,0\n", r"must be one of \x1b[2J"),
    ],
)
def test_what_is_no_table_is_one_line(analyse, data, said):
    code_, out, error = analyse(data)
    assert (code_, out) == (2, "")
    assert error.startswith("crossover: ")
    assert error.count("\n") == 1
    assert error.rstrip("\n").isprintable()
    assert said in error


def test_two_gigabytes_are_refused_by_their_size(analyse, tmp_path):
    assert analyse(HEAD)[0] == 2
    os.truncate(tmp_path / "times.csv", 2**31)  # sparse: it takes no room
    with pytest.raises(file.InputError, match="must be at most 64 MiB"):
        file.read_file(tmp_path / "times.csv")


@pytest.mark.parametrize(
    ("most", "value", "said"),
    [
        ((layout, "MOST_ROWS"), 5, "too many rows; must be at most 5"),
        ((layout, "MOST_FIELDS"), 5, "too many fields; must be at most 5"),
        ((read, "MOST_GROUPS"), 2, "groups = 3: must be at most 2"),
        (
            (read, "MOST_SIZES"),
            1,
            "values of n in a group = 2: must be at most 1",
        ),
        (
            (read, "MOST_ROUNDS"),
            1,
            "rounds at a value of n = 2: must be at most 1",
        ),
    ],
)
def test_more_than_can_be_computed_is_refused(analyse, monkeypatch, most, value, said):
    rows = "".join(PAIR.format(group) for group in "xyz")
    rows += rows.replace("1,1,a", "2,1,a").replace("1,2,b", "2,2,b")
    rows += rows.replace(",0\n", ",1\n")
    assert analyse(HEAD + rows)[0] == 0
    monkeypatch.setattr(*most, value)
    code_, _, error = analyse(HEAD + rows)
    assert code_ == 2
    assert said in error


@pytest.mark.torture
def test_a_million_groups_are_refused(analyse):
    rows = "".join(map(PAIR.format, range(490_000)))
    assert "groups = 490,000: must be at most 10,000" in analyse(HEAD + rows)[2]
    rows = "".join(map(PAIR.format, range(10**6)))
    assert "too many fields" in analyse(HEAD + rows)[2]


def test_a_pipe_is_read_as_the_user_named_it(analyse, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = "n,seconds,who,round,model\n1,1,cpu,0,x\n1,2,gpu,0,x\n"
    writer = threading.Thread(target=pipe.write_text, args=(data,))
    writer.start()
    assert len(file.read_file(pipe).rows) == 2
    writer.join()


def test_groups_from_strangers_are_written_as_data(analyse, tmp_path):
    groups = ('"=1+1"', '"@x;=2"', '"-1"', '"<b>|`[x](y)"', '"\x1b[2J"', '"\t=1"')
    rows = "".join(map(PAIR.format, groups))
    out = tmp_path / "out"
    code_, said, error = analyse(HEAD + rows, "--out", out)
    assert (code_, error) == (0, "")
    assert "\x1b" not in said
    written = (out / "analyse.csv").read_text().splitlines()
    starts = [line.partition(",")[0] for line in written[1:]]
    assert starts[:3] == ["'=1+1", "'@x;'=2", "'-1"]
    assert starts[4:6] == ["\\x1b[2J", "'=1"]
    notes = (out / "analyse.md").read_text()
    assert "&lt;b>\\|\\`\\[x\\](y)" in notes
    assert "\x1b" not in notes
    readers.harmless_files(out)


def test_numbers_are_untouched_and_heads_are_not_formulas():
    import pandas as pd

    made = pd.DataFrame({"=x": [-1.5, 2.0], "n": [-1, 2], "t": ["-a", "b"]})
    made["o"] = pd.Series([-1, "+1"], dtype="object")
    safe = harmless(made)
    assert list(safe.columns) == ["'=x", "n", "t", "o"]
    assert safe.to_csv(index=False).splitlines()[1:] == [
        "-1.5,-1,'-a,-1",
        "2.0,2,b,'+1",
    ]


@pytest.mark.parametrize("plain", ["a`b", "``", "```js\n<script>", "`", "a"])
def test_code_in_markdown_ends_where_it_must(plain):
    written = code(plain)
    assert "\n" not in written
    assert readers.CODE.sub("", written) == ""


def test_text_in_markdown_is_no_markup():
    assert text("<a href=x>&amp;|`*[x](y)\n# z") == (
        "&lt;a href=x>&amp;amp;\\|\\`\\*\\[x\\](y) # z"
    )
