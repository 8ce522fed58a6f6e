"""SONATA networks as BMTK and others write them."""

import json

import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from circuits.imports import read

h5py = pytest.importorskip("h5py")
POINT = {"C_m": 200.0, "tau_m": 20.0, "E_L": -70.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 1.0, "tau_syn_ex": 3.0}


def text(values):
    return np.array(values, h5py.string_dtype())


@pytest.fixture
def network(tmp_path):
    """A network in the manner of the published examples: an excitatory and an inhibitory cell type, virtual sources, types with
    quotes and NULL, weights in the edges, delays in the types, a manifest with nested variables."""
    config = {
        "manifest": {"$BASE_DIR": "${configdir}", "$NETWORK_DIR": "$BASE_DIR/network", "$MODELS": "./components"},
        "components": {"point_neuron_models_dir": "$MODELS/cells", "synaptic_models_dir": "${MODELS}/synapses"},
        "networks": {
            "nodes": [
                {"nodes_file": "$NETWORK_DIR/v1_nodes.h5", "node_types_file": "$NETWORK_DIR/v1_node_types.csv"},
                {"nodes_file": "$NETWORK_DIR/lgn_nodes.h5", "node_types_file": "$NETWORK_DIR/lgn_node_types.csv"},
            ],
            "edges": [
                {"edges_file": "$NETWORK_DIR/v1_v1_edges.h5", "edge_types_file": "$NETWORK_DIR/v1_v1_edge_types.csv"},
                {"edges_file": "$NETWORK_DIR/lgn_v1_edges.h5", "edge_types_file": "$NETWORK_DIR/lgn_v1_edge_types.csv"},
            ],
        },
        "run": {"dt": 0.1, "tstop": 100.0},
        "node_sets_file": "node_sets.json",
    }
    (tmp_path / "circuit_config.json").write_text(json.dumps(config))
    sets = {"exc": {"population": "v1", "node_id": [0, 1]}, "everyone": {"model_type": "point_neuron"}}
    (tmp_path / "node_sets.json").write_text(json.dumps(sets))
    for name in ("network", "components/cells", "components/synapses"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "components/cells/exc.json").write_text(json.dumps(POINT))
    (tmp_path / "components/cells/inh.json").write_text(json.dumps(POINT | {"tau_m": 10.0}))
    (tmp_path / "components/synapses/static.json").write_text("{}")
    folder = tmp_path / "network"
    (folder / "v1_node_types.csv").write_text(
        "node_type_id ei pop_name model_type model_template dynamics_params location\n"
        '100 e "L4 exc" point_neuron nest:iaf_psc_exp exc.json VisL4\n'
        "101 i PV1 point_process nest:iaf_psc_exp inh.json NULL\n"
    )
    (folder / "lgn_node_types.csv").write_text("node_type_id model_type dynamics_params\n200 virtual NULL\n")
    (folder / "v1_v1_edge_types.csv").write_text(
        "edge_type_id target_query source_query delay dynamics_params model_template weight_function\n"
        "100 ei=='e' ei=='e' 2.0 static.json nest:static_synapse NULL\n"
        "101 * ei=='i' 1.5 static.json static_synapse NULL\n"
    )
    (folder / "lgn_v1_edge_types.csv").write_text("edge_type_id syn_weight delay\n300 50.0 1.0\n")
    with h5py.File(folder / "v1_nodes.h5", "w") as file:
        group = file.create_group("nodes/v1")
        group["node_type_id"], group["node_id"] = [100, 100, 101], [0, 1, 2]
        group["node_group_id"], group["node_group_index"] = [0, 0, 0], [0, 1, 2]
        group["0/x"] = [1.0, 2.0, 3.0]
        group["0/dynamics_params/V_th"] = [-50.0, -52.0, -50.0]
    with h5py.File(folder / "lgn_nodes.h5", "w") as file:
        file.create_group("nodes/lgn")["node_type_id"] = [200, 200]
    edges(
        folder / "v1_v1_edges.h5", "v1_to_v1", [0, 1, 2], [1, 2, 0], [100, 100, 101], "v1", "v1", syn_weight=[20.0, 30.0, -40.0]
    )
    edges(folder / "lgn_v1_edges.h5", "lgn_to_v1", [0, 1], [0, 1], [300, 300], "lgn", "v1", nsyns=[1, 3])
    return tmp_path


def edges(path, name, sources, targets, types, source, target, **attributes):
    with h5py.File(path, "w") as file:
        group = file.create_group(f"edges/{name}")
        group["source_node_id"], group["target_node_id"], group["edge_type_id"] = sources, targets, types
        group["source_node_id"].attrs["node_population"] = source
        group["target_node_id"].attrs["node_population"] = np.bytes_(target)
        group["edge_group_id"], group["edge_group_index"] = np.zeros(len(types), "u4"), np.arange(len(types), dtype="u8")
        group.create_group("0")
        for key, values in attributes.items():
            group[f"0/{key}"] = values


def edit(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def refused(path):
    with pytest.raises(UserError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_network_of_point_neurons_is_a_motif(network):
    found = read(network)
    motif = found.motif
    assert motif == read(network / "circuit_config.json").motif == circuits.load(network)
    assert [(n.id, n.sign, n.type) for n in motif.neurons] == [("0", "E", "L4 exc"), ("1", "E", "L4 exc"), ("2", "I", "PV1")]
    assert [n.v_th_mv for n in motif.neurons] == [-50.0, -52.0, -50.0]
    assert [n.tau_m_ms for n in motif.neurons] == [20.0, 20.0, 10.0]
    assert motif.neurons[0].tau_syn_e_ms == 3.0
    assert motif.neurons[0].tau_syn_i_ms == 2.0  # NEST's default
    resistance = 20.0 / 200.0  # mV per pA
    assert [(s.pre, s.post, s.delay_ms) for s in motif.synapses] == [("0", "1", 2.0), ("1", "2", 2.0), ("2", "0", 1.5)]
    assert [s.weight_mv for s in motif.synapses] == pytest.approx([20 * resistance, 30 * 10 / 200, 40 * resistance])
    assert [c.name for c in motif.inputs] == ["lgn.0", "lgn.1"]
    assert [c.synapses[0].weight_mv for c in motif.inputs] == pytest.approx([5.0, 15.0])
    assert [(port.name, port.neurons) for port in motif.outputs] == [("exc", ("0", "1"))]
    assert motif.dt_ms == 0.1
    assert found.table["weights"] == ("exact", "syn_weight times nsyns")
    assert found.table["nodes' location, x"].status == "dropped"
    assert found.table["node sets everyone"].status == "dropped"


def test_nest_runs_the_same_numbers(network):
    """One neuron by hand: the exact integration of iaf_psc_exp, in pA and pF."""
    motif = read(network).motif
    inputs = np.zeros((1, 600, 2), bool)
    inputs[0, 10:400:6, 1] = True
    fired = np.flatnonzero(circuits.simulate(motif.circuit, inputs, dtype="float64").spikes()[0, :, 1])
    v, current, spikes, held = 0.0, 0.0, [], 0
    p11, p22 = np.exp(-0.1 / 3), np.exp(-0.1 / 20)
    p21 = 1 / 200 * (p11 - p22) / (1 / 20 - 1 / 3)
    for k in range(600):
        v = 5.0 if held > 0 else v * p22 + current * p21
        held -= 1
        current = current * p11 + (150.0 if k >= 10 and inputs[0, k - 10, 1] else 0)
        if v >= 18.0:
            spikes.append(k)
            v, held = 5.0, 10
    assert len(spikes) >= 1
    assert fired.tolist() == spikes


def test_a_simulation_config_names_the_circuit(network):
    (network / "circuit_config.json").rename(network / "net.json")
    simulation = {"manifest": {"$BASE_DIR": "."}, "network": "$BASE_DIR/net.json", "run": {"dt": 0.5, "tstop": 10}}
    (network / "simulation_config.json").write_text(json.dumps(simulation))
    edit(network / "net.json", lambda c: c.pop("run"))
    assert read(network).motif.dt_ms == 0.5


def test_delta_synapses_are_approximated(network):
    table = network / "network/v1_node_types.csv"
    table.write_text(table.read_text().replace("iaf_psc_exp", "iaf_psc_delta"))
    found = read(network)
    assert found.table["synaptic time constants"].status == "approximate"
    synapse, neuron = found.motif.synapses[0], found.motif.neurons[1]
    assert synapse.weight_mv * neuron.tau_syn_e_ms / neuron.tau_m_ms == pytest.approx(20.0)  # mV, what the spike moves V by


@pytest.mark.parametrize("model", ["nest:iaf_psc_alpha", "nest:glif_psc", "nrn:IntFire1", "nest:iaf_cond_exp", "NULL"])
def test_other_neurons_are_refused_by_name(network, model):
    table = network / "network/v1_node_types.csv"
    table.write_text(table.read_text().replace("nest:iaf_psc_exp", model))
    message = refused(network)
    assert "node 0 of 'v1'" in message
    assert "iaf_psc_exp" in message


def test_biophysical_cells_are_refused(network):
    table = network / "network/v1_node_types.csv"
    table.write_text(table.read_text().replace("point_neuron", "biophysical"))
    assert "'biophysical'" in refused(network)


def test_a_neuron_of_both_signs_is_refused_or_split(network):
    path = network / "network/v1_v1_edges.h5"
    edges(path, "v1_to_v1", [0, 0, 2], [1, 2, 0], [100, 100, 101], "v1", "v1", syn_weight=[20.0, -30.0, -40.0])
    assert "neuron '0' excites some and inhibits others" in refused(network)
    motif = read(network, split=True).motif
    assert [(n.id, n.sign) for n in motif.neurons][-1] == ("0-inhibitory", "I")
    assert {s.post for s in motif.synapses if s.pre == "2"} == {"0", "0-inhibitory"}


def test_the_weights_count_where_they_contradict_ei(network):
    path = network / "network/v1_v1_edges.h5"
    edges(path, "v1_to_v1", [0, 1, 2], [1, 2, 0], [100, 100, 101], "v1", "v1", syn_weight=[20.0, 30.0, 40.0])
    found = read(network)
    assert [n.sign for n in found.motif.neurons] == ["E", "E", "E"]
    assert "'2' is declared I" in found.table["signs (Dale's law)"].how


def test_synapses_with_other_models_are_refused(network):
    table = network / "network/v1_v1_edge_types.csv"
    table.write_text(table.read_text().replace("nest:static_synapse", "stdp_synapse"))
    assert "stdp_synapse" in refused(network)


def test_code_for_weights_is_refused(network):
    edges(network / "network/v1_v1_edges.h5", "v1_to_v1", [0], [1], [100], "v1", "v1")
    table = network / "network/v1_v1_edge_types.csv"
    table.write_text(table.read_text().replace("static_synapse NULL", "static_synapse wmax"))
    assert "weight_function" in refused(network)


@pytest.mark.parametrize("place", ["/etc/passwd", "../outside.csv", "$OUT/x.csv", "link.csv"])
def test_nothing_outside_of_the_folder_is_read(network, place):
    (network.parent / "outside.csv").write_text("node_type_id\n")
    (network / "link.csv").symlink_to(network.parent / "outside.csv")

    def change(config):
        config["manifest"]["$OUT"] = "/tmp"
        config["networks"]["nodes"][0]["node_types_file"] = place

    edit(network / "circuit_config.json", change)
    assert "leads out of the folder" in refused(network)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c["manifest"].update({"$A": "$B", "$B": "$A", "$NETWORK_DIR": "$A"}), "without end"),
        (lambda c: c["manifest"].pop("$NETWORK_DIR"), "$NETWORK_DIR is not in the manifest"),
        (lambda c: c["networks"].update({"nodes": 3}), "networks.nodes"),
        (lambda c: c["networks"]["nodes"][0].pop("nodes_file"), "must name files by text"),
        (lambda c: c["networks"]["nodes"].pop(0), "there is no node"),
        (lambda c: c["networks"]["edges"][0].update({"edges_file": "network/none.h5"}), "there is no such file"),
        (lambda c: c["networks"]["edges"][0].update({"edges_file": "node_sets.json"}), "no HDF5 file"),
        (lambda c: c["networks"]["edges"][0].update({"edges_file": "network/v1_nodes.h5"}), "no SONATA edges"),
    ],
)
def test_a_wrong_configuration_is_one_line(network, change, what):
    edit(network / "circuit_config.json", change)
    assert what in refused(network)


def test_edges_to_nobody_are_one_line(network):
    edges(network / "network/v1_v1_edges.h5", "v1_to_v1", [0], [9], [100], "v1", "v1", syn_weight=[1.0])
    assert "there is no node 9 in a population 'v1'" in refused(network)


def test_a_folder_of_something_else_is_one_line(tmp_path):
    assert "SONATA" in refused(tmp_path)
