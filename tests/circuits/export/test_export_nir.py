"""NIR graphs: what they are made of, that they say what the simulator does, and that they survive a file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from circuits.export import export, nir_steps
from circuits.motif_file import Motif, loads
from tests.reference import random_circuit, random_input

pytestmark = pytest.mark.long

nir = pytest.importorskip("nir")


@pytest.fixture(scope="module")
def small():
    """Circuits of a few neurons with one trial each: [(circuit, bool [steps, channels])]."""
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        circuit = random_circuit(rng, neurons=int(rng.integers(1, 6)), dt_ms=1.0 if seed < 7 else 0.1)
        found.append((circuit, random_input(rng, circuit, 1, 300)[0]))
    return found


@pytest.fixture(scope="module")
def exported(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nir")
    return [export(circuit, "nir", folder / str(k), trial) for k, (circuit, trial) in enumerate(small[:2])]


def test_the_equations_have_the_spikes_of_the_simulator(exported):
    for folder in exported:
        checks = json.loads((folder / "export.json").read_text())["checks"]
        assert checks[0].startswith("motif.nir, by NIR's equations: identical to the simulator, ")
        spikes = int(checks[0].partition("simulator, ")[2].partition(" ")[0])
        assert spikes > 0


def test_what_is_lost_without_refractory_periods_is_said(exported, small):
    for folder, (circuit, _) in zip(exported, small, strict=False):
        checks = json.loads((folder / "export.json").read_text())["checks"]
        if any(n.t_ref_ms > circuit.dt_ms for n in circuit.neurons):
            assert "motif.nir without refractory periods, by NIR's equations: approximates the simulator" in checks[1]


def test_graphs_survive_a_file(exported):
    for folder in exported:
        for name in ("motif.nir", "older.nir", "steps.nir", "spikingjelly.nir"):
            graph = nir.read(folder / name)
            nir.write(folder / "again", graph)
            again = nir.read(folder / "again")
            (folder / "again").unlink()
            assert sorted(again.edges) == sorted(graph.edges)
            for key, node in graph.nodes.items():
                assert again.nodes[key].metadata.keys() == node.metadata.keys()
                for field, value in node.to_dict().items():
                    assert field == "metadata" or np.array_equal(again.nodes[key].to_dict()[field], value)


def test_signs_stay_apart_in_linear_nodes(exported):
    for folder in exported:
        graph = nir.read(folder / "motif.nir")
        assert {type(node).__name__ for node in graph.nodes.values()} <= {"Input", "Output", "Linear", "Delay", "LI", "LIF"}
        for name, node in graph.nodes.items():
            if name.endswith("_weights"):
                assert (node.weight <= 0).all() if name == "inhibitory_weights" else (node.weight >= 0).all()


def test_the_file_alone_holds_the_motif(exported):
    for folder in exported:
        assert loads(nir.read(folder / "motif.nir").metadata["motif"]) == circuits.load(folder / "motif.json")


def test_older_readers_find_nothing_that_they_refuse(exported):
    h5py = pytest.importorskip("h5py")
    for folder in exported:
        with h5py.File(folder / "older.nir") as file:
            names: list[str] = []
            file.visit(names.append)
        assert not [name for name in names if "metadata" in name or "v_reset" in name]


def run(made, inputs, channels):
    """The motif's spikes, as the frameworks step them: bool [steps, neurons]."""
    x = np.ones((len(inputs), made.from_inputs.shape[1]))
    x[:, :channels] = inputs
    i = v = spikes = np.zeros(len(made.alpha))
    found = []
    for row in x:
        i = made.alpha * i + made.from_inputs @ row + made.recurrent @ spikes
        v = made.beta * v + i
        spikes = (v > 1).astype(float)
        v = np.where(v > 1, 0, v)
        found.append(made.read @ spikes)
    return np.array(found)


def test_steps_have_the_spikes_of_the_simulator(small):
    total = relays = 0
    for circuit, trial in small:
        made = nir_steps.steps(Motif.of(circuit))
        found = run(made, trial, len(circuit.inputs))
        assert np.array_equal(found, circuits.simulate(circuit, trial[None]).spikes()[0])
        total, relays = total + found.sum(), relays + len(made.alpha) - len(circuit.neurons)
    assert total > 500
    assert relays > 1000
    assert {round(n.t_ref_ms / c.dt_ms) for c, _ in small for n in c.neurons} == {0, 1, 20}


def test_a_motif_at_rest_at_its_reset_needs_no_input_that_is_always_on():
    plain = {"id": "a", "sign": "E", "v_rest_mv": -70.0, "v_reset_mv": -70.0}
    inputs = [{"name": "in", "synapses": [{"post": "a", "weight_mv": 60.0, "delay_ms": 1.0}]}]
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[plain], inputs=inputs)
    assert nir_steps.steps(Motif.of(circuit)).from_inputs.shape[1] == 1
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[plain | {"bias_mv": 1.0}], inputs=inputs)
    assert nir_steps.steps(Motif.of(circuit)).from_inputs.shape[1] == 2


def test_where_relays_would_be_too_many_the_equations_alone_are_exported(tmp_path):
    neurons = [{"id": k, "sign": "I", "tau_syn_i_ms": 200.0} for k in range(2)]
    circuit = circuits.Circuit(
        dt_ms=0.05,
        neurons=neurons,
        inputs=[{"name": "in", "synapses": [{"post": k, "weight_mv": 60.0, "delay_ms": 1.0} for k in range(2)]}],
        synapses=[{"pre": 0, "post": 1, "weight_mv": 10.0, "delay_ms": 1.0}],
    )
    folder = export(circuit, "nir", tmp_path / "out")
    assert sorted(p.name for p in folder.glob("*.nir")) == ["motif.nir", "older.nir"]
    assert "left out: they would need" in (folder / "README.md").read_text()
    assert list(json.loads((folder / "export.json").read_text())["features"]) == ["motif.nir", "older.nir"]


@pytest.mark.parametrize("inputs", [[], [{"name": "in"}]])
def test_a_motif_without_input_is_refused(tmp_path, inputs):
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "E", "bias_mv": 20.0}], inputs=inputs)
    with pytest.raises(UserError, match="nir: other tools cannot run a graph without input"):
        export(circuit, "nir", tmp_path / "out")


def test_the_script_runs_where_evocircuits_is_not(exported):
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    hide = "import runpy, sys; sys.modules['circuits'] = None; sys.path.insert(0, '.')"
    hidden = f"{hide}; runpy.run_path('run.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", hidden], cwd=Path(exported[0]), env=surroundings, capture_output=True, text=True, timeout=120
    )
    assert "identical to the simulator" in done.stdout, done.stderr
