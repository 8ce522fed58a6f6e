"""The neuron models of the backward kernel: which columns of their tables have gradients, and what adaptation adds.

The potential of every model here goes as that of lif_psc_exp, as a linear function of the state. With w and theta of
alif_psc_exp before a step, and a'[w], a'[theta] for the gradients of the loss with respect to them after it, backwards

    a[S]     gets w_jump a'[w] + theta_jump a'[theta]
    a[theta] = P_theta (a'[theta] - a[S] psi)             the threshold of the step is that of lif_psc_exp plus P_theta theta
    a[w]     = P_w a'[w] + P21_w a[U]
"""

from circuits.neurons.alif_psc_exp import P21_W, P_THETA, P_W, THETA_JUMP, W_JUMP, Alif
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, THRESHOLD, Lif
from circuits.neurons.model import P11_E, P11_I
from circuits.numerics.parts import implementations
from circuits.numerics.simd import LANES, add, fma, load, mul, select, splat, store, sub

_LINEAR = (DRIVE, THRESHOLD, P22, P21_E, P21_I, P11_E, P11_I)
LINEAR = len(_LINEAR)
# Columns of the table, by kind of model: the kernel sums their gradients in this order.
SUMMED = {Lif: _LINEAR, Alif: (*_LINEAR, W_JUMP, THETA_JUMP, P21_W, P_W, P_THETA)}


def of_spike(model, table, n, further, spike):
    """The gradient of neuron n's spike, with that through its adaptation. For compiled code only, like `adapt`: numba chooses
    the function by the model's kind."""
    raise NotImplementedError


def adapt(model, table, n, further, u, threshold, fired, start, old, sums, at):
    """A step backwards of the states beyond V, I_e and I_i.

    further  their gradients, as in `Workspace`;   u  a[U];   threshold  a[S] psi;   fired  mask of spikes
    start, old  `Record.start`, and the index of the state there;   sums, at  those of the columns beyond the first `LINEAR`
    """
    raise NotImplementedError


_of_spike, _adapts = implementations(of_spike), implementations(adapt)


@_of_spike(Lif)
def _plain_spike(model, table, n, further, spike):
    return spike


@_of_spike(Alif)
def _adaptive_spike(model, table, n, further, spike):
    w, theta = load(further, n * 2 * LANES), load(further, (n * 2 + 1) * LANES)
    return fma(splat(table[n, THETA_JUMP]), theta, fma(splat(table[n, W_JUMP]), w, spike))


@_adapts(Lif)
def _plain(model, table, n, further, u, threshold, fired, start, old, sums, at):
    return


@_adapts(Alif)
def _adaptive(model, table, n, further, u, threshold, fired, start, old, sums, at):
    place = n * 2 * LANES
    w, theta = load(further, place), load(further, place + LANES)
    if len(sums) > 0:
        store(sums, at, select(fired, add(load(sums, at), w), load(sums, at)))
        store(sums, at + LANES, select(fired, add(load(sums, at + LANES), theta), load(sums, at + LANES)))
    theta = sub(theta, threshold)
    if len(start) > 0:
        w_before, theta_before = load(start, old + 3 * LANES), load(start, old + 4 * LANES)
        store(sums, at + 2 * LANES, fma(u, w_before, load(sums, at + 2 * LANES)))
        store(sums, at + 3 * LANES, fma(w, w_before, load(sums, at + 3 * LANES)))
        store(sums, at + 4 * LANES, fma(theta, theta_before, load(sums, at + 4 * LANES)))
    store(further, place, fma(splat(table[n, P21_W]), u, mul(splat(table[n, P_W]), w)))
    store(further, place + LANES, mul(splat(table[n, P_THETA]), theta))
