"""Edge enhancement by lateral inhibition (Hartline and Ratliff, J. Gen. Physiol. 40, 1957)."""

import numpy as np
from pydantic import Field

from fitness.base.definition import weights_mv
from fitness.base.measured import Measured, correlation
from fitness.decode import regular


class Edge(Measured):
    """A row of channels with a step in rate somewhere: the outputs overshoot on its bright side and undershoot on its dark one.

    Inputs: jittered trains, slow on one side of the step, fast on the other; where the step is and which side is fast differ
    from trial to trial.
    Answer: the counts of the outputs, one per channel, have the profile that lateral inhibition gives: each channel's rate less
    `strength` times the mean of its two neighbours' (the end channels are neighbours of themselves). Score: the correlation,
    over the row, of counts and profile, the correlation that the inputs' own rates have worth 0, averaged over trials, all
    places of the step alike. Score of a trial: the correlation itself. Chance: 0 or less, by silence, noise or relaying. More
    channels, a smaller step and more jitter are harder.
    """

    name = "edge"
    dt_ms = 1.0
    critical_connections = tuple((f"I{min(max(k + side, 0), 4)}", f"E{k}") for k in range(5) for side in (-1, 1))
    default_spec = {
        "circuit": {
            "neurons": [9, 12],
            "excitatory_share": [0.4, 0.6],
            "in_degree": 4,
            "delay_ms": 1.0,
            **weights_mv(100.0, 100.0),
        },
        "circuit.parameters": {
            "tau_m_ms": 15.0,
            "tau_syn_e_ms": 15.0,
            "tau_syn_i_ms": 15.0,
            "bias_mv": [0.0, 25.0],
        },
        "search": {"generations": 300, "trials": 128},
    }

    channels: int = Field(5, ge=4, le=16, description="channels in a row, each with an output of its own")
    slow_hz: float = Field(60.0, ge=20, le=300, description="rate on the dark side")
    fast_hz: float = Field(180.0, ge=20, le=500, description="rate on the bright side")
    strength: float = Field(0.9, ge=0.3, le=1, description="of the lateral inhibition that makes the target profile")
    jitter: float = Field(0.2, ge=0, le=0.5, description="of each spike, in intervals")
    settle_ms: float = Field(30.0, ge=0, le=100, description="time at the start that is not scored")
    judged_ms: float = Field(200.0, ge=50, le=500, description="time that is scored")

    @property
    def inputs(self):
        return tuple(f"place{k}" for k in range(self.channels))

    @property
    def outputs(self):
        return tuple(f"out{k}" for k in range(self.channels))

    @property
    def duration_ms(self):
        return float(round(self.settle_ms + self.judged_ms))

    def profile(self, rates: np.ndarray) -> np.ndarray:
        """Wanted outputs for input rates [..., channels], up to scale and offset."""
        ends = np.concatenate([rates[..., :1], rates, rates[..., -1:]], axis=-1)
        return rates - self.strength * (ends[..., :-2] + ends[..., 2:]) / 2

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % (2 * (self.channels - 1)))
        after, rising = labels // 2, labels % 2 == 1  # the last channel before the step
        fast = (np.arange(self.channels) > after[:, None]) == rising[:, None]
        rates = np.where(fast, self.fast_hz, self.slow_hz)
        trains = [regular(rng, rates[:, k], count, self.steps, self.dt_ms, self.jitter) for k in range(self.channels)]
        return np.stack(trains, axis=-1), labels, {"rates_hz": rates}

    def conditions(self, trials):
        return {"step after": np.array(self.inputs)[trials.labels // 2], "to": np.array(["dark", "bright"])[trials.labels % 2]}

    def measure(self, raster, trials):
        return raster.counts(self.settle_ms)

    def overall(self, measured, trials):
        rates = trials.facts["rates_hz"]
        relayed = correlation(rates, self.profile(rates))
        return (trials.weights * (self.mark(measured, trials) - relayed) / (1 - relayed)).sum(axis=-1)

    def mark(self, measured, trials):
        return correlation(measured, self.profile(trials.facts["rates_hz"]))
