"""The simulation kernel: the only hot loop.

One call of `run` advances one circuit through one block of 64 trials. Spikes live in a raster of machine words
`[history + steps, width]`: bit b of a word is trial b; the first columns are the input channels, the rest the neurons.
A synapse with delay d reads the word of its source d rows up, so there are no ring buffers and no event queues, and the
raster that comes out is the one that was used. The step order is NEST's `iaf_psc_exp`, for each neuron in step k:

    V   <- P22 V + P21_E I_e + P21_I I_i + DRIVE     (held at RESET while refractory)
    I_e <- P11_E I_e + arriving excitation
    I_i <- P11_I I_i + arriving inhibition           (weights of inhibitory synapses are negative in the table)
    V >= THRESHOLD: spike in row k, V <- RESET, refractory for n_ref steps

A neuron is refractory from its spike until that spike is n_ref rows old: one word per neuron and no counters.
"""

import numpy as np

from circuits.compiled import compiled
from circuits.neurons import DRIVE, P11_E, P11_I, P21_E, P21_I, P22, RESET, THRESHOLD
from circuits.simd import LANES, add_where, at_least, choose, fma, load, mul, splat, store, word

STATES = 3  # V, I_e, I_i


@compiled
def run(neurons, channels, history, bounds, weight, offset, table, n_ref, state, refractory, raster):
    """Simulate one circuit from rest over the rows `history` .. end of `raster`, in place.

    bounds      int64 [neurons, 3]: neuron n's excitatory synapses are bounds[n, 0]:bounds[n, 1], its inhibitory ones
                bounds[n, 1]:bounds[n, 2]
    weight      real [synapses], signed;   offset  int64 [synapses]: column - delay * width
    table       real [neurons, 8], `neurons.propagators`;   n_ref  int64 [neurons]
    state       real [>= neurons * 3 * 64], 64-byte aligned;   refractory  uint64 [>= neurons]: both scratch
    raster      uint64 [history + steps, width]: input columns filled, neuron columns zero in the first `history` rows
    """
    rows, width = raster.shape
    flat = raster.reshape(-1)
    state[: neurons * STATES * LANES] = 0
    refractory[:neurons] = 0
    for row in range(history, rows):
        here = row * width
        for n in range(neurons):
            place = n * STATES * LANES
            v, i_e, i_i = load(state, place), load(state, place + LANES), load(state, place + 2 * LANES)
            drive = fma(splat(table[n, P21_I]), i_i, splat(table[n, DRIVE]))
            v = fma(splat(table[n, P22]), v, fma(splat(table[n, P21_E]), i_e, drive))
            i_e, i_i = mul(splat(table[n, P11_E]), i_e), mul(splat(table[n, P11_I]), i_i)
            for s in range(bounds[n, 0], bounds[n, 1]):
                i_e = add_where(word(flat, here + offset[s]), i_e, weight[s])
            for s in range(bounds[n, 1], bounds[n, 2]):
                i_i = add_where(word(flat, here + offset[s]), i_i, weight[s])
            reset = splat(table[n, RESET])
            held = refractory[n] & ~word(flat, here + channels + n - (n_ref[n] + 1) * width)
            v = choose(held, reset, v)
            fired = at_least(v, splat(table[n, THRESHOLD])) & ~held
            store(state, place, choose(fired, reset, v))
            store(state, place + LANES, i_e)
            store(state, place + 2 * LANES, i_i)
            refractory[n] = held | fired
            raster[row, channels + n] = fired


def scratch(neurons, real):
    """Aligned `state` and `refractory` for `run` with up to `neurons` neurons."""
    size = neurons * STATES * LANES * np.dtype(real).itemsize
    buffer = np.empty(size + 64, "u1")
    start = -buffer.ctypes.data % 64
    return buffer[start : start + size].view(real), np.empty(neurons, "u8")
