"""A split has three parts that share no stimulus and no group, with all classes, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from circuits.errors import UserError
from fitness.base.split import split, unit_of

SHARES = 0.6, 0.2, 0.2


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 40)), min_size=12, max_size=60), st.integers(0, 9)
)
def test_no_key_is_in_two_parts_and_every_class_is_in_all(items, seed):
    labels, groups, stimuli = (np.array(column) for column in zip(*items, strict=True))
    try:
        part = split(labels, [groups, stimuli], SHARES, seed)
    except UserError:  # too few groups that have nothing in common
        event("refused")
        return
    for key in (groups, stimuli):
        assert all(len(set(part[key == one])) == 1 for one in set(key.tolist()))
    for label in set(labels.tolist()):
        assert set(part[labels == label]) == {0, 1, 2}
    np.testing.assert_array_equal(part, split(labels, [groups, stimuli], SHARES, seed))


def test_single_items_are_stratified_to_the_item():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    part = split(labels, [np.arange(160)], SHARES, 4)
    for label, size in enumerate((100, 50, 10)):
        assert np.abs(np.bincount(part[labels == label], minlength=3) - size * np.array(SHARES)).max() <= 1


def test_groups_come_near_to_the_shares():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 2000)
    labels = rng.integers(0, 4, 2000)
    part = split(labels, [groups], SHARES, 1)
    for label in range(4):
        assert np.abs(np.bincount(part[labels == label]) / (labels == label).sum() - SHARES).max() < 0.07


def test_another_seed_splits_otherwise():
    labels = np.arange(60) % 2
    assert (split(labels, [np.arange(60)], SHARES, 0) != split(labels, [np.arange(60)], SHARES, 1)).any()


def test_items_that_are_equal_by_way_of_others_are_together():
    assert unit_of(5, [[1, 1, 2, 3, 4], [5, 6, 6, 7, 8]]).tolist() == [0, 0, 0, 1, 2]


@pytest.mark.parametrize(
    ("labels", "groups", "said"),
    [
        ([0, 0, 1, 1, 1], [0, 1, 2, 3, 4], "class 0 has 2 separate stimuli or groups; three parts need at least 3"),
        ([0] * 9, [0] * 9, "class 0 has 1 separate"),
        ([], [], "has no items"),
        ([0, 1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 2, 2, 0], None),
    ],
)
def test_too_few_are_named_in_one_line(labels, groups, said):
    if said is None:
        assert sorted(set(split(labels, [groups], SHARES, 0))) == [0, 1, 2]
        return
    with pytest.raises(UserError, match=said) as caught:
        split(labels, [groups], SHARES, 0, "task X: data")
    assert str(caught.value).startswith("task X: data: ")
    assert "\n" not in str(caught.value)
