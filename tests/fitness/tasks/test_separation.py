import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack


def spiking(task, counts):
    """A raster with counts[trial, output] spikes."""
    spikes = np.arange(task.steps)[None, :, None] < np.asarray(counts)[:, None, :]
    return Raster(pack(spikes), len(spikes), task.dt_ms, task.outputs)


def value(task, trials, counts):
    return float(task.score(spiking(task, counts), trials).value)


def cosine(a, b):
    return (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))


@pytest.mark.parametrize("pairs", [2, 4, 8])
def test_the_two_patterns_of_a_pair_overlap_as_they_should_and_mirror_each_other(pairs):
    task = fitness.task("separation", pairs=pairs)
    one, other = task.patterns[:, 0], task.patterns[:, 1]
    np.testing.assert_allclose(cosine(one, other), np.linspace(0.2, 0.9, pairs))
    np.testing.assert_array_equal(one, other[:, ::-1])
    assert (one[:, 0] > one[:, 1]).all()
    assert (one[:, 1] > one[:, 2]).all()
    assert (one > 0).all()


def test_trains_have_the_rates_of_their_pattern():
    task = fitness.task("separation", shown_ms=500.0, jitter=0.0)
    trials = task.trials(1, 128)
    np.testing.assert_allclose(trials.spikes.sum(axis=1) / 0.5, trials.facts["rates_hz"], atol=2 / 0.5)
    largest = trials.facts["rates_hz"].max(axis=1)
    assert largest.min() >= 120 * 0.4
    assert largest.max() <= 120 * 1.6


def test_one_output_for_each_pattern_scores_1_whichever_it_is():
    task = fitness.task("separation")
    trials = task.trials(1, 128)
    mine = np.arange(2) == (trials.labels % 2)[:, None]
    assert value(task, trials, 5 * mine) == 1
    assert value(task, trials, 5 * ~mine) == 1  # a reader does not care
    assert task.score(spiking(task, 5 * mine), trials).case_scores.min() == 1
    assert task.score(spiking(task, 5 * ~mine), trials).case_scores.max() == 0


def test_overlap_that_stays_as_it_was_scores_nothing():
    task = fitness.task("separation")
    trials = task.trials(1, 128)
    assert value(task, trials, trials.spikes[..., [0, 2]].sum(axis=1)) < 0.1
    assert value(task, trials, np.full((128, 2), 7)) == 0


def test_separation_without_decodability_scores_nothing():
    task = fitness.task("separation")
    trials = task.trials(1, 128)
    rng = np.random.default_rng(0)
    either = np.arange(2) == rng.integers(0, 2, 128)[:, None]
    assert value(task, trials, 5 * either) < 0.05


def test_only_what_is_separated_counts():
    task = fitness.task("separation")
    trials = task.trials(1, 128)
    mine = np.arange(2) == (trials.labels % 2)[:, None]
    most_alike = (trials.labels // 2 == 3)[:, None]
    with_the_hardest, without = (value(task, trials, 5 * mine * chosen) for chosen in (most_alike, ~most_alike))
    assert 0 < with_the_hardest < 0.3
    assert 0 < without < 0.5


def test_less_overlap_scores_more():
    task = fitness.task("separation")
    trials = task.trials(1, 128)
    mine = np.arange(2) == (trials.labels % 2)[:, None]
    values = [value(task, trials, np.where(mine, 20, other)) for other in (20, 12, 6, 2, 0)]
    assert (np.diff(values) >= 0).all()
    assert values[0] == 0
    assert values[-1] == 1
