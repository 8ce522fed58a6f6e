"""A SONATA folder holds the circuit as its files say; tests/oracle runs it."""

import json

import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from circuits.export import export
from tests.reference import random_circuit, random_input

h5py = pytest.importorskip("h5py")


def rows(path):
    """A table of SONATA: {type id: [values]}."""
    head, *lines = [line.split() for line in path.read_text().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.mark.parametrize("seed", range(6))
def test_the_files_hold_neurons_synapses_and_input(tmp_path, seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, plastic=[None, "short_term"][seed % 2])
    trial = random_input(rng, circuit, 1, 100)[0]
    folder = export(circuit, "sonata", tmp_path / "out", example_input=trial)
    config = json.loads((folder / "config.json").read_text())
    assert config["run"] == {"dt": circuit.dt_ms, "tstop": 100 * circuit.dt_ms}
    for kind in config["networks"].values():
        for files in kind:
            assert all((folder / name.removeprefix("$DIR/")).exists() for name in files.values())

    with h5py.File(folder / "motif_nodes.h5") as file:
        nodes = file["nodes/motif"]
        assert [sign.decode() for sign in nodes["0/ei"]] == [n.sign.lower() for n in circuit.neurons]
        types = {int(row["node_type_id"]): row["dynamics_params"] for row in rows(folder / "motif_node_types.csv")}
        for n, kind in zip(circuit.neurons, nodes["node_type_id"][:], strict=True):
            found = json.loads((folder / "neurons" / types[int(kind)]).read_text())
            assert found["V_th"] == n.v_th_mv
            assert found["tau_syn_in"] == n.tau_syn_i_ms
            assert found["C_m"] == found["tau_m"] == n.tau_m_ms
    place = {n.id: k for k, n in enumerate(circuit.neurons)}
    with h5py.File(folder / "motif_edges.h5") as file:
        edges = file["edges/motif_to_motif"]
        assert edges["source_node_id"][:].tolist() == [place[s.pre] for s in circuit.synapses]
        assert edges["target_node_id"][:].tolist() == [place[s.post] for s in circuit.synapses]
        signs = [-1 if circuit.neurons[place[s.pre]].sign == "I" else 1 for s in circuit.synapses]
        weights = [sign * s.weight_mv for sign, s in zip(signs, circuit.synapses, strict=True)]
        assert edges["0/syn_weight"][:].tolist() == weights
        assert edges["0/delay"][:] == pytest.approx([s.delay_ms for s in circuit.synapses])
        kinds = {row["edge_type_id"]: row["model_template"] for row in rows(folder / "motif_edge_types.csv")}
        models = [kinds[str(kind)] for kind in edges["edge_type_id"][:]]
        assert models == ["tsodyks2_synapse" if s.short_term else "static_synapse" for s in circuit.synapses]
    with h5py.File(folder / "inputs.h5") as file:
        spikes = file["spikes/inputs"]
        step = np.rint(spikes["timestamps"][:] / circuit.dt_ms).astype(int) - 1
        assert sorted(zip(step, spikes["node_ids"][:], strict=True)) == sorted(zip(*np.nonzero(trial), strict=True))


def test_the_reference_reader_reads_it_all(tmp_path):
    libsonata = pytest.importorskip("libsonata")
    circuit = random_circuit(np.random.default_rng(4))
    folder = export(circuit, "sonata", tmp_path / "out")
    nodes = libsonata.NodeStorage(str(folder / "motif_nodes.h5")).open_population("motif")
    everyone = libsonata.Selection(range(nodes.size))
    assert list(nodes.get_attribute("ei", everyone)) == [n.sign.lower() for n in circuit.neurons]
    edges = libsonata.EdgeStorage(str(folder / "motif_edges.h5")).open_population("motif_to_motif")
    assert (edges.source, edges.target, edges.size) == ("motif", "motif", len(circuit.synapses))
    weights = edges.get_attribute("syn_weight", libsonata.Selection(range(edges.size)))
    assert np.abs(weights).tolist() == [s.weight_mv for s in circuit.synapses]
    spikes = libsonata.SpikeReader(str(folder / "inputs.h5"))["inputs"]
    with np.load(folder / "example.npz", allow_pickle=False) as example:
        assert len(spikes.get()) == example["inputs"].sum()
    assert spikes.sorting == "by_time"
    sets = libsonata.NodeSets.from_file(str(folder / "node_sets.json"))
    assert sets.names == {port.name for port in circuit.outputs}


def test_output_ports_are_node_sets_in_order(tmp_path):
    circuit = random_circuit(np.random.default_rng(1))
    folder = export(circuit, "sonata", tmp_path / "out")
    sets = json.loads((folder / "node_sets.json").read_text())
    ids = [n.id for n in circuit.neurons]
    for port in circuit.outputs:
        assert [ids[k] for k in sets[port.name]["node_id"]] == list(port.neurons)


def test_a_step_that_the_reader_does_not_take_is_refused(tmp_path):
    circuit = circuits.Circuit(dt_ms=0.0625, neurons=[{"id": 0, "sign": "E", "bias_mv": 20.0}])
    with pytest.raises(UserError, match=r"sonata: time step cannot be exported: .* not 0\.0625 ms; use --to brian2"):
        export(circuit, "sonata", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
