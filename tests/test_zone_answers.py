"""The margin, the zones of a run's answers, and what an undecided one ends with."""

import dataclasses

import numpy as np
import pytest
from builders import cases_of, make_rounds, make_run

from crossover.analysis.crossover import crossovers, with_next_steps
from crossover.command.ask import Ask, parse_margin
from crossover.files.untrusted import InputError
from crossover.report.words.sentences import sentence
from crossover.spec.spec import Spec, parse_spec

ONE, TWO = "cpu/resident@1", "cpu/resident@2"
SIZES = [8, 12, 16, 24, 32, 48, 64]
SPEC = {
    "name": "zones", "rounds": 16, "grid": True, "contenders": [ONE, TWO],
    "pairs": [[ONE, TWO]],
    "sweep": [{"axis": "batch_size", "values": SIZES, "samples": 4096}],
}  # fmt: skip


def run_of(leads, copy=None, **fields):
    """Return a run of two threads with a log-ratio at each size, and of a copy."""
    spec = parse_spec(SPEC | fields, "test")
    names = [ONE, TWO, *([f"{ONE}#1"] if copy is not None else [])]

    def law(case, who, number):
        place = SIZES.index(case["batch_size"])
        seed = [place, number, who.threads, who.copy]
        took_s = np.exp(np.random.default_rng(seed).normal(0, 0.01))
        if who.copy:
            took_s *= np.exp(-copy[place])
        elif who.threads == 2:
            took_s *= np.exp(-leads[place])
        return {
            "samples_s": (float(took_s),), "epochs_run": 1, "threads": who.threads,
            "setup_s": 0.0, "transfer_s": 0.0,
        }  # fmt: skip

    return make_run(spec, make_rounds(cases_of(spec), names, law, 16))


TIE = (-0.2, -0.1, 0.0, 0.0, 0.0, 0.15, 0.3)


def test_a_tie_between_a_lag_and_a_lead_is_said_in_zones():
    (found, *_) = crossovers(run_of(TIE))
    a = found.answer
    assert (a.outcome, a.equal_from, a.equal_to, a.next_ahead) == ("found", 16, 32, 48)
    assert 12 < a.behind_until < 16
    assert 32 <= a.low < a.at < a.high <= 48
    assert a.behind_until < a.parity < a.at
    said = sentence(found)
    assert said.startswith("One thread is up to 2")
    assert "; equal from 16 to 32, where the wrong choice costs at most " in said
    assert "; two threads are ahead from 3" in said
    assert said.endswith("x) at 64")


def test_a_larger_margin_takes_a_lead_for_none():
    run = run_of(TIE)
    spec = run.spec.model_copy(update={"margin": 0.5})
    (found, *_) = crossovers(dataclasses.replace(run, spec=spec))
    assert (found.answer.outcome, found.answer.equal_to) == ("never", 64)
    assert "equal from 8 to 64" in sentence(found)


def test_a_control_that_is_equal_does_not_fire():
    *_, control = crossovers(run_of(TIE, copy=[0.0] * 7))
    assert control.is_control
    assert (control.answer.outcome, control.answer.differs) == ("never", False)


def test_a_control_fires_by_one_size_whatever_its_outcome():
    odd = [0.0] * 6 + [-0.2]
    first, *_, control = crossovers(run_of(TIE, copy=odd))
    assert control.answer.differs
    assert first.answer.outcome == "inconclusive"
    assert first.flags[0] == "control_fired: was found"
    assert {zone.name for zone in first.answer.zones} == {"undecided"}
    assert (first.answer.equal_from, first.answer.speedup_largest_low) == (None, None)


@pytest.mark.parametrize(
    ("text", "share"), [(None, None), ("5%", 0.05), ("2 %", 0.02), ("0.1", 0.1)]
)
def test_a_margin_is_a_share(text, share):
    assert parse_margin(text) == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize("text", ["", "%", "-1%", "100%", "5", "nan", "five"])
def test_another_margin_is_refused(text):
    with pytest.raises(InputError, match=r"^margin = .*: must be a share >= 0 % and <"):
        parse_margin(text)


def test_the_margin_of_a_spec_and_of_the_command():
    assert Spec.model_fields["margin"].default == 0.05
    assert Ask(margin="2%").spec().margin == 0.02
    assert Ask(margin="2%").more(run_of(TIE).spec, 0.0).margin == 0.02
    assert Ask().more(run_of(TIE, margin=0.02).spec, 0.0).margin == 0.02


def test_an_opponent_that_was_added_is_said():
    alone, both = Ask(contenders=("cuda",)), Ask(contenders=("cpu", "cuda"))
    (said,) = alone.notices(alone.spec())
    assert said.startswith(
        "contender = cuda: compared with cpu/resident@all, which was"
    )
    assert both.notices(both.spec()) == Ask().notices(Ask().spec()) == []


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ({}, "crossover run --resume 'a b' --rounds 32"),
        ({"budget_s": 60.0}, "crossover run --resume 'a b' --budget 10m --rounds 32"),
    ],
)
def test_an_undecided_answer_ends_with_the_next_command(tmp_path, fields, step):
    run = run_of([0.0] * 6 + [0.05], **fields)
    first, *_ = with_next_steps(run, crossovers(run), "a b")
    assert first.answer.outcome == "inconclusive"
    assert sentence(first).endswith(f"; next: {step}")
    fired = run_of(TIE, copy=[0.2] * 7)
    first, *_, control = with_next_steps(fired, crossovers(fired), "a b")
    assert sentence(first).endswith("; next: crossover doctor")
    assert control.next_step == ""


def test_a_decided_answer_has_no_next_command():
    run = run_of(TIE)
    assert [c.next_step for c in with_next_steps(run, crossovers(run), "a")] == [""] * 3
