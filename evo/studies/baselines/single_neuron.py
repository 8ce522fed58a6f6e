"""A single leaky integrate-and-fire neuron for each measured one, with synapses of either sign from all inputs."""

from typing import Any

import numpy as np

from circuits.circuit import Circuit
from evo import genome
from evo.algorithms.separable_cma import SeparableCMA
from evo.spec.circuit_section import CircuitBounds
from evo.spec.run_spec import RunSpec
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import evaluate
from fitness.recordings.task import RecordingTask

GENERATIONS, POINTS, STARTS = 80, 24, 3
RUNS, FINAL_RUNS = 8, 64  # of a window, with noise
LARGEST_MV, LATEST_MS = 100.0, 15.0
RANGES: dict[str, list[float]] = {
    "tau_m_ms": [2.0, 50.0],
    "tau_syn_e_ms": [0.5, 30.0],
    "tau_syn_i_ms": [0.5, 50.0],
    "t_ref_ms": [0.5, 20.0],
    "bias_mv": [0.0, 20.0],
}


def fit(
    task: RecordingTask,
    output: str,
    generations: int = GENERATIONS,
    seed: int = 1,
    circuit: dict[str, Any] | None = None,
    ranges: dict[str, list[float]] | None = None,
) -> tuple[float, float]:
    """Scores of a single neuron in place of `output` on the search windows and on the held-out windows: see `fitted`, whose
    arguments these are. With noise held-out windows are run FINAL_RUNS times."""
    unit, encoding, point = _fitted(task, output, generations, seed, circuit, ranges)
    search, held_out = (_figure(unit, _trials(unit, p, seed, circuit), encoding.tables(point)) for p in ("search", "held_out"))
    return search, held_out


def fitted(
    task: RecordingTask,
    output: str,
    generations: int = GENERATIONS,
    seed: int = 1,
    circuit: dict[str, Any] | None = None,
    ranges: dict[str, list[float]] | None = None,
) -> Circuit:
    """A single neuron in place of `output`. Its weights, delays, time constants, refractory period and bias are fitted by
    separable CMA-ES from several starts, and the fit that is best on validation windows is taken.

    circuit  settings of [circuit] in a spec that are not at their defaults, such as neuron_model and noise_mv; with noise every
             window is run RUNS times
    ranges   of the neuron's parameters
    """
    unit, encoding, point = _fitted(task, output, generations, seed, circuit, ranges)
    return genome.to_circuit(encoding.genomes(point)[0], encoding.encoding, unit.inputs, unit.outputs)


def _fitted(task, output, generations, seed, circuit, ranges):
    """The task of this output alone, the encoding of its neuron, and the best point [1, count]."""
    recording, circuit = task.prepared.recording, circuit or {}
    content = dict(task) | {"output_names": (output,), "input_names": (*recording.signals, *recording.inputs)}
    unit = RecordingTask(**content).over(task.content(), task.folder)
    search, validation = (_trials(unit, part, seed, circuit) for part in ("search", "validation"))
    encoding = _Neuron(unit, circuit, ranges or RANGES)
    fits = []
    for start in range(STARTS):
        rng = np.random.default_rng((seed, start))
        strategy = SeparableCMA(rng.random(encoding.count) * 0.6 + 0.2, np.full(encoding.count, 0.2), POINTS)
        best, value = strategy.mean[None], -np.inf
        for _ in range(generations):
            points = strategy.ask(rng)
            evaluation = evaluate(unit, search, encoding.tables(points))
            values = evaluation.score + evaluation.smooth_score
            strategy.tell(np.argsort(-values, kind="stable"))
            if values.max() > value:
                best, value = points[[int(np.argmax(values))]], float(values.max())
        fits.append((float(evaluate(unit, validation, encoding.tables(best)).score[0]), start, best))
    return unit, encoding, max(fits, key=lambda fitted: (fitted[0], -fitted[1]))[2]


def _trials(unit: RecordingTask, part, seed: int, circuit: dict[str, Any] | None) -> Trials:
    noisy = bool((circuit or {}).get("noise_mv"))
    runs = (FINAL_RUNS if part == "held_out" else RUNS) if noisy else 1
    return unit.trials_of(part, seed, len(unit.items(part)) * runs)


def _figure(task: RecordingTask, trials: Trials, tables) -> float:
    measured = evaluate(task, trials, tables).scored.measured
    return float(task.figures(measured, trials)[0, 0])


class _Neuron:
    """The encoding of the neuron by numbers from 0 to 1: a weight (0.5: none) for every input, a delay for every input, and the
    neuron's parameters. The weight of a sampled input is a gain, none below 0.5: its inverse is another input."""

    def __init__(self, task: RecordingTask, circuit: dict[str, Any], ranges: dict[str, list[float]]):
        limits = {"neurons": (1, 1), "in_degree": len(task.inputs), "delay_ms": (task.dt_ms, LATEST_MS), "parameters": ranges}
        limits |= circuit
        spec = RunSpec(task={"name": task.name}, circuit=CircuitBounds.model_validate(limits))
        self.encoding = spec.encoding(task.interface)
        self.channels, self.bounds = len(task.inputs), self.encoding.bounds
        self.count = 2 * self.channels + self.bounds.parameter.shape[-1]

    def tables(self, points: np.ndarray):
        """The tables of points [n, count]."""
        return genome.tables(self.genomes(points), self.encoding)

    def genomes(self, points: np.ndarray) -> np.ndarray:
        """The genomes of points [n, count]."""
        genomes, c = genome.empty(self.bounds, len(points)), self.channels
        low, high = self.bounds.parameter[0]
        genomes["kind"][:, 0] = 1
        genomes["readout"] = 0
        weight = LARGEST_MV * (2 * points[:, :c] - 1)
        weight[:, : self.bounds.sampled] = np.maximum(weight[:, : self.bounds.sampled], 0.0)
        genomes["weight"][:, :c, 0] = weight
        first, last = self.bounds.delay
        genomes["delay"][:, :c, 0] = np.rint(first + points[:, c : 2 * c] * (last - first))
        values = low + points[:, 2 * c :] * (high - low)
        genomes["parameters"][:, 0] = np.clip(np.rint(values / self.bounds.step) * self.bounds.step, low, high)
        return genomes
