"""Fast tracking by balanced excitation and inhibition (van Vreeswijk and Sompolinsky, Science 274, 1996)."""

import numpy as np
from pydantic import Field

from fitness.base.measured import Measured, by_class
from fitness.decode import poisson

STEPS = 8  # of the drive in a trial: up, down, up ... or down, up, down ...
EDGES = (-2.5, 0.0, 0.2, 0.4, 0.7, 1.0, 1.5, 4.0)  # of the windows around a step, in time constants
WIDTHS = np.diff(EDGES)
PRE, RISE, POST = 0, slice(1, 5), 6
SLOW, FAST = 0.632, 0.2  # rise times, in time constants, that count as nothing and in full
ENOUGH_HZ = 10.0


class Tracking(Measured):
    """The mean drive of a noisy group steps up and down; the output's rate follows faster than the membranes can.

    Inputs: `channels` Poisson trains of the same rate, which steps up by `step` and down again eight times a trial, at random
    intervals of 4 to 6 `tau_m_ms`. Label: 1 if the first step is up, else 0.
    Answer: the rate of the output, over all trials, is at least twice as high after a step up as before, and half as high
    after a step down; and it gets there at once. The rise time is the area between the rate and its final value in the first
    `tau_m_ms`, over the change of rate: 0.63 tau_m for a membrane that relaxes (score 0), a full score below 0.2 tau_m.
    Score: the lesser of up and down: speed times contrast (0 where the rate only changes as the input does, by `step`).
    Chance: 0, by silence, by any steady rate, by relaying the input. Neurons must have the time constant to be faster than,
    [circuit.parameters] tau_m_ms = 20, and strong synapses, as the theory has it, so that excitation alone saturates them:
    inhibition that follows the drive as well holds them near the threshold, where noise lets them fire at once.
    Harder: a smaller step, or a tau_m_ms shorter than what the neurons have.
    """

    name = "tracking"
    outputs = ("out",)
    dt_ms = 1.0
    critical_connections = (("I", "out"), ("I1", "out"), ("I2", "out"), ("I3", "out"))
    default_spec = {
        "circuit": {
            "neurons": [2, 12],
            "excitatory_share": [0.3, 0.9],
            "delay_ms": [1.0, 5.0],
            "excitatory_weight_mv": [100.0, 400.0],  # strong: one train alone drives a neuron far above its threshold
            "inhibitory_weight_mv": [1.0, 1000.0],
        },
        "circuit.parameters": {
            "tau_m_ms": 20.0,
            "tau_syn_e_ms": [1.0, 5.0],
            "tau_syn_i_ms": [1.0, 10.0],
            "t_ref_ms": [1.0, 3.0],
        },
        "search": {"generations": 20},
    }

    channels: int = Field(4, ge=1, le=16, description="input trains")
    low_hz: float = Field(300.0, ge=10, le=300, description="rate of each when the drive is low")
    step: float = Field(1.5, ge=1.2, le=3, description="the high rate over the low one")
    tau_m_ms: float = Field(20.0, ge=10, le=40, description="the membrane time constant to be faster than")

    @property
    def inputs(self):
        return tuple(f"drive{k}" for k in range(self.channels))

    @property
    def duration_ms(self):
        return float(np.ceil(self.tau_m_ms * (6 * STEPS + 5)))

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % 2)
        at = np.floor(np.cumsum(rng.uniform(4, 6, (count, STEPS)), axis=1) * self.tau_m_ms).astype(int)
        passed = (np.arange(self.steps)[:, None] >= at[:, None]).sum(axis=-1)  # [trials, steps]
        high = (passed + labels[:, None]) % 2 == 0
        rate = np.where(high, self.low_hz * self.step, self.low_hz)
        return poisson(rng, np.repeat(rate[..., None], self.channels, axis=-1), self.dt_ms), labels, {"step_at": at}

    def conditions(self, trials):
        return {"first step": np.array(["up", "down"])[trials.labels]}

    def measure(self, raster, trials):
        """Spikes in each window around the odd steps, then around the even ones: [..., trials, 2 x windows]."""
        passed = np.cumsum(raster.spikes_per_step(), axis=-1, dtype="i4")
        edges = np.rint(np.multiply(EDGES, self.tau_m_ms)).astype(int)
        at = trials.facts["step_at"][..., None] + edges - 1  # [trials, steps, edges]
        at = at.reshape(len(at), -1)
        so_far = np.take_along_axis(passed, np.broadcast_to(at, (*passed.shape[:-2], *at.shape)), axis=-1)
        counts = np.diff(so_far.reshape(*passed.shape[:-1], STEPS // 2, 2, len(EDGES)), axis=-1).sum(axis=-3)
        return counts.reshape(*passed.shape[:-1], -1)

    def overall(self, measured, trials):
        rates = self._rates(measured)
        up, down = (by_class(np.where(which, *rates), trials.labels).mean(axis=-1) for which in self._up_first(trials))
        return np.minimum(self._followed(up, 1), self._followed(down, -1))

    def mark(self, measured, trials):
        rates = self._rates(measured)
        up, down = (np.where(which, *rates) for which in self._up_first(trials))
        return (self._marked(up, 1) + self._marked(down, -1)) / 2

    def _rates(self, measured):
        """Rates in Hz around the odd and around the even steps, each [windows, ..., trials]."""
        windows = np.moveaxis(measured.reshape(*measured.shape[:-1], 2, -1), (-2, -1), (0, 1))
        width = np.diff(np.rint(np.multiply(EDGES, self.tau_m_ms))) * self.dt_ms / 1000 * STEPS / 2
        return windows / width.reshape(-1, *np.ones(windows.ndim - 2, int))

    def _up_first(self, trials):
        """Trials in which the odd steps are up, and trials in which the even ones are: bool [trials] each."""
        return trials.labels == 1, trials.labels == 0

    def _contrast(self, r, sign, prior_hz=1e-9):
        """The change of rate over its sum; and what that is for the input, and for twice the change."""
        change = sign * (r[POST] - r[PRE]) / (r[POST] + r[PRE] + prior_hz)
        return change, (self.step - 1) / (self.step + 1), (self.step - 1) / self.step

    def _followed(self, r, sign):
        change, relayed, wanted = self._contrast(r, sign)
        reached = sign * (r[RISE] - r[PRE]) / np.maximum(sign * (r[POST] - r[PRE]), 1e-9)
        rise = sum(width * part for width, part in zip(WIDTHS[RISE], 1 - np.clip(reached, 0, 1), strict=True))
        speed = np.clip((SLOW - rise) / (SLOW - FAST), 0, 1)
        return speed * np.clip((change - relayed) / (wanted - relayed), 0, 1) * np.clip(r[[PRE, POST]].max(0) / ENOUGH_HZ, 0, 1)

    def _marked(self, r, sign):
        change, relayed, wanted = self._contrast(r, sign, prior_hz=2.0)
        reached = sign * (r[2:4].mean(axis=0) - r[PRE]) / np.maximum(sign * (r[POST] - r[PRE]), 2.0)
        return np.clip((change - relayed / 2) / (wanted - relayed / 2), 0, 1) * (0.4 + 0.6 * np.clip(reached, 0, 1))
