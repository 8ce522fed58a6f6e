"""CMA-ES with a diagonal covariance matrix, on numbers from 0 to 1.

Source: Ros and Hansen, PPSN X, 2008; names as there. One variance for each number needs no eigenvectors, whose bits differ
between machines; for the same reason sums are taken in one order, and normal numbers are `portable`.
"""

import numpy as np

from circuits.numerics import portable


class SeparableCMA:
    """A normal distribution, one variance a number, that moves towards the best points: `ask` for points, `tell` their ranking.

    mean, deviation  float64 [n]: mean and standard deviation of each number at the start;   count  points of a generation
    """

    def __init__(self, mean: np.ndarray, deviation: np.ndarray, count: int):
        n, half = max(len(mean), 1), max(count // 2, 1)
        self.mean, self.variance, self.sigma, self.count = mean, deviation**2, 1.0, count
        self.path, self.sigma_path, self.begun = np.zeros(len(mean)), np.zeros(len(mean)), 1.0
        weights = portable.log(half + 0.5) - portable.log(np.arange(1, half + 1))
        self.weights = weights / _sum(weights)
        mu = self.mu = 1 / _sum(self.weights**2)
        self.c_sigma = (mu + 2) / (n + mu + 3)
        self.damping = 1 + 2 * max(0, np.sqrt((mu - 1) / (n + 1)) - 1) + self.c_sigma
        self.c_path = 4 / (n + 4)
        full = 2 / (mu * (n * n + n * np.sqrt(8) + 2)) + (1 - 1 / mu) * min(1, (2 * mu - 1) / ((n + 2) * (n + 2) + mu))
        self.c_cov = min(1, (n + 2) / 3 * full)
        self.length = np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))  # of a normal vector, on average

    def ask(self, rng: np.random.Generator) -> np.ndarray:
        """The next points, float64 [count, n], clipped to 0 and 1."""
        steps = portable.normal(rng, self.count * len(self.mean)).reshape(self.count, -1)
        self.points = np.clip(self.mean + self.sigma * np.sqrt(self.variance) * steps, 0, 1)
        return self.points

    def tell(self, order: np.ndarray):
        """Update the distribution by the indices of the points, the best first."""
        steps = (self.points[order[: len(self.weights)]] - self.mean) / self.sigma
        step = _sum(self.weights[:, None] * steps)
        self.mean = self.mean + self.sigma * step
        c, mu = self.c_sigma, self.mu
        self.sigma_path = (1 - c) * self.sigma_path + np.sqrt(c * (2 - c) * mu) * step / np.sqrt(self.variance)
        self.begun = self.begun * (1 - c) * (1 - c)
        length, n = np.sqrt(_sum(self.sigma_path**2)), len(self.mean)
        steady = length < (1.4 + 2 / (n + 1)) * self.length * np.sqrt(1 - self.begun)
        c = self.c_path
        self.path = (1 - c) * self.path + steady * np.sqrt(c * (2 - c) * mu) * step
        spread = _sum(self.weights[:, None] * steps**2)
        self.variance = (1 - self.c_cov) * self.variance + self.c_cov * (self.path**2 / mu + (1 - 1 / mu) * spread)
        self.sigma = self.sigma * float(portable.exp(self.c_sigma / self.damping * (length / self.length - 1)))


def _sum(rows):
    """The sum over the first axis, in order: the same bits on every machine."""
    return np.add.accumulate(rows)[-1] if len(rows) else 0.0
