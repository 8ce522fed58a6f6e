"""Evaluations a minute of one model on one recording, beside what one would fit it with instead: make bench-recordings

The recording is what a circuit of 4 neurons does in 64 windows of 965 ms under three Poisson trains, so the model is right. An
evaluation of ours is all that a search does with a circuit: tables from the genome's arrays, the simulation of all windows, and
the coincidence factor and case scores of both recorded neurons. One of a rival is its simulation of the same windows alone, on
one core as ours, in float64; its spikes are checked first. Two figures each: with the time that a new circuit costs it (Brian2
generates and compiles C++, NEST builds the network), and without, for its steps alone, as if values changed within a network
that stands (Brian2's by its own clock: its program also has to be started and its results read).

Then the fit that each reaches in the same time: separable CMA-ES begins with the weights of all synapses wrong by up to a
factor of three, and ends after SECONDS of ours; where it stalls it begins again with twice as many points (IPOP: Auger and
Hansen, CEC 2005). What a rival reaches is the score after as many evaluations as it has time for,
since its spikes are the same: its steps alone are counted, in its favour.
"""

import numpy as np

from circuits.numerics import portable
from circuits.simulation.packed import from_circuit
from circuits.simulation.simulate import simulate
from evo.algorithms.separable_cma import SeparableCMA
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import evaluate
from fitness.recordings import Recording
from fitness.recordings.task import RecordingTask
from tests.bench.bench_kernel import copies
from tests.bench.contest import RIVALS, contest, one_core
from tests.bench.hidden import to_csv
from tests.bench.report import figure, quickest, timer
from tests.bench.yardstick import Job
from tests.bench.yardstick_job import circuit_of

TOGETHER = 20  # circuits that are timed in one go: so short a time is seldom interrupted
SECONDS, POINTS, FACTOR, SEED = 20.0, 20, 3.0, 1  # of the fit
STALLED, GAIN = 20, 1e-4  # generations that gain less are the last of a start
ENTRIES = tuple(entry for entry in RIVALS if entry.environment in (".venv-brian2", ".venv-nest"))


def driven() -> Job:
    """A circuit whose neurons fire at 10 to 35 Hz."""
    job = Job(neurons=4, channels=3, steps=1930, dt=0.5, connection=0.5, max_delay=16, rate_hz=30.0, seed=3)
    job.inputs["weight"] *= 4
    return job


def recorded(job: Job) -> tuple[RecordingTask, Trials]:
    """The task over what the job's circuit does, and all its windows as trials."""
    raster = simulate(circuit_of(job), np.ascontiguousarray(job.spikes.transpose(2, 0, 1))).outputs
    windows = []
    for trial in range(raster.trials):
        given = {f"in{c}": (np.flatnonzero(job.spikes[:, c, trial]) + 1) * job.dt for c in range(job.channels)}
        measured = {f"n{n}": times for n, times in enumerate(raster.times(trial))}
        windows.append((str(trial), job.steps * job.dt, given, measured))
    text = to_csv(Recording.of(windows)).encode()
    task = RecordingTask(file="cell.csv", step_ms=job.dt, window_ms=job.steps * job.dt, lead_in_ms=0.0).over(text)
    spikes = task.prepared.windows.spikes
    item = np.arange(len(spikes))
    return task, Trials(spikes, np.zeros(len(spikes), int), {"item": item, "group": item})


def main(entries=ENTRIES, job=None, seconds=5.0, fit_seconds=SECONDS):
    job = job or driven()
    with one_core():
        task, trials = recorded(job)
        one = from_circuit(circuit_of(job), np.float32)
        figure("score of the true circuit", float(evaluate(task, trials, one).score[0]), "")
        population = copies(one, TOGETHER)
        call = timer(lambda: evaluate(task, trials, population))
        call()
        with contest(job, entries) as rivals:
            ours, *theirs = quickest(call, *(rival.go for rival in rivals), seconds=seconds, rounds=10)
        each = ours / TOGETHER
        figure("ours: simulate and score", 60 / each, "a minute")
        for rival, taken in zip(rivals, theirs, strict=True):
            figure(f"{rival.name}: simulate", 60 / taken, "a minute", "ours, relative to it", taken / each)
            taken += rival.about.get("build_seconds", 0.0)
            figure(f"{rival.name}: new circuit", 60 / taken, "a minute", "ours, relative to it", taken / each)
        reached = fitted(task, trials, one, max(round(fit_seconds / each), 1))
        figure(f"ours: score after {fit_seconds:g} s", reached[-1], f"{len(reached):,} fits")
        for rival, taken in zip(rivals, theirs, strict=True):
            count = min(max(int(fit_seconds / taken), 1), len(reached))
            figure(f"{rival.name}: score after {fit_seconds:g} s", reached[count - 1], f"{count:,} fits")


def fitted(task, trials, one, count) -> np.ndarray:
    """The best score after each of so many evaluations of a fit of all weights, float64 [count]."""
    rng, synapses, points, best = np.random.default_rng(SEED), len(one.weight), POINTS, [0.0]
    while len(best) <= count:
        strategy, course = SeparableCMA(rng.random(synapses), np.full(synapses, 0.2), points), []
        population = copies(one, points)
        while len(best) <= count and (len(course) <= STALLED or max(course) - max(course[:-STALLED]) >= GAIN):
            factors = portable.exp((2 * strategy.ask(rng).reshape(-1) - 1) * np.log(FACTOR))
            weights = (population.weight * factors).astype(population.weight.dtype)
            found = evaluate(task, trials, population._replace(weight=weights))
            values = found.score + found.smooth_score
            strategy.tell(np.argsort(-values, kind="stable"))
            course.append(float(values.max()))
            best += np.maximum.accumulate([best[-1], *found.score])[1:].tolist()
        points *= 2
    return np.array(best[1 : count + 1])


if __name__ == "__main__":
    main()
