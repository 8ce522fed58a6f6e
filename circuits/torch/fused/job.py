"""Operands of the forward and the backward kernel: the synapse lists of a cell, and one run."""

from typing import Any, NamedTuple

import numpy as np


class Lists(NamedTuple):
    """A cell's synapses, sorted by target, then input before E before I, then source, delay and weight: the simulator's order
    of summation. Slots are columns of the weights and delays of a run.

    bounds   int64 [neurons, 4]: neuron n's synapses from inputs begin at bounds[n, 0], those from E neurons at bounds[n, 1],
             those from I neurons at bounds[n, 2] and end at bounds[n, 3]
    source   int64 [synapses]: channel or neuron;   target  int64 [synapses]: neuron
    inhibits int64 [synapses]: 1 adds to I_i, 0 to I_e;   slot  int64 [synapses]
    ends     int64 [neurons + channels + 1], into `outgoing`: the synapses of neuron n, or of channel c as row neurons + c
    outgoing int64 [synapses];   n_ref  int64 [neurons]
    """

    bounds: np.ndarray
    source: np.ndarray
    target: np.ndarray
    inhibits: np.ndarray
    slot: np.ndarray
    ends: np.ndarray
    outgoing: np.ndarray
    n_ref: np.ndarray


class Job(NamedTuple):
    """One run of G groups of neurons (copies) with the same lists, through T steps in B lanes, a multiple of 64. Arrays
    [1 | G, ...] are shared by all groups, or each has its own. Flat arrays have the given shape, strides are in elements.

    model    the kind of the neuron model, whose `states` are V, I_e, I_i and further ones
    weight   real [1 | G, slots], signed;   delay  int64 [1 | G, slots], steps
    table    real [1 | G, neurons, columns], of the neuron model
    x        real, flat, with strides for [G, channels, T] and contiguous lanes
    past_x   real, flat [G, channels, D, B]: the input of the D steps before; D = 0: silence
    expiry   uint64 [1 | G, blocks, R, neurons]: lanes in which a neuron refractory at the start is released in step r
    read     int64 [slots]: neurons whose spikes are returned;   column  int64 [neurons]: index in `read`, or -1
    raster   uint64 [G, blocks, history + T, neurons]: spikes, 64 trials a word
    start    real, flat [states, G, neurons, B]: before the first step, or empty: rest
    marks    real, flat [G, blocks, chunks, neurons, states, 64]: at the start of each chunk of steps
    held     uint64 [G, blocks, chunks, neurons]: lanes refractory then
    """

    model: Any
    lists: Lists
    weight: np.ndarray
    delay: np.ndarray
    table: np.ndarray
    x: np.ndarray
    x_strides: tuple[int, int, int]
    past_x: np.ndarray
    expiry: np.ndarray
    read: np.ndarray
    column: np.ndarray
    raster: np.ndarray
    start: np.ndarray
    marks: np.ndarray
    held: np.ndarray
    groups: int
    channels: int
    blocks: int
    steps: int
    history: int
    past: int
    chunk: int


def chunk_of(steps: int, neurons: int) -> int:
    """The number of steps that the backward pass recomputes at once, which should fit into the second-level cache."""
    return max(1, min(steps, max(16, 1280 // neurons)))
