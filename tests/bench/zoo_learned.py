"""Makes a part of circuits/zoo/learned of a finished run by learning: python -m tests.bench.zoo_learned SPEC RUN NAME TITLE

The circuit is the one that did best on validation trials. By [task] of the spec, networks of as many parameters are trained of
it, of it rewired by degree with its weights shuffled within sign (another rewiring for every seed), of a random circuit of as
many neurons (another for every seed), and of a single neuron, with the SEEDS, none of which the search had. Each arm takes the
learning rate of RATES that does best with seed TUNED_ON. No training is left out.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import circuits
import evo
from circuits import Circuit, zoo
from circuits.motif_file import digest, write_whole
from circuits.zoo.learned_parts import Course, LearnedCard
from evo.spec.run_spec import read_alone
from fitness.learning.data import Data
from fitness.learning.essential import essential
from fitness.learning.network import Sizes, assembled
from fitness.learning.settings import settings
from fitness.learning.training import Training
from tests.bench.assembly_motifs import SINGLE
from tests.bench.parts_arms import random, rewired

ROOT = Path(__file__).parents[2]
RATES, TUNED_ON, SEEDS = (0.05, 0.15, 0.4), 2023, (2024, 2025, 2026, 2027, 2028)


def main():
    parser = argparse.ArgumentParser()
    for name in ("spec", "run", "name", "title"):
        parser.add_argument(name)
    chosen = parser.parse_args()
    spec, run = Path(chosen.spec).resolve(), evo.Run(chosen.run)
    best = max(run.front, key=lambda member: member.validation)
    motif = run.motif(best.rank)
    part = essential(motif.circuit, run.spec.task.get("read", "excitatory")) or motif.circuit
    arms = {
        "evolved for learning": lambda seed: part,
        "rewired": lambda seed: rewired(part, np.random.default_rng((seed, 0))),
        "random": lambda seed: random(part, spec, np.random.default_rng((seed, 1))),
        "single neuron": lambda seed: SINGLE.circuit,
    }
    task = read_alone(spec).task
    courses = {name: course(make, task) for name, make in arms.items()}
    card = LearnedCard(
        name=chosen.name,
        title=chosen.title,
        task=task,
        spec=spec.relative_to(ROOT).as_posix(),
        seed=run.spec.search.seed,
        evaluations=run.evaluations,
        seeds=SEEDS,
        courses=courses,
        chance=round(1 / sets_of(task, TUNED_ON)[0].train.classes, 4),
        sha256=digest(motif),
    )
    circuits.save(motif, zoo.parts.folder / f"{chosen.name}.json")
    write_whole(zoo.parts.folder / f"{chosen.name}.card.json", json.dumps(card.model_dump(mode="json"), indent=1) + "\n")
    print(card.text)


def course(make, task) -> Course:
    """The course of learning of an arm; make(seed) gives its circuit."""
    tuned = {rate: trained(make(TUNED_ON), task, rate, TUNED_ON)[0].accuracy for rate in RATES}
    rate = max(tuned, key=lambda one: tuned[one])
    found = [trained(make(seed), task, rate, seed) for seed in SEEDS]
    learned = [one for one, _ in found]
    curves = np.array([one.curve["accuracy"] for one in learned])
    return Course(
        rate=rate,
        parameters=found[0][1],
        steps=tuple(learned[0].curve["steps"]),
        accuracy=tuple(np.round(curves.mean(axis=0), 4).tolist()),
        final=tuple(np.round(curves[:, -1], 4).tolist()),
        spikes=round(float(np.mean([one.spikes for one in learned])), 1),
    )


def trained(circuit: Circuit, task: dict, rate: float, seed: int):
    """What a network of a circuit has learned, and its number of parameters."""
    chosen, (sets, dt_ms) = settings(task | {"rate": rate}), sets_of(task, seed)
    torch.manual_seed(seed)
    network = assembled(circuit, chosen, Sizes.of(sets.train, dt_ms))
    return Training(network, sets, chosen, seed).advance(), network.parameter_count


def sets_of(task: dict, seed: int):
    """Trials to learn from and to judge by, and their time step."""
    chosen = settings(task)
    data = Data(chosen.data, chosen.settings, chosen.examples, chosen.judged, seed)
    return data.sets("held_out"), data.dt_ms


if __name__ == "__main__":
    main()
