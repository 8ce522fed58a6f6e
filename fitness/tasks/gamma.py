"""Gamma rhythm from excitation and feedback inhibition, PING (Boergers and Kopell, Neural Comput. 17, 2005)."""

import numpy as np
from pydantic import Field

from circuits.simulation.raster import Raster
from fitness.base.definition import weights_mv
from fitness.base.measured import Measured, by_class
from fitness.base.trials import Trials
from fitness.decode import poisson

TRANSIENT_MS, WINDOW_MS = 100, 400
FREQUENCY_HZ = np.arange(5.0, 200.1, 2.5)  # at 1 / WINDOW_MS: the components are independent
LOWEST_HZ, HIGHEST_HZ = 30.0, 80.0
ROUND_HZ = 10.0  # a peak reaches this far either way
LONGEST_LAG = 8  # ms, either way; below the period of the fastest rhythm less the longest lag that is right
LAG = np.interp(np.arange(-LONGEST_LAG, LONGEST_LAG + 1), [-1, 1, 5, 8], [0, 1, 1, 0])  # how right a lag is
NONE, WHOLE = 0.4, 0.8  # shares of power, above that of a flat spectrum, that count as no rhythm and as a whole one

_angle = 2 * np.pi * FREQUENCY_HZ * np.arange(WINDOW_MS)[:, None] / 1000
# Whole numbers: products and sums of spike counts with them are exact, in any order, on any machine.
_WAVES = np.rint(128 * np.concatenate([np.cos(_angle), np.sin(_angle)], axis=1)).astype("f4")
_LOW_PASS = np.rint(1024 * np.sinc(FREQUENCY_HZ * 0.006) ** 4)  # power passed by a triangle 12 ms wide, as a field potential
_ROUND = (np.abs(FREQUENCY_HZ - FREQUENCY_HZ[:, None]) <= ROUND_HZ).astype("f8")  # [peak, component]
_MULTIPLE = np.rint(FREQUENCY_HZ / FREQUENCY_HZ[:, None])
_HARMONIC = (np.abs(FREQUENCY_HZ - FREQUENCY_HZ[:, None] * np.maximum(_MULTIPLE, 2)) <= ROUND_HZ) & (_ROUND == 0)
_COUNTED = 1.0 - _HARMONIC  # sharp volleys are as good as a sine
_FLAT = (_ROUND @ _LOW_PASS) / (_COUNTED @ _LOW_PASS)  # what a flat spectrum has round each peak


class Gamma(Measured):
    """Noisy drive makes the population fire in a gamma rhythm, excitation first and inhibition after it; rest does not.

    Inputs: two Poisson trains of constant rate, in three classes of trials: at rest, drive, and strong drive.
    Answer: from 100 ms on the excitatory neurons together have a rhythm of 30 to 80 Hz, and the inhibitory neurons follow
    1 to 5 ms behind; at rest there is no such rhythm. All neurons are heard, the output counts as one of them.
    Score: of each trial, the share of the spectral power (5 to 200 Hz, low-passed, harmonics left out) of the excitatory spike
    counts that lies within 10 Hz of the highest peak, above what a flat spectrum has there; 0 if the peak is outside the band,
    there is less than a spike per cycle, or the peak of the cross-correlation is not at a lag of 1 to 5 ms. The mean of a class
    counts from 0.4 (what a lone neuron reaches that integrates the drive) to 0.8. Mean of the driven classes, less rest.
    Chance: 0, by silence, irregular firing, or a clock that ticks without drive. Without inhibition of the excitatory
    neurons the drive's noise goes through.
    Harder: a weaker or noisier drive, more of it at rest.
    """

    name = "gamma"
    inputs = ("a", "b")
    outputs = ("out",)
    dt_ms = 1.0
    duration_ms = float(TRANSIENT_MS + WINDOW_MS)
    listens = "all"
    critical_connections = tuple((i, e) for i in ("I0", "I1") for e in ("out", "E1", "E2", "E3"))
    default_spec = {
        "circuit": {"neurons": [4, 12], "excitatory_share": [0.5, 0.9], "delay_ms": [1.0, 4.0], **weights_mv(200.0, 1000.0)},
        "circuit.parameters": {
            "tau_m_ms": [1.0, 20.0],  # and no long currents: integrating the drive for long makes a clock of a neuron
            "tau_syn_e_ms": [1.0, 6.0],
            "tau_syn_i_ms": [1.0, 10.0],
        },
        "search": {"generations": 20},
    }

    drive_hz: float = Field(200.0, ge=100, le=800, description="mean rate of each train when driven strongly")
    weaker: float = Field(0.75, ge=0.3, le=1, description="the weaker drive, as a share of the strong one")
    rest: float = Field(0.1, ge=0, le=0.2, description="the drive at rest, as a share of the strong one")

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % 3)
        rate = self.drive_hz * np.array([self.rest, self.weaker, 1.0])[labels]
        return poisson(rng, np.broadcast_to(rate[:, None, None], (count, self.steps, 2)), self.dt_ms), labels

    def variable(self, trials):
        return "drive of each input [Hz]", self.drive_hz * np.array([self.rest, self.weaker, 1.0])[trials.labels]

    def measure(self, raster, trials):
        """Strength of the rhythm 0..1, frequency of the peak in Hz, and how right the lag is, 0..1: [..., trials, 3]."""
        lead = raster.bits.shape[:-3]
        bits = raster.bits.reshape(-1, *raster.bits.shape[-3:])
        excitatory = np.broadcast_to(raster.excitatory, (len(bits), bits.shape[-1]))
        parts = [  # a few circuits at a time: their counts stay in the cache
            _read(Raster(bits[k : k + 8, :, TRANSIENT_MS:], raster.trials, raster.dt_ms), excitatory[k : k + 8])
            for k in range(0, len(bits), 8)
        ]
        return np.concatenate(parts).reshape(*lead, raster.trials, 3)

    def overall(self, measured, trials: Trials):
        rhythm, _, lag = np.moveaxis(measured, -1, 0)
        strength = np.clip((by_class(rhythm * (lag == 1), trials.labels) - NONE) / (WHOLE - NONE), 0, 1)
        return strength[..., 1:].mean(axis=-1) - strength[..., 0]

    def mark(self, measured, trials: Trials):
        rhythm, _, lag = np.moveaxis(measured, -1, 0)
        strength = np.clip(rhythm / WHOLE, 0, 1) * (0.3 + 0.7 * lag)
        return np.where(trials.labels > 0, strength, 1 - strength)


def _read(raster, excitatory):
    e, i = (raster.spikes_per_step(which).astype("f4") for which in (excitatory, ~excitatory))
    waves = (e.reshape(-1, WINDOW_MS) @ _WAVES).astype("f8").reshape(*e.shape[:2], 2, -1)
    power = (waves * waves).sum(axis=-2) * _LOW_PASS
    peak = power.argmax(axis=-1)
    f = FREQUENCY_HZ[peak]
    share = (power * _ROUND[peak]).sum(axis=-1) / np.maximum((power * _COUNTED[peak]).sum(axis=-1), 1)
    enough = np.clip(e.sum(axis=-1, dtype="f8") / (f * WINDOW_MS / 1000), 0, 1)  # a spike per cycle
    inside = (f >= LOWEST_HZ) & (f <= HIGHEST_HZ)
    rhythm = np.where(inside, np.clip((share - _FLAT[peak]) / np.where(inside, 1 - _FLAT[peak], 1), 0, 1) * enough, 0)
    lags = range(-LONGEST_LAG, LONGEST_LAG + 1)
    inner = slice(LONGEST_LAG, WINDOW_MS - LONGEST_LAG)
    crossed = np.stack([np.einsum("ctk,ctk->ct", e[..., inner], i[..., inner.start + d : inner.stop + d]) for d in lags], -1)
    return np.stack([rhythm, f, np.where(crossed.any(axis=-1), LAG[crossed.argmax(axis=-1)], 0)], axis=-1)
