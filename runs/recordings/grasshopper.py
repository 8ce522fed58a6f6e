"""The auditory receptor of a grasshopper: circuits evolved from two recordings, beside the models that have to be beaten.

    pip install nitime --no-deps
    python runs/recordings/grasshopper.py [FOLDER]

The recordings lie as data in the PyPI package nitime (BSD), which is not imported: spike times, and the envelope of the sound
at 20 kHz, cut off at 200 Hz in one recording and at 800 Hz in the other (Rokem et al., J. Neurophysiol. 95, 2006). The envelope
drives circuits in dB. Models are fitted to the first 8 s of a recording, of which the last 1.5 s choose among fits, and predict
the rate (the mean of RUNS runs with noise) in the 2 ms bins of the last 2 s of both recordings: four cases. The table has the
correlations with the measured spikes, and by how much the evolved circuit's are better, with 95 % intervals by the moving-block
bootstrap. Two further checks say how much more there may be: single runs of a noisy model, predicted by its own rate as the
measured spikes are, at several levels of noise; and a regression on the rates of all models together. FOLDER, by default
runs/grasshopper, gets the recordings, the runs, table.json and grasshopper.svg: each circuit, what its parts do, and the
differences.
"""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import NamedTuple

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
from fitness.recordings.baselines import rates
from fitness.recordings.baselines.regression import least_squares
from fitness.recordings.task import RecordingTask
from fitness.scoring.blocks import SAMPLES, correlation, difference, resampled

SPEC = Path(__file__).with_suffix(".toml")
NAMES = {"200": 1, "800": 2}  # the cut-off in Hz, and the number of nitime's files
RUNS = 256  # with noise, of each window
SEEDS = (1, 2, 3)  # of the searches
FEATURES = 10, 20, 40, 80  # of the past stimulus, for regressions: the number that is best in validation
BLOCK_MS = 100.0
GLM, ONE, EVOLVED = "GLM with history", "one noisy adaptive LIF neuron, CMA", "evolved circuit"
BEST = "evolved circuit, best in validation"
BETTER = "evolved circuit is better by"
LAGS = 2  # bins before and after, in the regression on the rates of all models
NOISY = {"neuron_model": "alif_psc_exp", "noise_mv": 3.0}
NOISE_MV = 3.0, 4.5, 6.0, 8.0, 10.0  # that circuits are given, in turn, to be compared with single runs of their own
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
    tasks = {name: task_over(recorded(name, folder)) for name in NAMES}
    neurons = {name: one_neuron(name, tasks[name], folder) for name in NAMES}
    fitted = {name: regressions(name, tasks) for name in NAMES}
    fronts = {name: front(name, tasks[name], folder) for name in NAMES}
    motifs = {name: smallest(fronts[name]) for name in NAMES}
    cases: dict[str, dict] = {}
    for source, on in product(NAMES, NAMES):
        driven = {ONE: neurons[source], BEST: fronts[source][0].motif.circuit, EVOLVED: motifs[source].circuit}
        predicted = {model: of_part(tasks[on], rate[on], "held_out") for model, rate in fitted[source].rates.items()}
        predicted |= {model: counts(tasks[on], circuit).mean(axis=0) for model, circuit in driven.items()}
        cases[f"{source} to {on}"] = compared(tasks[on], predicted)
    room: dict[str, dict] = {}
    for name, task in tasks.items():
        driven = {ONE: neurons[name], EVOLVED: motifs[name].circuit}
        room[name] = {
            f"{model}, noise of {noise_mv:g} mV": own_runs(task, circuit.model_copy(update={"noise_mv": noise_mv}))
            for (model, circuit), noise_mv in product(driven.items(), NOISE_MV)
        }
        room[name][f"{GLM}, independent spikes"] = own_draws(task, of_part(task, fitted[name].rates[GLM][name], "held_out"))
        room[name]["all models together"] = together(task, fitted[name], name, driven)
    table = {
        "runs": RUNS,
        "bootstrap": {"block_ms": BLOCK_MS, "samples": SAMPLES},
        "cases": cases,
        "room": room,
        "front": {name: [member.row() for member in fronts[name]] for name in NAMES},
        "features": {name: fitted[name].features for name in NAMES},
        "without": {name: contributions(tasks[name], motifs[name].circuit) for name in NAMES},
    }
    (folder / "table.json").write_text(json.dumps(table, indent=1) + "\n")
    shown(table, motifs)
    print(f"\npicture: {picture(motifs, table, folder / 'grasshopper.svg')}")


def shown(table: dict, motifs: dict[str, circuits.Motif]):
    """Print the table."""
    print("correlation in the 2 ms bins of the last 2 s, and by how much the evolved circuit is better")
    for case, models in table["cases"].items():
        print(f"\nHz, {case}")
        for model, row in models.items():
            print(f"  {model:40}{row['correlation']:>8.3f}" + "{value:>9.3f} ({low:.3f} to {high:.3f})".format(**row[BETTER]))
    for name, models in table["room"].items():
        print(f"\nroom for more, {name} Hz")
        for model, row in models.items():
            print(f"  {model:40}{json.dumps(row)}")
    for name, shares in table["without"].items():
        print(f"\n{name} Hz: {motifs[name].circuit}")
        for part, value in shares.items():
            print(f"  without {part:34}{value:>10.3f}")


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


class Candidate(NamedTuple):
    """A circuit of a front: the seed of its search, its size, the correlation on the validation windows, and the standard error
    of how much less that is than the best one's."""

    seed: int
    size: float
    validation: float
    error: float
    motif: circuits.Motif

    def row(self) -> dict:
        neurons, synapses = len(self.motif.circuit.neurons), len(self.motif.circuit.synapses)
        return {**self._asdict(), "motif": f"{neurons} neurons, {synapses} synapses between them"}


def front(name: str, task: RecordingTask, folder: Path) -> list[Candidate]:
    """The circuits on the fronts of all searches, the best in validation first; runs that are there count."""
    found = []
    for seed in SEEDS:
        searched = folder / f"run-{name}-{seed}"
        if not searched.exists():
            spec = folder / f"grasshopper-{name}.toml"
            spec.write_text(SPEC.read_text().replace("grasshopper-200.npz", f"grasshopper-{name}.npz"))
            evo.run(spec, searched, workers=0, seed=seed)
        run = evo.open_run(searched)
        found += [(seed, member.objectives["size"], run.motif(rank)) for rank, member in enumerate(run.front)]
    spikes = measured(task, "validation")
    predicted = np.stack([counts(task, motif.circuit, "validation").mean(axis=0) for _, _, motif in found])
    values, drawn = correlation(spikes, predicted), resampled(spikes, predicted, block(task))
    errors = (drawn[:, [np.argmax(values)]] - drawn).std(axis=0)
    each = zip(found, values.tolist(), errors.tolist(), strict=True)
    members = [Candidate(seed, size, value, error, motif) for (seed, size, motif), value, error in each]
    return sorted(members, key=lambda member: -member.validation)


def smallest(members: list[Candidate]) -> circuits.Motif:
    """The smallest circuit that is within one standard error of the best in validation."""
    near = [member for member in members if members[0].validation - member.validation <= member.error]
    return min(near, key=lambda member: (member.size, -member.validation)).motif


def one_neuron(name: str, task: RecordingTask, folder: Path) -> circuits.Circuit:
    """One neuron, fitted by CMA; a file that is there counts."""
    path = folder / f"one-neuron-{name}.json"
    if not path.exists():
        circuits.save(single_neuron.fitted(task, "receptor", circuit=NOISY, ranges=RANGES), path)
    return circuits.load(path).circuit


class Regressions(NamedTuple):
    """By model: the number of features that is best in validation; and for each recording the rate in every step, float64
    [windows, steps]."""

    features: dict[str, int]
    rates: dict[str, dict[str, np.ndarray]]


def regressions(name: str, tasks: dict[str, RecordingTask]) -> Regressions:
    """Linear filter, linear-nonlinear model and GLM, fitted to one recording."""
    names = [name, *(other for other in tasks if other != name)]
    best: dict[str, float] = {}
    chosen = Regressions({}, {})
    for count in FEATURES:
        found = rates(tasks[name], [tasks[other] for other in names[1:]], count, RUNS)
        for model, by_recording in found.items():
            by_name = {on: rate[..., 0] for on, rate in zip(names, by_recording, strict=True)}
            value = correlation(measured(tasks[name], "validation"), of_part(tasks[name], by_name[name], "validation"))
            if value > best.get(model, -1.0):
                best[model], chosen.features[model], chosen.rates[model] = value, count, by_name
    return chosen


def block(task: RecordingTask) -> int:
    """Bins of a block of the bootstrap."""
    return round(BLOCK_MS / task.precision_ms)


def binned(task: RecordingTask, values: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Values [windows, steps, ...] of the windows `item`, added up in bins, one window after the other: [bins, ...]."""
    windows, width = task.prepared.windows, round(task.precision_ms / task.step_ms)
    given = [one[windows.start[i] : windows.stop[i]].astype(float) for one, i in zip(values, item, strict=True)]
    return np.concatenate([np.add.reduceat(one, np.arange(0, len(one), width), axis=0) for one in given])


def of_part(task: RecordingTask, values: np.ndarray, part: str) -> np.ndarray:
    """The same of all windows' values, for those of a part."""
    item = task.items(part)
    return binned(task, values[item], item)


def measured(task: RecordingTask, part: str = "held_out") -> np.ndarray:
    """The measured spikes in bins, [bins]."""
    return of_part(task, task.prepared.taught[..., 0], part)


def counts(task: RecordingTask, circuit: circuits.Circuit, part: str = "held_out") -> np.ndarray:
    """The spikes of runs with noise in bins, [RUNS, bins]. The circuit is driven as its own file says."""
    item = task.items(part)
    trials = task.trials_of(part, 1, len(item) * RUNS)
    windows = task.prepared.windows
    of = {name: k for k, name in enumerate(task.prepared.recording.signals)}
    given = np.arange(trials.spikes.shape[1]) < windows.stop[trials.facts["item"]][:, None]
    channels = [channel.signal for channel in circuit.inputs]
    raw = [windows.signals[trials.facts["item"]][..., of[signal.of]] for signal in channels]
    drive = [np.where(given, (values - s.center) / s.scale, 0.0) for values, s in zip(raw, channels, strict=True)]
    trials = replace(trials, signals=np.stack(drive, axis=-1).astype("f4"))
    raster = simulated(task, trials, from_circuit(circuit, np.float32), Stop())[1]
    order = np.argsort(trials.facts["item"], kind="stable")
    spikes = raster.spikes().reshape(len(trials), -1)[order].reshape(len(item), RUNS, -1)
    return binned(task, np.moveaxis(spikes, 1, 2), item).T


def compared(task: RecordingTask, predicted: dict[str, np.ndarray]) -> dict[str, dict]:
    """By model, the correlation of the predicted rate [bins], and by how much that of the evolved circuit is higher."""
    spikes = measured(task)
    return {
        model: {
            "correlation": float(correlation(spikes, rate)),
            BETTER: difference(spikes, predicted[EVOLVED], rate, block(task))._asdict(),
        }
        for model, rate in predicted.items()
    }


def own_runs(task: RecordingTask, circuit: circuits.Circuit) -> dict[str, float]:
    """If the neuron were this circuit: the correlation of one run with the mean of the others, beside that of what was
    measured; and the factor by which a mean of so many runs correlates less than the rate itself."""
    runs = counts(task, circuit)
    mean = runs.mean(axis=0)
    drawn = correlation(runs, (mean * RUNS - runs) / (RUNS - 1))
    noise = runs.var(axis=0, ddof=1).mean() / RUNS
    return {**placed(correlation(measured(task), mean), drawn), "mean of runs": float(np.sqrt(1 - noise / mean.var()))}


def own_draws(task: RecordingTask, rate: np.ndarray) -> dict[str, float]:
    """The same for counts that are drawn independently at a rate [bins]."""
    drawn = np.random.default_rng(0).poisson(rate, (RUNS, len(rate)))
    return placed(correlation(measured(task), rate), correlation(drawn, rate))


def placed(value, drawn: np.ndarray) -> dict[str, float]:
    """A correlation among those of draws: their mean, 95 % of them, and the share that is lower."""
    low, high = np.quantile(drawn, (0.025, 0.975))
    found = {
        "correlation": value,
        "own mean": drawn.mean(),
        "own low": low,
        "own high": high,
        "share lower": (drawn < value).mean(),
    }
    return {key: float(number) for key, number in found.items()}


def together(task: RecordingTask, fitted: Regressions, name: str, driven: dict[str, circuits.Circuit]) -> dict:
    """By least squares on the rates of all models in each bin and in its neighbours, fitted to the first 8 s: the
    correlation in the last 2 s, and by how much it is better than the evolved circuit's."""

    def columns(parts):
        by_part = []
        for part in parts:
            each = [of_part(task, rate[name], part) for rate in fitted.rates.values()]
            each += [counts(task, circuit, part).mean(axis=0) for circuit in driven.values()]
            by_part.append(np.stack(each, axis=-1))
        x = np.concatenate(by_part)
        padded = np.pad(x, ((LAGS, LAGS), (0, 0)), "edge")
        return np.concatenate([padded[lag : lag + len(x)] for lag in range(2 * LAGS + 1)], axis=1), by_part[-1][:, -1]

    first = "search", "validation"
    weights = least_squares(columns(first)[0], np.concatenate([measured(task, part) for part in first]))
    x, evolved = columns(["held_out"])
    rate, spikes = weights[0] + x @ weights[1:], measured(task)
    gain = difference(spikes, rate, evolved, block(task))
    return {"correlation": float(correlation(spikes, rate)), "better than the evolved circuit by": gain._asdict()}


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
    spikes = measured(task)
    return {part: float(correlation(spikes, counts(task, c).mean(axis=0))) for part, c in variants.items()}


@drawn
def picture(motifs, table, path: Path) -> Path:
    """The circuits, and beside each the correlation that is left without each of its parts; below, by how much the evolved
    circuit is better than each rival."""
    figure = Figure(figsize=(9.0, 3.2 * (len(motifs) + 1)), layout="constrained")
    grid = figure.add_gridspec(len(motifs) + 1, 2)
    for k, (name, motif) in enumerate(motifs.items()):
        left, right = (figure.add_subplot(grid[k, side]) for side in (0, 1))
        wiring(motif.circuit, left)
        left.set_title(f"from the {name} Hz envelope", fontsize="small")
        shares = table["without"][name]
        right.barh(range(len(shares)), list(shares.values()), color="0.6")
        right.set_yticks(range(len(shares)), [f"without {part}" for part in shares], fontsize="x-small")
        right.invert_yaxis()
        right.set_xlabel("correlation in the last 2 s", fontsize="small")
    below = figure.add_subplot(grid[-1, :])
    cases, rivals = table["cases"], ("linear filter", GLM, ONE)
    for at, model in enumerate(rivals):
        rows = [models[model][BETTER] for models in cases.values()]
        values = np.array([row["value"] for row in rows])
        ends = np.abs([[row[end] for row in rows] for end in ("low", "high")] - values)
        y = np.arange(len(rows)) + (at - 1) * 0.2
        below.errorbar(values, y, xerr=ends, fmt="o", markersize=4, label=f"than: {model}", color=("0.7", "0.45", "k")[at])
    below.axvline(0, color="0.8", zorder=0)
    below.set_yticks(range(len(cases)), [f"{case} Hz" for case in cases], fontsize="small")
    below.invert_yaxis()
    below.set_xlabel("correlation of the evolved circuit: higher by (95 % interval)", fontsize="small")
    below.legend(fontsize="x-small", loc="best")
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main(*sys.argv[1:])
