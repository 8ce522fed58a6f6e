"""Rasters as answers to a task, and readers of its stimuli."""

import numpy as np

from circuits.simulation.raster import Raster, pack


def columns(task):
    """How many neurons a raster for the task has here."""
    return 4 if task.listens == "all" else len(task.outputs)


def raster(task, spikes):
    """The raster of what the task listens to from bool [trials, steps, columns]; half of all neurons are excitatory."""
    return Raster(pack(spikes), len(spikes), task.dt_ms, excitatory=np.arange(spikes.shape[2]) % 2 == 0)


def silence(task, trials):
    return np.zeros((len(trials), task.steps, columns(task)), bool)


def one_spike_for(task, labels):
    """Every trial's answer is one spike of the output that `labels` names."""
    spikes = np.zeros((len(labels), task.steps, len(task.outputs)), bool)
    spikes[np.arange(len(labels)), task.steps // 2, labels] = True
    return raster(task, spikes)


def decoded(features, test_features, labels, test_labels):
    """The normalised score of the best of two decoders trained on features [trials, n]: nearest mean and linear."""
    classes = np.unique(labels)
    means = np.stack([features[labels == c].mean(axis=0) for c in classes])
    nearest = ((test_features[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    one_hot = labels[:, None] == classes
    padded, test_padded = (np.column_stack([f, np.ones(len(f))]) for f in (features, test_features))
    ridge = padded.T @ padded + 1e-3 * np.eye(padded.shape[1])
    linear = (test_padded @ np.linalg.solve(ridge, padded.T @ one_hot)).argmax(axis=1)
    right = max((classes[answers] == test_labels).mean() for answers in (nearest, linear))
    return (right - 1 / len(classes)) / (1 - 1 / len(classes))


def trained_and_tested(task, features_of):
    first, second = task.trials(1, 1200), task.trials(2, 1200)
    return decoded(features_of(first.spikes), features_of(second.spikes), first.labels, second.labels)
