"""CMA-ES by matrix adaptation (MA-ES), on numbers from 0 to 1 (or another upper end).

Source: Beyer and Sendhoff, IEEE Trans. Evol. Comput. 21, 2017; names as there, M the matrix that makes steps of normal numbers.
It needs no eigenvectors, whose bits differ between machines; for the same reason sums are taken in one order, and normal
numbers are `portable`.
"""

import numpy as np

from circuits.numerics import portable


class MatrixAdaptation:
    """A normal distribution with all covariances that moves towards the best points: `ask` for points, `tell` their ranking.

    mean  float64 [n], at the start;   sigma  the initial standard deviation of each number
    count  points of a generation, even [default: 2 (4 + 3 ln n)];   high  the largest number, or float64 [n]
    """

    def __init__(self, mean: np.ndarray, sigma: float, count: int | None = None, high: float | np.ndarray = 1.0):
        n = max(len(mean), 1)
        self.mean, self.sigma, self.high = mean, sigma, high
        self.count = count or 2 * (4 + int(3 * portable.log(float(n))))
        half = self.count // 2
        weights = portable.log(half + 0.5) - portable.log(np.arange(1.0, half + 1))
        self.weights = weights / _sum(weights)
        mu = self.mu = 1 / _sum(self.weights**2)
        self.c_sigma = (mu + 2) / (n + mu + 5)
        self.damping = 1 + 2 * max(0, np.sqrt((mu - 1) / (n + 1)) - 1) + self.c_sigma
        self.c_1 = 2 / ((n + 1.3) * (n + 1.3) + mu)
        self.c_mu = min(1 - self.c_1, 2 * (mu - 2 + 1 / mu) / ((n + 2) * (n + 2) + mu))
        self.length = np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))  # of a normal vector, on average
        self.M, self.path = np.eye(len(mean)), np.zeros(len(mean))

    def ask(self, rng: np.random.Generator) -> np.ndarray:
        """The next points, float64 [count, n], clipped to their range."""
        n = len(self.mean)
        self.z = portable.normal(rng, self.count * n).reshape(self.count, n)
        self.d = np.zeros_like(self.z)
        for k in range(n):
            self.d += self.z[:, k : k + 1] * self.M[:, k]
        return np.clip(self.mean + self.sigma * self.d, 0, self.high)

    def tell(self, order: np.ndarray):
        """Update the distribution by the indices of the points, the best first."""
        best, w = order[: len(self.weights)], self.weights[:, None]
        z, d = self.z[best], self.d[best]
        self.mean = np.clip(self.mean + self.sigma * _sum(w * d), 0, self.high)
        c = self.c_sigma
        self.path = (1 - c) * self.path + np.sqrt(c * (2 - c) * self.mu) * _sum(w * z)
        along = np.zeros_like(self.path)
        for k, part in enumerate(self.path):
            along += self.M[:, k] * part
        M = (1 - 0.5 * self.c_1 - 0.5 * self.c_mu) * self.M + 0.5 * self.c_1 * along[:, None] * self.path
        for weight, d_k, z_k in zip(self.weights, d, z, strict=True):
            M += (0.5 * self.c_mu * weight) * d_k[:, None] * z_k
        self.M = M
        length = np.sqrt(_sum(self.path**2))
        self.sigma *= float(portable.exp(c / self.damping * (length / self.length - 1)))


def _sum(rows):
    """The sum over the first axis, in order: the same bits on every machine."""
    return np.add.accumulate(rows)[-1] if len(rows) else 0.0
