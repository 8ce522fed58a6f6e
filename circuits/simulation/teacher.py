"""Teacher forcing: output neurons emit the measured spikes instead of their own.

In a circuit that is fitted to measurements, one wrong spike makes all dependent spikes wrong, later ones of the same neuron
too. If measured spikes replace those of the output neurons (Williams and Zipser, Neural Comput. 1, 1989), are transmitted and
followed by the reset, each output neuron depends only on its own parameters and on those of hidden neurons, and is scored by
whether its potential reaches the threshold in the steps of measured spikes and in no others. This is the likelihood of a neuron
with escape noise (Gerstner and Kistler, Spiking Neuron Models, 2002; concave in weights: Paninski, Pillow and Simoncelli,
Neural Comput. 16, 2004), which is smooth where spikes are not:

    surprise = sum over steps of ln(1 + exp(-x)) with a measured spike and ln(1 + exp(x)) without,
    x = (V - threshold) / width, V before its reset; refractory steps without a measured spike are excluded

With measured potentials, the deviations of V from them are summed, and their squares.
"""

from typing import Any, NamedTuple

import numpy as np

from circuits.numerics.compiled import jit
from circuits.numerics.exponential import exp
from circuits.numerics.simd import LANES, add, aligned, div, fma, get, like, load, maximum, mul, select, splat, store, sub

NOTED = 3  # results for each neuron and trial


class Teacher(NamedTuple):
    """Measurements of the output neurons.

    spikes  uint64 [blocks, steps, R], as the output slots;   scored  uint64 [blocks, steps]: lanes that are scored in a step
    width_mv  width of the escape noise around the threshold
    potential  real [blocks, steps, R, 64], measured in mV, or None;   compared  uint64 [blocks, steps, R]: lanes with potential
    """

    spikes: np.ndarray
    scored: np.ndarray
    width_mv: float
    potential: np.ndarray | None = None
    compared: np.ndarray | None = None


class Lesson(NamedTuple):
    """A teacher for circuits in the kernel's form, and the results.

    slot    int64 [B, N]: the output slot of a neuron, -1 for hidden neurons
    spikes  uint64 [blocks * steps * R];   scored  uint64 [blocks * steps];   per_width  real [1]
    potential  real [blocks * steps * R * 64], compared  uint64 [blocks * steps * R]; both empty where there is none
    noted   real [B * blocks * R * NOTED * 64], running sums: the surprise, the deviation of V from the potential, and its
            square
    """

    slot: np.ndarray
    spikes: np.ndarray
    scored: np.ndarray
    per_width: np.ndarray
    potential: np.ndarray
    compared: np.ndarray
    noted: np.ndarray

    @classmethod
    def of(cls, teacher: Teacher, tables: Any) -> "Lesson":
        """The lesson for the circuits in `circuits.simulation.packed.PackedCircuits`, without results."""
        real, readout, (blocks, _, slots) = tables.table.dtype, tables.readout, teacher.spikes.shape
        slot = np.full(tables.n_ref.shape, -1)
        for r in range(slots):
            b = np.flatnonzero(readout[:, r] >= 0)
            slot[b, readout[b, r]] = r
        potential, compared = aligned(0, real), np.zeros(0, "u8")
        if teacher.potential is not None and teacher.compared is not None:
            potential, compared = aligned(teacher.potential.size, real), teacher.compared.reshape(-1)
            potential[:] = teacher.potential.reshape(-1)
        noted = aligned(len(readout) * blocks * slots * NOTED * LANES, real)
        noted[:] = 0
        width = np.array([1 / teacher.width_mv], real)
        return cls(slot, teacher.spikes.reshape(-1), teacher.scored.reshape(-1), width, potential, compared, noted)


@jit(inline="always")
def taught(lesson, b, n, block, step, steps, v, threshold, held):
    """Add the surprise of a neuron's measured spikes in a step of a block; returns these spikes, which replace its own."""
    row, slots = block * steps + step, len(lesson.spikes) // len(lesson.scored)
    at = row * slots + lesson.slot[b, n]
    measured = get(lesson.spikes, at)
    x = mul(splat(get(lesson.per_width, 0)), sub(v, threshold))
    zero = like(v, 0.0)
    against = sub(zero, x)
    # ln(1 + u) for 0 <= u <= 1 by its Pade approximant u (6 + u) / (6 + 4 u), within 1 %
    u = exp(sub(zero, maximum(x, against)))
    tail = div(mul(u, add(u, like(v, 6.0))), fma(u, like(v, 4.0), like(v, 6.0)))
    surprise = add(maximum(select(measured, against, x), zero), tail)
    scored = get(lesson.scored, row) & (measured | ~held)
    place = ((b * (len(lesson.scored) // steps) + block) * slots + lesson.slot[b, n]) * NOTED * LANES
    before = load(lesson.noted, place)
    store(lesson.noted, place, select(scored, add(before, surprise), before))
    if len(lesson.compared) > 0:
        scored = get(lesson.compared, at)
        off = sub(v, load(lesson.potential, at * LANES))
        total, squares = load(lesson.noted, place + LANES), load(lesson.noted, place + 2 * LANES)
        store(lesson.noted, place + LANES, select(scored, add(total, off), total))
        store(lesson.noted, place + 2 * LANES, select(scored, fma(off, off, squares), squares))
    return measured
