"""Discrimination of spike times at equal spike counts (Thorpe, Delorme and Van Rullen, Neural Netw. 14, 2001)."""

import numpy as np
from pydantic import Field, model_validator

from fitness.base.task import Task
from fitness.decode import margin, most_active, spike_train

WINDOW_MS = 100.0
BURST_MS = 20.0
TAIL_MS = 20.0


class Order(Task):
    """N spikes in 100 ms: the most active output names how they were spread.

    Inputs: N spikes on every channel in every trial, so that counts say nothing.
    One channel, `classes` classes: evenly over 100 ms, or all in one of several windows of 20 ms; with three classes, the
    first 20 ms (early) and the last (late), with more also windows between, at equal distances.
    Two channels, two classes: A fires its spikes in the first 20 ms and B in the last 20 ms; or the reverse.
    Answer: the output that the class names is the only most active one. Chance: 1 / classes.
    Harder: more classes (three are easy), more jitter (even trains that look like bursts), fewer spikes.
    """

    name = "order"
    timing = True
    critical_connections = (("I", "even"),)
    default_spec = {
        "circuit": {"neurons": [4, 12], "excitatory_share": [0.5, 0.9], "in_degree": 6, "delay_ms": [0.5, 60.0]},
        "circuit.parameters": {
            "tau_m_ms": [5.0, 40.0],
            "tau_syn_e_ms": [1.0, 10.0],
            "tau_syn_i_ms": [2.0, 40.0],
            "t_ref_ms": [1.0, 10.0],
            "bias_mv": [0.0, 20.0],
        },
        "search": {"generations": 60},
    }
    dt_ms = 0.5
    duration_ms = WINDOW_MS + TAIL_MS

    channels: int = Field(1, ge=1, le=2, description="1: even, early or late; 2: A before B, or B before A")
    spikes: int = Field(6, ge=2, le=20, description="spikes per channel and trial")
    jitter_ms: float = Field(2.0, ge=0, le=20, description="evenly spread spikes move by up to this much either way")
    classes: int = Field(4, ge=3, le=6, description="of one channel: even, and one less than this many windows")

    @model_validator(mode="before")
    @classmethod
    def _two_channels_have_two_classes(cls, settings):
        return {"classes": 3} | settings if settings.get("channels") == 2 else settings

    @model_validator(mode="after")
    def _only_one_channel_has_more_classes(self):
        if self.channels == 2 and self.classes > 3:
            raise ValueError("classes: only one channel can have more than three")
        return self

    @property
    def inputs(self):
        return ("a", "b")[: self.channels]

    @property
    def outputs(self):
        between = tuple(f"window{k}" for k in range(2, self.classes - 1))
        return ("even", "early", *between, "late") if self.channels == 1 else ("a_first", "b_first")

    @property
    def chance(self):
        return 1 / len(self.outputs)

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % len(self.outputs))
        even = (np.arange(self.spikes) + 0.5) * WINDOW_MS / self.spikes
        trains = []
        for channel in range(self.channels):
            burst = rng.uniform(0, BURST_MS, (count, self.spikes))
            spread = even + rng.uniform(-self.jitter_ms, self.jitter_ms, (count, self.spikes))
            spread = np.where(spread < 0, -spread, np.where(spread > WINDOW_MS, 2 * WINDOW_MS - spread, spread))
            late = burst + WINDOW_MS - BURST_MS
            if self.channels == 1:
                starts = np.arange(self.classes - 1) * (WINDOW_MS - BURST_MS) / (self.classes - 2)
                times = np.where(labels[:, None] == 0, spread, burst + starts[labels - 1, None])
            else:
                times = np.where(labels[:, None] == channel, burst, late)
            trains.append(spike_train(times, self.dt_ms, round(WINDOW_MS / self.dt_ms)))
        spikes = np.zeros((count, self.steps, self.channels), bool)
        spikes[:, : trains[0].shape[1]] = np.stack(trains, axis=-1)
        return spikes, labels

    def conditions(self, trials):
        return {"output": np.array(self.outputs)[trials.labels]}

    def trial_scores(self, raster, trials):
        return most_active(raster.counts(), trials.labels)

    def case_scores(self, raster, trials):
        return margin(raster.counts(), trials.labels)
