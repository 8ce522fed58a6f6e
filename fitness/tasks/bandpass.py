"""Selectivity for a pulse rate (Edwards, Leary and Rose, J. Neurosci. 27, 2007)."""

import numpy as np
from pydantic import Field

from fitness.base.measured import Measured, by_class, correlation
from fitness.decode import regular

LEVELS = 8  # of the input's frequency


class Bandpass(Measured):
    """The output is tuned to the frequency of its periodic input.

    Inputs: one channel, spikes at regular intervals with a random phase, the frequency from `slowest_hz` to `fastest_hz` in
    equal ratios.
    Answer: the output's mean rate is highest near `best_hz` and falls to nothing either way: a Gaussian of the logarithm of the
    frequency, its standard deviation `width_octaves`, of any height. Score: correlation of the mean rates with it, from 0 for
    the best curve that only rises, or only falls, to 1; less for a curve with less contrast than the right one. Chance: 0, by
    silence, firing always or passing the input on. A trial's mark is a growing function of its rate near `best_hz` and a
    falling one elsewhere.
    Harder: a smaller `width_octaves`, more `jitter`.
    """

    name = "bandpass"
    inputs = ("beat",)
    outputs = ("out",)
    dt_ms = 1.0
    duration_ms = 400.0
    critical_connections = (("I", "E"),)
    default_spec = {
        "circuit": {
            "neurons": [1, 6],
            "excitatory_share": [0.3, 1.0],
            "delay_ms": [1.0, 20.0],
            "inhibitory_weight_mv": [1.0, 300.0],
        },
        "circuit.parameters": {"tau_m_ms": [2.0, 40.0], "tau_syn_e_ms": [1.0, 20.0], "tau_syn_i_ms": [2.0, 40.0]},
        "search": {"generations": 60},
    }

    best_hz: float = Field(45.0, ge=15, le=100, description="frequency that the output should answer to most")
    width_octaves: float = Field(0.7, ge=0.3, le=1.5, description="standard deviation of the tuning curve")
    jitter: float = Field(0.05, ge=0, le=0.4, description="most that a spike comes early or late, in intervals")
    slowest_hz: float = Field(5.0, ge=5, le=10, description="lowest frequency")
    fastest_hz: float = Field(200.0, ge=150, le=400, description="highest frequency")

    def make(self, rng, count):
        level = rng.permutation(np.arange(count) % LEVELS)
        frequency = np.geomspace(self.slowest_hz, self.fastest_hz, LEVELS)[level]
        spikes = regular(rng, frequency, count, self.steps, self.dt_ms, self.jitter)[..., None]
        return spikes, level, {"frequency_hz": frequency}

    def tuning(self, frequency_hz):
        """The right tuning curve, its peak 1."""
        return np.exp(-0.5 * (np.log2(frequency_hz / self.best_hz) / self.width_octaves) ** 2)

    def variable(self, trials):
        return "frequency [Hz]", trials.facts["frequency_hz"]

    def measure(self, raster, trials):
        return raster.counts()

    def overall(self, measured, trials):
        count, frequency = by_class(measured[..., 0], trials.labels), by_class(trials.facts["frequency_hz"], trials.labels)
        right = self.tuning(frequency)
        base = max(_best_rising(right), _best_rising(right[::-1]))
        tuned = np.clip((correlation(count, right) - base) / max(1 - base, 1e-9), 0, 1)
        return tuned * np.clip(_depth(count, right) / max(_depth(right, right), 1e-9), 0, 1)

    def mark(self, measured, trials):
        count, right = measured[..., 0], self.tuning(trials.facts["frequency_hz"])
        return right * count / (count + 3) + (1 - right) / (1 + count)


def _depth(curve, right):
    """Contrast between the curve where it should be high and where low: 0 if it is flat."""
    high, low = (curve @ part / part.sum() for part in (right, 1 - right))
    return (high - low) / np.maximum(high + low, 1e-9)


def _best_rising(curve):
    """The highest correlation that a curve which never falls can have with one of one peak: it rises with it, then stays."""
    stays = [np.append(curve[:k], np.full(len(curve) - k, curve[k:].mean())) for k in range(1, int(curve.argmax()) + 1)]
    return max((float(correlation(s, curve)) for s in stays if s[-1] >= s[-2]), default=0.0)
