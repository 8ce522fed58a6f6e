"""The yardstick: a simulation job, and a C kernel for exactly this job, written by hand for AVX-512 and AVX2 (yardstick.c)."""

import ctypes
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from llvmlite.binding import get_host_cpu_features

LANES = 64
FLAGS = {"AVX-512": ("-mavx512f", "-mfma"), "AVX2": ("-mavx2", "-mfma")}
NEEDED = {"AVX-512": ("avx512f",), "AVX2": ("avx2", "fma")}

NEURON = np.dtype(
    [(name, "f4") for name in ("decay_v", "decay_e", "decay_i", "e_to_v", "i_to_v", "threshold", "reset")]
    + [(name, "i4") for name in ("refractory", "excitatory", "inhibitory")]
)
SYNAPSE = np.dtype([("weight", "f4"), ("back", "i4")])


@dataclass
class Job:
    """A random circuit, 80 % excitatory, and random input to it in 64 trials. Times in ms, weights in mV; the threshold is 1.

    Made of the settings: excitatory bool [neurons]; tau_m [neurons]; synapses, a record array of pre, post, weight >= 0 and
    delay in steps; inputs, one of channel, post and weight, which arrive after one step; spikes bool [steps, channels, 64].
    """

    neurons: int = 16
    channels: int = 4
    steps: int = 200
    dt: float = 1.0
    connection: float = 0.3
    max_delay: int = 15
    rate_hz: float = 50.0
    tau_e: float = 5.0
    tau_i: float = 10.0
    t_ref: float = 2.0
    seed: int = 0

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.excitatory = np.arange(self.neurons) < round(0.8 * self.neurons)
        self.tau_m = rng.uniform(10, 30, self.neurons)
        pre, post = np.nonzero(rng.random((self.neurons, self.neurons)) < self.connection)
        strength = np.where(self.excitatory[pre], rng.uniform(0.1, 0.5, len(pre)), rng.uniform(0.4, 2.0, len(pre)))
        delay = rng.integers(1, self.max_delay, len(pre), endpoint=True)
        self.synapses = np.rec.fromarrays([pre, post, strength.astype("f4"), delay], names="pre,post,weight,delay")
        channel, post = np.nonzero(rng.random((self.channels, self.neurons)) < 0.5)
        strength = rng.uniform(0.5, 1.5, len(channel)).astype("f4")
        self.inputs = np.rec.fromarrays([channel, post, strength], names="channel,post,weight")
        self.spikes = rng.random((self.steps, self.channels, LANES)) < self.rate_hz * self.dt / 1000

    @property
    def updates(self) -> int:
        """Of neurons, in all trials and steps."""
        return self.neurons * LANES * self.steps


def widths() -> list[str]:
    """The kinds of vectors that this processor has and the C kernel is written for."""
    host = get_host_cpu_features()
    return [width for width, features in NEEDED.items() if all(host.get(feature) for feature in features)]


def reason() -> str:
    """Why the C kernel does not run here; empty where it does."""
    if not shutil.which("cc"):
        return "the yardstick needs a C compiler, cc"
    return "" if widths() else "the yardstick needs a processor with AVX2 or AVX-512"


@cache
def _kernel(width):
    folder = tempfile.TemporaryDirectory()
    library = Path(folder.name, "yardstick.so")
    source = Path(__file__).with_name("yardstick.c")
    subprocess.run(["cc", "-O3", *FLAGS[width], "-shared", "-fPIC", "-o", library, source], check=True)
    return ctypes.CDLL(str(library)).simulate, folder


class Yardstick:
    """A job in the form that the C kernel takes; `run()` simulates it from rest."""

    def __init__(self, job: Job, width: str):
        from circuits.neurons.model import current_to_potential

        self._simulate, self._folder = _kernel(width)
        n, channels, dt = job.neurons, job.channels, job.dt
        self._refractory = round(job.t_ref / dt)
        self.history = max(job.max_delay, self._refractory + 1)
        columns = channels + n
        sources = np.concatenate([job.inputs.channel, channels + job.synapses.pre])
        targets = np.concatenate([job.inputs.post, job.synapses.post])
        delays = np.concatenate([np.ones(len(job.inputs), "i8"), job.synapses.delay])
        inhibitory = np.concatenate([np.zeros(len(job.inputs), bool), ~job.excitatory[job.synapses.pre]])
        weights = np.concatenate([job.inputs.weight, job.synapses.weight]) * np.where(inhibitory, -1, 1)
        order = np.lexsort((delays, sources, inhibitory, targets))
        synapses = np.zeros(len(order), SYNAPSE)
        synapses["weight"], synapses["back"] = weights[order], (delays * columns - sources)[order]
        table = np.zeros(n, NEURON)
        table["decay_v"], table["decay_e"], table["decay_i"] = (np.exp(-dt / tau) for tau in (job.tau_m, job.tau_e, job.tau_i))
        table["e_to_v"] = current_to_potential(dt, job.tau_m, job.tau_e)
        table["i_to_v"] = current_to_potential(dt, job.tau_m, job.tau_i)
        table["threshold"], table["refractory"] = 1, self._refractory
        table["excitatory"] = np.bincount(targets[~inhibitory], minlength=n)
        table["inhibitory"] = np.bincount(targets[inhibitory], minlength=n)
        rows = np.zeros((self.history + job.steps, columns), "u8")
        bits = np.left_shift(job.spikes.astype("u8"), np.arange(LANES, dtype="u8")).sum(-1, dtype="u8")
        rows[self.history :, :channels] = bits
        state = _aligned(n * 3 * LANES)
        self.spikes = rows[self.history :, channels:]
        self._arrays = (table, synapses, state, np.zeros(n, "u8"), rows)
        self._arguments = [ctypes.c_long(x) for x in (n, channels, job.steps, self.history)]
        self._arguments += [ctypes.c_void_p(array.ctypes.data) for array in self._arrays]

    def run(self) -> np.ndarray:
        """The spikes, uint64 [steps, neurons]: bit b of a word is trial b."""
        self._simulate(*self._arguments)
        return self.spikes


def _aligned(size):
    """Float32 whose address is a multiple of 64 bytes."""
    buffer = np.zeros(size + 16, "f4")
    return buffer[-buffer.ctypes.data % 64 // 4 :][:size]
