"""Teacher forcing: the neurons that are read fire when they should have fired, and not when they would.

A circuit that is to do what was measured fails as a whole where one of its neurons errs: what depends on that neuron goes wrong
after it, and the neuron's own next spikes do. With the measured spikes in place of its own (Williams and Zipser, Neural Comput.
1, 1989), sent on to others and followed by its own reset, each neuron that is read depends on its own parameters and on those
of the neurons that are not, and what is asked of it is whether its potential reaches the threshold in the steps of the measured
spikes and in no others. That is the likelihood of a neuron with escape noise (Gerstner and Kistler, Spiking Neuron Models,
2002; concave in weights: Paninski, Pillow and Simoncelli, Neural Comput. 16, 2004), which changes smoothly where spikes do not:

    surprise = sum over steps of ln(1 + exp(-x)) where a spike was measured and ln(1 + exp(x)) where none was,
    x = (V - threshold) / width, V before its reset; steps in which the neuron is refractory and none was measured do not count

Where potentials were measured too, V's distance from them is summed, and its square.
"""

from typing import NamedTuple

import numpy as np

from circuits.numerics.compiled import jit
from circuits.numerics.exponential import exp
from circuits.numerics.simd import LANES, add, div, fma, get, like, load, most, mul, select, splat, store, sub

NOTED = 3  # numbers noted of each neuron and trial


class Teacher(NamedTuple):
    """What the neurons that are read should have done.

    spikes  uint64 [blocks, steps, R], as the output slots;   scored  uint64 [blocks, steps]: the lanes that count in a step
    width_mv  of the escape noise: how far from the threshold a spike is half expected
    potential  real [blocks, steps, R, 64], measured in mV, or None;   compared  uint64 [blocks, steps, R]: the lanes that count
    """

    spikes: np.ndarray
    scored: np.ndarray
    width_mv: float
    potential: np.ndarray | None = None
    compared: np.ndarray | None = None


class Lesson(NamedTuple):
    """A teacher for one circuit in one block, as the kernel reads it.

    slot    int64 [neurons]: the output slot that a neuron is read in, -1 for the others
    spikes  uint64 [steps * R];   scored  uint64 [steps];   per_width  real [1]
    potential  real [steps * R * 64], compared  uint64 [steps * R]; both empty where there is none
    noted   real [R * NOTED * 64], what is added to: the surprise, V's distance from the potential, and its square
    """

    slot: np.ndarray
    spikes: np.ndarray
    scored: np.ndarray
    per_width: np.ndarray
    potential: np.ndarray
    compared: np.ndarray
    noted: np.ndarray


@jit(inline="always")
def taught(lesson, slot, step, v, threshold, held):
    """Note how surprising it is what a neuron should have done in a step; returns the lanes that fire."""
    at = step * (len(lesson.noted) // (NOTED * LANES)) + slot
    wanted = get(lesson.spikes, at)
    x = mul(splat(get(lesson.per_width, 0)), sub(v, threshold))
    zero = like(v, 0.0)
    against = sub(zero, x)
    # ln(1 + u) for 0 <= u <= 1 by its Pade approximant u (6 + u) / (6 + 4 u), within 1 %
    u = exp(sub(zero, most(x, against)))
    tail = div(mul(u, add(u, like(v, 6.0))), fma(u, like(v, 4.0), like(v, 6.0)))
    surprise = add(most(select(wanted, against, x), zero), tail)
    counts = get(lesson.scored, step) & (wanted | ~held)
    place = slot * NOTED * LANES
    before = load(lesson.noted, place)
    store(lesson.noted, place, select(counts, add(before, surprise), before))
    if len(lesson.compared) > 0:
        counts = get(lesson.compared, at)
        off = sub(v, load(lesson.potential, at * LANES))
        total, squares = load(lesson.noted, place + LANES), load(lesson.noted, place + 2 * LANES)
        store(lesson.noted, place + LANES, select(counts, add(total, off), total))
        store(lesson.noted, place + 2 * LANES, select(counts, fma(off, off, squares), squares))
    return wanted
