"""Whom to pick for a case: at measured sizes, between them, and not beyond."""

import math
import random

import pytest

from crossover.choose.data import Seen, Timed, choice_data
from crossover.choose.shipped.choice import Choice

SIZES = [64, 128, 256, 512, 1024]
LAWS = {"cpu": lambda n: 1e-6 * n, "gpu": lambda n: 2e-4}
"""Equal at 200."""


def timed(who, sizes, seconds, noise=0.0, rounds=8, settings=(), **more):
    """Return rounds of a contender at a case; those of one number share some noise."""
    said = {}
    for number in range(rounds):
        shared = random.Random(f"{sizes} {number}").gauss(0, noise)
        own = random.Random(f"{sizes} {number} {who}").gauss(0, noise / 4)
        said[number] = seconds * math.exp(shared + own)
    return Timed(sizes, settings, who, said, **more)


def choice(rows, axes=("n",), settings=(), verdicts=None, **facts):
    seen = Seen(axes, settings, tuple(rows), 0.95, 0.01, verdicts or {})
    return Choice(choice_data(seen, **facts))


def along(laws=LAWS, sizes=SIZES, **more):
    return [
        timed(who, (n,), law(n), **more) for who, law in laws.items() for n in sizes
    ]


def shown(sizes=SIZES):
    return {
        ((), (n,), "cpu", "gpu"): "ahead"
        if LAWS["cpu"](n) > LAWS["gpu"](n)
        else "behind"
        for n in sizes
    }


def test_a_measured_size_has_its_own_time_and_what_is_shown_there():
    picked = choice(along(noise=0.01), verdicts=shown()).pick({"n": 512})
    assert (picked.contender, picked.runner_up) == ("gpu", "cpu")
    assert picked.seconds == pytest.approx(2e-4, rel=0.02)
    assert picked.low < picked.seconds < picked.high
    assert picked.factor == pytest.approx(2.56, rel=0.02)
    assert picked.factor_low < picked.factor < picked.factor_high
    assert (picked.known, picked.why) == ("measured", "measured; shown ahead there")
    assert picked.either == picked.unknown == picked.doubts == ()


def test_rounds_are_paired():
    """What both share of a round, a tenth, is no doubt about who is ahead."""
    rows = along({"a": lambda n: 1e-3, "b": lambda n: 1.1e-3}, noise=0.1, rounds=16)
    picked = choice(rows).pick({"n": 64})
    assert picked.high / picked.low > 1.1
    assert picked.factor_high / picked.factor_low < 1.1
    assert (picked.contender, picked.either) == ("a", ())


def test_between_sizes_it_is_said_whether_they_agree():
    found = choice(along(), verdicts=shown())
    inside, between = found.pick({"n": 700}), found.pick({"n": 180})
    assert (inside.known, inside.contender) == ("zone", "gpu")
    assert inside.why == "inside a zone: ahead at n=512 and n=1024"
    assert (between.known, between.contender) == ("between", "cpu")
    assert between.why == "between n=128 and n=256"
    assert found.pick({"n": 230}).contender == "gpu"


def test_a_power_of_the_size_is_interpolated_exactly():
    laws = {"a": lambda n: 3e-7 * n**1.5, "b": lambda n: 5e-5 * n**0.5}
    found = choice(along(laws))
    for n in (65, 100, 180, 511, 1000):
        picked = found.pick({"n": n})
        assert picked.seconds == pytest.approx(min(f(n) for f in laws.values()))
        assert picked.factor == pytest.approx(
            max(f(n) for f in laws.values()) / picked.seconds
        )


def test_outside_of_what_was_measured_nothing_is_picked():
    found = choice(along())
    for n in (63, 1025, 1e9, 0, -1):
        with pytest.raises(ValueError, match=rf"n = {n}: outside .* 64 to 1024"):
            found.pick({"n": n})
    with pytest.raises(ValueError, match="n = 'x': must be a number"):
        found.pick({"n": "x"})
    for n in (math.nan, math.inf, True, None):
        with pytest.raises(ValueError, match="must be a number"):
            found.pick({"n": n})


def test_extrapolation_says_so_first_and_is_the_less_sure_the_farther():
    found = choice(along(noise=0.01))
    near, far = (found.pick({"n": n}, extrapolate=True) for n in (1100, 4096))
    assert near.known == far.known == "extrapolated"
    assert str(far).startswith(
        "Extrapolated (n = 4096: outside of what was measured, 64"
    )
    assert far.factor == pytest.approx(4096 * 1e-6 / 2e-4, rel=0.1)
    spread = [p.factor_high / p.factor_low for p in (near, far)]
    assert spread[1] > 2 * spread[0]
    with pytest.raises(ValueError, match="n = 0: outside"):
        found.pick({"n": 0}, extrapolate=True)


def test_contenders_that_cannot_be_told_apart_are_both_named():
    laws = {"a": lambda n: 1e-3, "b": lambda n: 1.002e-3, "c": lambda n: 1e-2}
    picked = choice(along(laws, noise=0.05)).pick({"n": 64})
    assert {picked.contender, *picked.either} == {"a", "b"}
    assert 0 < picked.within < 0.1
    assert "  either: a or b: within " in str(picked).replace("b or a", "a or b")


def test_sizes_that_are_not_given_must_have_one_value():
    rows = [
        timed(who, (n, batch, 7), law(n) * batch)
        for who, law in LAWS.items() for n in SIZES for batch in (1, 2)
    ]  # fmt: skip
    found = choice(rows, ("n", "batch", "depth"))
    with pytest.raises(
        ValueError,
        match=r"^n: missing; was measured at 64, 128.*; batch: missing; was measured ",
    ):
        found.pick({})
    with pytest.raises(ValueError, match=r"^batch: missing; was measured at 1, 2$"):
        found.pick({"n": 64})
    assert found.pick({"n": 64, "batch": 2}).seconds == pytest.approx(1.28e-4)
    with pytest.raises(ValueError, match="depth = 8: was measured at 7 only"):
        found.pick({"n": 64, "batch": 2, "depth": 8}, extrapolate=True)
    with pytest.raises(ValueError, match="hiden: unknown; must be one of n, batch"):
        found.pick({"hiden": 3})


def test_settings_are_those_that_were_measured():
    rows = [
        timed(who, (n,), law(n) * (2 if kind == "float64" else 1), settings=(kind, on))
        for who, law in LAWS.items() for n in SIZES
        for kind, on in (("float32", False), ("float64", True))
    ]  # fmt: skip
    found = choice(rows, settings=("dtype", "fused"))
    assert found.pick({"n": 64, "dtype": "float64"}).seconds == pytest.approx(1.28e-4)
    assert found.pick({"n": 64, "fused": "false"}).seconds == pytest.approx(6.4e-5)
    with pytest.raises(ValueError, match=r"^dtype: missing; was measured at float32, "):
        found.pick({"n": 64})
    with pytest.raises(ValueError, match="dtype = 'half': was measured at float32, fl"):
        found.pick({"n": 64, "dtype": "half"})


@pytest.fixture(scope="module")
def scattered():
    """Two contenders at 400 cases that lie anywhere, of three sizes."""
    draw = random.Random(0)
    cases = [
        tuple(round(2 ** draw.uniform(3, 12)) for _ in range(2)) for _ in range(400)
    ]
    laws = {"a": lambda n, m: 1e-8 * n * m, "b": lambda n, m: 1e-5 * (n * m) ** 0.5}
    rows = [
        timed(who, (*case, 3), law(*case), rounds=5)
        for who, law in laws.items() for case in dict.fromkeys(cases)
    ]  # fmt: skip
    return choice(rows, ("n", "m", "k")), laws


def test_scattered_cases_are_interpolated_in_simplices(scattered):
    found, laws = scattered
    for case in ((100, 100), (1000, 20), (50, 2000), (333, 777)):
        picked = found.pick({"n": case[0], "m": case[1]})
        assert picked.seconds == pytest.approx(min(f(*case) for f in laws.values()))
        assert picked.known == "between"
        assert picked.why.count("n=") == picked.why.count("m=") == 3
    with pytest.raises(ValueError, match=r"lies outside|outside of what"):
        found.pick({"n": 8, "m": 8})
    guess = found.pick({"n": 4, "m": 6000}, extrapolate=True)
    assert guess.known == "extrapolated"
    assert guess.seconds == pytest.approx(min(f(4, 6000) for f in laws.values()))


def test_a_pick_looks_at_few_of_many_cases(scattered):
    found, _ = scattered
    draw, looks = random.Random(1), []
    for _ in range(100):
        found.pick({"n": 2 ** draw.uniform(5, 10), "m": 2 ** draw.uniform(5, 10)})
        looks.append(found.looked)
    assert len(found.groups[0].parts) > 0
    assert max(looks) < 100  # of about 800 triangles
    line = choice(along(sizes=range(1, 1000)))
    line.pick({"n": 500.5})
    assert line.looked == 2


def test_a_line_is_taken_before_a_plane():
    laws = {"a": lambda n, m: 1e-8 * n * m, "b": lambda n, m: 1e-5 * (n * m) ** 0.5}
    rows = [
        timed(who, (n, m), law(n, m))
        for who, law in laws.items() for n in SIZES for m in (10, 100, 1000)
    ]  # fmt: skip
    found = choice(rows, ("n", "m"))
    assert found.pick({"n": 700, "m": 100}).why == "between n=512 and n=1024"
    assert found.pick({"n": 64, "m": 20}).why == "between m=10 and m=100"
    assert found.pick({"n": 700, "m": 20}).why.count("(n=") == 3


def test_cases_on_a_slope_say_nothing_of_what_lies_beside():
    rows = [timed(who, (n, n), law(n)) for who, law in LAWS.items() for n in SIZES]
    found = choice(rows, ("n", "m"))
    assert found.pick({"n": 64, "m": 64}).contender == "cpu"
    with pytest.raises(ValueError, match="lies outside of the cases"):
        found.pick({"n": 100, "m": 100}, extrapolate=True)


def test_who_was_not_measured_that_far_is_named_and_not_picked():
    rows = [*along({"cpu": LAWS["cpu"]}), *along({"gpu": LAWS["gpu"]}, SIZES[:3])]
    found = choice(rows)
    picked = found.pick({"n": 512})
    assert (picked.contender, picked.runner_up) == ("cpu", None)
    assert picked.unknown == ("gpu",)
    assert "  not measured that far: gpu" in str(picked)
    guess = found.pick({"n": 512}, extrapolate=True)
    assert (guess.contender, guess.known) == ("gpu", "extrapolated")
    assert guess.why == "gpu was not measured that far"


def test_contenders_measured_at_other_sizes_are_compared_all_the_same():
    others = [64, 100, 300, 1024]
    rows = [*along({"cpu": LAWS["cpu"]}), *along({"gpu": LAWS["gpu"]}, others)]
    picked = choice(rows).pick({"n": 500})
    assert (picked.contender, picked.runner_up) == ("gpu", "cpu")
    assert picked.factor == pytest.approx(2.5)
    assert picked.factor_low <= 2.501
    assert picked.factor_high >= 2.499


def test_few_rounds_have_no_interval():
    picked = choice(along(rounds=2)).pick({"n": 512})
    assert picked.contender == "gpu"
    assert picked.low is picked.high is picked.factor_low is picked.within is None
    assert "(no interval)" in str(picked)


def test_doubts_stand_in_the_first_line():
    rows = along(doubts=("unverified: the results were not compared",))
    first = str(choice(rows, doubts=["all of it"]).pick({"n": 300})).splitlines()[0]
    assert first.startswith(
        "Doubtful (all of it; unverified: the results were not compared): gpu, 200 µs ("
    )


def bent(n, corner, slope):
    """A time that is flat up to a corner and grows from there on."""
    return 1e-4 * max(1.0, n / corner) ** slope


def test_intervals_hold_the_truth_between_sizes():
    """Of curves with a corner anywhere, which nothing between the sizes shows."""
    draw, held, total = random.Random(2), 0, 0
    sizes = [2**i for i in range(4, 13)]
    for _ in range(60):
        a, b = (
            (2 ** draw.uniform(4, 12), draw.uniform(0.3, 1.2)) for _ in range(2)
        )  # fmt: skip
        laws = {"a": lambda n, a=a: bent(n, *a), "b": lambda n, b=b: bent(n, *b)}
        found = choice(along(laws, sizes, noise=0.02))
        for _ in range(5):
            n = 2 ** draw.uniform(4.1, 11.9)
            picked = found.pick({"n": n})
            truth = laws[picked.runner_up](n) / laws[picked.contender](n)
            held += picked.factor_low <= truth <= picked.factor_high
            total += 1
    assert held / total > 0.93
