"""Where the parts of a circuit are drawn, and the ways of its synapses: simple rules, the same picture every time.

Inputs in the first column, output neurons in the last, the others between by their distance from the inputs. Within a column,
each part sits near the mean height of what it is connected to in the columns before it. A synapse is a curve that goes around
the parts between its ends.
"""

from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit

Part = tuple[str, str | int]
Place = tuple[float, float]

COLUMN, ROW, RADIUS = 2.4, 1.15, 0.27  # distances between parts, and the size of one
GAP = 0.08  # between a line's end and the part
CLEARANCE = 0.1  # between a line and a part that it passes
TALLEST = 10  # parts in a column; further ones stand in a column beside it
BENDS = (0.1, -0.1, 0.2, -0.2, 0.32, -0.32, 0.45, -0.45, 0.6, -0.6, 0.8, -0.8, 1.05, -1.05, 1.35, -1.35)  # shares of the length
_BACK, _ALONG = 0.3, 0.3  # bend of what leads back, or stays in its column
_AT = np.linspace(0.06, 0.94, 23)
_LABELS = np.array([0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75])
APART = 0.24  # between labels
_TURNS = np.array([(np.sin(a), np.cos(a)) for a in np.pi / 4 * np.array([0, 4, 1, 7, 2, 6, 3, 5])])  # of loops: up, down, ...


class Route(NamedTuple):
    """The way of a synapse: a cubic Bezier curve, float64 [4, 2], from `source` to `target`; label: where its delay is
    written."""

    source: Part
    target: Part
    curve: np.ndarray
    label: Place


def positions(circuit: Circuit) -> dict[Part, Place]:
    """(x, y) of every part, keyed ("input", name) and ("neuron", id); y points up, rows are centred on 0."""
    edges = connections(circuit)
    placed: dict = {}
    for x, parts in enumerate(_columns(circuit, edges)):
        height = {}
        for k, part in enumerate(parts):
            near = [placed[a][1] for a, b in edges if b == part and a in placed]
            near += [placed[b][1] for a, b in edges if a == part and b in placed]
            height[part] = sum(near) / len(near) if near and x else -k * 1e-3
        ordered = sorted(parts, key=lambda part: -height[part])
        for k, part in enumerate(ordered):
            placed[part] = (x * COLUMN, ((len(ordered) - 1) / 2 - k) * ROW)
    return placed


def connections(circuit: Circuit) -> list[tuple[Part, Part]]:
    """(source, target) of every synapse, those from input channels first."""
    edges: list[tuple[Any, Any]] = [(("input", c.name), ("neuron", s.post)) for c in circuit.inputs for s in c.synapses]
    return edges + [(("neuron", s.pre), ("neuron", s.post)) for s in circuit.synapses]


def routes(circuit: Circuit, places: dict[Part, Place]) -> list[Route]:
    """The way of every synapse, in the order of `connections`."""
    edges = connections(circuit)
    parts, at = list(places), np.array(list(places.values()))
    index = {part: k for k, part in enumerate(parts)}
    ends = [(index[a], index[b]) for a, b in edges]
    taken: dict = {}
    labels: list[Place] = []
    found = []
    for (a, b), costs in zip(ends, _costs(ends, at), strict=True):
        used = taken.setdefault((a, b), [])
        choice = min((k for k in range(len(costs)) if k not in used), key=lambda k: costs[k], default=0)
        used.append(choice)
        if a == b:
            curve = _loop(at[a], choice, len(used))
        else:
            curve = _curve(at[a], at[b], _bends(at[a], at[b])[choice])
        labels.append(_free(_on(curve, _LABELS), labels))
        found.append(Route(parts[a], parts[b], curve, labels[-1]))
    return found


def _free(points, taken):
    """The first of some points that is not near one taken, or else the one farthest from all."""
    if not taken:
        return (float(points[0, 0]), float(points[0, 1]))
    nearest = np.hypot(*np.moveaxis(points[:, None] - np.array(taken)[None], -1, 0)).min(axis=1)
    clear = np.flatnonzero(nearest > APART)
    x, y = points[clear[0] if len(clear) else int(nearest.argmax())]
    return (float(x), float(y))


def extent(places: dict[Part, Place], ways: list[Route]) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of all parts and synapses, without what is written beside them."""
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
    count = -(-len(column) // TALLEST)
    return [column[k::count] for k in range(count)]


def _bends(start, end):
    """The bends to choose from, the preferred one first."""
    dx = end[0] - start[0]
    first = BENDS[0] if dx > 1e-9 else _BACK if dx < -1e-9 else _ALONG
    return (first, *(b for b in BENDS if abs(b) >= first and b != first))


def _costs(edges, at):
    """What each bend of each edge, or direction of a loop, costs: how far it is from straight, and how near it passes to parts
    that are not its ends."""
    found = []
    for a, b in edges:
        if a == b:
            ways = [_loop(at[a], k, 1) for k in range(len(_TURNS))]
            towards = np.array([at[y] - at[x] if x == a else at[x] - at[y] for x, y in edges if (x == a) != (y == a)]).reshape(
                -1, 2
            )
            towards = towards / np.hypot(*towards.T)[:, None]
            plain = np.clip(towards @ _TURNS.T, 0, None).sum(axis=0) * 0.1  # among its other synapses it would be hard to see
        else:
            bends = _bends(at[a], at[b])
            ways, plain = [_curve(at[a], at[b], bend) for bend in bends], np.abs(bends)
        others = np.delete(at, [a, b], axis=0)
        points = np.stack([_on(way, _AT) for way in ways])
        distance = np.hypot(*np.moveaxis(points[:, :, None] - others[None, None], -1, 0))
        reach = 1.25 * RADIUS + CLEARANCE
        hidden = np.maximum(reach - distance, 0).max(axis=2, initial=0).sum(axis=1) if len(others) else np.zeros(len(ways))
        found.append(plain + 20 * hidden + 1e-6 * np.arange(len(ways)))
    return found


def _curve(start, end, bend):
    """From the edge of one part to that of another, as an arc whose middle lies half of `bend` lengths beside the straight
    line; seen from the start, to the right for a positive one."""
    way = end - start
    control = (start + end) / 2 + bend * np.array([way[1], -way[0]])
    first, last = (_towards(part, control, RADIUS + GAP) for part in (start, end))
    return np.array([first, first + (control - first) * 2 / 3, last + (control - last) * 2 / 3, last])


def _towards(part, goal, distance):
    way = goal - part
    return part + way / np.hypot(*way) * distance


def _loop(at, turn, number):
    """From a part to itself, on the side that the turn says; further ones are larger."""
    ahead, foot, size = _TURNS[turn], RADIUS + GAP, 0.75 + 0.35 * number
    side = np.array([ahead[1], -ahead[0]])
    shape = np.array(
        [[-0.5 * foot, 0.87 * foot], [-0.7 * size, 1.1 * size], [0.7 * size, 1.1 * size], [0.5 * foot, 0.87 * foot]]
    )
    return at + shape[:, :1] * side + shape[:, 1:] * ahead


def _on(curve, t):
    """Points of a curve, [len(t), 2]."""
    t = t[:, None]
    a, b, c, d = curve
    return a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3
