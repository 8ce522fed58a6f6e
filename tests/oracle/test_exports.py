"""What is exported runs where its tool is installed and evocircuits is not, and gives the simulator's spikes."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

import fitness
from circuits import Circuit
from circuits.export import export
from fitness.references import FOLDER
from tests.oracle import drawing
from tests.oracle.oracles import ROOT, report
from tests.reference import random_circuit, random_input

pytestmark = pytest.mark.oracle
STEPS = 300


def python_of(environment):
    python = ROOT / f".venv-{environment}/bin/python"
    if not python.exists():
        pytest.skip(f"there is no .venv-{environment}; make oracle installs it")
    return python


def drawn(count, **options):
    """Random circuits, each with a trial."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        circuit = random_circuit(rng, **options)
        found.append((circuit, random_input(rng, circuit, 1, STEPS)[0]))
    return found


def references():
    """The tasks' reference circuits, without noise, each with a trial of its task; None where a closed loop makes the input."""
    found = []
    for name in sorted(path.stem for path in FOLDER.glob("*.json")):
        circuit = fitness.reference(name).circuit.model_copy(update={"noise_mv": 0.0})
        spikes = fitness.task(name).trials(seed=1, count=8).spikes
        lively = [trial for trial in np.asarray(spikes, bool) if trial.any()]
        found.append((circuit, lively[0] if lively else None))
    return found


def plastic(circuit):
    everything = [*circuit.synapses, *(s for channel in circuit.inputs for s in channel.synapses)]
    return {kind for kind in ("short_term", "stdp") for s in everything if getattr(s, kind)}


def ran(environment, target, cases, folder, *arguments, exported=None):
    """What the scripts of the exported circuits say: [(exit code, sentence)]."""
    python = python_of(environment)
    folders = exported or [export(c, target, folder / str(k), trial) for k, (c, trial) in enumerate(cases)]
    asked = [f"--{argument}" for argument in arguments]
    command = [python, "-m", "tests.oracle.run_exports", *asked, *folders]
    surroundings = os.environ | {"PYNEST_QUIET": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"code"')]
    assert len(answers) == len(folders), done.stderr[-4000:]
    return [(answer["code"], answer["says"]) for answer in answers]


def identical(answers, what):
    """All say that they are identical to the simulator; how many spikes they compared."""
    wrong = [f"{k}: {says}" for k, (code, says) in enumerate(answers) if code or ": identical to the simulator, " not in says]
    spikes = sum(
        int(re.search(r"simulator, (\d+) spikes", says)[1]) for code, says in answers if not code and "identical" in says
    )
    report(f"{what}: {len(wrong)} of {len(answers)} exports differ, {spikes} spikes")
    assert not wrong, "\n".join(wrong)
    return spikes


def drift(answers, what):
    """How close those are that need not be identical: shares of exports, of spikes in the same step, of spikes within 1 ms."""
    assert not [says for code, says in answers if code], answers
    same, near, spikes = [], [], 0
    for _, says in answers:
        spikes += int(re.search(r"(?:simulator, |here, )(\d+)", says)[1])
        shares = re.search(r"([\d.]+)% of spikes are in the same step, ([\d.]+)% within 1 ms", says)
        same.append(float(shares[1]) / 100 if shares else 1.0)
        near.append(float(shares[2]) / 100 if shares else 1.0)
    whole = np.mean(["identical" in says for _, says in answers])
    report(
        f"{what}: {whole:.3f} of {len(answers)} exports identical, {np.mean(same):.4f} of spikes in the same step "
        f"(least {min(same):.3f}), {np.mean(near):.4f} within 1 ms, {spikes} spikes"
    )
    return whole, np.mean(same), np.mean(near)


SIMULATORS = [
    ("nest", "lif_psc_exp", None, 30),
    ("nest", "lif_psc_exp", "short_term", 20),
    ("brian2", "lif_psc_exp", None, 30),
    ("brian2", "lif_psc_exp", "both", 20),
    ("brian2", "alif_psc_exp", None, 20),
    ("brian2", "lif_cond_exp", None, 20),
    ("brian2", "izhikevich", None, 20),
    ("brian2", "aeif_psc_exp", None, 20),
]


@pytest.mark.parametrize(("target", "model", "kind", "count"), SIMULATORS)
def test_the_script_gives_the_simulators_spikes(tmp_path, target, model, kind, count):
    cases = drawn(count, neuron_model=model, plastic=kind)
    answers = ran(target, target, cases, tmp_path)
    assert identical(answers, f"{target}, {model}, {kind or 'static'}") > 500


DRIVEN = [
    ("nest", "lif_psc_exp"),
    ("brian2", "lif_psc_exp"),
    ("brian2", "alif_psc_exp"),
    ("brian2", "izhikevich"),
    ("brian2", "aeif_psc_exp"),
]


@pytest.mark.parametrize(("target", "model"), DRIVEN)
def test_sampled_inputs_give_the_simulators_spikes(tmp_path, target, model):
    """In NEST a step_current_generator on the second port, in Brian2 a TimedArray; the example's drive is smoothed noise."""
    cases = [(circuit, None) for circuit, _ in drawing.asked(20, drawing.sampled, neuron_model=model)]
    assert sum(channel.signal is not None for circuit, _ in cases for channel in circuit.inputs) > 15
    assert identical(ran(target, target, cases, tmp_path), f"{target}, {model}, sampled inputs") > 200


@pytest.mark.parametrize(("target", "refused"), [("nest", {"stdp"}), ("brian2", set()), ("sonata", {"stdp"})])
def test_the_reference_circuits_give_the_simulators_spikes_in_their_tasks(tmp_path, target, refused):
    cases = [(circuit, trial) for circuit, trial in references() if not plastic(circuit) & refused]
    assert len(cases) >= 20
    answers = ran("nest" if target == "sonata" else target, target, cases, tmp_path)
    assert identical(answers, f"{target}, reference circuits") > 200


def steps_of(dt_ms):
    """A neuron that is driven, and drives another, at a time step of its own."""
    neurons = [{"id": 0, "sign": "E", "t_ref_ms": 2 * dt_ms}, {"id": "0", "sign": "I", "bias_mv": 20.0, "t_ref_ms": 2 * dt_ms}]
    pairs = [("0", 0, 30.0), (0, 0, 3.0), (0, "0", 5.0)]
    return Circuit(
        dt_ms=dt_ms,
        neurons=neurons,
        inputs=[
            {"name": "none"},
            {"name": "some more", "synapses": [{"post": 0, "weight_mv": w, "delay_ms": dt_ms} for w in (0.0, 120.0)]},
        ],
        synapses=[{"pre": pre, "post": post, "weight_mv": w, "delay_ms": 5 * dt_ms} for pre, post, w in pairs],
        outputs=[{"name": "an output", "neurons": [0, 0]}],
    )


@pytest.mark.parametrize("target", ["nest", "brian2"])
def test_time_steps_of_any_length_and_circuits_without_this_or_that(tmp_path, target):
    cases = [(steps_of(dt_ms), None) for dt_ms in (0.0625, 1 / 3, 0.0005, 0.7)]
    cases.append((Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "I", "bias_mv": 20.0}]), None))
    silent = {"name": "in", "synapses": [{"post": "a b", "weight_mv": 1.0, "delay_ms": 1.0}]}
    cases.append((Circuit(dt_ms=1.0, neurons=[{"id": "a b", "sign": "E"}], inputs=[silent]), None))
    assert identical(ran(target, target, cases, tmp_path), f"{target}, odd circuits") > 20


@pytest.mark.parametrize("environment", ["nest", "nest-hdf5"])
@pytest.mark.parametrize("kind", [None, "short_term"])
def test_the_sonata_network_gives_the_simulators_spikes(tmp_path, environment, kind):
    """In .venv-nest-hdf5, which nothing here installs, a NEST compiled with HDF5 reads all of it; else h5py reads the edges."""
    answers = ran(environment, "sonata", drawn(25, plastic=kind), tmp_path)
    assert all(("edges by h5py" in says) == (environment == "nest") for _, says in answers)
    assert identical(answers, f"sonata in {environment}, {kind or 'static'}") > 500


@pytest.mark.parametrize(("model", "least"), [("lif_cond_exp", 0.9), ("aeif_psc_exp", 0.7)])
def test_what_nest_solves_otherwise_is_close(tmp_path, model, least):
    answers = ran("nest", "nest", drawn(20, neuron_model=model, dt_ms=0.1), tmp_path)
    assert drift(answers, f"nest, {model}, dt 0.1 ms")[2] > least


@pytest.mark.parametrize("target", ["nest", "brian2", "sonata"])
def test_the_script_runs_by_itself_in_another_place(tmp_path, target):
    """As people run it: the folder moved, nothing of ours to import, from elsewhere."""
    python = python_of("nest" if target == "sonata" else target)
    ((circuit, trial),) = drawn(1)
    moved = export(circuit, target, tmp_path / "out", trial).rename(tmp_path / "moved")
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, moved / "run.py"], cwd="/", env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ": identical to the simulator, " in done.stdout


@pytest.mark.parametrize("target", ["nest", "brian2"])
def test_a_script_finds_out_that_its_motif_is_another(tmp_path, target):
    python = python_of(target)
    ((circuit, trial),) = drawn(1)
    folder = export(circuit, target, tmp_path / "out", trial)
    motif = json.loads((folder / "motif.json").read_text())
    for synapse in motif["inputs"][0]["synapses"]:
        synapse["delay_ms"] += circuit.dt_ms
    (folder / "motif.json").write_text(json.dumps(motif))
    done = subprocess.run([python, folder / "run.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert ": NOT identical to the simulator: " in done.stderr


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """NIR folders of 60 random circuits and of the reference circuits without plasticity: (random, references)."""
    pytest.importorskip("nir")
    folder = tmp_path_factory.mktemp("nir")
    cases = drawn(50, dt_ms=1.0) + drawn(10, dt_ms=0.1, neurons=3)
    mine = [export(circuit, "nir", folder / f"r{k}", trial) for k, (circuit, trial) in enumerate(cases)]
    static = [(circuit, trial) for circuit, trial in references() if not plastic(circuit)]
    theirs = [export(circuit, "nir", folder / f"t{k}", trial) for k, (circuit, trial) in enumerate(static)]
    assert len(theirs) >= 20
    yield mine, theirs
    shutil.rmtree(folder)


@pytest.mark.parametrize("framework", ["snntorch", "norse", "spikingjelly"])
def test_the_frameworks_own_readers_make_the_same_circuit_of_steps_nir(graphs, tmp_path, framework):
    for folders, what in zip(graphs, ("random circuits", "reference circuits"), strict=True):
        folders = [folder for folder in folders if (folder / "steps.nir").exists()]
        assert len(folders) >= 20
        answers = ran(framework, "nir", None, tmp_path, framework, exported=folders)
        whole, same, near = drift(answers, f"nir in {framework}, float32, {what}")
        assert whole > 0.8
        assert same > 0.95
        assert near > 0.98


def test_the_equations_are_the_simulators_but_for_refractory_periods(graphs, tmp_path):
    for folders, what in zip(graphs, ("random circuits", "reference circuits"), strict=True):
        checks = [json.loads((folder / "export.json").read_text())["checks"] for folder in folders]
        identical([(0, check[0]) for check in checks], f"motif.nir by its equations, {what}")
        drift([(0, check[1]) for check in checks], f"motif.nir without refractory periods, {what}")


def test_an_older_nir_reads_what_is_exported_for_it_and_not_the_rest(graphs, tmp_path):
    for folders, what in zip(graphs, ("random circuits", "reference circuits"), strict=True):
        drift(ran("nir-older", "nir", None, tmp_path, "older", exported=folders), f"older.nir in nir 1.0.4, {what}")
    done = subprocess.run([python_of("nir-older"), folders[0] / "run.py"], capture_output=True, text=True, check=False)
    assert "unexpected keyword argument" in done.stderr
