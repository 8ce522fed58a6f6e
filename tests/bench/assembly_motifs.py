"""The motifs of bench_assembly: evolved to learn quickly, evolved for a task, not evolved, drawn at random to the same measure,
and a single neuron.

A motif that learns quickly is found by a search whose judge is learning (`learning_spec`): networks of copies, as large as in
the tables, are trained for half of the steps, and the score is the accuracy less what spikes cost. The tables are made with
other seeds, whose trials (and manifolds, in Randman) the search never saw. The motifs in runs/results/assembly/ were found by
such a search of an earlier version, without a race.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import circuits
from circuits import Circuit
from circuits.motif_file import Motif
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import RunSpec
from fitness.base.trials import Interface
from tests.bench.assembly_networks import LEARNS, SPREAD
from tests.bench.assembly_tasks import PRICED, TASKS

ROOT = Path(__file__).parents[2]
SHARE, RATE = 0.5, 0.1  # of the steps of training; its learning rate
JUDGED = 512  # trials, other ones
POPULATION, GENERATIONS = 40, 20
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


def quick_learner(task: str, folder: Path) -> Motif:
    """The motif that learns the task best, searched for once and kept in the folder."""
    path = folder / f"learn-{task}.json"
    if not path.exists():
        import evo

        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as out:
            circuits.save(evo.run(learning_spec(task), out=Path(out) / "run", workers=0, page=False).motif(rank=0), path)
    return circuits.load(path)


def learning_spec(task: str) -> RunSpec:
    """The search for the motif that learns a task of the tables best."""
    chosen = TASKS[task]
    name, chance = task.removesuffix(PRICED), 1 / chosen.classes
    of_data = {"classes": chosen.classes} if name.startswith(("itd", "randman")) else {}
    settings = {
        "data": "itd" if name == "itd-in-phase" else name,
        "settings": of_data | ({"fibre_lag": 0.0} if name == "itd-in-phase" else {}),
        "examples": 4000,
        "judged": JUDGED,
        "parameters": chosen.parameters,
        "features": chosen.features,
        "trainable": [*LEARNS, "delays"],
        "spread": SPREAD,
        "steps": round(SHARE * chosen.steps),
        "batch": 64,
        "rate": RATE,
        "price": chosen.price,
        "spike_cost": chosen.score(0.0, -1.0) / (1 - chance),
    }
    search = {"seed": 0, "population": POPULATION, "generations": GENERATIONS, "islands": 1}
    return RunSpec.model_validate(
        {"task": {"name": "learning"} | settings, "circuit": SPEC.circuit.model_dump(), "search": search}
    )


def motif_of(found: np.void, **provenance) -> Motif:
    circuit = genome.to_circuit(found, SPEC.encoding(INTERFACE), INTERFACE.inputs, INTERFACE.outputs)
    return Motif.of(circuit, **provenance)


def unevolved(seed: int) -> Motif:
    """A circuit as the search begins with."""
    return motif_of(variation.founders(SPEC.encoding(INTERFACE).bounds, 1, np.random.default_rng((seed, 1)))[0])


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
        exchange(synapses, rng)
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


def exchange(synapses, rng, rounds=20):
    """Let random pairs of synapses exchange their targets, where that doubles no synapse."""
    for _ in range(rounds * len(synapses)):
        a, b = (synapses[k] for k in rng.integers(0, len(synapses), 2))
        there = {(s["pre"], s["post"]) for s in synapses}
        if (a["pre"], b["post"]) not in there and (b["pre"], a["post"]) not in there:
            a["post"], b["post"] = b["post"], a["post"]
