"""Spikes of two ears from a stereo recording, by a gammatone filter bank and phase-locked firing."""

import warnings
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.files import check_regular
from fitness.hearing.phase_locking import half_waves, paired

CENTRES_HZ = (150.0, 200.0, 260.0, 330.0, 410.0, 500.0, 600.0, 690.0)  # about one equivalent rectangular bandwidth apart
LOWEST_HZ, HIGHEST_HZ = 50.0, 700.0  # of channels
THRESHOLD = 0.5  # for the peak of a half-wave, relative to the ear's root mean square in the channel
ORDER = 4
LARGEST = 1_000_000_000  # bytes of a file
FAINT = 0.01  # of the whole sound's amplitude at the same time (-40 dB): a fainter band is inaudible
AUDIBLE = 0.25  # of the sound's energy must come at times at which the band is audible
FRAME_MS = 20.0  # for this comparison: the click at a tone's sudden start is in all bands
SILENT = 0.01  # of the other ear's root mean square (-40 dB): an ear below this is silent; no head shades so much
REACH = 0.75  # half width of a channel's band in bandwidths: neighbouring bands overlap
ABOVE = 0.05  # of the highest frequency: the band reaches no further above it
ROUNDING = 1e-12  # of the largest sample: residue of a constant after the mean is subtracted
FINE_HZ = 16_000.0  # sounds sampled more coarsely are interpolated, so that the onsets of half-waves are exact


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
    except Exception as error:  # scipy raises various exceptions for broken files
        raise UserError(f"{path}: not a WAV file that can be read: {str(error) or type(error).__name__}") from None
    if sound.size == 0:
        raise UserError(f"{path}: is empty: it has no samples")
    if sound.ndim != 2 or sound.shape[1] != 2:
        channels = "mono" if sound.ndim == 1 else f"of {sound.shape[1]} channels"
        raise UserError(f"{path}: is {channels}; two ears need a stereo file")
    if sound.dtype == np.uint8:
        sound = (sound.astype("f8") - 128) / 128
    elif sound.dtype.kind == "i":
        sound = sound / -float(np.iinfo(sound.dtype).min)  # 24 bit come in the upper part of 32
    if rate < 2000 or not np.isfinite(sound).all():
        reason = f"is sampled at {rate} Hz, at least 2000 are needed" if rate < 2000 else "has samples that are no numbers"
        raise UserError(f"{path}: {reason}")
    return float(rate), sound.astype("f8")


def bandwidth_hz(centre_hz) -> float:
    """The equivalent rectangular bandwidth of human hearing at a frequency (Glasberg and Moore, Hear. Res. 47, 1990)."""
    return 24.7 * (4.37 * centre_hz / 1000 + 1)


def gammatone(sound, centre_hz, rate_hz) -> np.ndarray:
    """Sound [samples, ears] through a gammatone filter of fourth order with the width `bandwidth_hz`."""
    return analytic(sound, centre_hz, rate_hz).real


def analytic(sound, centre_hz, rate_hz) -> np.ndarray:
    """Analytic signal of the filtered sound, complex [samples, ears], by a cascade of complex one-pole filters (Hohmann, Acta
    Acust. 88, 2002). Its real part is the filtered sound."""
    from scipy.signal import lfilter

    pole = np.exp(2 * np.pi * (-1.019 * bandwidth_hz(centre_hz) + 1j * centre_hz) / rate_hz)
    filtered = sound.astype(complex)
    for _ in range(ORDER):
        filtered = lfilter([1 - np.abs(pole)], [1, -pole], filtered, axis=0)
    return 2 * filtered


class Channel(NamedTuple):
    """A band of a sound.

    centre_hz  of the band;   waves  float64 [samples, ears], the filtered sound
    own        bool [samples, ears], where the momentary frequency of the wave lies in the band: elsewhere it is leakage from
               louder sound outside, or noise
    level      float64 [ears], root mean square of the samples that are its own
    """

    centre_hz: float
    waves: np.ndarray
    own: np.ndarray
    level: np.ndarray

    def spikes(self, rate_hz) -> list[np.ndarray]:
        """Spike times in ms of each ear, one for each cycle that both hear: float64 [cycles] each."""
        each = [
            half_waves(wave, THRESHOLD * level, own)
            for wave, level, own in zip(self.waves.T, self.level, self.own.T, strict=True)
        ]
        return [onset / rate_hz * 1000 for onset in paired(*each)]


def channel(sound, centre_hz, rate_hz) -> Channel | None:
    """The band of a sound around a frequency; None where it is inaudible."""
    signal = analytic(sound, centre_hz, rate_hz)
    momentary_hz = np.angle(signal[1:] * signal[:-1].conj()) * rate_hz / (2 * np.pi)
    inside = (np.abs(momentary_hz - centre_hz) <= REACH * bandwidth_hz(centre_hz)) & (momentary_hz <= (1 + ABOVE) * HIGHEST_HZ)
    waves, own = signal.real, np.concatenate([inside[:1], inside])
    energy = np.where(own, waves**2, 0)
    if _audible(energy.sum(axis=1), (sound**2).sum(axis=1), rate_hz) < AUDIBLE:
        return None
    return Channel(float(centre_hz), waves, own, np.sqrt(energy.mean(axis=0)))


def _audible(band, whole, rate_hz):
    """The share of the whole sound's energy [samples] at times at which the band is audible."""
    starts = np.arange(0, len(whole), max(1, round(FRAME_MS / 1000 * rate_hz)))
    band, whole = (np.add.reduceat(energy, starts) for energy in (band, whole))
    delayed = np.convolve(band, np.ones(3))[2:]  # the filter has a delay
    return whole[delayed >= FAINT**2 * whole].sum() / whole.sum() if whole.sum() > 0 else 0.0


def ears(path, centre_hz: float | None = None, range_hz: tuple[float, float] = (LOWEST_HZ, HIGHEST_HZ)):
    """Spike times in ms of the left and the right ear, float64 [cycles] each; the centre of the channel; and the file's
    length in ms.

    centre_hz  by default that of the strongest channel, among those of `CENTRES_HZ` in the range.
    Levels are relative to the whole sound, so that the volume of a recording does not matter. Raises UserError for a file that
    is not stereo sound, for a sound that is inaudible in the channel or silent in one ear, and where no cycle tells which ear
    leads.
    """
    rate, sound = read_stereo(path)
    if centre_hz is not None and not LOWEST_HZ <= centre_hz <= HIGHEST_HZ:
        raise UserError(
            f"listening at {centre_hz:g} Hz: must be {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz, above that the phase is ambiguous"
        )
    length_ms, largest = len(sound) / rate * 1000, np.abs(sound).max()
    sound = sound / largest if largest > 0 else sound
    sound = sound - sound.mean(axis=0)  # a constant is no sound
    if np.abs(sound).max() <= ROUNDING:
        raise UserError(f"{path}: is silent")
    fine_rate, sound = interpolated(sound, rate)
    centres = (centre_hz,) if centre_hz is not None else centres_between(*range_hz)
    audible = [band for f in centres if (band := channel(sound, f, fine_rate)) is not None]
    if not audible:
        where = f"at {centres[0]:g} Hz" if len(centres) == 1 else f"between {centres[0]:g} and {centres[-1]:g} Hz"
        raise UserError(
            f"{path}: has nothing to hear {where}; its sound is elsewhere, strongest at {loudest_hz(sound, fine_rate):.0f} Hz"
        )
    best = max(audible, key=lambda band: float((band.level**2).sum()))
    if best.level.min() <= SILENT * best.level.max():
        side = ("left", "right")[int(best.level.argmin())]
        raise UserError(f"{path}: the {side} ear is silent at {best.centre_hz:g} Hz; a time difference takes sound in both")
    spikes = best.spikes(fine_rate)
    if not len(spikes[0]):
        reason = "they are half a cycle apart, or never hear the same one"
        raise UserError(f"{path}: at {best.centre_hz:g} Hz no cycle tells which ear leads: {reason}")
    return spikes, best.centre_hz, length_ms


def centres_between(lowest_hz, highest_hz) -> tuple[float, ...]:
    """The centres of `CENTRES_HZ` whose bands reach into this range; the middle of the range where there are none."""
    near = tuple(f for f in CENTRES_HZ if reaches(f, lowest_hz, highest_hz))
    return near or ((lowest_hz + highest_hz) / 2,)


def reaches(centre_hz, lowest_hz, highest_hz) -> bool:
    """Does the band around a frequency reach into this range?"""
    half = bandwidth_hz(centre_hz) / 2
    return bool(lowest_hz - half <= centre_hz <= highest_hz + half)


def interpolated(sound, rate_hz) -> tuple[float, np.ndarray]:
    """The sampling rate and the sound at a rate of `FINE_HZ` or more."""
    from scipy.signal import resample_poly

    factor = int(np.ceil(FINE_HZ / rate_hz))
    return (rate_hz, sound) if factor <= 1 else (rate_hz * factor, resample_poly(sound, factor, 1, axis=0))


def loudest_hz(sound, rate_hz) -> float:
    """The frequency with the most energy."""
    power = (np.abs(np.fft.rfft(sound, axis=0)) ** 2).sum(axis=1)
    return float(np.fft.rfftfreq(len(sound), 1 / rate_hz)[power.argmax()])


def stretches(
    path, hop_ms, duration_ms, dt_ms, centre_hz=None, range_hz=(LOWEST_HZ, HIGHEST_HZ)
) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of both ears in stretches, bool [stretches, steps, 2], and the start of each in the file, in ms.

    Each stretch has about hop_ms of the sound; the rest of its duration_ms is silence, in which the last spikes arrive. Cuts
    lie between cycles, so that the spikes of a cycle stay together. Raises UserError for a file shorter than one stretch.
    """
    times, centre_hz, length = ears(path, centre_hz, range_hz)
    count = int(length / hop_ms)
    if count == 0:
        raise UserError(f"{path}: is too short: {length:.1f} ms of sound, at least {hop_ms:.1f} are needed")
    cuts = _between_cycles(np.sort(np.concatenate(times)), np.arange(count + 1) * hop_ms, 750 / centre_hz)
    spikes = np.zeros((count, round(duration_ms / dt_ms), 2), bool)
    for ear, at in enumerate(times):
        stretch = np.searchsorted(cuts, at, "right") - 1
        inside = (stretch >= 0) & (stretch < count)
        stretch, at = stretch[inside], at[inside]
        step = np.rint((at - cuts[stretch]) / dt_ms).astype(int) - 1
        spikes[stretch, np.clip(step, 0, spikes.shape[1] - 1), ear] = True
    return spikes, np.arange(count) * hop_ms


def _between_cycles(spikes, cuts, reach_ms):
    """The cuts, each moved by at most `reach_ms` into the middle of the longest interval without a spike."""
    moved = []
    for cut in cuts:
        near = spikes[np.searchsorted(spikes, cut - reach_ms) : np.searchsorted(spikes, cut + reach_ms, "right")]
        ends = np.concatenate([[cut - reach_ms], near, [cut + reach_ms]])
        longest = int(np.diff(ends).argmax())
        moved.append((ends[longest] + ends[longest + 1]) / 2 if len(near) else cut)
    return np.array(moved)
