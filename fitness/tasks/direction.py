"""Direction selectivity by asymmetric inhibition (Barlow and Levick, J. Physiol. 178, 1965)."""

import numpy as np
from pydantic import Field

from fitness.decode import spike_train
from fitness.measured import Measured
from fitness.task import Trials

EARLIEST_MS, LATEST_MS, TAIL_MS = 5.0, 20.0, 30.0
SPREAD_MS = 2.0


class Direction(Measured):
    """Something moves over a row of channels, one way or the other, slowly or fast: answer one direction only.

    Inputs: a volley on each channel, one channel after the other, first to last (the preferred direction) or last to first; all
    volleys have the same number of spikes, and an onset of its own in each trial.
    Answer: the output spikes in trials of the preferred direction and stays silent in the others. Score: the direction
    selectivity index (P - N) / (P + N) of each speed, averaged over the speeds; P and N are the mean counts for the two
    directions, P at least 1 in the denominator, so that stray spikes select nothing. Credit of a trial: a spike for the
    preferred direction; silence for the other, the less the more spikes. Chance: 0, by silence or by answering both.
    The counts are the same in every trial: no reader of rates does better than chance. More speeds over a wider range, and more
    jitter, are harder.
    """

    name = "direction"
    outputs = ("out",)
    dt_ms = 0.5
    timing = True
    decisive = (("I", "out"),)
    suits = {
        "circuit": {"neurons": [2, 8], "delay_ms": [0.5, 20.0], "excitatory_weight_mv": [1.0, 100.0]},
        "circuit.parameters": {"tau_m_ms": [2.0, 20.0], "tau_syn_e_ms": [0.5, 5.0], "tau_syn_i_ms": [2.0, 40.0]},
        "search": {"generations": 30},
    }

    channels: int = Field(4, ge=3, le=8, description="channels in a row")
    speeds: int = Field(4, ge=2, le=8, description="different speeds")
    fastest_ms: float = Field(4.0, ge=2, le=8, description="from one channel to the next at the highest speed")
    slowest_ms: float = Field(16.0, ge=10, le=40, description="from one channel to the next at the lowest speed")
    spikes: int = Field(2, ge=1, le=5, description="spikes of a volley")
    jitter_ms: float = Field(0.5, ge=0, le=3, description="standard deviation of each volley's time")

    @property
    def inputs(self):
        return tuple(f"place{k}" for k in range(self.channels))

    @property
    def duration_ms(self):
        return float(np.ceil(LATEST_MS + (self.channels - 1) * self.slowest_ms + 3 * self.jitter_ms + TAIL_MS))

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % 2)  # 1: the preferred direction
        speed = np.empty(count, int)
        for label in (0, 1):  # each direction has all speeds equally often
            mine = labels == label
            speed[mine] = rng.permutation(np.arange(mine.sum()) % self.speeds)
        step_ms = np.geomspace(self.fastest_ms, self.slowest_ms, self.speeds)[speed]
        place = np.arange(self.channels)
        order = np.where(labels[:, None], place, place[::-1])
        jitter = np.clip(rng.normal(0, self.jitter_ms, order.shape), -3 * self.jitter_ms, 3 * self.jitter_ms)
        start = rng.uniform(EARLIEST_MS, LATEST_MS, (count, 1)) + order * step_ms[:, None] + jitter
        times = start[..., None] + rng.uniform(0, SPREAD_MS, (*start.shape, self.spikes))
        spikes = np.stack([spike_train(times[:, k], self.dt_ms, self.steps) for k in place], axis=-1)
        return spikes, labels, {"speed": speed, "step_ms": step_ms}

    def variable(self, trials):
        return "time to the next channel, below 0 against the preferred direction [ms]", np.where(
            trials.labels == 1, 1, -1
        ) * trials.facts["step_ms"]

    def measure(self, raster, trials):
        return raster.counts()

    def overall(self, measured, trials: Trials):
        indices = []
        for speed in np.unique(trials.facts["speed"]):
            now = trials.facts["speed"] == speed
            preferred, null = (self._mean(measured, now & (trials.labels == label)) for label in (1, 0))
            indices.append((preferred - null) / (np.maximum(preferred, 1.0) + null))
        return np.mean(indices, axis=0)

    def mark(self, measured, trials):
        return np.where(trials.labels == 1, measured[..., 0] > 0, 1 / (1 + measured[..., 0]))

    @staticmethod
    def _mean(measured, chosen):
        return measured[..., chosen, 0].sum(axis=-1) / max(chosen.sum(), 1)
