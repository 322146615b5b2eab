"""Tables of every form and spelling: the right crossing or a refusal, nothing else."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from generated_tables import draw

from crossover.files.untrusted import InputError
from crossover.sources.table.analyse import analyse_file
from crossover.sources.table.ask import Wanted

CAUSES = (
    "may be", "must be", "must have", "add ", "say which", "write ", "is there", "no ",
)  # fmt: skip


def answered(path: Path, data: bytes, wanted: Wanted):
    path.write_bytes(data)
    return [row.answer for row in analyse_file(path, wanted, None).answers]


def outcome(number: int, folder: Path) -> str:
    """Return `right` or why it was refused; a wrong answer fails."""
    drawn = draw(number)
    plain = Wanted("n", "ms", "device")
    (right,) = answered(folder / "plain.csv", drawn.plain.encode(), plain)
    assert right.outcome == "found", drawn
    assert 0.75 * drawn.true < right.parity < 1.35 * drawn.true, drawn
    try:
        found = answered(folder / "drawn", drawn.data, Wanted(**drawn.said))
    except InputError as error:
        return f"{number}: {error}"
    (answer,) = found
    assert answer.outcome == "found", (number, drawn.drawn, answer)
    assert answer.parity == pytest.approx(right.parity, rel=0.01), (number, drawn.drawn)
    return "right"


def check(numbers, folder, least):
    seen = Counter(outcome(number, folder) for number in numbers)
    refused = [text for text in seen if text != "right"]
    assert [text for text in refused if not any(c in text for c in CAUSES)] == []
    assert seen["right"] >= least * sum(seen.values()), refused
    return seen


def test_a_hundred_and_fifty_tables(tmp_path):
    check(range(150), tmp_path, 0.9)


@pytest.mark.simulation
def test_two_thousand_tables(tmp_path):
    print(check(range(150, 2150), tmp_path, 0.9))


SCALE = """
import resource, sys
from pathlib import Path
from crossover.sources.table.analyse import analyse_file
from crossover.sources.table.ask import Wanted
wanted = Wanted("n", "ms", "device", round="rep", by=("group",))
found = analyse_file(Path(sys.argv[1]), wanted, None)
print(len(found.answers), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.torture
def test_a_million_rows_in_a_thousand_groups_take_less_than_two_gigabytes(tmp_path):
    rng, sizes, rounds = np.random.default_rng(0), 2 ** np.arange(8, 18), 50
    path = tmp_path / "times.csv"
    with path.open("w") as file:
        file.write("n,device,rep,group,ms\n")
        for group in range(1000):
            costs = {"cpu": 2e-5 * sizes, "gpu": 0.05 + 5e-5 * group + 2e-6 * sizes}
            drawn = {
                who: cost[:, None] * (1 + 0.02 * rng.standard_normal((10, rounds)))
                for who, cost in costs.items()
            }
            file.writelines(
                f"{n},{who},{rep},g{group},{times[i, rep]:.6g}\n"
                for rep in range(rounds)
                for i, n in enumerate(sizes)
                for who, times in drawn.items()
            )
    done = subprocess.run(
        [sys.executable, "-c", SCALE, str(path)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    answers, kib = map(int, done.stdout.split())
    assert answers == 1000
    assert kib < 2 * 2**20
