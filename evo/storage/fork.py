"""Inheritance of a forked run: the parent's circuits as founders, and their origin."""

import numpy as np

from circuits.errors import UserError
from evo import genome
from evo.genome import Encoding, identity
from evo.population.individual import joined
from evo.spec.run_spec import RunSpec, changed
from evo.storage.run_folder import Run
from evo.storage.stored import Heritage
from fitness.trials import Interface


def forked(spec: RunSpec, changes: dict[str, str]) -> RunSpec:
    """The spec of a fork of a run of this spec. Raises UserError as `changed` does, and for founders: it has its parent's."""
    if "search.founders" in changes:
        raise UserError("search.founders: a fork begins with the circuits of its parent; leave it out, or start by evo run")
    found = changed(spec, changes)
    return found.model_copy(update={"search": found.search.model_copy(update={"founders": ()})})


def heritage(parent: Run, spec: RunSpec, interface: Interface) -> Heritage:
    """Inheritance of a run of this spec: for each island the archive and the population of one of the parent's islands, those
    that keep the new bounds. Raises UserError where circuits of the parent cannot do the new task, or none fits."""
    for one in (parent.spec, spec):
        if one.roles:
            raise UserError(f"{parent.folder}: assemblies cannot be forked: start anew, or evolve one role's motif further")
    old, new = parent.spec.form(parent.interface), spec.form(interface)
    _refuse_misfits(parent, old, new)
    islands = spec.search.islands
    genomes, island = genome.empty(new.bounds, 0), []
    for k in range(islands):
        state = parent.states[k % len(parent.states)]
        ranked = np.argsort(state.archive["losses"][:, parent.spec.search.objectives.index("score")], kind="stable")
        theirs = joined(state.archive["genome"][ranked], state.population["genome"])
        mine = _fitting(theirs, old, new)[: spec.search.population]
        genomes = joined(genomes, mine)
        island += [k] * len(mine)
    if not len(genomes):
        raise UserError(f"{parent.folder}: none of its circuits fits the changed [circuit]")
    run = {"run": parent.name, "spec_sha256": parent.spec_sha256, "archive_sha256": parent.archive_sha256}
    return Heritage(genomes, np.array(island, int), run | {"generation": parent.generation})


def _refuse_misfits(parent, old, new):
    """Things that no circuit of the parent could adapt to."""
    parts = {
        "input channels": (old.bounds.channels, new.bounds.channels),
        "sampled inputs": (old.sampled, new.sampled),
        "outputs": (old.bounds.readouts, new.bounds.readouts),
        "dt_ms": (old.bounds.dt_ms, new.bounds.dt_ms),
        "circuit.neuron_model": (old.model.name, new.model.name),
        "circuit.synapse_model": tuple(form.synapse_model and form.synapse_model.name for form in (old, new)),
        "circuit.types": (old.types, new.types),
    }
    for what, (theirs, ours) in parts.items():
        if theirs != ours:
            raise UserError(f"{parent.folder}: its circuits have {what} {theirs}, the changed spec asks for {ours}; start anew")


def _fitting(genomes, old: Encoding, new: Encoding):
    """The different ones of them that keep the new bounds, in their order; neurons move together where slots are fewer."""
    most = new.bounds.capacity
    genomes = genomes[genome.sound(genomes, old.bounds) & ((genomes["kind"] != 0).sum(axis=1) <= most)]
    moved = genome.empty(new.bounds, len(genomes))
    channels = np.arange(old.bounds.channels)
    for there, here in zip(genomes, moved, strict=True):
        slots = np.flatnonzero(there["kind"]) if most < old.bounds.capacity else np.arange(old.bounds.capacity)
        place = np.full(old.bounds.capacity, -1)
        place[slots] = np.arange(len(slots))
        sources = np.concatenate([channels, len(channels) + slots])
        here["kind"][: len(slots)], here["parameters"][: len(slots)] = there["kind"][slots], there["parameters"][slots]
        for name in ("weight", "delay"):
            here[name][: len(sources), : len(slots)] = there[name][np.ix_(sources, slots)]
        here["readout"] = place[there["readout"]]
    first = list(dict(zip(reversed(identity.keys(moved)), reversed(range(len(moved))), strict=True)).values())
    different = moved[np.sort(np.array(first, int))]
    return different[genome.sound(different, new.bounds)]
