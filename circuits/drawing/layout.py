"""Deterministic layout of a circuit's parts and the curves of its synapses.

Inputs are in the first column, output neurons in the last, the others between by distance from the inputs. Within a column, a
part is placed near the mean height of its neighbours in the columns before, then adjacent parts are exchanged while that makes
synapses less steep. A synapse is a curve around the parts between its ends.
"""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit

Part = tuple[str, str | int]
Place = tuple[float, float]

COLUMN, ROW, RADIUS = 2.4, 1.15, 0.27  # distances between parts, and their size
GAP = 0.08  # between a line's end and the part
CLEARANCE = 0.1  # between a line and parts on its way
MAX_HEIGHT = 10  # parts in a column; further ones go into a column beside it
BENDS = [s * b for b in (0.1, 0.03, 0.2, 0.32, 0.45, 0.6, 0.8, 1.05, 1.35) for s in (1, -1)]  # fractions of the length
STRAIGHT, WIDE = 0.25, 8.0  # costs of straight lines and of wide arcs
BOW = 0.3  # minimal bend of synapses backwards or within a column
TURNS = 8  # sides of a part for a loop
LABEL_DISTANCE = 0.24
_AT = np.linspace(0.06, 0.94, 17)
_LABELS = np.array([0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75])


class Route(NamedTuple):
    """The route of a synapse: a cubic Bezier curve, float64 [4, 2], from `source` to `target`; label: position of its delay."""

    source: Part
    target: Part
    curve: np.ndarray
    label: Place


def positions(circuit: Circuit) -> dict[Part, Place]:
    """(x, y) of every part, keyed ("input", name) and ("neuron", id); y points up, rows are centred on 0."""
    edges = connections(circuit)
    placed: dict = {}
    columns = []
    for x, parts in enumerate(_columns(circuit, edges)):
        height = {}
        for k, part in enumerate(parts):
            near = [placed[a][1] for a, b in edges if b == part and a in placed]
            near += [placed[b][1] for a, b in edges if a == part and b in placed]
            height[part] = sum(near) / len(near) if near and x else -k * 1e-3
        columns.append(sorted(parts, key=lambda part: -height[part]))
        for k, part in enumerate(columns[-1]):
            placed[part] = (x * COLUMN, ((len(parts) - 1) / 2 - k) * ROW)
    return _untangled(placed, columns, edges)


def _untangled(placed, columns, edges):
    """Exchange adjacent parts of columns, except inputs, while that makes synapses less steep."""
    near: dict = {part: [] for part in placed}
    for a, b in edges:
        if a != b:
            near[a].append(b)
            near[b].append(a)

    def steep(part, other, y):
        return sum(abs(y - placed[b][1]) for b in near[part] if b != other)

    better = True
    while better:
        better = False
        for column in columns:
            for k in range(len(column) - 1):
                upper, lower = column[k : k + 2]
                if "input" in (upper[0], lower[0]):
                    continue
                high, low = placed[upper][1], placed[lower][1]
                as_is = steep(upper, lower, high) + steep(lower, upper, low)
                if steep(upper, lower, low) + steep(lower, upper, high) < as_is - 1e-9:
                    column[k : k + 2] = lower, upper
                    placed[upper], placed[lower] = (placed[upper][0], low), (placed[lower][0], high)
                    better = True
    return placed


def connections(circuit: Circuit) -> list[tuple[Part, Part]]:
    """(source, target) of every synapse, those from input channels first."""
    return [(source, ("neuron", synapse.post)) for source, synapse in circuit.all_synapses]


def routes(circuit: Circuit, places: dict[Part, Place]) -> list[Route]:
    """The route of every synapse, in the order of `connections`."""
    edges = connections(circuit)
    at = np.array(list(places.values()))
    index = {part: k for k, part in enumerate(places)}
    ends = np.array([(index[a], index[b]) for a, b in edges], int).reshape(-1, 2)
    looped = ends[:, 0] == ends[:, 1]
    outputs = [index["neuron", n] for port in circuit.outputs for n in port.neurons]
    curves = np.empty((len(ends), len(BENDS), 4, 2))
    curves[~looped] = _arcs(at[ends[~looped, 0]], at[ends[~looped, 1]])
    costs = np.empty(curves.shape[:2])
    costs[~looped] = _bent(at[ends[~looped, 0]], at[ends[~looped, 1]]) + _hidden(curves[~looped], ends[~looped], at)
    for k in np.flatnonzero(looped).tolist():
        curves[k, :TURNS] = _loops(at[ends[k, 0]])
        costs[k, TURNS:] = np.inf
        costs[k, :TURNS] = _hidden(curves[None, k, :TURNS], ends[None, k], at)[0] + _crowded(ends[k, 0], ends, at, outputs)
    used_by_pair: dict = {}
    labels: list[Place] = []
    synapse_routes = []
    for k, (source, target) in enumerate(edges):
        used = used_by_pair.setdefault((source, target), [])
        choice = int(np.argmin(np.where(np.isin(np.arange(len(BENDS)), used), np.inf, costs[k])))
        used.append(choice)
        labels.append(_free(_on(curves[k, choice], _LABELS), labels))
        synapse_routes.append(Route(source, target, curves[k, choice], labels[-1]))
    return synapse_routes


def _free(points, taken):
    """The first of the points that is not near a taken one, else the one farthest from them."""
    if not taken:
        return (float(points[0, 0]), float(points[0, 1]))
    nearest = np.hypot(*np.moveaxis(points[:, None] - np.array(taken)[None], -1, 0)).min(axis=1)
    clear = np.flatnonzero(nearest > LABEL_DISTANCE)
    x, y = points[clear[0] if len(clear) else int(nearest.argmax())]
    return (float(x), float(y))


def extent(places: dict[Part, Place], ways: list[Route]) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of all parts and synapses, without labels."""
    corners = [np.array(list(places.values())) + sign * 1.25 * RADIUS for sign in (-1, 1)]
    points = np.concatenate([*corners, *(_on(way.curve, _AT) for way in ways)])
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    return float(left), float(right), float(bottom), float(top)


def _columns(circuit, edges):
    inputs = [("input", c.name) for c in circuit.inputs]
    outputs = [("neuron", n) for o in circuit.outputs for n in o.neurons]
    outputs = list(dict.fromkeys(outputs))
    inner = [("neuron", n.id) for n in circuit.neurons if ("neuron", n.id) not in outputs]
    depth, frontier = dict.fromkeys(inputs, 0), inputs
    while frontier:
        reached = [b for a, b in edges if a in frontier and b not in depth]
        for part in reached:
            depth.setdefault(part, depth[frontier[0]] + 1)
        frontier = list(dict.fromkeys(reached))
    by_depth = sorted({depth.get(part, 1) for part in inner})
    columns = [inputs, *([part for part in inner if depth.get(part, 1) == d] for d in by_depth), outputs]
    return [part for column in columns if column for part in _split(column)]


def _split(column):
    count = -(-len(column) // MAX_HEIGHT)
    return [column[k::count] for k in range(count)]


def _arcs(start, end):
    """Arcs between parts, float64 [edges, bends, 4, 2], whose middle is half of the bend, in lengths, beside the straight line;
    to the right of the direction from start to end for positive bends."""
    direction = end - start
    aside = np.stack([direction[:, 1], -direction[:, 0]], axis=1)
    control = ((start + end) / 2)[:, None] + np.array(BENDS)[:, None] * aside[:, None]
    first, last = (_towards(part[:, None], control) for part in (start, end))
    return np.stack([first, first + (control - first) * 2 / 3, last + (control - last) * 2 / 3, last], axis=2)


def _towards(part, goal):
    direction = goal - part
    return part + direction / np.hypot(direction[..., :1], direction[..., 1:]) * (RADIUS + GAP)


def _bent(start, end):
    """Cost of the bends themselves: lowest for straight lines, and for wide arcs higher than for passing near a part; but
    synapses backwards or within a column need a bow."""
    bends = np.abs(BENDS)
    ahead = end[:, :1] - start[:, :1] > 1e-9
    costs = np.where(bends < 0.1, STRAIGHT, bends + WIDE * bends**2)
    return costs + np.where(ahead | (bends >= BOW), 0, 10) + 1e-6 * np.arange(len(bends))


def _hidden(curves, ends, at):
    """Cost of curves [edges, bends, 4, 2] that pass near parts other than their ends."""
    weight = np.stack([(1 - _AT) ** 3, 3 * _AT * (1 - _AT) ** 2, 3 * _AT**2 * (1 - _AT), _AT**3])
    points = np.einsum("ewcx,cp->ewpx", curves, weight)
    distance = np.empty((*points.shape[:2], len(at)))
    for begin in range(0, len(points), 64):  # all at once would take gigabytes in the largest circuits
        dx, dy = (points[begin : begin + 64, ..., None, k] - at[:, k] for k in (0, 1))
        distance[begin : begin + 64] = np.sqrt((dx * dx + dy * dy).min(axis=2))
    near = np.maximum(1.25 * RADIUS + CLEARANCE - distance, 0)
    np.put_along_axis(near, ends[:, None, :], 0, axis=2)
    return 100 * near.sum(axis=2)


def _loops(at):
    """Loops of a part on every side, float64 [TURNS, 4, 2]."""
    angle = np.pi / 4 * np.array([0, 4, 1, 7, 2, 6, 3, 5])  # up and down first
    ahead = np.stack([np.sin(angle), np.cos(angle)], axis=1)[:, None]
    side = np.stack([ahead[..., 1], -ahead[..., 0]], axis=2)
    foot, size = RADIUS + GAP, 0.75
    shape = np.array(
        [[-0.5 * foot, 0.87 * foot], [-0.7 * size, 1.4 * size], [0.7 * size, 1.4 * size], [0.5 * foot, 0.87 * foot]]
    )
    return at + shape[:, :1] * side + shape[:, 1:] * ahead


def _crowded(part, ends, at, outputs):
    """Cost of a loop on each side: near the part's other synapses, and on the right of an output, at the port's label."""
    ahead = _loops(np.zeros(2))[:, 1:3].mean(axis=1)
    ahead = ahead / np.hypot(*ahead.T)[:, None]
    other = ends[(ends == part).sum(axis=1) == 1]
    directions = at[np.where(other[:, 0] == part, other[:, 1], other[:, 0])] - at[part]
    overlap = np.clip(directions / np.hypot(*directions.T)[:, None] @ ahead.T, 0, None).sum(axis=0)
    return 0.1 * overlap + (part in outputs) * np.clip(ahead[:, 0], 0, None) + 1e-6 * np.arange(TURNS)


def _on(curve, t):
    """Points of a curve, [len(t), 2]."""
    t = t[:, None]
    a, b, c, d = curve
    return a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3
