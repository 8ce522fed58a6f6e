"""Reading an answer out of spikes, and spikes out of times."""

import numpy as np


def most_active(counts, labels):
    """The most active output names the class: credit 1 where output `label` alone has the highest count, else 0.

    counts int [..., trials, outputs], labels int [trials] -> bool [..., trials]. A tie, silence included, is no success.
    """
    right, best_other = _right_and_rival(counts, labels)
    return right > best_other


def margin(counts, labels):
    """The same, graded: 1/2 for a tie, more as the right output leads, less as another does: float64 [..., trials]."""
    right, best_other = _right_and_rival(counts, labels)
    return 0.5 + 0.5 * (right - best_other) / (right + best_other + 1)


def _right_and_rival(counts, labels):
    is_right = np.arange(counts.shape[-1]) == np.asarray(labels)[:, None]
    right = np.where(is_right, counts, 0).sum(axis=-1)
    return right, np.where(is_right, -1, counts).max(axis=-1)


def spike_train(times_ms, dt_ms, steps):
    """Spike times [trials, spikes] in ms -> bool [trials, steps]: each spike in the step whose end is nearest to it.

    No spike is lost: one whose step is taken goes to the next free one, so that counts stay what the task says they are.
    """
    rows = np.sort(np.clip(np.rint(np.asarray(times_ms) / dt_ms).astype(int) - 1, 0, steps - 1), axis=1)
    for k in range(1, rows.shape[1]):
        rows[:, k] = np.maximum(rows[:, k], rows[:, k - 1] + 1)
    for k in range(rows.shape[1]):
        rows[:, k] = np.minimum(rows[:, k], steps - rows.shape[1] + k)
    train = np.zeros((len(rows), steps), bool)
    np.put_along_axis(train, rows, True, axis=1)
    return train
