"""Measures of spike trains beside Elephant and PySpike, pair by pair: python -m tests.bench.bench_spike_trains

2,000 pairs of trains of about 20 spikes in a second, the values compared as well. `make oracle` installs both; without them
nothing is timed. One pair a call, as both libraries are used, and ours for all pairs in one call, as a search does it.
"""

import numpy as np

from fitness import spike_trains
from fitness.spike_trains import SpikeTrains
from tests.bench.report import fastest, figure
from tests.oracle.spike_train_pairs import OPTIONS, ask

PAIRS, SPIKES, DURATION_MS = 2000, 20, 1000.0


def main():
    rng = np.random.default_rng(1)
    pairs = [[sorted(rng.uniform(1, DURATION_MS - 1, rng.poisson(SPIKES)).tolist()) for _ in range(2)] for _ in range(PAIRS)]
    one, other = (SpikeTrains.of([pair[side] for pair in pairs], DURATION_MS) for side in (0, 1))
    for name, theirs in ask(pairs, DURATION_MS).items():
        measure = getattr(spike_trains, name)
        options = {key: value for key, value in OPTIONS.items() if key in measure.__code__.co_varnames}
        assert np.allclose(measure(one, other, **options), theirs["values"], rtol=1e-9, atol=1e-6), name
        (seconds,) = fastest(lambda: measure(one, other, **options))  # noqa: B023 - called at once
        rival = "PySpike" if name in ("isi_distance", "spike_distance") else "Elephant"
        figure(f"{name}, a pair", 1e6 * seconds / PAIRS, "us", rival, theirs["seconds"] / seconds)


if __name__ == "__main__":
    main()
