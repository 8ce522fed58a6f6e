"""Export to Brian2: a folder with a script that builds the motif, runs an example and compares it with the simulator."""

from pathlib import Path

from circuits.export.checked import run_here
from circuits.export.features import exact, refused, translated
from circuits.export.manifest import write_manifest
from circuits.export.script_folder import script_folder
from circuits.neurons import MODELS

STEP = "the same step as the simulator's"
FEATURES = {
    **{f"{name} neurons": exact(STEP) for name in MODELS},
    "weights": exact("plain numbers, in mV"),
    "refractory periods": exact("a step longer in Brian2, where the step of the spike counts as refractory"),
    "membrane noise": refused("its random numbers cannot be the same; set noise_mv to 0 in the motif file"),
    "output ports": exact("named in motif.json"),
    "cell types": exact("named in motif.json"),
    "provenance": exact("in motif.json"),
    "input channels": exact("a SpikeGeneratorGroup"),
    "sampled inputs": exact("a TimedArray"),
}
FORMS = {"run.py": FEATURES}
USE = """    pip install brian2
    python run.py        # runs the example trial and compares it with the simulator's spikes

`build` in run.py makes the neurons, input channels and synapses in a network of your own.
"""


def write(motif, path: Path, example_input=None) -> None:
    """Write the folder `path`: motif.json, example.npz, run.py with its example.py, README.md and export.json."""
    tables = translated(motif, FORMS, "brian2")
    with script_folder(motif, path, example_input, "brian2") as folder:
        check = run_here(folder, ("brian2",), "pip install brian2")
        write_manifest(folder, motif, "brian2", USE, tables, [check])
