"""A single leaky integrate-and-fire neuron for each measured one: all inputs reach it, with weights of either sign."""

from typing import Any

import numpy as np

from evo import genome
from evo.algorithms.separable_cma import SeparableCMA
from evo.spec.run_spec import CircuitBounds, RunSpec
from fitness.evaluation.evaluate import evaluate
from fitness.recordings.task import RecordingTask
from fitness.trials import Trials

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
    """Scores of a single neuron in place of `output`: on the search windows and on those held out. Its weights, delays,
    time constants, refractory period and bias are fitted by separable CMA-ES from several starts, of which the best on
    validation windows counts.

    circuit  what of [circuit] in a spec is otherwise than by default, such as neuron_model and noise_mv; with noise every
             window is run RUNS times, and those held out FINAL_RUNS times
    ranges   of the neuron's parameters
    """
    recording, circuit = task.prepared.recording, circuit or {}
    content = dict(task) | {"output_names": (output,), "input_names": (*recording.signals, *recording.inputs)}
    one = RecordingTask(**content).over(task.content(), task.folder)
    runs = {"held_out": FINAL_RUNS} if circuit.get("noise_mv") else {}
    usual = RUNS if circuit.get("noise_mv") else 1
    parts = {p: one.trials_of(p, seed, len(one.items(p)) * runs.get(p, usual)) for p in ("search", "validation", "held_out")}
    coded = _Neuron(one, circuit, ranges or RANGES)
    fits = []
    for start in range(STARTS):
        rng = np.random.default_rng((seed, start))
        strategy = SeparableCMA(rng.random(coded.count) * 0.6 + 0.2, np.full(coded.count, 0.2), POINTS)
        best, value = strategy.mean[None], -np.inf
        for _ in range(generations):
            points = strategy.ask(rng)
            found = evaluate(one, parts["search"], coded.tables(points))
            values = found.score + found.smooth_score
            strategy.tell(np.argsort(-values, kind="stable"))
            if values.max() > value:
                best, value = points[[int(np.argmax(values))]], float(values.max())
        fits.append((float(evaluate(one, parts["validation"], coded.tables(best)).score[0]), start, best))
    chosen = max(fits, key=lambda found: (found[0], -found[1]))[2]
    search, held_out = (_figure(one, parts[p], coded.tables(chosen)) for p in ("search", "held_out"))
    return search, held_out


def _figure(task: RecordingTask, trials: Trials, tables) -> float:
    measured = evaluate(task, trials, tables).scored.measured
    return float(task.figures(measured, trials)[0, 0])


class _Neuron:
    """The neuron by numbers from 0 to 1: of every input a weight (0.5: none) and a delay, then its parameters. The weight of a
    sampled input is a gain, none below 0.5: its inverse is another input."""

    def __init__(self, task: RecordingTask, circuit: dict[str, Any], ranges: dict[str, list[float]]):
        limits = {"neurons": (1, 1), "in_degree": len(task.inputs), "delay_ms": (task.dt_ms, LATEST_MS), "parameters": ranges}
        limits |= circuit
        spec = RunSpec(task={"name": task.name}, circuit=CircuitBounds.model_validate(limits))
        self.form = spec.form(task.interface)
        self.channels, self.bounds = len(task.inputs), self.form.bounds
        self.count = 2 * self.channels + self.bounds.parameter.shape[-1]

    def tables(self, points: np.ndarray):
        """Of points [n, count]."""
        made, c = genome.empty(self.bounds, len(points)), self.channels
        low, high = self.bounds.parameter[0]
        made["kind"][:, 0] = 1
        made["readout"] = 0
        weight = LARGEST_MV * (2 * points[:, :c] - 1)
        weight[:, : self.bounds.sampled] = np.maximum(weight[:, : self.bounds.sampled], 0.0)
        made["weight"][:, :c, 0] = weight
        first, last = self.bounds.delay
        made["delay"][:, :c, 0] = np.rint(first + points[:, c : 2 * c] * (last - first))
        values = low + points[:, 2 * c :] * (high - low)
        made["parameters"][:, 0] = np.clip(np.rint(values / self.bounds.step) * self.bounds.step, low, high)
        return genome.tables(made, self.form)
