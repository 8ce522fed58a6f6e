"""Comparison of mother and child: their circuits side by side, with neurons matched independently of their names."""

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from circuits.circuit import Circuit
from circuits.drawing.layout import positions
from evo.inspect.page.drawing import drawn, short

_ARROW = {"E": "→", "I": "⊣"}


def changes(mother: Circuit, child: Circuit) -> dict:
    """Both circuits as `drawn` in one frame, `mother` and `child`, and their differences: `texts` in words, and `gone` (in the
    mother), `new` (in the child) and `changed` (in both), each with lists `nodes` and `synapses` of numbers in the drawings."""
    renamed, union = aligned(mother, child)
    places = positions(union)
    diff: dict[str, Any] = {"texts": [], "gone": _none(), "new": _none(), "changed": {"mother": _none(), "child": _none()}}
    _neurons(renamed, child, diff)
    _synapses(renamed, child, diff)
    _outputs(renamed, child, diff)
    return diff | {"mother": drawn(renamed, places, False), "child": drawn(child, places, False)}


def aligned(mother: Circuit, child: Circuit) -> tuple[Circuit, Circuit]:
    """The mother with her neurons named as their matches in the child, and the union of both, to be laid out together."""
    match = matched(mother, child)
    names = {m.id: child.neurons[match[k]].id if k in match else f"{m.id} of the mother" for k, m in enumerate(mother.neurons)}
    renamed = _renamed(mother, names)
    return renamed, _union(renamed, child)


def matched(mother: Circuit, child: Circuit) -> dict[int, int]:
    """Match the mother's neurons with the child's, by number: of one sign, and as alike in parameters and synapses as
    possible. Neurons of one circuit alone have no match."""
    m, c = len(mother.neurons), len(child.neurons)
    same_sign = np.array([[a.sign == b.sign for b in child.neurons] for a in mother.neurons])
    of_mother, of_child = mother.parameters[:, None], child.parameters[None]
    similarity = (of_mother == of_child).mean(axis=2) + 0.5 * _similarity(_inputs(mother), _inputs(child)) + 0.1 * np.eye(m, c)
    ports = [{p.name for p in k.outputs if n.id in p.neurons} for k in (mother, child) for n in k.neurons]
    similarity += 0.5 * np.array([[ports[a] == ports[m + b] for b in range(c)] for a in range(m)])
    pairs: dict[int, int] = {}
    for _ in range(3):  # matched neighbours improve the matches
        cost = np.where(same_sign, -similarity - _neighbours(mother, child, pairs), 1e6)
        rows, columns = linear_sum_assignment(cost)
        pairs = {int(a): int(b) for a, b in zip(rows, columns, strict=True) if same_sign[a, b]}
    return pairs


def _inputs(circuit):
    """Input of each neuron from the channels: a set of (channel, weight, delay)."""
    inputs = {n.id: set() for n in circuit.neurons}
    for channel in circuit.inputs:
        for s in channel.synapses:
            inputs[s.post].add((channel.name, s.weight_mv, s.delay_ms))
    return list(inputs.values())


def _similarity(of_mother, of_child):
    """The Dice coefficient of each set with each other set, [mother, child]."""
    return np.array([[2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for b in of_child] for a in of_mother])


def _neighbours(mother, child, pairs):
    """Similarity of the synapses with other neurons, under the matches so far."""
    if not pairs:
        return 0.0
    names = {mother.neurons[a].id: child.neurons[b].id for a, b in pairs.items()}
    return _similarity(_neighbourhoods(mother, names), _neighbourhoods(child, {n.id: n.id for n in child.neurons}))


def _neighbourhoods(circuit, names):
    """Synapses of each neuron with others, whose names are translated: a set of (direction, name, weight, delay)."""
    around = {n.id: set() for n in circuit.neurons}
    for s in circuit.synapses:
        around[s.post].add(("from", names.get(s.pre), s.weight_mv, s.delay_ms))
        around[s.pre].add(("to", names.get(s.post), s.weight_mv, s.delay_ms))
    return list(around.values())


def _renamed(circuit, names):
    def moved(part, *ends):
        return part.model_copy(update={end: names[getattr(part, end)] for end in ends})

    def channel(part):
        return part.model_copy(update={"synapses": tuple(moved(s, "post") for s in part.synapses)})

    return circuit.model_copy(
        update={
            "neurons": tuple(moved(n, "id") for n in circuit.neurons),
            "inputs": tuple(channel(c) for c in circuit.inputs),
            "synapses": tuple(moved(s, "pre", "post") for s in circuit.synapses),
            "outputs": tuple(o.model_copy(update={"neurons": tuple(names[n] for n in o.neurons)}) for o in circuit.outputs),
        }
    )


def _union(mother, child):
    kept = {n.id for n in child.neurons}
    return child.model_copy(
        update={
            "neurons": (*child.neurons, *(n for n in mother.neurons if n.id not in kept)),
            "inputs": tuple(
                c.model_copy(update={"synapses": (*c.synapses, *(s for s in m.synapses if s.post not in kept))})
                for c, m in zip(child.inputs, mother.inputs, strict=True)
            ),
            "synapses": (*child.synapses, *(s for s in mother.synapses if not {s.pre, s.post} <= kept)),
        }
    )


def _none() -> dict[str, list[int]]:
    return {"nodes": [], "synapses": []}


def _neurons(mother, child, diff):
    channels = len(child.inputs)
    before, after = ({n.id: (k, n) for k, n in enumerate(circuit.neurons)} for circuit in (mother, child))
    for name, (k, _) in before.items():
        if name not in after:
            diff["gone"]["nodes"].append(channels + k)
            diff["texts"].append(f"neuron {name} is gone")
    for name, (k, neuron) in after.items():
        if name not in before:
            diff["new"]["nodes"].append(channels + k)
            diff["texts"].append(f"new neuron {name} ({neuron.type or neuron.sign})")
            continue
        old_number, old = before[name]
        differ = [
            f"{key} {short(a):g} → {short(b):g}"
            for key in child.model.names
            if (a := getattr(old, key)) != (b := getattr(neuron, key))
        ]
        if old.type != neuron.type:
            differ.insert(0, f"type {old.type} → {neuron.type}")
        if differ:
            diff["changed"]["mother"]["nodes"].append(channels + old_number)
            diff["changed"]["child"]["nodes"].append(channels + k)
            diff["texts"].append(f"{name}: {', '.join(differ)}")


def _listed(circuit):
    """Synapses by (source, target), each with its number, in the order of the drawing."""
    signs = {n.id: n.sign for n in circuit.neurons}
    synapses = {}
    for k, ((kind, source), s) in enumerate(circuit.all_synapses):
        arrow = _ARROW["E" if kind == "input" else signs[source]]
        synapses.setdefault((kind, source, s.post), []).append((k, s, f"{source}{arrow}{s.post}"))
    return synapses


def _synapses(mother, child, diff):
    before, after = _listed(mother), _listed(child)
    for pair in dict.fromkeys((*before, *after)):
        old, new = list(before.get(pair, ())), list(after.get(pair, ()))
        for entry in list(old):  # unchanged ones
            twin = next((other for other in new if _plain(other[1]) == _plain(entry[1])), None)
            if twin:
                old.remove(entry)
                new.remove(twin)
        for (k, a, text), (j, b, _) in zip(old, new, strict=False):
            diff["changed"]["mother"]["synapses"].append(k)
            diff["changed"]["child"]["synapses"].append(j)
            diff["texts"].append(f"{text}: {', '.join(_differences(a, b))}")
        for k, _, text in old[len(new) :]:
            diff["gone"]["synapses"].append(k)
            diff["texts"].append(f"{text} is gone")
        for k, s, text in new[len(old) :]:
            diff["new"]["synapses"].append(k)
            diff["texts"].append(f"new {text}, {short(s.weight_mv):g} mV, {short(s.delay_ms):g} ms")


def _plain(synapse):
    return synapse.model_dump(exclude={"pre", "post"})


def _differences(a, b):
    parts = [("weight", a.weight_mv, b.weight_mv, " mV"), ("delay", a.delay_ms, b.delay_ms, " ms")]
    texts = [f"{name} {short(x):g} → {short(y):g}{unit}" for name, x, y, unit in parts if x != y]
    return texts or ["other plasticity"]


def _outputs(mother, child, diff):
    for old, new in zip(mother.outputs, child.outputs, strict=True):
        if old.neurons != new.neurons:
            diff["texts"].append(f"output {new.name}: {', '.join(map(str, old.neurons))} → {', '.join(map(str, new.neurons))}")
