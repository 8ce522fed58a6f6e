"""A circuit in the form of other tools, and its conversion to a motif.

In other tools synapses have signed weights and neurons no sign. `assembled` derives the sign of each neuron from its synapses
(Dale's law), rounds delays to whole time steps, and reports what it had to change.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from circuits.circuit import MAX_DELAY_STEPS
from circuits.errors import UserError, one_line
from circuits.export.features import approximate
from circuits.imports.report import Report, listed
from circuits.motif_file import Motif
from circuits.neurons import LIF_PSC_EXP

MAX_NEURONS, MAX_SYNAPSES = 10_000, 200_000


class Link(NamedTuple):
    """A synapse. source: the number of a neuron, or -1 - the number of an input channel; weight_mv: negative inhibits;
    sections: `short_term` or `stdp`, as in a motif file."""

    source: int
    target: int
    weight_mv: float
    delay_ms: float
    sections: dict[str, Any] = {}


@dataclass
class Draft:
    """The contents of a file, in the units of a motif.

    neurons  dicts of `id`, `type` and parameters; `sign` is E, I or, where the synapses decide, None
    inputs   names of input channels;   ports  (name, numbers of neurons)
    """

    dt_ms: float
    neurons: list[dict[str, Any]] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    ports: list[tuple[str, list[int]]] = field(default_factory=list)
    neuron_model: str = LIF_PSC_EXP.name
    noise_mv: float = 0.0
    provenance: dict[str, Any] = field(default_factory=dict)


def check_size(report: Report, neurons: int, synapses: int) -> None:
    """Raise UserError for more neurons or synapses than a motif may have."""
    for count, limit, parts in ((neurons, MAX_NEURONS, "neurons"), (synapses, MAX_SYNAPSES, "synapses")):
        if count > limit:
            raise UserError(f"{report.location}: is too large for a motif: {count:,} {parts}, at most {limit:,}")


def assembled(draft: Draft, report: Report, split: bool = False) -> Motif:
    """Convert a draft to a motif. Raises UserError that names the file.

    split  split a neuron that excites some and inhibits others into two with the same inputs and parameters, which fire alike,
           instead of refusing it
    """
    draft = replace(draft, neurons=[dict(neuron) for neuron in draft.neurons], links=list(draft.links))
    check_size(report, len(draft.neurons), len(draft.links))
    if not draft.neurons:
        report.refuse("neurons", "there are none")
    if any(not np.isfinite(link.weight_mv) or not np.isfinite(link.delay_ms) for link in draft.links):
        report.refuse("weights", "a weight or delay is not finite")
    _check_channels(draft, report)
    _sign_neurons(draft, report, split)
    return _motif(draft, report, _delays(draft, report))


def _check_channels(draft, report):
    for link in draft.links:
        if link.source < 0 and link.weight_mv < 0:
            name, target = draft.inputs[-1 - link.source], draft.neurons[link.target]["id"]
            how = f"input channels excite; the weight from {name!r} to {target!r} is {link.weight_mv:g}; let a neuron inhibit"
            report.refuse("signs (Dale's law)", how)


def _sign_neurons(draft, report, split):
    """Set the sign of every neuron by its synapses."""
    signs_of: list[list[bool]] = [[False, False] for _ in draft.neurons]
    for link in draft.links:
        if link.source >= 0 and link.weight_mv:
            signs_of[link.source][link.weight_mv < 0] = True
    mixed = [k for k, (excites, inhibits) in enumerate(signs_of) if excites and inhibits]
    if mixed and not split:
        names = listed(repr(draft.neurons[k]["id"]) for k in mixed)
        how = f"neuron {names} excites some and inhibits others; --split makes two of each such neuron"
        report.refuse("signs (Dale's law)", how)
    for k, (neuron, (excites, inhibits)) in enumerate(zip(draft.neurons, signs_of, strict=True)):
        declared = neuron.get("sign")
        if k in mixed or not (excites or inhibits):
            neuron["sign"] = declared or "E"
            continue
        neuron["sign"] = "I" if inhibits else "E"
        if declared and declared != neuron["sign"]:
            remark = f"{neuron['id']!r} is declared {declared}; its weights are {neuron['sign']} and decide"
            report.say("signs (Dale's law)", approximate(remark))
    if mixed:
        _split(draft, report, mixed)


def _split(draft, report, mixed):
    """Give each of the mixed neurons, now excitatory, an inhibitory twin that takes over its inhibitory synapses."""
    ids = {neuron["id"] for neuron in draft.neurons}
    twins = {}
    for k in mixed:
        name = f"{draft.neurons[k]['id']}-inhibitory"
        while name in ids:
            name += "'"
        ids.add(name)
        twins[k] = len(draft.neurons)
        draft.neurons[k]["sign"] = "E"
        draft.neurons.append(draft.neurons[k] | {"id": name, "sign": "I"})
    links = []
    for link in draft.links:
        source = twins.get(link.source, link.source) if link.weight_mv < 0 else link.source
        links += [
            link._replace(source=source, target=target)
            for target in (link.target, twins.get(link.target))
            if target is not None
        ]
    draft.links = links
    names = listed(repr(draft.neurons[k]["id"]) for k in mixed)
    report.say("signs (Dale's law)", approximate(f"{names}: split into two neurons that fire alike"))
    check_size(report, len(draft.neurons), len(links))


def _delays(draft, report):
    """The delay of each synapse in ms, rounded to whole steps."""
    if not draft.links:
        return []
    exact_steps = np.array([link.delay_ms for link in draft.links]) / draft.dt_ms
    steps = np.clip(np.rint(exact_steps), 1, MAX_DELAY_STEPS)
    off = np.abs(steps - exact_steps) > 1e-6
    if off.any():
        worst = np.abs(steps - exact_steps).max() * draft.dt_ms
        how = f"{off.sum()} of {len(off)} rounded to whole steps of {draft.dt_ms:g} ms, at least one, by up to {worst:.3g} ms"
        report.say("delays", approximate(how))
    rounded = [round(float(s) * draft.dt_ms, 9) for s in steps]
    return [grid if moved else link.delay_ms for grid, moved, link in zip(rounded, off, draft.links, strict=True)]


def _motif(draft, report, delays):
    ids = [neuron["id"] for neuron in draft.neurons]
    duplicates = [name for name, count in Counter(map(repr, ids)).items() if count > 1]
    if duplicates:
        report.refuse("neurons", f"{listed(duplicates)} occurs twice")
    channels: list[list] = [[] for _ in draft.inputs]
    synapses = []
    for link, delay in zip(draft.links, delays, strict=True):
        synapse = {"post": ids[link.target], "weight_mv": abs(link.weight_mv), "delay_ms": delay, **link.sections}
        if link.source < 0:
            channels[-1 - link.source].append(synapse)
        else:
            synapses.append({"pre": ids[link.source]} | synapse)
    ports = _ports(draft, report)
    try:
        return Motif.model_validate(
            {
                "dt_ms": draft.dt_ms,
                "neuron_model": draft.neuron_model,
                "noise_mv": draft.noise_mv,
                "neurons": [_on_grid(neuron, draft.dt_ms, report) for neuron in draft.neurons],
                "inputs": [{"name": name, "synapses": own} for name, own in zip(draft.inputs, channels, strict=True)],
                "synapses": synapses,
                "outputs": [{"name": name, "neurons": [ids[k] for k in members]} for name, members in ports],
                "provenance": draft.provenance,
            }
        )
    except ValidationError as error:
        raise UserError(f"{report.location}: cannot be imported: {one_line(error)}") from None


def _on_grid(neuron, dt_ms, report):
    """The neuron with its refractory period rounded to whole steps."""
    t_ref = neuron.get("t_ref_ms")
    if not isinstance(t_ref, float | int) or not 0 <= t_ref < np.inf:
        return neuron
    steps = t_ref / dt_ms
    if abs(steps - round(steps)) <= 1e-6:
        return neuron
    report.say("refractory periods", approximate(f"rounded to whole steps of {dt_ms:g} ms"))
    return neuron | {"t_ref_ms": round(round(steps) * dt_ms, 9)}


def _ports(draft, report):
    """Output ports with their excitatory neurons."""
    ports = []
    for name, members in draft.ports:
        read = [k for k in members if draft.neurons[k]["sign"] == "E"]
        if len(read) < len(members):
            inhibitory = listed(repr(draft.neurons[k]["id"]) for k in members if k not in read)
            report.say("output ports", approximate(f"{name!r} without {inhibitory}: ports read E neurons only"))
        if read:
            ports.append((name, read))
    return ports
