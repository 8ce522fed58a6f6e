"""Translation of a motif's features to another tool: exact, approximate or dropped, and reasons to refuse an export.

Every target has `FORMS`: for each form that it exports, a table of the names below. What a table leaves out is exact.
"""

from typing import Any, NamedTuple

from circuits.circuit import Circuit
from circuits.errors import UserError

EXACT, APPROXIMATE, DROPPED, REFUSED = "exact", "approximate", "dropped", "refused"


class Kept(NamedTuple):
    """Translation of one feature: one of the words above, and how; for a refusal, the remedy."""

    status: str
    how: str = ""


def exact(how: str = "") -> Kept:
    return Kept(EXACT, how)


def approximate(how: str) -> Kept:
    return Kept(APPROXIMATE, how)


def dropped(how: str) -> Kept:
    return Kept(DROPPED, how)


def refused(how: str) -> Kept:
    return Kept(REFUSED, how)


def features(circuit: Circuit) -> list[str]:
    """The features that a circuit (or motif) has, by name."""
    synapses: list[Any] = [*circuit.synapses, *(s for channel in circuit.inputs for s in channel.synapses)]
    neurons: tuple[Any, ...] = circuit.neurons
    found = {
        f"{circuit.neuron_model} neurons": True,
        "signs (Dale's law)": bool(circuit.synapses),
        "weights": bool(synapses),
        "delays": bool(synapses),
        "synaptic time constants": bool(synapses),
        "thresholds": True,
        "resets": True,
        "start at rest": True,
        "refractory periods": any(n.t_ref_ms for n in neurons),
        "bias": any(n.bias_mv for n in neurons),
        "short_term synapses": any(s.short_term for s in synapses),
        "stdp synapses": any(s.stdp for s in synapses),
        "membrane noise": circuit.noise_mv > 0,
        "time step": True,
        "input channels": any(channel.signal is None for channel in circuit.inputs),
        "sampled inputs": any(channel.signal is not None for channel in circuit.inputs),
        "output ports": bool(circuit.outputs),
        "cell types": any(n.type for n in neurons),
        "provenance": True,
    }
    return [name for name, there in found.items() if there]


def kept(circuit: Circuit, forms: dict[str, dict[str, Kept]], target: str) -> dict[str, dict[str, Kept]]:
    """Translate each feature of a circuit, for every form that a target exports.

    Raises UserError for the first feature that a form refuses.
    """
    found = {form: {name: table.get(name, exact()) for name in features(circuit)} for form, table in forms.items()}
    for table in found.values():
        for name, (status, how) in table.items():
            if status == REFUSED:
                raise UserError(f"{target}: {name} cannot be exported: {how}")
    return found
