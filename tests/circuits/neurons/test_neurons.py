from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from pydantic import ValidationError

from circuits.neurons import LIF_PSC_EXP, MODELS, aeif_psc_exp, alif_psc_exp, izhikevich, lif_cond_exp, lif_psc_exp
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, RESET, THRESHOLD
from circuits.neurons.model import NOISE, P11_E, P11_I, current_to_potential

DEFAULTS, NAMES = LIF_PSC_EXP.defaults, LIF_PSC_EXP.names
propagators, refractory_steps = LIF_PSC_EXP.table, LIF_PSC_EXP.refractory_steps
RATIOS = [*np.geomspace(0.1, 10, 41), 1 - 1e-3, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12, 1.0, 1 + 1e-12, 1 + 1e-9, 1 + 1e-6, 1 + 1e-3]


def with_values(**values):
    parameters = DEFAULTS.copy()
    for name, value in values.items():
        parameters[NAMES.index(name)] = value
    return parameters


def exact_current_to_potential(dt, tau_m, tau_syn):
    """The textbook form, with 50 digits: what a unit current at the start of a step adds to V at its end."""
    with mpmath.workdps(50):
        dt, tau_m, tau_syn = mpmath.mpf(dt), mpmath.mpf(tau_m), mpmath.mpf(tau_syn)
        if tau_m == tau_syn:
            return dt / tau_m * mpmath.exp(-dt / tau_m)
        return tau_syn / (tau_m - tau_syn) * (mpmath.exp(-dt / tau_m) - mpmath.exp(-dt / tau_syn))


def relative_error(found, exact):
    with mpmath.workdps(50):
        return abs(float((mpmath.mpf(float(found)) - exact) / exact))


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.05])
@pytest.mark.parametrize("tau_m", [0.5, 10.0, 200.0])
def test_the_current_propagator_is_exact_near_and_far_from_equal_time_constants(dt, tau_m):
    for tau_syn in tau_m * np.array(RATIOS):
        found = current_to_potential(dt, tau_m, tau_syn)
        assert relative_error(found, exact_current_to_potential(dt, tau_m, tau_syn)) < 4e-15, tau_syn


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.05])
def test_every_propagator_is_exact(dt):
    values = {"tau_m_ms": 13.7, "tau_syn_e_ms": 1.9, "tau_syn_i_ms": 6.1, "bias_mv": 7.3, "v_reset_mv": -64.0}
    row = propagators(with_values(**values), dt)
    with mpmath.workdps(50):
        exact = {
            P22: mpmath.exp(-mpmath.mpf(dt) / mpmath.mpf(13.7)),
            P11_E: mpmath.exp(-mpmath.mpf(dt) / mpmath.mpf(1.9)),
            P11_I: mpmath.exp(-mpmath.mpf(dt) / mpmath.mpf(6.1)),
            P21_E: exact_current_to_potential(dt, 13.7, 1.9),
            P21_I: exact_current_to_potential(dt, 13.7, 6.1),
            DRIVE: -mpmath.expm1(-mpmath.mpf(dt) / mpmath.mpf(13.7)) * mpmath.mpf(7.3),
            THRESHOLD: mpmath.mpf(15),
            RESET: mpmath.mpf(6),
            NOISE: mpmath.mpf(0),
        }
    assert sorted(exact) == list(range(9))
    for column, value in exact.items():
        assert row[column] == value or relative_error(row[column], value) < 4e-15, column


def test_propagators_of_many_neurons_are_those_of_each():
    rng = np.random.default_rng(0)
    parameters = DEFAULTS * rng.uniform(0.5, 2, (3, 5, 8))
    together = propagators(parameters, 0.1)
    assert together.shape == (3, 5, 9)
    for index in np.ndindex(3, 5):
        np.testing.assert_array_equal(together[index], propagators(parameters[index], 0.1))


def test_propagators_are_float64_whatever_comes_in():
    parameters = DEFAULTS.astype("f4")
    assert propagators(parameters, 0.1).dtype == np.float64
    np.testing.assert_array_equal(propagators(parameters, 0.1), propagators(parameters.astype("f8"), 0.1))


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.05])
def test_the_refractory_period_is_counted_in_whole_steps(dt):
    steps = np.array([0, 1, 2, 20, 333])
    parameters = np.stack([with_values(t_ref_ms=n * dt) for n in steps])
    np.testing.assert_array_equal(refractory_steps(parameters, dt), steps)


# Every model

FILES = {
    "lif_psc_exp": lif_psc_exp,
    "alif_psc_exp": alif_psc_exp,
    "lif_cond_exp": lif_cond_exp,
    "izhikevich": izhikevich,
    "aeif_psc_exp": aeif_psc_exp,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_constants_of_a_model_are_the_columns_that_its_step_reads(name):
    model = MODELS[name]
    named = SimpleNamespace(**dict(zip(model.names, model.defaults, strict=True)))
    constants = model.constants(named, 0.1)
    row = model.table(model.defaults, 0.1, noise_mv=2.0)
    columns = {key: value for key, value in vars(FILES[name]).items() if key.isupper() and type(value) is int}
    columns.pop("LANES", None)
    assert len(constants) == len(row) == max(columns.values()) + 1
    assert np.isfinite(row).all()
    assert row[P11_E] == np.exp(-0.1 / named.tau_syn_e_ms)
    assert row[P11_I] == np.exp(-0.1 / named.tau_syn_i_ms)
    assert row[NOISE] == 2 * constants[NOISE] > 0
    assert row[FILES[name].RESET] == named.v_reset_mv - named.v_rest_mv


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_as_many_state_vectors_as_names_for_them(name):
    assert len(MODELS[name].states) == MODELS[name].kind.states
    assert MODELS[name].states[:3] == ("v", "i_e", "i_i")
    assert MODELS[name].name == name


@pytest.mark.parametrize("name", MODELS)
def test_constants_of_many_neurons_are_those_of_each_and_float64(name):
    model = MODELS[name]
    parameters = (model.defaults * np.random.default_rng(0).uniform(0.8, 1.2, (3, 5, len(model.names)))).astype("f4")
    together = model.table(parameters, 0.25)
    assert together.dtype == np.float64
    for index in np.ndindex(3, 5):
        np.testing.assert_array_equal(together[index], model.table(parameters[index].astype("f8"), 0.25))


@pytest.mark.parametrize("name", MODELS)
def test_defaults_lie_within_the_ranges_and_the_ranges_are_refused_beyond_their_ends(name):
    model = MODELS[name]
    cell = model.neuron(id=0, sign="E")
    assert tuple(n for n in type(cell).model_fields if n not in ("id", "sign", "type")) == model.names
    for key, p in model.parameters.items():
        assert p.low <= p.default <= p.high
        assert getattr(cell, key) == p.default
        assert p.text
        for beyond in (np.nextafter(p.low, -np.inf), np.nextafter(p.high, np.inf), np.nan):
            with pytest.raises(ValidationError, match=key):
                model.neuron(id=0, sign="E", **{key: float(beyond)})


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        ("lif_psc_exp", {"v_reset_mv": -50.0, "v_th_mv": -50.0}, "v_reset_mv -50 must be below v_th_mv -50"),
        ("alif_psc_exp", {"v_reset_mv": -40.0}, "v_reset_mv -40 must be below v_th_mv -55"),
        ("lif_cond_exp", {"v_reset_mv": -55.0}, "v_reset_mv -55 must be below v_th_mv -55"),
        ("lif_cond_exp", {"e_inh_mv": -55.0}, "e_inh_mv -55 must be below v_th_mv -55"),
        ("lif_cond_exp", {"e_exc_mv": -55.0}, "v_th_mv -55 must be below e_exc_mv -55"),
        ("izhikevich", {"v_reset_mv": 30.0}, "v_reset_mv 30 must be below v_th_mv 30"),
        ("aeif_psc_exp", {"v_reset_mv": 0.0}, "v_reset_mv 0 must be below v_peak_mv 0"),
        ("aeif_psc_exp", {"v_peak_mv": -50.4}, "v_th_mv -50.4 must be below v_peak_mv -50.4"),
    ],
)
def test_potentials_in_the_wrong_order_are_refused(name, values, line):
    with pytest.raises(ValidationError, match=line):
        MODELS[name].neuron(id=0, sign="E", **values)


def test_an_adex_neuron_may_be_reset_above_where_its_upswing_begins():
    assert MODELS["aeif_psc_exp"].neuron(id=0, sign="E", v_reset_mv=-45.0).v_reset_mv > -50.4
