"""Translation of a motif's features to another tool: exact, approximate or dropped, and reasons to refuse an export.

Every target has `FORMS`: for each form that it exports, a table of the features below. Features not in the table are exact.
"""

from functools import partial
from typing import Any, NamedTuple

from circuits.circuit import Circuit
from circuits.errors import UserError

EXACT, APPROXIMATE, DROPPED, REFUSED = "exact", "approximate", "dropped", "refused"


class Translation(NamedTuple):
    """Translation of one feature: one of the words above, and how; for a refusal, the remedy."""

    status: str
    how: str = ""


exact, approximate, dropped, refused = (partial(Translation, status) for status in (EXACT, APPROXIMATE, DROPPED, REFUSED))


def features(circuit: Circuit) -> list[str]:
    """The features that a circuit (or motif) has, by name."""
    synapses = [synapse for _, synapse in circuit.all_synapses]
    neurons: tuple[Any, ...] = circuit.neurons
    present = {
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
    return [name for name, is_present in present.items() if is_present]


def translated(circuit: Circuit, forms: dict[str, dict[str, Translation]], target: str) -> dict[str, dict[str, Translation]]:
    """Translate each feature of a circuit, for every form that a target exports.

    Raises UserError for the first feature that a form refuses.
    """
    tables = {form: {name: table.get(name, exact()) for name in features(circuit)} for form, table in forms.items()}
    for table in tables.values():
        for name, (status, how) in table.items():
            if status == REFUSED:
                raise UserError(f"{target}: {name} cannot be exported: {how}")
    return tables
