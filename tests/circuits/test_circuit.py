import copy
import math

import numpy as np
import pytest
from pydantic import ValidationError

from circuits import Circuit
from circuits.errors import one_line
from circuits.neurons import LIF_PSC_EXP, MODELS
from tests.reference import random_circuit

PARAMETERS = LIF_PSC_EXP.parameters

GOOD = {
    "dt_ms": 0.5,
    "neurons": [{"id": 0, "sign": "E"}, {"id": "basket", "sign": "I", "type": "PV"}],
    "inputs": [{"name": "left", "synapses": [{"post": 0, "weight_mv": 20.0, "delay_ms": 1.0}]}],
    "synapses": [{"pre": 0, "post": "basket", "weight_mv": 5.0, "delay_ms": 0.5}],
    "outputs": [{"name": "out", "neurons": [0]}],
}


def changed(path, value):
    """GOOD with one value set; the path is keys and indices."""
    data = copy.deepcopy(GOOD)
    at = data
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return data


def finding(data):
    """The one line that a user reads about a circuit that is refused."""
    with pytest.raises(ValidationError) as caught:
        Circuit(**data)
    line = one_line(caught.value)
    assert "\n" not in line
    return line


BAD = [
    (("neurons", 1, "tau_m"), 10.0, "neurons[1].tau_m: unknown key"),
    (("colour",), "red", "colour: unknown key"),
    (("synapses", 0, "sign"), -1, "synapses[0].sign: unknown key"),
    (("neurons", 1, "sign"), "X", "neurons[1].sign: "),
    (("neurons", 1, "sign"), -1, "neurons[1].sign: "),
    (("neurons", 1, "id"), 0, "neurons[1]: 0 occurs twice"),
    (("neurons", 1, "id"), "", "neurons[1].id"),
    (("neurons", 1, "id"), True, "neurons[1].id"),
    (("neurons", 1, "id"), 1.5, "neurons[1].id"),
    (("neurons", 0, "tau_m_ms"), math.nan, "neurons[0].tau_m_ms: "),
    (("neurons", 0, "tau_m_ms"), math.inf, "neurons[0].tau_m_ms: "),
    (("neurons", 0, "tau_m_ms"), 0.0, "neurons[0].tau_m_ms: "),
    (("neurons", 0, "t_ref_ms"), -1.0, "neurons[0].t_ref_ms: "),
    (("neurons", 0, "t_ref_ms"), 0.75, "neurons[0].t_ref_ms: 0.75 ms must be 0 to 65535 whole steps of dt_ms = 0.5"),
    (("neurons", 0, "v_reset_mv"), -55.0, "neurons[0]: v_reset_mv -55 must be below v_th_mv -55"),
    (("neurons", 0, "v_reset_mv"), -50.0, "neurons[0]: v_reset_mv -50 must be below v_th_mv -55"),
    (("neurons",), [], "neurons: "),
    (("synapses", 0, "pre"), 7, "synapses[0].pre: there is no neuron 7"),
    (("synapses", 0, "post"), "0", "synapses[0].post: there is no neuron '0'"),
    (("synapses", 0, "weight_mv"), -5.0, "synapses[0].weight_mv: "),
    (("synapses", 0, "weight_mv"), math.nan, "synapses[0].weight_mv: "),
    (("synapses", 0, "delay_ms"), 0.75, "synapses[0].delay_ms: 0.75 ms must be 1 to 65535 whole steps of dt_ms = 0.5"),
    (("synapses", 0, "delay_ms"), 0.0, "synapses[0].delay_ms: "),
    (("synapses", 0, "delay_ms"), 1e-7, "synapses[0].delay_ms: "),
    (("synapses", 0, "delay_ms"), 1e300, "synapses[0].delay_ms: "),
    (("inputs", 0, "synapses", 0, "post"), "gone", "inputs[0].synapses[0].post: there is no neuron 'gone'"),
    (("inputs", 0, "synapses", 0, "weight_mv"), -1.0, "inputs[0].synapses[0].weight_mv: "),
    (("inputs", 0, "synapses", 0, "delay_ms"), 0.7, "inputs[0].synapses[0].delay_ms: 0.7 ms must be"),
    (("inputs",), [{"name": "a"}, {"name": "a"}], "inputs[1]: 'a' occurs twice"),
    (("outputs",), [{"name": "a", "neurons": [0]}] * 2, "outputs[1]: 'a' occurs twice"),
    (("outputs", 0, "neurons", 0), "basket", "outputs[0].neurons[0]: only E neurons can be read, not 'basket'"),
    (("outputs", 0, "neurons", 0), 9, "outputs[0].neurons[0]: there is no neuron 9"),
    (("outputs", 0, "neurons"), [], "outputs[0].neurons: "),
    (("dt_ms",), 0.0, "dt_ms: "),
    (("dt_ms",), math.nan, "dt_ms: "),
    (("dt_ms",), 1e-310, "neurons[0].t_ref_ms: "),
    (("neuron_model",), "hodgkin_huxley", "neuron_model: "),
    (("a\nb",), 1, "'a\\nb': unknown key"),
]


@pytest.mark.parametrize(("path", "value", "line"), BAD, ids=[f"{'.'.join(map(str, path))}={value}" for path, value, _ in BAD])
def test_a_refused_circuit_names_the_place(path, value, line):
    assert finding(changed(path, value)).startswith(line)


def of_the_model(name):
    """GOOD with neurons of another model, all parameters at their defaults."""
    return changed(("neuron_model",), name)


@pytest.mark.parametrize("model", MODELS)
def test_a_parameter_of_another_model_is_refused(model):
    others = {key for other in MODELS.values() for key in other.names} - set(MODELS[model].names)
    assert others
    for key in others:
        data = of_the_model(model)
        data["neurons"][1][key] = 1.0
        assert finding(data) == f"neurons[1].{key}: unknown key"


@pytest.mark.parametrize("model", MODELS)
def test_a_neuron_of_the_class_of_another_model_is_refused(model):
    for other in MODELS.values():
        data = of_the_model(model)
        data["neurons"][1] = other.neuron(id="basket", sign="I")
        if other.name == model:
            assert Circuit(**data).neurons[1] == data["neurons"][1]
        else:
            line = finding(data)
            assert line.startswith(f"neurons[1]: is a {other.neuron.__name__}; neuron_model '{model}' wants a")
            assert MODELS[model].neuron.__name__ in line


@pytest.mark.parametrize(
    ("model", "key", "value", "line"),
    [
        ("alif_psc_exp", "tau_theta_ms", 0.0, "neurons[0].tau_theta_ms: "),
        ("lif_cond_exp", "e_inh_mv", -50.0, "neurons[0]: e_inh_mv -50 must be below v_th_mv -55"),
        ("lif_cond_exp", "e_exc_mv", -60.0, "neurons[0]: v_th_mv -55 must be below e_exc_mv -60"),
        ("izhikevich", "v_reset_mv", 31.0, "neurons[0]: v_reset_mv 31 must be below v_th_mv 30"),
        ("izhikevich", "t_ref_ms", 0.75, "neurons[0].t_ref_ms: 0.75 ms must be 0 to 65535 whole steps of dt_ms = 0.5"),
        ("aeif_psc_exp", "v_peak_mv", -51.0, "neurons[0]: v_th_mv -50.4 must be below v_peak_mv -51"),
        ("aeif_psc_exp", "delta_t_mv", math.nan, "neurons[0].delta_t_mv: "),
    ],
)
def test_a_refused_neuron_of_any_model_names_the_place(model, key, value, line):
    data = of_the_model(model)
    data["neurons"][0][key] = value
    assert finding(data).startswith(line)


@pytest.mark.parametrize("place", ["synapses[0]", "inputs[0].synapses[0]"])
@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"short_term": {}, "stdp": {}}, ": a synapse has a section short_term or stdp, not both"),
        ({"short_term": {"use": 1.5}}, ".short_term.use: "),
        ({"short_term": {"tau_rec_ms": 0.0}}, ".short_term.tau_rec_ms: "),
        ({"short_term": {"tau_m_ms": 1.0}}, ".short_term.tau_m_ms: unknown key"),
        ({"stdp": {"bound": 0.5}}, ".stdp.bound: "),
        ({"stdp": {"a_plus": math.nan}}, ".stdp.a_plus: "),
        ({"stdp": {"use": 0.5}}, ".stdp.use: unknown key"),
        ({"stp": {}}, ".stp: unknown key"),
    ],
)
def test_a_refused_section_of_a_synapse_names_the_place(place, sections, line):
    data = copy.deepcopy(GOOD)
    at = data["synapses"] if place == "synapses[0]" else data["inputs"][0]["synapses"]
    at[0] |= sections
    assert finding(data).startswith(place + line)


def test_sections_left_empty_have_their_defaults():
    synapse = Circuit(**changed(("synapses", 0, "short_term"), {})).synapses[0]
    assert synapse.short_term.model_dump() == {"use": 0.5, "tau_rec_ms": 800.0, "tau_fac_ms": 0.0}
    assert synapse.stdp is None


@pytest.mark.parametrize("noise", [-1.0, math.nan, math.inf, 1001.0])
def test_noise_that_makes_no_sense_is_refused(noise):
    assert finding(changed(("noise_mv",), noise)).startswith("noise_mv: ")


@pytest.mark.parametrize("key", ["dt_ms", "neurons"])
def test_what_has_no_default_must_be_given(key):
    data = copy.deepcopy(GOOD)
    del data[key]
    assert finding(data) == f"{key}: is missing"


def test_a_misspelt_key_is_answered_with_the_right_one():
    with pytest.raises(ValidationError) as caught:
        Circuit(**changed(("neurons", 0, "tau_mm_ms"), 10.0))
    assert one_line(caught.value, tuple(PARAMETERS)) == "neurons[0].tau_mm_ms: unknown key; did you mean tau_m_ms?"


def test_several_findings_are_counted():
    data = changed(("dt_ms",), -1.0)
    data["neurons"][0]["sign"] = "X"
    assert finding(data).endswith("(and 1 more)")


def test_a_circuit_cannot_be_changed():
    circuit = Circuit(**GOOD)
    with pytest.raises(ValidationError):
        circuit.dt_ms = 1.0
    with pytest.raises(ValidationError):
        circuit.neurons[0].sign = "I"


def test_parameters_left_out_have_their_defaults():
    neuron = Circuit(**GOOD).neurons[0]
    assert {name: getattr(neuron, name) for name in PARAMETERS} == {name: p.default for name, p in PARAMETERS.items()}


def test_ids_of_different_kind_are_different_neurons():
    circuit = Circuit(
        dt_ms=1, neurons=[{"id": 1, "sign": "E"}, {"id": "1", "sign": "I"}], outputs=[{"name": "o", "neurons": [1]}]
    )
    assert [n.id for n in circuit.neurons] == [1, "1"]


def test_autapses_and_multapses_are_synapses():
    synapse = {"pre": 0, "post": 0, "weight_mv": 1.0, "delay_ms": 0.5}
    assert Circuit(**changed(("synapses",), [synapse] * 3)).synapse_count == 4


def test_delays_on_the_grid_are_accepted_though_no_float_hits_it():
    for steps in range(1, 2001):
        Circuit(
            dt_ms=0.1,
            neurons=[{"id": 0, "sign": "E"}],
            synapses=[{"pre": 0, "post": 0, "weight_mv": 1, "delay_ms": steps * 0.1}],
        )


def test_the_views_of_a_circuit_agree_with_it():
    circuit = random_circuit(np.random.default_rng(4), neurons=7)
    assert circuit.parameters.shape == (7, 8)
    assert circuit.excitatory.tolist() == [n.sign == "E" for n in circuit.neurons]
    assert circuit.parameters[3, list(PARAMETERS).index("v_th_mv")] == circuit.neurons[3].v_th_mv
    assert f"{int(circuit.excitatory.sum())} E" in repr(circuit)
