import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness.references import reference

A, B, C, ANY = 0, 1, 2, -1


@pytest.fixture(scope="module")
def task():
    return fitness.task("sequence")


@pytest.fixture(scope="module")
def trials(task):
    return task.trials(1, 1800)


def answered(task, trials, at):
    """The score of a circuit that spikes 8 ms after the beginning of some symbols: at bool [trials, symbols]."""
    spikes = np.zeros((len(trials), task.steps, 1), bool)
    trial, symbol = np.nonzero(at)
    spikes[trial, np.rint(trials.facts["start_ms"][trial, symbol] + 8).astype(int), 0] = True
    return task.score(Raster(pack(spikes), len(trials), task.dt_ms, task.outputs), trials)


def follows(symbols, *wanted):
    """Where a stream has just shown the wanted symbols: bool [trials, symbols]."""
    found, last = np.zeros(symbols.shape, bool), np.array(wanted)
    for place in range(len(last) - 1, symbols.shape[1]):
        shown = symbols[:, place - len(last) + 1 : place + 1]
        found[:, place] = ((shown == last) | (last == ANY)).all(axis=1)
    return found


def test_every_symbol_is_a_volley_of_3_spikes_on_its_channel_20_to_40_ms_after_the_last(task, trials):
    symbols, start = trials.facts["symbols"], trials.facts["start_ms"]
    assert symbols.shape == (1800, 4)
    gaps = np.diff(start, axis=1)
    assert gaps.min() >= 20
    assert gaps.max() <= 40
    for channel in (A, B, C):
        np.testing.assert_array_equal(trials.spikes[..., channel].sum(axis=1), 3 * (symbols == channel).sum(axis=1))
    time = (np.arange(task.steps) + 1) * task.dt_ms
    for trial in range(20):
        for k in range(4):
            shown = time[trials.spikes[trial, :, symbols[trial, k]]]
            assert ((shown > start[trial, k]) & (shown <= start[trial, k] + 6.5)).sum() == 3


@pytest.mark.parametrize("symbols", [3, 4, 10])
def test_a_stream_ends_in_abc_or_never_holds_it(symbols):
    task = fitness.task("sequence", symbols=symbols)
    trials = task.trials(2, 500)
    abc = follows(trials.facts["symbols"], A, B, C)
    np.testing.assert_array_equal(abc[:, -1], trials.labels == 1)
    assert not abc[:, :-1].any()
    assert trials.facts["start_ms"].max() + 50 <= task.duration_ms


def test_all_other_ends_occur_the_hard_ones_most(trials):
    ends, counts = np.unique(trials.facts["symbols"][trials.labels == 0, -3:], axis=0, return_counts=True)
    assert len(ends) == 26
    wrong = (ends != (A, B, C)).sum(axis=1)
    reordered = (np.sort(ends, axis=1) == (A, B, C)).all(axis=1)
    assert (counts[wrong == 1] == 100).all()
    assert (counts[reordered] == 40).all()
    assert counts[(wrong > 1) & ~reordered].sum() == 100


def test_what_simpler_readers_of_the_stream_score(task, trials):
    symbols = trials.facts["symbols"]
    scores = {
        "A-B-C": follows(symbols, A, B, C),
        "B-C": follows(symbols, B, C),
        "A-B": follows(symbols, A, B, ANY),
        "A, any, C": follows(symbols, A, ANY, C),
        "C": follows(symbols, C),
        "every symbol": np.ones(symbols.shape, bool),
    }
    found = {name: float(answered(task, trials, at).value) for name, at in scores.items()}
    assert found["A-B-C"] == pytest.approx(1)
    assert found["B-C"] == pytest.approx(0.7, abs=0.1)
    assert found["A-B"] == pytest.approx(0.7, abs=0.1)
    assert found["A, any, C"] == pytest.approx(0.7, abs=0.1)
    assert found["C"] < 0.05
    assert found["every symbol"] == 0


def test_the_three_symbols_in_any_order_are_not_enough(task, trials):
    symbols = trials.facts["symbols"]
    orders = [(A, B, C), (A, C, B), (B, A, C), (B, C, A), (C, A, B), (C, B, A)]
    assert answered(task, trials, np.any([follows(symbols, *order) for order in orders], axis=0)).value < 0.5


def test_whoever_never_forgets_an_a_or_an_a_b_is_not_perfect(task, trials):
    symbols = trials.facts["symbols"]
    after_a = np.cumsum(symbols == A, axis=1) > 0
    after_ab = np.cumsum((symbols == B) & after_a, axis=1) > 0
    assert answered(task, trials, (symbols == C) & after_ab).value < 0.89


def test_an_answer_before_the_end_or_late_is_wrong(task, trials):
    symbols, right = trials.facts["symbols"], trials.labels == 1
    early = np.zeros(symbols.shape, bool)
    early[:, -2] = True
    assert not answered(task, trials, early).trial_scores[right].any()
    spikes = np.zeros((1800, task.steps, 1), bool)
    spikes[:, -1] = True
    assert not task.score(Raster(pack(spikes), 1800, task.dt_ms, task.outputs), trials).trial_scores.any()


def test_the_reference_circuit_works_under_membrane_noise(task):
    motif = reference("sequence")
    assert motif.noise_mv == 1.0
    trials = task.trials(3, 128)
    assert (task.evaluate(motif, trials).trial_scores != task.evaluate(motif, task.trials(4, 128)).trial_scores).any()
    assert task.evaluate(motif, trials).value == task.evaluate(motif, trials).value
