"""Least squares and Poisson regression, both with a ridge."""

import numpy as np

RIDGE = 1.0  # in units of a feature's variance times one row
STEPS, TOLERANCE = 30, 1e-6
LARGEST = 20.0  # of a linear predictor


def least_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients of y [rows] on x [rows, features], the constant first."""
    x, mean, scale = _scaled(x)
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += np.r_[0.0, np.full(len(gram) - 1, RIDGE)]
    return _unscaled(np.linalg.solve(gram, x.T @ y), mean, scale)


def poisson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same for counts y whose mean is exp(x b): iteratively reweighted least squares (Nelder and Wedderburn, J. R. Stat.
    Soc. A 135, 1972), with steps halved where the likelihood falls."""
    x, mean, scale = _scaled(x)
    ridge = np.r_[0.0, np.full(x.shape[1] - 1, RIDGE)]

    def loss(b):
        eta = np.clip(x @ b, -LARGEST, LARGEST)
        return np.exp(eta).sum() - y @ eta + 0.5 * ridge @ b**2, np.exp(eta)

    b = np.zeros(x.shape[1])
    b[0] = np.log(max(y.mean(), 1e-9))
    value, rate = loss(b)
    for _ in range(STEPS):
        hessian = (x * rate[:, None]).T @ x
        hessian[np.diag_indices_from(hessian)] += ridge + 1e-9
        step = np.linalg.solve(hessian, x.T @ (y - rate) - ridge * b)
        size = 1.0
        while size > 1e-4 and not (new := loss(b + size * step))[0] <= value:
            size /= 2
        if size <= 1e-4:
            break
        better = value - new[0]
        b = b + size * step
        value, rate = new
        if better < TOLERANCE * abs(value):
            break
    return _unscaled(b, mean, scale)


def _scaled(x):
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    return np.column_stack([np.ones(len(x)), (x - mean) / scale]), mean, scale


def _unscaled(b, mean, scale):
    slopes = b[1:] / scale
    return np.r_[b[0] - mean @ slopes, slopes]
