"""The task of the search job, for rivals: what a circuit's output spikes are worth; see `fitness.tasks.direction`."""

import numpy as np


def objectives(output, job):
    """Of the output neuron's spikes, bool [..., trials, steps]: the score made climbable (larger is better), and the mean time
    of the first spike in trials answered rightly by one, ms (smaller is better), both [...]."""
    counts = output.sum(axis=-1)
    preferred = job.labels == 1
    speeds = [job.speed == s for s in np.unique(job.speed)]
    score = np.mean([selectivity(counts, now & preferred, now & ~preferred) for now in speeds], axis=0)
    mark = np.where(preferred, counts > 0, 1 / (1 + counts))
    asked = preferred | (mark <= 0.5)  # silence that is right has no time
    first = np.where(preferred & (counts > 0), (output.argmax(axis=-1) + 1) * job.dt, output.shape[-1] * job.dt)
    return np.maximum(0.0, score) + mark.mean(axis=-1), (first * asked).sum(axis=-1) / asked.sum(axis=-1)


def selectivity(counts, preferred, null):
    p, n = counts[..., preferred].mean(axis=-1), counts[..., null].mean(axis=-1)
    return (p - n) / (np.maximum(p, 1.0) + n)
