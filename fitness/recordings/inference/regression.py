"""What trains of spikes explain of a measured neuron's spikes: a logistic regression.

With escape noise the logit of its spike is linear in V, and V, which its measured spikes reset, in the weights, so the
likelihood has one maximum. Delays and time constants are not fitted: the current of a train is a weighted sum over boxes of
lags, filtered by two membranes, with weights of either sign.
"""

import numpy as np

from circuits.numerics import portable
from circuits.numerics.compiled import compiler, jit
from fitness.recordings.inference import sampler
from fitness.recordings.inference.network import Network
from fitness.recordings.inference.sampler import surprise_in_widths

compiled = compiler(sampler)

LAGS_MS = 0.5, 2.0, 4.0, 6.5, 10.0, 16.0, 28.0  # ends of the boxes
KNOWN_LAGS_MS = 0.5, 2.0, 3.5, 5.0, 6.5, 8.0, 10.0, 12.0, 15.0, 19.0, 25.0, 34.0, 50.0  # likewise, of known trains
TAUS_MS = 6.0, 20.0  # of the membranes
LEAD_MS = 75.0  # before what is scored, after which currents are what they are
# share of steps at first; then so many times their probability of a spike, or at least; and the most of them
FEW, OFTEN, RARELY, MOST = 0.05, 20.0, 0.03, 4000
NEWTON, PRECISE = 25, 0.05  # steps, and nats


@jit()
def _columns(counts, reset, begin, decays, lags, at, found):
    """Potentials of membranes to which the spikes of boxes of lags add, V being reset as measured, at some steps and trials."""
    boxes, v = len(lags) - 1, np.zeros(64, np.float32)
    for tau in range(len(decays)):
        for box in range(boxes):
            v[:] = 0
            k = 0
            for step in range(begin, len(reset)):
                first, last = max(step + 1 - lags[box + 1], 0), max(step + 1 - lags[box], 0)
                for lane in range(64):
                    v[lane] = decays[tau] * v[lane] + (counts[last, lane] - counts[first, lane])
                while k < len(at) and at[k] >> 6 == step:
                    found[k, tau * boxes + box] = v[at[k] & 63]
                    k += 1
                for lane in range(64):
                    v[lane] = np.float32(0) if (reset[step] >> np.uint64(lane)) & np.uint64(1) else v[lane]


@jit()
def _counted(train):
    """How often each trial has fired before each step."""
    counts = np.zeros((len(train) + 1, 64), np.float32)
    for step in range(len(train)):
        for lane in range(64):
            counts[step + 1, lane] = counts[step, lane] + np.float32((train[step] >> np.uint64(lane)) & np.uint64(1))
    return counts


@compiled
def columns(trains, reset, begin, decays, lags, at):
    """The columns of a regression, float32 [samples, trains * membranes * boxes + 1], the last one constant.

    trains  uint64 [trains, steps];   reset  uint64 [steps];   at  int64 [samples]: 64 * step + trial, in order
    """
    each = len(decays) * (len(lags) - 1)
    found = np.ones((len(at), len(trains) * each + 1), np.float32)
    for k in range(len(trains)):
        _columns(_counted(trains[k]), reset, begin, decays, lags, at, found[:, k * each : (k + 1) * each])
    return found


@jit()
def _solve(matrix, vector):
    """The solution for a positive definite matrix, which is overwritten, by Cholesky's factors."""
    n, x = len(vector), vector.copy()
    for j in range(n):
        for k in range(j):
            for i in range(j, n):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
        root = np.sqrt(max(matrix[j, j], 1e-9))
        for i in range(j, n):
            matrix[i, j] /= root
        x[j] /= root
        for i in range(j + 1, n):
            x[i] -= matrix[i, j] * x[j]
    for j in range(n - 1, -1, -1):
        for i in range(j + 1, n):
            x[j] -= matrix[i, j] * x[i]
        x[j] /= matrix[j, j]
    return x


@jit()
def _dot(a, b):
    """The sum of products in four parts, in one order on every machine."""
    s0, s1, s2, s3, n = 0.0, 0.0, 0.0, 0.0, len(a)
    for k in range(0, n - 3, 4):
        s0 += a[k] * b[k]
        s1 += a[k + 1] * b[k + 1]
        s2 += a[k + 2] * b[k + 2]
        s3 += a[k + 3] * b[k + 3]
    for k in range(n - n % 4, n):
        s0 += a[k] * b[k]
    return (s0 + s1) + (s2 + s3)


@jit()
def _products(a, share, b, found):
    """Add the weighted sums of products of the columns of a and b."""
    for sample in range(len(a)):
        for j in range(a.shape[1]):
            here = share[sample] * a[sample, j]
            for k in range(b.shape[1]):
                found[j, k] += here * b[sample, k]


@jit()
def _loss(logit, fired, share, beta, prior):
    value = 0.0
    for k in range(len(logit)):
        value += share[k] * surprise_in_widths(logit[k], fired[k])
    for k in range(len(beta)):
        value += 0.5 * prior[k] * beta[k] * beta[k]
    return value


@compiled
def fitted(x, fired, share, prior, steps, precise):
    """Logistic regression by Newton's method: weights, surprise, logits, curvatures and what is missing of each sample."""
    n, k = x.shape
    beta, logit, curved, missing = np.zeros(k), np.zeros(n), np.zeros(n, np.float32), np.zeros(n, np.float32)
    value = _loss(logit, fired, share, beta, prior)
    for step in range(steps + 1):
        for i in range(n):
            p = 1 / (1 + portable._exp(-min(max(logit[i], -30.0), 30.0)))
            curved[i], missing[i] = share[i] * p * (1 - p), share[i] * (fired[i] - p)
        if step == steps:
            break
        slope = -prior * beta
        for i in range(n):
            for j in range(k):
                slope[j] += missing[i] * x[i, j]
        bent = np.zeros((k, k))
        _products(x, curved, x, bent)
        for j in range(k):
            bent[j, j] += prior[j] + 1e-6
        towards, length, now = _solve(bent, slope), 1.0, value
        moved = np.zeros(n)
        for i in range(n):
            moved[i] = _dot(x[i], towards)
        while length > 1e-3:
            now = _loss(logit + length * moved, fired, share, beta + length * towards, prior)
            if now < value:
                break
            length *= 0.5
        if now >= value:
            steps = step + 1
            continue
        beta, logit = beta + length * towards, logit + length * moved
        if value - now < precise:
            steps = step + 1
        value = now
    return beta, value, logit, curved, missing


@compiled
def gain(train, reset, begin, decays, lags, at, x, fired, share, prior, beta, value, logit, curved, missing, inverse, slope):
    """By how much a regression (`fitted`) is less surprised, in one Newton step for the columns of one more train and for
    those that it has; inverse and slope: of the latter. And a number that is above 0 if the train excites."""
    n, b = x.shape
    f = np.empty((n, len(decays) * (len(lags) - 1)), np.float32)
    _columns(_counted(train), reset, begin, decays, lags, at, f)
    k = f.shape[1]
    its_prior, its_slope = np.zeros(k, np.float32), np.zeros(k, np.float32)
    for i in range(n):
        for j in range(k):
            its_prior[j] += f[i, j] * f[i, j]
            its_slope[j] += missing[i] * f[i, j]
    its_prior = its_prior / np.float32(n) + np.float32(1e-3)
    own, cross = np.zeros((k, k), np.float32), np.zeros((k, b), np.float32)
    _products(f, curved, f, own)
    _products(f, curved, x, cross)
    projected, bent, rest = np.zeros((k, b)), own.astype(np.float64), its_slope.astype(np.float64)
    for j in range(k):
        for q in range(b):
            for r in range(b):
                projected[j, r] += cross[j, q] * inverse[q, r]
        for q in range(k):
            bent[j, q] -= _dot(projected[j], cross[q])
        bent[j, j] += 2 * its_prior[j]
        rest[j] -= _dot(projected[j], slope)
    towards = _solve(bent, rest)
    base = slope.copy()
    for j in range(k):
        for q in range(b):
            base[q] -= cross[j, q] * towards[j]
    its = np.zeros(b)
    for q in range(b):
        its[q] = _dot(inverse[q], base)
    moved = np.zeros(n)
    for i in range(n):
        moved[i] = _dot(f[i], towards) + _dot(x[i], its)
    best, effect = -np.inf, 0.0
    for j in range(k):
        effect += its_prior[j] * towards[j]
    for length in (1.0, 0.5):
        now = _loss(logit + length * moved, fired, share, beta + length * its, prior)
        for j in range(k):
            now += 0.5 * its_prior[j] * (length * towards[j]) ** 2
        best = max(best, value - now)
    return best, effect


@compiled
def _gram(x, share):
    found = np.zeros((x.shape[1], x.shape[1]))
    _products(x, share, x, found)
    return found


@compiled
def _inverse(matrix):
    found = np.zeros(matrix.shape)
    for k in range(len(matrix)):
        unit = np.zeros(len(matrix))
        unit[k] = 1
        found[k] = _solve(matrix.copy(), unit)
    return found


def _bits(words):
    """Words uint64 [steps] as bool [steps, 64]."""
    return ((words[:, None] >> np.arange(64, dtype="u8")) & np.uint64(1)) != 0


class Regression:
    """What the known trains explain of a measured neuron's spikes, in a sample of steps that has all of its spikes."""

    def __init__(self, network: Network, n: int, trains: np.ndarray, rng: np.random.Generator):
        observed, dt = network.observed, network.observed.ranges.dt_ms
        fired, scored = observed.measured[0, :, n], observed.scored[0]
        held = np.zeros_like(fired)
        for gap in range(1, round(network.steps_of(network.x)[n]) + 1):
            held[gap:] |= fired[:-gap]
        begin = max(int(np.argmax(scored != 0)) - round(LEAD_MS / dt), 0)
        lags = np.array([round(ms / dt) for ms in LAGS_MS])
        self.form = fired | held, begin, portable.exp(-dt / np.array(TAUS_MS)).astype("f4"), lags
        counts, spikes = (_bits(words).ravel() for words in (scored & (fired | ~held), fired))
        everywhere = np.flatnonzero(counts)
        known = np.array([round(ms / dt) for ms in KNOWN_LAGS_MS])
        x = columns(trains, *self.form[:3], known, everywhere)
        chance = np.where(spikes[everywhere], 1.0, FEW)
        for _ in range(2):
            chosen = rng.random(len(everywhere)) < chance
            at, some, share = everywhere[chosen], x[chosen], 1 / chance[chosen]
            prior = np.add.accumulate(some.astype("f8") ** 2)[-1] / len(some) + 1e-3
            prior[-1] = 0
            beta, value, *rest = fitted(some, spikes[at], share, prior, NEWTON, PRECISE)
            logit = np.add.accumulate(x * beta, axis=1)[:, -1]
            likely = np.clip(OFTEN / (1 + portable.exp(-np.clip(logit, -30, 30))), RARELY, 1)
            likely *= min(1.0, MOST / np.add.accumulate(likely)[-1])
            chance = np.where(spikes[everywhere], 1.0, likely)
        curved, missing = rest[1:]
        bent = _gram(some, curved)
        inverse = _inverse(bent + np.diag(prior + 1e-6))
        slope = np.add.accumulate(some * missing[:, None].astype("f8"))[-1] - prior * beta
        self.value = value
        self.state = at, some, spikes[at], share, prior, beta, value, *rest, inverse, slope

    def gain(self, train: np.ndarray) -> tuple[float, float]:
        """What the spikes of one more neuron explain, in nats, and above 0 if they excite; uint64 [steps]."""
        return gain(train, *self.form, *self.state)
