"""Between which measured cases a time can be interpolated, and how well that does.

In: the cases, and the logarithms of each contender's times. Out: the parts that
`shipped.Part` takes: lines along one size, and simplices where two or three vary.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial import Delaunay, QhullError

from crossover.crossing.decide import Array

MOST_FREE = 3
"""At most this many sizes of a case may lie between measured ones."""
FLAT = 1e-9
"""A simplex whose volume is less than this share of a cube's is no simplex."""
DIGITS, MOST_DIGITS = 9, 12
"""Digits that are kept of a number, and of one that a simplex is found by."""
MOST_LEFT_OUT = 500
"""Of more cases in a mesh, only so many are left out to see how far it misses them."""
Points = Sequence[tuple[float, ...]]
Logs = Mapping[str, Mapping[int, float]]
"""The logarithms of times, by contender and by the number of the case."""


def parts_of(points: Points, logs: Logs) -> list[dict[str, Any]]:
    """Return the lines and the simplices of each contender's cases, for all alike once.

    Args:
        points: the sizes of all cases.
        logs: the times.
    """
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], dict[str, Any]] = {}
    axes = range(len(points[0])) if points else range(0)
    varying = [i for i in axes if len({p[i] for p in points}) > 1]
    varying = [i for i in varying if all(p[i] > 0 for p in points)]
    for who, known in logs.items():
        for count in range(1, min(MOST_FREE, len(varying)) + 1):
            for free in itertools.combinations(varying, count):
                for members in _alike(points, [*known], free):
                    key = free, members
                    if key not in found:
                        found[key] = _part(points, free, members)
                    if found[key]["corners"] or count == 1:
                        _add(found[key], points, who, [known[p] for p in members])
    return [part for part in found.values() if part["of"]]


def _alike(
    points: Points, members: Sequence[int], free: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """Group cases by the sizes that are not free; each free one must vary in a group.

    There must be enough of them to interpolate. Those of a line are in its order.
    """
    groups: dict[tuple[float, ...], list[int]] = {}
    for p in members:
        fixed = tuple(v for i, v in enumerate(points[p]) if i not in free)
        groups.setdefault(fixed, []).append(p)
    return [
        tuple(sorted(group, key=lambda p: [points[p][i] for i in free]))
        for group in groups.values()
        if len(group) > len(free)
        and all(len({points[p][i] for p in group}) > 1 for i in free)
    ]


def _part(
    points: Points, free: tuple[int, ...], members: tuple[int, ...]
) -> dict[str, Any]:
    part: dict[str, Any] = {
        "free": [*free], "of": [], "points": [*members], "slopes": {}, "errors": {},
        "corners": [], "forms": [], "beside": [],
    }  # fmt: skip
    if len(free) == 1:
        return part
    at = _places(points, free, members)
    mesh = _mesh(at)
    if mesh is None:
        return part
    corners, beside = mesh
    part["corners"], part["beside"] = corners.tolist(), beside.tolist()
    whole = np.concatenate([np.ones((len(at), 1)), at], axis=1)
    forms = np.linalg.inv(whole[corners].transpose(0, 2, 1))
    part["forms"] = [
        [[rounded(x, MOST_DIGITS) for x in row] for row in form] for form in forms
    ]
    return part


def _places(points: Points, free: Sequence[int], members: Sequence[int]) -> Array:
    logs: Array = np.log([[points[p][i] for i in free] for p in members])
    return logs


def _mesh(at: Array) -> tuple[Any, Any] | None:
    """Return the corners of a Delaunay triangulation, and which lie side by side.

    None where the cases lie on a line or in a plane.
    """
    scaled = (at - at.min(axis=0)) / np.ptp(at, axis=0)
    try:
        found = Delaunay(scaled)
    except QhullError:
        return None
    sides = scaled[found.simplices[:, 1:]] - scaled[found.simplices[:, :1]]
    is_whole = np.abs(_volumes(sides)) > FLAT
    number = np.where(is_whole, np.cumsum(is_whole) - 1, -1)
    beside = np.where(found.neighbors < 0, -1, number[found.neighbors])
    if not is_whole.any():
        return None
    return found.simplices[is_whole], beside[is_whole]


def _add(
    part: dict[str, Any], points: Points, who: str, values: Sequence[float]
) -> None:
    """Add to a part what is known of a contender's curve at its cases."""
    part["of"].append(who)
    at, logs = _places(points, part["free"], part["points"]), np.array(values)
    if len(part["free"]) == 1:
        part["slopes"][who] = _each_rounded(_slopes(at[:, 0], logs))
        part["errors"][who] = _line_errors(at[:, 0], logs)
    else:
        part["errors"][who] = _mesh_errors(at, logs, np.array(part["corners"]))


def _slopes(at: Array, logs: Array) -> Array:
    slopes: Array = PchipInterpolator(at, logs).derivative()(at)
    return slopes


def _line_errors(at: Array, logs: Array) -> list[float | None]:
    """Return by how much a line past each case misses it; None at the ends."""
    gaps = np.diff(at)
    share = gaps[:-1] / (gaps[:-1] + gaps[1:])
    missed = logs[1:-1] - (1 - share) * logs[:-2] - share * logs[2:]
    return [None, *_each_rounded(missed), None]


def _mesh_errors(at: Array, logs: Array, corners: Any) -> list[float | None]:
    """Return by how much a mesh without each case misses it; None at its edge.

    Without a case, only the cases around it fill its place.
    """
    scaled = (at - at.min(axis=0)) / np.ptp(at, axis=0)
    found: list[float | None] = [None] * len(at)
    for i in range(0, len(at), 1 + len(at) // MOST_LEFT_OUT):
        touching = corners[(corners == i).any(axis=1)]
        ring = np.setdiff1d(touching, [i])
        try:
            simplices = Delaunay(scaled[ring]).simplices
        except (QhullError, ValueError):  # too few, or all on a line
            continue
        weights = _weights(scaled[ring][simplices], scaled[i])
        inside = int(np.argmax(weights.min(axis=1)))
        if weights[inside].min() >= -FLAT:
            value = float(weights[inside] @ logs[ring[simplices[inside]]])
            found[i] = rounded(logs[i] - value)
    return found


def _weights(corners: Array, at: Array) -> Array:
    """Return a place's weight of each corner of each simplex; -1 of flat ones.

    By Cramer's rule: scipy's `find_simplex` takes a hundred times as long for a few.
    """
    sides, away = corners[:, 1:] - corners[:, :1], at - corners[:, 0]
    volumes = _volumes(sides)
    weights = np.full(corners.shape[:2], -1.0)
    is_whole = np.abs(volumes) > FLAT
    for k in range(sides.shape[1]):
        other = sides.copy()
        other[:, k] = away
        weights[is_whole, k + 1] = _volumes(other)[is_whole] / volumes[is_whole]
    weights[is_whole, 0] = 1 - weights[is_whole, 1:].sum(axis=1)
    return weights


def _volumes(sides: Array) -> Array:
    """Return the determinants of matrices of two or three rows."""
    if sides.shape[1] == 2:
        a, b = sides[:, 0], sides[:, 1]
        volumes: Array = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        return volumes
    volumes = np.einsum("ij,ij->i", sides[:, 0], np.cross(sides[:, 1], sides[:, 2]))
    return volumes


def _each_rounded(values: Array) -> list[float | None]:
    return [rounded(value) for value in values]


def rounded(value: float | None, digits: int = DIGITS) -> float | None:
    """Return a number as it is written to a file; None for what is none."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")
