"""Settings of learning: the [task] section of a spec with name = "learning"."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from circuits.errors import UserError, one_line
from fitness.learning.data import FILES, SETS
from fitness.sandbox.code import is_own

NAME = "learning"
DATA = f"{' | '.join(SETS)} | FILE.csv, .npz or .h5 | FILE.py:FUNCTION"


class Lateral(BaseModel):
    """[task.lateral]: synapses between neighbouring copies, see `circuits.torch.Lateral`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    reach: int | None = Field(1, ge=1)
    to: Literal["E", "I", "both"] = "I"
    weight_mv: float = Field(1.0, gt=0)
    delay_ms: float | None = Field(None, gt=0)


class Learning(BaseModel):
    """A network of copies of the circuit learns from data by gradient descent; its score is how well it has learned.

    Every copy receives the data through a trained projection, and a trained linear readout of the spikes names the class, once
    a trial or at every step as the data ask. The score is balanced accuracy on other trials than those of training, 0 at chance
    and 1 when perfect, less the cost of its spikes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    name: ClassVar[str] = NAME
    default_spec: ClassVar[dict[str, dict[str, Any]]] = {
        "circuit": {"neurons": [2, 6], "excitatory_share": [0.5, 1.0], "in_degree": 6, "excitatory_weight_mv": [1.0, 60.0]},
        "circuit.parameters": {"tau_m_ms": [5.0, 20.0], "tau_syn_e_ms": [1.0, 10.0], "tau_syn_i_ms": [1.0, 15.0]},
        "search": {
            "objectives": ["score"],
            "target": None,
            "noisy": True,
            "generations": 10,
            "islands": 2,
            "population": 16,
            "epoch": 1,
            "migrants": 1,
            "trials": 1,
            "held_out": 2,
            "archive": 8,
        },
    }

    data: str = Field("flip-flop", min_length=1, description=DATA)
    settings: dict[str, Any] = Field({}, description="of the data, such as { bits = 2 }")
    examples: int = Field(1000, ge=2, description="number of training trials; few-shot: few")
    judged: int = Field(128, ge=2, description="number of other trials that the score is measured on")
    channels: int = Field(2, ge=1, le=100, description="input channels of a copy")
    copies: int | None = Field(None, ge=1, description="number of copies [default: as many as `parameters` allow]")
    parameters: int = Field(
        1000, ge=10, description="approximate number of trained parameters, projection and readout included"
    )
    layers: int = Field(1, ge=1, le=10, description="number of layers, each with this number of copies")
    lateral: Lateral | None = Field(None, description='synapses between neighbouring copies, such as { reach = 1, to = "I" }')
    features: int = Field(
        0, ge=0, description="number of features into which the channels of the data are first combined; 0: none"
    )
    projection: Literal["signed", "excitatory"] = Field("signed", description="weights of the projection: signed | excitatory")
    trainable: list[Literal["weights", "bias", "time_constants", "thresholds", "delays"]] = Field(
        ["weights", "bias"],
        description="what is trained inside copies: weights, bias, time_constants, thresholds, delays; []: frozen",
    )
    share: bool = Field(False, description="copies share their parameters")
    spread: float = Field(0.3, ge=0, le=3, description="standard deviation of the logarithm of initial weights between copies")
    read: Literal["excitatory", "ports", "all"] = Field(
        "excitatory", description="neurons that are read: excitatory | ports | all"
    )
    readout_ms: float = Field(20.0, gt=0, description="time constant of a readout at every step")
    steps: int = Field(200, ge=1, description="steps of training")
    batch: int = Field(32, ge=1, description="trials of a step")
    rate: float = Field(0.2, gt=0, le=10, description="learning rate, relative to the size of each parameter")
    price: float = Field(0.0, ge=0, description="penalty on spikes in the loss: nats per spike and trial")
    dampening: float = Field(1.0, gt=0, le=1, description="factor of surrogate derivatives, for long trials below 1")
    clip: float | None = Field(
        None, gt=0, description="bound of gradients through time, such as 1.0 for long trials [default: none]"
    )
    credit: Literal["full", "local", "eprop"] = Field("full", description="how gradients pass through time, see MotifCell")
    scored: Literal["accuracy", "area"] = Field(
        "accuracy", description="accuracy: after all steps; area: its mean over the learning curve"
    )
    spike_cost: float = Field(0.0, ge=0, description="penalty on the score per spike and trial")
    looks: int = Field(10, ge=1, le=1000, description="points of the learning curve")
    rungs: int = Field(3, ge=1, le=8, description="number of stages of the race; 1: all circuits are trained in full")
    keep: float = Field(0.25, gt=0, lt=1, description="share of the circuits that goes on after each stage")

    @field_validator("data")
    @classmethod
    def _known(cls, data):
        if data not in SETS and not is_own(data) and not data.lower().endswith(FILES):
            raise ValueError(
                f"there is no data set {data!r}; name one of {', '.join(SETS)}, a file ({', '.join(FILES)}), or "
                "FILE.py:FUNCTION"
            )
        return data

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of the training steps at the end of each stage of the race."""
        return tuple(self.keep ** (self.rungs - 1 - k) for k in range(self.rungs))

    @classmethod
    def title(cls) -> str:
        """Its name in messages."""
        return NAME


def settings(section: Mapping[str, Any]) -> Learning:
    """The settings in a [task] section, checked. Raises UserError."""
    try:
        return Learning.model_validate({key: value for key, value in section.items() if key != "name"})
    except ValidationError as error:
        raise UserError(f"task {NAME}: {one_line(error, tuple(Learning.model_fields))}") from None
