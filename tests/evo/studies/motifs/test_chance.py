import math

import numpy as np

from evo.studies.motifs.chance import DRAWS, chance


def test_where_nothing_is_special_few_p_values_are_small():
    rng = np.random.default_rng(0)
    p = []
    for _ in range(60):
        observed = rng.poisson(4, (6, 20))
        p += [c.p for c in chance(observed, [rng.poisson(4, (200, 20)) for _ in observed], rng)]
    small, large = np.mean(np.array(p) < 0.05), np.mean(np.array(p) > 0.95)
    assert 0.03 < small < 0.07
    assert 0.02 < large < 0.08


def test_what_is_special_is_found_among_many_counts_and_nothing_else():
    rng = np.random.default_rng(1)
    observed = rng.poisson(1, (8, 50))
    observed[:, 7] += 2
    found = chance(observed, [rng.poisson(1, (300, 50)) for _ in observed], rng)
    assert [k for k, c in enumerate(found) if c.corrected < 0.05] == [7]
    assert 2 < found[7].ratio < 4
    assert found[7].z > 3
    assert all(c.corrected >= c.p for c in found)


def test_each_circuit_is_compared_with_its_own_peers():
    rng = np.random.default_rng(2)
    observed = np.array([[0], [9], [0], [9]])
    peers = [rng.poisson(mean, (300, 1)) for mean in (0.1, 9, 0.1, 9)]
    assert chance(observed, peers, rng)[0].p > 0.2
    assert chance(observed, [peers[0]] * 4, rng)[0].p < 0.001


def test_one_circuit_alone_is_no_more_improbable_than_one_in_its_peers():
    found = chance(np.array([[5]]), [np.zeros((99, 1), int)], np.random.default_rng(3))[0]
    assert abs(found.p - 0.01) < 0.003
    assert math.isinf(found.ratio)


def test_what_nobody_has_is_not_tested():
    observed, peers = np.array([[0, 3]] * 4), [np.tile([0, 1], (50, 1))] * 4
    nothing, something = chance(observed, peers, np.random.default_rng(4))
    assert math.isnan(nothing.p)
    assert math.isnan(nothing.corrected)
    assert something.p == something.corrected == (1 + round(something.p * (DRAWS + 1) - 1)) / (DRAWS + 1)
    assert something.p < 0.01
    assert all(math.isnan(c.p) for c in chance(observed[:, :1], [p[:, :1] for p in peers], np.random.default_rng(4)))
