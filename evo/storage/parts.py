"""Parts of an evolved assembly: the motif of each role."""

from typing import NamedTuple

from circuits.circuit import Circuit
from evo.genome import motif_circuits
from evo.genome.assembly import input_from


class Part(NamedTuple):
    """The motif of a role in an assembly.

    Parameters
    ----------
    role : str
        Name of the role.
    copies : int
        Number of copies in the assembly.
    hears : list of str
        The roles whose outputs it receives; its own name means lateral wiring between copies.
    circuit : Circuit
        The motif by itself. Spikes of role X arrive by its input channel "from X".

    Examples
    --------
    >>> import evo
    >>> evo.Run("runs/mine").parts(0)
    []
    """

    role: str
    copies: int
    hears: list[str]
    circuit: Circuit


def parts_of(genome, encoding, inputs, outputs) -> list[Part]:
    """The parts of the assembly that a genome encodes."""
    circuits, parts = motif_circuits(genome, encoding, inputs, outputs), []
    for name, copies, circuit in zip(encoding.bounds.names, genome["copies"].tolist(), circuits, strict=True):
        connected = {channel.name for channel in circuit.inputs if channel.synapses}
        parts.append(Part(name, copies, [other for other in encoding.bounds.names if input_from(other) in connected], circuit))
    return parts
