import numpy as np
import pytest
from scipy.stats import t as student

import fitness
from circuits.errors import UserError
from fitness.analysis.tuning import tuning, variable_of
from fitness.tasks import BUILT_IN


def case(name, count=70):
    task = fitness.task(name)
    trials = task.trials(5, count)
    return task, trials, task.simulate(fitness.reference(name).circuit, trials, "float32")


def _band(found, end):
    """One end of the bands, or their middle: [points, outputs]."""
    return np.stack([band[end] for band in found["outputs"].values()], axis=1)


def test_a_curve_over_few_values_has_a_point_for_each():
    task, trials, raster = case("itd")
    found = tuning(task, trials, raster)
    x, mean, low, high = np.array(found["x"]), *(_band(found, end) for end in ("mean", "low", "high"))
    assert found["variable"] == "time difference [ms]"
    np.testing.assert_allclose(x, task.directions_ms, rtol=1e-5)
    assert sum(found["trials"]) == 70
    counts = raster.outputs.counts()
    for point, direction in enumerate(task.directions_ms):
        here = counts[np.isclose(trials.facts["itd_ms"], direction)]
        np.testing.assert_allclose(mean[point], here.mean(axis=0), rtol=1e-5)
        half = student.interval(0.95, len(here) - 1)[1] * here.std(axis=0, ddof=1) / np.sqrt(len(here))
        np.testing.assert_allclose(high[point], here.mean(axis=0) + half, rtol=1e-5)
        np.testing.assert_allclose(low[point], np.maximum(here.mean(axis=0) - half, 0), rtol=1e-5)
    assert (mean.argmax(axis=1) == np.arange(4)).all()


def test_a_continuous_variable_is_cut_into_parts_of_as_many_trials():
    task, trials, raster = case("coincidence", 240)
    found = tuning(task, trials, raster)
    x, mean = np.array(found["x"]), _band(found, "mean")
    assert found["variable"] == "lag [ms]"
    assert found["trials"] == [20] * 12
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(np.average(x), trials.facts["lag_ms"].mean(), rtol=1e-4)
    inner = np.abs(x) < task.window_ms
    assert mean[inner].min() > mean[np.abs(x) > 4].max()


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_task_that_ships_has_a_variable(name):
    task = fitness.task(name)
    title, value = variable_of(task, task.trials(1, 32))
    assert title
    assert len(np.unique(value)) > 1


def test_the_bearing_of_a_call_tells_left_from_right():
    task = fitness.task("phonotaxis")
    trials = task.trials(1, 100)
    _, bearing = variable_of(task, trials)
    np.testing.assert_array_equal(bearing > 0, trials.labels == 0)
    assert np.abs(bearing).min() > 59
    assert np.abs(bearing).max() <= 180


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("labels", "must return \\(name, values\\)"),
        (("x", [1.0, 2.0]), "one finite number per trial \\[8\\]"),
        (("x", [np.nan] * 8), "one finite number per trial"),
        (("x", ["a"] * 8), "one finite number per trial"),
    ],
)
def test_a_variable_of_ones_own_that_is_none_is_refused(returned, message):
    class Mine(fitness.Task):
        inputs, outputs = ("a",), ("b",)

        def variable(self, trials):
            return returned

    with pytest.raises(UserError, match=message):
        variable_of(Mine(), fitness.Trials(np.zeros((8, 100, 1), bool), np.zeros(8, int)))
