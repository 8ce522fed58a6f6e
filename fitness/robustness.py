"""How a circuit does when it, or what it hears, is not quite as it was."""

import numpy as np

from circuits.population import simulate_population
from circuits.raster import Raster, pack
from circuits.tables import Tables
from fitness.apart import judge
from fitness.evaluate import Evaluation, run

WEIGHT_NOISE = 0.1  # standard deviation, relative
LOSSES = 2  # neurons that are lost, one at a time


def robustness(found: Evaluation) -> np.ndarray:
    """Mean score under perturbations, float64 [B]: every input spike a step early, in time or late by chance; every weight off
    by 10 % (standard deviation); one neuron lost (two times another); half the time step.

    The perturbations depend on the trials' seed and on the circuit alone. Costs five to six times what the score does.
    """
    # One stream each: how much is drawn for the weights depends on who else is in the population.
    of_weights, of_loss, of_jitter = (np.random.default_rng((found.trials.noise_seed, k)) for k in range(3))
    lost = [_score(found, found.trials, _without_one(found.tables, of_loss.random())) for _ in range(LOSSES)]
    parts = [_score(found, found.trials, _noisy(found.tables, of_weights)), sum(lost) / LOSSES]
    if found.task.world(found.trials) is None:
        parts.append(_score(found, jittered(found.trials, of_jitter), found.tables))
        parts.append(_at_half_the_step(found))
    return sum(parts) / len(parts)


def _score(found, trials, tables):
    return judge(found.task, run(found.task, trials, tables, found.stop)[1], trials).score.value


def jittered(trials, rng):
    """The trials with every input spike moved by a step, either way or not at all; two that meet become one."""
    trial, step, channel = np.nonzero(trials.spikes)
    moved = np.clip(step + rng.integers(-1, 2, len(step)), 0, trials.spikes.shape[1] - 1)
    spikes = np.zeros_like(trials.spikes)
    spikes[trial, moved, channel] = True
    return type(trials)(spikes, trials.labels, trials.facts, trials.noise_seed)


def _noisy(tables: Tables, rng) -> Tables:
    """Every circuit's k-th synapse is off by the same factor: what a circuit gets does not depend on those around it."""
    ends = [t.bounds[:, :, 2].max(axis=1) for t in _synapse_lists(tables)]
    most = max(int((end - t.bounds[:, 0, 0]).max()) for end, t in zip(ends, _synapse_lists(tables), strict=True))
    factor = np.clip(1 + WEIGHT_NOISE * rng.standard_normal(most), 0.1, None)

    def noisy(lists):
        start = np.repeat(lists.bounds[:, 0, 0], _sizes(lists))
        within = np.arange(len(lists.weight)) - start
        return lists._replace(weight=(lists.weight * factor[within]).astype(lists.weight.dtype))

    return _with_lists(tables, noisy)


def _without_one(tables: Tables, u: float) -> Tables:
    """One neuron of each circuit is lost, the one at the share `u` of its neurons: nobody hears it any more."""
    lost = (u * tables.neurons).astype("i8")
    width = tables.channels + tables.n_ref.shape[1]

    def deaf(lists):
        column = np.repeat(tables.channels + lost, _sizes(lists))
        return lists._replace(weight=np.where(lists.offset % width == column, 0, lists.weight).astype(lists.weight.dtype))

    readout = np.where(tables.readout == lost[:, None], -1, tables.readout)
    return _with_lists(tables, deaf)._replace(readout=readout)


def _synapse_lists(tables):
    return [lists for lists in (tables, tables.short_term, tables.stdp) if lists is not None]


def _sizes(lists):
    """Synapses of each circuit in a list, int64 [B]; circuits lie one after the other."""
    return lists.bounds[:, :, 2].max(axis=1) - lists.bounds[:, 0, 0]


def _with_lists(tables, change):
    plastic = {name: change(lists) for name in ("short_term", "stdp") if (lists := getattr(tables, name)) is not None}
    return change(tables)._replace(**plastic)


def _at_half_the_step(found):
    """The same circuits and stimuli at dt / 2; a spike in either half of a step counts as one in it."""
    task, trials = found.task, found.trials
    finer = np.zeros((len(trials), 2 * task.steps, trials.spikes.shape[2]), bool)
    finer[:, 1::2] = trials.spikes
    stop = found.stop._replace(check=2 * found.stop.check, quiet=2 * found.stop.quiet, ceiling=found.stop.ceiling / 2)
    tables = found.build(2)
    heard = tables.all_read() if task.listens == "all" else tables
    bits = simulate_population(heard, pack(finer), len(trials), seed=trials.noise_seed, stop=stop).outputs
    halves = bits.reshape(*bits.shape[:2], task.steps, 2, bits.shape[-1])
    excitatory = tables.excitatory if task.listens == "all" else None
    both = Raster(np.bitwise_or.reduce(halves, axis=3), len(trials), task.dt_ms, task.outputs, excitatory=excitatory)
    return judge(task, both, trials).score.value
