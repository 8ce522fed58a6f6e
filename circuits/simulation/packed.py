"""Circuits in the kernel's form: synapse lists per neuron and constants, of one circuit or of many.

`from_circuit` packs a `Circuit`, `from_matrices` many circuits given as dense arrays (the search's genomes). Synapses of a
neuron are sorted excitatory before inhibitory, then by source (input channels before neurons), then by delay: the order of
summation, and so the bits of the result, depend on the circuit alone.
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

DRIVE = "drive"  # of the connections of sampled channels, in place of the name of a synapse model


class PackedCircuits(NamedTuple):
    """`B` circuits with up to `N` neurons and `R` output slots on the same input channels.

    model     the kind of the neuron model;   neurons  int64 [B]
    bounds    int64 [B, N, 3], into weight and offset: neuron n's static excitatory synapses are bounds[b, n, 0] to
              bounds[b, n, 1], its inhibitory ones bounds[b, n, 1] to bounds[b, n, 2]
    weight    real [synapses], signed;   offset  int64 [synapses]: column - delay * width, with width = channels + N
    table     real [B, N, columns], the model's constants;   n_ref  int64 [B, N]
    fan_out   int64 [B, channels + N]: synapses leaving each source
    readout   int64 [B, R]: the neuron read in each output slot, -1: none, the slot stays silent
    history   rows before the first step: the longest delay or refractory period of all circuits
    short_term, stdp  lists of plastic synapses, or None;   noisy  is there membrane noise?
    drive     lists of the connections of sampled channels, or None; their columns in a raster stay empty
    excitatory  bool [B, N], False where there is no neuron
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
        """The sum of the delays of all synapses of each circuit, in steps, int64 [B]."""
        width = self.channels + self.n_ref.shape[1]
        total = np.zeros(len(self.neurons), "i8")
        for lists, columns in ((self, width), (self.short_term, width), (self.stdp, width), (self.drive, self.sampled)):
            if lists is not None:
                sums = np.concatenate([[0], np.cumsum(-(lists.offset // columns))])
                total += sums[lists.bounds[:, :, 2].max(axis=1)] - sums[lists.bounds[:, 0, 0]]
        return total

    def all_read(self) -> "PackedCircuits":
        """The same circuits with N output slots, one for each neuron; the rest stay silent."""
        neurons = np.arange(self.n_ref.shape[1])
        return self._replace(readout=np.where(neurons < self.neurons[:, None], neurons, -1))

    @property
    def sampled(self) -> int:
        """Number of sampled channels."""
        return 0 if self.drive is None else self.drive.channels

    @property
    def synapses(self) -> np.ndarray:
        """Number of synapses of each circuit, int64 [B]."""
        return self.fan_out.sum(axis=1)


def from_circuit(circuit: Circuit, real=np.float64) -> PackedCircuits:
    """Pack one circuit (B = 1); its output slots are the neurons of all ports in order."""
    n, channels, dt = len(circuit.neurons), len(circuit.inputs), circuit.dt_ms
    index = circuit.index
    inhibitory = ~circuit.excitatory
    rows: list[tuple[int, bool, Any]] = [(c, False, s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    rows += [(channels + index[s.pre], bool(inhibitory[index[s.pre]]), s) for s in circuit.synapses]
    rows = [rows[k] for k in order_of_summation(circuit)]
    post = np.array([index[s.post] for _, _, s in rows], "i8")
    source, inhibits = np.array([source for source, _, _ in rows], "i8"), np.array([i for _, i, _ in rows], bool)
    delay = np.rint(np.array([s.delay_ms for _, _, s in rows]) / dt).astype("i8")
    magnitude = np.array([s.weight_mv for _, _, s in rows])
    weight, offset = np.where(inhibits, -magnitude, magnitude).astype(real), source - delay * (channels + n)
    number = np.cumsum([channel.signal is not None for channel in circuit.inputs]) - 1
    by_signal = np.array([source < channels and circuit.inputs[source].signal is not None for source in source], bool)
    model_of = np.array([next((name for name in synapses.MODELS if getattr(s, name)), "") for _, _, s in rows], object)
    model_of[by_signal] = DRIVE

    def lists(name):
        of_model = model_of == name
        ends = np.cumsum(np.bincount(post[of_model] * 2 + inhibits[of_model], minlength=2 * n)).reshape(n, 2)
        return np.column_stack([np.r_[0, ends[:-1, 1]], ends]).astype("i8")[None], weight[of_model], offset[of_model]

    def plastic(name):
        sections = [getattr(s, name) for _, _, s in rows if getattr(s, name)]
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
        readout=np.array([[index[i] for o in circuit.outputs for i in o.neurons]], "i8").reshape(1, -1),
        channels=channels,
        history=int(max(delay.max(initial=1), n_ref.max() + 1)),
        noisy=circuit.noise_mv > 0,
        excitatory=circuit.excitatory[None],
        drive=drive(),
        **{name: plastic(name) for name in synapses.MODELS},
    )


def order_of_summation(circuit: Circuit) -> list[int]:
    """The numbers of a circuit's synapses in the order of its tables; synapses are numbered from those of input channels,
    channel by channel."""
    index = circuit.index
    keys = [(index[s.post], False, c, s.delay_ms, s.weight_mv) for c, i in enumerate(circuit.inputs) for s in i.synapses]
    sources = ((len(circuit.inputs) + index[s.pre], circuit.neurons[index[s.pre]].sign == "I", s) for s in circuit.synapses)
    keys += [(index[s.post], inhibits, source, s.delay_ms, s.weight_mv) for source, inhibits, s in sources]
    return sorted(range(len(keys)), key=keys.__getitem__)


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
    """Pack B circuits given as dense arrays with N neuron slots and C input channels.

    sign        integer [B, N]: above 0 excitatory, below 0 inhibitory, 0 no neuron in this slot
    parameters  real [B, N, parameters] in the order of `model.parameters` (ms, mV), then those of `synapse_model`
    weight      real [B, C + N, N], row = source (channels first), column = target; 0 is no synapse, negative weights inhibit
                whatever the source (no Dale's law)
    delay       uint16 [B, C + N, N], steps
    readout     integer [B, R], slots
    synapse_model  of the synapses between neurons, with the parameters of their presynaptic neuron; those from input channels
                are static. None: all are static
    sampled     number of sampled input channels, which come first

    Slots without a neuron are removed; weights of empty slots must be 0.
    """
    # In one layout, for which numba has compiled what reads them: fields of records are strided, those of a single one are not;
    # and signs in the type that genomes have.
    sign, weight, delay = map(np.ascontiguousarray, (sign, weight, delay))
    if sign.dtype != np.int8:
        sign = np.sign(sign).astype("i1")
    readout = np.ascontiguousarray(readout, "i8")
    own, of_synapses = parameters[..., : len(model.names)], parameters[..., len(model.names) :]
    # Related circuits have many neurons with equal parameters, whose constants are computed once.
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
        selection = static, weight.shape[1], fan_out, table, True
        bounds, plastic_weight, offset, circuit, slot = _lists(sign, weight, delay, *selection)
        plastic[synapse_model.name] = synapse_model.tables(
            bounds, plastic_weight, offset, of_synapses[circuit, slot], dt_ms, real
        )
    neurons, *packed, excitatory = _compact(sign, readout, which, table, n_ref)
    history = int(max(delay.max(initial=1), n_ref.max(initial=0) + 1))
    required = (model.kind, neurons, *lists, *packed[:2], fan_out, packed[2], channels, history)
    return PackedCircuits._make((*required, plastic.get("short_term"), plastic.get("stdp"), noise_mv > 0, excitatory, drive))


@compiled
def _alike(sign, words):
    """Groups of neurons with equal words [B, N, words]: int64 [B, N], numbered from 0 in order of occurrence, -1 where there is
    no neuron; and the index b * N + n of the first neuron of each group."""
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
    """Neurons and readout without the empty slots between them; `which`: the row of table and n_ref of each neuron."""
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
    """The synapses from the sources `first` to `last`: bounds, weight, offset, and of plastic ones the circuit and slot of the
    source."""
    batch, capacity = sign.shape
    width = weight.shape[1]
    channels = width - capacity
    max_synapses = batch * (last - first) * capacity  # memory that is never written costs nothing
    bounds = np.zeros((batch, capacity, 3), np.int64)
    flat_weight, flat_offset = np.empty(max_synapses, table.dtype), np.empty(max_synapses, np.int64)
    circuit, origin = np.empty(max_synapses * plastic, np.int64), np.empty(max_synapses * plastic, np.int64)
    column, next_index = np.zeros(capacity, np.int64), np.zeros(2 * capacity, np.int64)
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
            next_index[2 * slot] = next_index[2 * slot + 1] = 0
        count = 0
        for k in range(first * capacity, last * capacity):
            which[count] = k
            count += its_weight[k] != 0  # without a branch, which processors could not predict
        for s in range(count):
            k = which[s]
            from_i = source_at[k] >= channels and sign[b, source_at[k] - channels] < 0
            list_of[s] = 2 * slot_at[k] + (from_i | (its_weight[k] < 0))
        for s in range(count):
            next_index[list_of[s]] += 1
        for slot in range(capacity):  # from counts to first indices
            n = column[slot]
            if sign[b, slot] != 0:
                bounds[b, n, 0] = end
            for x in range(2):
                next_index[2 * slot + x], end = end, end + next_index[2 * slot + x]
                if sign[b, slot] != 0:
                    bounds[b, n, 1 + x] = end
        for s in range(count):
            k = which[s]
            source, at = source_at[k], next_index[list_of[s]]
            row = source if source < channels else channels + column[source - channels]
            next_index[list_of[s]] += 1
            w = abs(its_weight[k])
            flat_weight[at] = -w if list_of[s] & 1 else w
            flat_offset[at] = row - np.int64(its_delay[k]) * width
            fan_out[b, row] += 1
            if plastic:
                circuit[at], origin[at] = b, source - channels
    return bounds, flat_weight[:end], flat_offset[:end], circuit[:end], origin[:end]
