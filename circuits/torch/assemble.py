"""Copies of a motif as one circuit, optionally wired with one another."""

from typing import NamedTuple

from pydantic import ValidationError

from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.motif_file import Motif


class Lateral(NamedTuple):
    """Lateral synapses between copies in a ring: from each output neuron to neurons of neighbouring copies.

    Parameters
    ----------
    reach : int or None
        Number of neighbours on each side; None for all copies.
    to : {"I", "E", "both"}
        Sign of the target neurons: with "I" neighbours inhibit each other.
    weight_mv : float
        Initial weight in mV.
    delay_ms : float, optional
        Delay in ms, by default one step.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import Lateral, assemble
    >>> assemble(circuits.zoo["onset-2"], copies=3, lateral=Lateral(reach=1)).synapse_count
    15
    """

    reach: int | None = 1
    to: str = "I"
    weight_mv: float = 1.0
    delay_ms: float | None = None


class Assembly(NamedTuple):
    """The circuit of all copies, with keys of its input synapses, recurrent synapses and neurons. Parts with the same key
    correspond between copies and may share parameters."""

    motif: Motif
    inputs: list
    synapses: list
    neurons: list


def assemble(motif: Motif | Circuit, copies: int, lateral: Lateral | None = None) -> Motif:
    """Make one circuit of copies of a motif.

    Neuron "e1" of the first copy is "0.e1", channels and ports likewise.

    Parameters
    ----------
    motif : Motif or Circuit
        The circuit.
    copies : int
        Number of copies.
    lateral : Lateral, optional
        Synapses between neighbouring copies.

    Returns
    -------
    Motif
        The circuit of all copies, with the provenance of the motif.

    Raises
    ------
    circuits.errors.UserError
        For lateral synapses that are impossible.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import assemble
    >>> len(assemble(circuits.zoo["onset-2"], copies=3).neurons)
    6
    """
    return assembly(motif, copies, lateral).motif


def assembly(motif: Motif | Circuit, copies: int, lateral: Lateral | None) -> Assembly:
    """`assemble`, with the keys of corresponding parts."""
    motif = motif if isinstance(motif, Motif) else Motif.of(motif)
    data, names = motif.model_dump(), _names(motif)
    neurons, inputs, synapses, outputs = [], [], [], []
    keys = Assembly(motif, [], [], [])
    for copy in range(copies):
        for k, neuron in enumerate(data["neurons"]):
            neurons.append(neuron | {"id": f"{copy}.{names[neuron['id']]}"})
            keys.neurons.append(k)
        for c, channel in enumerate(data["inputs"]):
            renamed = {"name": f"{copy}.{channel['name']}", "synapses": _renamed(channel["synapses"], names, copy, "post")}
            inputs.append(channel | renamed)
            keys.inputs.extend((c, k) for k in range(len(channel["synapses"])))
        synapses.extend(_renamed(data["synapses"], names, copy, "pre", "post"))
        keys.synapses.extend(range(len(data["synapses"])))
        for port in data["outputs"]:
            outputs.append({"name": f"{copy}.{port['name']}", "neurons": [f"{copy}.{names[n]}" for n in port["neurons"]]})
    if lateral is not None:
        for copy, offset, pre, post in _lateral(motif, copies, lateral):
            neighbour = (copy + offset) % copies
            delay = motif.dt_ms if lateral.delay_ms is None else lateral.delay_ms
            ends = {"pre": f"{copy}.{names[pre]}", "post": f"{neighbour}.{names[post]}"}
            synapses.append(ends | {"weight_mv": lateral.weight_mv, "delay_ms": delay})
            keys.synapses.append((offset, pre, post))
    parts = {"neurons": neurons, "inputs": inputs, "synapses": synapses, "outputs": outputs}
    try:
        return keys._replace(motif=Motif(**data | parts))
    except ValidationError as error:
        raise UserError(f"lateral: {one_line(error)}") from None


def _names(circuit):
    """The ids as unique texts: of the neurons 1 and "1", the later one becomes "1'"."""
    names: dict = {}
    for neuron in circuit.neurons:
        name = str(neuron.id)
        while name in names.values():
            name += "'"
        names[neuron.id] = name
    return names


def _renamed(synapses, names, copy, *ends):
    return [s | {end: f"{copy}.{names[s[end]]}" for end in ends} for s in synapses]


def _lateral(motif, copies, lateral):
    """Copy, offset to the neighbour, pre and post of every lateral synapse."""
    if lateral.to not in ("E", "I", "both"):
        raise UserError(f"lateral.to: one of E, I, both, not {lateral.to!r}")
    if lateral.reach is not None and not (isinstance(lateral.reach, int) and 1 <= lateral.reach <= (copies - 1) // 2):
        limit = f"at most {(copies - 1) // 2} of {copies} copies are on one side" if copies > 2 else "it takes three copies"
        raise UserError(f"lateral.reach: a whole number from 1, and {limit}, not {lateral.reach!r}")
    sources = dict.fromkeys(neuron for port in motif.outputs for neuron in port.neurons)
    targets = [n.id for n in motif.neurons if lateral.to in (n.sign, "both")]
    if not sources or not targets:
        raise UserError(f"lateral: the motif needs output ports and neurons of the sign {lateral.to!r}")
    offsets = range(1, copies) if lateral.reach is None else [o for d in range(1, lateral.reach + 1) for o in (-d, d)]
    for copy in range(copies):
        for offset in offsets:
            for pre in sources:
                yield from ((copy, offset, pre, post) for post in targets)
