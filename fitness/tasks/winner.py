"""Winner-take-all by lateral inhibition (Maass, Neural Comput. 12, 2000)."""

import numpy as np
from pydantic import Field

from fitness.base.definition import weights_mv
from fitness.base.task import Task
from fitness.decode import margin, regular

FULL = 0.9  # selectivity index that counts as perfect
FEWEST = 4  # spikes of all outputs together, below which the index is reduced


class Winner(Task):
    """Several channels fire at much the same rate, one of them faster: only its output may fire.

    Inputs: jittered trains, all at the same base rate, which differs from trial to trial, but for one that is faster by one of
    several differences; so no rate of a single channel makes it the winner.
    Answer: after `settle_ms` only the output of the fastest channel fires. Trial score: the selectivity index (n - others) /
    (n + others) of the output counts, that of the input rates worth 0, 0.9 and more worth 1, few spikes less. Chance: 1 / k,
    what an output gets that always fires alone. More channels, smaller differences and more jitter are harder.
    """

    name = "winner"
    dt_ms = 1.0
    critical_connections = tuple(("I", f"E{k}") for k in range(3))
    default_spec = {
        "circuit": {"neurons": [4, 10], "excitatory_share": [0.5, 0.9], "delay_ms": [1.0, 5.0], **weights_mv(100.0, 150.0)},
        "circuit.parameters": {
            "tau_m_ms": [5.0, 30.0],
            "tau_syn_e_ms": [1.0, 10.0],
            "tau_syn_i_ms": [2.0, 20.0],
            "t_ref_ms": [1.0, 5.0],
        },
        "search": {"generations": 120, "trials": 128},
    }

    channels: int = Field(3, ge=2, le=8, description="channels, each with an output of its own")
    lowest_hz: float = Field(50.0, ge=20, le=200, description="base rate, the lowest")
    highest_hz: float = Field(150.0, ge=20, le=300, description="base rate, the highest")
    least_hz: float = Field(30.0, ge=5, le=200, description="smallest difference")
    most_hz: float = Field(90.0, ge=5, le=200, description="largest difference")
    differences: int = Field(3, ge=1, le=8, description="different differences")
    jitter: float = Field(0.2, ge=0, le=0.5, description="of each spike, in intervals")
    settle_ms: float = Field(50.0, ge=0, le=100, description="time at the start that is not scored")
    judged_ms: float = Field(150.0, ge=50, le=500, description="time that is scored")

    @property
    def inputs(self):
        return tuple(f"channel{k}" for k in range(self.channels))

    @property
    def outputs(self):
        return tuple(f"out{k}" for k in range(self.channels))

    @property
    def chance(self):
        return 1 / self.channels

    @property
    def duration_ms(self):
        return float(round(self.settle_ms + self.judged_ms))

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % self.channels)
        base = rng.uniform(*sorted((self.lowest_hz, self.highest_hz)), count)
        kind = rng.permutation(np.arange(count) % self.differences)
        delta = np.linspace(self.least_hz, self.most_hz, self.differences)[kind]
        fastest = np.arange(self.channels) == labels[:, None]
        rate = base[:, None] + delta[:, None] * fastest
        trains = [regular(rng, rate[:, k], count, self.steps, self.dt_ms, self.jitter) for k in range(self.channels)]
        return np.stack(trains, axis=-1), labels, {"base_hz": base, "delta_hz": delta}

    def conditions(self, trials):
        return {"fastest channel": trials.labels, "difference [Hz]": trials.facts["delta_hz"]}

    def trial_scores(self, raster, trials):
        base, delta = trials.facts["base_hz"], trials.facts["delta_hz"]
        relayed = np.maximum(0, delta - (self.channels - 2) * base) / (delta + self.channels * base)
        index = self._index(raster.counts(self.settle_ms), trials)
        return np.clip((index - relayed) / (FULL - relayed), 0, 1)

    def case_scores(self, raster, trials):
        return (margin(raster.counts(self.settle_ms), trials.labels) + self.trial_scores(raster, trials)) / 2

    def _index(self, counts, trials):
        every = counts.sum(axis=-1)
        winner = counts[..., np.arange(len(trials)), trials.labels]
        return (2 * winner - every) / np.maximum(every, FEWEST)
