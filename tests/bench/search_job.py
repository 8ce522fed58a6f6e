"""The job of `make bench-search`: circuits of 16 neurons on 64 trials of 200 steps, for us and for who knows nothing of us.

The task is `direction`: four inputs, one output. Founders have as many synapses as the circuit of `make bench-simulator`, 67
between neurons and 27 from inputs. The objectives, score and speed, ask for neither more nor fewer, and every step of every
circuit is simulated: no rule gives up hopeless ones.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from evo import genome
from evo.engine.codec import to_bytes
from evo.genome import GRID, Bounds
from evo.running import search
from evo.spec.run_spec import RunSpec, parse
from evo.storage.stored import SPEC, InitialPopulation

NEURONS, EXCITATORY, CHANNELS = 16, 13, 4
RECURRENT, ENTERING = 67, 27  # synapses
TRIALS, STEPS = 64, 200
PARENT = {"run": "none", "spec_sha256": "0" * 64, "archive_sha256": "0" * 64, "generation": 0}

TEXT = f"""
[task]
name = "direction"
both = false
spikes = 2
more = 0

[circuit]
neurons = {NEURONS}
excitatory_share = {EXCITATORY / NEURONS}
in_degree = {CHANNELS + NEURONS}
delay_ms = [0.5, 7.5]

[circuit.parameters]
tau_m_ms = [10.0, 30.0]

[search]
trials = {TRIALS}
objectives = ["score", "speed"]

[search.stop]
check_ms = 0.0
"""


def spec(**search) -> RunSpec:
    """The job as a run spec; `search` replaces keys of [search]."""
    return parse(TEXT, "the job", **search)


def usual(**search) -> RunSpec:
    """The same circuits as any other search has them: the default in-degree, objectives and rule to give hopeless ones up."""
    job = spec(**search)
    default = RunSpec(task=job.task)
    circuit = job.circuit.model_copy(update={"in_degree": default.circuit.in_degree})
    changes = {"objectives": default.search.objectives, "stop": default.search.stop}
    return job.model_copy(update={"circuit": circuit, "search": job.search.model_copy(update=changes)})


def begin(folder: Path, job: RunSpec, founded: bool = True) -> Path:
    """A run folder for `evo.resume` to start from, whose islands are given the job's founders or draw their own."""
    folder.mkdir()
    if founded:
        bounds, s = job.encoding(job.make_task().interface).bounds, job.search
        genomes = founders(bounds, s.islands * s.population, np.random.default_rng(s.seed))
        inherited = InitialPopulation(genomes, np.repeat(np.arange(s.islands), s.population), PARENT)
        (folder / search.INITIAL).write_bytes(to_bytes(inherited))
    (folder / SPEC).write_text(job.to_toml(), encoding="utf-8")
    return folder


def founders(bounds: Bounds, count: int, rng: np.random.Generator) -> np.ndarray:
    """Genomes [count] with the job's numbers of synapses at random places, and all else at random as well."""
    made = genome.empty(bounds, count)
    made["kind"] = np.where(np.arange(NEURONS) < EXCITATORY, 1, -1)
    low, high = bounds.parameter[np.where(np.arange(NEURONS) < EXCITATORY, 0, 1)].swapaxes(0, 1)
    drawn = rng.uniform(low, high, made["parameters"].shape)
    made["parameters"] = np.clip(np.rint(drawn / bounds.step) * bounds.step, low, high)
    for rows, synapses in ((slice(None, CHANNELS), ENTERING), (slice(CHANNELS, None), RECURRENT)):
        shape = made["weight"][:, rows].shape
        places = rng.random(shape).reshape(count, -1).argsort(axis=1).argsort(axis=1).reshape(shape)
        weight = np.rint(rng.uniform(*bounds.weight[0], shape) * GRID) / GRID
        made["weight"][:, rows] = np.where(places < synapses, weight, 0)
    made["delay"] = np.where(made["weight"] > 0, rng.integers(bounds.delay[0], bounds.delay[1] + 1, made["delay"].shape), 0)
    made["readout"] = rng.integers(EXCITATORY, size=made["readout"].shape)
    return made


def drawn(seed: int = 1) -> SimpleNamespace:
    """One of the founders and the trials as rivals want them (see `contest.write_job`): weights in units of the way from rest
    to threshold, delays in steps; speed [trials] numbers the speeds of the task, readout is the output neuron. The task and the
    trials are there as ours too."""
    job = spec(seed=seed)
    task = job.make_task()
    interface = task.interface
    one = founders(job.encoding(interface).bounds, 1, np.random.default_rng(seed))
    circuit = genome.to_circuit(one[0], job.encoding(interface), interface.inputs, interface.outputs)
    neuron = circuit.neurons[0]
    trials = task.trials(seed, TRIALS)
    pre, post = np.nonzero(one["weight"][0, CHANNELS:])
    channel, target = np.nonzero(one["weight"][0, :CHANNELS])
    weight = one["weight"][0] / (neuron.v_th_mv - neuron.v_rest_mv)
    delay = one["delay"][0, CHANNELS:][pre, post].astype(int)
    return SimpleNamespace(
        neurons=NEURONS,
        channels=CHANNELS,
        dt=task.dt_ms,
        tau_m=np.array([n.tau_m_ms for n in circuit.neurons]),
        tau_e=neuron.tau_syn_e_ms,
        tau_i=neuron.tau_syn_i_ms,
        t_ref=neuron.t_ref_ms,
        excitatory=circuit.excitatory,
        synapses=np.rec.fromarrays([pre, post, weight[CHANNELS:][pre, post], delay], names="pre,post,weight,delay"),
        inputs=np.rec.fromarrays([channel, target, weight[channel, target]], names="channel,post,weight"),
        spikes=np.ascontiguousarray(trials.spikes.transpose(1, 2, 0)),
        labels=trials.labels,
        speed=trials.facts["speed"],
        readout=int(one["readout"][0, 0]),
        task=task,
        trials=trials,
    )
