"""Sampled signals as inputs: resampling to the time step, and the kernel's form of them.

A connection of a sampled channel is a current that the neuron filters by its excitatory synaptic time constant, as NEST's
`iaf_psc_exp` does with currents at its second port:

    tau_syn_e dI_e/dt = -I_e + sum of weight * x(t - delay),  x = (signal - center) / scale

x is constant within a step, so that a step is I_e <- P11_e I_e + (1 - P11_e) * sum of weight * x. A constant x settles I_e at
weight * x, and V there too, up to a fraction of about dt / (2 tau_syn_e): as in NEST, the current decays within a step of V.
Row k of x is the step from k dt to (k + 1) dt; with a delay of d steps it acts at the end of step k + d, like a spike in row k.
Before a trial x is 0.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit, Sampled
from circuits.errors import UserError
from circuits.numerics.simd import LANES

LARGEST = 1e6  # of a drive


class Drive(NamedTuple):
    """The connections of sampled channels as lists, like those of synapses in `circuits.simulation.packed.PackedCircuits`.

    bounds   int64 [B, N, 3]: neuron n's are bounds[b, n, 0] to bounds[b, n, 2];   weight  real [connections]
    offset   int64 [connections]: number of the channel among the sampled ones - delay * channels;   channels  sampled ones
    """

    bounds: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    channels: int


def sampled(circuit: Circuit) -> tuple[Sampled, ...]:
    """The signals of the sampled channels of a circuit, in the order of its channels."""
    return tuple(channel.signal for channel in circuit.inputs if channel.signal is not None)


def resampled(values, sample_ms: float, dt_ms: float, steps: int, place: str = "signal") -> np.ndarray:
    """Resample a signal to a time step: float64 [..., steps].

    A sample holds until the next one, and a step has the mean over its length, for finer and coarser sampling alike. With equal
    steps samples are unchanged. A signal may end up to one sample, or one step, before the last step: its last value then
    continues.

    values  [..., samples], one every `sample_ms` from time 0 on

    Raises UserError, which begins with `place`, for a signal that is too short, and for values that are not finite.
    """
    samples = np.asarray(values, "f8")
    if not (np.isfinite(sample_ms) and sample_ms > 0):
        raise UserError(f"{place}: is sampled every {sample_ms} ms; that must be a time above 0")
    if not np.isfinite(samples).all():
        raise UserError(f"{place}: has values that are not finite")
    duration_ms, needed_ms = samples.shape[-1] * sample_ms, steps * dt_ms
    if duration_ms < needed_ms - max(sample_ms, dt_ms) * (1 + 1e-6):
        raise UserError(f"{place}: ends at {duration_ms:g} ms, {needed_ms:g} ms are needed")
    if abs(sample_ms / dt_ms - 1) < 1e-9:
        missing = steps - samples.shape[-1]
        return (
            np.concatenate([samples, samples[..., -1:]], axis=-1)[..., :steps] if missing > 0 else samples[..., :steps].copy()
        )
    edges = np.arange(steps + 1) * (dt_ms / sample_ms)
    nearest = np.rint(edges)
    edges = np.where(np.abs(edges - nearest) < 1e-9 * np.maximum(edges, 1), nearest, edges)
    last = samples.shape[-1]
    below = np.minimum(np.floor(edges).astype("i8"), last)
    reach = np.concatenate([np.zeros((*samples.shape[:-1], 1)), np.cumsum(samples, axis=-1)], axis=-1)
    extended = np.concatenate([samples, samples[..., -1:]], axis=-1)  # beyond its end the last value stays
    area = reach[..., below] + (edges - below) * extended[..., below]
    return np.diff(area, axis=-1) / np.diff(edges)


def drive_of(channels: tuple[Sampled, ...], signals, dt_ms: float, trials: int, steps: int) -> np.ndarray:
    """The drive of a circuit in its trials: float64 [trials, steps, sampled channels].

    signals  this array; or by the name of a signal (`Sampled.of`) a pair (sample_ms, values), values [samples] for all trials
             or [trials, samples], which are resampled, centered and scaled

    Raises UserError for a missing signal, and for wrong shapes and values.
    """
    names = tuple(dict.fromkeys(channel.of for channel in channels))
    if isinstance(signals, np.ndarray):
        shape = (trials, steps, len(channels))
        if signals.dtype.kind != "f" or signals.shape != shape:
            expected = f"float [trials, steps, sampled channels] {list(shape)}"
            raise UserError(f"signals: an array must be {expected}, not {signals.dtype} {list(signals.shape)}")
        drive = signals.astype("f8")
    else:
        by_name: Mapping[str, Any] = {} if signals is None else signals
        if not isinstance(by_name, Mapping) or set(by_name) != set(names):
            actual = ", ".join(map(repr, by_name)) if isinstance(by_name, Mapping) else repr(type(by_name).__name__)
            raise UserError(f"signals: the circuit is driven by {_listed(names)}, not by {actual or 'none'}"[:300])
        on_grid = {name: _signal(name, by_name[name], dt_ms, trials, steps) for name in names}
        parts = [(on_grid[c.of] - c.center) / c.scale for c in channels]
        drive = np.stack(parts, axis=-1) if parts else np.zeros((trials, steps, 0))
    if not (np.abs(drive) <= LARGEST).all():
        raise UserError(f"signals: a drive is a number from -{LARGEST:g} to {LARGEST:g}, after centering and scaling")
    return drive


def _signal(name, signal, dt_ms, trials, steps):
    place = f"signals[{name!r}]"
    if not isinstance(signal, tuple) or len(signal) < 2:
        raise UserError(f"{place}: must be a pair (sample_ms, values)")
    try:
        sample_ms, values = float(signal[0]), np.asarray(signal[1], "f8")
    except (TypeError, ValueError):
        raise UserError(f"{place}: must be numbers: (sample_ms, values)") from None
    if values.ndim not in (1, 2) or 0 in values.shape or (values.ndim == 2 and len(values) != trials):
        raise UserError(f"{place}: values must be [samples] or [{trials} trials, samples], not {list(values.shape)}")
    return np.broadcast_to(resampled(values, sample_ms, dt_ms, steps, place), (trials, steps))


def _listed(names):
    return ", ".join(map(repr, names)) if names else "no signals"


def lanes(drive: np.ndarray, real=np.float32) -> np.ndarray:
    """A drive [trials, steps, channels] in the kernel's layout: real [blocks, steps, channels, 64], 0 in lanes without a
    trial."""
    trials, steps, channels = drive.shape
    blocks = -(-trials // LANES)
    padded = np.zeros((blocks * LANES, steps, channels), real)
    padded[:trials] = drive
    return np.ascontiguousarray(np.moveaxis(padded.reshape(blocks, LANES, steps, channels), 1, -1))
