"""Leaky integrate-and-fire with adaptation: `circuits.neurons.alif_psc_exp`."""

import torch

from circuits.neurons import MODELS
from circuits.neurons.alif_psc_exp import P21_W, P_THETA, P_W, THETA_JUMP, W_JUMP
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, RESET, THRESHOLD
from circuits.torch.models import lif
from circuits.torch.models.form import Form

TIMES = (*lif.TIMES, "tau_w_ms", "tau_theta_ms")


def columns(p, dt):
    return [
        *lif.columns(p, dt),
        -lif.current_to_potential(dt, p["tau_m_ms"], p["tau_w_ms"]),
        torch.exp(-dt / p["tau_w_ms"]),
        torch.exp(-dt / p["tau_theta_ms"]),
        p["w_jump_mv"],
        p["theta_jump_mv"],
    ]


def step(c, v, i_e, i_i, further, fire):
    w, theta = further
    drive = torch.addcmul(torch.addcmul(c[DRIVE], c[P21_I], i_i), c[P21_W], w)
    v = torch.addcmul(torch.addcmul(drive, c[P21_E], i_e), c[P22], v)
    w, theta = c[P_W] * w, c[P_THETA] * theta
    v, spikes = fire(v, c[THRESHOLD] + theta)
    return v, (w + c[W_JUMP] * spikes, theta + c[THETA_JUMP] * spikes), spikes


ALIF = Form(MODELS["alif_psc_exp"], TIMES, columns, (DRIVE, lif.bias_gain), RESET, True, 2, step)
