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
            names = [name for key, name in files.items() if key.endswith("_file")]
            assert len(names) == 2
            assert all((folder / name.removeprefix("$DIR/")).exists() for name in names)

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


@pytest.mark.parametrize("seed", range(4))
def test_the_reference_reader_opens_the_configuration_and_answers_who_is_connected(tmp_path, seed):
    libsonata = pytest.importorskip("libsonata")
    circuit = random_circuit(np.random.default_rng(seed), neurons=7 + seed)
    folder = export(circuit, "sonata", tmp_path / "out").rename(tmp_path / "moved")
    config = libsonata.CircuitConfig.from_file(str(folder / "config.json"))
    assert config.node_populations == {"motif", "inputs"}
    assert config.edge_populations == {"motif_to_motif", "inputs_to_motif"}
    sizes = {"motif": len(circuit.neurons), "inputs": len(circuit.inputs)}
    assert {name: config.node_population(name).size for name in sizes} == sizes
    assert [config.node_population_properties(name).type for name in sizes] == ["point_neuron", "virtual"]
    place = {n.id: k for k, n in enumerate(circuit.neurons)}
    between = [(place[s.pre], place[s.post]) for s in circuit.synapses]
    afferent = [(c, place[s.post]) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    for name, pairs in (("motif_to_motif", between), ("inputs_to_motif", afferent)):
        edges = config.edge_population(name)
        assert edges.size == len(pairs) > 0
        for k in range(max(sizes.values())):
            assert edges.afferent_edges([k]).flatten().tolist() == [e for e, pair in enumerate(pairs) if pair[1] == k]
            assert edges.efferent_edges([k]).flatten().tolist() == [e for e, pair in enumerate(pairs) if pair[0] == k]
        source, target = pairs[0]
        expected = [e for e, pair in enumerate(pairs) if pair == (source, target)]
        assert edges.connecting_edges([source], [target]).flatten().tolist() == expected
        assert edges.afferent_edges(range(sizes["motif"])).flat_size == len(pairs)

    simulation = libsonata.SimulationConfig.from_file(str(folder / "simulation_config.json"))
    assert (simulation.run.dt, simulation.run.tstop) == (circuit.dt_ms, pytest.approx(json_of(folder)["run"]["tstop"]))
    assert libsonata.CircuitConfig.from_file(simulation.network).node_populations == config.node_populations
    replayed = libsonata.SpikeReader(simulation.input("trial").spike_file)
    assert replayed.get_population_names() == ["inputs"]


def json_of(folder, name="config.json"):
    return json.loads((folder / name).read_text())


def test_every_reader_finds_what_it_asks_for(tmp_path):
    """As NEST's and BMTK's code asks for it: see tests/oracle for NEST itself."""
    circuit = random_circuit(np.random.default_rng(5), plastic="short_term")
    folder = export(circuit, "sonata", tmp_path / "out")
    config, nest = json_of(folder), json_of(folder, "nest.json")
    assert "target_simulator" not in config  # libsonata takes none but those it knows
    assert (config | nest)["target_simulator"] == "NEST"
    assert nest["manifest"] == config["manifest"]
    assert not {"run", "networks", "components", "inputs"} & set(nest)  # these would take the place of those of config.json
    for what in ("node", "edge"):
        assert all({f"{what}s_file", f"{what}_types_file"} < set(files) for files in config["networks"][f"{what}s"])
    assert config["inputs"]["trial"].items() >= {"input_type": "spikes", "module": "h5", "node_set": "inputs"}.items()
    assert {"tstop", "dt"} <= set(config["run"])
    for what in ("node", "edge"):  # BMTK puts the types of all files into one table
        types = [row[f"{what}_type_id"] for name in ("motif", "inputs") for row in rows(folder / f"{name}_{what}_types.csv")]
        assert len(set(types)) == len(types)
    for name in ("motif", "inputs"):
        with h5py.File(folder / f"{name}_edges.h5") as file:
            for index in file[f"edges/{name}_to_motif/indices"].values():
                assert index["node_id_to_range"][:].tolist() == index["node_id_to_ranges"][:].tolist()


def test_a_circuit_without_inputs_or_synapses_opens_too(tmp_path):
    libsonata = pytest.importorskip("libsonata")
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "E", "bias_mv": 20.0}])
    folder = export(circuit, "sonata", tmp_path / "out")
    config = libsonata.CircuitConfig.from_file(str(folder / "config.json"))
    assert (config.node_populations, config.edge_populations) == ({"motif"}, set())
    assert libsonata.SimulationConfig.from_file(str(folder / "simulation_config.json")).list_input_names == []


def test_ids_of_any_kind_are_names_of_nodes(tmp_path):
    libsonata = pytest.importorskip("libsonata")
    names = [0, 1, "1", "<a>\n", "\u795e\u7d4c"]
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": n, "sign": "E", "bias_mv": 20.0} for n in names])
    nodes = libsonata.CircuitConfig.from_file(str(export(circuit, "sonata", tmp_path / "out") / "config.json")).node_population(
        "motif"
    )
    assert nodes.get_attribute("name", nodes.select_all()).tolist() == [str(n) for n in names]


def test_a_name_that_hdf5_cannot_hold_is_refused(tmp_path):
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": "a\x00b", "sign": "E"}])
    with pytest.raises(UserError, match="sonata: a name has a null character"):
        export(circuit, "sonata", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


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
