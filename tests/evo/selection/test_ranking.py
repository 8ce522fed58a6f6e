import numpy as np
import pytest
from deap import base, tools
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evo.selection.epsilon_lexicase import EpsilonLexicase, _by_score, _race, _race_set
from evo.selection.ranking import _ranks, crowding_distance, nsga2, pareto, specialists


def dominates(a, b):
    return (a <= b).all() and (a < b).any()


def brute_force_ranks(losses):
    ranks, left, rank = np.zeros(len(losses), int), set(range(len(losses))), 0
    while left:
        front = {k for k in left if not any(dominates(losses[j], losses[k]) for j in left)}
        ranks[list(front)] = rank
        left, rank = left - front, rank + 1
    return ranks


class Fitness(base.Fitness):
    weights = (-1.0, -1.0, -1.0)


class Individual:
    def __init__(self, losses, place):
        self.place = place
        self.fitness = Fitness(tuple(losses))


def deap_nsga2(losses, count):
    Fitness.weights = (-1.0,) * losses.shape[1]
    return [i.place for i in tools.selNSGA2([Individual(row, k) for k, row in enumerate(losses)], count)]


@given(st.integers(0, 2**32), st.integers(5, 60), st.integers(2, 3))
def test_nsga2_keeps_whom_deap_keeps(seed, size, objectives):
    losses = np.random.default_rng(seed).random((size, objectives))
    ranks = brute_force_ranks(losses)
    for count in (1, size // 3, size // 2, size - 1, size):
        ours, theirs = nsga2(losses, count), deap_nsga2(losses, count)
        last = ranks == ranks[ours].max()
        assert set(ours[~last[ours]]) == {k for k in theirs if not last[k]}
        # within the front that is cut the ends all have infinite distance: which of them stay is open
        distance = np.zeros(size)
        distance[last] = crowding_distance(losses[last])
        kept = [sorted(distance[[k for k in chosen if last[k]]]) for chosen in (ours, theirs)]
        np.testing.assert_allclose(*kept)
        if np.isfinite(distance[[k for k in ours if last[k]]]).any():
            assert set(ours) == set(theirs)


@settings(deadline=None)
@given(arrays("f8", st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(0, 4).map(float)))
def test_ranks_are_those_of_a_brute_force_and_repeats_come_last(losses):
    ranks = _ranks(losses)
    first = np.sort(np.unique(losses, axis=0, return_index=True)[1])
    np.testing.assert_array_equal(ranks[first], brute_force_ranks(losses[first]))
    repeats = np.setdiff1d(np.arange(len(losses)), first)
    assert (ranks[repeats] >= len(losses)).all()


@settings(deadline=None)
@given(
    arrays("f8", st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=st.integers(0, 6).map(float)), st.integers(1, 40)
)
def test_the_pareto_front_is_all_that_nothing_dominates_each_once(losses, count):
    chosen = pareto(losses, count)
    rows = losses[chosen]
    everything = {tuple(row) for row in losses if not any(dominates(other, row) for other in losses)}
    assert len({tuple(row) for row in rows}) == len(rows) == min(count, len(everything))
    assert {tuple(row) for row in rows} <= everything
    assert (np.diff(chosen) > 0).all()


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40))
def test_nsga2_does_not_care_about_order_or_scale(seed, size):
    rng = np.random.default_rng(seed)
    losses = rng.random((size, 3))
    count, order = size // 2 + 1, rng.permutation(size)
    kept = nsga2(losses, count)
    infinite = np.isinf(crowding_distance(losses)).all()
    np.testing.assert_array_equal(kept, nsga2(losses * [2.0, 4.0, 0.5], count))
    if not infinite:
        ranks = _ranks(losses)
        np.testing.assert_array_equal(np.sort(ranks[order][nsga2(losses[order], count)]), np.sort(ranks[kept]))


def test_everyone_is_kept_once_when_there_is_room():
    losses = np.random.default_rng(0).integers(0, 3, (30, 2)).astype(float)
    assert sorted(nsga2(losses, 30)) == list(range(30))


def test_of_equal_individuals_one_survives_before_any_repeat():
    losses = np.array([[0.0, 0.0]] * 10 + [[1.0, 1.0], [2.0, 2.0]])
    assert set(nsga2(losses, 3)) == {0, 10, 11}


def test_lexicase_breeds_from_a_specialist_that_alone_solves_a_trial():
    rng = np.random.default_rng(0)
    case_scores = np.zeros((50, 10))
    case_scores[:49, :9] = rng.choice([0.9, 1.0], (49, 9))  # good everywhere but on the last trial
    case_scores[49, 9] = 1.0  # the specialist: nothing but the last trial
    chosen = EpsilonLexicase(case_scores).winners(4000, rng)
    share = np.mean(chosen == 49)
    assert 0.05 < share < 0.2  # about every tenth draw begins with its trial
    assert np.argmin(case_scores.mean(axis=1)) == 49


def test_lexicase_never_breeds_from_one_that_is_clearly_worse_in_everything():
    rng = np.random.default_rng(1)
    case_scores = rng.uniform(0.8, 1.0, (40, 12))
    case_scores[7] = 0.0
    assert 7 not in EpsilonLexicase(case_scores).winners(5000, rng)


def test_lexicase_takes_equals_alike_and_repeats_with_the_seed():
    case_scores = np.ones((8, 5))
    chosen = EpsilonLexicase(case_scores).winners(8000, np.random.default_rng(2))
    assert np.bincount(chosen, minlength=8).min() > 800
    np.testing.assert_array_equal(chosen, EpsilonLexicase(case_scores).winners(8000, np.random.default_rng(2)))


def test_lexicase_does_not_care_about_a_shift_of_a_trials_grades():
    case_scores = np.random.default_rng(3).integers(0, 4, (30, 8)).astype(float)
    shifted = case_scores + np.arange(8)
    picks = [EpsilonLexicase(g).winners(500, np.random.default_rng(4)) for g in (case_scores, shifted)]
    np.testing.assert_array_equal(*picks)


def test_a_specialist_survives_though_nsga2_alone_would_drop_it():
    rng = np.random.default_rng(5)
    case_scores = np.where(rng.random((60, 10)) < 0.7, 1.0, 0.0)
    case_scores[:, 9] = 0.0
    case_scores[13] = np.eye(10)[9]
    cost = rng.random(60)
    cost[13] = 2.0
    losses = np.column_stack([-case_scores.mean(axis=1), cost])
    assert 13 not in nsga2(losses, 30)
    kept = [13 in specialists(losses, case_scores, 30, np.random.default_rng(seed)) for seed in range(200)]
    assert abs(np.mean(kept) - (1 - 0.9**15)) < 0.1  # its trial comes first in one of ten orders, and 15 are drawn


@pytest.mark.parametrize("count", [4, 9, 30])
def test_survivors_are_different_individuals_and_as_many_as_asked_for(count):
    rng = np.random.default_rng(6)
    losses, case_scores = rng.random((40, 3)), rng.random((40, 16)).astype("f4")
    kept = specialists(losses, case_scores, count, rng)
    assert len(set(kept.tolist())) == count
    best = np.argmin(losses[:, 0])
    assert best in specialists(losses, case_scores, 30, rng)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 150), st.integers(1, 9), st.integers(1, 4), st.sampled_from([0.0, 0.3, 1.0]))
def test_a_race_of_sets_ends_as_one_of_lists_does(seed, groups, trials, case_scores, epsilon):
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, case_scores, (trials, groups)).astype("f4") - 1
    epsilons, order = np.full(trials, epsilon, "f4"), rng.permutation(trials)
    size = int(rng.integers(1, min(groups, 32) + 1))
    runners, dice = rng.permutation(groups)[:size], [np.random.default_rng(seed) for _ in range(2)]
    few, at, near = _by_score(columns, epsilons)
    assert few
    listed, in_set = runners.copy(), runners.copy()
    left = _race(columns, epsilons, order.copy(), listed, size, dice[0])
    same = _race_set(at, near, order.copy(), in_set, size, np.empty(at.shape[2], "u8"), dice[1])
    assert listed[:left].tolist() == in_set[:same].tolist()
    assert dice[0].random() == dice[1].random()  # and nothing else is drawn either


def test_many_different_grades_are_no_matter_for_sets():
    assert not _by_score(np.random.default_rng(0).random((3, 100), "f4"), np.zeros(3, "f4"))[0]
