"""The motifs of bench_assembly: evolved to learn quickly, evolved for a task, not evolved, drawn at random to the same measure,
and a single neuron.

A motif that learns quickly is found by the project's own genome and operators with another judge: a network of copies of it, as
large as in the tables, is trained for half of the steps on part of a data set's training split of seed 0, and its score is the
accuracy on the rest of that split, less what its spikes cost. How well a network learns depends on its first weights too, so
motifs are ranked by what they are worth at least. The tables are made with other seeds, whose trials (and manifolds, in
Randman) the search never saw.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

import circuits
from circuits import Circuit
from circuits.motif_file import Motif
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import RunSpec
from fitness.trials import Interface
from tests.bench.assembly_networks import assembled, sizes_of
from tests.bench.assembly_tasks import PRICED, TASKS, sets_of
from tests.bench.rivals.classify import learn

ROOT = Path(__file__).parents[2]
SHARE, RATE = 0.5, 0.1  # of the steps of training; its learning rate
LUCK = 0.05  # standard deviation of the scores of one motif from different first weights
JUDGED = 512  # trials
FOUNDERS, PARENTS, CHILDREN, GENERATIONS = 40, 5, 10, 20
TRIES = 6  # of a parent at most
# On which task the motif learnt that is used for these.
LEARNT_ON = {task: task.removesuffix(PRICED) + PRICED for task in TASKS} | dict.fromkeys(
    ("yin-yang", "digits"), "randman" + PRICED
)
# The committed spec whose task is nearest to the data, and the factor that brings its times to those of the data.
EVOLVED_FOR = {"itd": ("itd", 20.0), "randman": ("order", 0.8), "yin-yang": ("coincidence", 2.0), "digits": ("order", 0.5)}
EVOLVED_FOR["itd-in-phase"] = EVOLVED_FOR["itd"]
EVOLVED_FOR |= {task + PRICED: found for task, found in EVOLVED_FOR.items()}

SPEC = RunSpec.model_validate(
    {
        "task": {"name": "learn"},
        "circuit": {
            "neurons": [4, 8],
            "excitatory_share": [0.5, 0.9],
            "in_degree": 6,
            "delay_ms": [1.0, 20.0],
            "excitatory_weight_mv": [1.0, 60.0],
            "inhibitory_weight_mv": [1.0, 60.0],
            "parameters": {
                "tau_m_ms": [3.0, 30.0],
                "tau_syn_e_ms": [0.5, 8.0],
                "tau_syn_i_ms": [1.0, 15.0],
                "t_ref_ms": [1.0, 25.0],
            },
        },
    }
)
INTERFACE = Interface("learn", ("a", "b"), ("out",), 1.0, 100.0)


# One E neuron that hears one channel: copies of it are a layer without recurrence, of neurons as they are usually taken.
SINGLE = Motif.of(
    Circuit(
        dt_ms=INTERFACE.dt_ms,
        neurons=[{"id": "E0", "sign": "E", "tau_m_ms": 10.0, "tau_syn_e_ms": 5.0, "t_ref_ms": 2.0}],
        inputs=[{"name": "a", "synapses": [{"post": "E0", "weight_mv": 20.0, "delay_ms": 1.0}]}],
        synapses=[],
        outputs=[{"name": "out", "neurons": ["E0"]}],
    )
)


class Tried(NamedTuple):
    """A genome and the scores it got, one for each time it was tried."""

    genome: np.void
    scores: list

    @property
    def score(self) -> float:
        return float(np.mean(self.scores))

    @property
    def least(self) -> float:
        """The score less its standard error: one lucky try is no merit yet."""
        return self.score - LUCK / len(self.scores) ** 0.5


def quick_learner(task: str, folder: Path, say=print) -> Motif:
    """The motif that learns the task best, searched for once and kept in the folder."""
    path = folder / f"learn-{task}.json"
    if not path.exists():
        motif, history = search(task, say)
        folder.mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / f"learn-{task}.txt", history, fmt="%.4f", header="best score, mean of the parents, by generation")
        circuits.save(motif, path)
    return circuits.load(path)


def search(task: str, say=print) -> tuple[Motif, list]:
    """A few parents and many children: parents are tried again in every generation, up to `TRIES` times."""
    form, rng = SPEC.form(INTERFACE), np.random.default_rng((0, len(task)))
    sets, judge, begin = sets_of(TASKS[task], 0), _judge(TASKS[task]), time.process_time()
    population = [Tried(g, [judge(g, sets, 0)]) for g in variation.founders(form.bounds, FOUNDERS, rng)]
    history = []
    for generation in range(GENERATIONS + 1):
        parents = sorted(population, key=lambda tried: -tried.least)[:PARENTS]
        history.append((parents[0].score, np.mean([tried.score for tried in parents])))
        say(
            f"learn {task}: generation {generation}, best {history[-1][0]:.3f}, {time.process_time() - begin:.0f} s", flush=True
        )
        if generation == GENERATIONS:
            break
        for tried in (p for p in parents if len(p.scores) < TRIES):
            tried.scores.append(judge(tried.genome, sets, generation + 1))
        mothers, fathers = rng.integers(0, len(parents), (2, CHILDREN))
        fathers[rng.random(CHILDREN) < 0.5] = variation.NOBODY
        children, _ = variation.crossover(np.array([p.genome for p in parents]), mothers, fathers, form.bounds, rng)
        variation.mutate(children, form.bounds, rng)
        population = parents + [Tried(g, [judge(g, sets, generation + 1)]) for g in children]
    best = parents[0]
    return motif_of(best.genome, task={"name": f"learn-{task}"}, scores={"score": best.score}), history


def _judge(task):
    def judge(found, sets, seed):
        torch.manual_seed(seed)
        motif = core(motif_of(found))
        if motif is None:
            return 0.0
        network = assembled(motif, sizes_of(task, sets))
        few = tuple(part[:JUDGED] for part in sets.validation)
        learnt = learn(network, sets.train, few, few, round(SHARE * task.steps), RATE, seed, task.price)
        return task.score(learnt["accuracy"], learnt["spikes"])

    return judge


def motif_of(found: np.void, **provenance) -> Motif:
    circuit = genome.to_circuit(found, SPEC.form(INTERFACE), INTERFACE.inputs, INTERFACE.outputs)
    return Motif.of(circuit, **provenance)


def unevolved(seed: int) -> Motif:
    """A circuit as the search begins with."""
    return motif_of(variation.founders(SPEC.form(INTERFACE).bounds, 1, np.random.default_rng((seed, 1)))[0])


def evolved_for(data: str, folder: Path) -> Motif:
    """The best circuit of a committed spec, its times brought to those of the data."""
    import evo

    name, factor = EVOLVED_FOR[data]
    path = folder / f"task-{name}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as out:
            circuits.save(evo.run(ROOT / "runs" / f"{name}.toml", out=Path(out) / name, workers=0).motif(rank=0), path)
    return stretched(circuits.load(path), factor)


def core(motif: Motif) -> Motif | None:
    """The motif without the neurons that cannot matter: those which no input drives, and I neurons from which no way leads to
    an E neuron, whose spikes are read. None if no E neuron is driven."""
    excitatory = {neuron.id for neuron in motif.neurons if neuron.sign == "E"}
    awake = {s.post for channel in motif.inputs for s in channel.synapses} | {n.id for n in motif.neurons if n.bias_mv > 0}
    driven = _reached(awake, [(s.pre, s.post) for s in motif.synapses if s.pre in excitatory])
    kept = _reached(excitatory & driven, [(s.post, s.pre) for s in motif.synapses if {s.pre, s.post} <= driven])
    if not kept:
        return None
    data = motif.model_dump()
    data["neurons"] = [n for n in data["neurons"] if n["id"] in kept]
    data["synapses"] = [s for s in data["synapses"] if {s["pre"], s["post"]} <= kept]
    for channel in data["inputs"]:
        channel["synapses"] = [s for s in channel["synapses"] if s["post"] in kept]
    data["inputs"] = [channel for channel in data["inputs"] if channel["synapses"]]
    data["outputs"] = [{"name": "out", "neurons": [n["id"] for n in data["neurons"] if n["sign"] == "E"]}]
    return Motif(**data)


def _reached(found, ways):
    """All that `ways`, pairs, lead to from what is found."""
    while more := {end for begin, end in ways if begin in found} - found:
        found = found | more
    return found


def stretched(motif: Motif, factor: float, dt_ms: float = 1.0) -> Motif:
    """The motif with all its times multiplied: a circuit of LIF neurons does the same, slower or faster. Delays and refractory
    periods are rounded to whole steps of dt_ms."""
    data = motif.model_dump() | {"dt_ms": dt_ms, "noise_mv": 0.0}

    def steps(ms, least):
        return max(least, round(ms * factor / dt_ms)) * dt_ms

    for neuron in data["neurons"]:
        neuron |= {name: neuron[name] * factor for name in ("tau_m_ms", "tau_syn_e_ms", "tau_syn_i_ms")}
        neuron["t_ref_ms"] = steps(neuron["t_ref_ms"], 0)
    for synapse in [*data["synapses"], *(s for channel in data["inputs"] for s in channel["synapses"])]:
        synapse["delay_ms"] = steps(synapse["delay_ms"], 1)
    return Motif(**data)


def rewired(motif: Motif, seed: int) -> Motif:
    """A random circuit of as many E and I neurons, synapses and channels' synapses, of the same in- and out-degrees: targets
    are exchanged between synapses until chance has mixed them; weights, delays and time constants are drawn as of founders."""
    rng, c, data = np.random.default_rng((seed, 2)), SPEC.circuit, motif.model_dump()
    inhibits = {neuron["id"] for neuron in data["neurons"] if neuron["sign"] == "I"}
    heard = [synapse | {"pre": number} for number, channel in enumerate(data["inputs"]) for synapse in channel["synapses"]]
    for synapses in (data["synapses"], heard):
        _exchange(synapses, rng)
        for synapse in synapses:
            low, high = c.inhibitory_weight_mv if synapse["pre"] in inhibits else c.excitatory_weight_mv
            delay = rng.integers(c.delay_ms[0], c.delay_ms[1] + 1)
            synapse |= {"weight_mv": rng.uniform(low, high), "delay_ms": float(delay)}
    for number, channel in enumerate(data["inputs"]):
        channel["synapses"] = [{k: v for k, v in s.items() if k != "pre"} for s in heard if s["pre"] == number]
    for neuron in data["neurons"]:
        for name, (low, high) in c.parameters.model_dump().items():
            neuron[name] = float(rng.integers(low, high + 1)) if name == "t_ref_ms" else rng.uniform(low, high)
    return Motif(**data | {"dt_ms": INTERFACE.dt_ms, "provenance": {}})


def _exchange(synapses, rng, rounds=20):
    """Let random pairs of synapses exchange their targets, where that doubles no synapse."""
    for _ in range(rounds * len(synapses)):
        a, b = (synapses[k] for k in rng.integers(0, len(synapses), 2))
        there = {(s["pre"], s["post"]) for s in synapses}
        if (a["pre"], b["post"]) not in there and (b["pre"], a["post"]) not in there:
            a["post"], b["post"] = b["post"], a["post"]
