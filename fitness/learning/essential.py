"""What of a circuit can matter in a network that reads its excitatory neurons."""

from collections.abc import Iterable

from circuits.circuit import Circuit


def essential(circuit: Circuit, read: str = "excitatory") -> Circuit | None:
    """The circuit without neurons that cannot matter: those that no input drives, and those from which no way leads to a neuron
    that is read. None if no such neuron is driven.

    read  which neurons are: "excitatory", those of the output "ports", or "all"
    """
    excitatory = {neuron.id for neuron in circuit.neurons if neuron.sign == "E"}
    ports = {neuron for port in circuit.outputs for neuron in port.neurons}
    wanted = {"excitatory": excitatory, "ports": ports, "all": {neuron.id for neuron in circuit.neurons}}[read]
    awake = {s.post for channel in circuit.inputs for s in channel.synapses}
    awake |= {neuron.id for neuron in circuit.neurons if getattr(neuron, "bias_mv", 0) > 0}
    driven = _reached(awake, [(s.pre, s.post) for s in circuit.synapses if s.pre in excitatory])
    kept = _reached(wanted & driven, [(s.post, s.pre) for s in circuit.synapses if {s.pre, s.post} <= driven])
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
        {"name": "out", "neurons": [n["id"] for n in data["neurons"] if n["id"] in wanted]}
    ]
    return type(circuit)(**data)


def _reached(found: set, ways: Iterable[tuple]) -> set:
    """All that `ways`, pairs, lead to from what is found."""
    while more := {end for begin, end in ways if begin in found} - found:
        found = found | more
    return found
