"""The part of a circuit that can matter in a network that reads some of its neurons."""

from circuits.circuit import Circuit


def essential(circuit: Circuit, read: str = "excitatory") -> Circuit | None:
    """The circuit without neurons that cannot matter: those that no input drives, and those from which no path leads to a
    neuron that is read. None if no neuron that is read is driven.

    read  the neurons that are read: "excitatory", those of the output "ports", or "all"
    """
    excitatory = {neuron.id for neuron in circuit.neurons if neuron.sign == "E"}
    ports = {neuron for port in circuit.outputs for neuron in port.neurons}
    to_read = {"excitatory": excitatory, "ports": ports, "all": {neuron.id for neuron in circuit.neurons}}[read]
    stimulated = {s.post for channel in circuit.inputs for s in channel.synapses}
    stimulated |= {neuron.id for neuron in circuit.neurons if getattr(neuron, "bias_mv", 0) > 0}
    driven = _reached(stimulated, [(s.pre, s.post) for s in circuit.synapses if s.pre in excitatory])
    kept = _reached(to_read & driven, [(s.post, s.pre) for s in circuit.synapses if {s.pre, s.post} <= driven])
    if not kept:
        return None
    data = circuit.model_dump()
    data["neurons"] = [n for n in data["neurons"] if n["id"] in kept]
    data["synapses"] = [s for s in data["synapses"] if {s["pre"], s["post"]} <= kept]
    for channel in data["inputs"]:
        channel["synapses"] = [s for s in channel["synapses"] if s["post"] in kept]
    data["inputs"] = [channel for channel in data["inputs"] if channel["synapses"]]
    if not data["inputs"]:
        return None
    for port in data["outputs"]:
        port["neurons"] = [n for n in port["neurons"] if n in kept]
    data["outputs"] = [port for port in data["outputs"] if port["neurons"]] or [
        {"name": "out", "neurons": [n["id"] for n in data["neurons"] if n["id"] in to_read]}
    ]
    return type(circuit)(**data)


def _reached(start: set, edges: list[tuple]) -> set:
    """The nodes of `start` and those to which a path of edges leads from them."""
    reached = start
    while more := {target for source, target in edges if source in reached} - reached:
        reached = reached | more
    return reached
