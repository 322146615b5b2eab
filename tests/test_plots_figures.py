"""All figures of a run, and the words around them."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
from builders import cases_of, make_rounds, make_run

from crossover.analysis.frame import derive
from crossover.report.pictures import figures
from crossover.report.pictures.figures import image, pictures
from crossover.spec.spec import parse_spec
from crossover.workloads.softmax import Softmax

A, B = "cpu/resident@1", "cpu/resident@2"


def made_run(sweeps=3, seconds=True):
    names = [A, B]
    spec = parse_spec(
        {
            "name": "made", "rounds": 8, "grid": True, "contenders": names,
            "pairs": [names],
            "sweep": [
                {"axis": "batch_size", "values": [10, 100, 1000], "samples": 1000 * n}
                for n in range(1, 1 + sweeps)
            ],
        },
        "test",
    )  # fmt: skip

    def found(case, who, number):
        cost_s = 1e-3 * who.threads + case["batch_size"] * 1e-5 / who.threads
        return {
            "samples_s": (cost_s * (1 + 1e-3 * (number * who.threads % 5)),),
            "setup_s": 1.0, "transfer_s": 0.01, "warmup_s": (cost_s,) * 5,
            "work": Softmax().work(case), "status": "ok" if seconds else "failed",
            "notes": "" if seconds else "no <b>luck</b>",
        }  # fmt: skip

    return make_run(spec, make_rounds(cases_of(spec), (A, B, f"{A}#1"), found))


def drawn(run):
    """Draw a run's figures, as if it had no crossovers and no break-evens."""
    return pictures(run, replace(derive(run), crossovers=[], break_evens=[]))


def test_every_figure_of_a_run_has_a_name_and_words(unclipped):
    run = made_run()
    shown = list(pictures(run, derive(run)))
    beside = ("", "-break_even", "-phases", "-warm_up")
    expected = [f"sweep{i}-batch_size{part}" for i in (1, 2, 3) for part in beside]
    assert [p.name for p in shown] == [*expected, "grid1-batch_size-samples", "control"]
    for picture in shown:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", picture.name)
        assert "n = " in picture.caption
        assert ".csv" in picture.caption
        assert re.search(r"\d", picture.alt)
    first = shown[0]
    assert "Two threads are ahead from " in first.alt
    assert first.heading.startswith("Time and speedup by batch size at 1,000 samples")
    assert image(first.draw(), "png").startswith(b"\x89PNG")
    unclipped(shown[-2].draw())


def test_pictures_are_drawn_when_asked_for():
    run = made_run()
    one, other = (pictures(run, derive(run)) for _ in range(2))
    assert next(one).draw() is not next(other).draw()


def test_a_run_without_a_measurement_says_so_in_its_figures():
    run = made_run(seconds=False)
    shown = list(pictures(run, derive(run)))
    assert [p.name for p in shown] == [f"sweep{i}-batch_size" for i in (1, 2, 3)]
    text = shown[0].draw().axes[0].texts[0].get_text().replace("\n", " ")
    assert text == f"not measured: {A}: failed: no <b>luck</b>"
    assert "no <b>luck</b>" in shown[0].alt


def test_of_many_sweeps_only_the_first_is_drawn_in_detail(monkeypatch):
    monkeypatch.setattr(figures, "MOST_DETAILED", 2)
    shown = list(drawn(made_run()))
    assert [p.name for p in shown] == [
        "sweep1-batch_size", "sweep1-batch_size-phases", "sweep1-batch_size-warm_up",
        "sweep2-batch_size", "sweep3-batch_size", "grid1-batch_size-samples", "control",
    ]  # fmt: skip
    assert "drawn of the first one only" in shown[4].caption


def test_what_is_not_drawn_of_many_grids_is_said(monkeypatch):
    monkeypatch.setattr(figures, "MOST_GRIDS", 0)
    assert not [p for p in drawn(made_run()) if "grid" in p.name]
    monkeypatch.setattr(figures, "MOST_GRIDS", 1)
    gathered = figures.speedup_grids
    monkeypatch.setattr(figures, "speedup_grids", lambda results: gathered(results) * 2)
    (grid,) = [p for p in drawn(made_run()) if "grid" in p.name]
    assert grid.caption.endswith("1 more pairs are not drawn.")


def test_the_same_figure_gives_the_same_bytes():
    run = made_run(1)
    one, other = (next(drawn(run)).draw() for _ in range(2))
    assert image(one, "svg") == image(other, "svg")
    assert image(one, "png") == image(other, "png")
    assert b"<text" in image(one, "svg")  # text stays text


def test_nothing_of_the_style_stays_set():
    before = dict(mpl.rcParams)
    image(next(drawn(made_run(1))).draw(), "png")
    assert dict(mpl.rcParams) == before


SHARES = """
import os, sys, warnings
from functools import partial
from pathlib import Path

warnings.simplefilter("ignore", DeprecationWarning)  # a library's threads, if any
from crossover.report.pictures.figures import save_all
from crossover.report.pictures.layout import new_figure
from crossover.report.words.document import Picture

os.sched_getaffinity = lambda pid: range(3)

def draw(number):
    if number == int(sys.argv[2]):
        raise OSError("no figure")
    with drawers.open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} ")
    figure, (axes,) = new_figure(3, 2)
    axes.plot([number, 1])
    return figure

folder = Path(sys.argv[1])
drawers = folder / "drawers"
drawers.write_text("")
waiting = [Picture(f"p{n}", "", "", draw=partial(draw, n)) for n in range(7)]
for picture in save_all(waiting, folder):
    assert picture.draw is None
    assert picture.png == (folder / f"{picture.name}.png").read_bytes()
"""


def shared_out(tmp_path, name, fails=-1, portable="1"):
    """Save seven pictures; return their files, who drew them, and what was said."""
    folder = tmp_path / name
    folder.mkdir()
    environment = dict(os.environ)
    environment.pop("CROSSOVER_PORTABLE", None)
    if portable:
        environment["CROSSOVER_PORTABLE"] = portable
    done = subprocess.run(
        [sys.executable, "-c", SHARES, str(folder), str(fails)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    drawers = (folder / "drawers").read_text().split()
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix}
    return files, drawers, done


def test_processes_that_share_the_pictures_write_the_same_files(tmp_path):
    files, drawers, done = shared_out(tmp_path, "alone")
    assert (done.returncode, len(set(drawers)), len(files)) == (0, 1, 14)
    shared, drawers, done = shared_out(tmp_path, "shared", portable="")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(set(drawers)) == 3
    assert shared == files


def test_what_a_process_cannot_draw_fails_once_and_here(tmp_path):
    for fails in (1, 3):  # of another's share, and of the first one's
        _, _, done = shared_out(tmp_path, str(fails), fails, portable="")
        assert done.returncode == 1
        assert done.stderr.count("OSError: no figure") == 1
