"""Robustness of the score to small perturbations of a circuit and of its input."""

from dataclasses import replace

import numpy as np

from circuits.simulation.drive import lanes
from circuits.simulation.packed import PackedCircuits
from circuits.simulation.population import Stop, simulate_population
from circuits.simulation.raster import Raster, pack
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import Evaluation, run
from fitness.evaluation.fault_isolation import judge
from fitness.scoring.streams import ROBUST_JITTER, ROBUST_LOSS, ROBUST_WEIGHTS, stream

WEIGHT_NOISE = 0.1  # standard deviation, relative
LOSSES = 2  # neurons that are lost, one at a time


def robustness(evaluation: Evaluation) -> np.ndarray:
    """Mean score under perturbations, float64 [B]: every input spike moved at random by one step at most; noise of 10 %
    (standard deviation) on every weight; one neuron lost (for two neurons); half the time step.

    The perturbations depend on the trials' seed and on the circuit alone. Costs five to six times as much as the score.
    """
    # One stream each: the number of draws for the weights depends on the whole population.
    of_weights, of_loss, of_jitter = (
        stream(evaluation.trials.noise_seed, number) for number in (ROBUST_WEIGHTS, ROBUST_LOSS, ROBUST_JITTER)
    )
    lost = [_score(evaluation, evaluation.trials, _without_one(evaluation.tables, of_loss.random())) for _ in range(LOSSES)]
    parts = [_score(evaluation, evaluation.trials, _noisy(evaluation.tables, of_weights)), sum(lost) / LOSSES]
    if evaluation.task.environment(evaluation.trials) is None:
        parts.append(_score(evaluation, jittered(evaluation.trials, of_jitter), evaluation.tables))
        halved = at_finer_step(evaluation.task, evaluation.trials, evaluation.build(2), 2, evaluation.stop)
        parts.append(judge(evaluation.task, halved, evaluation.trials).score.value)
    return sum(parts) / len(parts)


def _score(evaluation, trials, tables):
    return judge(evaluation.task, run(evaluation.task, trials, tables, evaluation.stop)[1], trials).score.value


def jittered(trials, rng):
    """The trials with every input spike moved by -1, 0 or 1 step; two that meet become one."""
    trial, step, channel = np.nonzero(trials.spikes)
    moved = np.clip(step + rng.integers(-1, 2, len(step)), 0, trials.spikes.shape[1] - 1)
    spikes = np.zeros_like(trials.spikes)
    spikes[trial, moved, channel] = True
    return replace(trials, spikes=spikes)


def _noisy(tables: PackedCircuits, rng) -> PackedCircuits:
    """Tables with noise on the weights and on the gains of sampled inputs. The k-th synapse of every circuit gets the same
    factor, so that a circuit's noise does not depend on the rest of the population."""
    ends = [t.bounds[:, :, 2].max(axis=1) for t in _synapse_lists(tables)]
    longest = max(int((end - t.bounds[:, 0, 0]).max()) for end, t in zip(ends, _synapse_lists(tables), strict=True))
    factor = np.clip(1 + WEIGHT_NOISE * rng.standard_normal(longest), 0.1, None)

    def noisy(lists):
        start = np.repeat(lists.bounds[:, 0, 0], _sizes(lists))
        within = np.arange(len(lists.weight)) - start
        return lists._replace(weight=(lists.weight * factor[within]).astype(lists.weight.dtype))

    return _with_lists(tables, noisy)


def _without_one(tables: PackedCircuits, u: float) -> PackedCircuits:
    """Tables without the output of one neuron of each circuit, the one at the fraction `u` of its neurons."""
    lost = (u * tables.neurons).astype("i8")
    width = tables.channels + tables.n_ref.shape[1]

    def silenced(lists):
        if lists is tables.drive:
            return lists
        column = np.repeat(tables.channels + lost, _sizes(lists))
        return lists._replace(weight=np.where(lists.offset % width == column, 0, lists.weight).astype(lists.weight.dtype))

    readout = np.where(tables.readout == lost[:, None], -1, tables.readout)
    return _with_lists(tables, silenced)._replace(readout=readout)


def _synapse_lists(tables):
    return [lists for lists in (tables, tables.short_term, tables.stdp, tables.drive) if lists is not None]


def _sizes(lists):
    """Synapses of each circuit in a list, int64 [B]; circuits lie one after the other."""
    return lists.bounds[:, :, 2].max(axis=1) - lists.bounds[:, 0, 0]


def _with_lists(tables, change):
    others = {name: change(lists) for name in ("short_term", "stdp", "drive") if (lists := getattr(tables, name)) is not None}
    return change(tables)._replace(**others)


def at_finer_step(task: Task, trials: Trials, tables: PackedCircuits, finer: int, stop: Stop) -> Raster:
    """Simulate circuits on the same stimuli at a step `finer` times shorter, for which the tables are made; a spike in any part
    of a step counts as one in the step. Input spikes keep their times."""
    spikes = np.zeros((len(trials), finer * task.steps, trials.spikes.shape[2]), bool)
    spikes[:, finer - 1 :: finer] = trials.spikes
    stop = stop._replace(check=finer * stop.check, quiet=finer * stop.quiet, ceiling=stop.ceiling / finer)
    read, excitatory = (tables.all_read(), tables.excitatory) if task.listens == "all" else (tables, None)
    signals = None if trials.signals is None else lanes(np.repeat(trials.signals, finer, axis=1))
    bits = simulate_population(read, pack(spikes), len(trials), seed=trials.noise_seed, stop=stop, signals=signals).outputs
    substeps = bits.reshape(*bits.shape[:2], task.steps, finer, bits.shape[-1])
    return Raster(np.bitwise_or.reduce(substeps, axis=3), len(trials), task.dt_ms, task.outputs, excitatory=excitatory)
