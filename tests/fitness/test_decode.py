"""Reading answers out of spikes."""

import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness import decode
from fitness.base.measured import correlation


@pytest.mark.parametrize("templates", [(), (3,)])
def test_similarity_is_the_correlation_of_the_trains_written_out(templates):
    rng = np.random.default_rng(1)
    spikes, template = rng.random((2, 70, 50, 3)) < 0.1, rng.normal(size=(*templates, 50))
    spikes[0, :, :, 0], spikes[1, :, :, 1] = False, True  # constant trains have none
    raster = Raster(np.stack([pack(one) for one in spikes]), 70, 1.0)
    trains = np.moveaxis(spikes.astype(float), 2, 3)
    wanted = correlation(trains[..., None, :] if templates else trains, template)
    assert np.allclose(decode.similarity(raster, template), wanted, atol=1e-12)
    assert (decode.similarity(raster, np.ones((*templates, 50))) == 0).all()


def test_a_task_without_case_scores_of_its_own_is_asked_for_trial_scores_once():
    calls = []

    class Once(fitness.Task):
        inputs, outputs, dt_ms, duration_ms = ("a",), ("x",), 1.0, 10.0

        def make(self, rng, count):
            return np.zeros((count, 10, 1), bool), np.arange(count) % 2

        def trial_scores(self, raster, trials):
            calls.append(1)
            return raster.counts()[..., 0] > 0

    class Graded(Once):
        def case_scores(self, raster, trials):
            return 0.5 * self.trial_scores(raster, trials)

    raster = Raster(pack(np.ones((8, 10, 1), bool)), 8, 1.0)
    score = Once().score(raster, Once().trials(1, 8))
    assert len(calls) == 1
    assert np.array_equal(score.case_scores, score.trial_scores)
    score.case_scores[0] = 0
    assert score.trial_scores[0] == 1, "two arrays"
    assert (Graded().score(raster, Graded().trials(1, 8)).case_scores == 0.5).all()


@pytest.mark.parametrize("circuits", [(), (1,), (7,)])
def test_shares_of_groups_are_to_the_bit_the_share_of_each_and_so_is_their_sum(circuits):
    rng = np.random.default_rng(2)
    counts, groups = rng.integers(0, 9, (*circuits, 100)).astype(float), rng.random((12, 100)) < 0.3
    groups[3] = False  # an empty group
    each = np.stack([decode.share(counts, group) for group in groups])
    assert np.array_equal(decode.shares(counts, groups), each)
    assert np.array_equal(decode.shares(counts, groups).mean(axis=0), each.mean(axis=0))
