"""The usual models of spike trains, fitted and scored as circuits are."""

import numpy as np
import pytest

from fitness.recordings.baselines import fit_all, rates
from fitness.recordings.baselines.design import basis, past
from fitness.recordings.baselines.regression import least_squares, poisson
from fitness.recordings.baselines.spiking import free_run
from tests.fitness.recordings.test_task import HEAD, made


def test_a_poisson_regression_finds_the_coefficients_that_the_counts_were_drawn_by():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40_000, 3))
    b = np.array([-2.0, 0.7, -0.4, 0.0])
    np.testing.assert_allclose(poisson(x, rng.poisson(np.exp(b[0] + x @ b[1:])).astype(float)), b, atol=0.05)
    np.testing.assert_allclose(least_squares(x, b[0] + x @ b[1:]), b, atol=1e-3)


def test_features_see_the_past_alone():
    trains = np.zeros((1, 300, 1), bool)
    trains[0, 100] = True
    seen = past(trains, basis(0.5, 6))
    assert not seen[0, :101].any()
    assert (seen[0, 101:250].max(axis=0) > 0).all()
    assert not seen[0, 301:].any()


def test_of_many_features_those_between_two_steps_are_left_out():
    filters = basis(0.25, 80)
    assert 40 < len(filters) < 80
    np.testing.assert_allclose(filters.sum(axis=1), 1.0)
    assert len(basis(0.25, 10)) == 10


def test_spikes_by_threshold_keep_the_refractory_period():
    eta = np.ones((2, 50))
    found = free_run(eta, np.full(4, -1e6), 0.5, None)
    np.testing.assert_array_equal(np.flatnonzero(found[1]), np.arange(0, 50, 5))


def threshold_unit(seconds=8.0, seed=0):
    """A neuron that fires 3 ms after a where b fired within 10 ms before: no linear filter's doing."""
    rng = np.random.default_rng(seed)
    end = 1000 * seconds
    a, b = (np.sort(rng.uniform(5, end - 30, int(30 * seconds))) for _ in range(2))
    near = [((t - b > 0) & (t - b < 10)).any() for t in a]
    lines = [HEAD.format(end), *(f"0,input,a,{t:.3f}\n" for t in a), *(f"0,input,b,{t:.3f}\n" for t in b)]
    return "".join([*lines, *(f"0,output,x,{t + 3:.3f}\n" for t, n in zip(a, near, strict=True) if n)]).encode()


@pytest.mark.long
@pytest.mark.parametrize("scored_by", ["coincidence", "rate"])
def test_every_model_does_better_than_a_constant_rate_and_none_is_perfect(scored_by):
    task = made(threshold_unit(), scored_by=scored_by, window_ms=400, step_ms=1.0)
    rows = {row.model: row for row in fit_all(task)}
    assert list(rows) == ["best constant rate", "linear filter", "linear-nonlinear", "GLM with history"]
    for model in list(rows)[1:]:
        assert 0.25 < rows[model].held_out <= 1
        assert rows[model].search > rows["best constant rate"].search
        assert set(rows[model].as_json()["figures"]) == {"x"}
    assert rows["linear filter"].held_out < 0.98
    if scored_by == "coincidence":
        again = fit_all(made(threshold_unit(), scored_by=scored_by, window_ms=400, step_ms=1.0))
        assert {row.model: row for row in again} == rows


def louder_and_shifted(factor, offset):
    """The recording of a neuron that is driven by a signal, which is written in other units, by lines of a CSV file."""
    rng = np.random.default_rng(3)
    signal = np.convolve(rng.normal(size=4019), np.ones(20) / 5, "valid")
    spikes = np.flatnonzero(rng.random(4000) < 0.03 * np.exp(np.r_[np.zeros(4), signal[:-4]]))
    lines = [HEAD.format(4000), *(f"0,output,x,{t + 0.5}\n" for t in spikes)]
    head, rows = lines[0].replace("time_ms", "time_ms,value"), [line.replace("\n", ",\n") for line in lines[1:]]
    rows += [f"0,signal,s,{t},{factor * value + offset}\n" for t, value in enumerate(signal)]
    return "".join([head, *rows]).encode()


def test_rates_of_another_recording_are_predicted_on_the_scale_of_the_first():
    settings = {"scored_by": "psth", "window_ms": 400, "step_ms": 1.0, "lead_in_ms": 60}
    one, same = made(louder_and_shifted(1.0, 0.0), **settings), made(louder_and_shifted(1.0, 0.0), **settings)
    shifted = made(louder_and_shifted(2.0, 5.0), **settings)
    found = rates(one, [same, shifted], 6, 4)
    assert list(found) == ["linear filter", "linear-nonlinear", "GLM with history"]
    held_out = one.items("held_out")
    for own, again, other in found.values():
        assert own.shape == (*one.prepared.windows.spikes.shape[:2], 1)
        np.testing.assert_allclose(own, again, rtol=1e-4, atol=1e-6)
        measured = one.prepared.taught[held_out]
        assert np.corrcoef(own[held_out].ravel(), measured.ravel())[0, 1] > 0.1
        assert not np.allclose(own, other, rtol=0.1)
