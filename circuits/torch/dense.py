"""A layer in which every neuron is connected with every other: the control for layers of motifs."""

import math

import numpy as np
import torch
from pydantic import ValidationError

from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.torch.checks import whole_number
from circuits.torch.layer import MotifLayer

CHANNEL_MV = 15.0  # weight of the synapse from a neuron's own channel


def dense_layer(
    neurons: int,
    in_features: int,
    *,
    dale: bool = True,
    excitatory: float = 0.8,
    neuron_model: str = "lif_psc_exp",
    parameters: dict | None = None,
    weight_mv: float | None = None,
    dt_ms: float = 1.0,
    seed: int = 0,
    **options,
) -> MotifLayer:
    """Make a layer of neurons that are connected all to all, with delays of one step.

    With Dale's law initial weights are drawn from an exponential distribution, with inhibitory weights scaled so that
    they balance excitation; without it from a normal distribution. All neurons are outputs. Of the input only the projection
    is trained.

    Parameters
    ----------
    neurons : int
        Number of neurons.
    in_features : int
        Number of input features.
    dale : bool
        Do the outgoing synapses of a neuron have the same sign?
    excitatory : float
        Share of excitatory neurons with Dale's law.
    neuron_model : str
        A neuron model that trains.
    parameters : dict, optional
        Values of neuron parameters; a pair of values is a range from which each neuron's value is drawn.
    weight_mv : float, optional
        Mean (without Dale's law the standard deviation) of the recurrent weights in mV, by default 15 / sqrt(neurons).
    dt_ms : float
        Time step in ms.
    seed : int
        Seed of the weights and parameters.
    **options
        Further parameters of `MotifLayer`.

    Returns
    -------
    MotifLayer
        The layer, one copy of a dense circuit.

    Raises
    ------
    circuits.errors.UserError
        As `MotifLayer`.

    Examples
    --------
    >>> import torch
    >>> from circuits.torch import dense_layer
    >>> layer = dense_layer(32, in_features=10, parameters={"tau_m_ms": (5.0, 20.0)})
    >>> layer(torch.zeros(50, 8, 10))[0].shape
    torch.Size([50, 8, 32])
    """
    whole_number("neurons", neurons)
    if not 0 < excitatory <= 1:
        raise UserError(f"excitatory: a share above 0 and at most 1, not {excitatory!r}")
    rng = np.random.default_rng(seed)
    n_e = max(1, round(neurons * excitatory)) if dale else neurons
    mean = 15 / math.sqrt(neurons) if weight_mv is None else weight_mv

    def weight(pre):
        return float(rng.exponential(mean if pre < n_e else mean * n_e / (neurons - n_e)))

    def drawn_parameters():
        return {name: float(rng.uniform(*v)) if isinstance(v, (tuple, list)) else v for name, v in (parameters or {}).items()}

    try:
        circuit = Circuit(
            dt_ms=dt_ms,
            neuron_model=neuron_model,  # type: ignore[arg-type]
            neurons=[{"id": k, "sign": "EI"[k >= n_e]} | drawn_parameters() for k in range(neurons)],  # type: ignore[arg-type]
            inputs=[  # type: ignore[arg-type]
                {"name": f"in{k}", "synapses": [{"post": k, "weight_mv": CHANNEL_MV, "delay_ms": dt_ms}]}
                for k in range(neurons)
            ],
            synapses=[  # type: ignore[arg-type]
                {"pre": pre, "post": post, "weight_mv": weight(pre), "delay_ms": dt_ms}
                for pre in range(neurons)
                for post in range(neurons)
            ],
            outputs=[{"name": "out", "neurons": list(range(n_e))}],  # type: ignore[arg-type]
        )
    except ValidationError as error:
        raise UserError(f"dense layer: {one_line(error)}") from None
    defaults = {"outputs": "all", "share": False} | ({} if dale else {"parametrisation": "signed"})
    layer = MotifLayer(circuit, 1, in_features, **defaults | options)  # type: ignore[arg-type]
    layer.cell.input.free.requires_grad_(False)
    if not dale:
        with torch.no_grad():
            signed = torch.from_numpy(rng.normal(0, mean, tuple(layer.cell.excitatory.free.shape)))
            layer.cell.excitatory.free.copy_(signed)
    return layer
