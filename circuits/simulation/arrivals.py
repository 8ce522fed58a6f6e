"""Arrivals of spikes over static synapses, for processors on which a masked add takes many instructions.

Most words that synapses read have no spike in any of 64 trials. So the synapses with spikes are listed first, for all neurons
of a circuit at once, and then each adds its weight to a current in memory: neither loop has a branch that depends on spikes,
which processors could not predict. The order of summation is that of the synapses, as in the loops over each neuron's synapses.
"""

from typing import NamedTuple

import numpy as np

from circuits.neurons.model import I_E, I_I
from circuits.numerics.compiled import jit
from circuits.numerics.simd import LANES, add_where, get, load, put, store


class Arrivals(NamedTuple):
    """Workspace, int64 [maximal number of static synapses of a circuit] each; synapses are numbered from the circuit's first.

    synapse  those with an arriving spike in a step, at the front;   post  the neuron of every synapse
    target   the index of its current in the state
    """

    synapse: np.ndarray
    post: np.ndarray
    target: np.ndarray


def workspace(max_synapses: int) -> Arrivals:
    """Workspace for circuits with up to `max_synapses` static synapses."""
    return Arrivals(*(np.empty(max_synapses, "i8") for _ in Arrivals._fields))


@jit(inline="always")
def begin(arrivals, bounds, neurons, states):
    """Set the targets of the synapses of a circuit."""
    first = bounds[0, 0]
    for n in range(neurons):
        for s in range(bounds[n, 0], bounds[n, 2]):
            put(arrivals.post, s - first, n)
            put(arrivals.target, s - first, (n * states + (I_E if s < bounds[n, 1] else I_I)) * LANES)


@jit(inline="always")
def find(arrivals, first, last, offset, flat, here):
    """List the synapses, of `first` to `last`, with an arriving spike in the row at index `here`; returns their number."""
    count = 0
    for s in range(first, last):
        put(arrivals.synapse, count, s - first)
        count += get(flat, here + get(offset, s)) != 0
    return count


@jit(inline="always")
def arrive(arrivals, count, first, offset, weight, flat, here, state, resting):
    """Add the arrivals over the listed synapses to the currents; their neurons no longer rest."""
    for a in range(count):
        s = get(arrivals.synapse, a)
        place = get(arrivals.target, s)
        arriving = get(flat, here + get(offset, first + s))
        store(state, place, add_where(arriving, load(state, place), get(weight, first + s)))
        put(resting, get(arrivals.post, s), np.uint8(0))
