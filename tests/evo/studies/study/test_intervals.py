"""Estimates from few runs, beside figures from elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf, false_discovery_control

from evo.studies.study.intervals import curve, holm, log_rank, median, median_until, share

RUNS = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12)


def test_wilsons_interval_of_eight_in_ten():
    found = share(8, 10)  # by hand: (0.8 + 1.92 / 10 +- 1.96 sqrt(0.16 / 10 + 0.96 / 100)) / (1 + 3.84 / 10)
    assert found.value == 0.8
    assert found.low == pytest.approx(0.4902, abs=1e-4)
    assert found.high == pytest.approx(0.9433, abs=1e-4)
    assert share(0, 0)[1:] == (0.0, 1.0)


@given(RUNS)
def test_the_median_is_where_scipys_survival_function_passes_one_half(runs):
    x, there = np.array([n for n, _ in runs], float), np.array([ok for _, ok in runs])
    found = median_until(x, there, samples=10).value
    sf = ecdf(CensoredData.right_censored(x, ~there)).sf
    first, last = (
        next((q for q, p in zip(sf.quantiles, sf.probabilities, strict=True) if p <= half), math.inf)
        for half in (0.5 + 1e-9, 0.5 - 1e-9)
    )
    assert found == (first + last) / 2


def test_without_censored_runs_it_is_the_median():
    assert median([4.0, 1.0, 3.0]).value == 3.0
    assert median([4.0, 1.0, 3.0, 2.0]).value == 2.5
    assert median([5.0] * 8) == (5.0, 5.0, 5.0)
    assert math.isnan(median([]).value)
    assert math.isnan(median([1.0, math.nan]).value)


def test_a_median_that_half_of_the_runs_or_more_never_reached_has_no_end():
    assert median_until([10, 20, 99, 99], [True, True, False, False]).value == math.inf
    assert median_until([10, 20, 30, 99], [True, True, True, False]).value == 25.0
    assert median_until([5] * 9 + [99] * 3, [True] * 9 + [False] * 3)[:2] == (5.0, 5.0)


def test_a_run_censored_early_says_nothing_of_later():
    """By hand: of 4 at risk one gets there (3/4 left), one is censored, of 2 one gets there (3/8 left)."""
    assert median_until([1, 2, 3, 4], [True, False, True, True]).value == 3.0


def test_the_bootstrap_interval_covers_the_median_of_an_exponential_as_often_as_it_says():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(200):
        found = median(rng.exponential(size=25), samples=400)
        hits += found.low <= math.log(2) <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_the_curve_rises_where_runs_got_there():
    x, share_, low, high = curve([1, 2, 3, 4, 9], [True, True, False, True, False])
    assert x.tolist() == [1, 2, 4]
    assert share_ == pytest.approx([0.2, 0.4, 0.7])
    assert (low <= share_).all()
    assert (share_ <= high).all()


def test_the_log_rank_test_of_runs_that_were_all_sooner():
    """By hand: observed 3 in the first sample, expected 3/6 + 2/5 + 1/4 = 1.15, variance 0.25 + 0.24 + 0.1875: z = 2.25."""
    p = log_rank([1, 2, 3], [True] * 3, [7, 8, 9], [True, True, False])
    assert p == pytest.approx(math.erfc((3 - 1.15) / math.sqrt(0.6775) / math.sqrt(2)), rel=1e-6)
    assert log_rank([5, 5], [False] * 2, [9, 9], [False] * 2) == 1.0
    assert log_rank([5, 6], [True] * 2, [5, 6], [True] * 2) == 1.0


def test_holms_correction_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_holms_correction_lies_between_none_and_bonferronis(p):
    found = holm(p)
    assert all(a <= b <= min(1.0, len(p) * a) + 1e-12 for a, b in zip(p, found, strict=True))
    assert all(b >= c - 1e-12 for b, c in zip(found, false_discovery_control(p), strict=True))
