"""A network in a few lines of TOML, or of Python:

    inputs = 40
    classes = 10

    [[layers]]
    motif = "coincidence.json"      # beside this file
    copies = 8
    share = false

    [[layers]]                      # different motifs mixed
    mixed = [{motif = "gate.json", copies = 4}, {motif = "rhythm.json", copies = 4, lateral = {reach = 1, to = "I"}}]

    [options]                       # defaults of all layers: keywords of MotifLayer
    trainable = ["weights", "bias"]

With `features = 8` the inputs are first projected to 8 features (`in_features` of `MotifNetwork`), and with `readout_ms = 20`
logits are read in every step. A dict has the same form, and a motif may also be a Motif or Circuit. "zoo:NAME" is a motif of
the zoo.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from circuits import load
from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.files import read_text
from circuits.torch.assemble import Lateral
from circuits.torch.layer import MotifLayer
from circuits.torch.networks.mixed import MixedLayer
from circuits.zoo import ZOO, zoo


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, strict=True)


class Options(_Config):
    """Keywords of `MotifLayer` and `MotifCell`, which check their values."""

    share: bool | None = None
    lateral: dict[str, Any] | None = None
    init: str | None = None
    spread: float | None = None
    rate_hz: float | None = None
    projection: str | None = None
    trainable: list[str] | None = None
    parametrisation: str | None = None
    surrogate: str | None = None
    slope: float | None = None
    dampening: float | None = None
    clip: float | None = None
    credit: str | None = None
    outputs: str | None = None
    longest_delay_ms: float | None = None
    engine: str | None = None


class Copies(Options):
    """Copies of one motif."""

    motif: str | Circuit
    copies: PositiveInt = 1


class Layer(Options):
    """Copies of one motif, or of several: `mixed`."""

    motif: str | Circuit | None = None
    copies: PositiveInt = 1
    mixed: list[Copies] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_or_several(self):
        if (self.motif is None) == (not self.mixed):
            raise ValueError("needs a motif, or several of them in `mixed`, and not both")
        return self


class Network(_Config):
    """A network."""

    inputs: PositiveInt
    features: PositiveInt | None = None
    classes: PositiveInt
    layers: list[Layer] = Field(min_length=1)
    options: Options = Field(default_factory=Options)
    batch_first: bool = False
    readout_ms: float | None = None
    dtype: Literal["float32", "float64"] = "float32"


def from_config(network: Callable[..., Any], config) -> Any:
    """Make the network of a config, a path to a TOML file or a dict, by network(layers, classes, batch_first, in_features,
    readout_ms). Raises UserError that names the file and key."""
    location, folder, data = "network", Path(), config
    if not isinstance(config, dict):
        location, folder = str(config), Path(config).parent
        try:
            data = tomllib.loads(read_text(config))
        except UserError:
            raise
        except (ValueError, RecursionError) as error:
            raise UserError(f"{location}: is not TOML: {error}") from None
    try:
        parsed = Network(**data)
    except (ValidationError, TypeError) as error:
        keys = [*Network.model_fields, *Layer.model_fields]
        problem = one_line(error, keys) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"{location}: {problem}") from None
    in_features, layers = parsed.features or parsed.inputs, []
    for k, layer in enumerate(parsed.layers):
        try:
            descriptions: list[Any] = list(layer.mixed) or [layer]
            parts = [_copies(part, parsed, in_features, folder) for part in descriptions]
            layers.append(MixedLayer(parts) if layer.mixed else parts[0])
        except UserError as error:
            raise UserError(f"{location}: layers[{k}]: {error}") from None
        in_features = layers[-1].out_features
    try:
        projected = parsed.inputs if parsed.features else None
        return network(layers, parsed.classes, parsed.batch_first, projected, parsed.readout_ms)
    except UserError as error:
        raise UserError(f"{location}: {error}") from None


def _copies(part, parsed, in_features, folder):
    options = parsed.options.model_dump(exclude_none=True) | part.model_dump(exclude_none=True, exclude={"motif", "mixed"})
    motif = _motif(part.motif, folder) if isinstance(part.motif, str) else part.motif
    if "lateral" in options:
        unknown = options["lateral"].keys() - set(Lateral._fields)
        if unknown:
            raise UserError(f"lateral: unknown key {min(unknown)!r}; known are {', '.join(Lateral._fields)}")
        options["lateral"] = Lateral(**options["lateral"])
    if "trainable" in options:
        options["trainable"] = tuple(options["trainable"])
    return MotifLayer(motif, in_features=in_features, dtype=getattr(torch, parsed.dtype), **options)


def _motif(name, folder):
    """A motif of the zoo, or of a file beside the config."""
    return zoo[name.removeprefix(ZOO)] if name.startswith(ZOO) else load(folder / name)
