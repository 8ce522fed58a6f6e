"""[circuit] of a run spec: bounds of the circuits."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from circuits.errors import one_line
from circuits.neurons import LIF_PSC_EXP
from circuits.neurons import MODELS as NEURON_MODELS
from circuits.synapses import MODELS as SYNAPSE_MODELS
from evo.spec.section import FloatRange, IntRange, Names, Section, WeightRange, within

STATIC = "static"


@cache
def ranges(neuron_model: str, synapse_model: str) -> type[BaseModel]:
    """The model of a [circuit.parameters] section: a range for every parameter of the neurons and of their synapses, by default
    a single value."""
    known = dict(NEURON_MODELS[neuron_model].parameters)
    if synapse_model != STATIC:
        known |= SYNAPSE_MODELS[synapse_model].parameters
    fields: dict[str, Any] = {
        name: (Annotated[FloatRange, within(p.low, p.high)], Field((p.default, p.default), description=p.text))
        for name, p in known.items()
    }
    return create_model("Parameters", __base__=Section, **fields)


def _ranges(value, info):
    """The section as an instance of the model that the circuit's other keys determine."""
    names = info.data.get("neuron_model", LIF_PSC_EXP.name), info.data.get("synapse_model", STATIC)
    return ranges(*names).model_validate(value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value)


Ranges = Annotated[SerializeAsAny[BaseModel], BeforeValidator(_ranges)]


class CellType(Section):
    """[circuit.types.NAME]: a subtype of excitatory or inhibitory neurons."""

    sign: Literal["E", "I"] = Field(description="E or I")
    projects_to: Names | None = Field(None, description="types that it may project to [default: all]")
    inputs: bool = Field(True, description="true: input channels may project to it")
    parameters: dict[str, FloatRange] = Field({}, description="ranges that differ from those of [circuit.parameters]")


class CircuitBounds(Section):
    """[circuit]: bounds of the circuits."""

    neuron_model: Literal[tuple(NEURON_MODELS)] = Field(  # type: ignore[valid-type]
        LIF_PSC_EXP.name, description=" | ".join(NEURON_MODELS)
    )
    synapse_model: Literal[(STATIC, *SYNAPSE_MODELS)] = Field(  # type: ignore[valid-type]
        STATIC, description=f"between neurons: {' | '.join((STATIC, *SYNAPSE_MODELS))}"
    )
    noise_mv: float = Field(
        0.0, ge=0, le=1_000, description="membrane noise: the standard deviation that it alone would give V"
    )
    neurons: Annotated[IntRange, within(1, 64)] = Field((4, 12), description="number of neurons")
    dale: bool = Field(True, description="Dale's law; false is a control: a neuron may excite some targets and inhibit others")
    excitatory_share: Annotated[FloatRange, within(0, 1)] = Field((0.5, 1.0), description="share of excitatory neurons")
    in_degree: int = Field(8, ge=1, le=1000, description="maximum number of synapses onto a neuron, those from inputs included")
    delay_ms: Annotated[FloatRange, within(0, 100_000)] = Field((1.0, 20.0), description="delays of all synapses")
    excitatory_weight_mv: WeightRange = Field((1.0, 150.0), description="weights of excitatory synapses and of input synapses")
    inhibitory_weight_mv: WeightRange = Field((1.0, 150.0), description="weights of inhibitory synapses")
    gain_mv: WeightRange = Field((0.5, 60.0), description="gains of sampled inputs: depolarisation by a drive of 1")
    parameters: Ranges = Field({}, validate_default=True, description="of neurons, a number or [minimum, maximum] each")
    types: dict[str, CellType] = Field({}, description="E and I subtypes by name [default: one of each sign]")

    @field_validator("types")
    @classmethod
    def _known_types(cls, types, info):
        section = info.data.get("parameters")
        for name, kind in types.items():
            for target in kind.projects_to or ():
                if target not in types:
                    raise ValueError(f"{name}.projects_to: there is no type {target!r}; there are {', '.join(types)}")
            if section is not None:
                own = {key: list(pair) for key, pair in kind.parameters.items()}
                try:
                    type(section).model_validate(own)
                except ValidationError as error:
                    raise ValueError(f"{name}.parameters.{one_line(error, tuple(type(section).model_fields))}") from None
        return types

    @model_validator(mode="after")
    def _without_dale(self):
        for key in ("excitatory_share", "types", "noise_mv"):  # with noise of its own no second neuron could fire alike
            if not self.dale and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key}: cannot be set with dale = false; leave it out")
        return self
