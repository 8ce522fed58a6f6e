"""Recorded potentials and currents of chosen neurons in chosen trials."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Traces:
    """States of recorded neurons at the end of each step, after arrivals and reset.

    v_mv [trials, steps, neurons]: membrane potential;   i_e_mv, i_i_mv  the same shape: synaptic currents times membrane
    resistance, the inhibitory one negative (of conductance neurons: the current that would flow at v_th)
    further   the model's other variables by name (w, theta, u), the same shape
    names     ids of the neurons;   trials  numbers of the trials;   dt_ms  row k is the time (k + 1) dt
    """

    v_mv: np.ndarray
    i_e_mv: np.ndarray
    i_i_mv: np.ndarray
    names: tuple
    trials: tuple[int, ...]
    dt_ms: float
    further: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def times_ms(self) -> np.ndarray:
        """The time of each row, float64 [steps]."""
        return (np.arange(self.v_mv.shape[1]) + 1) * self.dt_ms
