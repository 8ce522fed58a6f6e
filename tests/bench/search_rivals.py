"""The same search as others would write it, beside ours on two workers: circuits a minute at population 100.

Each is one script in rivals/, on both cores. It tells what it makes of one circuit that it is given, spikes and objectives;
those with our equations must agree. A turn of ours comes before each of theirs, and the best of ours counts. What a rival needs
to compile is not counted but said.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from circuits import OutputPort
from circuits.simulation.packed import from_circuit
from evo.cluster.session import ray_session
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import values
from tests.bench import search_job
from tests.bench.contest import Entry, circuit_for, contest
from tests.bench.report import figure, skipped
from tests.bench.throughput import WORKERS, sizes, timed

EVOLUTION = ".venv-rivals-evolution"
RIVALS = (
    Entry("neat-python iznn", "neat_iznn.py", EVOLUTION),
    Entry("DEAP and Brian2", "deap_brian2.py", EVOLUTION, ("2", "40")),  # its speed does not depend on the population
    Entry("DEAP and a step loop in torch", "deap_torch.py", ".venv"),
    Entry("DEAP and vmap in JAX", "deap_jax.py", ".venv-rivals-jax", ("vmap",)),
    Entry("DEAP and the fastest form in JAX", "deap_jax.py", ".venv-rivals-jax", ("fastest",)),
)
GENERATIONS = 200  # of ours
SECONDS = 5.0  # that a rival goes on for, at least


def main():
    job, ours, theirs = search_job.drawn(), 0.0, {}
    with TemporaryDirectory() as folder, ray_session(WORKERS), contest(job, RIVALS, ("labels", "speed", "readout")) as rivals:
        for k, rival in enumerate(rivals):
            if not agrees(rival, job):
                continue
            ran = timed(Path(folder) / str(k), search_job.spec(**sizes(100, GENERATIONS)), WORKERS)
            ours = max(ours, ran.per_minute)
            theirs[rival] = 60 * rival.about["circuits"] / shortest(rival)
        for rival, per_minute in theirs.items():
            compiling = rival.about.get("compile_seconds")
            name = f"{rival.name}{f', compiled in {compiling:.1f} s' if compiling else ''}"
            figure(name, ours, "circuits/min", f"theirs: {per_minute:.3g}", ours / per_minute)


def agrees(rival, job) -> bool:
    """Whether it finds the objectives that ours finds, where its equations are ours."""
    if set(rival.about["leaves_out"]) - {"delays"}:
        return True
    expected, found = objectives(job, "delays" not in rival.about["leaves_out"]), rival.about["objectives"]
    if np.allclose(expected, found, rtol=1e-6):
        return True
    skipped(rival.name, f"it finds the objectives {found}, ours {expected}")
    return False


def objectives(job, delays=True):
    """What our task makes of the job's circuit: the score made climbable, and the time of the answer in ms."""
    circuit = circuit_for(job, delays)
    port = OutputPort(name="out", neurons=(circuit.neurons[job.readout].id,))
    tables = from_circuit(circuit.model_copy(update={"outputs": (port,)}))
    score, speed = values(["score", "speed"], evaluate(job.task, job.trials, tables))[0]
    return -score, speed


def shortest(rival) -> float:
    """The shortest time of its runs."""
    end, found = time.perf_counter() + SECONDS, [rival.go()]
    while time.perf_counter() < end:
        found.append(rival.go())
    return min(found)


if __name__ == "__main__":
    main()
