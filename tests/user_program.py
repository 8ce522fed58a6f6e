"""A program that uses the public names, which `make lint` checks as strictly as mypy can: users rely on these types."""

import numpy as np
import torch

import circuits
import evo
import fitness
from circuits.torch import MotifCell, MotifLayer, MotifNetwork
from fitness import spike_trains


class Relay(fitness.Task):
    late_ms: float = 1.0

    def make(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((count, self.steps, 1), bool), np.zeros(count, int)

    def trial_scores(self, raster: circuits.Raster, trials: fitness.Trials) -> np.ndarray:
        return raster.counts()[..., 0]


def distance(folder: str) -> float:
    run: evo.Run = evo.open_run(folder)
    motif: circuits.Motif = run.motif(rank=0)
    raster = circuits.simulate(motif.circuit, [[[1.0]]], duration_ms=10)
    trains = spike_trains.SpikeTrains.of_raster(raster)
    return run.front[0].held_out + float(spike_trains.van_rossum(trains, trains).sum())


def scored(circuit: circuits.Circuit) -> np.ndarray:
    task: fitness.Task = fitness.task("gate", volleys=2)
    return task.evaluate(circuit, task.trials(seed=1, count=64)).value


def trained(motif: circuits.Motif) -> circuits.Motif:
    cell = MotifCell(motif, trainable=("weights", "delays"))
    spikes, state = cell.run(torch.zeros(10, 1, cell.channels))
    network = MotifNetwork([MotifLayer(motif, copies=4, in_features=10)], classes=3)
    logits, counts = network.forward_with_spikes(torch.zeros(10, 1, 10))
    torch.autograd.backward([logits.sum() + spikes.sum() + counts.sum() + state.v.sum()])
    return cell.to_motif()


def evolved() -> circuits.Circuit:
    evolver = evo.Evolver(inputs=["a"], outputs=["x"], population=20, seed=1)
    for _ in range(3):
        evolver.tell([float(circuit.synapse_count) for circuit in evolver.ask()])
    return evolver.best.circuit
