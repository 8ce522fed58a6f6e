"""Initial population of a forked run, from the circuits of its parent."""

import numpy as np

from circuits.errors import UserError
from evo import genome
from evo.genome import Encoding, identity
from evo.population.individual import joined
from evo.spec.run_spec import RunSpec, changed
from evo.storage.run_folder import Run
from evo.storage.stored import InitialPopulation
from fitness.base.trials import Interface


def forked(spec: RunSpec, changes: dict[str, str]) -> RunSpec:
    """The spec of a fork of a run with this spec. Raises UserError as `changed` does, and for founders, which a fork cannot
    have."""
    if "search.founders" in changes:
        raise UserError("search.founders: a fork begins with the circuits of its parent; leave it out, or start by evo run")
    spec = changed(spec, changes)
    return spec.model_copy(update={"search": spec.search.model_copy(update={"founders": ()})})


def initial_population(parent: Run, spec: RunSpec, interface: Interface) -> InitialPopulation:
    """Initial population of a fork with this spec: for each island the archive and the population of one of the parent's
    islands, as far as they keep the new bounds. Raises UserError where the parent's circuits are unfit for the new task, or
    none fits."""
    for each in (parent.spec, spec):
        if each.roles:
            raise UserError(f"{parent.folder}: assemblies cannot be forked: start anew, or evolve one role's motif further")
    old, new = parent.spec.encoding(parent.interface), spec.encoding(interface)
    _refuse_misfits(parent, old, new)
    islands = spec.search.islands
    genomes, island = genome.empty(new.bounds, 0), []
    for k in range(islands):
        state = parent.states[k % len(parent.states)]
        ranked = np.argsort(state.archive["losses"][:, parent.spec.search.objectives.index("score")], kind="stable")
        parents = joined(state.archive["genome"][ranked], state.population["genome"])
        inherited = _fitting(parents, old, new)[: spec.search.population]
        genomes = joined(genomes, inherited)
        island += [k] * len(inherited)
    if not len(genomes):
        raise UserError(f"{parent.folder}: none of its circuits fits the changed [circuit]")
    run = {"run": parent.name, "spec_sha256": parent.spec_sha256, "archive_sha256": parent.archive_sha256}
    return InitialPopulation(genomes, np.array(island, int), run | {"generation": parent.generation})


def _refuse_misfits(parent, old, new):
    """Raise UserError for changes of the spec to which no circuit of the parent can adapt."""
    parts = {
        "input channels": (old.bounds.channels, new.bounds.channels),
        "sampled inputs": (old.sampled, new.sampled),
        "outputs": (old.bounds.readouts, new.bounds.readouts),
        "dt_ms": (old.bounds.dt_ms, new.bounds.dt_ms),
        "circuit.neuron_model": (old.model.name, new.model.name),
        "circuit.synapse_model": tuple(encoding.synapse_model and encoding.synapse_model.name for encoding in (old, new)),
        "circuit.types": (old.types, new.types),
    }
    for name, (was, now) in parts.items():
        if was != now:
            raise UserError(f"{parent.folder}: its circuits have {name} {was}, the changed spec asks for {now}; start anew")


def _fitting(genomes, old: Encoding, new: Encoding):
    """The distinct genomes that keep the new bounds, in their order; neurons are moved to the first slots where slots are
    fewer."""
    capacity = new.bounds.capacity
    genomes = genomes[genome.sound(genomes, old.bounds) & ((genomes["kind"] != 0).sum(axis=1) <= capacity)]
    moved = genome.empty(new.bounds, len(genomes))
    channels = np.arange(old.bounds.channels)
    for source, target in zip(genomes, moved, strict=True):
        slots = np.flatnonzero(source["kind"]) if capacity < old.bounds.capacity else np.arange(old.bounds.capacity)
        slot_of = np.full(old.bounds.capacity, -1)
        slot_of[slots] = np.arange(len(slots))
        rows = np.concatenate([channels, len(channels) + slots])
        target["kind"][: len(slots)], target["parameters"][: len(slots)] = source["kind"][slots], source["parameters"][slots]
        for name in ("weight", "delay"):
            target[name][: len(rows), : len(slots)] = source[name][np.ix_(rows, slots)]
        target["readout"] = slot_of[source["readout"]]
    first = list(dict(zip(reversed(identity.keys(moved)), reversed(range(len(moved))), strict=True)).values())
    distinct = moved[np.sort(np.array(first, int))]
    return distinct[genome.sound(distinct, new.bounds)]
