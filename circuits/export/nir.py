"""Export to NIR: graphs by the equations, for older readers, and for frameworks that step CubaLIF nodes."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from circuits.export import nir_graphs, nir_steps
from circuits.export.checked import run_here
from circuits.export.features import approximate, dropped, exact, refused, translated
from circuits.export.manifest import write_manifest
from circuits.export.script_folder import script_folder
from circuits.motif_file import Motif
from circuits.neurons import LIF_PSC_EXP, MODELS
from circuits.optional import optional

NEEDED = (1, 0, 8)
INSTALL = "pip install 'evocircuits[nir]'"
OTHER_MODEL = refused("NIR has no such neuron; use --to brian2")
REFUSED = {
    **{f"{name} neurons": OTHER_MODEL for name in MODELS if name != LIF_PSC_EXP.name},
    "short_term synapses": refused("NIR has no such synapse; use --to brian2 or --to nest"),
    "stdp synapses": refused("NIR has no such synapse; use --to brian2"),
    "membrane noise": refused("NIR has none; set noise_mv to 0 in the motif file"),
    "sampled inputs": refused("in NIR synapses filter spikes only; use --to brian2 or --to nest"),
}
CONTINUOUS = REFUSED | {
    "lif_psc_exp neurons": exact("two LI nodes, excitatory and inhibitory, onto a LIF node"),
    "signs (Dale's law)": exact("excitation and inhibition have weights of their own"),
    "weights": exact("Linear nodes; those of the same ends and delay are one"),
    "delays": exact("Delay nodes"),
    "thresholds": exact("the largest number below, for NIR's V > threshold"),
    "start at rest": exact("V is relative to rest"),
    "refractory periods": dropped("NIR has none; the metadata of the node neurons have t_ref"),
    "bias": exact("in v_leak"),
    "time step": dropped("NIR has none; the metadata have dt, at which the spikes are the same"),
    "cell types": dropped("in the motif file in the metadata"),
    "output ports": exact("one Output, in the order of the ports"),
    "provenance": exact("in the motif file in the metadata"),
}
OLDER = CONTINUOUS | {
    "resets": exact("V is relative to the reset: nir before 1.0.6 has no v_reset"),
    "start at rest": approximate("V starts at the reset"),
    "refractory periods": dropped("NIR has none"),
    "time step": dropped("NIR has none"),
    "cell types": dropped("NIR has none"),
    "provenance": dropped("nir before 1.0.3 has no metadata"),
}
FLOAT32 = approximate("to float32, the frameworks' precision")
STEPS = (
    dict.fromkeys(CONTINUOUS, FLOAT32)
    | REFUSED
    | {
        "lif_psc_exp neurons": approximate("CubaLIF nodes, to float32, the frameworks' precision"),
        "signs (Dale's law)": exact("of weights"),
        "delays": exact("chains of relay neurons"),
        "synaptic time constants": approximate("of inhibition by delayed inputs, to 1e-6 of it and float32"),
        "start at rest": approximate("to float32, by an input that is 1 in all steps"),
        "refractory periods": exact("by relays and a neuron that is made to fire"),
        "bias": approximate("to float32, by an input that is 1 in all steps"),
        "time step": exact("a step of the framework, of any length, is a step of the motif"),
        "input channels": exact("and one that is 1 in all steps, if there is bias or the reset is not at rest"),
        "output ports": exact("one Output, in the order of the ports"),
        "cell types": dropped("NIR has none"),
        "provenance": dropped("only in motif.nir"),
    }
)
USE = """- `motif.nir`: the equations, in seconds and mV, spikes as Dirac pulses. nir 1.0.6 or newer reads it.
- `older.nir`: the same for nir 0.2 to 1.0.5, which reset to 0 only.
- `steps.nir`: for frameworks that step CubaLIF nodes by their own rule: snnTorch (`import_from_nir(graph)`) and Norse
  (`from_nir(graph, dt=1e-4)`); `spikingjelly.nir`: the same for SpikingJelly (`import_from_nir(path)`), where the neurons of a
  node must be alike. A step of the framework is a step of the motif. Relays, neurons that repeat a spike a step later,
  implement delays, time constants and refractory periods. Here: {neurons}.

    pip install nir
    python run.py        # solves the equations of motif.nir and compares the spikes with the simulator's; more in its docstring
"""
STEPPED = "steps.nir and spikingjelly.nir"
FORMS = {"motif.nir": CONTINUOUS, "older.nir": OLDER, STEPPED: STEPS}
FRAMEWORKS = ("snntorch", "norse", "spikingjelly")


def write(motif: Motif, path: Path, example_input=None) -> None:
    """Write the folder `path`: four .nir files, motif.json, example.npz, run.py, README.md and export.json."""
    tables = translated(motif, FORMS, "nir")
    if not any(channel.synapses for channel in motif.inputs):
        raise UserError("nir: other tools cannot run a graph without input; add a synapse from an input, or use --to brian2")
    nir = import_nir()
    slots = nir_graphs.port_matrix(motif)
    graphs = {"motif.nir": nir_graphs.continuous(nir, motif), "older.nir": nir_graphs.older(nir, motif)}
    arguments: list[tuple[str, ...]] = [(), ("without-t_ref",), ("older",)]
    try:
        steps = nir_steps.steps(motif)
        neurons = f"{len(steps.alpha):,} neurons, of which {len(steps.alpha) - len(motif.neurons):,} are relays"
        graphs["steps.nir"] = nir_steps.graph(nir, steps, slots, alike=False)
        graphs["spikingjelly.nir"] = nir_steps.graph(nir, steps, slots, alike=True)
    except nir_steps.TooManyError as error:
        del tables[STEPPED]
        neurons = f"left out: they would need {error.args[0]:,} relays at this dt, and the limit is {nir_steps.MAX_RELAYS:,}"
    with script_folder(motif, path, example_input, "nir") as folder:
        for name, graph in graphs.items():
            nir.write(folder / name, graph, compression_opts=1)
        _without_resets(folder / "older.nir")
        checks = [run_here(folder, ("nir",), "pip install nir", *options) for options in arguments]
        if STEPPED in tables:
            checks += [run_here(folder, ("nir", name), f"pip install {name} nir", name) for name in FRAMEWORKS]
        write_manifest(folder, motif, "nir", USE.format(neurons=neurons), tables, checks)


def import_nir() -> Any:
    nir = optional("nir", "this export", INSTALL)
    installed = version("nir")
    if tuple(int(part) for part in installed.split(".")[:3] if part.isdigit()) < NEEDED:
        raise MachineError(f"this export needs nir {'.'.join(map(str, NEEDED))} or newer, not {installed}: {INSTALL}")
    return nir


def _without_resets(path):
    """Remove the resets from a file: nir 1.0.3 to 1.0.5 cannot read them, and 0 is the default of all versions."""
    import h5py

    with h5py.File(path, "a") as file:
        del file["node/nodes/neurons/v_reset"]
