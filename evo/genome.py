"""The genome: a circuit as a fixed-capacity record, the bounds it must keep, and the way back to a `Circuit`.

A population is one contiguous structured array: it travels to a worker as one buffer. Slots without a neuron and pairs without
a synapse hold zeros, so equal circuits with equal slots have equal bytes.
"""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit, InputChannel, InputSynapse, Neuron, OutputPort, Synapse
from circuits.neurons import NAMES
from circuits.tables import Tables, from_matrices

# Weights and parameters are whole multiples of 1/256 mV or ms: exact in float32, in float64 and in a JSON file.
GRID = 256
T_REF = NAMES.index("t_ref_ms")


class Bounds(NamedTuple):
    """What genomes may be. Excitatory is index 0, inhibitory index 1 where there are two.

    allowed        bool [capacity + 1, capacity + 1]: may there be e excitatory and i inhibitory neurons?
    channels, capacity, readouts: input channels, neuron slots, output slots;   in_degree: most synapses onto one neuron
    delay          int64 [2]: shortest, longest, in steps
    weight         float64 [2, 2]: least and largest weight of E (and input), and of I synapses, mV
    parameter      float64 [2, 8]: least and largest value of each neuron parameter;  step  float64 [8]: their grid
    dt_ms          the simulation step
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
    dt_ms: float


def dtype(channels: int, capacity: int, readouts: int) -> np.dtype:
    """The record of one genome.

    sign 1 E, -1 I, 0 empty slot;  parameters in the order of `circuits.neurons.PARAMETERS`;  weight (0: no synapse) and delay
    (steps) by source, input channels first, and target;  readout: the slot read by each output.
    """
    sources = channels + capacity
    return np.dtype(
        [
            ("sign", "i1", capacity),
            ("parameters", "f4", (capacity, len(NAMES))),
            ("weight", "f4", (sources, capacity)),
            ("delay", "u2", (sources, capacity)),
            ("readout", "i2", readouts),
        ]
    )


def empty(bounds: Bounds, count: int) -> np.ndarray:
    """`count` genomes of zeros."""
    return np.zeros(count, dtype(bounds.channels, bounds.capacity, bounds.readouts))


def tables(genomes: np.ndarray, bounds: Bounds, real=np.float32) -> Tables:
    """Genomes as the kernel reads them."""
    sign, parameters, weight = genomes["sign"], genomes["parameters"], genomes["weight"]
    return from_matrices(sign, parameters, weight, genomes["delay"], genomes["readout"], bounds.dt_ms, real)


def to_circuit(genome: np.void, bounds: Bounds, inputs, outputs) -> Circuit:
    """One genome as a Circuit; neurons are named E0, E1, ..., I0, ... in slot order. Exact: it simulates to the same bits."""
    slots = np.flatnonzero(genome["sign"])
    kinds = ["E" if genome["sign"][slot] > 0 else "I" for slot in slots]
    names = {int(slot): f"{kind}{kinds[:k].count(kind)}" for k, (slot, kind) in enumerate(zip(slots, kinds, strict=True))}

    def ms(steps):
        return round(float(steps) * bounds.dt_ms, 9)

    def parameters(slot):
        found = dict(zip(NAMES, map(float, genome["parameters"][slot]), strict=True))
        return found | {"t_ref_ms": ms(round(found["t_ref_ms"] / bounds.dt_ms))}

    def synapses(source, make):
        posts = np.flatnonzero(genome["weight"][source])
        return tuple(
            make(post=names[int(p)], weight_mv=float(genome["weight"][source, p]), delay_ms=ms(genome["delay"][source, p]))
            for p in posts
        )

    neurons = [Neuron(id=name, sign=name[0], **parameters(slot)) for slot, name in names.items()]
    channels = [InputChannel(name=name, synapses=synapses(c, InputSynapse)) for c, name in enumerate(inputs)]
    recurrent = []
    for slot, name in names.items():
        recurrent += synapses(bounds.channels + slot, lambda name=name, **synapse: Synapse(pre=name, **synapse))
    ports = [OutputPort(name=name, neurons=(names[int(slot)],)) for name, slot in zip(outputs, genome["readout"], strict=True)]
    return Circuit(
        dt_ms=bounds.dt_ms, neurons=tuple(neurons), inputs=tuple(channels), synapses=tuple(recurrent), outputs=tuple(ports)
    )


def faults(genome: np.void, bounds: Bounds) -> list[str]:
    """What is wrong with a genome, in words; empty for a valid one. Variation never makes any: the tests ask here."""
    sign, weight, delay, parameters = (genome[name] for name in ("sign", "weight", "delay", "parameters"))
    absent, synapse = sign == 0, weight > 0
    low, high = bounds.parameter.astype("f4")
    inhibitory = np.r_[np.zeros(bounds.channels, bool), sign < 0].astype(int)
    least, most = bounds.weight[inhibitory].astype("f4").T[..., None]
    slots = np.clip(genome["readout"], 0, len(sign) - 1)
    on_grid = np.isclose(parameters / bounds.step, np.rint(parameters / bounds.step), atol=1e-4)
    checks = {
        "numbers of E and I neurons": bounds.allowed[(sign > 0).sum(), (sign < 0).sum()],
        "negative weight": (weight >= 0).all(),
        "synapse of an empty slot": not synapse[:, absent].any() and not synapse[bounds.channels :][absent].any(),
        "in-degree": synapse.sum(axis=0).max(initial=0) <= bounds.in_degree,
        "weight range": (~synapse | (weight >= least) & (weight <= most)).all(),
        "delay range": (~synapse | (delay >= bounds.delay[0]) & (delay <= bounds.delay[1])).all(),
        "parameter range": (absent[:, None] | (parameters >= low) & (parameters <= high)).all(),
        "grid": (on_grid | absent[:, None]).all() and (weight * GRID % 1 == 0).all(),
        "readout of an excitatory neuron": (slots == genome["readout"]).all() and (sign[slots] > 0).all(),
        "outputs that share a neuron": len(set(genome["readout"].tolist())) == bounds.readouts,
        "remains of something removed": not (delay[~synapse].any() or parameters[absent].any()),
    }
    return [what for what, right in checks.items() if not right]
