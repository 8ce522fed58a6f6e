"""From [circuit] and [roles] of a run spec to the encoding of genomes for a task."""

from typing import Any

import numpy as np

from circuits.circuit import MAX_DELAY_STEPS
from circuits.errors import UserError
from circuits.neurons import MODELS as NEURON_MODELS
from circuits.synapses import MODELS as SYNAPSE_MODELS
from evo.genome import FINE_GRID, GRID, AssemblyBounds, Bounds, Encoding
from evo.genome.assembly import input_from
from evo.spec.circuit_section import STATIC, CellType, CircuitBounds
from evo.spec.roles import Role, motif_of
from fitness.base.trials import Interface


def encoding(circuit: CircuitBounds, roles: dict[str, Role], task: Interface) -> Encoding:
    """The encoding of the genomes. Raises UserError for bounds that contradict each other or the task."""
    synapse_model = None if circuit.synapse_model == STATIC else SYNAPSE_MODELS[circuit.synapse_model]
    names = tuple(_types(circuit)) if circuit.types else ("", "")
    of_genomes: Any = bounds_of(circuit, roles, task)
    return Encoding(of_genomes, NEURON_MODELS[circuit.neuron_model], synapse_model, names, circuit.noise_mv, task.sampled)


def bounds_of(circuit: CircuitBounds, roles: dict[str, Role], task: Interface) -> Bounds | AssemblyBounds:
    """The bounds of the genomes. Raises UserError for bounds that contradict each other or the task."""
    if not roles:
        return _bounds(circuit, task, circuit.neurons[1])
    each = [motif_of(circuit, role) for role in roles.values()]
    task, capacity = task._replace(inputs=(*task.inputs, *map(input_from, roles))), max(m.neurons[1] for m in each)
    bounds = []
    for name, motif in zip(roles, each, strict=True):
        try:
            bounds.append(_bounds(motif, task, capacity))
        except UserError as error:
            raise UserError(f"roles.{name}: {error}") from None
    return AssemblyBounds(tuple(roles), tuple(bounds), np.array([role.copies for role in roles.values()]))


def _bounds(c: CircuitBounds, task: Interface, capacity: int) -> Bounds:
    """The bounds of the genomes of a motif."""
    outputs, types = len(task.outputs), _types(c)
    low, high = c.neurons
    e, i = np.ogrid[: capacity + 1, : capacity + 1]
    share = e / np.maximum(e + i, 1)
    lowest, highest = c.excitatory_share if c.dale else (1.0, 1.0)
    allowed = (e + i >= low) & (e + i <= high) & (share >= lowest - 1e-9) & (share <= highest + 1e-9) & (e >= outputs)
    for sign, count in (("E", e), ("I", i)):
        if all(kind.sign != sign for kind in types.values()):
            allowed = allowed & (count == 0)
    if not allowed.any():
        raise UserError(
            f"circuit: no circuit has {low} to {high} neurons, {lowest:g} to {highest:g} of them excitatory, and the "
            f"{outputs} excitatory output neurons of task {task.title}: raise neurons or excitatory_share"
        )
    driven = c.noise_mv > 0 or c.parameters.model_dump().get("bias_mv", (0, 0))[1] > 0
    if task.inputs and not driven and not _reached(_projections(types), [kind.sign == "E" for kind in types.values()]):
        raise UserError(
            "circuit.types: no input reaches an excitatory neuron, which alone can be read: let one of the types have "
            "inputs, and project to an excitatory one"
        )
    names = tuple(type(c.parameters).model_fields)
    coarse = [name.endswith(("_ms", "_mv")) and "_per_" not in name for name in names]
    step = np.where(coarse, 1 / GRID, 1 / FINE_GRID)
    step[names.index("t_ref_ms")] = task.dt_ms
    weight = np.array([c.excitatory_weight_mv, c.inhibitory_weight_mv, c.gain_mv])
    if task.sampled and not NEURON_MODELS[c.neuron_model].currents:
        raise UserError(
            f"circuit.neuron_model: {c.neuron_model} has conductances, which the sampled input {task.inputs[0]!r} of task "
            f"{task.title} cannot drive"
        )
    return Bounds(
        allowed,
        len(task.inputs),
        capacity,
        outputs,
        c.in_degree,
        _whole_steps("circuit.delay_ms", c.delay_ms, task.dt_ms, minimum=1),
        _on_grid(weight.T, 1 / GRID).T,
        np.stack([_parameters(c, kind, step, task.dt_ms, name) for name, kind in types.items()]),
        step,
        sum(kind.sign == "E" for kind in types.values()),
        _projections(types),
        task.dt_ms,
        c.dale,
        len(task.sampled),
    )


def _types(circuit):
    """The cell types, excitatory ones first; without any named, one of each sign."""
    types = circuit.types or {"E": CellType(sign="E"), "I": CellType(sign="I")}
    return {name: kind for sign in "EI" for name, kind in types.items() if kind.sign == sign}


def _parameters(c, kind, step, dt_ms, where):
    """The ranges of one cell type, [2, parameters]."""
    section = {**c.parameters.model_dump(), **kind.parameters}
    where = f"circuit.types.{where}.parameters" if kind.parameters else "circuit.parameters"
    _whole_steps(f"{where}.t_ref_ms", section["t_ref_ms"], dt_ms, minimum=0)
    pair = _on_grid(np.array(list(section.values())).T, step)
    for low, high in NEURON_MODELS[c.neuron_model].neuron.ascending:
        names = list(section)
        if pair[1, names.index(low)] >= pair[0, names.index(high)]:
            raise UserError(f"{where}: {low} must stay below {high}")
    return pair


def _projections(types):
    """Allowed projections between types, bool [1 + types, types]; row 0: from the input channels."""
    rows = [[kind.inputs for kind in types.values()]]
    rows += [[kind.projects_to is None or target in kind.projects_to for target in types] for kind in types.values()]
    return np.array(rows)


def _reached(projects, excitatory):
    """Is there a path from the input channels to an excitatory type?"""
    reached = projects[0]
    for _ in projects:
        reached = reached | projects[1:][reached].any(axis=0)
    return bool((reached & excitatory).any())


def _whole_steps(where, range_ms, dt, minimum):
    low, high = int(np.ceil(range_ms[0] / dt - 1e-6)), int(np.floor(range_ms[1] / dt + 1e-6))
    low = max(low, minimum)
    if low > high or high > MAX_DELAY_STEPS:
        steps = f"{minimum} to {MAX_DELAY_STEPS} whole steps"
        raise UserError(f"{where}: {list(range_ms)} holds no {steps} of the task's {dt:g} ms")
    return np.array([low, high])


def _on_grid(pair, step):
    """The range [2, ...] narrowed to multiples of `step`; a range without one becomes the nearest multiple."""
    positive = np.where(pair[0] > 0, 1, -np.inf)
    inner = np.stack([np.maximum(np.ceil(pair[0] / step - 1e-6), positive), np.floor(pair[1] / step + 1e-6)])
    nearest = np.maximum(np.rint(pair[0] / step), positive)
    return np.where(inner[0] > inner[1], nearest, inner) * step
