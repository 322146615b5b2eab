"""Random edits of JSON: what a stranger, or a broken tool, may have made of a file."""

import copy
import json
import math

NASTY = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**18,
    10**19,
    10**400,
    -(10**18),
    0.0,
    -0.0,
    1e-320,
    1e-12,
    1e18,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    0.5,
    "",
    "x",
    "cpu/resident@1",
    "cpu/best",
    "cuda:0/fused",
    "@",
    "../../up",
    "/etc/passwd",
    "\x00",
    "\x1b[2J\x1b]0;x\x07",
    "\u202eevil",
    "\ud800",
    "=1+1",
    "a;=1+1",
    "+cmd|' /C'!A",
    "<script>alert(1)</script>",
    "</script>",
    "{{ 7*7 }}",
    "{% x %}",
    "$\\frac{$",
    "$",
    "a_b^{c}",
    "\\input{x}",
    "[x](javascript:y)",
    "`|*",
    "\n\n# x",
    "%s %d {0}",
    "9" * 400,
    "n100-d2-c3-b10-e1",
    "n1-d1-c2-b1-e1:cpu/lesson",
    "2026-01-01T00:00:00+00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "float64",
    "ok",
    "oom",
    "timeout",
    "failed",
    [],
    {},
    [[]],
    [None],
    [1e9, 2e9],
    ["x", "y"],
    {"": ""},
    {"x": [1]},
)


def places(value):
    """List every (holder, key) in a tree."""
    found = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = holder.keys() if isinstance(holder, dict) else range(len(holder))
        for key in list(keys):
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def edit(tree, rng, most=3):
    """Change up to `most` places of a tree of dicts and lists, in place.

    It stays a tree, and no more than 200 times as large: what is put in is a copy.
    """
    repeats = [1, 2, 40]
    for _ in range(rng.randint(1, most)):
        known = places(tree)
        if not known:
            return tree
        holder, key = rng.choice(known)
        value = holder[key]
        kind = rng.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.extend(copy.deepcopy(value) for _ in range(rng.choice(repeats)))
            repeats = [1]
        elif kind == 2:
            other, at = rng.choice(known)
            if isinstance(other, dict):
                holder[key] = copy.deepcopy(other.get(at))
            elif at < len(other):
                holder[key] = copy.deepcopy(other[at])
        elif (
            kind == 3 and isinstance(value, int | float) and not isinstance(value, bool)
        ):
            factor = rng.choice([-1, 0, 1e-9, 10, 1e6, 1e12, 2])
            holder[key] = value * factor if abs(value) < 1e200 else -value
        elif kind == 4 and isinstance(value, str):
            holder[key] = value + rng.choice([n for n in NASTY if isinstance(n, str)])
        else:
            holder[key] = copy.deepcopy(rng.choice(NASTY))
    return tree


def edit_text(text, rng):
    """Edit a JSON text; as it is where it is none."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(tree, dict | list):
        return text
    return json.dumps(edit(tree, rng))
