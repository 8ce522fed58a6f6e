"""The drawing of a circuit on the page: its parts and their places, as short lists."""

from collections.abc import Mapping

from circuits.circuit import Circuit
from circuits.drawing.layout import Part, Place, Route, connections, extent, positions, routes
from circuits.graph.named_motifs import occurrences
from evo.inspect.terminal.table import plasticity


def drawn(
    circuit: Circuit, places: Mapping[Part, Place] | None = None, motifs: bool = True, paths: list[Route] | None = None
) -> dict:
    """inputs    names of the channels: they are the nodes 0, 1, ..., and the neurons those after them
    neurons   id, sign, type, ports and parameters `p` in the order of the model's
    synapses  [source, target, weight in mV, delay in ms, its plasticity], source and target numbers of nodes
    motifs    the named motifs in it: name, source, number of occurrences, their nodes and synapses
    places, curves, labels, extent   the layout (`circuits.drawing.layout`), y upwards
    """
    number = {part: k for k, part in enumerate(circuit.nodes)}
    layout = positions(circuit) if places is None else places
    places = {part: layout[part] for part in circuit.nodes}
    paths = routes(circuit, places) if paths is None else paths
    return {
        "inputs": [c.name for c in circuit.inputs],
        "neurons": [
            {
                "id": str(n.id),
                "sign": n.sign,
                "type": n.type or "",
                "ports": [o.name for o in circuit.outputs if n.id in o.neurons],
                "p": [short(value) for value in row],
            }
            for n, row in zip(circuit.neurons, circuit.parameters.tolist(), strict=True)
        ],
        "synapses": [
            [number[path.source], number[path.target], short(s.weight_mv), short(s.delay_ms), plasticity(s)]
            for path, (_, s) in zip(paths, circuit.all_synapses, strict=True)
        ],
        "motifs": _motifs(circuit, number) if motifs else [],
        "places": [[round(x, 3), round(y, 3)] for x, y in places.values()],
        "curves": [[round(x, 3) for x in path.curve.ravel().tolist()] for path in paths],
        "labels": [[round(x, 3) for x in path.label] for path in paths],
        "extent": [round(x, 3) for x in extent(places, paths)],
    }


def short(value: float) -> float:
    """The value with seven digits: no figure of a motif file is finer."""
    return float(f"{value:.7g}")


def _motifs(circuit, number):
    pairs = [(number[a], number[b]) for a, b in connections(circuit)]
    motifs = []
    for motif, sets in occurrences(circuit).items():
        used = {(number[a], number[b]) for edges in sets for a, b in edges}
        nodes = sorted({k for pair in used for k in pair})
        synapses = [k for k, pair in enumerate(pairs) if pair in used]
        motifs.append({"name": motif.name, "source": motif.source, "count": len(sets), "nodes": nodes, "synapses": synapses})
    return motifs
