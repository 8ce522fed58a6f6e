import hashlib

import numpy as np
import pytest

import fitness
from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from fitness.references import lesioned, reference
from tests.fitness.answers import trained_and_tested


@pytest.mark.parametrize("classes", [3, 4, 5, 6])
def test_every_class_but_the_even_one_has_a_window_of_its_own(classes):
    task = fitness.task("order", classes=classes)
    trials = task.trials(1, 60 * classes)
    assert len(task.outputs) == classes
    assert task.chance == 1 / classes
    centres = []
    for label in range(classes):
        times = np.argwhere(trials.spikes[trials.labels == label, :, 0])[:, 1] * task.dt_ms
        centres.append(times.mean())
        assert np.ptp(times) <= (100 if label == 0 else 25)
    np.testing.assert_allclose(centres[1:], 10 + np.arange(classes - 1) * 80 / (classes - 2), atol=2)
    assert set(trials.spikes.sum(axis=1).ravel()) == {6}


def test_strong_jitter_stays_within_the_window_and_loses_no_spike():
    trials = fitness.task("order", jitter_ms=20.0, spikes=4).trials(1, 300)
    even = trials.spikes[trials.labels == 0, :, 0]
    assert set(even.sum(axis=1)) == {4}
    assert even[:, 200:].sum() == 0
    assert np.abs(np.diff(np.argwhere(even)[:, 1].reshape(-1, 4), axis=1).mean(axis=1) - 50).std() > 4


def test_more_classes_need_one_channel():
    with pytest.raises(UserError, match="only one channel can have more than three"):
        fitness.task("order", channels=2, classes=4)


def test_naming_one_window_too_late_scores_nothing():
    task = fitness.task("order", classes=5)
    trials = task.trials(1, 300)
    spikes = np.zeros((300, task.steps, 5), bool)
    spikes[np.arange(300), 200, trials.labels] = True
    score = task.score(Raster(pack(spikes), 300, task.dt_ms, task.outputs), trials)
    assert score.value == 1
    late = np.roll(spikes, 1, axis=-1)
    assert task.score(Raster(pack(late), 300, task.dt_ms, task.outputs), trials).value == 0


def test_trials_of_three_classes_are_what_they_were():
    digest = hashlib.sha256(fitness.task("order", classes=3).trials(1, 100).spikes.tobytes()).hexdigest()
    assert digest.startswith("697429b9a662bef7")


def test_without_inhibition_bursts_are_taken_for_even_trains():
    task = fitness.task("order")
    trials = task.trials(4, 300)
    assert task.evaluate(reference("order"), trials).value > 0.95
    assert task.evaluate(lesioned(task), trials).value < 0.4


def test_the_same_decoder_solves_order_from_the_times_so_the_answer_is_there():
    def histogram(spikes):
        bins = spikes.reshape(len(spikes), 20, spikes.shape[1] // 20, -1).sum(axis=2)
        return bins.reshape(len(spikes), -1).astype(float)

    for channels in (1, 2):
        assert trained_and_tested(fitness.task("order", channels=channels), histogram) > 0.9


def test_order_puts_the_spikes_where_it_says():
    task = fitness.task("order", classes=3)
    trials = task.trials(1, 300)
    for label, (start, stop) in enumerate(((0, 100), (0, 20), (80, 100))):
        times = (np.argwhere(trials.spikes[trials.labels == label, :, 0])[:, 1] + 1) * task.dt_ms
        assert start <= times.min()
        assert times.max() <= stop + 3  # a burst that is full spills over by a few steps
    task = fitness.task("order", channels=2)
    trials = task.trials(1, 300)
    centre = (trials.spikes * np.arange(task.steps)[:, None]).sum(axis=1) / task.spikes
    np.testing.assert_array_equal(trials.labels, centre[:, 0] > centre[:, 1])
