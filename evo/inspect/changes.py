"""Comparison of mother and child: their circuits side by side, neurons matched though their names may have moved."""

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from circuits.circuit import Circuit
from circuits.drawing.layout import positions
from evo.inspect.drawing import drawn, short

_ARROW = {"E": "→", "I": "⊣"}


def changes(mother: Circuit, child: Circuit) -> dict:
    """Both circuits as `drawn` in one frame, `mother` and `child`, and what differs: `texts` in words, and by node and synapse
    numbers of the drawings `gone` (in the mother), `new` (in the child) and `changed` (in both), each with lists `nodes` and
    `synapses`."""
    renamed, union = aligned(mother, child)
    places = positions(union)
    found: dict[str, Any] = {"texts": [], "gone": _none(), "new": _none(), "changed": {"mother": _none(), "child": _none()}}
    _neurons(renamed, child, found)
    _synapses(renamed, child, found)
    _outputs(renamed, child, found)
    return found | {"mother": drawn(renamed, places, False), "child": drawn(child, places, False)}


def aligned(mother: Circuit, child: Circuit) -> tuple[Circuit, Circuit]:
    """The mother with her neurons named as those of the child that they became, and both in one, to be laid out together."""
    match = matched(mother, child)
    names = {m.id: child.neurons[match[k]].id if k in match else f"{m.id} of the mother" for k, m in enumerate(mother.neurons)}
    renamed = _renamed(mother, names)
    return renamed, _union(renamed, child)


def matched(mother: Circuit, child: Circuit) -> dict[int, int]:
    """Match the child's neurons with the mother's, by number: of one sign, and as alike in parameters and synapses as can
    be. What is there in one alone has no match."""
    m, c = len(mother.neurons), len(child.neurons)
    same = np.array([[a.sign == b.sign for b in child.neurons] for a in mother.neurons])
    theirs, ours = mother.parameters[:, None], child.parameters[None]
    alike = (theirs == ours).mean(axis=2) + 0.5 * _alike(_inputs(mother), _inputs(child)) + 0.1 * np.eye(m, c)
    ports = [{p.name for p in k.outputs if n.id in p.neurons} for k in (mother, child) for n in k.neurons]
    alike += 0.5 * np.array([[ports[a] == ports[m + b] for b in range(c)] for a in range(m)])
    pairs: dict[int, int] = {}
    for _ in range(3):  # who is who follows from neighbours that are known already
        cost = np.where(same, -alike - _neighbours(mother, child, pairs), 1e6)
        rows, columns = linear_sum_assignment(cost)
        pairs = {int(a): int(b) for a, b in zip(rows, columns, strict=True) if same[a, b]}
    return pairs


def _inputs(circuit):
    """Input of each neuron from the channels: a set of (channel, weight, delay)."""
    heard = {n.id: set() for n in circuit.neurons}
    for channel in circuit.inputs:
        for s in channel.synapses:
            heard[s.post].add((channel.name, s.weight_mv, s.delay_ms))
    return list(heard.values())


def _alike(theirs, ours):
    return np.array([[2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for b in ours] for a in theirs])


def _neighbours(mother, child, pairs):
    """How alike the synapses with other neurons are, given who these are."""
    if not pairs:
        return 0.0
    name = {mother.neurons[a].id: child.neurons[b].id for a, b in pairs.items()}
    theirs = {n.id: set() for n in mother.neurons}
    ours = {n.id: set() for n in child.neurons}
    for s in mother.synapses:
        theirs[s.post].add(("from", name.get(s.pre), s.weight_mv, s.delay_ms))
        theirs[s.pre].add(("to", name.get(s.post), s.weight_mv, s.delay_ms))
    for s in child.synapses:
        ours[s.post].add(("from", s.pre, s.weight_mv, s.delay_ms))
        ours[s.pre].add(("to", s.post, s.weight_mv, s.delay_ms))
    return _alike(list(theirs.values()), list(ours.values()))


def _renamed(circuit, names):
    def moved(part, *ends):
        return part.model_copy(update={end: names[getattr(part, end)] for end in ends})

    def channel(part):
        return part.model_copy(update={"synapses": tuple(moved(s, "post") for s in part.synapses)})

    return circuit.model_copy(
        update={
            "neurons": tuple(moved(n, "id") for n in circuit.neurons),
            "inputs": tuple(
                c.model_copy(update={"synapses": tuple(moved(s, "post") for s in c.synapses)}) for c in circuit.inputs
            ),
            "synapses": tuple(moved(s, "pre", "post") for s in circuit.synapses),
            "outputs": tuple(o.model_copy(update={"neurons": tuple(names[n] for n in o.neurons)}) for o in circuit.outputs),
        }
    )


def _union(mother, child):
    here = {n.id for n in child.neurons}
    return child.model_copy(
        update={
            "neurons": (*child.neurons, *(n for n in mother.neurons if n.id not in here)),
            "inputs": tuple(
                c.model_copy(update={"synapses": (*c.synapses, *(s for s in m.synapses if s.post not in here))})
                for c, m in zip(child.inputs, mother.inputs, strict=True)
            ),
            "synapses": (*child.synapses, *(s for s in mother.synapses if not {s.pre, s.post} <= here)),
        }
    )


def _none() -> dict[str, list[int]]:
    return {"nodes": [], "synapses": []}


def _neurons(mother, child, found):
    channels = len(child.inputs)
    before = {n.id: (k, n) for k, n in enumerate(mother.neurons)}
    after = {n.id: (k, n) for k, n in enumerate(child.neurons)}
    for name, (k, _) in before.items():
        if name not in after:
            found["gone"]["nodes"].append(channels + k)
            found["texts"].append(f"neuron {name} is gone")
    for name, (k, neuron) in after.items():
        if name not in before:
            found["new"]["nodes"].append(channels + k)
            found["texts"].append(f"new neuron {name} ({neuron.type or neuron.sign})")
            continue
        place, old = before[name]
        differ = [
            f"{key} {short(a):g} → {short(b):g}"
            for key in child.model.names
            if (a := getattr(old, key)) != (b := getattr(neuron, key))
        ]
        if old.type != neuron.type:
            differ.insert(0, f"type {old.type} → {neuron.type}")
        if differ:
            found["changed"]["mother"]["nodes"].append(channels + place)
            found["changed"]["child"]["nodes"].append(channels + k)
            found["texts"].append(f"{name}: {', '.join(differ)}")


def _listed(circuit):
    """Synapses by (source, target), each with its number, in the order of the drawing."""
    signs = {n.id: n.sign for n in circuit.neurons}
    found = {}
    every = [((True, c.name), s, "E") for c in circuit.inputs for s in c.synapses]
    every += [((False, s.pre), s, signs[s.pre]) for s in circuit.synapses]
    for k, (source, s, sign) in enumerate(every):
        found.setdefault((source, s.post), []).append((k, s, f"{source[1]}{_ARROW[sign]}{s.post}"))
    return found


def _synapses(mother, child, found):
    before, after = _listed(mother), _listed(child)
    for pair in dict.fromkeys((*before, *after)):
        old, new = list(before.get(pair, ())), list(after.get(pair, ()))
        for entry in list(old):  # unchanged ones
            twin = next((other for other in new if _plain(other[1]) == _plain(entry[1])), None)
            if twin:
                old.remove(entry)
                new.remove(twin)
        for (k, a, text), (j, b, _) in zip(old, new, strict=False):
            found["changed"]["mother"]["synapses"].append(k)
            found["changed"]["child"]["synapses"].append(j)
            found["texts"].append(f"{text}: {', '.join(_differences(a, b))}")
        for k, _, text in old[len(new) :]:
            found["gone"]["synapses"].append(k)
            found["texts"].append(f"{text} is gone")
        for k, s, text in new[len(old) :]:
            found["new"]["synapses"].append(k)
            found["texts"].append(f"new {text}, {short(s.weight_mv):g} mV, {short(s.delay_ms):g} ms")


def _plain(synapse):
    return synapse.model_dump(exclude={"pre", "post"})


def _differences(a, b):
    parts = [("weight", a.weight_mv, b.weight_mv, " mV"), ("delay", a.delay_ms, b.delay_ms, " ms")]
    texts = [f"{what} {short(x):g} → {short(y):g}{unit}" for what, x, y, unit in parts if x != y]
    return texts or ["other plasticity"]


def _outputs(mother, child, found):
    for old, new in zip(mother.outputs, child.outputs, strict=True):
        if old.neurons != new.neurons:
            found["texts"].append(f"output {new.name}: {', '.join(map(str, old.neurons))} → {', '.join(map(str, new.neurons))}")
