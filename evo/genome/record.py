"""The genome: a circuit as a fixed-capacity record, its bounds, and its decoding as a `Circuit`.

A population is one contiguous structured array, sent to a worker as one buffer. Slots without a neuron and pairs without a
synapse hold zeros, so equal circuits with equal slots have equal bytes.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Sampled, Synapse
from circuits.neurons import NeuronModel
from circuits.simulation.packed import PackedCircuits, from_matrices
from circuits.synapses import SynapseModel

# Weights, and parameters in mV or ms, are multiples of 1/256: exact in float32, in float64 and in a JSON file. Shares and rates
# are small numbers and have a finer grid.
GRID = 256
FINE_GRID = 2**20
GAIN = 2  # row of `Bounds.weight` for sampled inputs
CHUNK = 1000  # genomes that are checked at a time


class Bounds(NamedTuple):
    """Bounds of genomes, in numbers. Cell types are in order, the excitatory ones first.

    allowed        bool [capacity + 1, capacity + 1]: may there be e excitatory and i inhibitory neurons?
    channels, capacity, readouts: input channels, neuron slots, output slots;   in_degree: maximum synapses onto one neuron
    delay          int64 [2]: shortest, longest, in steps
    weight         float64 [3, 2]: minimum and maximum weight of E (and input) and I synapses, and gain of sampled inputs, mV
    parameter      float64 [types, 2, parameters]: minimum and maximum of each parameter for each cell type
    step           float64 [parameters]: their grid
    excitatory     number of excitatory cell types
    projects       bool [1 + types, types]: may the input channels (row 0), or a type (row 1 + type), project to a type?
    dt_ms          the simulation step
    sampled        the first so many input channels are sampled signals
    dale           does each neuron only excite or only inhibit (Dale's law)? Else all count as excitatory, and a weight below 0
                   inhibits
    """

    allowed: np.ndarray
    channels: int
    capacity: int
    readouts: int
    in_degree: int
    delay: np.ndarray
    weight: np.ndarray
    parameter: np.ndarray
    step: np.ndarray
    excitatory: int
    projects: np.ndarray
    dt_ms: float
    dale: bool
    sampled: int = 0


class Encoding(NamedTuple):
    """The encoding of a circuit as a genome.

    model          of the neurons;   synapse_model  of the synapses between them, None: static
    types          names of the cell types;   noise_mv  membrane noise
    sampled        the signals of the sampled input channels
    The parameters of a genome's neuron are those of the neuron model, then those of the synapses that leave the neuron.
    """

    bounds: Bounds
    model: NeuronModel
    synapse_model: SynapseModel | None
    types: tuple[str, ...]
    noise_mv: float
    sampled: tuple[Sampled, ...] = ()


def dtype(channels: int, capacity: int, readouts: int, parameters: int) -> np.dtype:
    """The record of one genome.

    kind: 0 an empty slot, k > 0 a neuron of the k-th excitatory cell type, -k of the k-th inhibitory one;  parameters: see
    `Encoding`;  weight (0: no synapse) and delay (steps) by source, input channels first, and target;  readout: the slot that
    each output reads.
    """
    sources = channels + capacity
    return np.dtype(
        [
            ("kind", "i1", capacity),
            ("parameters", "f4", (capacity, parameters)),
            ("weight", "f4", (sources, capacity)),
            ("delay", "u2", (sources, capacity)),
            ("readout", "i2", readouts),
        ]
    )


def empty(bounds: Bounds, count: int) -> np.ndarray:
    """`count` genomes of zeros."""
    return np.zeros(count, dtype(bounds.channels, bounds.capacity, bounds.readouts, len(bounds.step)))


def tables(genomes: np.ndarray, encoding: Encoding, _inputs=(), _outputs=(), refine: int = 1) -> PackedCircuits:
    """Genomes in the kernel's layout, float32, at a step `refine` times shorter than theirs."""
    kind, parameters, weight, delay, readout = map(genomes.__getitem__, ("kind", "parameters", "weight", "delay", "readout"))
    if refine > 1:
        delay = np.minimum(delay * np.uint32(refine), 65_535).astype("u2")
    dt, sampled = encoding.bounds.dt_ms / refine, encoding.bounds.sampled
    return from_matrices(
        encoding.model,
        kind,
        parameters,
        weight,
        delay,
        readout,
        dt,
        np.float32,
        encoding.synapse_model,
        encoding.noise_mv,
        sampled,
    )


def to_circuit(genome: np.void, encoding: Encoding, inputs, outputs) -> Circuit:
    """One genome as a Circuit; neurons are named E0, E1, ..., I0, ... in slot order. Exact: it simulates to the same bits.

    Without Dale's law a neuron with excitatory and inhibitory synapses becomes two with the same inputs, parameters and spikes:
    one for its excitatory synapses and the outputs, one for its inhibitory ones.
    """
    bounds = encoding.bounds
    names: dict[tuple[int, str], str] = {}
    for slot in map(int, np.flatnonzero(genome["kind"])):
        for sign in _signs(genome, slot, bounds):
            names[slot, sign] = f"{sign}{sum(other == sign for _, other in names)}"

    def ms(steps):
        return round(float(steps) * bounds.dt_ms, 9)

    def neuron(slot, sign):
        values = dict(zip(encoding.model.names, map(float, genome["parameters"][slot]), strict=False))
        values["t_ref_ms"] = ms(round(values["t_ref_ms"] / bounds.dt_ms))
        kind = encoding.types[type_row(int(genome["kind"][slot]), bounds.excitatory)]
        return encoding.model.neuron(id=names[slot, sign], sign=sign, type=kind, **values)

    def plastic(slot):
        if encoding.synapse_model is None:
            return {}
        values = map(float, genome["parameters"][slot][len(encoding.model.names) :])
        section = encoding.synapse_model.section(**dict(zip(encoding.synapse_model.parameters, values, strict=True)))
        return {encoding.synapse_model.name: section}

    def synapses(source, make, sign=1):
        weight, delay = sign * genome["weight"][source], genome["delay"][source]
        return tuple(
            make(post=name, weight_mv=float(weight[post]), delay_ms=ms(delay[post]))
            for (post, _), name in names.items()
            if weight[post] > 0
        )

    signals = [*encoding.sampled, *[None] * (len(inputs) - len(encoding.sampled))]
    channels = [
        InputChannel(name=name, signal=signal, synapses=synapses(c, InputSynapse))
        for c, (name, signal) in enumerate(zip(inputs, signals, strict=True))
    ]
    recurrent = []
    for (slot, sign), name in names.items():
        make = partial(Synapse, pre=name, **plastic(slot))
        recurrent += synapses(bounds.channels + slot, make, 1 if bounds.dale or sign == "E" else -1)
    read = [names[int(slot), "E"] for slot in genome["readout"]]
    ports = [OutputPort(name=name, neurons=(neuron,)) for name, neuron in zip(outputs, read, strict=True)]
    return Circuit(
        dt_ms=bounds.dt_ms,
        neuron_model=encoding.model.name,
        noise_mv=encoding.noise_mv,
        neurons=tuple(neuron(*key) for key in names),
        inputs=tuple(channels),
        synapses=tuple(recurrent),
        outputs=tuple(ports),
    )


def _signs(genome, slot, bounds):
    """The signs of a neuron in the circuit: its own, or without Dale's law those of its synapses."""
    if bounds.dale:
        return "E" if genome["kind"][slot] > 0 else "I"
    weight = genome["weight"][bounds.channels + slot]
    inhibits = "I" if (weight < 0).any() else ""
    return "E" + inhibits if (weight > 0).any() or slot in genome["readout"] or not inhibits else inhibits


def type_row(kind, excitatory):
    """The cell type of a neuron of this kind, as an index into `Encoding.types`."""
    return kind - 1 if kind > 0 else excitatory - kind - 1


def faults(genome: np.void, bounds: Bounds) -> list[str]:
    """Faults of a genome in words; empty for a valid one. Variation makes none, which the tests check by this function."""
    return [fault for fault, wrong in _wrong(np.array([genome], genome.dtype), bounds).items() if wrong[0]]


def sound(genomes: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Mask of the genomes without faults: bool [n]."""
    mask = np.ones(len(genomes), bool)
    for first in range(0, len(genomes), CHUNK):
        chunk = slice(first, first + CHUNK)
        for wrong in _wrong(genomes[chunk], bounds).values():
            mask[chunk] &= ~wrong
    return mask


def _wrong(genomes, bounds):
    """The genomes with each fault, bool [n] by the fault in words."""
    kind, weight, delay, parameters = (genomes[name] for name in ("kind", "weight", "delay", "parameters"))
    readout, n = genomes["readout"], len(genomes)
    unknown = (kind > bounds.excitatory) | (-kind.astype(int) > len(bounds.parameter) - bounds.excitatory)
    kind = np.where(unknown, 0, kind)
    absent, synapse = kind == 0, weight != 0
    row = np.where(absent, 0, np.where(kind > 0, kind - 1, bounds.excitatory - kind - 1))
    low, high = (bounds.parameter[:, k].astype("f4")[row] for k in range(2))
    channels = bounds.channels
    inhibitory = np.concatenate([np.zeros((n, channels), bool), kind < 0], axis=1)[:, :, None] | (weight < 0)
    range_of = inhibitory.astype(int)
    range_of[:, : bounds.sampled] = GAIN
    weakest, strongest = bounds.weight.astype("f4").T[:, range_of]
    may_project = bounds.projects[np.concatenate([np.zeros((n, channels), int), row + 1], axis=1)[:, :, None], row[:, None, :]]
    slots = np.clip(readout, 0, kind.shape[1] - 1).astype(int)
    read = np.sort(readout, axis=1)
    fits = (parameters >= low) & (parameters <= high)
    size = np.abs(weight)
    with np.errstate(all="ignore"):
        scaled = np.where(absent[:, :, None], 0, parameters) / bounds.step
        on_grid = np.isclose(scaled, np.rint(scaled), atol=1e-4)
        valid = {
            "numbers of E and I neurons": bounds.allowed[(kind > 0).sum(axis=1), (kind < 0).sum(axis=1)][:, None],
            "negative weight": weight[:, : None if bounds.dale else channels] >= 0,
            "synapse of an empty slot": ~synapse | ~absent[:, None, :],
            "synapse from an empty slot": ~synapse[:, channels:] | ~absent[:, :, None],
            "synapse between types that have none": ~synapse | may_project,
            "in-degree": synapse.sum(axis=1) <= bounds.in_degree,
            "weight range": ~synapse | (size >= weakest) & (size <= strongest),
            "delay range": ~synapse | (delay >= bounds.delay[0]) & (delay <= bounds.delay[1]),
            "parameter range": absent[:, :, None] | fits,
            "grid of the parameters": on_grid,
            "grid of the weights": weight * GRID % 1 == 0,
            "readout of an excitatory neuron": (slots == readout) & (np.take_along_axis(kind, slots, axis=1) > 0),
            "outputs that share a neuron": read[:, 1:] != read[:, :-1],
            "remains of a removed synapse": synapse | (delay == 0),
            "remains of a removed neuron": ~absent[:, :, None] | (parameters == 0),
        }
    wrong = {fault: ~(holds.reshape(n, -1).all(axis=1) | unknown.any(axis=1)) for fault, holds in valid.items()}
    return {"cell type": unknown.any(axis=1), **wrong}
