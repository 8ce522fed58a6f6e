"""The simulation kernel: the only hot loop.

One call of `run` advances one circuit through one block of 64 trials. Spikes are in a raster of machine words
`[history + steps, width]`: bit b of a word is trial b; the first columns are the input channels, the rest the neurons.
A synapse with delay d reads the word of its source d rows up, so there are no ring buffers and no event queues, and this
raster is the result. For each neuron, a step is, in NEST's order:

    V and other model states        <- integrated with the present currents (held at v_reset while refractory)
    I_e, I_i                        <- decayed, plus arrivals (weights of inhibitory synapses are negative in the table);
                                       I_e also follows the sampled inputs, see `circuits.simulation.drive`
    V >= threshold                  a spike in this row, V <- v_reset, refractory for n_ref steps

In a closed loop the circuit's outputs then move an environment, which fills the input channels of the next row.

A neuron is refractory from its spike until that spike is n_ref rows old: one word per neuron and no counters.

With AVX-512, each neuron reads all its synapses. Elsewhere the synapses with arriving spikes are listed first, see `arrivals`,
and neurons that stay at rest in all trials in the first step are skipped until a spike arrives.

Unused features cost nothing: the machine code is made for the neuron model and for those of plastic synapses, sampled inputs,
noise, environment and teacher that are not None. Whether states are recorded is asked once a row.
"""

from typing import NamedTuple

import numpy as np

from circuits.neurons.model import I_E, I_I, NOISE, P11_E, P11_I, V, integrate, reset
from circuits.numerics.compiled import compiler, jit
from circuits.numerics.simd import (
    AVX512,
    LANES,
    add_where,
    aligned,
    at_least,
    fma,
    get,
    like,
    load,
    mul,
    put,
    reload,
    select,
    splat,
    store,
    sub,
    widen,
)
from circuits.simulation import arrivals
from circuits.simulation.environments.model import begin, move, sense
from circuits.simulation.noise import gaussian_pair
from circuits.simulation.teacher import taught
from circuits.synapses import short_term as short_term_synapses
from circuits.synapses import stdp as stdp_synapses


class Trace(NamedTuple):
    """States to record: slot int64 [neurons], -1 for neurons not recorded; values real [slots * steps * states * 64]. Both are
    empty if there are none."""

    slot: np.ndarray
    values: np.ndarray


class Scratch(NamedTuple):
    """Workspace of the kernel for any circuit of the tables. Reals are 64-byte aligned.

    state   real [neurons * states * 64];   refractory  uint64 [neurons]
    raster  uint64 [history + steps, channels + neurons]: input columns are filled before a run, the first `history` rows are 0
    short_term, stdp  real [maximal number of synapses * states * 64];   spare  float32 [64] if there is noise
    environment   float32 [states * 64] if there is an environment;   words  uint64 [output slots]
    signal  real [(history + steps) * sampled channels * 64]: the drive, filled before a run, the first `history` rows are 0
    resting uint8 [neurons]: is the state still zero in all trials?   arrivals  `arrivals.Arrivals`
    trace   what is recorded
    """

    state: np.ndarray
    refractory: np.ndarray
    raster: np.ndarray
    short_term: np.ndarray
    stdp: np.ndarray
    spare: np.ndarray
    environment: np.ndarray
    words: np.ndarray
    signal: np.ndarray
    resting: np.ndarray
    arrivals: arrivals.Arrivals
    trace: Trace


@jit(inline="always")
def _rests(state, place, states):
    """Are all these state vectors zero in every lane?"""
    zero = ~np.uint64(0)
    for x in range(states):
        value = load(state, place + x * LANES)
        zero &= at_least(value, like(value, 0.0)) & at_least(like(value, 0.0), value)
    return zero == ~np.uint64(0)


@compiler(part=False)  # simulations of one circuit and of populations share it
def run(tables, b, scratch, first, last, keep_weights, short_term, stdp, noise, environment, trial, drive, lesson):
    """Advance circuit b of the tables through the rows `first` to `last` of the raster, in place; from rest if `first` is the
    first step.

    tables    `circuits.simulation.packed.PackedCircuits`;   short_term, stdp  its short_term and stdp, or None
    keep_weights  do plastic weights survive the rest?
    noise     `circuits.simulation.noise.Noise`, or None;   environment  of `environments`, or None
    trial     number of the block's first trial;   drive  the tables' own, or None
    lesson    `circuits.simulation.teacher.Lesson`, or None
    All are given in every call: for numba an argument left out has a type of its own, and the kernel would be compiled twice.
    """
    model, channels, history, neurons = tables.model, tables.channels, tables.history, tables.neurons[b]
    if first == history:
        scratch.state[: neurons * model.states * LANES] = 0
        scratch.refractory[:neurons] = 0
        scratch.resting[:neurons] = 0
        if short_term is not None:
            short_term_synapses.rest(short_term, b, neurons, scratch.short_term)
        if stdp is not None:
            stdp_synapses.rest(stdp, b, neurons, scratch.stdp, keep_weights)
    bounds, weight, offset = tables.bounds[b], tables.weight, tables.offset
    table, n_ref = tables.table[b], tables.n_ref[b]
    state, refractory, raster, resting = scratch.state, scratch.refractory, scratch.raster, scratch.resting
    trace = scratch.trace
    width = raster.shape[1]
    flat = raster.reshape(-1)
    if environment is not None and first == history:
        begin(environment.start, trial, scratch.environment)
        sense(environment, scratch.environment, trial, 0, flat, first * width)
    # Plastic synapses are added after static ones: the bits depend on the order.
    listed = not AVX512 and short_term is None and stdp is None
    may_rest = listed and noise is None and drive is None and lesson is None
    first_synapse, last_synapse = bounds[0, 0], bounds[neurons - 1, 2]
    if listed and first == history:
        arrivals.begin(scratch.arrivals, bounds, neurons, model.states)
    for row in range(first, last):
        here = row * width
        count = arrivals.find(scratch.arrivals, first_synapse, last_synapse, offset, flat, here) if listed else 0
        for n in range(neurons):
            if may_rest and get(resting, n):
                put(flat, here + channels + n, np.uint64(0))
                continue
            place = n * model.states * LANES
            v, i_e, i_i = load(state, place + V * LANES), load(state, place + I_E * LANES), load(state, place + I_I * LANES)
            held = get(refractory, n) & ~get(flat, here + channels + n - (n_ref[n] + 1) * width)
            if noise is not None:
                if n % 2 == 0:
                    kick, spare = gaussian_pair(noise.low, noise.high, trial, n // 2, row - history)
                    store(scratch.spare, 0, spare)
                else:
                    kick = load(scratch.spare, 0)
                v = select(held, v, fma(splat(table[n, NOISE]), widen(kick, state), v))

            v, threshold = integrate(model, table, n, state, place, v, i_e, i_i, held)
            fired = at_least(v, threshold) & ~held
            if lesson is not None and lesson.slot[b, n] >= 0:
                fired = taught(lesson, b, n, trial // LANES, row - history, len(raster) - history, v, threshold, held)
            v = reset(model, table, n, state, place, v, fired, held)
            store(state, place + V * LANES, v)
            put(refractory, n, held | fired)
            put(flat, here + channels + n, fired)

            i_e, i_i = reload(i_e, state, place + I_E * LANES), reload(i_i, state, place + I_I * LANES)
            i_e, i_i = mul(splat(table[n, P11_E]), i_e), mul(splat(table[n, P11_I]), i_i)
            if drive is not None:
                current = like(i_e, 0.0)
                for s in range(drive.bounds[b, n, 0], drive.bounds[b, n, 2]):
                    x = load(scratch.signal, (row * drive.channels + get(drive.offset, s)) * LANES)
                    current = fma(splat(get(drive.weight, s)), x, current)
                i_e = fma(sub(like(i_e, 1.0), splat(table[n, P11_E])), current, i_e)
            if not listed:
                for s in range(bounds[n, 0], bounds[n, 1]):
                    i_e = add_where(get(flat, here + get(offset, s)), i_e, get(weight, s))
                for s in range(bounds[n, 1], bounds[n, 2]):
                    i_i = add_where(get(flat, here + get(offset, s)), i_i, get(weight, s))
            if short_term is not None:
                ends, base = short_term.bounds[b, n], short_term.bounds[b, 0, 0]
                i_e = short_term_synapses.arrive(short_term, ends[0], ends[1], base, flat, here, scratch.short_term, i_e)
                i_i = short_term_synapses.arrive(short_term, ends[1], ends[2], base, flat, here, scratch.short_term, i_i)
            if stdp is not None:
                ends, base = stdp.bounds[b, n], stdp.bounds[b, 0, 0]
                i_e = stdp_synapses.arrive(stdp, ends[0], ends[1], base, flat, here, scratch.stdp, fired, i_e)
                i_i = stdp_synapses.arrive(stdp, ends[1], ends[2], base, flat, here, scratch.stdp, fired, i_i)
            store(state, place + I_E * LANES, i_e)
            store(state, place + I_I * LANES, i_i)

        if may_rest and row == history:
            for n in range(neurons):
                rests = get(refractory, n) == 0 and _rests(state, n * model.states * LANES, model.states)
                put(resting, n, np.uint8(rests))
        if listed:
            arrivals.arrive(scratch.arrivals, count, first_synapse, offset, weight, flat, here, state, resting)
        if len(trace.slot) > 0:
            for n in range(neurons):
                if trace.slot[n] >= 0:
                    at = (trace.slot[n] * (len(raster) - history) + row - history) * model.states * LANES
                    for x in range(model.states):
                        store(trace.values, at + x * LANES, load(state, (n * model.states + x) * LANES))

        if environment is not None:
            for r in range(tables.readout.shape[1]):
                n = tables.readout[b, r]
                scratch.words[r] = get(flat, here + channels + n) if n >= 0 else np.uint64(0)
            move(environment, scratch.environment, scratch.words)
            if row + 1 < len(raster):
                sense(environment, scratch.environment, trial, row + 1 - history, flat, here + width)


def scratch(tables, steps, environment=None) -> Scratch:
    """Workspace of `run` for any circuit of the tables, with or without an environment."""
    neurons, real = tables.table.shape[1], tables.table.dtype
    channels = 0 if tables.drive is None else tables.drive.channels

    def max_count(lists):
        return 0 if lists is None else int((lists.bounds[..., 2].max(axis=1) - lists.bounds[:, 0, 0]).max())

    def plastic(lists, states):
        return aligned(max_count(lists) * states * LANES, real)

    signal = aligned((tables.history + steps) * channels * LANES, real)
    signal[: tables.history * channels * LANES] = 0
    return Scratch(
        aligned(neurons * tables.model.states * LANES, real),
        np.empty(neurons, "u8"),
        np.zeros((tables.history + steps, tables.channels + neurons), "u8"),
        plastic(tables.short_term, short_term_synapses.STATES),
        plastic(tables.stdp, stdp_synapses.STATES),
        aligned(LANES if tables.noisy else 0, np.float32),
        aligned(0 if environment is None else environment.start.shape[1] * LANES, np.float32),
        np.zeros(tables.readout.shape[1], "u8"),
        signal,
        np.zeros(neurons, "u1"),
        arrivals.workspace(0 if AVX512 else max_count(tables)),
        Trace(np.empty(0, "i8"), aligned(0, real)),
    )
