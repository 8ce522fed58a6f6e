"""Conditioning by spike-timing-dependent plasticity (Bi and Poo, J. Neurosci. 18, 1998; Song, Miller and Abbott, Nat. Neurosci.
3, 2000)."""

import numpy as np
from pydantic import Field

from fitness.base.measured import Measured
from fitness.base.trials import Symbols
from fitness.decode import fired_between, share, spike_train

BEFORE_MS = 20.0, 80.0  # the cue alone, before training; all times vary by up to JITTER_MS
TRAIN_MS = 150.0  # when training begins
EVERY_MS = 70.0  # a pairing, or a cue and a us apart, to the next
APART_MS = 25.0  # least time between cue and us where they are unpaired
PAUSE_MS = 150.0
AFTER_MS = 0.0, 50.0, 100.0  # the cue alone, after the pause
JITTER_MS = 10.0
WINDOW_MS = 20.0
GAP_MS = 2.0  # between the spikes of a volley


class Association(Measured):
    """One trial is a whole session: a cue that is paired with another input drives the output afterwards, alone.

    Inputs: `cue` and `us`, a few spikes each, equally many in every trial. The cue alone twice; then training, in paired
    sessions every cue followed by a us after `lag_ms`, in unpaired ones (the control) as many of both at times of their own, at
    least 25 ms apart; a pause of 150 ms; the cue alone three times.
    Answer: a spike within 20 ms of each cue after paired training, and none after unpaired training or before any (what it
    does in training is not judged). Score, the learning index: share of cues answered after pairing, less that after unpaired
    training or before any, whichever is more. Chance: 0, by silence, firing always, or without plasticity.
    Synapses from inputs are static: what learns is a synapse between neurons. Activity that lasts through the pause could stand
    in for it. Classes: unpaired, paired. Harder: fewer pairings, a longer lag.
    """

    name = "association"
    inputs = ("cue", "us")
    outputs = ("out",)
    dt_ms = 1.0
    timing = True
    critical_connections = (("C", "out"),)
    default_spec = {
        "circuit": {"synapse_model": "stdp", "neurons": [2, 6], "delay_ms": [1.0, 10.0], "excitatory_weight_mv": [1.0, 150.0]},
        "circuit.parameters": {
            "tau_m_ms": [5.0, 20.0],
            "tau_syn_e_ms": [1.0, 5.0],
            "a_plus": [0.0, 0.5],
            "a_minus": [0.0, 0.5],
            "tau_plus_ms": [5.0, 40.0],
            "tau_minus_ms": [5.0, 40.0],
            "bound": [1.0, 6.0],
        },
        "search": {"generations": 30},
    }

    pairings: int = Field(8, ge=2, le=12, description="cues and us in training")
    lag_ms: float = Field(10.0, ge=5, le=20, description="from the cue to the us in paired sessions")
    spikes: int = Field(2, ge=1, le=4, description="spikes of a cue and of a us, 2 ms apart")

    @property
    def duration_ms(self):
        return TRAIN_MS + self.pairings * EVERY_MS + PAUSE_MS + AFTER_MS[-1] + 40.0

    def make(self, rng, count):
        paired = rng.permutation(np.arange(count) % 2)
        slots = TRAIN_MS + EVERY_MS * np.arange(self.pairings)
        test = TRAIN_MS + EVERY_MS * self.pairings + PAUSE_MS
        before, after = (np.add(times, rng.uniform(0, JITTER_MS, (count, 1))) for times in (BEFORE_MS, np.add(test, AFTER_MS)))
        first = slots + rng.uniform(0, JITTER_MS, (count, self.pairings))
        second = first + rng.uniform(APART_MS, APART_MS + JITTER_MS, first.shape)
        swapped = rng.random(first.shape) < 0.5
        cue = np.where(paired[:, None], first + rng.uniform(0, APART_MS, first.shape), np.where(swapped, second, first))
        us = np.where(paired[:, None], cue + self.lag_ms, np.where(swapped, first, second))
        trains = [self._train(times.round()) for times in (np.column_stack([before, cue, after]), us)]
        facts = {"before_ms": before.round(), "train_ms": np.minimum(cue, us).round(), "after_ms": after.round()}
        return np.stack(trains, axis=-1), paired, facts

    def as_sequence(self, trials):
        starts = [trials.facts[f"{part}_ms"] for part in ("before", "train", "after")]
        kinds = np.where(trials.labels == 1, 1, 2)
        which = [np.broadcast_to(kinds[:, None] * (k == 1), start.shape) for k, start in enumerate(starts)]
        return Symbols(("cue", "cue with us", "cue and us apart"), np.hstack(which), np.hstack(starts))

    def measure(self, raster, trials):
        """The shares of cues answered after training and before it: [..., trials, 2]."""

        def answered(cues):
            return sum(fired_between(raster, cue, cue + WINDOW_MS).astype(float) for cue in cues.T) / cues.shape[1]

        return np.stack([answered(trials.facts["after_ms"]), answered(trials.facts["before_ms"])], axis=-1)

    def overall(self, measured, trials):
        paired = trials.labels == 1
        after, before = measured[..., 0], measured[..., 1]
        return share(after, paired) - np.maximum(share(after, ~paired), before.mean(axis=-1))

    def mark(self, measured, trials):
        after, before = measured[..., 0], measured[..., 1]
        return np.where(trials.labels == 1, after, 1 - after) * (1 - before / 2)

    def _train(self, starts):
        """Each start [trials, events] followed by the spikes of a volley, 2 ms apart: bool [trials, steps]."""
        times = starts[..., None] + 1 + GAP_MS * np.arange(self.spikes)
        return spike_train(times.reshape(len(starts), -1), self.dt_ms, self.steps)
