"""Export to NEST: a folder with a script that builds the motif, runs an example and compares it with the simulator."""

from fractions import Fraction
from pathlib import Path

from circuits.errors import UserError
from circuits.export.checked import run_here
from circuits.export.features import approximate, exact, features, refused, translated
from circuits.export.manifest import write_manifest
from circuits.export.script_folder import script_folder
from circuits.neurons import LIF_PSC_EXP

FEATURES = {
    "lif_psc_exp neurons": exact("iaf_psc_exp"),
    "lif_cond_exp neurons": approximate("iaf_cond_exp, which takes adaptive steps: most spikes are in the same step"),
    "aeif_psc_exp neurons": approximate(
        "aeif_psc_exp, which takes adaptive steps and resets within them: up to 1 dt per spike"
    ),
    "alif_psc_exp neurons": refused("NEST has no such model; use --to brian2"),
    "izhikevich neurons": refused("NEST's izhikevich has no synaptic currents; use --to brian2"),
    "weights": exact("in pA, for a leak of 1 nS"),
    "short_term synapses": exact("tsodyks2_synapse"),
    "stdp synapses": refused("NEST's rule pairs spikes and bounds weights differently; use --to brian2"),
    "membrane noise": refused("its random numbers cannot be the same; set noise_mv to 0 in the motif file"),
    "output ports": exact("named in motif.json"),
    "cell types": exact("named in motif.json"),
    "provenance": exact("in motif.json"),
    "input channels": exact("spike_train_injector nodes, NEST 3.5 or newer"),
    "sampled inputs": exact("step_current_generator nodes onto receptor 1, which tau_syn_ex filters; from the second step on"),
}
NO_RECEPTOR = "NEST filters currents in iaf_psc_exp alone; use --to brian2"

FORMS = {"run.py": FEATURES}
USE = """    pip install nest-simulator
    python run.py        # runs the example trial and compares it with the simulator's spikes

`build` in run.py makes the neurons and input channels in a network of your own.
"""


def write(motif, path: Path, example_input=None) -> None:
    """Write the folder `path`: motif.json, example.npz, run.py with its example.py, README.md and export.json."""
    tables = translated(motif, FORMS, "nest")
    if "sampled inputs" in features(motif) and motif.model is not LIF_PSC_EXP:
        raise UserError(f"nest: sampled inputs cannot be exported: {NO_RECEPTOR}")
    if abs(Fraction(motif.dt_ms).limit_denominator(10_000) / Fraction(motif.dt_ms) - 1) > 1e-9:
        raise UserError(
            f"nest: time step cannot be exported: NEST's is a ratio of whole numbers, not {motif.dt_ms!r} ms; use --to brian2"
        )
    with script_folder(motif, path, example_input, "nest") as folder:
        check = run_here(folder, ("nest",), "pip install nest-simulator")
        write_manifest(folder, motif, "nest", USE, tables, [check])
