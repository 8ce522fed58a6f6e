"""Spoken digits as spikes, from `spoken_digits.npz` (Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0).

A recording is heard by `BANDS` mel bands of the logarithm of power, each of which charges a unit that fires and is set back:
`PEAK` times a second at the loudest of the recording. Steps are 2 ms, 300 of them.
"""

from functools import cache
from pathlib import Path

import numpy as np

from fitness.learning.data import Sets, Trials

BANDS, STEPS, DT_MS, PEAK, RANGE = 24, 300, 2.0, 150.0, 6.0  # RANGE: nats below the loudest that are heard
RATE, WINDOW = 8000, 256  # Hz, samples
SPEAKERS = ("george", "jackson", "nicolas", "theo")


@cache
def spikes_of(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spikes bool [recordings, steps, bands], digits and speakers of all."""
    with np.load(path, allow_pickle=False) as file:
        difference, length, digit, speaker = (file[name] for name in ("difference", "length", "digit", "speaker"))
    ends = np.cumsum(length)
    sounds = (np.cumsum(difference[end - n : end], dtype="i2") for n, end in zip(length, ends, strict=True))
    return np.stack([heard(sound.astype("f8")) for sound in sounds]), digit.astype("i8"), speaker


def heard(sound: np.ndarray) -> np.ndarray:
    """Spikes bool [steps, bands] of a sound at `RATE`."""
    hop = round(RATE * DT_MS / 1000)
    padded = np.concatenate([np.zeros(WINDOW // 2), sound, np.zeros(WINDOW + STEPS * hop)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: STEPS * hop : hop] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames)) ** 2 @ bands().T
    loud = np.log(power + 1e-9)
    level = np.clip(1 + (loud - loud.max()) / RANGE, 0, None)
    charge = np.cumsum(level * PEAK * DT_MS / 1000, axis=0)
    return np.diff(np.floor(charge), axis=0, prepend=0.0) > 0


@cache
def bands() -> np.ndarray:
    """Weights of the triangular mel bands, [bands, frequencies]."""
    mel = np.linspace(mel_of(100.0), mel_of(RATE / 2), BANDS + 2)
    edges, at = 700 * (10 ** (mel / 2595) - 1), np.fft.rfftfreq(WINDOW, 1 / RATE)
    rise = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None)


def mel_of(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def sets(path: Path, left_out: str, examples: int, judged: int, seed: int) -> Sets:
    """Trials of three speakers to train on, as many of each digit, and of the fourth to judge by."""
    spikes, digit, speaker = spikes_of(path)
    rng, other = np.random.default_rng(seed), speaker == SPEAKERS.index(left_out)
    each = [rng.permutation(np.flatnonzero(~other & (digit == k)))[: examples // 10] for k in range(10)]
    train, test = rng.permutation(np.concatenate(each)), rng.permutation(np.flatnonzero(other))[:judged]
    return Sets(*(Trials(spikes[which], digit[which][:, None], 10) for which in (train, test)))


def write(path: Path, left_out: str, to: Path) -> None:
    """Write a file in the format of the task `dataset`: recordings of this speaker are the test set; half of the others are to
    train on, half to validate on."""
    spikes, digit, speaker = spikes_of(path)
    mine = speaker == SPEAKERS.index(left_out)
    part = np.where(mine, "test", np.where(np.arange(len(digit)) % 2, "validation", "train"))
    groups = np.array(SPEAKERS)[speaker]
    np.savez_compressed(to, spikes=spikes, labels=digit, dt_ms=DT_MS, groups=groups, parts=part)
