"""What Elephant and PySpike make of pairs of spike trains: python -m tests.oracle.run_spike_trains FOLDER

Reads `pairs.json` (duration_ms, tau_ms, cost_per_ms, bin_ms, pairs [n, 2, spikes] in ms), writes `answer.json`: for each
measure its value for each pair, and the seconds it took.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pyspike
import quantities as pq
from elephant.conversion import BinnedSpikeTrain
from elephant.spike_train_correlation import correlation_coefficient
from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance
from neo import SpikeTrain

warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
asked = json.loads((folder / "pairs.json").read_text())
duration = asked["duration_ms"]
neo = [[SpikeTrain(train, units="ms", t_stop=duration) for train in pair] for pair in asked["pairs"]]
kreuz = [[pyspike.SpikeTrain(np.array(train), (0.0, duration)) for train in pair] for pair in asked["pairs"]]


def binned(pair):
    counts = BinnedSpikeTrain(pair, bin_size=asked["bin_ms"] * pq.ms, t_start=0 * pq.ms, t_stop=duration * pq.ms)
    return np.nan_to_num(correlation_coefficient(counts)[0, 1])


calls = {
    "van_rossum": (neo, lambda pair: van_rossum_distance(pair, asked["tau_ms"] * pq.ms)[0, 1]),
    "victor_purpura": (neo, lambda pair: victor_purpura_distance(pair, asked["cost_per_ms"] / pq.ms)[0, 1]),
    "binned_correlation": (neo, binned),
    "isi_distance": (kreuz, lambda pair: pyspike.isi_distance(*pair)),
    "spike_distance": (kreuz, lambda pair: pyspike.spike_distance(*pair)),
}
answer = {}
for name, (pairs, call) in calls.items():
    start = time.perf_counter()
    values = [float(call(pair)) for pair in pairs]
    answer[name] = {"values": values, "seconds": time.perf_counter() - start}
(folder / "answer.json").write_text(json.dumps(answer))
