"""The genome of an assembly: several kinds of motif in one circuit, the genome of each, and how many copies of each there are.

A kind of motif has a role. Its genome is that of a motif whose input channels are those of the interface and after these one of
each role, its own included: a synapse of the channel "from NAME" carries the spikes of the outputs of copies of that role. So
which role projects to which, onto which neurons, with which weights and delays, is in the genome as the other wiring is; a
channel from the own role is lateral wiring.

    copies of different roles   copy k of m hears copy j of n where j m / n, or k n / m, rounded down, is the other's number:
                                as evenly as can be
    copies of the same role     each hears both neighbours in a ring

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

    names  of the roles;   roles  the bounds of each role's motif;   copies  int64 [roles, 2], least and largest number
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
        return int(sum(one.capacity * most for one, (_, most) in zip(self.roles, self.copies, strict=True)))

    @property
    def of_motif(self) -> np.dtype:
        """The record of the genome of one role's motif, the same for all."""
        return record.empty(self.roles[0], 0).dtype


def heard_from(name: str) -> str:
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
    made = empty(bounds, count)
    for role, one in enumerate(bounds.roles):
        made["motifs"][:, role] = variation.founders(one, count, rng)
    least, most = bounds.copies.T
    made["copies"] = least + np.floor(rng.random(made["copies"].shape) * (most - least + 1))
    return made


def crossover(genomes, mothers, fathers, bounds: AssemblyBounds, role: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Children of pairs of genomes, see `variation.crossover`, in one role: their number of copies is that of one parent."""
    children, mine = genomes.take(mothers), np.ascontiguousarray(genomes["motifs"][:, role])
    made, crossed = variation.crossover(mine, mothers, fathers, bounds.roles[role], rng)
    children["motifs"][:, role] = made
    fathers_number = crossed & (rng.random(len(children)) < 0.5)
    children["copies"][fathers_number, role] = genomes["copies"][fathers[fathers_number], role]
    return children, crossed


def mutate(genomes, bounds: AssemblyBounds, role: int, rng, more: float = 0.5, wiring: bool = True) -> np.ndarray:
    """Mutate one role in place, see `variation.mutate`; with wiring the number of copies too, now and then, by one."""
    mine = np.ascontiguousarray(genomes["motifs"][:, role])
    genomes["motifs"][:, role] = variation.mutate(mine, bounds.roles[role], rng, more, wiring)
    if wiring:
        die, (least, most) = rng.random(len(genomes)), bounds.copies[role]
        change = np.where(die < COPYING / 2, -1, np.where(die < COPYING, 1, 0))
        genomes["copies"][:, role] = np.clip(genomes["copies"][:, role].astype(int) + change, least, most)
    return genomes


def with_partners(genomes: np.ndarray, role: int, partners: np.void) -> np.ndarray:
    """Give genomes the other roles of another genome, in place."""
    others = np.arange(genomes["copies"].shape[1]) != role
    genomes["motifs"][:, others], genomes["copies"][:, others] = partners["motifs"][others], partners["copies"][others]
    return genomes


def rewired(children: np.ndarray, genomes: np.ndarray, mothers: np.ndarray) -> np.ndarray:
    """Mask of the children with other neurons, synapses, outputs or numbers of copies than their mothers."""
    found = (children["copies"] != genomes["copies"][mothers]).any(axis=1)
    for mine, theirs in zip(motifs(children), motifs(genomes), strict=True):
        found |= variation.rewired(mine, theirs, mothers)
    return found


def sound(genomes: np.ndarray, bounds: AssemblyBounds) -> np.ndarray:
    """Mask of the genomes without faults: bool [n]."""
    least, most = bounds.copies.T
    found = ((genomes["copies"] >= least) & (genomes["copies"] <= most)).all(axis=1)
    for mine, one in zip(motifs(genomes), bounds.roles, strict=True):
        found &= record.sound(mine, one)
    return found


def faults(genome: np.void, bounds: AssemblyBounds) -> list[str]:
    """Faults of a genome in words; empty for a valid one."""
    found = [] if sound(np.array([genome], genome.dtype), bounds).all() else ["numbers of copies"]
    each = [f"{name}: {fault}" for name, mine, one in _roles(genome, bounds) for fault in record.faults(mine, one)]
    return each or found


def keys(genomes: np.ndarray) -> list[bytes]:
    """The key of each genome, see `identity.keys`."""
    of_each = (identity.keys(mine) for mine in motifs(genomes))
    return [b"".join((*parts, copies.tobytes())) for *parts, copies in zip(*of_each, genomes["copies"], strict=True)]


def wirings(genomes: np.ndarray) -> int:
    """How many different wirings there are among the genomes, see `identity.wirings`."""
    of_each = [identity.wiring_keys(mine) for mine in motifs(genomes)]
    return len({(*parts, copies.tobytes()) for *parts, copies in zip(*of_each, genomes["copies"], strict=True)})


def motif_circuits(genome: np.void, form: Encoding, inputs, outputs) -> list[Circuit]:
    """The circuit of each role's motif alone, with channels from the roles."""
    bounds = form.bounds
    assert isinstance(bounds, AssemblyBounds)
    heard = (*inputs, *map(heard_from, bounds.names))
    return [record.to_circuit(mine, form._replace(bounds=one), heard, outputs) for _, mine, one in _roles(genome, bounds)]


def to_circuit(genome: np.void, form: Encoding, inputs, outputs) -> Circuit:
    """One genome as a Circuit: neuron "E0" of the second copy of role "gate" is "gate1.E0", channels likewise; a role has an
    output port, the outputs of its copies."""
    bounds, copies = form.bounds, [int(n) for n in genome["copies"]]
    assert isinstance(bounds, AssemblyBounds)
    circuits, names = motif_circuits(genome, form, inputs, outputs), bounds.names
    neurons, channels, synapses = [], [], []
    read = [[n for port in one.outputs for n in port.neurons] for one in circuits]
    ports = [
        OutputPort(name=name, neurons=tuple(f"{name}{k}.{n}" for k in range(copies[r]) for n in read[r]))
        for r, name in enumerate(names)
    ]
    for r, (name, one) in enumerate(zip(names, circuits, strict=True)):
        for k in range(copies[r]):
            mine = f"{name}{k}."
            neurons += [n.model_copy(update={"id": f"{mine}{n.id}"}) for n in one.neurons]
            synapses += [s.model_copy(update={"pre": f"{mine}{s.pre}", "post": f"{mine}{s.post}"}) for s in one.synapses]
            for channel in one.inputs[: len(inputs)]:
                theirs = tuple(s.model_copy(update={"post": f"{mine}{s.post}"}) for s in channel.synapses)
                channels.append(InputChannel(name=f"{mine}{channel.name}", synapses=theirs))
            for other, channel in enumerate(one.inputs[len(inputs) :]):
                synapses += [
                    Synapse(pre=f"{names[other]}{j}.{pre}", post=f"{mine}{s.post}", weight_mv=s.weight_mv, delay_ms=s.delay_ms)
                    for j in heard_copies(k, copies[r], copies[other], other == r)
                    for pre in read[other]
                    for s in channel.synapses
                ]
    return Circuit(
        dt_ms=bounds.dt_ms,
        neuron_model=form.model.name,
        noise_mv=form.noise_mv,
        neurons=tuple(neurons),
        inputs=tuple(channels),
        synapses=tuple(synapses),
        outputs=tuple(ports),
    )


def tables(genomes: np.ndarray, form: Encoding, inputs, outputs, refine: int = 1) -> PackedCircuits:
    """Genomes as the simulator reads them, see `record.tables`."""
    circuits = [to_circuit(one, form, inputs, outputs) for one in genomes]
    channels, capacity, ports = (
        max((count(one) for one in circuits), default=1)
        for count in (lambda c: len(c.inputs), lambda c: len(c.neurons), lambda c: sum(len(o.neurons) for o in c.outputs))
    )
    n = len(circuits)
    kind, readout = np.zeros((n, capacity), "i1"), np.zeros((n, ports), "i1")
    parameters = np.zeros((n, capacity, len(form.model.names)), "f4")
    weight, delay = (np.zeros((n, channels + capacity, capacity), kind) for kind in ("f4", "u2"))
    for k, one in enumerate(circuits):
        place = {neuron.id: slot for slot, neuron in enumerate(one.neurons)}
        kind[k, : len(place)], parameters[k, : len(place)] = np.where(one.excitatory, 1, -1), one.parameters
        read = [place[i] for port in one.outputs for i in port.neurons]
        readout[k] = np.resize(read, ports)
        found: list[tuple[int, Any]] = [(c, s) for c, channel in enumerate(one.inputs) for s in channel.synapses]
        found += [(channels + place[s.pre], s) for s in one.synapses]
        for source, s in found:
            weight[k, source, place[s.post]] = s.weight_mv
            delay[k, source, place[s.post]] = round(s.delay_ms / one.dt_ms) * refine
    dt = form.bounds.dt_ms / refine
    return from_matrices(form.model, kind, parameters, weight, delay, readout, dt, np.float32, None, form.noise_mv, 0)


def heard_copies(k: int, copies: int, others: int, same: bool) -> list[int]:
    """The copies of another role that copy k of so many hears, or of the same role."""
    if same:
        return sorted({(k - 1) % copies, (k + 1) % copies} - {k})
    return [j for j in range(others) if j * copies // others == k] if others > copies else [k * others // copies]


def _roles(genome, bounds):
    """Name, motif's genome and bounds of each role."""
    return zip(bounds.names, genome["motifs"], bounds.roles, strict=True)
