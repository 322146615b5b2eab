"""Under which circumstances a run was measured, and whether they are the same now.

In: what a run recorded of its machine, and what is there today. Out: a line for each
fact that differs. Whoever joins measurements asks: a run that goes on, and a merge.
"""

import hashlib
from collections.abc import Iterator, Mapping

from crossover.nouns import Circumstances, Machine

UNSET, EMPTY = "unset", "empty"
"""What a variable that is not there is said to be, and one that holds nothing."""
DEVICE = ("name", "description", "driver")
"""What tells an accelerator from another."""
POOL = ("internal_api", "num_threads", "version")
"""What tells a pool of threads from another; older runs recorded no version."""


def changes(was: Circumstances, now: Circumstances, hosts: bool = True) -> list[str]:
    """Return what differs, each as `name: was → is`; what is unknown is not compared.

    Args:
        was: what was recorded.
        now: what is there now, or was recorded elsewhere.
        hosts: whether another machine of the same kind is another circumstance.
    """
    before, after = dict(_facts(was)), dict(_facts(now))
    if not hosts:
        before.pop("host")
    shared = _differing(before, after)
    if not shared and was.machine.fingerprint != now.machine.fingerprint:
        shared = [f"machine: {was.machine.fingerprint} → {now.machine.fingerprint}"]
    return [*shared, *_variables(was.machine, now.machine)]


def machine_id(found: Circumstances, beside: str = "") -> str:
    """Return the id that rounds measured under these circumstances carry.

    Args:
        found: the circumstances.
        beside: a folder, if only that tells a copy of a run from another.
    """
    facts = [*_facts(found), *_set(found.machine).items(), beside]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _facts(found: Circumstances) -> Iterator[tuple[str, object]]:
    """Yield what is known, by name."""
    machine = found.machine
    yield "host", machine.hostname
    yield "cpu", machine.cpu
    if machine.cores is not None:
        yield "cores", machine.cores
    yield "quota of cores", machine.quota_cores
    yield "accelerators", tuple(_named(a, DEVICE) for a in machine.accelerators)
    yield from machine.versions.items()
    if "torch" in machine.threads:
        yield "threads of torch", machine.threads["torch"]
    pools = machine.threads.get("pools")
    if isinstance(pools, list) and all("version" in pool for pool in pools):
        yield "pools of threads", ", ".join(sorted(_named(p, POOL) for p in pools))
    if found.commit is not None:
        yield "commit", found.commit


def _named(found: Mapping[str, object], keys: tuple[str, ...]) -> str:
    known = (found.get(key) for key in keys)
    return " ".join(str(value) for value in known if value is not None)


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return what is known in both, and differs."""
    return [
        f"{name}: {_text(value)} → {_text(after[name])}"
        for name, value in before.items()
        if name in after and value != after[name]
    ]


def _variables(was: Machine, now: Machine) -> list[str]:
    """Return the variables that differ; older runs recorded none."""
    if was.passed_on is None or now.passed_on is None:
        return []
    sides = _set(was), _set(now)
    unset = dict.fromkeys(sorted(sides[0].keys() | sides[1].keys()), UNSET)
    return _differing(
        *({name: value or EMPTY for name, value in (unset | s).items()} for s in sides)
    )


def _set(machine: Machine) -> dict[str, str]:
    return {**machine.left_out, **(machine.passed_on or {})}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)
