"""The commented spec that `evo new` writes: every key of a run spec, with its default or one that suits the task."""

from pydantic import BaseModel

from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.neurons import MODELS as NEURON_MODELS
from circuits.synapses import MODELS as SYNAPSE_MODELS
from evo.spec import STATIC, CircuitBounds, Search, Stop, ranges
from fitness.tasks import BUILT_IN

TARGET = 0.95


def starter(name: str, neuron_model: str | None = None, synapse_model: str | None = None) -> str:
    """A spec for the task `name` as TOML text, each key explained; the models are those that suit the task unless named.
    Raises UserError for an unknown task or model."""
    if name not in BUILT_IN:
        raise UserError(f"there is no task {name!r}; known are {', '.join(BUILT_IN)}")
    task, suited = BUILT_IN[name], BUILT_IN[name].suits
    circuit = dict(suited.get("circuit", {}))
    neuron_model = neuron_model or circuit.get("neuron_model", LIF_PSC_EXP.name)
    synapse_model = synapse_model or circuit.get("synapse_model", STATIC)
    for model, known in ((neuron_model, tuple(NEURON_MODELS)), (synapse_model, (STATIC, *SYNAPSE_MODELS))):
        if model not in known:
            raise UserError(f"there is no model {model!r}; known are {', '.join(known)}")
    circuit |= {"neuron_model": neuron_model, "synapse_model": synapse_model}
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
    search = {"target": TARGET} | suited.get("search", {})
    lines += ["[search]", *_section(Search, search, leave_out=("stop",)), ""]
    lines += ["[search.stop]                             # when a circuit is hopeless, and given up", *_section(Stop, {})]
    return "\n".join(lines) + "\n"


def _section(model: type[BaseModel], suited, leave_out=()):
    for key, field in model.model_fields.items():
        if key not in leave_out:
            value = suited.get(key, field.default)
            setting = f"{key} = {_toml(value)}" if value is not None else f"# {key} ="
            yield f"{setting + ' ':<42}# {field.description}" if field.description else setting


def _toml(value):
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(v)}' for key, v in value.items())} }}"
    if isinstance(value, list | tuple) and any(isinstance(v, dict) for v in value):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]" if len({*value}) > 1 else _toml(value[0])
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
