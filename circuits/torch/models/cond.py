"""Leaky integrate-and-fire with conductance synapses: `circuits.neurons.lif_cond_exp`."""

import torch

from circuits.neurons import MODELS
from circuits.neurons.lif_cond_exp import BIAS, E_E, E_I, G_E, G_I, RATE, RESET, THRESHOLD
from circuits.torch.models.form import Form
from circuits.torch.models.lif import TIMES


def columns(p, dt):
    tau_m, tau_e, tau_i = (p[name] for name in TIMES)
    v_th, v_rest = p["v_th_mv"], p["v_rest_mv"]

    def mean(tau):
        return -torch.expm1(-dt / tau) * tau / dt

    return [
        torch.exp(-dt / tau_e),
        torch.exp(-dt / tau_i),
        torch.zeros_like(tau_m),
        mean(tau_e) / (p["e_exc_mv"] - v_th),
        -mean(tau_i) / (v_th - p["e_inh_mv"]),
        p["e_exc_mv"] - v_rest,
        p["e_inh_mv"] - v_rest,
        p["bias_mv"],
        -dt / tau_m,
        v_th - v_rest,
        p["v_reset_mv"] - v_rest,
    ]


def step(c, v, i_e, i_i, further, fire):
    g_e, g_i = c[G_E] * i_e, c[G_I] * i_i
    leak = 1 + (g_e + g_i)
    settled = torch.addcmul(torch.addcmul(c[BIAS], c[E_I], g_i), c[E_E], g_e) / leak
    v = torch.addcmul(settled, torch.exp(c[RATE] * leak), v - settled)
    v, spikes = fire(v, c[THRESHOLD])
    return v, further, spikes


COND = Form(MODELS["lif_cond_exp"], TIMES, columns, (BIAS, lambda p, dt: 1.0 + 0 * p["tau_m_ms"]), RESET, False, 0, step)
