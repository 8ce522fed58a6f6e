"""Score against how much a circuit, or what it hears, is changed."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from circuits.edit.variants import Variants
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import Stop
from fitness.analysis.numbers import rounded
from fitness.evaluation.evaluate import scored, scores, with_interval
from fitness.evaluation.robustness import at_finer_step
from fitness.task import Task
from fitness.trials import Trials

PERCENT = 0.0, 5.0, 10.0, 20.0, 40.0  # standard deviations of weights and parameters
DRAWS = 8
JITTER_STEPS = 0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0  # standard deviations of input spike times
FINER = 1, 2, 4


class Response(NamedTuple):
    """x, float64 [points], the first being no change; score there, and the ends low and high: of several draws the least and
    the largest score, of a single one its 95 % confidence interval."""

    x: np.ndarray
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curves(task: Task, trials: Trials, circuit: Circuit) -> dict[str, Response]:
    """The curves of a circuit by what is changed, see the functions below. Chance depends on the trials' seed and the circuit
    alone. In a closed loop the input is the circuit's own doing: what changes it is left out."""
    found = {
        "input jitter [ms]": input_jitter(task, trials, circuit),
        "weight noise [%]": weight_noise(task, trials, circuit),
        "parameter noise [%]": parameter_noise(task, trials, circuit),
        "time step [ms]": time_step(task, trials, circuit),
    }
    return {name: curve for name, curve in found.items() if curve is not None}


def weight_noise(task: Task, trials: Trials, circuit: Circuit) -> Response:
    """Every weight is off by chance, by a share with this standard deviation; none changes its sign. The draws are the same for
    all standard deviations."""
    draws = np.random.default_rng((trials.noise_seed, 1)).standard_normal((DRAWS, circuit.synapse_count))
    versions = Variants.of(circuit, len(PERCENT) * DRAWS)
    return _over_draws(task, trials, circuit, versions._replace(weight=versions.weight * _factors(draws)))


def parameter_noise(task: Task, trials: Trials, circuit: Circuit) -> Response:
    """The same of every parameter of the neurons, potentials being measured from v_rest, which stays."""
    model = circuit.model
    shape = DRAWS, len(circuit.neurons), len(model.names)
    draws = np.random.default_rng((trials.noise_seed, 2)).standard_normal(shape)
    versions = Variants.of(circuit, len(PERCENT) * DRAWS)
    potential = np.array([name.startswith("v_") for name in model.names])
    rest = np.where(potential, versions.parameters[..., [model.names.index("v_rest_mv")]], 0.0)
    noisy = versions.parameters + (versions.parameters - rest) * (_factors(draws) - 1)
    noisy = np.clip(noisy, *np.array([(p.low, p.high) for p in model.parameters.values()]).T)
    for low, high in model.neuron.ascending:
        above = noisy[..., model.names.index(high)]
        noisy[..., model.names.index(low)] = np.minimum(noisy[..., model.names.index(low)], above - 1e-3)
    return _over_draws(task, trials, circuit, versions._replace(parameters=noisy))


def input_jitter(task: Task, trials: Trials, circuit: Circuit) -> Response | None:
    """Every input spike comes early or late by chance, normally distributed with this standard deviation."""
    if task.environment(trials) is not None:
        return None
    rng = np.random.default_rng((trials.noise_seed, 3))
    found = []
    for steps in JITTER_STEPS:
        moved = jittered(trials, steps, rng) if steps else trials
        found.append(scored(task, moved, circuit))
    return Response(np.multiply(JITTER_STEPS, task.dt_ms), *np.array(found).T)


def time_step(task: Task, trials: Trials, circuit: Circuit) -> Response | None:
    """The step of the simulation is made shorter."""
    if task.environment(trials) is not None:
        return None
    found = []
    for finer in FINER:
        tables = from_circuit(circuit.model_copy(update={"dt_ms": task.dt_ms / finer}), np.float32)
        found.append(with_interval(task, trials, at_finer_step(task, trials, tables, finer, Stop())))
    return Response(task.dt_ms / np.array(FINER), *np.array(found).T)


def jittered(trials: Trials, steps: float, rng) -> Trials:
    """The trials with every input spike moved by a normally distributed number of steps with the standard deviation `steps`. No
    spike is lost: one whose step is taken goes to the next free one."""
    trial, channel, step = np.nonzero(trials.spikes.swapaxes(1, 2))
    last = trials.spikes.shape[1] - 1
    moved = np.clip(np.rint(step + steps * rng.standard_normal(len(step))).astype(int), 0, last)
    train = trial * trials.spikes.shape[2] + channel
    moved = moved[np.lexsort((moved, train))]  # trains stand where they stood, each in order of time
    first = np.searchsorted(train, train)
    number, size = np.arange(len(train)) - first, np.bincount(train)[train]
    anew = train * 2 * (last + 1)  # so that the running maximum starts anew with each train
    moved = np.maximum.accumulate(moved - number + anew) - anew + number
    moved = np.minimum(moved, last + 1 - size + number)
    spikes = np.zeros_like(trials.spikes)
    spikes[trial, moved, channel] = True
    return replace(trials, spikes=spikes)


def _factors(draws):
    """1 + a share of each draw for each standard deviation, not below 0: [PERCENT * DRAWS, ...]."""
    share = np.reshape(PERCENT, (-1, *[1] * draws.ndim)) / 100
    return np.maximum(1 + share * draws, 0.0).reshape(len(PERCENT) * DRAWS, *draws.shape[1:])


def _over_draws(task, trials, circuit, versions):
    value = scores(task, trials, circuit, versions)[0].reshape(len(PERCENT), DRAWS)
    return Response(np.array(PERCENT), value.mean(axis=1), value.min(axis=1), value.max(axis=1))


class Curve(TypedDict):
    """Score against how much is changed, x[0] being nothing. low and high: of several draws the least and the largest score,
    of a single one its 95 % confidence interval."""

    x: list[float]
    score: list[float]
    low: list[float]
    high: list[float]


def perturbation(task: Task, circuit: Circuit, held_out: Trials) -> dict[str, Curve]:
    """The part `perturbation` of an analysis."""
    return {what: _curve(found) for what, found in curves(task, held_out, circuit).items()}


def _curve(found):
    return {part: rounded(values) for part, values in found._asdict().items()}
