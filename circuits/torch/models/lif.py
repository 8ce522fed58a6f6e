"""Leaky integrate-and-fire with exponential currents: `circuits.neurons.lif_psc_exp`."""

import torch

from circuits.neurons import LIF_PSC_EXP
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, RESET, THRESHOLD
from circuits.numerics import portable
from circuits.torch.models.form import Form

TIMES = ("tau_m_ms", "tau_syn_e_ms", "tau_syn_i_ms")


def columns(p, dt):
    tau_m, tau_e, tau_i = (p[name] for name in TIMES)
    return [
        torch.exp(-dt / tau_e),
        torch.exp(-dt / tau_i),
        torch.zeros_like(tau_m),
        torch.exp(-(dt / tau_m).clamp(max=80)),
        current_to_potential(dt, tau_m, tau_e),
        current_to_potential(dt, tau_m, tau_i),
        -torch.expm1(-dt / tau_m) * p["bias_mv"],
        p["v_th_mv"] - p["v_rest_mv"],
        p["v_reset_mv"] - p["v_rest_mv"],
    ]


def current_to_potential(dt, tau_m, tau_syn):
    """P21 as in `circuits.neurons.model`, with a gradient where the time constants are equal."""
    z = dt * (tau_m - tau_syn) / (tau_m * tau_syn)
    near = z.abs() < 1e-4
    far = torch.where(near, 1.0, z)
    ratio = torch.where(near, 1 - z / 2 * (1 - z / 3 * (1 - z / 4)), -torch.expm1(-far) / far)
    return torch.exp(-dt / tau_m) * dt * ratio / tau_m


def bias_gain(p, dt):
    return -portable.expm1(-dt / p["tau_m_ms"])


def step(c, v, i_e, i_i, further, fire):
    # addcmul rounds once where the processor fuses it, like the kernel's fma.
    v = torch.addcmul(torch.addcmul(torch.addcmul(c[DRIVE], c[P21_I], i_i), c[P21_E], i_e), c[P22], v)
    v, spikes = fire(v, c[THRESHOLD])
    return v, further, spikes


LIF = Form(LIF_PSC_EXP, TIMES, columns, (DRIVE, bias_gain), RESET, True, 0, step)
