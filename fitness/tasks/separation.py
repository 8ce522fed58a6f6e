"""Pattern separation (Cayco-Gajic and Silver, Neuron 101, 2019)."""

import numpy as np
from pydantic import Field

from fitness.base.definition import weights_mv
from fitness.base.measured import Measured
from fitness.decode import regular

LOWEST, HIGHEST = 0.2, 0.9
RESTING = 4  # spikes of both outputs together, below which the answer is unclear


class Separation(Measured):
    """Two patterns of rates overlap at the input and should overlap less at the output, and stay decodable.

    Inputs: pairs of patterns over three channels, A = (h, m, w) and B = (w, m, h), their overlap (cosine of the mean rates)
    0.2 to 0.9; jittered trains, all faster or slower by a factor that differs from trial to trial.
    Answer: output a for A, output b for B. Score: separation times decodability. Separation is 1 minus the slope of the overlap
    of the mean output counts over that of the input's left and right channels, which relaying these two would keep (a line
    through the origin; a pattern without output separates nothing).
    Decodability is the balanced accuracy, over guessing, of reading the pattern from the output counts of one trial, by the
    nearest mean of the other trials, averaged over the pairs. Score of a trial: how much its own output leads. Chance: 0, by
    silence, by noise or by relaying any channels. More jitter and more difference in intensity are harder.
    """

    name = "separation"
    inputs = ("left", "middle", "right")
    outputs = ("a", "b")
    dt_ms = 1.0
    critical_connections = (("I0", "b"), ("I2", "a"))
    default_spec = {
        "circuit": {"neurons": [3, 10], "excitatory_share": [0.4, 0.9], "delay_ms": [1.0, 5.0], **weights_mv(100.0, 150.0)},
        "circuit.parameters": {
            "tau_m_ms": [5.0, 30.0],
            "tau_syn_e_ms": [1.0, 10.0],
            "tau_syn_i_ms": [2.0, 20.0],
            "t_ref_ms": [1.0, 5.0],
        },
        "search": {"generations": 30, "trials": 128},
    }

    pairs: int = Field(4, ge=2, le=8, description="pairs of patterns, the overlap from 0.2 to 0.9 in equal steps")
    rate_hz: float = Field(120.0, ge=50, le=300, description="of the fastest channel, h, on average")
    intensity: float = Field(0.6, ge=0, le=0.8, description="largest change of all rates together, as a share of them")
    jitter: float = Field(0.3, ge=0, le=0.5, description="of each spike, in intervals")
    shown_ms: float = Field(150.0, ge=100, le=500, description="length of a trial")

    @property
    def duration_ms(self):
        return float(round(self.shown_ms))

    @property
    def overlaps(self) -> np.ndarray:
        """Cosine between the two patterns of each pair, [pairs]."""
        return np.linspace(LOWEST, HIGHEST, self.pairs)

    @property
    def patterns(self) -> np.ndarray:
        """The rates of both patterns of each pair over those of the fastest channel, [pairs, 2, channels]."""
        overlap = self.overlaps
        middle = np.sqrt(overlap / 2)
        # 2 w + m^2 = overlap (1 + m^2 + w^2), for w
        weakest = (1 - np.sqrt(1 - overlap * (overlap * (1 + middle**2) - middle**2))) / overlap
        first = np.stack([np.ones_like(overlap), middle, weakest], axis=-1)
        return np.stack([first, first[:, ::-1]], axis=1)

    @property
    def relayed(self) -> np.ndarray:
        """Overlaps without the channel that the patterns have in common, [pairs]."""
        weakest = self.patterns[:, 0, 2]
        return 2 * weakest / (1 + weakest**2)

    def make(self, rng, count):
        labels = rng.permutation(np.arange(count) % (2 * self.pairs))  # 2 pair: its A, 2 pair + 1: its B
        factor = 1 + rng.uniform(-self.intensity, self.intensity, (count, 1))
        rates = self.rate_hz * factor * self.patterns.reshape(-1, 3)[labels]
        trains = [regular(rng, rates[:, k], count, self.steps, self.dt_ms, self.jitter) for k in range(3)]
        return np.stack(trains, axis=-1), labels, {"rates_hz": rates}

    def conditions(self, trials):
        return {"overlap": self.overlaps[trials.labels // 2]}

    def measure(self, raster, trials):
        return raster.counts()

    def overall(self, measured, trials):
        enough = np.bincount(trials.labels, minlength=2 * self.pairs).reshape(-1, 2).min(axis=1) > 1
        overlap_in, pairs = self.relayed[enough], np.flatnonzero(enough)
        if not len(pairs):
            return np.zeros(measured.shape[:-2])
        read = [self._pair(measured, trials.labels, pair) for pair in pairs]
        overlap_out, accuracy = (np.stack(part, axis=-1) for part in zip(*read, strict=True))
        slope = (overlap_in * overlap_out).sum(axis=-1) / (overlap_in**2).sum()
        return np.maximum(1 - slope, 0) * np.maximum(2 * accuracy - 1, 0).mean(axis=-1)

    def _pair(self, measured, labels, pair):
        """Overlap of the outputs and accuracy of their reader for one pair, [...] each."""
        sides = [measured[..., labels == 2 * pair + side, :] for side in (0, 1)]  # [..., trials, outputs]
        means = [side.mean(axis=-2, keepdims=True) for side in sides]
        a, b = (mean[..., 0, :] for mean in means)
        size = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
        overlap = np.where(size > 0, (a * b).sum(axis=-1) / np.where(size > 0, size, 1), self.relayed[pair])
        right = []
        for own, side in enumerate(sides):
            n = side.shape[-2]
            to_own, to_other = (((side - mean) ** 2).sum(axis=-1) for mean in (means[own], means[1 - own]))
            right.append((to_own * (n / (n - 1)) ** 2 < to_other).mean(axis=-1))  # the trial itself left out of its mean
        return overlap, (right[0] + right[1]) / 2

    def mark(self, measured, trials):
        lead = (measured[..., 0] - measured[..., 1]) * (1 - 2 * (trials.labels % 2))
        return 0.5 + 0.5 * lead / np.maximum(measured.sum(axis=-1), RESTING)
