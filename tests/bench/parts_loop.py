"""Parts in a closed loop: the score before any training, after training, and in another body than that of the training:
python -m tests.bench.parts_loop [--seeds N]

The protocol, written down before the runs. Task: `phonotaxis` with two `BODIES`: a cricket's, with the settings of the task,
and a clumsy one that turns further with every spike of a motor, has ears that differ less, and hears more hum. Arms:
`phonotaxis-3` of the zoo, evolved in the cricket's body; the same rewired by degree with its own weights shuffled within sign;
a random circuit of as many neurons of each sign, as a search begins with; the last two others for every seed. A closed loop has
no gradients, so training is an evolution strategy of the weights alone, the same for all: each of `GENERATIONS` tries the
circuit and `CHILDREN` children, whose weights are multiplied by exp(`STEP` times a normal number), on `TRIALS` new trials, and
the best goes on. Reported, on other trials and in both bodies: the score before, after `AFTER` generations, and after all; the
mean over the seeds 1 to N. No run is left out. Rows: runs/results/parts-loop.csv.
"""

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

import circuits
import fitness
from circuits import Circuit
from tests.bench.parts_arms import random, rewired
from tests.bench.rows import markdown, write_csv

ROOT = Path(__file__).parents[2]
SPEC, ROWS = ROOT / "runs" / "phonotaxis.toml", ROOT / "runs" / "results" / "parts-loop.csv"
BODIES = {"cricket": {}, "clumsy": {"turn_deg": 20.0, "contrast": 0.3, "hum_hz": 30.0}}
ARMS = ("evolved for the task", "rewired", "random")
TRIALS, JUDGED = 64, 512
GENERATIONS, AFTER, CHILDREN, STEP = 40, 10, 7, 0.3
COLUMNS = ("arm", "seed", "trained in", "judged in", "before", f"after_{AFTER}", "after_all")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    found = [
        row
        for arm, seed, body in product(ARMS, range(1, chosen.seeds + 1), BODIES)
        for row in rows(arm, seed, body, part(arm, seed))
    ]
    write_csv(ROWS, COLUMNS, found)
    print(table(found))


def part(arm: str, seed: int) -> Circuit:
    """The circuit of an arm before training."""
    evolved = circuits.zoo["phonotaxis-3"].circuit
    if arm == "rewired":
        return rewired(evolved, np.random.default_rng((seed, 0)))
    return random(evolved, SPEC, np.random.default_rng((seed, 1))) if arm == "random" else evolved


def rows(arm: str, seed: int, body: str, circuit: Circuit, generations: int = GENERATIONS) -> Iterator[tuple]:
    """A row for each body in which the circuit is judged, trained in one."""
    course = trained(circuit, fitness.task("phonotaxis", **BODIES[body]), seed, generations)
    for other, settings in BODIES.items():
        task = fitness.task("phonotaxis", **settings)
        trials = task.trials(seed=1000 + seed, count=JUDGED)
        scores = (float(task.evaluate(course[k], trials).value) for k in (0, min(AFTER, generations), generations))
        yield (arm, seed, body, other, *scores)


def trained(circuit: Circuit, task, seed: int, generations: int) -> list[Circuit]:
    """The circuit before training and after each generation."""
    rng, course = np.random.default_rng((seed, 2)), [circuit]
    for _ in range(generations):
        trials = task.trials(seed=int(rng.integers(1 << 31)), count=TRIALS)
        tried = [course[-1], *(varied(course[-1], rng) for _ in range(CHILDREN))]
        course.append(tried[int(np.argmax([task.evaluate(one, trials).value for one in tried]))])
    return course


def varied(circuit: Circuit, rng: np.random.Generator) -> Circuit:
    """The circuit with other weights of the same signs."""
    data = circuit.model_dump()
    for synapse in (*data["synapses"], *(s for channel in data["inputs"] for s in channel["synapses"])):
        synapse["weight_mv"] *= float(np.exp(STEP * rng.normal()))
    return Circuit(**data)


def table(found) -> str:
    """Means over seeds, in Markdown, with the scores of single seeds after training."""
    early, late = (f"{generations * TRIALS * (CHILDREN + 1):,}" for generations in (AFTER, GENERATIONS))
    lines = [("circuit", "trained in", "judged in", "before", f"after {early} trials", f"after {late}", "seeds")]
    for key in dict.fromkeys((row[0], *row[2:4]) for row in found):
        scores = np.array([row[4:] for row in found if (row[0], *row[2:4]) == key])
        each = " ".join(f"{score:.2f}" for score in scores[:, -1])
        lines.append((*key, *(f"{score:.2f}" for score in scores.mean(axis=0)), each))
    return markdown(lines)


if __name__ == "__main__":
    main()
