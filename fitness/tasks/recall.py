"""Delayed response: a cue is remembered until a probe asks for the answer (Goldman-Rakic, Neuron 14, 1995; Wang, Trends
Neurosci.
24, 2001)."""

import numpy as np
from pydantic import Field

from fitness.base.task import Task
from fitness.base.trials import Symbols
from fitness.decode import volley, within

EARLIEST_MS, LATEST_MS = 5.0, 25.0  # of the cue
CUE_MS = 50.0
PROBE_MS = 4.0  # length of the probe
WINDOW_MS = 40.0  # for the answer
QUIET_MS = 50.0  # before the probe, in which the answer is withheld
NONE, A, B = 0, 1, 2


class Recall(Task):
    """A cue says A, or B, or does not come; long after it a probe asks which it was.

    Inputs: `cue_a` or `cue_b`, some spikes over 50 ms, or neither in a third of the trials; a gap of 100..`longest_ms`; a
    volley on `probe`.
    Answer: in the 40 ms after the probe the output that was cued has more spikes than the other one, and both are silent
    without a cue; in the 50 ms before the probe both are silent. Trial score: right or wrong, the three classes with equal
    weights.
    Chance: 1/3, by silence. Classes: none, a, b; `gap_ms` is in the facts. Harder: longer gaps, fewer spikes.
    """

    name = "recall"
    inputs = ("cue_a", "cue_b", "probe")
    outputs = ("a", "b")
    dt_ms = 1.0
    chance = 1 / 3
    critical_connections = (("A", "A"), ("B", "B"))
    default_spec = {
        "circuit": {"neurons": [4, 10], "delay_ms": [1.0, 10.0]},
        "circuit.parameters": {"tau_m_ms": [5.0, 30.0], "tau_syn_e_ms": [1.0, 20.0], "tau_syn_i_ms": [2.0, 20.0]},
        "search": {"generations": 60},
    }

    spikes: int = Field(6, ge=2, le=20, description="spikes of a cue")
    probe_spikes: int = Field(3, ge=1, le=6, description="spikes of the probe")
    longest_ms: float = Field(1000.0, ge=150, le=2000, description="longest gap between cue and probe")

    @property
    def duration_ms(self):
        return round(LATEST_MS + CUE_MS + self.longest_ms + WINDOW_MS) + 5

    def make(self, rng, count):
        cued = rng.permutation(np.arange(count) % 3)
        start = rng.uniform(EARLIEST_MS, LATEST_MS, count).round()
        gap = rng.uniform(100.0, self.longest_ms, count).round()
        probe = start + CUE_MS + gap
        cue = volley(rng, start, self.spikes, CUE_MS - self.dt_ms, self.dt_ms, self.steps)
        asked = volley(rng, probe, self.probe_spikes, PROBE_MS, self.dt_ms, self.steps)
        spikes = np.stack([cue & (cued == A)[:, None], cue & (cued == B)[:, None], asked], axis=-1)
        return spikes, cued, {"gap_ms": gap, "probe_ms": probe}

    def as_sequence(self, trials):
        probe = trials.facts["probe_ms"]
        which = np.column_stack([np.where(trials.labels == NONE, -1, trials.labels - A), np.full(len(trials), 2)])
        return Symbols(self.inputs, which, np.column_stack([probe - trials.facts["gap_ms"] - CUE_MS, probe]))

    def conditions(self, trials):
        return {"cue": np.array(["none", "a", "b"])[trials.labels], "gap [ms]": trials.facts["gap_ms"]}

    def trial_scores(self, raster, trials):
        early, answer = self._counts(raster, trials)
        right, wrong = _right_and_wrong(answer, trials.labels)
        return np.where(trials.labels == NONE, wrong == 0, right > wrong) & (early.sum(axis=-1) == 0)

    def case_scores(self, raster, trials):
        """The share of the right output in the spikes of both windows; without a cue, the fewer spikes the better."""
        early, answer = self._counts(raster, trials)
        right, wrong = _right_and_wrong(answer, trials.labels)
        wrong = wrong + early.sum(axis=-1)
        return np.where(trials.labels == NONE, 1 / (1 + wrong), right / np.maximum(1, right + wrong))

    def _counts(self, raster, trials):
        """Spikes of both outputs before the probe and after it: two of [..., trials, 2]."""
        time, probe = (np.arange(self.steps) + 1) * self.dt_ms, trials.facts["probe_ms"][:, None]
        windows = (time > probe - QUIET_MS) & (time <= probe), (time > probe) & (time <= probe + WINDOW_MS)
        return [within(raster, window).counts() for window in windows]


def _right_and_wrong(counts, cued):
    """Spikes of the cued output and of the others, all of them without a cue: two of [..., trials]."""
    right = np.where(cued == A, counts[..., 0], np.where(cued == B, counts[..., 1], 0))
    return right, counts.sum(axis=-1) - right
