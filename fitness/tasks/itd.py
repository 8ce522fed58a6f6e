"""Sound localisation from the interaural time difference (Jeffress, J. Comp. Physiol. Psychol. 41, 1948)."""

import numpy as np
from pydantic import Field

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.simulation.simulate import simulate
from fitness.base.definition import weights_mv
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.decode import balanced_within, margin, most_active, spike_train
from fitness.hearing.phase_locking import UNAMBIGUOUS
from fitness.hearing.stereo import HIGHEST_HZ, LOWEST_HZ, stretches

HEAD_MS = 0.7  # largest difference that a rigid sphere as large as a human head makes at high frequencies
LEAD_IN_MS = 1.0
TAIL_MS = 5.0


class Itd(Task):
    """A tone reaches the two ears at different times; the most active of the detectors names its direction.

    Inputs: one phase-locked spike per cycle and ear, jittered. Both ears always fire the same number of spikes and the phase
    of the tone is random, so counts say nothing, nor does the phase in one ear alone (its onset does, a little).
    Answer: the directions are the centres of equal parts of +-0.7 ms, from the right ear leading to the left ear leading;
    detector k must be the only most active one for direction k. Chance: 1 / detectors.
    Harder: more detectors, more jitter, fewer cycles, a sweep of tones (delays tuned to one period fail).
    """

    name = "itd"
    timing = True
    critical_connections = (("left", "E0"), ("left", "E1"), ("left", "E2"), ("left", "E3"))
    default_spec = {
        "circuit": {"neurons": [4, 12], "in_degree": 6, "delay_ms": [0.05, 1.6], **weights_mv(120.0, 120.0)},
        "circuit.parameters": {
            "tau_m_ms": [0.2, 3.0],
            "tau_syn_e_ms": [0.1, 1.0],
            "tau_syn_i_ms": [0.1, 3.0],
            "t_ref_ms": [0.5, 2.0],
        },
        "search": {"generations": 120, "trials": 128},
    }
    inputs = ("left", "right")
    dt_ms = 0.05

    detectors: int = Field(4, ge=2, le=8, description="directions to tell apart, each with an output of its own")
    frequency_hz: float = Field(500.0, ge=50, le=700, description="the tone; above 700 Hz the phase would be ambiguous")
    cycles: int = Field(8, ge=1, le=100, description="spikes per ear and trial")
    jitter_ms: float = Field(0.05, ge=0, le=0.5, description="standard deviation of each spike time")
    sweep: float = Field(0.0, ge=0, le=0.8, description="each trial's tone lies up to this share below frequency_hz")
    tones: int = Field(0, ge=0, le=16, description="different tones of a sweep, in equal ratios; 0: any tone of it")
    spread: float = Field(0.0, ge=0, le=1, description="time differences fill this share of their direction's part")
    farthest_ms: float = Field(HEAD_MS, ge=HEAD_MS, le=1, description="largest time difference, where they spread")
    irregular: float = Field(0.0, ge=0, le=0.3, description="cycles of noise: their lengths vary by up to this share (SD)")

    @property
    def outputs(self):
        return tuple(f"direction{k}" for k in range(self.detectors))

    @property
    def chance(self):
        return 1 / self.detectors

    @property
    def duration_ms(self):
        lowest_hz = self.frequency_hz * (1 - self.sweep)
        length = LEAD_IN_MS + self.farthest_ms + (self.cycles + 1) * 1000 / lowest_hz + TAIL_MS
        return np.ceil(length / self.dt_ms) * self.dt_ms

    @property
    def directions_ms(self) -> np.ndarray:
        """The time differences to tell apart (arrival at the right ear minus that at the left), float64 [detectors]."""
        centres = (np.arange(self.detectors) + 0.5) / self.detectors
        return HEAD_MS * (2 * centres - 1)

    @property
    def range_hz(self) -> tuple[float, float]:
        """The lowest and the highest tone."""
        return self.frequency_hz * (1 - self.sweep), self.frequency_hz

    @property
    def tones_hz(self) -> np.ndarray:
        """The different tones, float64 [tones]; empty where any tone of the sweep may come."""
        return np.geomspace(self.frequency_hz * (1 - self.sweep), self.frequency_hz, self.tones)

    def make(self, rng, count):
        share = rng.random((count, 1)) if self.sweep and not self.tones else 0
        labels = rng.permutation(np.arange(count) % self.detectors)
        tones = self.tones_hz[balanced_within(rng, labels, self.tones), None] if self.tones else None
        tone_hz = self.frequency_hz * (1 - self.sweep * share) if tones is None else tones
        period = 1000 / tone_hz
        itd_ms = self._differences(rng, labels, period)
        onset = LEAD_IN_MS + self.farthest_ms / 2 + rng.uniform(0, period, (count, 1)) + self._cycles(rng, count) * period
        ears = []
        for side in (-0.5, 0.5):
            jitter = np.clip(rng.normal(0, self.jitter_ms, onset.shape), -period / 4, period / 4)
            times = onset + side * itd_ms[:, None] + jitter
            ears.append(spike_train(times, self.dt_ms, self.steps))
        tone_hz = np.broadcast_to(np.reshape(tone_hz, (-1, 1)), (count, 1))[:, 0]
        return np.stack(ears, axis=-1), labels, {"itd_ms": itd_ms, "tone_hz": tone_hz}

    def _differences(self, rng, labels, period):
        """The time difference of each trial, [trials]."""
        centre = self.directions_ms[labels]
        if not self.spread:
            return centre
        aside = self.spread * rng.uniform(-1, 1, len(labels))
        outermost = (labels == np.where(aside > 0, self.detectors - 1, 0)) & (self.farthest_ms > HEAD_MS)
        reach = np.where(outermost, self.farthest_ms - np.abs(centre), HEAD_MS / self.detectors)
        limit = np.maximum(UNAMBIGUOUS * np.ravel(period), np.abs(centre))
        return np.clip(centre + aside * reach, -limit, limit)

    def _cycles(self, rng, count):
        """Onsets of the cycles in periods, [trials, cycles] or [cycles]."""
        if not self.irregular or self.cycles == 1:
            return np.arange(self.cycles)
        deviation = np.clip(rng.normal(size=(count, self.cycles - 1)), -2, 2)
        length = 1 + rng.uniform(0, self.irregular, (count, 1)) * deviation
        length *= (self.cycles - 1) / length.sum(axis=1, keepdims=True)  # as long as a tone, on the whole
        return np.cumsum(np.pad(length, ((0, 0), (1, 0))), axis=1)

    def variable(self, trials):
        return "time difference [ms]", trials.facts["itd_ms"]

    def conditions(self, trials):
        sounds = {"tone [Hz]": trials.facts["tone_hz"]} if self.sweep else {}
        return {"direction": trials.labels, **sounds}

    def trial_scores(self, raster, trials):
        return most_active(raster.counts(), trials.labels)

    def case_scores(self, raster, trials):
        return margin(raster.counts(), trials.labels)

    def trials_of_sound(
        self, path, centre_hz: float | None = None, range_hz: tuple[float, float] = (LOWEST_HZ, HIGHEST_HZ)
    ) -> Trials:
        """A stereo WAV file as trials: the spikes of both ears (see `fitness.hearing.stereo`) in stretches as long as a trial.
        Labels are -1, unknown; `facts["start_ms"]` says where in the file each begins. Circuits know the tones they were
        evolved with: the strongest channel within `range_hz` is used, which should be `self.range_hz`. Raises UserError."""
        hop_ms = self.duration_ms - TAIL_MS
        spikes, start_ms = stretches(path, hop_ms, self.duration_ms, self.dt_ms, centre_hz, range_hz)
        return Trials(spikes, np.full(len(spikes), -1), {"start_ms": start_ms})

    def directions(self, circuit: Circuit, trials: Trials) -> np.ndarray:
        """The direction that the circuit names in each trial, its one most active detector; -1 for a tie or silence."""
        if abs(circuit.dt_ms - self.dt_ms) > 1e-12 or len(circuit.inputs) != 2 or len(circuit.outputs) != self.detectors:
            shape = f"2 input channels, {self.detectors} outputs and a step of {self.dt_ms:g} ms"
            raise UserError(f"task itd: a circuit that listens has {shape}, unlike {circuit!r}")
        counts = simulate(circuit, trials.spikes, seed=trials.noise_seed).outputs.counts()
        largest = counts.max(axis=-1, keepdims=True)
        return np.where((counts == largest).sum(axis=-1) == 1, counts.argmax(axis=-1), -1)

    def summary(self, named: np.ndarray) -> tuple[int | None, int]:
        """The direction that was named most often in these trials, and how often; None for a tie or no direction."""
        votes = np.bincount(named[named >= 0], minlength=self.detectors)
        largest = int(votes.max())
        return (int(votes.argmax()) if largest and (votes == largest).sum() == 1 else None), largest
