"""The auditory receptor of a grasshopper: circuits evolved from two recordings, beside the models that have to be beaten.

    pip install nitime --no-deps
    python runs/recordings/grasshopper.py [FOLDER]

The recordings lie as data in the PyPI package nitime (BSD), which is not imported: spike times, and the envelope of the sound
at 20 kHz, cut off at 200 Hz in one recording and at 800 Hz in the other (Rokem et al., J. Neurophysiol. 95, 2006). The envelope
drives circuits in dB. They are fitted to the first 8 s; the table has the correlation of the rate (the mean of 64 runs with
noise) with the measured spikes in the 2 ms bins of the last 2 s, and that of each circuit on the other recording. FOLDER, by
default runs/grasshopper, gets the recordings, the runs, table.json and grasshopper.svg: each circuit, and what its parts do.
"""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import circuits
import evo
from circuits.drawing.canvas import Figure, drawn
from circuits.drawing.diagram import wiring
from circuits.edit.lesion import lesion
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import Stop
from evo.spec.run_spec import read_alone
from evo.studies.baselines import single_neuron
from fitness.evaluation.evaluate import run as simulated
from fitness.recordings.baselines import fit_all
from fitness.recordings.task import RecordingTask

SPEC = Path(__file__).with_suffix(".toml")
NAMES = {"200": 1, "800": 2}  # the cut-off in Hz, and the number of nitime's files
RUNS = 64  # of each window of the last 2 s
SEEDS = (1,)  # of the searches, of whose circuits that with the best validation score is taken
NOISY = {"neuron_model": "alif_psc_exp", "noise_mv": 3.0}
RANGES = {
    "tau_m_ms": [0.2, 10.0],
    "tau_syn_e_ms": [0.1, 5.0],
    "v_th_mv": [-69.0, -45.0],
    "t_ref_ms": [0.5, 5.0],
    "bias_mv": [-10.0, 30.0],
    "w_jump_mv": [0.0, 30.0],
    "tau_w_ms": [1.0, 100.0],
    "theta_jump_mv": [0.0, 40.0],
    "tau_theta_ms": [1.0, 100.0],
}


def main(folder="runs/grasshopper"):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tasks, motifs, rows = {}, {}, {}
    for name in NAMES:
        tasks[name] = task_over(recorded(name, folder))
        motifs[name] = evolved(name, folder)
    for name, task in tasks.items():
        rows[name] = {row.model: row.figures["receptor"] for row in fit_all(task)}
        _, rows[name]["one noisy adaptive LIF neuron, CMA"] = single_neuron.fit(task, "receptor", circuit=NOISY, ranges=RANGES)
        rows[name]["evolved circuit"] = correlation(task, motifs[name].circuit)
        (other,) = set(NAMES) - {name}
        rows[name]["evolved from the other recording"] = correlation(task, motifs[other].circuit)
    parts = {name: contributions(tasks[name], motifs[name].circuit) for name in NAMES}
    print(f"{'correlation in 2 ms bins of the last 2 s':44}" + "".join(f"{name + ' Hz':>10}" for name in NAMES))
    for model in rows["200"]:
        print(f"{model:44}" + "".join(f"{rows[name][model]:>10.3f}" for name in NAMES))
    for name, shares in parts.items():
        print(f"\n{name} Hz: {motifs[name].circuit}")
        for part, value in shares.items():
            print(f"  without {part:34}{value:>10.3f}")
    (folder / "table.json").write_text(json.dumps({"correlation": rows, "without": parts}, indent=1) + "\n")
    print(f"\npicture: {picture(motifs, parts, folder / 'grasshopper.svg')}")


def recorded(name: str, folder: Path) -> Path:
    """Nitime's files as a recording: the envelope in dB of its largest value."""
    package = find_spec("nitime")
    if package is None or package.origin is None:
        raise SystemExit("nitime is not installed: pip install nitime --no-deps")
    data = Path(package.origin).parent / "data"
    spikes = np.sort(np.loadtxt(data / f"grasshopper_spike_times{NAMES[name]}.txt")) / 1000
    time_us, envelope = np.loadtxt(data / f"grasshopper_stimulus{NAMES[name]}.txt").T
    path = folder / f"grasshopper-{name}.npz"
    columns = {"trial": ["0"], "role": ["output"], "name": ["receptor"]}
    np.savez(
        path,
        **{column: np.repeat(values, len(spikes)) for column, values in columns.items()},
        time_ms=spikes,
        duration_ms=10_000.0,
        trial_names=["0"],
        signal_envelope=20 * np.log10(envelope)[None],
        signal_envelope_dt_ms=(time_us[1] - time_us[0]) / 1000,
        signal_envelope_unit="dB",
    )
    return path


def task_over(path: Path) -> RecordingTask:
    """The spec's task over another recording."""
    settings = {key: value for key, value in read_alone(SPEC).task.items() if key not in ("name", "file")}
    return RecordingTask(file=path.name, **settings).over(path.read_bytes(), path.parent)


def evolved(name: str, folder: Path) -> circuits.Motif:
    """The circuit with the best score on validation windows, of searches with different seeds; runs that are there count."""
    members = []
    for seed in SEEDS:
        searched = folder / f"run-{name}-{seed}"
        if not searched.exists():
            spec = folder / f"grasshopper-{name}.toml"
            spec.write_text(SPEC.read_text().replace("grasshopper-200.npz", f"grasshopper-{name}.npz"))
            evo.run(spec, searched, workers=0, seed=seed)
        run = evo.open_run(searched)
        members += [(member.validation, seed, rank, run) for rank, member in enumerate(run.front)]
    _, _, rank, run = max(members, key=lambda member: np.nan_to_num(member[0], nan=-1.0))
    return run.motif(rank)


def correlation(task: RecordingTask, circuit: circuits.Circuit) -> float:
    """Of the mean rate with what was measured in the last 2 s. The circuit is driven as its own file says."""
    trials = task.trials_of("held_out", 1, len(task.items("held_out")) * RUNS)
    windows = task.prepared.windows
    of = {name: k for k, name in enumerate(task.prepared.recording.signals)}
    given = np.arange(trials.spikes.shape[1]) < windows.stop[trials.facts["item"]][:, None]
    channels = [channel.signal for channel in circuit.inputs]
    raw = [windows.signals[trials.facts["item"]][..., of[signal.of]] for signal in channels]
    drive = [np.where(given, (values - s.center) / s.scale, 0.0) for values, s in zip(raw, channels, strict=True)]
    trials = replace(trials, signals=np.stack(drive, axis=-1).astype("f4"))
    raster = simulated(task, trials, from_circuit(circuit, np.float32), Stop())[1]
    return float(np.atleast_2d(task.figures(task.measure(raster, trials), trials))[0, 0])


def contributions(task: RecordingTask, circuit: circuits.Circuit) -> dict[str, float]:
    """The correlation without each part: a connection, a hidden neuron, or a mechanism of the neuron that is read."""
    read = {neuron for port in circuit.outputs for neuron in port.neurons}
    variants = {}
    for channel in circuit.inputs:
        for s in channel.synapses:
            variants[f"{channel.name} to {s.post}"] = lesion(circuit, connections=[(channel.name, s.post)])
    for s in circuit.synapses:
        variants[f"{s.pre} to {s.post}"] = lesion(circuit, connections=[(s.pre, s.post)])
    for what, key in (("adaptation current", "w_jump_mv"), ("rise of the threshold", "theta_jump_mv")):
        neurons = [n.model_copy(update={key: 0.0}) if n.id in read else n for n in circuit.neurons]
        variants[f"the {what} of {', '.join(map(str, read))}"] = circuit.model_copy(update={"neurons": tuple(neurons)})
    variants["membrane noise"] = circuit.model_copy(update={"noise_mv": 0.0})
    return {part: correlation(task, without) for part, without in variants.items()}


@drawn
def picture(motifs, parts, path: Path) -> Path:
    """The circuits, and beside each the correlation that is left without each of its parts."""
    figure = Figure(figsize=(9.0, 3.2 * len(motifs)), layout="constrained")
    axes = figure.subplots(len(motifs), 2, squeeze=False)
    for (name, motif), (left, right) in zip(motifs.items(), axes, strict=True):
        wiring(motif.circuit, left)
        left.set_title(f"from the {name} Hz envelope", fontsize="small")
        shares = parts[name]
        right.barh(range(len(shares)), list(shares.values()), color="0.6")
        right.set_yticks(range(len(shares)), [f"without {part}" for part in shares], fontsize="x-small")
        right.invert_yaxis()
        right.set_xlabel("correlation in the last 2 s", fontsize="small")
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main(*sys.argv[1:])
