import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness.references import reference

TASK = fitness.task("mismatch")


def scored(trials, answers, lag_ms=10):
    """The score of an output that spikes `lag_ms` after every event for which answers [trials, events] is true."""
    spikes = np.zeros((len(trials), TASK.steps, 1), bool)
    rows = np.rint(trials.facts["event_ms"]).astype(int) + lag_ms - 1
    trial, event = np.nonzero(np.broadcast_to(answers, rows.shape))
    spikes[trial, rows[trial, event], 0] = True
    return TASK.score(Raster(pack(spikes), len(trials), TASK.dt_ms, TASK.outputs), trials)


def on_b(trials):
    """Which events are on channel b: [trials, events]."""
    return trials.facts["deviant"] ^ (trials.labels % 2 == 1)[:, None]


def test_eight_volleys_come_about_every_50_ms():
    trials = TASK.trials(1, 1000)
    every = np.diff(trials.facts["event_ms"], axis=1)
    assert every.shape[1] == 7
    assert every.min() >= 43
    assert every.max() <= 57
    assert every.mean() == pytest.approx(50, abs=0.2)
    for t in range(20):
        for channel, events in ((0, ~on_b(trials)[t]), (1, on_b(trials)[t])):
            times = np.flatnonzero(trials.spikes[t, :, channel]) + 1
            assert len(times) == 3 * events.sum()
            lag = times[:, None] - trials.facts["event_ms"][t][events]
            assert ((lag >= 0) & (lag <= 6)).any(axis=1).all()


def test_half_of_the_trials_have_one_deviant_at_any_place_after_the_third():
    trials = TASK.trials(1, 2000)
    deviant = trials.facts["deviant"]
    np.testing.assert_array_equal(deviant.sum(axis=1), trials.labels >= 2)
    assert not deviant[:, :3].any()
    np.testing.assert_allclose(deviant[:, 3:].sum(axis=0), 200, atol=50)
    assert on_b(trials).mean() == pytest.approx(0.5, abs=0.02)


def test_answering_the_deviant_alone_is_right_and_the_first_three_are_not_judged():
    trials = TASK.trials(2, 256)
    deviant, early = trials.facts["deviant"], np.arange(8) < 3
    assert scored(trials, deviant).value == 1
    assert scored(trials, deviant | early).value == 1
    assert (scored(trials, deviant).trial_scores == 1).all()
    assert scored(trials, deviant, lag_ms=30).value == 1
    assert scored(trials, deviant, lag_ms=33).value == 0


@pytest.mark.parametrize("of_b", [False, True])
def test_answering_any_event_one_channel_or_one_place_scores_nothing(of_b):
    trials = TASK.trials(2, 1024)
    assert scored(trials, True).value == 0
    assert scored(trials, on_b(trials) == of_b).value == 0
    for place in range(3, 8):
        assert scored(trials, np.arange(8) == place).value < 0.05


def test_answering_the_return_to_the_standard_or_never_falling_silent_again_is_half_right():
    trials = TASK.trials(2, 1024)
    change = np.diff(on_b(trials), axis=1, prepend=on_b(trials)[:, :1])
    assert 0.6 < scored(trials, change).value < 0.85
    after = np.maximum.accumulate(trials.facts["deviant"], axis=1)
    assert 0.4 < scored(trials, after).value < 0.7


def test_deviants_of_one_kind_alone_are_half_the_answer():
    trials = TASK.trials(2, 1024)
    assert scored(trials, trials.facts["deviant"] & on_b(trials)).value == pytest.approx(0.5, abs=0.05)


def test_the_reference_needs_its_synapses_to_depress():
    trials, circuit = TASK.trials(3, 128), reference("mismatch")
    static = circuit.model_copy(update={"synapses": tuple(s.model_copy(update={"short_term": None}) for s in circuit.synapses)})
    assert TASK.evaluate(circuit, trials).value > 0.9
    assert TASK.evaluate(static, trials).value == 0
