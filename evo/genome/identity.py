"""Identity of circuits: a key that does not depend on the neurons' slots.

Neurons are sorted in an order that depends on the circuit alone, by colours of their parameters, which are refined along the
synapses where some are equal (Weisfeiler and Leman, 1968), and the circuit in this order is hashed to 128 bits. So equal keys
mean circuits that are equal up to the order of neurons. Neurons of equal colours stay in slot order: some repeats of such
symmetric circuits are missed.
"""

import numpy as np

from circuits.numerics.compiled import compiler
from circuits.numerics.contiguous import contiguous
from evo.genome import genes, record
from evo.genome.genes import Genome

compiled = compiler(record, genes)

ROUNDS = 3


def keys(genomes: np.ndarray) -> list[bytes]:
    """The key of each genome, 16 bytes."""
    fields = Genome(*(genomes[name] for name in Genome._fields))
    parameters, weight = np.ascontiguousarray(fields.parameters).view("u4"), fields.weight.view("u4")
    return _key_list(fields.kind, parameters, weight, fields.delay, fields.readout)


def wirings(genomes: np.ndarray) -> int:
    """The number of different wirings among the genomes: cell types, synapses and outputs, without their values."""
    return len(set(wiring_keys(genomes)))


def wiring_keys(genomes: np.ndarray) -> list[bytes]:
    """The key of each genome's wiring."""
    fields = Genome(*(genomes[name] for name in Genome._fields))
    nothing = np.zeros(fields.parameters.shape, "u4"), (fields.weight != 0).astype("u4"), np.zeros_like(fields.delay)
    return _key_list(fields.kind, *nothing, fields.readout)


def _key_list(*fields):
    """The keys of fields, made contiguous because the function is compiled for one layout."""
    return _keys(*map(np.ascontiguousarray, fields)).view("V16").ravel().tolist()


@compiled
def _mix(a, b):
    """Hash two numbers to one; their order matters."""
    x = (np.uint64(a) ^ np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(32)) ^ np.uint64(b)) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(29))


@compiled
def _keys(kind, parameters, weight, delay, readout):
    batch, capacity = kind.shape
    channels = weight.shape[1] - capacity
    out = np.empty((batch, 2), np.uint64)
    colour, refined = np.empty(capacity, np.uint64), np.empty(capacity, np.uint64)
    looks, twin = np.empty(capacity, np.uint64), np.empty(capacity, np.uint64)  # 128-bit hash of each neuron alone
    order, place = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    pairs = (channels + capacity) * capacity
    pre_of, post_of, value = np.empty(pairs, np.int64), np.empty(pairs, np.int64), np.empty(pairs, np.uint64)
    pair_of, source_at, post_at = np.empty(pairs, np.int64), np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    for k in range(pairs):
        source_at[k], post_at[k] = k // capacity - channels, k % capacity
    for b in range(batch):
        for slot in range(capacity):
            colour[slot], twin[slot] = _mix(1, kind[b, slot] + 128), _mix(2, kind[b, slot] + 128)
            for p in range(0, parameters.shape[2], 2):
                word = _word_pair(parameters[b, slot], p)
                colour[slot], twin[slot] = _mix(colour[slot], word), _mix(twin[slot], word)
            looks[slot] = colour[slot]
        for r in range(readout.shape[1]):
            colour[readout[b, r]] = _mix(colour[readout[b, r]], r + 7)
        synapses = 0
        its_weight, its_delay = contiguous(weight[b]).reshape(-1), contiguous(delay[b]).reshape(-1)
        for k in range(pairs):
            pair_of[synapses] = k
            synapses += its_weight[k] != 0  # without a branch, which would be mispredicted
        for s in range(synapses):
            k = pair_of[s]
            pre_of[s], post_of[s] = source_at[k], post_at[k]
            value[s] = (np.uint64(its_weight[k]) << np.uint64(32)) | np.uint64(its_delay[k])
        for _ in range(0 if _all_differ(colour, kind[b]) else ROUNDS):
            for slot in range(capacity):
                refined[slot] = colour[slot]
            for s in range(synapses):
                pre, post = pre_of[s], post_of[s]
                refined[post] += _mix(value[s], pre + channels if pre < 0 else colour[pre])
                if pre >= 0:
                    refined[pre] += _mix(colour[post], value[s])
            for slot in range(capacity):
                colour[slot] = _mix(refined[slot], 3)
        neurons = 0
        for slot in range(capacity):  # insertion sort, by colour
            if kind[b, slot] == 0:
                continue
            k = neurons
            while k > 0 and colour[order[k - 1]] > colour[slot]:
                order[k] = order[k - 1]
                k -= 1
            order[k] = slot
            neurons += 1
        high, low = np.uint64(neurons), np.uint64(11)
        for k in range(neurons):
            slot = order[k]
            place[slot] = k
            high, low = _mix(high, looks[slot]), _mix(low, twin[slot])
        for r in range(readout.shape[1]):
            high, low = _both(high, low, place[readout[b, r]])
        more, less = np.uint64(0), np.uint64(0)  # sums over the synapses, independent of their order
        for s in range(synapses):
            source = pre_of[s] + channels if pre_of[s] < 0 else channels + place[pre_of[s]]
            a, c = _both(value[s], value[s], source * capacity + place[post_of[s]])
            more, less = more + a, less + c
        high, low = _both(high, low, more)
        low = _mix(low, less)
        out[b, 0], out[b, 1] = high, low
    return out


@compiled
def _all_differ(colour, kind):
    """Do all neurons have different colours?"""
    for slot in range(len(kind)):
        for other in range(slot):
            if kind[slot] != 0 and kind[other] != 0 and colour[slot] == colour[other]:
                return False
    return True


@compiled
def _word_pair(words, k):
    """Words k and k + 1 (if there is one) of 32 bits as one of 64 bits."""
    other = np.uint64(words[k + 1]) if k + 1 < len(words) else np.uint64(0)
    return (np.uint64(words[k]) << np.uint64(32)) | other


@compiled
def _both(high, low, value):
    return _mix(high, value), _mix(low + np.uint64(0x632BE59BD9B4E019), value)
