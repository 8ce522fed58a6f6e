"""Where the parts of a circuit are drawn: simple rules, the same picture every time.

Inputs in the first column, output neurons in the last, the others between by their distance from the inputs. Within a column,
each part sits near the mean height of what it is connected to in the columns before it.
"""

from typing import Any

from circuits.circuit import Circuit

Place = tuple[float, float]


def positions(circuit: Circuit) -> dict[tuple[str, str | int], Place]:
    """(x, y) of every part, keyed ("input", name) and ("neuron", id); columns are 1 apart, rows 1 apart and centred on 0."""
    edges: list[tuple[Any, Any]] = [(("input", c.name), ("neuron", s.post)) for c in circuit.inputs for s in c.synapses]
    edges += [(("neuron", s.pre), ("neuron", s.post)) for s in circuit.synapses]
    columns = _columns(circuit, edges)
    placed: dict = {}
    for x, parts in enumerate(columns):
        height = {}
        for k, part in enumerate(parts):
            near = [placed[a][1] for a, b in edges if b == part and a in placed]
            near += [placed[b][1] for a, b in edges if a == part and b in placed]
            height[part] = sum(near) / len(near) if near and x else -k * 1e-3
        ordered = sorted(parts, key=lambda part: -height[part])
        for k, part in enumerate(ordered):
            placed[part] = (float(x), (len(ordered) - 1) / 2 - k)
    return placed


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
    columns = [inputs] if inputs else []
    columns += [[part for part in inner if depth.get(part, 1) == d] for d in by_depth]
    return columns + ([outputs] if outputs else [])
