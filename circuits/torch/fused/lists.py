"""From the synapses of a cell to the kernels' lists, once for a cell."""

import numpy as np

from circuits.torch.fused.job import Lists


def lists_of(source, target, delay, weight, kind, neurons: int, channels: int, n_ref) -> Lists:
    """Of synapses in the order of their slots, arrays [slots]; kind 0: from an input channel, 1: from an E, 2: an I neuron."""
    order = np.lexsort((weight, delay, source, kind, target))
    into = np.searchsorted(target[order] * 3 + kind[order], np.arange(3 * neurons + 1)).reshape(-1)
    bounds = np.stack([into[0:-1:3], into[1::3], into[2::3], into[3::3]], axis=1)
    leaves = np.where(kind == 0, neurons + source, source)[order]
    leaving = np.argsort(leaves, kind="stable")
    ends = np.searchsorted(leaves[leaving], np.arange(neurons + channels + 1))
    arrays = (bounds, source[order], target[order], kind[order] == 2, order, ends, leaving, n_ref)
    return Lists(*(np.ascontiguousarray(array, "i8") for array in arrays))
