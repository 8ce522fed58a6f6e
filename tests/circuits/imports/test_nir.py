"""NIR graphs as other frameworks write them: what is taken, what is approximated, what is refused."""

import logging
from itertools import pairwise

import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from circuits.imports import read

nir = pytest.importorskip("nir")
DT = 1e-4


def written(tmp_path, nodes, edges, metadata=None, name="net.nir"):
    graph = nir.NIRGraph(nodes, edges, type_check=False)
    graph.metadata = metadata or {}
    nir.write(tmp_path / name, graph)
    return tmp_path / name


def ports(inputs, outputs):
    return {"input": nir.Input({"input": np.array([inputs])}), "output": nir.Output({"output": np.array([outputs])})}


def cuba(n, **changes):
    fields = {"tau_syn": 5e-3, "tau_mem": 10e-3, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, "w_in": 1.0}
    return nir.CubaLIF(**{key: np.full(n, value) for key, value in (fields | changes).items()})


def lif(n, **changes):
    fields = {"tau": 10e-3, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return nir.LIF(**{key: np.full(n, value) for key, value in (fields | changes).items()})


def refused(path, **options):
    with pytest.raises(UserError) as caught:
        read(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


RECURRENT = [("input", "fc"), ("fc", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "output")]


def test_a_recurrent_graph_of_snntorch_keeps_its_neurons_signs_and_step(tmp_path):
    """snnTorch scales its constants so that a step of its own is one of NIR's: w_in = tau_syn / dt and r = tau_mem / dt."""
    rec = np.array([[0.0, -0.3, 0.1], [0.2, 0.0, 0.4], [0.5, -0.6, 0.0]])
    fc = np.array([[0.5, 0.0], [0.0, 0.7], [0.1, 0.2]])
    neurons = cuba(3, w_in=5e-3 / DT, r=10e-3 / DT)
    nodes = ports(2, 3) | {"fc": nir.Affine(fc, np.zeros(3)), "lif": neurons, "rec": nir.Linear(rec)}
    found = read(written(tmp_path, nodes, RECURRENT))
    motif = found.motif
    assert motif.dt_ms == 0.1
    assert [(n.id, n.sign) for n in motif.neurons] == [("lif.0", "E"), ("lif.1", "I"), ("lif.2", "E")]
    assert [c.name for c in motif.inputs] == ["input.0", "input.1"]
    assert motif.neurons[0].tau_m_ms == 10
    assert motif.neurons[0].tau_syn_e_ms == motif.neurons[0].tau_syn_i_ms == 5
    between = {(s.pre, s.post): s.weight_mv for s in motif.synapses}
    ids = [n.id for n in motif.neurons]
    for (post, pre), weight in np.ndenumerate(rec):
        assert between.get((ids[pre], ids[post]), 0) == pytest.approx(abs(weight) * 10e-3 / DT)  # drive: 1 / (1 - beta)
    assert found.table["weights"].status == "exact"
    assert "step of 0.1 ms" in found.table["weights"].how
    assert found.table["delays"].status == "approximate"
    assert motif.outputs[0].name == "output"
    assert motif.outputs[0].neurons == ("lif.0", "lif.2")  # an inhibitory neuron cannot be read
    assert "lif.1" in found.table["output ports"].how


def test_spikes_as_pulses_solve_the_equations(tmp_path):
    """Beside a forward Euler integration of NIR's equations in steps of 1 us."""
    nodes = ports(1, 1) | {"fc": nir.Linear(np.array([[0.02]])), "lif": cuba(1, v_leak=0.2, v_reset=-0.1, r=2.0)}
    path = written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")])
    motif = read(path, dt_ms=0.01, spikes="pulses").motif
    assert motif.inputs[0].synapses[0].weight_mv == pytest.approx(2.0 * 0.02 / 5e-3)
    inputs = np.random.default_rng(3).random((1, 10_000, 1)) < 0.001
    spikes = np.flatnonzero(circuits.simulate(motif.circuit, inputs, dtype="float64").spikes()[0, :, 0])
    v, i, expected = 0.2, 0.0, []
    for k in range(10_000):
        for _ in range(5):
            v += 2e-6 / 10e-3 * (0.2 - v + 2.0 * i)
            i -= 2e-6 / 5e-3 * i
            if v > 1.0:
                expected.append(k)
                v = -0.1
        if k >= 1 and inputs[0, k - 1, 0]:
            i += 0.02 / 5e-3
    assert len(spikes) > 20
    apart = np.abs(spikes[:10] - expected[:10])  # spikes are on the grid, and so each interval is longer by half a step
    assert apart.max() <= 10


@pytest.mark.parametrize(("weight", "fires"), [(0.97, False), (1.04, True)])
def test_a_lif_node_without_synapses_is_moved_at_once(tmp_path, weight, fires):
    nodes = ports(1, 1) | {"fc": nir.Linear(np.array([[weight * 10e-3]])), "lif": lif(1)}
    path = written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")])
    found = read(path, spikes="pulses")
    assert found.table["synaptic time constants"].status == "approximate"
    assert "moves V at once" in found.table["synaptic time constants"].how
    inputs = np.zeros((1, 100, 1), bool)
    inputs[0, 10] = True
    assert circuits.simulate(found.motif.circuit, inputs, dtype="float64").spikes().any() == fires


def test_if_neurons_hardly_leak(tmp_path):
    neurons = nir.IF(r=np.ones(2), v_threshold=np.ones(2), v_reset=np.zeros(2))
    nodes = ports(2, 2) | {"fc": nir.Linear(np.eye(2) * 0.34), "if": neurons}
    found = read(written(tmp_path, nodes, [("input", "fc"), ("fc", "if"), ("if", "output")]), spikes="pulses")
    assert found.table["lif_psc_exp neurons"].status == "approximate"
    inputs = np.zeros((1, 1000, 2), bool)
    inputs[0, [10, 400, 800], 0] = True  # 0.34 each: the third one makes 1.02
    inputs[0, [10, 400], 1] = True
    assert circuits.simulate(found.motif.circuit, inputs, dtype="float64").counts().tolist() == [[1, 0]]


def test_subgraphs_are_opened(tmp_path):
    inner = nir.NIRGraph(
        ports(2, 2) | {"lif": cuba(2), "w_rec": nir.Linear(np.array([[0.0, 0.5], [0.4, 0.0]]))},
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
        type_check=False,
    )
    nodes = ports(1, 2) | {"fc": nir.Linear(np.array([[1.0], [2.0]])), "layer": inner}
    motif = read(written(tmp_path, nodes, [("input", "fc"), ("fc", "layer"), ("layer", "output")])).motif
    assert [n.id for n in motif.neurons] == ["layer.lif.0", "layer.lif.1"]
    assert {(s.pre, s.post) for s in motif.synapses} == {("layer.lif.0", "layer.lif.1"), ("layer.lif.1", "layer.lif.0")}
    assert motif.outputs[0].neurons == ("layer.lif.0", "layer.lif.1")


def test_delays_scales_and_synapses_on_the_way_are_followed(tmp_path):
    nodes = ports(1, 1) | {
        "lines": nir.Linear(np.ones((2, 1))),
        "delays": nir.Delay(np.array([2e-3, 3.04e-3])),
        "scale": nir.Scale(np.array([2.0, 3.0])),
        "sum": nir.Linear(np.array([[1.0, 1.0]])),
        "current": nir.LI(tau=np.array([4e-3]), r=np.array([4e-3]), v_leak=np.zeros(1)),
        "lif": lif(1),
    }
    order = ["input", "lines", "delays", "scale", "sum", "current", "lif", "output"]
    found = read(written(tmp_path, nodes, list(pairwise(order))))
    assert [(s.weight_mv, s.delay_ms) for s in found.motif.inputs[0].synapses] == [(2.0, 2.0), (3.0, 3.0)]
    assert found.motif.neurons[0].tau_syn_e_ms == 4
    assert found.table["delays"].status == "approximate"
    assert "0.04 ms" in found.table["delays"].how


def test_a_bias_is_a_constant_drive(tmp_path):
    nodes = ports(1, 1) | {"fc": nir.Affine(np.array([[1.0]]), np.array([0.3])), "lif": lif(1, r=2.0, v_leak=-0.1)}
    found = read(written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")]))
    assert found.motif.neurons[0].bias_mv == pytest.approx(0.6)
    assert found.motif.neurons[0].v_rest_mv == -0.1


def test_a_readout_that_weighs_keeps_its_neurons(tmp_path):
    nodes = ports(1, 1) | {"fc": nir.Linear(np.ones((2, 1))), "lif": cuba(2), "out": nir.Linear(np.array([[0.2, -0.3]]))}
    found = read(written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "out"), ("out", "output")]))
    assert found.motif.outputs[0].neurons == ("lif.0", "lif.1")
    assert found.table["output ports"].status == "approximate"


def test_fields_of_one_value_stand_for_all_neurons(tmp_path):
    nodes = ports(2, 3) | {"fc": nir.Linear(np.ones((3, 2))), "lif": lif(1)}
    assert len(read(written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")])).motif.neurons) == 3


def test_a_neuron_of_both_signs_is_refused_or_split(tmp_path):
    nodes = ports(1, 2) | {"fc": nir.Linear(np.ones((2, 1))), "lif": cuba(2), "rec": nir.Linear(np.c_[[0.2, -0.2], [0.3, 0.1]])}
    path = written(tmp_path, nodes, RECURRENT)
    message = refused(path)
    assert "'lif.0'" in message
    assert "--split" in message
    motif = read(path, split=True).motif
    assert [(n.id, n.sign) for n in motif.neurons] == [("lif.0", "E"), ("lif.1", "E"), ("lif.0-inhibitory", "I")]
    inputs = np.random.default_rng(0).random((1, 500, 1)) < 0.3
    spikes = circuits.simulate(motif.circuit, inputs).spikes()
    assert np.array_equal(spikes[..., 0], spikes[..., 2])


def test_inhibition_from_an_input_is_refused(tmp_path):
    nodes = ports(1, 1) | {"fc": nir.Linear(np.array([[-1.0]])), "lif": cuba(1)}
    assert "input" in refused(written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")]))


@pytest.mark.parametrize(
    ("nodes", "edges", "what"),
    [
        ({"t": nir.Threshold(np.ones(1))}, [("input", "t"), ("t", "output")], "Threshold"),
        ({"fc": nir.Linear(np.ones((1, 1)))}, [("input", "fc"), ("fc", "output")], "neurons"),
        ({"a": nir.Linear(np.ones((1, 1))), "lif": lif(1)}, [("a", "a"), ("a", "lif"), ("lif", "output")], "loop"),
        ({"fc": nir.Linear(np.ones((3, 1))), "lif": lif(2)}, [("input", "fc"), ("fc", "lif"), ("lif", "output")], "2 inputs"),
        ({"lif": lif(1, v_threshold=-1.0)}, [("input", "lif"), ("lif", "output")], "v_reset_mv"),
        ({"lif": lif(1, tau=-1.0)}, [("input", "lif"), ("lif", "output")], "tau_m_ms"),
        (
            {"s": nir.LI(np.full(1, 5e-3), np.ones(1), np.zeros(1)), "lif": cuba(1)},
            [("input", "s"), ("s", "lif"), ("lif", "output")],
            "filters twice",
        ),
    ],
)
def test_what_no_motif_has_is_refused_in_one_line(tmp_path, nodes, edges, what):
    assert what in refused(written(tmp_path, ports(1, 1) | nodes, edges))


def test_loading_says_what_was_not_taken_exactly_in_one_line(tmp_path):
    nodes = ports(1, 1) | {"fc": nir.Linear(np.array([[1.0]])), "lif": lif(1)}
    path = written(tmp_path, nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")])
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("circuits").addHandler(handler)
    try:
        circuits.load(path)
    finally:
        logging.getLogger("circuits").removeHandler(handler)
    (record,) = records
    assert "synaptic time constants approximate" in record.getMessage()
    assert "\n" not in record.getMessage()
