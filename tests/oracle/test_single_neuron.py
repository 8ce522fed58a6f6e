"""A neuron with a constant drive fires at the intervals of the closed form, rounded up to whole steps, and at NEST's."""

import numpy as np
import pytest

from circuits import Circuit
from circuits.simulation.simulate import simulate
from tests.oracle.oracles import ask, differences, rasters, report

pytestmark = pytest.mark.oracle
TAU_M, REST, THRESHOLD, RESET, T_REF = 10.0, -70.0, -55.0, -65.0, 2.0
BIAS = np.linspace(15.05, 100.0, 400)


@pytest.mark.parametrize("dt_ms", [1.0, 0.1, 0.05])
def test_the_f_i_curve_is_that_of_nest_and_within_a_step_of_the_closed_form(dt_ms):
    neuron = {"sign": "E", "tau_m_ms": TAU_M, "v_rest_mv": REST, "v_th_mv": THRESHOLD, "v_reset_mv": RESET, "t_ref_ms": T_REF}
    circuit = Circuit(dt_ms=dt_ms, neurons=[neuron | {"id": n, "bias_mv": bias} for n, bias in enumerate(BIAS)])
    silence = np.zeros((1, round(400 / dt_ms), 0), bool)
    ours = simulate(circuit, silence)
    theirs = rasters(ask("nest", [(circuit, silence)]), [(circuit, silence)])
    assert not differences([ours.spikes()], theirs)

    rises = {"first": BIAS / (BIAS + REST - THRESHOLD), "next": (BIAS + REST - RESET) / (BIAS + REST - THRESHOLD)}
    exact = {"first": TAU_M * np.log(rises["first"]), "next": TAU_M * np.log(rises["next"]) + T_REF}
    late = []
    for n, times in enumerate(ours.times(0)):
        assert len(times) > 3
        late += [times[0] - exact["first"][n], *(np.diff(times) - exact["next"][n])]
    report(f"f-I at dt {dt_ms:g} ms: {len(late)} intervals, {min(late):.2g} to {max(late):.2g} ms above the closed form")
    assert min(late) > -1e-9
    assert max(late) < dt_ms + 1e-9
