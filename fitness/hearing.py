"""From a stereo recording to the spikes of two ears: a gammatone filter bank and phase-locked firing."""

import warnings

import numpy as np

from circuits.errors import UserError
from circuits.files import check_regular

CENTRES_HZ = (150.0, 200.0, 260.0, 330.0, 410.0, 500.0, 600.0, 690.0)  # about one equivalent rectangular bandwidth apart
THRESHOLD = 0.5  # of a channel's root mean square: what the peak of a half-wave must exceed for a spike
ORDER = 4
LARGEST = 1_000_000_000  # bytes of a file


def read_stereo(path) -> tuple[float, np.ndarray]:
    """Sampling rate in Hz and sound, float64 [samples, 2] (left, right) in -1..1, of a WAV file of 8, 16, 24 or 32 bit, integer
    or float. Raises UserError with one line."""
    from scipy.io import wavfile

    check_regular(path, LARGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that are not sound
            rate, sound = wavfile.read(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # scipy raises what its parser happens to stumble over
        raise UserError(f"{path}: not a WAV file that can be read: {str(error) or type(error).__name__}") from None
    if sound.size == 0:
        raise UserError(f"{path}: is empty, there are no samples in it")
    if sound.ndim != 2 or sound.shape[1] != 2:
        channels = "mono" if sound.ndim == 1 else f"of {sound.shape[1]} channels"
        raise UserError(f"{path}: is {channels}; two ears need a stereo file")
    if sound.dtype == np.uint8:
        sound = (sound.astype("f8") - 128) / 128
    elif sound.dtype.kind == "i":
        sound = sound / -float(np.iinfo(sound.dtype).min)  # 24 bit come in the upper part of 32
    if rate < 2000 or not np.isfinite(sound).all():
        what = f"is sampled at {rate} Hz, at least 2000 are needed" if rate < 2000 else "has samples that are no numbers"
        raise UserError(f"{path}: {what}")
    return float(rate), sound.astype("f8")


def gammatone(sound, centre_hz, rate_hz) -> np.ndarray:
    """Sound [samples, ears] through a gammatone filter of fourth order, a cascade of complex one-pole filters (Hohmann, Acta
    Acust. 88, 2002) as wide as an equivalent rectangular band is (Glasberg and Moore, Hear. Res. 47, 1990)."""
    from scipy.signal import lfilter

    bandwidth = 1.019 * 24.7 * (4.37 * centre_hz / 1000 + 1)
    pole = np.exp(2 * np.pi * (-bandwidth + 1j * centre_hz) / rate_hz)
    found = sound.astype(complex)
    for _ in range(ORDER):
        found = lfilter([1 - np.abs(pole)], [1, -pole], found, axis=0)
    return 2 * found.real


def phase_locked(wave, rate_hz, threshold) -> np.ndarray:
    """Spike times in ms of one ear from its filtered sound [samples]: one for each cycle, where the half-wave rectified wave
    sets in (between samples, by interpolation), if that half-wave's peak exceeds the threshold."""
    rectified = np.maximum(wave, 0)
    onset = np.flatnonzero((wave[:-1] <= 0) & (wave[1:] > 0))
    if not len(onset):
        return np.zeros(0)
    peak = np.maximum.reduceat(rectified, onset)
    before, after = wave[onset], wave[onset + 1]
    return ((onset - before / (after - before)) / rate_hz * 1000)[peak > threshold]


def ears(path, centre_hz: float | None = None) -> tuple[list[np.ndarray], float, float]:
    """Spike times in ms of the left and the right ear, the centre of the channel listened to, and the file's length in ms.

    centre_hz  by default, the strongest of `CENTRES_HZ`. Raises UserError for a file that is no stereo sound, or silent.
    """
    rate, sound = read_stereo(path)
    if centre_hz is not None and not 50 <= centre_hz <= 700:
        raise UserError(f"listening at {centre_hz:g} Hz: must be 50 to 700 Hz, above that the phase is ambiguous")
    best, level, bands = 0.0, 0.0, sound
    for f in [centre_hz] if centre_hz else CENTRES_HZ:
        waves = gammatone(sound, f, rate)
        loud = float(np.sqrt((waves**2).mean()))
        if loud > level:
            best, level, bands = f, loud, waves
    if level < 1e-5:
        raise UserError(f"{path}: has nothing to hear below 700 Hz")
    return [phase_locked(wave, rate, THRESHOLD * level) for wave in bands.T], best, len(sound) / rate * 1000


def stretches(path, hop_ms, duration_ms, dt_ms, centre_hz=None) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of both ears cut into stretches: bool [stretches, steps, 2], and when each starts in the file, in ms.

    Each takes hop_ms of the sound, the rest of its duration_ms is silence, in which the last spikes still arrive. Raises
    UserError for a file shorter than one stretch.
    """
    times, _, length = ears(path, centre_hz)
    count = int(length / hop_ms)
    if count == 0:
        raise UserError(f"{path}: is too short: {length:.1f} ms of sound, at least {hop_ms:.1f} are needed")
    spikes = np.zeros((count, round(duration_ms / dt_ms), 2), bool)
    for ear, at in enumerate(times):
        stretch = np.floor(at / hop_ms).astype(int)
        step = np.maximum(np.rint((at - stretch * hop_ms) / dt_ms).astype(int) - 1, 0)
        inside = stretch < count
        spikes[stretch[inside], step[inside], ear] = True
    return spikes, np.arange(count) * hop_ms
