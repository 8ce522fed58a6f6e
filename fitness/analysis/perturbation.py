"""Score against the size of a perturbation of the circuit or of its input."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from circuits.edit.variants import Variants
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import Stop
from fitness.analysis.numbers import rounded
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import judge, score_of, scores, with_intervals
from fitness.evaluation.robustness import at_finer_step
from fitness.scoring.streams import INPUT_JITTER, PARAMETER_NOISE, WEIGHT_NOISE, stream

PERCENT = 0.0, 5.0, 10.0, 20.0, 40.0  # standard deviations of weights and parameters
DRAWS = 8
JITTER_STEPS = 0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0  # standard deviations of input spike times
FINER = 1, 2, 4


class Response(NamedTuple):
    """x, float64 [points], the first being no change; score at each; low and high: the range of the scores of several draws, or
    the 95 % confidence interval of a single one."""

    x: np.ndarray
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curves(task: Task, trials: Trials, circuit: Circuit) -> dict[str, Response]:
    """The curves of a circuit by the quantity perturbed, see the functions below. Random draws depend on the trials' seed and
    the circuit alone. In a closed loop the circuit shapes its own input: perturbations of the input and the step are left
    out."""
    noise = {
        "weight noise [%]": weight_noise(task, trials, circuit),
        "parameter noise [%]": parameter_noise(task, trials, circuit),
    }
    if task.environment(trials) is not None:
        return noise
    jitter, step = input_jitter(task, trials, circuit), time_step(task, trials, circuit)
    return {"input jitter [ms]": jitter, **noise, "time step [ms]": step}


def weight_noise(task: Task, trials: Trials, circuit: Circuit) -> Response:
    """Every weight is multiplied by 1 + noise of this standard deviation; none changes its sign. The draws are the same for all
    standard deviations."""
    draws = stream(trials.noise_seed, WEIGHT_NOISE).standard_normal((DRAWS, circuit.synapse_count))
    versions = Variants.of(circuit, len(PERCENT) * DRAWS)
    return _over_draws(task, trials, circuit, versions._replace(weight=versions.weight * _factors(draws)))


def parameter_noise(task: Task, trials: Trials, circuit: Circuit) -> Response:
    """Every parameter of the neurons is multiplied likewise; potentials are taken relative to v_rest, which stays."""
    model = circuit.model
    shape = DRAWS, len(circuit.neurons), len(model.names)
    draws = stream(trials.noise_seed, PARAMETER_NOISE).standard_normal(shape)
    versions = Variants.of(circuit, len(PERCENT) * DRAWS)
    potential = np.array([name.startswith("v_") for name in model.names])
    rest = np.where(potential, versions.parameters[..., [model.names.index("v_rest_mv")]], 0.0)
    noisy = versions.parameters + (versions.parameters - rest) * (_factors(draws) - 1)
    noisy = np.clip(noisy, *np.array([(p.low, p.high) for p in model.parameters.values()]).T)
    for low, high in model.neuron.ascending:
        above = noisy[..., model.names.index(high)]
        noisy[..., model.names.index(low)] = np.minimum(noisy[..., model.names.index(low)], above - 1e-3)
    return _over_draws(task, trials, circuit, versions._replace(parameters=noisy))


def input_jitter(task: Task, trials: Trials, circuit: Circuit) -> Response:
    """Every input spike is moved in time, normally distributed with this standard deviation."""
    rng = stream(trials.noise_seed, INPUT_JITTER)
    single = [score_of(task, jittered(trials, steps, rng) if steps else trials, circuit) for steps in JITTER_STEPS]
    rows = with_intervals(task, trials, single)
    return Response(np.multiply(JITTER_STEPS, task.dt_ms), *np.array(rows).T)


def time_step(task: Task, trials: Trials, circuit: Circuit) -> Response:
    """The step of the simulation is made shorter."""
    single = []
    for finer in FINER:
        tables = from_circuit(circuit.model_copy(update={"dt_ms": task.dt_ms / finer}), np.float32)
        single.append(judge(task, at_finer_step(task, trials, tables, finer, Stop()), trials).score)
    rows = with_intervals(task, trials, single)
    return Response(task.dt_ms / np.array(FINER), *np.array(rows).T)


def jittered(trials: Trials, steps: float, rng) -> Trials:
    """The trials with every input spike moved by a normally distributed number of steps with the standard deviation `steps`. No
    spike is lost: one whose step is taken goes to the next free one."""
    trial, channel, step = np.nonzero(trials.spikes.swapaxes(1, 2))
    last = trials.spikes.shape[1] - 1
    moved = np.clip(np.rint(step + steps * rng.standard_normal(len(step))).astype(int), 0, last)
    train = trial * trials.spikes.shape[2] + channel
    moved = moved[np.lexsort((moved, train))]  # sorted within each train
    first = np.searchsorted(train, train)
    rank, size = np.arange(len(train)) - first, np.bincount(train)[train]
    offset = train * 2 * (last + 1)  # the running maximum starts anew with each train
    moved = np.maximum.accumulate(moved - rank + offset) - offset + rank
    moved = np.minimum(moved, last + 1 - size + rank)
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
    """Score against the size of a perturbation, x[0] being none. low and high: the range of the scores of several draws, or the
    95 % confidence interval of a single one."""

    x: list[float]
    score: list[float]
    low: list[float]
    high: list[float]


def perturbation(task: Task, circuit: Circuit, held_out: Trials) -> dict[str, Curve]:
    """The part `perturbation` of an analysis."""
    responses = curves(task, held_out, circuit).items()
    return {name: {part: rounded(values) for part, values in r._asdict().items()} for name, r in responses}  # type: ignore[misc]
