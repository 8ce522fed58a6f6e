"""The genome of an assembly: several kinds of motif in one circuit, the genome of each, and the number of copies of each.

A kind of motif has a role. Its genome is that of a motif whose input channels are those of the interface and then one for each
role, its own included: a synapse of the channel "from NAME" carries the spikes of the outputs of copies of that role. So the
projections between roles, their targets, weights and delays, are encoded in the genome like other wiring; a channel from the
own role is lateral wiring.

    copies of different roles   copy k of m receives copy j of n if floor(j m / n) = k, or floor(k n / m) = j: as evenly as
                                possible
    copies of the same role     each receives both neighbours in a ring

Outputs are excitatory: inhibition stays within a copy. Roles evolve side by side (cooperative coevolution, Potter and De Jong,
Evolutionary Computation 8, 2000): operators change one role, and take the other roles from partners.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit, InputChannel, OutputPort, Synapse
from circuits.simulation.packed import PackedCircuits, from_matrices
from evo.genome import identity, record, variation
from evo.genome.record import Bounds, Encoding

COPYING = 0.2  # probability that a child has another number of copies than its mother


class AssemblyBounds(NamedTuple):
    """Bounds of genomes of assemblies.

    names  of the roles;   roles  the bounds of each role's motif;   copies  int64 [roles, 2], minimum and maximum number
    """

    names: tuple[str, ...]
    roles: tuple[Bounds, ...]
    copies: np.ndarray

    @property
    def dt_ms(self) -> float:
        """The simulation step."""
        return self.roles[0].dt_ms

    @property
    def capacity(self) -> int:
        """The largest number of neurons."""
        return int(sum(role.capacity * maximum for role, (_, maximum) in zip(self.roles, self.copies, strict=True)))

    @property
    def of_motif(self) -> np.dtype:
        """The record of the genome of one role's motif, the same for all."""
        return record.empty(self.roles[0], 0).dtype


def input_from(name: str) -> str:
    """The input channel that carries the spikes of a role."""
    return f"from {name}"


def empty(bounds: AssemblyBounds, count: int) -> np.ndarray:
    """`count` genomes of zeros: motifs [roles], and copies uint8 [roles]."""
    roles = len(bounds.names)
    return np.zeros(count, [("motifs", bounds.of_motif, (roles,)), ("copies", "u1", (roles,))])


def motifs(genomes: np.ndarray) -> Iterator[np.ndarray]:
    """The motifs' genomes [n] of one role after the other."""
    return (np.ascontiguousarray(genomes["motifs"][:, role]) for role in range(genomes["copies"].shape[1]))


def founders(bounds: AssemblyBounds, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random valid genomes."""
    genomes = empty(bounds, count)
    for role, limits in enumerate(bounds.roles):
        genomes["motifs"][:, role] = variation.founders(limits, count, rng)
    minimum, maximum = bounds.copies.T
    genomes["copies"] = minimum + np.floor(rng.random(genomes["copies"].shape) * (maximum - minimum + 1))
    return genomes


def crossover(genomes, mothers, fathers, bounds: AssemblyBounds, role: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Children of pairs of genomes, see `variation.crossover`, in one role: their number of copies is that of one parent."""
    children, parents = genomes.take(mothers), np.ascontiguousarray(genomes["motifs"][:, role])
    children["motifs"][:, role], crossed = variation.crossover(parents, mothers, fathers, bounds.roles[role], rng)
    from_father = crossed & (rng.random(len(children)) < 0.5)
    children["copies"][from_father, role] = genomes["copies"][fathers[from_father], role]
    return children, crossed


def mutate(
    genomes, bounds: AssemblyBounds, role: int, rng, more: float = 0.5, wiring: bool = True, duplication: float = 0.0
) -> np.ndarray:
    """Mutate one role in place, see `variation.mutate`; with wiring, sometimes also its number of copies by one."""
    role_motifs = np.ascontiguousarray(genomes["motifs"][:, role])
    genomes["motifs"][:, role] = variation.mutate(role_motifs, bounds.roles[role], rng, more, wiring, duplication)
    if wiring:
        draw, (minimum, maximum) = rng.random(len(genomes)), bounds.copies[role]
        change = np.where(draw < COPYING / 2, -1, np.where(draw < COPYING, 1, 0))
        genomes["copies"][:, role] = np.clip(genomes["copies"][:, role].astype(int) + change, minimum, maximum)
    return genomes


def with_partners(genomes: np.ndarray, role: int, partners: np.void) -> np.ndarray:
    """Give genomes the other roles of another genome, in place."""
    others = np.arange(genomes["copies"].shape[1]) != role
    genomes["motifs"][:, others], genomes["copies"][:, others] = partners["motifs"][others], partners["copies"][others]
    return genomes


def rewired(children: np.ndarray, genomes: np.ndarray, mothers: np.ndarray) -> np.ndarray:
    """Mask of the children with other neurons, synapses, outputs or numbers of copies than their mothers."""
    changed = (children["copies"] != genomes["copies"][mothers]).any(axis=1)
    for of_children, of_mothers in zip(motifs(children), motifs(genomes), strict=True):
        changed |= variation.rewired(of_children, of_mothers, mothers)
    return changed


def sound(genomes: np.ndarray, bounds: AssemblyBounds) -> np.ndarray:
    """Mask of the genomes without faults: bool [n]."""
    minimum, maximum = bounds.copies.T
    mask = ((genomes["copies"] >= minimum) & (genomes["copies"] <= maximum)).all(axis=1)
    for role_motifs, limits in zip(motifs(genomes), bounds.roles, strict=True):
        mask &= record.sound(role_motifs, limits)
    return mask


def faults(genome: np.void, bounds: AssemblyBounds) -> list[str]:
    """Faults of a genome in words; empty for a valid one."""
    of_copies = [] if sound(np.array([genome], genome.dtype), bounds).all() else ["numbers of copies"]
    of_motifs = [f"{name}: {fault}" for name, motif, limits in _roles(genome, bounds) for fault in record.faults(motif, limits)]
    return of_motifs or of_copies


def keys(genomes: np.ndarray) -> list[bytes]:
    """The key of each genome, see `identity.keys`."""
    role_keys = (identity.keys(role_motifs) for role_motifs in motifs(genomes))
    return [b"".join((*parts, copies.tobytes())) for *parts, copies in zip(*role_keys, genomes["copies"], strict=True)]


def wirings(genomes: np.ndarray) -> int:
    """The number of different wirings among the genomes, see `identity.wirings`."""
    role_keys = [identity.wiring_keys(role_motifs) for role_motifs in motifs(genomes)]
    return len({(*parts, copies.tobytes()) for *parts, copies in zip(*role_keys, genomes["copies"], strict=True)})


def motif_circuits(genome: np.void, encoding: Encoding, inputs, outputs) -> list[Circuit]:
    """The circuit of each role's motif alone, with channels from the roles."""
    bounds = encoding.bounds
    assert isinstance(bounds, AssemblyBounds)
    channels = (*inputs, *map(input_from, bounds.names))
    roles = _roles(genome, bounds)
    return [record.to_circuit(motif, encoding._replace(bounds=limits), channels, outputs) for _, motif, limits in roles]


def to_circuit(genome: np.void, encoding: Encoding, inputs, outputs) -> Circuit:
    """One genome as a Circuit: neuron "E0" of the second copy of role "gate" is "gate1.E0", channels likewise; every role has
    an output port of the outputs of its copies."""
    bounds, copies = encoding.bounds, [int(n) for n in genome["copies"]]
    assert isinstance(bounds, AssemblyBounds)
    circuits, names = motif_circuits(genome, encoding, inputs, outputs), bounds.names
    neurons, channels, synapses = [], [], []
    read = [[n for port in motif.outputs for n in port.neurons] for motif in circuits]
    ports = [
        OutputPort(name=name, neurons=tuple(f"{name}{k}.{n}" for k in range(copies[r]) for n in read[r]))
        for r, name in enumerate(names)
    ]
    for r, (name, motif) in enumerate(zip(names, circuits, strict=True)):
        for k in range(copies[r]):
            prefix = f"{name}{k}."
            neurons += [n.model_copy(update={"id": f"{prefix}{n.id}"}) for n in motif.neurons]
            synapses += [s.model_copy(update={"pre": f"{prefix}{s.pre}", "post": f"{prefix}{s.post}"}) for s in motif.synapses]
            for channel in motif.inputs[: len(inputs)]:
                moved = tuple(s.model_copy(update={"post": f"{prefix}{s.post}"}) for s in channel.synapses)
                channels.append(InputChannel(name=f"{prefix}{channel.name}", synapses=moved))
            for other, channel in enumerate(motif.inputs[len(inputs) :]):
                synapses += [
                    Synapse(
                        pre=f"{names[other]}{j}.{pre}", post=f"{prefix}{s.post}", weight_mv=s.weight_mv, delay_ms=s.delay_ms
                    )
                    for j in source_copies(k, copies[r], copies[other], other == r)
                    for pre in read[other]
                    for s in channel.synapses
                ]
    return Circuit(
        dt_ms=bounds.dt_ms,
        neuron_model=encoding.model.name,
        noise_mv=encoding.noise_mv,
        neurons=tuple(neurons),
        inputs=tuple(channels),
        synapses=tuple(synapses),
        outputs=tuple(ports),
    )


def tables(genomes: np.ndarray, encoding: Encoding, inputs, outputs, refine: int = 1) -> PackedCircuits:
    """Genomes in the simulator's layout, see `record.tables`."""
    circuits = [to_circuit(genome, encoding, inputs, outputs) for genome in genomes]
    channels, capacity, ports = (
        max((count(circuit) for circuit in circuits), default=1)
        for count in (lambda c: len(c.inputs), lambda c: len(c.neurons), lambda c: sum(len(o.neurons) for o in c.outputs))
    )
    n = len(circuits)
    kind, readout = np.zeros((n, capacity), "i1"), np.zeros((n, ports), "i1")
    parameters = np.zeros((n, capacity, len(encoding.model.names)), "f4")
    weight, delay = (np.zeros((n, channels + capacity, capacity), kind) for kind in ("f4", "u2"))
    for k, circuit in enumerate(circuits):
        slot_of = {neuron.id: slot for slot, neuron in enumerate(circuit.neurons)}
        kind[k, : len(slot_of)], parameters[k, : len(slot_of)] = np.where(circuit.excitatory, 1, -1), circuit.parameters
        read = [slot_of[i] for port in circuit.outputs for i in port.neurons]
        readout[k] = np.resize(read, ports)
        synapses: list[tuple[int, Any]] = [(c, s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
        synapses += [(channels + slot_of[s.pre], s) for s in circuit.synapses]
        for source, s in synapses:
            weight[k, source, slot_of[s.post]] = s.weight_mv
            delay[k, source, slot_of[s.post]] = round(s.delay_ms / circuit.dt_ms) * refine
    dt = encoding.bounds.dt_ms / refine
    return from_matrices(encoding.model, kind, parameters, weight, delay, readout, dt, np.float32, None, encoding.noise_mv, 0)


def source_copies(k: int, copies: int, others: int, same: bool) -> list[int]:
    """The copies of another role (or of the same role) that project to copy k of `copies`."""
    if same:
        return sorted({(k - 1) % copies, (k + 1) % copies} - {k})
    return [j for j in range(others) if j * copies // others == k] if others > copies else [k * others // copies]


def _roles(genome, bounds):
    """Name, motif genome and bounds of each role."""
    return zip(bounds.names, genome["motifs"], bounds.roles, strict=True)
