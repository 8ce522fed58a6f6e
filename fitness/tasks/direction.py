"""Direction selectivity by asymmetric inhibition (Barlow and Levick, J. Physiol. 178, 1965)."""

import numpy as np
from pydantic import Field

from fitness.base.measured import Measured
from fitness.base.trials import Trials
from fitness.decode import balanced_within, restraint, shares, sized_volley

EARLIEST_MS, LATEST_MS, TAIL_MS = 5.0, 20.0, 30.0
SPREAD_MS = 2.0


class Direction(Measured):
    """Something moves over a row of channels, one way or the other, slowly or fast: each output answers one direction only.

    Inputs: a volley on each channel, one channel after the other, first to last (forward) or last to first (backward), each
    with a number of spikes of its own; the onset varies too.
    Answer: an output spikes in trials of the direction that it prefers and stays silent in the others. Score: the direction
    selectivity index (P - N) / (P + N) of each speed and output, averaged; P and N are the mean counts for the two directions,
    P at least 1 in the denominator, so that stray spikes select nothing. Score of a trial, for each output: a spike for the
    preferred direction; silence for the other, the less the more spikes. Chance: 0, by silence or by answering both.
    The counts say nothing of the direction: no reader of rates does better than chance. More speeds over a wider range, and
    more jitter, are harder; one output alone (both = false) and volleys that are all alike are easier.
    """

    name = "direction"
    dt_ms = 0.5
    timing = True
    critical_connections = (("I1", "forward"), ("I2", "backward"))
    default_spec = {
        "circuit": {"neurons": [2, 8], "delay_ms": [0.5, 20.0], "excitatory_weight_mv": [1.0, 100.0]},
        "circuit.parameters": {"tau_m_ms": [2.0, 20.0], "tau_syn_e_ms": [0.5, 5.0], "tau_syn_i_ms": [2.0, 40.0]},
        "search": {"generations": 100},
    }

    both: bool = Field(True, description="one output for each direction, else for the first alone")
    channels: int = Field(4, ge=3, le=8, description="channels in a row")
    speeds: int = Field(4, ge=2, le=8, description="different speeds")
    fastest_ms: float = Field(4.0, ge=2, le=8, description="from one channel to the next at the highest speed")
    slowest_ms: float = Field(16.0, ge=10, le=40, description="from one channel to the next at the lowest speed")
    spikes: int = Field(1, ge=1, le=5, description="spikes of the smallest volley")
    more: int = Field(3, ge=0, le=6, description="additional spikes of the largest volley")
    jitter_ms: float = Field(0.5, ge=0, le=3, description="standard deviation of each volley's time")

    @property
    def inputs(self):
        return tuple(f"place{k}" for k in range(self.channels))

    @property
    def outputs(self):
        return ("forward", "backward") if self.both else ("out",)

    @property
    def duration_ms(self):
        return float(np.ceil(LATEST_MS + (self.channels - 1) * self.slowest_ms + 3 * self.jitter_ms + TAIL_MS))

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % 2)  # 1: the preferred direction
        speed = balanced_within(rng, labels, self.speeds)
        step_ms = np.geomspace(self.fastest_ms, self.slowest_ms, self.speeds)[speed]
        place = np.arange(self.channels)
        order = np.where(labels[:, None], place, place[::-1])
        jitter = np.clip(rng.normal(0, self.jitter_ms, order.shape), -3 * self.jitter_ms, 3 * self.jitter_ms)
        start = rng.uniform(EARLIEST_MS, LATEST_MS, (count, 1)) + order * step_ms[:, None] + jitter
        largest = self.spikes + self.more
        times = start[..., None] + rng.uniform(0, SPREAD_MS, (*start.shape, largest))
        size = rng.integers(self.spikes, largest + 1, start.shape)
        trains = [sized_volley(times[:, k], size[:, k], self.dt_ms, self.steps) for k in place]
        return np.stack(trains, axis=-1), labels, {"speed": speed, "step_ms": step_ms}

    def variable(self, trials):
        return "time to the next channel, below 0 against the preferred direction [ms]", np.where(
            trials.labels == 1, 1, -1
        ) * trials.facts["step_ms"]

    def conditions(self, trials):
        return {"time to the next channel [ms]": trials.facts["step_ms"]}

    def measure(self, raster, trials):
        return raster.counts()

    def overall(self, measured, trials: Trials):
        at_speed = trials.facts["speed"] == np.unique(trials.facts["speed"])[:, None]
        forward = trials.labels == 1
        means = shares(np.moveaxis(measured, -1, 0), np.concatenate([at_speed & forward, at_speed & ~forward]))
        means = np.split(means, 2)  # of each direction [speeds, outputs, ...]
        indices = []
        for output, (preferred, null) in enumerate([means, means[::-1]][: measured.shape[-1]]):
            preferred, null = preferred[:, output], null[:, output]
            indices.append((preferred - null) / (np.maximum(preferred, 1.0) + null))
        return np.mean(np.concatenate(indices), axis=0)

    def mark(self, measured, trials):
        preferred = trials.labels == 1, trials.labels == 0  # by the outputs
        return np.mean([restraint(measured[..., k], preferred[k]) for k in range(len(self.outputs))], axis=0)
