"""Stabilisation of strong excitation by inhibition (Tsodyks, Skaggs, Sejnowski and McNaughton, J. Neurosci. 17, 1997)."""

import numpy as np
from pydantic import Field

from fitness.base.driven import Driven
from fitness.base.measured import by_class
from fitness.decode import busiest, poisson

LEVELS = 6  # of the drive: three thirds
ONSET_MS = 50.0  # not measured
STEADY = 1.1  # a rise to less than this is none
EDGE = 1.5  # ratio outside the band at which a rate gets nothing


class Stability(Driven):
    """However strong the drive, the circuit fires at a moderate rate, and still more with more drive.

    Inputs: one channel, Poisson spikes at a steady mean rate in each trial, from `slowest_hz` to `fastest_hz` in equal ratios.
    Answer: from 50 ms on, the rate of the excitatory neuron that fires most is within `least_hz`..`most_hz` with each drive,
    and with the strongest third of the drives at least `responsive` times what it is with the weakest. Score: share of the
    drives in band (less and less up to a ratio of 1.5 outside), from 0 for what the best straight line r = k x gets to 1, less
    where the rate rises by less than asked for, and 0 where it does not. Chance: 0, by silence, firing always, a steady rate or
    passing the drive on. A trial's mark is 1 in the band, and the ratio to its nearer edge outside.
    Harder: a wider range of drives, a narrower band, a larger `responsive`.
    """

    name = "stability"
    dt_ms = 0.5
    duration_ms = 400.0
    default_spec = {
        "circuit": Driven.default_spec["circuit"] | {"delay_ms": [0.5, 5.0], "inhibitory_weight_mv": [1.0, 1000.0]},
        "circuit.parameters": Driven.default_spec["circuit.parameters"] | {"t_ref_ms": 1.0},  # a long one bounds the rate
        "search": {"generations": 60},
    }

    slowest_hz: float = Field(50.0, ge=20, le=100, description="weakest drive")
    fastest_hz: float = Field(1600.0, ge=1000, le=2000, description="strongest drive")
    least_hz: float = Field(10.0, ge=10, le=50, description="lower edge of the band")
    most_hz: float = Field(60.0, ge=55, le=80, description="upper edge of the band")
    responsive: float = Field(1.4, ge=1.25, le=3, description="rate with the strongest third of drives over the weakest")

    def make(self, rng, count):
        level = rng.permutation(np.arange(count) % LEVELS)
        drive = np.geomspace(self.slowest_hz, self.fastest_hz, LEVELS)[level]
        return poisson(rng, np.repeat(drive[:, None], self.steps, axis=1), self.dt_ms)[..., None], level, {"drive_hz": drive}

    def variable(self, trials):
        return "drive [Hz]", trials.facts["drive_hz"]

    def measure(self, raster, trials):
        spikes = busiest(raster.counts(start_ms=ONSET_MS), raster.excitatory)
        return spikes[..., None] * (1000 / (self.duration_ms - ONSET_MS))

    def in_band(self, rate_hz):
        """1 for a rate in the band, down to 0 at EDGE times its edges, evenly in the logarithm."""
        rate = np.maximum(rate_hz, 1e-9)
        outside = np.maximum(np.maximum(self.least_hz / rate, rate / self.most_hz), 1)
        return np.clip(1 - np.log(outside) / np.log(EDGE), 0, 1)

    def overall(self, measured, trials):
        rate, drive = by_class(measured[..., 0], trials.labels), by_class(trials.facts["drive_hz"], trials.labels)
        slopes = np.geomspace(self.least_hz / drive.max(), self.most_hz / drive.min(), 200)
        line = self.in_band(slopes[:, None] * drive).mean(axis=-1).max()
        share = np.clip((self.in_band(rate).mean(axis=-1) - line) / max(1 - line, 1e-9), 0, 1)
        third = max(len(drive) // 3, 1)
        weak, strong = rate[..., :third].mean(axis=-1), rate[..., -third:].mean(axis=-1)
        rise = strong / np.maximum(weak, 1e-9)
        return share * np.clip((rise - STEADY) / (self.responsive - STEADY), 0, 1)

    def mark(self, measured, trials):
        rate = measured[..., 0]
        return np.minimum(np.minimum(rate / self.least_hz, self.most_hz / np.maximum(rate, 1e-9)), 1)
