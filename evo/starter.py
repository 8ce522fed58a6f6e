"""The commented spec that `evo new` writes: every key of a run spec, with its default or one that suits the task."""

from typing import Any

from pydantic import BaseModel

from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.neurons import MODELS as NEURON_MODELS
from circuits.synapses import MODELS as SYNAPSE_MODELS
from evo.spec import STATIC, CircuitBounds, Search, Stop, ranges
from fitness.tasks import BUILT_IN

# What suits a task better than the general defaults, by section.
_SUITED: dict[str, dict[str, dict[str, Any]]] = {
    "itd": {
        "circuit": {
            "in_degree": 6,
            "delay_ms": [0.05, 1.6],
            "excitatory_weight_mv": [1, 120],
            "inhibitory_weight_mv": [1, 120],
        },
        "circuit.parameters": {"tau_m_ms": [0.2, 3], "tau_syn_e_ms": [0.1, 1], "tau_syn_i_ms": [0.1, 3], "t_ref_ms": [0.5, 2]},
        "search": {"trials": 128},
    },
    "order": {
        "circuit": {"excitatory_share": [0.5, 0.9], "delay_ms": [0.5, 60]},
        "circuit.parameters": {"tau_m_ms": [5, 40], "tau_syn_e_ms": [1, 10], "tau_syn_i_ms": [2, 40], "bias_mv": [0, 20]},
    },
    "gate": {
        "circuit": {"neurons": [3, 8], "excitatory_share": [0.5, 0.9], "delay_ms": [0.5, 2], "excitatory_weight_mv": [1, 60]},
        "circuit.parameters": {"tau_m_ms": [5, 30], "tau_syn_e_ms": [1, 8], "tau_syn_i_ms": [2, 20], "t_ref_ms": 0.5},
    },
}


def starter(name: str, neuron_model: str = LIF_PSC_EXP.name, synapse_model: str = STATIC) -> str:
    """A spec for the task `name` as TOML text, each key explained. Raises UserError for an unknown task or model."""
    if name not in BUILT_IN:
        raise UserError(f"there is no task {name!r}; known are {', '.join(BUILT_IN)}")
    for model, known in ((neuron_model, tuple(NEURON_MODELS)), (synapse_model, (STATIC, *SYNAPSE_MODELS))):
        if model not in known:
            raise UserError(f"there is no model {model!r}; known are {', '.join(known)}")
    task, suited = BUILT_IN[name], dict(_SUITED.get(name, {}))
    circuit = {"neuron_model": neuron_model, "synapse_model": synapse_model} | suited.get("circuit", {})
    section = ranges(neuron_model, synapse_model)
    fitting = {key: value for key, value in suited.get("circuit.parameters", {}).items() if key in section.model_fields}
    lines = ["# Run it with: evo run THIS_FILE. A range is [least, largest]; a single number stands for both.", ""]
    lines += ["[task]", f'name = "{name}"', *_section(task, {}), ""]
    lines += ["[circuit]", *_section(CircuitBounds, circuit, leave_out=("parameters", "types")), ""]
    lines += ["[circuit.parameters]", *_section(section, fitting), ""]
    lines += [
        "# Subtypes, if any: [circuit.types.PV] with sign, projects_to, inputs and parameters of its own.",
        "",
    ]
    lines += ["[search]", *_section(Search, suited.get("search", {}), leave_out=("stop",)), ""]
    lines += ["[search.stop]                             # when a circuit is hopeless, and given up", *_section(Stop, {})]
    return "\n".join(lines) + "\n"


def _section(model: type[BaseModel], suited, leave_out=()):
    for key, field in model.model_fields.items():
        if key not in leave_out:
            setting = f"{key} = {_toml(suited.get(key, field.default))}"
            yield f"{setting:<42}# {field.description}" if field.description else setting


def _toml(value):
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]" if len({*value}) > 1 else _toml(value[0])
    return f'"{value}"' if isinstance(value, str) else str(value)
