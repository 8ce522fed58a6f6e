"""Circuits as the kernel reads them: synapse lists per neuron and constants, for one circuit or for many at once.

Two ways in, one form out: `from_circuit` for a `Circuit`, `from_matrices` for many circuits as dense arrays (the search's
genomes). Synapses of a neuron are sorted excitatory before inhibitory, then by source (input channels before neurons), then by
delay: the order of summation, and so the bits of the result, depend on the circuit alone.
"""

from typing import Any, NamedTuple

import numpy as np

from circuits import synapses
from circuits.circuit import Circuit
from circuits.neurons import NeuronModel
from circuits.numerics.compiled import compiled
from circuits.simulation.drive import Drive
from circuits.simulation.drive import sampled as sampled_in
from circuits.synapses import SynapseModel

DRIVE = "drive"  # stands for the connections of sampled channels where others have the name of their model


class PackedCircuits(NamedTuple):
    """`B` circuits with up to `N` neurons and `R` output slots on the same input channels.

    model     the kind of the neuron model;   neurons  int64 [B]
    bounds    int64 [B, N, 3], into weight and offset: neuron n's static excitatory synapses are bounds[b, n, 0] to
              bounds[b, n, 1], its inhibitory ones go on to bounds[b, n, 2]
    weight    real [synapses], signed;   offset  int64 [synapses]: column - delay * width, with width = channels + N
    table     real [B, N, columns], the model's constants;   n_ref  int64 [B, N]
    fan_out   int64 [B, channels + N]: synapses leaving each source
    readout   int64 [B, R]: the neuron read in each output slot, -1: none, the slot stays silent
    history   rows before the first step: the longest delay or refractory period of any circuit here
    short_term, stdp  lists of the plastic synapses, or None where there are none;   noisy  is there membrane noise?
    drive     lists of the connections of sampled channels, or None where there are none; their columns in a raster stay empty
    excitatory  bool [B, N], False too where there is no neuron
    """

    model: Any
    neurons: np.ndarray
    bounds: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    table: np.ndarray
    n_ref: np.ndarray
    fan_out: np.ndarray
    readout: np.ndarray
    channels: int
    history: int
    short_term: Any = None
    stdp: Any = None
    noisy: bool = False
    excitatory: Any = None
    drive: Any = None

    @property
    def delay_steps(self) -> np.ndarray:
        """The delays of all synapses of each circuit together, in steps, int64 [B]."""
        width = self.channels + self.n_ref.shape[1]
        total = np.zeros(len(self.neurons), "i8")
        for lists, columns in ((self, width), (self.short_term, width), (self.stdp, width), (self.drive, self.sampled)):
            if lists is not None:
                sums = np.concatenate([[0], np.cumsum(-(lists.offset // columns))])
                total += sums[lists.bounds[:, :, 2].max(axis=1)] - sums[lists.bounds[:, 0, 0]]
        return total

    def all_read(self) -> "PackedCircuits":
        """The same circuits with an output slot for every neuron place, N of them; one without a neuron stays silent."""
        every = np.arange(self.n_ref.shape[1])
        return self._replace(readout=np.where(every < self.neurons[:, None], every, -1))

    @property
    def sampled(self) -> int:
        """Number of the sampled channels."""
        return 0 if self.drive is None else self.drive.channels

    @property
    def synapses(self) -> np.ndarray:
        """Number of synapses of each circuit, int64 [B]."""
        return self.fan_out.sum(axis=1)


def from_circuit(circuit: Circuit, real=np.float64) -> PackedCircuits:
    """The tables of one circuit (B = 1); its output slots are the neurons of all ports, one after the other."""
    n, channels, dt = len(circuit.neurons), len(circuit.inputs), circuit.dt_ms
    place = {neuron.id: k for k, neuron in enumerate(circuit.neurons)}
    inhibitory = ~circuit.excitatory
    found: list[tuple[int, bool, Any]] = [(c, False, s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    found += [(channels + place[s.pre], bool(inhibitory[place[s.pre]]), s) for s in circuit.synapses]
    found = [found[k] for k in order_of_summation(circuit)]
    post = np.array([place[s.post] for _, _, s in found], "i8")
    source, inhibits = np.array([source for source, _, _ in found], "i8"), np.array([i for _, i, _ in found], bool)
    delay = np.rint(np.array([s.delay_ms for _, _, s in found]) / dt).astype("i8")
    magnitude = np.array([s.weight_mv for _, _, s in found])
    weight, offset = np.where(inhibits, -magnitude, magnitude).astype(real), source - delay * (channels + n)
    number = np.cumsum([channel.signal is not None for channel in circuit.inputs]) - 1
    by_signal = np.array([source < channels and circuit.inputs[source].signal is not None for source in source], bool)
    model_of = np.array([next((name for name in synapses.MODELS if getattr(s, name)), "") for _, _, s in found], object)
    model_of[by_signal] = DRIVE

    def lists(name):
        mine = model_of == name
        ends = np.cumsum(np.bincount(post[mine] * 2 + inhibits[mine], minlength=2 * n)).reshape(n, 2)
        return np.column_stack([np.r_[0, ends[:-1, 1]], ends]).astype("i8")[None], weight[mine], offset[mine]

    def plastic(name):
        sections = [getattr(s, name) for _, _, s in found if getattr(s, name)]
        values = [[getattr(section, parameter) for parameter in synapses.MODELS[name].parameters] for section in sections]
        return synapses.MODELS[name].tables(*lists(name), values, dt, real) if sections else None

    def drive():
        count = len(sampled_in(circuit))
        bounds, gain, _ = lists(DRIVE)
        return Drive(bounds, gain, number[source[by_signal]] - delay[by_signal] * count, count) if count else None

    bounds, static_weight, static_offset = lists("")
    n_ref = circuit.model.refractory_steps(circuit.parameters, dt)
    return PackedCircuits(
        model=circuit.model.kind,
        neurons=np.array([n]),
        bounds=bounds,
        weight=static_weight,
        offset=static_offset,
        table=circuit.model.table(circuit.parameters, dt, circuit.noise_mv)[None].astype(real),
        n_ref=n_ref[None],
        fan_out=np.bincount(source, minlength=channels + n)[None].astype("i8"),
        readout=np.array([[place[i] for o in circuit.outputs for i in o.neurons]], "i8").reshape(1, -1),
        channels=channels,
        history=int(max(delay.max(initial=1), n_ref.max() + 1)),
        noisy=circuit.noise_mv > 0,
        excitatory=circuit.excitatory[None],
        drive=drive(),
        **{name: plastic(name) for name in synapses.MODELS},
    )


def order_of_summation(circuit: Circuit) -> list[int]:
    """The order in which a circuit's synapses stand in its tables, by their numbers: those from input channels come first,
    channel by channel."""
    place = {neuron.id: k for k, neuron in enumerate(circuit.neurons)}
    found = [(place[s.post], False, c, s.delay_ms, s.weight_mv) for c, i in enumerate(circuit.inputs) for s in i.synapses]
    sources = ((len(circuit.inputs) + place[s.pre], circuit.neurons[place[s.pre]].sign == "I", s) for s in circuit.synapses)
    found += [(place[s.post], inhibits, source, s.delay_ms, s.weight_mv) for source, inhibits, s in sources]
    return sorted(range(len(found)), key=found.__getitem__)


def from_matrices(
    model: NeuronModel,
    sign,
    parameters,
    weight,
    delay,
    readout,
    dt_ms,
    real=np.float32,
    synapse_model: SynapseModel | None = None,
    noise_mv: float = 0.0,
    sampled: int = 0,
) -> PackedCircuits:
    """The tables of B circuits given as dense arrays with N neuron slots and C input channels.

    sign        integer [B, N]: above 0 excitatory, below 0 inhibitory, 0 no neuron in this slot
    parameters  real [B, N, parameters] in the order of `model.parameters` (ms, mV), then those of `synapse_model`
    weight      real [B, C + N, N], row = source (channels first), column = target; 0 is no synapse, one below 0 inhibits
                whatever its source is (no Dale's law)
    delay       uint16 [B, C + N, N], steps
    readout     integer [B, R], slots
    synapse_model  of the synapses between neurons, with the parameters of the neuron they come from; those from input
                channels are static. None: all are static
    sampled     the first so many input channels are sampled signals
    Slots without a neuron are left out; weights of empty slots must be 0.
    """
    # In one layout, for which numba has compiled what reads them: fields of records are strided, those of a single one are not.
    sign, weight, delay = map(np.ascontiguousarray, (sign, weight, delay))
    readout = np.ascontiguousarray(readout, "i8")
    own, theirs = parameters[..., : len(model.names)], parameters[..., len(model.names) :]
    # Most neurons have the parameters of others, in circuits that descend from each other: constants are worked out once.
    which, examples = _alike(sign, np.ascontiguousarray(own).view("u4"))
    kinds = own[examples // sign.shape[1], examples % sign.shape[1]]
    n_ref = model.refractory_steps(kinds, dt_ms)
    table = model.table(kinds, dt_ms, noise_mv).astype(real)
    channels = weight.shape[1] - sign.shape[1]
    static = channels if synapse_model else weight.shape[1]
    fan_out = np.zeros(weight.shape[:2], "i8")
    lists = _lists(sign, weight, delay, sampled, static, fan_out, table, False)[:3]
    drive = None
    if sampled:
        bounds, gain, offset = _lists(sign, weight, delay, 0, sampled, fan_out, table, False)[:3]
        rows, back = offset % weight.shape[1], -(offset // weight.shape[1])
        drive = Drive(bounds, gain, rows - back * sampled, sampled)
    plastic = {}
    if synapse_model:
        rest = static, weight.shape[1], fan_out, table, True
        bounds, plastic_weight, offset, circuit, slot = _lists(sign, weight, delay, *rest)
        plastic[synapse_model.name] = synapse_model.tables(bounds, plastic_weight, offset, theirs[circuit, slot], dt_ms, real)
    neurons, *packed, excitatory = _compact(sign, readout, which, table, n_ref)
    history = int(max(delay.max(initial=1), n_ref.max(initial=0) + 1))
    required = (model.kind, neurons, *lists, *packed[:2], fan_out, packed[2], channels, history)
    return PackedCircuits._make((*required, plastic.get("short_term"), plastic.get("stdp"), noise_mv > 0, excitatory, drive))


@compiled
def _alike(sign, words):
    """Groups of neurons with the same words [B, N, words]: int64 [B, N], numbers from 0 in the order in which they come, -1
    where there is no neuron; and the place b * N + n of the first of each number."""
    batch, capacity, width = words.shape
    bits = 1
    while (1 << bits) < 2 * batch * capacity:
        bits += 1
    number_at = np.full(1 << bits, -1, np.int64)  # a hash table with open addressing
    which, examples = np.full((batch, capacity), -1, np.int64), np.empty(batch * capacity, np.int64)
    count = 0
    for b in range(batch):
        for n in range(capacity):
            if sign[b, n] == 0:
                continue
            mixed = np.uint64(0)
            for w in range(width):
                mixed = (mixed ^ np.uint64(words[b, n, w])) * np.uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> np.uint64(29)
            at = np.int64(mixed >> np.uint64(64 - bits))
            while which[b, n] < 0:
                number = number_at[at]
                if number < 0:
                    number_at[at] = number = count
                    examples[count] = b * capacity + n
                    count += 1
                other = examples[number]
                same = True
                for w in range(width):
                    same &= words[other // capacity, other % capacity, w] == words[b, n, w]
                if same:
                    which[b, n] = number
                at = (at + 1) & ((1 << bits) - 1)
    return which, examples[:count]


@compiled
def _compact(sign, readout, which, table, n_ref):
    """Neurons and readout without the empty slots between them; `which` row of table and n_ref each neuron has."""
    batch, capacity = sign.shape
    neurons = np.zeros(batch, np.int64)
    packed_table, packed_ref = np.zeros((batch, capacity, table.shape[1]), table.dtype), np.zeros((batch, capacity), np.int64)
    packed_readout, excitatory = np.zeros(readout.shape, np.int64), np.zeros(sign.shape, np.bool_)
    column = np.zeros(capacity, np.int64)
    for b in range(batch):
        for slot in range(capacity):
            n = column[slot] = neurons[b]
            if sign[b, slot] != 0:
                for x in range(table.shape[1]):  # a slice would do, but numba compiles for seconds to assign one
                    packed_table[b, n, x] = table[which[b, slot], x]
                packed_ref[b, n], excitatory[b, n] = n_ref[which[b, slot]], sign[b, slot] > 0
                neurons[b] += 1
        for r in range(readout.shape[1]):
            packed_readout[b, r] = column[readout[b, r]]
    return neurons, packed_table, packed_ref, packed_readout, excitatory


@compiled
def _lists(sign, weight, delay, first, last, fan_out, table, plastic):
    """The synapses from the sources `first` to `last`: bounds, weight, offset, and of plastic ones the circuit and slot that
    each comes from."""
    batch, capacity = sign.shape
    width = weight.shape[1]
    channels = width - capacity
    most = batch * (last - first) * capacity  # memory that is never written to costs nothing
    bounds = np.zeros((batch, capacity, 3), np.int64)
    flat_weight, flat_offset = np.empty(most, table.dtype), np.empty(most, np.int64)
    circuit, origin = np.empty(most * plastic, np.int64), np.empty(most * plastic, np.int64)
    column, place = np.zeros(capacity, np.int64), np.zeros(2 * capacity, np.int64)
    which, list_of = np.empty(width * capacity, np.int64), np.empty(width * capacity, np.int64)
    source_at, slot_at = np.empty(width * capacity, np.int64), np.empty(width * capacity, np.int64)
    for k in range(width * capacity):
        source_at[k], slot_at[k] = k // capacity, k % capacity
    end = 0
    for b in range(batch):
        its_weight, its_delay = weight[b].reshape(-1), delay[b].reshape(-1)
        n = 0
        for slot in range(capacity):
            column[slot] = n
            n += sign[b, slot] != 0
            place[2 * slot] = place[2 * slot + 1] = 0
        found = 0
        for k in range(first * capacity, last * capacity):
            which[found] = k
            found += its_weight[k] != 0  # without a branch, which no processor would foresee
        for s in range(found):
            k = which[s]
            from_i = source_at[k] >= channels and sign[b, source_at[k] - channels] < 0
            list_of[s] = 2 * slot_at[k] + (from_i | (its_weight[k] < 0))
        for s in range(found):
            place[list_of[s]] += 1
        for slot in range(capacity):  # how many there are becomes where they go
            n = column[slot]
            if sign[b, slot] != 0:
                bounds[b, n, 0] = end
            for x in range(2):
                place[2 * slot + x], end = end, end + place[2 * slot + x]
                if sign[b, slot] != 0:
                    bounds[b, n, 1 + x] = end
        for s in range(found):
            k = which[s]
            source, at = source_at[k], place[list_of[s]]
            row = source if source < channels else channels + column[source - channels]
            place[list_of[s]] += 1
            w = abs(its_weight[k])
            flat_weight[at] = -w if list_of[s] & 1 else w
            flat_offset[at] = row - np.int64(its_delay[k]) * width
            fan_out[b, row] += 1
            if plastic:
                circuit[at], origin[at] = b, source - channels
    return bounds, flat_weight[:end], flat_offset[:end], circuit[:end], origin[:end]
