"""The canonical form of a circuit's wiring: equal for circuits that differ only in the order and names of their neurons.

Canonical labelling by refinement and search (McKay and Piperno, J. Symb. Comput. 60, 2014): colours of vertices are refined
by the colours of their neighbours until stable; where vertices share a colour, each is individualised in turn, and of all
orders so reached, the one with the smallest connection table is canonical. Two orders with equal tables are a symmetry, by
which the search skips equivalent branches.
"""

import hashlib
import json
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit


class CanonicalForm(NamedTuple):
    """The wiring of a circuit in canonical order.

    parts        kind of each part: "E" or "I" with the cell type if any, "input NAME", "output NAME"
    connections  (source, target, number of synapses), parts by index, sorted
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
    """The canonical form of signs, cell types, connections with their numbers of synapses, targets of input channels, and
    neurons of output ports in order. Weights, delays and parameters are ignored.

    names: False ignores the names and order of input channels and of output ports.
    """
    channels = [c for c in circuit.inputs if c.synapses]
    ids: list[tuple[str, Any]] = [("input", c.name) for c in channels] + [("neuron", n.id) for n in circuit.neurons]
    parts = [f"input {c.name}" if names else "input" for c in channels]
    parts += [f"{n.sign} {n.type}" if n.type else n.sign for n in circuit.neurons]
    pairs: list[tuple] = [(source, ("neuron", synapse.post)) for source, synapse in circuit.all_synapses]
    for port in circuit.outputs:
        slots: list[tuple[str, Any]] = [("output", (port.name, k)) for k in range(len(port.neurons))]
        ids += slots
        parts += [f"output {port.name}" if names else "output"] * len(slots)
        pairs += [(("neuron", neuron), slot) for neuron, slot in zip(port.neurons, slots, strict=True)]
        pairs += pairwise(slots)
    index = {part: k for k, part in enumerate(ids)}
    count = np.zeros((len(ids), len(ids)), "i8")
    for source, target in pairs:
        count[index[source], index[target]] += 1
    kinds = sorted(set(parts))
    order = canonical_order(np.array([kinds.index(part) for part in parts]), count)
    count = count[np.ix_(order, order)]
    connections = tuple((int(a), int(b), int(count[a, b])) for a, b in zip(*np.nonzero(count), strict=True))
    return CanonicalForm(tuple(parts[k] for k in order), connections)


def canonical_order(colour: np.ndarray, label: np.ndarray) -> np.ndarray:
    """A canonical order of the vertices of a directed graph, independent of their present order.

    colour  int [n]: kind of each vertex; vertices are ordered by colour first
    label   int [n, n] >= 0: kind of the connection from source to target, 0 none
    Isomorphic graphs, each in its canonical order, have equal colours and labels.
    """
    colour = np.unique(colour, return_inverse=True)[1]
    best: Any = []  # the smallest table so far, its order, and the path of individualised vertices
    symmetries = []

    def descend(colour, path):
        """Search below a node; returns the depth to continue at, which is smaller if the rest is equivalent to a searched
        branch."""
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
        searched = set()
        for vertex in cell:
            if vertex not in searched:
                individualised = 2 * colour + 1
                individualised[vertex] -= 1
                depth = descend(individualised, [*path, vertex])
                if depth < len(path):
                    return depth
                searched.add(vertex)
            searched = _orbit(searched, [s for s in symmetries if all(s[k] == k for k in path)])
        return len(path)

    descend(colour, [])
    return best[1]


def _refined(colour, label):
    """Refine colours until vertices of a colour have the same connections by label and colour; numbered from 0."""
    while True:
        key = label * len(colour) + colour
        back = label.T * len(colour) + colour
        signature = np.column_stack([colour, np.sort(key, axis=1), np.sort(back, axis=1)])
        finer = np.unique(signature, axis=0, return_inverse=True)[1].reshape(-1)
        if finer.max(initial=0) == colour.max(initial=0):
            return finer
        colour = finer


def _open_cell(colour, label):
    """The first set of vertices of one colour whose order could matter, or None. Order does not matter among twins."""
    for c in np.flatnonzero(np.bincount(colour) > 1):
        cell = np.flatnonzero(colour == c)
        if not all(_twins(cell[0], other, label) for other in cell[1:]):
            return [int(vertex) for vertex in cell]
    return None


def _twins(a, b, label):
    """Does exchanging the two vertices leave all connections unchanged?"""
    swapped = np.arange(len(label))
    swapped[[a, b]] = b, a
    rows = [a, b]
    return (label[rows][:, swapped] == label[swapped[rows]]).all() and (
        label[swapped][:, rows] == label[:, swapped[rows]]
    ).all()


def _orbit(vertices, symmetries):
    """The orbit of vertices under the symmetries."""
    orbit, new = set(vertices), set(vertices)
    while new:
        new = {int(s[v]) for s in symmetries for v in new} - orbit
        orbit |= new
    return orbit
