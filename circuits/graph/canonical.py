"""The canonical form of a circuit's wiring: equal for circuits that differ only in the order and the names of their neurons.

Labelling by refinement and search (McKay and Piperno, J. Symb. Comput. 60, 2014): parts are told apart by what they are and by
what they are connected to, over and over; where this leaves several that look alike, each is set apart in turn, and of all
orders so reached the one with the least table of connections is canonical. Two orders with equal tables show a symmetry, which
spares the search the branches that mirror one it has been through.
"""

import hashlib
import json
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit


class CanonicalForm(NamedTuple):
    """The wiring of a circuit in canonical order.

    parts        what each part is: "E" or "I" with the cell type if it has one, "input NAME", "output NAME"
    connections  (source, target, how many) by number of the part, sorted
    """

    parts: tuple[str, ...]
    connections: tuple[tuple[int, int, int], ...]

    @property
    def digest(self) -> str:
        """12 hexadecimal digits; equal forms have equal ones."""
        return hashlib.sha256(json.dumps([self.parts, self.connections]).encode()).hexdigest()[:12]

    @property
    def text(self) -> str:
        """The connections, such as `a→E0 a→I0 I0⊣E0 E0→out`."""
        kinds = [part.partition(" ")[0] for part in self.parts]
        names = [f"{kind}{kinds[:k].count(kind)}" for k, kind in enumerate(kinds)]
        for k, part in enumerate(self.parts):
            if kinds[k] in ("input", "output"):
                names[k] = part.partition(" ")[2] or names[k]
        shown = sorted(self.connections, key=lambda c: (kinds[c[0]] != "input", c))
        return " ".join(f"{names[a]}{'⊣' if kinds[a] == 'I' else '→'}{names[b]}" for a, b, _ in shown)


def canonical_form(circuit: Circuit, names: bool = True) -> CanonicalForm:
    """The form of a circuit's wiring: signs, cell types, connections and how many synapses each has, what the input channels
    reach and what the output ports read, in the order in which a port reads. Weights, delays and parameters do not count.

    names: False takes circuits for equal in which input channels, or output ports, have changed places or are called
    differently.
    """
    channels = [c for c in circuit.inputs if c.synapses]
    ids: list[tuple[str, Any]] = [("input", c.name) for c in channels] + [("neuron", n.id) for n in circuit.neurons]
    parts = [f"input {c.name}" if names else "input" for c in channels]
    parts += [f"{n.sign} {n.type}" if n.type else n.sign for n in circuit.neurons]
    found: list[tuple] = [(("input", c.name), ("neuron", s.post)) for c in channels for s in c.synapses]
    found += [(("neuron", s.pre), ("neuron", s.post)) for s in circuit.synapses]
    for port in circuit.outputs:
        slots: list[tuple[str, Any]] = [("output", (port.name, k)) for k in range(len(port.neurons))]
        ids += slots
        parts += [f"output {port.name}" if names else "output"] * len(slots)
        found += [(("neuron", neuron), slot) for neuron, slot in zip(port.neurons, slots, strict=True)]
        found += pairwise(slots)
    place = {part: k for k, part in enumerate(ids)}
    count = np.zeros((len(ids), len(ids)), "i8")
    for source, target in found:
        count[place[source], place[target]] += 1
    kinds = sorted(set(parts))
    order = canonical_order(np.array([kinds.index(part) for part in parts]), count)
    count = count[np.ix_(order, order)]
    connections = tuple((int(a), int(b), int(count[a, b])) for a, b in zip(*np.nonzero(count), strict=True))
    return CanonicalForm(tuple(parts[k] for k in order), connections)


def canonical_order(colour: np.ndarray, label: np.ndarray) -> np.ndarray:
    """An order of the vertices of a directed graph that depends on the graph alone, whatever the order they are given in.

    colour  int [n]: what a vertex is; vertices come in the order of their colours
    label   int [n, n] >= 0: what connects a source to a target, 0 nothing
    Graphs that some renaming of the vertices turns into each other have, each in its own order, equal colours and labels.
    """
    colour = np.unique(colour, return_inverse=True)[1]
    best: Any = []  # the least table so far, its order, and the vertices set apart on the way to it
    symmetries = []

    def descend(colour, path):
        """Search below a node; returns how deep the search goes on, less than it was if the rest mirrors something seen."""
        colour = _refined(colour, label)
        cell = _open_cell(colour, label)
        if cell is None:
            order = np.argsort(colour, kind="stable")
            table = label[np.ix_(order, order)].astype(">i8").tobytes()
            if best and table == best[0]:
                symmetry = np.empty_like(order)
                symmetry[best[1]] = order
                symmetries.append(symmetry)
                return next((k for k, (a, b) in enumerate(zip(path, best[2], strict=False)) if a != b), len(path))
            if not best or table < best[0]:
                best[:] = table, order, path
            return len(path)
        tried = set()
        for vertex in cell:
            if vertex not in tried:
                apart = 2 * colour + 1
                apart[vertex] -= 1
                depth = descend(apart, [*path, vertex])
                if depth < len(path):
                    return depth
                tried.add(vertex)
            tried = _images(tried, [s for s in symmetries if all(s[k] == k for k in path)])
        return len(path)

    descend(colour, [])
    return best[1]


def _refined(colour, label):
    """The colours split until vertices of one colour have, by label and colour, the same connections; numbered from 0."""
    while True:
        key = label * len(colour) + colour
        back = label.T * len(colour) + colour
        seen = np.column_stack([colour, np.sort(key, axis=1), np.sort(back, axis=1)])
        finer = np.unique(seen, axis=0, return_inverse=True)[1].reshape(-1)
        if finer.max(initial=0) == colour.max(initial=0):
            return finer
        colour = finer


def _open_cell(colour, label):
    """The first set of vertices of one colour whose order could matter, or None. It does not where any two can change places
    without anything else being moved."""
    for c in np.flatnonzero(np.bincount(colour) > 1):
        cell = np.flatnonzero(colour == c)
        if not all(_twins(cell[0], other, label) for other in cell[1:]):
            return [int(vertex) for vertex in cell]
    return None


def _twins(a, b, label):
    swapped = np.arange(len(label))
    swapped[[a, b]] = b, a
    rows = [a, b]
    return (label[rows][:, swapped] == label[swapped[rows]]).all() and (
        label[swapped][:, rows] == label[:, swapped[rows]]
    ).all()


def _images(vertices, symmetries):
    """All vertices that symmetries, one after the other, make of some."""
    found, new = set(vertices), set(vertices)
    while new:
        new = {int(s[v]) for s in symmetries for v in new} - found
        found |= new
    return found
