"""From a stereo recording to the spikes of two ears: a gammatone filter bank and phase-locked firing."""

import warnings
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.files import check_regular
from fitness.phase_locking import half_waves, paired

CENTRES_HZ = (150.0, 200.0, 260.0, 330.0, 410.0, 500.0, 600.0, 690.0)  # about one equivalent rectangular bandwidth apart
LOWEST_HZ, HIGHEST_HZ = 50.0, 700.0  # of what can be listened to
THRESHOLD = 0.5  # of an ear's root mean square in the channel: what the peak of a half-wave must exceed for a spike
ORDER = 4
LARGEST = 1_000_000_000  # bytes of a file
FAINT = 0.01  # of the whole sound's amplitude at the same time (-40 dB): a band with less than this is not to be heard
HEARD = 0.25  # of the sound's energy: the least that must come at times at which the band is to be heard
FRAME_MS = 20.0  # in which this is looked at: the click at a tone's sudden start is in all bands
DEAF = 0.01  # of the other ear's root mean square (-40 dB): an ear with less than this is silent; no head shades so much
REACH = 0.75  # bandwidths to either side of a channel's centre are its own band: neighbouring ones overlap
ABOVE = 0.05  # and no more than this share above the highest tone that can be listened to
ROUNDING = 1e-12  # of the largest sample: what subtracting the mean leaves of a constant
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


def bandwidth_hz(centre_hz) -> float:
    """The equivalent rectangular bandwidth of human hearing at a frequency (Glasberg and Moore, Hear. Res. 47, 1990)."""
    return 24.7 * (4.37 * centre_hz / 1000 + 1)


def gammatone(sound, centre_hz, rate_hz) -> np.ndarray:
    """Sound [samples, ears] through a gammatone filter of fourth order, as wide as `bandwidth_hz`."""
    return analytic(sound, centre_hz, rate_hz).real


def analytic(sound, centre_hz, rate_hz) -> np.ndarray:
    """The same as an analytic signal, complex [samples, ears], whose real part is the filtered sound: by a cascade of complex
    one-pole filters (Hohmann, Acta Acust. 88, 2002)."""
    from scipy.signal import lfilter

    pole = np.exp(2 * np.pi * (-1.019 * bandwidth_hz(centre_hz) + 1j * centre_hz) / rate_hz)
    found = sound.astype(complex)
    for _ in range(ORDER):
        found = lfilter([1 - np.abs(pole)], [1, -pole], found, axis=0)
    return 2 * found


class Channel(NamedTuple):
    """A band of a sound.

    centre_hz  of the band;   waves  float64 [samples, ears], the filtered sound
    own        bool [samples, ears], where the wave's momentary frequency lies in the band: elsewhere it is what leaks in from
               louder sound outside, or no sound at all
    level      float64 [ears], root mean square of what is its own
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
    """The band of a sound about a frequency; None where there is nothing to hear in it."""
    found = analytic(sound, centre_hz, rate_hz)
    momentary_hz = np.angle(found[1:] * found[:-1].conj()) * rate_hz / (2 * np.pi)
    inside = (np.abs(momentary_hz - centre_hz) <= REACH * bandwidth_hz(centre_hz)) & (momentary_hz <= (1 + ABOVE) * HIGHEST_HZ)
    waves, own = found.real, np.concatenate([inside[:1], inside])
    energy = np.where(own, waves**2, 0)
    if _audible(energy.sum(axis=1), (sound**2).sum(axis=1), rate_hz) < HEARD:
        return None
    return Channel(float(centre_hz), waves, own, np.sqrt(energy.mean(axis=0)))


def _audible(mine, whole, rate_hz):
    """The share of the whole sound's energy [samples] that comes at times at which the band's energy is not far below it."""
    starts = np.arange(0, len(whole), max(1, round(FRAME_MS / 1000 * rate_hz)))
    mine, whole = (np.add.reduceat(energy, starts) for energy in (mine, whole))
    lasting = np.convolve(mine, np.ones(3))[2:]  # the filter answers late
    return whole[lasting >= FAINT**2 * whole].sum() / whole.sum() if whole.sum() > 0 else 0.0


def ears(path, centre_hz: float | None = None, range_hz: tuple[float, float] = (LOWEST_HZ, HIGHEST_HZ)):
    """Spike times in ms of the left and the right ear, float64 [cycles] each; the centre of the channel listened to; and the
    file's length in ms.

    centre_hz  by default, that of the strongest channel, of those of `CENTRES_HZ` in this range.
    Levels are relative to the whole sound, so that a quiet recording is as good as a loud one. Raises UserError for a file that
    is no stereo sound, for one in which there is nothing to hear there, where one ear is silent, and where no cycle tells which
    ear leads.
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
        raise UserError(f"{path}: has nothing to hear: it is silent")
    fine_rate, sound = interpolated(sound, rate)
    centres = (centre_hz,) if centre_hz is not None else centres_between(*range_hz)
    heard = [one for f in centres if (one := channel(sound, f, fine_rate)) is not None]
    if not heard:
        where = f"at {centres[0]:g} Hz" if len(centres) == 1 else f"between {centres[0]:g} and {centres[-1]:g} Hz"
        raise UserError(
            f"{path}: has nothing to hear {where}; its sound is elsewhere, strongest at {loudest_hz(sound, fine_rate):.0f} Hz"
        )
    found = max(heard, key=lambda one: float((one.level**2).sum()))
    if found.level.min() <= DEAF * found.level.max():
        side = ("left", "right")[int(found.level.argmin())]
        raise UserError(f"{path}: the {side} ear is silent at {found.centre_hz:g} Hz; a time difference takes sound in both")
    spikes = found.spikes(fine_rate)
    if not len(spikes[0]):
        at = f"at {found.centre_hz:g} Hz"
        raise UserError(f"{path}: {at} no cycle tells which ear leads: they are half a cycle apart, or never hear the same one")
    return spikes, found.centre_hz, length_ms


def centres_between(lowest_hz, highest_hz) -> tuple[float, ...]:
    """Those of `CENTRES_HZ` whose bands reach into this range; where there are none, the middle of the range."""
    near = tuple(f for f in CENTRES_HZ if reaches(f, lowest_hz, highest_hz))
    return near or ((lowest_hz + highest_hz) / 2,)


def reaches(centre_hz, lowest_hz, highest_hz) -> bool:
    """Does the band about a frequency reach into this range?"""
    half = bandwidth_hz(centre_hz) / 2
    return bool(lowest_hz - half <= centre_hz <= highest_hz + half)


def interpolated(sound, rate_hz) -> tuple[float, np.ndarray]:
    """The sampling rate and the sound at a rate of `FINE_HZ` or more."""
    from scipy.signal import resample_poly

    times = int(np.ceil(FINE_HZ / rate_hz))
    return (rate_hz, sound) if times <= 1 else (rate_hz * times, resample_poly(sound, times, 1, axis=0))


def loudest_hz(sound, rate_hz) -> float:
    """The frequency with the most energy."""
    power = (np.abs(np.fft.rfft(sound, axis=0)) ** 2).sum(axis=1)
    return float(np.fft.rfftfreq(len(sound), 1 / rate_hz)[power.argmax()])


def stretches(
    path, hop_ms, duration_ms, dt_ms, centre_hz=None, range_hz=(LOWEST_HZ, HIGHEST_HZ)
) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of both ears cut into stretches: bool [stretches, steps, 2], and when each starts in the file, in ms.

    Each takes about hop_ms of the sound, the rest of its duration_ms is silence, in which the last spikes still arrive. Cuts
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
    """The cuts moved by so much at most, into the middle of the longest time without a spike that they can reach."""
    moved = []
    for cut in cuts:
        near = spikes[np.searchsorted(spikes, cut - reach_ms) : np.searchsorted(spikes, cut + reach_ms, "right")]
        ends = np.concatenate([[cut - reach_ms], near, [cut + reach_ms]])
        longest = int(np.diff(ends).argmax())
        moved.append((ends[longest] + ends[longest + 1]) / 2 if len(near) else cut)
    return np.array(moved)
