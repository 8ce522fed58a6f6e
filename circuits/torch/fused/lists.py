"""The kernels' lists of a cell's synapses."""

import numpy as np

from circuits.torch.fused.job import Lists


def lists_of(source, target, delay, weight, kind, neurons: int, channels: int, n_ref) -> Lists:
    """Lists of synapses given by slot, arrays [slots]; kind 0: from an input channel, 1: from an E, 2: from an I neuron."""
    order = np.lexsort((weight, delay, source, kind, target))
    starts = np.searchsorted(target[order] * 3 + kind[order], np.arange(3 * neurons + 1)).reshape(-1)
    bounds = np.stack([starts[0:-1:3], starts[1::3], starts[2::3], starts[3::3]], axis=1)
    source_row = np.where(kind == 0, neurons + source, source)[order]
    outgoing = np.argsort(source_row, kind="stable")
    ends = np.searchsorted(source_row[outgoing], np.arange(neurons + channels + 1))
    arrays = (bounds, source[order], target[order], kind[order] == 2, order, ends, outgoing, n_ref)
    return Lists(*(np.ascontiguousarray(array, "i8") for array in arrays))
