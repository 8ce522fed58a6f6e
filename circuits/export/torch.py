"""Export to PyTorch: a folder with the motif, weights, an example trial, and a script that loads and checks them."""

from pathlib import Path

import numpy as np

from circuits.errors import MachineError
from circuits.export.example import save_example
from circuits.export.features import dropped, exact, translated
from circuits.export.folder import new_folder
from circuits.export.manifest import write_manifest
from circuits.motif_file import Motif, save
from circuits.optional import optional

FORMS = {
    "load.py": {
        **{f"{name} neurons": exact("MotifCell, in float64") for name in ("lif_psc_exp", "alif_psc_exp", "lif_cond_exp")},
        "short_term synapses": exact("weights are trainable, the rest is fixed"),
        "weights": exact("trainable"),
        "signs (Dale's law)": exact("fixed"),
        "membrane noise": dropped("the module has none"),
        "sampled inputs": exact("columns of the input that are no spikes, centered and scaled"),
        "cell types": exact("named in motif.json"),
        "provenance": exact("in motif.json"),
    }
}
USE = """    pip install 'evocircuits[torch]'
    python load.py       # loads the module and compares its spikes with the simulator's
"""
LOAD = '''"""Load this motif as a trainable PyTorch module and compare its spikes with the simulator's (in example.npz).

Needs: pip install 'evocircuits[torch]'
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

import circuits
from circuits.torch import MotifCell

here = Path(__file__).resolve().parent
cell = MotifCell(circuits.load(here / "motif.json"), dtype=torch.float64, batch_first=True).eval()
cell.load_state_dict(load_file(here / "weights.safetensors"))

with np.load(here / "example.npz", allow_pickle=False) as example, torch.no_grad():
    x = example["inputs"] + example["drive"] if "drive" in example else example["inputs"]
    out, state = cell(torch.from_numpy(x))  # [1, steps, channels] -> [1, steps, slots]
    same = np.array_equal(out.numpy() == 1, example["outputs"])

for port, columns in cell.ports.items():
    print(f"{port}: {out[..., columns].sum(1).int().flatten().tolist()} spikes")
if not same:
    raise SystemExit("NOT identical to the simulator")
print("identical to the simulator")
'''


def write(motif: Motif, path: Path, example_input=None) -> None:
    """Write the folder `path`: motif.json, weights.safetensors (a MotifCell's state_dict), example.npz and load.py."""
    from circuits.torch import MotifCell  # raises MachineError if torch is missing

    as_bytes = optional("safetensors.torch", "this export", "pip install 'evocircuits[torch]'").save
    import torch

    tables = translated(motif, FORMS, "torch")
    cell = MotifCell(motif, dtype=torch.float64, batch_first=True).eval()
    with new_folder(path) as folder:
        save(motif, folder / "motif.json")
        (folder / "weights.safetensors").write_bytes(as_bytes(cell.state_dict()))
        save_example(motif.circuit, example_input, folder / "example.npz")
        (folder / "load.py").write_text(LOAD, encoding="utf-8")
        write_manifest(folder, motif, "torch", USE, tables, [_checked(torch, cell, folder)])


def _checked(torch, cell, folder):
    """Run the folder's contents as load.py does; returns the result of the check."""
    with np.load(folder / "example.npz", allow_pickle=False) as example, torch.no_grad():
        outputs = example["outputs"]
        x = example["inputs"] + example["drive"] if "drive" in example else example["inputs"]
        same = np.array_equal(cell(torch.from_numpy(x))[0].numpy() == 1, outputs)
    if not same:
        raise MachineError("nothing was exported: the check failed: the module's spikes are NOT identical to the simulator's")
    return f"torch {torch.__version__}: identical to the simulator, {outputs.sum()} spikes of {outputs.shape[2]} outputs"
