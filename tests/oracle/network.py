"""The work folder between us and an oracle, and its circuits as large networks. Needs only numpy and json.

circuits.jsonl   one motif a line
inputs.npz       `stamp` (whole steps) by `circuit`, `trial` and `channel`; `trials` of each circuit; `steps` of every trial
answer.npz       `time_ms` of spikes by `circuit`, `trial` and `neuron`; where asked for, `v_mv` [neurons, steps] of the neurons
                 `v_of` [neurons, 3]; where synapses learn, their last `weight_mv` [synapses] and `weight_of` [synapses, 3]
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

PLASTIC = ("short_term", "stdp")  # sections of a synapse, one of which at most is there


class Network(NamedTuple):
    """Many circuits of one dt and one neuron model, each as many times as it has trials, unconnected to one another.

    neurons   {column: [neurons]}: the parameters as in the motif, and where a neuron comes from (`circuit`, `trial`, `neuron`)
    trains    one array of stamps (whole steps) per input channel, trial and circuit
    afferents, synapses   {"static" or the name of a section: {column: [synapses]}}, from trains and from neurons: `pre` and
              `post` count those, `weight` is signed, `delay` counts steps, other columns are the section as in the motif; a
              synapse comes from `circuit`, `trial` and `synapse`, which counts those of the inputs first
    """

    dt_ms: float
    steps: int
    neuron_model: str
    neurons: dict
    trains: list
    afferents: dict
    synapses: dict


class Answer(NamedTuple):
    """What an oracle found: spikes of a network, as an array each, v_mv [neurons, steps] if asked for, and what the synapses
    learnt, by table: {"afferents" or "synapses": weights_mv}."""

    neuron: np.ndarray
    time_ms: np.ndarray
    v_mv: np.ndarray | None = None
    weights_mv: dict | None = None


def write(folder, motifs, inputs):
    """Ask a question: motifs as dicts, inputs[circuit] bool [trials, steps, channels] with equal steps."""
    lines = [json.dumps(motif, allow_nan=False) + "\n" for motif in motifs]
    (Path(folder) / "circuits.jsonl").write_text("".join(lines), encoding="utf-8")
    spikes = [np.nonzero(dense) for dense in inputs]
    trial, row, channel = (np.concatenate(column) for column in zip(*spikes, strict=True))
    circuit = np.repeat(np.arange(len(inputs)), [len(rows) for _, rows, _ in spikes])
    shape = {"trials": [len(dense) for dense in inputs], "steps": inputs[0].shape[1]}
    np.savez(Path(folder) / "inputs.npz", circuit=circuit, trial=trial, channel=channel, stamp=row + 1, **shape)


def networks(folder):
    """The circuits of a work folder; those of one dt and neuron model are one network."""
    lines = (Path(folder) / "circuits.jsonl").read_text(encoding="utf-8").splitlines()
    inputs = dict(np.load(Path(folder) / "inputs.npz"))
    ends = np.searchsorted(inputs["circuit"], np.arange(1, len(lines)))
    spikes = zip(*(np.split(inputs[name], ends) for name in ("trial", "channel", "stamp")), strict=True)
    alike = defaultdict(list)
    for circuit, (line, own, trials) in enumerate(zip(lines, spikes, inputs["trials"], strict=True)):
        motif = json.loads(line)
        network = _trials_of(motif, circuit, int(trials), int(inputs["steps"]), *own)
        alike[network.dt_ms, network.neuron_model].append(network)
    return [_side_by_side(members) for members in alike.values()]


def answer(folder, found):
    """Write what the networks did: found is a list of (network, Answer)."""
    columns = defaultdict(list)
    for network, got in found:
        for name in ("circuit", "trial", "neuron"):
            columns[name].append(network.neurons[name][got.neuron])
        columns["time_ms"].append(got.time_ms)
        if got.v_mv is not None:
            columns["v_mv"].append(got.v_mv)
            columns["v_of"].append(np.column_stack([network.neurons[name] for name in ("circuit", "trial", "neuron")]))
        for table, weights in (got.weights_mv or {}).items():
            synapses = getattr(network, table)["stdp"]
            columns["weight_mv"].append(weights)
            columns["weight_of"].append(np.column_stack([synapses[name] for name in ("circuit", "trial", "synapse")]))
    np.savez(Path(folder) / "answer.npz", **{name: np.concatenate(column) for name, column in columns.items()})


def _trials_of(motif, circuit, trials, steps, trial, channel, stamp):
    """One circuit, a copy of it for each trial; trial, channel and stamp are those of its input spikes."""
    count, channels = len(motif["neurons"]), len(motif["inputs"])
    place = {neuron["id"]: n for n, neuron in enumerate(motif["neurons"])}
    sign = {neuron["id"]: 1 if neuron["sign"] == "E" else -1 for neuron in motif["neurons"]}
    neurons = _columns(motif["neurons"], without=("id", "type", "sign"), trials=trials)
    neurons |= {"circuit": np.full(trials * count, circuit), "neuron": np.tile(np.arange(count), trials)}
    neurons["trial"] = np.repeat(np.arange(trials), count)
    trains = [stamp[(trial == t) & (channel == c)] for t in range(trials) for c in range(channels)]

    def tables(rows, stride, first=0):
        alike = defaultdict(list)
        for number, (pre, synapse, weight) in enumerate(rows, first):
            kind = next((name for name in PLASTIC if synapse[name]), "static")
            numbers = {"pre": pre, "post": place[synapse["post"]], "weight": weight, "circuit": circuit, "synapse": number}
            numbers["delay"] = round(synapse["delay_ms"] / motif["dt_ms"])
            alike[kind].append(numbers | (synapse[kind] if kind in PLASTIC else {}))
        found = {kind: _columns(members, without=(), trials=trials) for kind, members in alike.items()}
        for kind, table in found.items():
            table["trial"] = np.repeat(np.arange(trials), len(alike[kind]))
            table["pre"] += table["trial"] * stride
            table["post"] += table["trial"] * count
        return found

    afferents = [(c, s, s["weight_mv"]) for c, source in enumerate(motif["inputs"]) for s in source["synapses"]]
    synapses = [(place[s["pre"]], s, sign[s["pre"]] * s["weight_mv"]) for s in motif["synapses"]]
    parts = trains, tables(afferents, channels), tables(synapses, count, first=len(afferents))
    return Network(motif["dt_ms"], steps, motif["neuron_model"], neurons, *parts)


def _side_by_side(networks):
    neurons_before = np.cumsum([0] + [len(network.neurons["circuit"]) for network in networks])
    trains_before = np.cumsum([0] + [len(network.trains) for network in networks])

    def joined(what, sources_before):
        alike = defaultdict(list)
        for network, source, target in zip(networks, sources_before, neurons_before, strict=False):
            for kind, table in getattr(network, what).items():
                alike[kind].append(table | {"pre": table["pre"] + source, "post": table["post"] + target})
        return {kind: _stacked(tables) for kind, tables in alike.items()}

    return networks[0]._replace(
        neurons=_stacked([network.neurons for network in networks]),
        trains=[train for network in networks for train in network.trains],
        afferents=joined("afferents", trains_before),
        synapses=joined("synapses", neurons_before),
    )


def _columns(rows, without, trials):
    """Rows (dicts with the same keys) as {key: array}, repeated for each trial."""
    return {name: np.tile([row[name] for row in rows], trials) for name in rows[0] if name not in without}


def _stacked(tables):
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
