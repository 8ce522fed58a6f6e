"""The genome: a circuit as a fixed-capacity record, the bounds it must keep, and the way back to a `Circuit`.

A population is one contiguous structured array: it travels to a worker as one buffer. Slots without a neuron and pairs without
a synapse hold zeros, so equal circuits with equal slots have equal bytes.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Synapse
from circuits.neurons import NeuronModel
from circuits.synapses import SynapseModel
from circuits.tables import Tables, from_matrices

# Weights, and parameters in mV or ms, are whole multiples of 1/256: exact in float32, in float64 and in a JSON file. Shares and
# rates are small numbers and have a finer grid.
GRID = 256
FINE_GRID = 2**20


class Bounds(NamedTuple):
    """What genomes may be, in numbers. Cell types are in order, the excitatory ones first.

    allowed        bool [capacity + 1, capacity + 1]: may there be e excitatory and i inhibitory neurons?
    channels, capacity, readouts: input channels, neuron slots, output slots;   in_degree: most synapses onto one neuron
    delay          int64 [2]: shortest, longest, in steps
    weight         float64 [2, 2]: least and largest weight of E (and input), and of I synapses, mV
    parameter      float64 [types, 2, parameters]: least and largest value of each parameter for each cell type
    step           float64 [parameters]: their grid
    excitatory     number of excitatory cell types
    projects       bool [1 + types, types]: may the input channels (row 0), or a type (row 1 + type), project to a type?
    dt_ms          the simulation step
    dale           does a neuron excite or inhibit (Dale's law)? Else all count as excitatory and a weight below 0 inhibits
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


class Form(NamedTuple):
    """What a genome stands for.

    model          of the neurons;   synapse_model  of the synapses between them, None: static
    types          names of the cell types;   noise_mv  membrane noise
    The parameters of a genome's neuron are those of the neuron model, then those of the synapses that leave the neuron.
    """

    bounds: Bounds
    model: NeuronModel
    synapse_model: SynapseModel | None
    types: tuple[str, ...]
    noise_mv: float


def dtype(channels: int, capacity: int, readouts: int, parameters: int) -> np.dtype:
    """The record of one genome.

    kind: 0 an empty slot, k > 0 a neuron of the k-th excitatory cell type, -k of the k-th inhibitory one;  parameters: see
    `Form`;  weight (0: no synapse) and delay (steps) by source, input channels first, and target;  readout: the slot read by
    each output.
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


def tables(genomes: np.ndarray, form: Form, real=np.float32, refine: int = 1) -> Tables:
    """Genomes as the kernel reads them, at a step `refine` times shorter than theirs."""
    kind, parameters, weight = genomes["kind"], genomes["parameters"], genomes["weight"]
    delay = genomes["delay"]
    if refine > 1:
        delay = np.minimum(delay * np.uint32(refine), 65_535).astype("u2")
    wiring = (weight, delay, genomes["readout"])
    dt = form.bounds.dt_ms / refine
    return from_matrices(form.model, kind, parameters, *wiring, dt, real, form.synapse_model, form.noise_mv)


def builder(genomes: np.ndarray, form: Form):
    """What `fitness.evaluate.evaluate` asks for: the tables of genomes at a step so many times shorter."""
    return lambda refine: tables(genomes, form, refine=refine)


def to_circuit(genome: np.void, form: Form, inputs, outputs) -> Circuit:
    """One genome as a Circuit; neurons are named E0, E1, ..., I0, ... in slot order. Exact: it simulates to the same bits.

    Without Dale's law a neuron that excites some and inhibits others becomes two of the same inputs and parameters, which fire
    alike: one for its excitatory synapses and the outputs, one for its inhibitory ones.
    """
    bounds = form.bounds
    names: dict[tuple[int, str], str] = {}
    for slot in map(int, np.flatnonzero(genome["kind"])):
        for sign in _signs(genome, slot, bounds):
            names[slot, sign] = f"{sign}{sum(other == sign for _, other in names)}"

    def ms(steps):
        return round(float(steps) * bounds.dt_ms, 9)

    def neuron(slot, sign):
        found = dict(zip(form.model.names, map(float, genome["parameters"][slot]), strict=False))
        found["t_ref_ms"] = ms(round(found["t_ref_ms"] / bounds.dt_ms))
        kind = form.types[type_row(int(genome["kind"][slot]), bounds.excitatory)]
        return form.model.neuron(id=names[slot, sign], sign=sign, type=kind, **found)

    def plastic(slot):
        if form.synapse_model is None:
            return {}
        values = map(float, genome["parameters"][slot][len(form.model.names) :])
        section = form.synapse_model.section(**dict(zip(form.synapse_model.parameters, values, strict=True)))
        return {form.synapse_model.name: section}

    def synapses(source, make, sign=1):
        weight, delay = sign * genome["weight"][source], genome["delay"][source]
        return tuple(
            make(post=name, weight_mv=float(weight[post]), delay_ms=ms(delay[post]))
            for (post, _), name in names.items()
            if weight[post] > 0
        )

    channels = [InputChannel(name=name, synapses=synapses(c, InputSynapse)) for c, name in enumerate(inputs)]
    recurrent = []
    for (slot, sign), name in names.items():
        theirs = {"pre": name} | plastic(slot)
        make = partial(Synapse, **theirs)
        recurrent += synapses(bounds.channels + slot, make, 1 if bounds.dale or sign == "E" else -1)
    read = [names[int(slot), "E"] for slot in genome["readout"]]
    ports = [OutputPort(name=name, neurons=(neuron,)) for name, neuron in zip(outputs, read, strict=True)]
    return Circuit(
        dt_ms=bounds.dt_ms,
        neuron_model=form.model.name,
        noise_mv=form.noise_mv,
        neurons=tuple(neuron(*key) for key in names),
        inputs=tuple(channels),
        synapses=tuple(recurrent),
        outputs=tuple(ports),
    )


def _signs(genome, slot, bounds):
    """The signs with which a neuron takes part in a circuit: its own, or without Dale's law those of its synapses."""
    if bounds.dale:
        return "E" if genome["kind"][slot] > 0 else "I"
    weight = genome["weight"][bounds.channels + slot]
    inhibits = "I" if (weight < 0).any() else ""
    return "E" + inhibits if (weight > 0).any() or slot in genome["readout"] or not inhibits else inhibits


def type_row(kind, excitatory):
    """The cell type of a neuron of this kind, its place in `Form.types`."""
    return kind - 1 if kind > 0 else excitatory - kind - 1


def faults(genome: np.void, bounds: Bounds) -> list[str]:
    """What is wrong with a genome, in words; empty for a valid one. Variation never makes any: the tests ask here."""
    kind, weight, delay, parameters = (genome[name] for name in ("kind", "weight", "delay", "parameters"))
    types = len(bounds.parameter)
    if (kind > bounds.excitatory).any() or (-kind > types - bounds.excitatory).any():
        return ["cell type"]
    absent, synapse = kind == 0, weight != 0
    row = np.where(absent, 0, np.where(kind > 0, kind - 1, bounds.excitatory - kind - 1))
    low, high = bounds.parameter.astype("f4")[row].swapaxes(0, 1)
    inhibitory = np.r_[np.zeros(bounds.channels, bool), kind < 0][:, None] | (weight < 0)
    least, most = np.moveaxis(bounds.weight.astype("f4")[inhibitory.astype(int)], -1, 0)
    may = bounds.projects[np.r_[np.zeros(bounds.channels, int), row + 1]][:, row]
    slots = np.clip(genome["readout"], 0, len(kind) - 1)
    on_grid = np.isclose(parameters / bounds.step, np.rint(parameters / bounds.step), atol=1e-4)
    checks = {
        "numbers of E and I neurons": bounds.allowed[(kind > 0).sum(), (kind < 0).sum()],
        "negative weight": (weight[: None if bounds.dale else bounds.channels] >= 0).all(),
        "synapse of an empty slot": not synapse[:, absent].any() and not synapse[bounds.channels :][absent].any(),
        "synapse between types that have none": not (synapse & ~may).any(),
        "in-degree": synapse.sum(axis=0).max(initial=0) <= bounds.in_degree,
        "weight range": (~synapse | (np.abs(weight) >= least) & (np.abs(weight) <= most)).all(),
        "delay range": (~synapse | (delay >= bounds.delay[0]) & (delay <= bounds.delay[1])).all(),
        "parameter range": (absent[:, None] | (parameters >= low) & (parameters <= high)).all(),
        "grid": (on_grid | absent[:, None]).all() and (weight * GRID % 1 == 0).all(),
        "readout of an excitatory neuron": (slots == genome["readout"]).all() and (kind[slots] > 0).all(),
        "outputs that share a neuron": len(set(genome["readout"].tolist())) == bounds.readouts,
        "remains of something removed": not (delay[~synapse].any() or parameters[absent].any()),
    }
    return [what for what, right in checks.items() if not right]
