"""Exports leave whole or not at all, and carry their own check."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import circuits
from circuits.errors import MachineError, UserError
from circuits.export import TARGETS, export

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


def test_a_motif_is_exported_as_its_file(motif, tmp_path):
    path = export(motif, "motif", tmp_path / "deep" / "m.json")
    assert circuits.load(path) == motif


def test_the_torch_folder_reproduces_the_simulator_by_itself(motif, tmp_path):
    pytest.importorskip("torch")
    folder = export(motif, "torch", tmp_path / "out")
    assert sorted(p.name for p in folder.iterdir()) == ["example.npz", "load.py", "motif.json", "weights.safetensors"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with np.load(folder / "example.npz", allow_pickle=False) as example:
        inputs, outputs = example["inputs"], example["outputs"]
    assert inputs.shape == (1, 400, 1)
    assert inputs.dtype == outputs.dtype == bool
    assert np.array_equal(outputs, circuits.simulate(motif.circuit, inputs).outputs.spikes())
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
    found = run_load(moved)
    assert found.returncode != 0
    assert "NOT identical" in found.stderr


def test_the_exported_weights_are_the_motifs(motif, tmp_path):
    pytest.importorskip("torch")
    from safetensors.numpy import load_file

    stored = load_file(export(motif, "torch", tmp_path / "out") / "weights.safetensors")
    assert stored["excitatory.free"].tolist() == [9.1, 1.7]
    assert stored["inhibitory.free"].tolist() == [12.3]


def test_a_bare_circuit_without_inputs_or_ports_can_be_exported(tmp_path):
    pytest.importorskip("torch")
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "I", "bias_mv": 20.0}])
    found = run_load(export(circuit, "torch", tmp_path / "out"))
    assert found.stdout == "identical to the simulator\n", found.stderr


def test_the_example_can_be_chosen(motif, tmp_path):
    pytest.importorskip("torch")
    mine = np.zeros((30, 1), bool)
    mine[3:6] = True
    with np.load(export(motif, "torch", tmp_path / "out", example_input=mine) / "example.npz", allow_pickle=False) as example:
        assert np.array_equal(example["inputs"], mine[None])


def test_exports_are_the_same_bytes_every_time(motif, tmp_path):
    pytest.importorskip("torch")
    one, two = (export(motif, "torch", tmp_path / name) for name in ("one", "two"))
    for file in ("motif.json", "weights.safetensors", "load.py", "example.npz"):
        assert (one / file).read_bytes() == (two / file).read_bytes()


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
