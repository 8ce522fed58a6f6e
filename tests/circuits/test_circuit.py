import copy
import math

import numpy as np
import pytest
from pydantic import ValidationError

from circuits import Circuit
from circuits.errors import one_line
from circuits.neurons import LIF_PSC_EXP
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
    (("neurons", 1, "id"), 0, "neurons[1]: 0 is there twice"),
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
    (("inputs",), [{"name": "a"}, {"name": "a"}], "inputs[1]: 'a' is there twice"),
    (("outputs",), [{"name": "a", "neurons": [0]}] * 2, "outputs[1]: 'a' is there twice"),
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
