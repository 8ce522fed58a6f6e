"""Exports leave whole or not at all, and carry their own check."""

import json
import os
import re
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import circuits
from circuits.errors import MachineError, UserError
from circuits.export import TARGETS, export, summary
from circuits.export.script_folder import SCRIPTS
from circuits.neurons import MODELS
from tests.in_process import completed

NAMED = (
    *(f"{model} neurons" for model in MODELS),
    *("signs (Dale's law)", "weights", "delays", "synaptic time constants", "thresholds", "resets", "start at rest"),
    *("refractory periods", "bias", "short_term synapses", "stdp synapses", "membrane noise", "time step"),
    *("input channels", "sampled inputs", "output ports", "cell types", "provenance"),
)
CODE = Path(circuits.__file__).resolve().parents[1]


@pytest.fixture
def motif():
    circuit = circuits.Circuit(
        dt_ms=0.5,
        neurons=[{"id": "a", "sign": "E", "bias_mv": 3.0}, {"id": "b", "sign": "E"}, {"id": "i", "sign": "I"}],
        inputs=[{"name": "in", "synapses": [{"post": p, "weight_mv": 60.0, "delay_ms": 1.5} for p in "abi"]}],
        synapses=[
            {"pre": "a", "post": "b", "weight_mv": 9.1, "delay_ms": 0.5},
            {"pre": "i", "post": "b", "weight_mv": 12.3, "delay_ms": 2.0},
            {"pre": "b", "post": "b", "weight_mv": 1.7, "delay_ms": 4.0},
        ],
        outputs=[{"name": "early", "neurons": ["a"]}, {"name": "both", "neurons": ["a", "b"]}],
    )
    return circuits.Motif.of(circuit, run="r", seed=1)


def run_load(folder):
    environment = os.environ | {"PYTHONPATH": str(CODE), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(folder / "load.py")]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder.parent, timeout=120)


def load_here(folder):
    """As `run_load`, in this process."""
    return completed(lambda: runpy.run_path("load.py", run_name="__main__"), folder, ["load.py"])


def test_a_motif_is_exported_as_its_file(motif, tmp_path):
    path = export(motif, "motif", tmp_path / "deep" / "m.json")
    assert circuits.load(path) == motif


@pytest.mark.long
def test_the_torch_folder_reproduces_the_simulator_by_itself_and_says_that_it_was_checked(motif, tmp_path):
    pytest.importorskip("torch")
    folder = export(motif, "torch", tmp_path / "out")
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "example.npz",
        "export.json",
        "load.py",
        "motif.json",
        "weights.safetensors",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with np.load(folder / "example.npz", allow_pickle=False) as example:
        inputs, outputs = example["inputs"], example["outputs"]
    assert inputs.shape == (1, 400, 1)
    assert inputs.dtype == outputs.dtype == bool
    assert np.array_equal(outputs, circuits.simulate(motif.circuit, inputs).outputs.spikes())
    (check,) = json.loads((folder / "export.json").read_text())["checks"]
    assert "identical to the simulator" in check
    assert check in (folder / "README.md").read_text()
    found = run_load(folder)
    assert found.returncode == 0, found.stderr
    a, b = outputs[0, :, 0].sum(), outputs[0, :, 2].sum()
    assert a > 0
    assert b > 0
    assert found.stdout.splitlines() == [f"early: [{a}] spikes", f"both: [{a}, {b}] spikes", "identical to the simulator"]
    moved = folder.rename(tmp_path / "moved")
    stored = json.loads((moved / "motif.json").read_text())
    stored["inputs"][0]["synapses"][0]["delay_ms"] += 0.5
    (moved / "motif.json").write_text(json.dumps(stored))
    found = load_here(moved)
    assert found.returncode != 0
    assert "NOT identical" in found.stderr


@pytest.mark.long
def test_the_exported_weights_are_the_motifs(motif, tmp_path):
    pytest.importorskip("torch")
    from safetensors.numpy import load_file

    stored = load_file(export(motif, "torch", tmp_path / "out") / "weights.safetensors")
    assert stored["excitatory.free"].tolist() == [9.1, 1.7]
    assert stored["inhibitory.free"].tolist() == [12.3]


@pytest.mark.long
def test_a_bare_circuit_without_inputs_or_ports_can_be_exported(tmp_path):
    pytest.importorskip("torch")
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "I", "bias_mv": 20.0}])
    found = load_here(export(circuit, "torch", tmp_path / "out"))
    assert found.stdout == "identical to the simulator\n", found.stderr


def test_an_example_that_nobody_chose_makes_the_circuit_answer(tmp_path):
    deaf = {"post": 0, "weight_mv": 14.0, "delay_ms": 1.0}  # one spike moves V by 6 mV, and at 50 Hz few come in pairs
    circuit = circuits.Circuit(
        dt_ms=1.0,
        neurons=[{"id": 0, "sign": "E", "tau_m_ms": 5.0}],
        inputs=[{"name": "in", "synapses": [deaf]}],
        outputs=[{"name": "out", "neurons": [0]}],
    )
    with np.load(export(circuit, "nest", tmp_path / "out") / "example.npz", allow_pickle=False) as example:
        assert example["outputs"].any()
        assert np.array_equal(example["spikes"], circuits.simulate(circuit, example["inputs"]).spikes())
        assert example["inputs"].mean() > 0.07


@pytest.mark.long
def test_the_example_can_be_chosen(motif, tmp_path):
    pytest.importorskip("torch")
    mine = np.zeros((30, 1), bool)
    mine[3:6] = True
    with np.load(export(motif, "torch", tmp_path / "out", example_input=mine) / "example.npz", allow_pickle=False) as example:
        assert np.array_equal(example["inputs"], mine[None])


@pytest.mark.parametrize("target", TARGETS)
def test_exports_are_the_same_bytes_every_time(motif, tmp_path, target):
    for package in {"torch": ["torch"], "nir": ["nir"], "sonata": ["h5py"], "graphml": ["networkx"]}.get(target, []):
        pytest.importorskip(package)
    one, two = (export(motif, target, tmp_path / name) for name in ("one", "two"))
    files = [path.relative_to(one) for path in sorted(one.rglob("*")) if path.is_file()]
    assert len(files) >= 6 or target in ("motif", "graphml")
    for file in files or [""]:
        assert (one / file).read_bytes() == (two / file).read_bytes()


def test_every_target_says_of_every_feature_what_becomes_of_it(motif, tmp_path):
    for target in TARGETS:
        forms = import_module(TARGETS[target]).FORMS
        for table in forms.values():
            assert {status for status, _ in table.values()} <= {"exact", "approximate", "dropped", "refused"}
            assert all(how for status, how in table.values() if status != "exact"), target
            assert set(table) <= set(NAMED), set(table) - set(NAMED)


def test_a_summary_names_the_features_that_a_motif_has_and_no_others(motif, tmp_path):
    path = export(motif, "nest", tmp_path / "out")
    said = summary(motif, "nest", path)
    assert re.search(r"^  lif_psc_exp neurons +exact +iaf_psc_exp$", said, re.MULTILINE)
    assert "output ports" in said
    assert "membrane noise" not in said
    assert "cell types" not in said
    check = json.loads((path / "export.json").read_text())["checks"][-1]
    assert said.splitlines()[-1] == check.replace("check with: ", f"check with: cd {path} && ")


def noisy(motif):
    motif["noise_mv"] = 1.0


def adaptive(motif):
    motif["neuron_model"] = "alif_psc_exp"


def upswing(motif):
    motif["neuron_model"] = "aeif_psc_exp"


def conductance(motif):
    motif["neuron_model"] = "lif_cond_exp"


def learning(motif):
    motif["synapses"][0]["stdp"] = {}


def fading(motif):
    motif["inputs"][0]["synapses"][0]["short_term"] = {}


@pytest.mark.parametrize(
    ("target", "change", "says"),
    [
        ("nest", noisy, "nest: membrane noise cannot be exported: .* set noise_mv to 0"),
        ("nest", adaptive, "nest: alif_psc_exp neurons cannot be exported: .* use --to brian2"),
        ("nest", learning, "nest: stdp synapses cannot be exported: .* use --to brian2"),
        ("brian2", noisy, "brian2: membrane noise cannot be exported: .* set noise_mv to 0"),
        ("sonata", conductance, "sonata: lif_cond_exp neurons cannot be exported: .* use --to brian2"),
        ("sonata", learning, "sonata: stdp synapses cannot be exported: .* use --to brian2"),
        ("sonata", noisy, "sonata: membrane noise cannot be exported: .* set noise_mv to 0"),
        ("torch", upswing, "torch module has neurons of lif_psc_exp, .*, not of aeif_psc_exp; take its rate form.*brian2"),
        ("torch", learning, "torch module has static and short_term synapses, not stdp .*synapse_model = static.* --to brian2"),
        ("nir", conductance, "nir: lif_cond_exp neurons cannot be exported: .* use --to brian2"),
        ("nir", fading, "nir: short_term synapses cannot be exported: .* use --to brian2"),
        ("nir", learning, "nir: stdp synapses cannot be exported: .* use --to brian2"),
        ("nir", noisy, "nir: membrane noise cannot be exported: .* set noise_mv to 0"),
    ],
)
def test_what_a_target_would_falsify_it_refuses(motif, tmp_path, target, change, says):
    if target == "torch":
        pytest.importorskip("torch")
    changed = motif.model_dump()
    change(changed)
    if changed["neuron_model"] != "lif_psc_exp":
        kept = ("id", "sign")
        changed["neurons"] = [{name: neuron[name] for name in kept} for neuron in changed["neurons"]]
    with pytest.raises(UserError, match=says) as caught:
        export(circuits.Motif.model_validate(changed), target, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "package", "install"),
    [
        ("nir", "nir", "pip install 'evocircuits[nir]'"),
        ("sonata", "h5py", "pip install 'evocircuits[sonata]'"),
        ("graphml", "networkx", "pip install 'evocircuits[graphml]'"),
        ("torch", "torch", "pip install 'evocircuits[torch]'"),
    ],
)
def test_a_missing_package_is_answered_with_the_install_line(motif, tmp_path, monkeypatch, target, package, install):
    monkeypatch.setitem(sys.modules, package, None)
    for module in [name for name in sys.modules if name.startswith("circuits.torch")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(MachineError, match=re.escape(install)) as caught:
        export(motif, target, tmp_path / "out")
    assert "not installed" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_nir_that_is_too_old_is_answered_with_the_install_line(motif, tmp_path, monkeypatch):
    pytest.importorskip("nir")
    monkeypatch.setattr("circuits.export.nir.version", lambda _: "1.0.4")
    with pytest.raises(MachineError, match=r"needs nir 1\.0\.8 or newer, not 1\.0\.4: pip install 'evocircuits\[nir\]'"):
        export(motif, "nir", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["nest", "brian2"])
def test_a_script_whose_tool_is_missing_says_how_to_get_it(motif, tmp_path, target):
    folder = export(motif, target, tmp_path / "out")
    hide = f"import runpy, sys; sys.modules[{target!r}] = None; sys.path.insert(0, {str(folder)!r})"
    hidden = f"{hide}; runpy.run_path({str(folder / 'run.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "pip install" in line


def test_where_the_tool_is_not_installed_the_export_says_how_to_check(motif, tmp_path, monkeypatch):
    monkeypatch.setattr("circuits.export.checked.find_spec", lambda _: None)
    folder = export(motif, "nest", tmp_path / "out")
    (check,) = json.loads((folder / "export.json").read_text())["checks"]
    assert check.endswith("check with: pip install nest-simulator && python run.py")


def test_an_export_whose_check_fails_is_none(motif, tmp_path, monkeypatch):
    """A script that finds other spikes than the simulator."""
    monkeypatch.setattr("circuits.export.checked.find_spec", lambda _: True)
    (tmp_path / "scripts").mkdir()
    example = (SCRIPTS / "example.py").read_text()
    (tmp_path / "scripts" / "example.py").write_text(example)
    wrong = "from example import SPIKES, compare\nfound = SPIKES.copy()\nfound[7] = ~found[7]\ncompare(found, 'NEST')\n"
    (tmp_path / "scripts" / "run_nest.py").write_text(wrong)
    monkeypatch.setattr("circuits.export.script_folder.SCRIPTS", tmp_path / "scripts")
    with pytest.raises(
        MachineError, match=r"NEST: NOT identical to the simulator: .* the first difference is in step 8"
    ) as caught:
        export(motif, "nest", tmp_path / "out")
    assert str(caught.value).startswith("nothing was exported")
    assert [p.name for p in tmp_path.iterdir()] == ["scripts"]


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_there_already_is_left_alone(motif, tmp_path, target):
    path = tmp_path / "out"
    path.mkdir()
    with pytest.raises(UserError, match=re.escape(f"{path}: exists already")):
        export(motif, target, path)
    assert list(path.iterdir()) == []


def test_an_unknown_target_is_answered_with_the_known_ones(motif, tmp_path):
    with pytest.raises(UserError, match=f"^target: one of {', '.join(TARGETS)}, not 'onnx'$"):
        export(motif, "onnx", tmp_path / "out")


@pytest.mark.parametrize(("shape", "dtype"), [((5, 2), bool), ((5, 1), float), ((1, 5, 1), bool), ((0, 1), bool)])
def test_an_example_of_another_shape_is_refused(motif, tmp_path, shape, dtype):
    with pytest.raises(UserError, match=r"^example_input: must be bool \[steps, 1 channels\], not"):
        export(motif, "torch", tmp_path / "out", example_input=np.zeros(shape, dtype))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_half_written_stays_behind(motif, tmp_path, monkeypatch, error):
    pytest.importorskip("torch")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(np, "savez", fail)
    path = tmp_path / "out"
    with pytest.raises(MachineError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        export(motif, "torch", path)
    assert list(tmp_path.iterdir()) == []
    if isinstance(error, OSError):
        assert str(caught.value) == f"{path}: cannot be written: No space left on device"


@pytest.mark.long
def test_a_missing_torch_is_answered_with_the_install_line():
    code = """
import sys
sys.modules["torch"] = None
from circuits.errors import MachineError
try:
    import circuits.torch
except MachineError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CODE, timeout=120)
    assert found.stdout.splitlines() == [
        "circuits.torch needs PyTorch, which is not installed: pip install 'evocircuits[torch]'"
    ], found.stderr
