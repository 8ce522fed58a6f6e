"""Sounds as they reach two ears: through pure delays, and through measured head responses.

`kemar.npz` holds responses of the KEMAR manikin in the horizontal plane (Gardner and Martin, J. Acoust. Soc. Am. 97, 1995),
taken from the Python package slab 1.8.2 (MIT License, Copyright (c) 2019 Marc Schönwiesner): azimuth_deg [n], 0 to 90 to the
left; response float32 [n, taps, 2], left and right ear, the first 256 of 512 taps; rate_hz. The head is symmetrical: to the
right, the ears are exchanged.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from fitness.hearing.stereo import bandwidth_hz

RATE_HZ = 44_100


@cache
def _kemar():
    with np.load(Path(__file__).with_name("kemar.npz")) as file:
        return dict(file)


def tone(f_hz, seconds, phase=0.7):
    """A pure tone [samples]."""
    return 0.5 * np.sin(2 * np.pi * f_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ + phase)


def noise(seconds, seed=0):
    """White noise [samples]."""
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))


def band_of_noise(f_hz, seconds, seed=0):
    """Noise within an equivalent rectangular bandwidth to either side of a frequency [samples]."""
    spectrum = np.fft.rfft(noise(seconds, seed))
    f = np.fft.rfftfreq(round(seconds * RATE_HZ), 1 / RATE_HZ)
    found = np.fft.irfft(np.where(np.abs(f - f_hz) <= bandwidth_hz(f_hz), spectrum, 0), round(seconds * RATE_HZ))
    return 0.2 * found / found.std()


def delayed(sound, itd_ms):
    """The sound at both ears [samples, 2], the right one itd_ms after the left one; exact, and periodic."""
    f, spectrum = np.fft.rfftfreq(len(sound), 1 / RATE_HZ), np.fft.rfft(sound)
    turns = (np.exp(2j * np.pi * f * side * itd_ms / 2000) for side in (1, -1))
    return np.stack([np.fft.irfft(spectrum * turn, len(sound)) for turn in turns], axis=1)


def from_the_left(sound, azimuth_deg):
    """The sound at both ears [samples, 2] of the manikin, from so many degrees to the left (below 0: to the right)."""
    data = _kemar()
    response = data["response"][data["azimuth_deg"] == abs(azimuth_deg)][0]
    ears = np.stack([fftconvolve(sound, response[:, ear])[: len(sound)] for ear in (0, 1)], axis=1)
    return ears if azimuth_deg >= 0 else ears[:, ::-1]
