"""The measures of spike trains beside Elephant and PySpike."""

import numpy as np
import pytest

from fitness import spike_trains
from fitness.spike_trains import SpikeTrains
from tests.oracle.spike_train_pairs import OPTIONS, ask, drawn

pytestmark = pytest.mark.oracle


# Elephant drops a spike at the very end from its bins; PySpike takes the end for a spike after a single one at the very start.
DIFFERS = {"binned_correlation": lambda train: 200.0 in train, "spike_distance": lambda train: train == [0.0]}


@pytest.fixture(scope="module")
def answered():
    pairs = drawn(np.random.default_rng(5), 1000, duration_ms=200.0)
    return pairs, ask(pairs, 200.0)


@pytest.mark.parametrize("name", ["van_rossum", "victor_purpura", "binned_correlation", "isi_distance", "spike_distance"])
def test_the_value_is_that_of_elephant_or_pyspike(answered, name):
    pairs, answer = answered
    one, other = (SpikeTrains.of([pair[side] for pair in pairs], 200.0) for side in (0, 1))
    options = {key: value for key, value in OPTIONS.items() if key in getattr(spike_trains, name).__code__.co_varnames}
    found = getattr(spike_trains, name)(one, other, **options)
    same = [not (name in DIFFERS and any(map(DIFFERS[name], pair))) for pair in pairs]
    assert sum(same) > 900
    np.testing.assert_allclose(found[same], np.array(answer[name]["values"])[same], rtol=1e-9, atol=2e-7)
