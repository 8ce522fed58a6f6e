"""The drawable part of a large circuit: its most connected neurons, and the strongest synapses between them."""

from typing import Any, NamedTuple

from circuits.circuit import Circuit

MAX_NEURONS, MAX_SYNAPSES = 150, 600  # more are illegible, and slow to lay out


class LeftOut(NamedTuple):
    """The numbers of neurons and synapses that are not drawn."""

    neurons: int
    synapses: int

    def __str__(self):
        return f"left out: {self.neurons:,} neurons and {self.synapses:,} of the weakest synapses"


def drawable(circuit: Circuit) -> tuple[Circuit, LeftOut | None]:
    """The circuit, or a drawable part, and the numbers left out or None. A part has MAX_NEURONS neurons, those of outputs
    first, then by total synaptic weight, and the MAX_SYNAPSES heaviest synapses between them and from inputs."""
    if len(circuit.neurons) <= MAX_NEURONS and circuit.synapse_count <= MAX_SYNAPSES:
        return circuit, None
    ids = _most_connected(circuit)
    entering: list[tuple[str, Any]] = [(c.name, s) for c in circuit.inputs for s in c.synapses if s.post in ids]
    between: list[Any] = [s for s in circuit.synapses if s.pre in ids and s.post in ids]
    heaviest = {id(s) for s in sorted([*(s for _, s in entering), *between], key=lambda s: -s.weight_mv)[:MAX_SYNAPSES]}
    inputs = tuple(
        c.model_copy(update={"synapses": tuple(s for s in c.synapses if id(s) in heaviest)})
        for c in circuit.inputs[:MAX_NEURONS]
    )
    outputs = [o.model_copy(update={"neurons": tuple(n for n in o.neurons if n in ids)}) for o in circuit.outputs]
    parts = {
        "neurons": tuple(n for n in circuit.neurons if n.id in ids),
        "inputs": inputs,
        "synapses": tuple(s for s in between if id(s) in heaviest),
        "outputs": tuple(o for o in outputs if o.neurons),
    }
    part = Circuit.model_construct(**{name: getattr(circuit, name) for name in Circuit.model_fields} | parts)
    counts = len(circuit.neurons) - len(part.neurons), circuit.synapse_count - part.synapse_count
    return part, LeftOut(*counts)


def _most_connected(circuit):
    """Ids of the neurons to draw."""
    weight = dict.fromkeys((n.id for n in circuit.neurons), 0.0)
    for synapse in (*circuit.synapses, *(s for c in circuit.inputs for s in c.synapses)):
        weight[synapse.post] += synapse.weight_mv
        if hasattr(synapse, "pre"):
            weight[synapse.pre] += synapse.weight_mv
    read = dict.fromkeys(n for o in circuit.outputs for n in o.neurons)
    return set([*read, *sorted(weight.keys() - read.keys(), key=lambda n: (-weight[n], str(n)))][:MAX_NEURONS])
