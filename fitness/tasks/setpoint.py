"""Homeostasis of the firing rate: a set point that steps of the drive do not move (Turrigiano, Cell 135, 2008)."""

from itertools import permutations

import numpy as np
from pydantic import Field

from fitness.base.driven import Driven
from fitness.base.measured import by_class
from fitness.decode import busiest, poisson, within

SILENCE_STEPS = 50, 250  # before the first step
SEGMENT_MS, SETTLE_MS = 150.0, 50.0
FULL, NONE = 0.15, 0.5  # settling error up to which, and from which, a segment scores fully and not at all
EXCESS = (2.0, 4.0)  # the same for the rate within SETTLE_MS, over the set point
NOISE = 0.1  # rate without drive, over the set point, that costs everything
ORDERS = np.array(list(permutations(range(3))))


class Setpoint(Driven):
    """The drive steps up and down; within 50 ms the circuit is back at its set point.

    Inputs: one channel: silence for 50..250 ms, Poisson spikes at three mean rates for 150 ms each (`slowest_hz`, `fastest_hz`
    and the one between in equal ratios, in each of their six orders), and silence again.
    Answer: the excitatory neuron that fires most (so that none runs away behind another) does so at `set_hz` from 50 ms
    after each step of the drive to the next, and not at all without drive (from 50 ms after the last step on). Score: the share
    of segments settled, in full if the mean rate of the trials with the same order of drives is within 15 % of the set point
    and not at all from 50 % on; less where it exceeds twice the set point in the first 50 ms; from 0 at the third of the
    segments that following the drive gets right to 1; times 1 - 10 q, where q is the rate without drive over the set point.
    Chance: 0, by silence, a pacemaker or passing the drive on. A trial's mark is the smaller over the larger of rate and set
    point, less for each spike without drive.
    Harder: a wider range of drives.
    """

    name = "setpoint"
    dt_ms = 1.0
    duration_ms = 800.0
    default_spec = {**Driven.default_spec, "search": {"generations": 60, "trials": 64}}

    set_hz: float = Field(60.0, ge=30, le=100, description="the set point")
    slowest_hz: float = Field(75.0, ge=50, le=200, description="weakest drive")
    fastest_hz: float = Field(600.0, ge=200, le=800, description="strongest drive")

    def make(self, rng, count):
        order = rng.permutation(np.arange(count) % len(ORDERS))
        start = rng.integers(*SILENCE_STEPS, count, endpoint=True) * self.dt_ms
        drives = np.column_stack([np.geomspace(self.slowest_hz, self.fastest_hz, 3)[ORDERS[order]], np.zeros(count)])
        segment = np.floor((np.arange(self.steps) * self.dt_ms - start[:, None]) / SEGMENT_MS).astype(int)
        rate = np.take_along_axis(drives, np.clip(segment, -1, 3), axis=1)  # the last one, 0, before the start as well
        return poisson(rng, rate, self.dt_ms)[..., None], order, {"start_ms": start}

    def conditions(self, trials):
        return {"order of the drives": np.array(["".join("LMH"[k] for k in order) for order in ORDERS])[trials.labels]}

    def measure(self, raster, trials):
        """Rates in Hz: without drive, in the first 50 ms of each segment, in the rest of each."""
        time = np.arange(self.steps) * self.dt_ms - trials.facts["start_ms"][:, None]
        segment = np.floor(time / SEGMENT_MS)
        settled = time - segment * SEGMENT_MS >= SETTLE_MS
        driven = (segment >= 0) & (segment < 3)
        windows = [~driven & ((segment < 3) | settled | (segment > 3))]
        windows += [(segment == k) & part for part in (~settled, settled) for k in range(3)]
        lengths = np.array([self.duration_ms - 3 * SEGMENT_MS - SETTLE_MS, *3 * [SETTLE_MS], *3 * [SEGMENT_MS - SETTLE_MS]])
        spikes = [busiest(within(raster, w).counts(), raster.excitatory) for w in windows]
        return 1000 * np.stack(spikes, axis=-1) / lengths

    def overall(self, measured, trials):
        relative = np.moveaxis(measured, -1, 0) / self.set_hz  # [readings, ..., trials]
        early, rest = (np.stack([by_class(r, trials.labels) for r in part]) for part in (relative[1:4], relative[4:]))
        settled = np.clip((NONE - np.abs(rest - 1)) / (NONE - FULL), 0, 1)
        bounded = np.clip((EXCESS[1] - early) / (EXCESS[1] - EXCESS[0]), 0, 1)
        share = (settled * bounded).mean(axis=(0, -1))
        return np.clip((share - 1 / 3) / (2 / 3), 0, 1) * np.clip(1 - relative[0].mean(axis=-1) / NOISE, 0, 1)

    def mark(self, measured, trials):
        rest = measured[..., 4:] / self.set_hz
        close = (np.minimum(rest, 1) / np.maximum(rest, 1)).mean(axis=-1)
        return close / (1 + measured[..., 0] / (NOISE * self.set_hz))
