"""What a circuit is: neurons, input channels, synapses, output ports; checked when made, immutable after.

Dale's law is in the data: a neuron carries the sign, a synapse only a weight >= 0.
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from circuits.neurons import LIF, NAMES, PARAMETERS

Id = StrictInt | Annotated[StrictStr, Field(min_length=1)]
MAX_DELAY_STEPS = 65_535


class Part(BaseModel):
    """Base of everything in a motif file: unknown keys and NaN are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _as_in(name: str) -> Any:
    p = PARAMETERS[name]
    return Field(p.default, ge=p.low, le=p.high, description=p.text)


class Neuron(Part):
    """A neuron: `sign`, E or I, is that of all its outgoing synapses; `type` is a free name of its cell type; the rest are the
    parameters of `circuits.neurons.PARAMETERS`."""

    id: Id
    sign: Literal["E", "I"]
    type: StrictStr = ""
    tau_m_ms: float = _as_in("tau_m_ms")
    tau_syn_e_ms: float = _as_in("tau_syn_e_ms")
    tau_syn_i_ms: float = _as_in("tau_syn_i_ms")
    v_rest_mv: float = _as_in("v_rest_mv")
    v_th_mv: float = _as_in("v_th_mv")
    v_reset_mv: float = _as_in("v_reset_mv")
    t_ref_ms: float = _as_in("t_ref_ms")
    bias_mv: float = _as_in("bias_mv")


class InputSynapse(Part):
    """A synapse from an input channel: excitatory, on neuron `post`."""

    post: Id
    weight_mv: float = Field(ge=0)
    delay_ms: float = Field(gt=0)


class Synapse(Part):
    """A synapse between neurons; its sign is that of neuron `pre`."""

    pre: Id
    post: Id
    weight_mv: float = Field(ge=0)
    delay_ms: float = Field(gt=0)


class InputChannel(Part):
    """External excitatory afferents that share one spike train per trial."""

    name: Annotated[StrictStr, Field(min_length=1)]
    synapses: tuple[InputSynapse, ...] = ()


class OutputPort(Part):
    """A named, ordered list of excitatory neurons that other circuits or readouts listen to."""

    name: Annotated[StrictStr, Field(min_length=1)]
    neurons: tuple[Id, ...] = Field(min_length=1)


class Circuit(Part):
    """An excitatory/inhibitory spiking circuit.

    Raises pydantic's ValidationError (a ValueError) for: no neurons, repeated ids or names, a synapse or port that names no
    neuron, an inhibitory neuron in an output port, v_reset >= v_th, delays or t_ref that are no whole multiple of `dt_ms`.
    """

    dt_ms: float = Field(gt=0, le=100)
    neuron_model: Literal["lif_psc_exp"] = LIF
    neurons: tuple[Neuron, ...] = Field(min_length=1)
    inputs: tuple[InputChannel, ...] = ()
    synapses: tuple[Synapse, ...] = ()
    outputs: tuple[OutputPort, ...] = ()

    @model_validator(mode="after")
    def _consistent(self):
        _unique("neurons", [n.id for n in self.neurons])
        _unique("inputs", [c.name for c in self.inputs])
        _unique("outputs", [o.name for o in self.outputs])
        sign = {n.id: n.sign for n in self.neurons}
        for k, n in enumerate(self.neurons):
            if n.v_reset_mv >= n.v_th_mv:
                raise ValueError(f"neurons[{k}]: v_reset_mv {n.v_reset_mv:g} must be below v_th_mv {n.v_th_mv:g}")
            self._whole_steps(f"neurons[{k}].t_ref_ms", n.t_ref_ms, least=0)
        places = [(f"inputs[{c}].synapses[{k}]", s) for c, i in enumerate(self.inputs) for k, s in enumerate(i.synapses)]
        places += [(f"synapses[{k}]", s) for k, s in enumerate(self.synapses)]
        for place, synapse in places:
            for end in ("pre", "post"):
                if hasattr(synapse, end) and getattr(synapse, end) not in sign:
                    raise ValueError(f"{place}.{end}: there is no neuron {getattr(synapse, end)!r}")
            self._whole_steps(f"{place}.delay_ms", synapse.delay_ms, least=1)
        for o, output in enumerate(self.outputs):
            for k, neuron in enumerate(output.neurons):
                if sign.get(neuron) != "E":
                    what = "there is no neuron" if neuron not in sign else "only E neurons can be read, not"
                    raise ValueError(f"outputs[{o}].neurons[{k}]: {what} {neuron!r}")
        return self

    def _whole_steps(self, place, time_ms, least):
        steps = time_ms / self.dt_ms
        if not least - 0.5 <= steps < MAX_DELAY_STEPS + 0.5 or abs(steps - round(steps)) > 1e-6:
            wanted = f"{least} to {MAX_DELAY_STEPS} whole steps of dt_ms = {self.dt_ms:g}"
            raise ValueError(f"{place}: {time_ms:g} ms must be {wanted}")

    @property
    def excitatory(self) -> np.ndarray:
        """Which neurons are excitatory, bool [neurons]."""
        return np.array([n.sign == "E" for n in self.neurons])

    @property
    def parameters(self) -> np.ndarray:
        """Neuron parameters in the order of `neurons.PARAMETERS`, float64 [neurons, 8]."""
        return np.array([[getattr(n, name) for name in NAMES] for n in self.neurons])

    @property
    def synapse_count(self) -> int:
        """Synapses between neurons and from input channels."""
        return len(self.synapses) + sum(len(c.synapses) for c in self.inputs)

    def __repr__(self):
        e = int(self.excitatory.sum())
        return (
            f"<Circuit {e} E, {len(self.neurons) - e} I, {self.synapse_count} synapses, "
            f"inputs {[c.name for c in self.inputs]}, outputs {[o.name for o in self.outputs]}, dt {self.dt_ms:g} ms>"
        )

    __str__ = __repr__


def _unique(what, names):
    seen = set()
    for k, name in enumerate(names):
        if name in seen:
            raise ValueError(f"{what}[{k}]: {name!r} is there twice")
        seen.add(name)
