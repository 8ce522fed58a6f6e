"""The neurons of a cell: the simulator's constants, and the trainable parameters."""

import numpy as np
import torch
from torch import nn

from circuits.neurons import LIF_PSC_EXP
from circuits.torch.dale import of_parts, parts
from circuits.torch.models import FORMS
from circuits.torch.positive import Between

INDEX = {name: k for k, name in enumerate(LIF_PSC_EXP.names)}  # the other trainable models begin with the same parameters


class _Exact(torch.autograd.Function):
    """`apply(formula, exact)`: the values of `exact` with the gradient of `formula`."""

    @staticmethod
    def forward(ctx, formula, exact):
        return exact

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class LifNeurons(nn.Module):
    """Neurons of a model of `models`. Their trainable parameters are, each [neurons] or [copies, neurons]:

    bias_mv             the constant drive, always present
    log_tau_m and more  with `times`: logarithm of each time constant over that of the motif
    log_gap             with `thresholds`: the same of the distance from v_reset to v_th

    of_motif  float64 [neurons, parameters], in the order of the neuron model
    keys      neurons with the same key share parameters; None: none do
    """

    table: torch.Tensor
    bias_gain: torch.Tensor
    n_ref: torch.Tensor
    part: torch.Tensor | None

    def __init__(
        self,
        of_motif: np.ndarray,
        dt_ms: float,
        copies: int | None,
        dtype,
        times: bool,
        thresholds: bool,
        keys=None,
        model=LIF_PSC_EXP,
    ):
        super().__init__()
        self.form = FORMS[model.name]
        self.of_motif, self.dt_ms, self.times, self.thresholds = of_motif, dt_ms, times, thresholds
        first, part = parts(keys)
        self.register_buffer("part", part, persistent=False)
        bias = torch.tensor(of_motif[:, INDEX["bias_mv"]])
        bias = (bias if first is None else bias[first]).to(dtype)
        shape = (len(bias),) if copies is None else (copies, len(bias))
        self.bias_mv = nn.Parameter(bias.expand(shape).clone())
        for name in self.form.times if times else ():
            self.register_parameter(_logarithm(name), nn.Parameter(torch.zeros(shape, dtype=dtype)))
        self.register_parameter("log_gap", nn.Parameter(torch.zeros(shape, dtype=dtype)) if thresholds else None)
        columns = model.table(of_motif, dt_ms).shape[-1]
        self.register_buffer("table", torch.zeros(len(of_motif), columns, dtype=dtype), persistent=False)
        self.register_buffer("bias_gain", torch.zeros(len(of_motif), dtype=dtype), persistent=False)
        n_ref = torch.tensor(model.refractory_steps(of_motif, dt_ms), dtype=torch.int32)
        self.register_buffer("n_ref", n_ref, persistent=False)
        self._round()

    def _round(self):
        model, parameters = self.form.model, dict(zip(self.form.model.names, self.of_motif.T, strict=True))
        self.table.copy_(torch.tensor(model.table(self.of_motif, self.dt_ms)))
        self.bias_gain.copy_(torch.tensor(self.form.bias[1](parameters, self.dt_ms)))

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        self._round()  # from float64, whatever the earlier conversions
        return self

    def constants(self) -> torch.Tensor:
        """The present table of the neuron model, [..., neurons, columns]."""
        if not (self.times or self.thresholds):
            drive = (self.bias_gain * of_parts(self.bias_mv, self.part))[..., None]
            fixed = self.table.expand(*drive.shape[:-1], -1)
            column = self.form.bias[0]
            return torch.cat([fixed[..., :column], drive, fixed[..., column + 1 :]], -1)
        values = self.now()
        formula = _table(values, self.dt_ms, self.form)
        if values.device.type == "cpu" and not torch.compiler.is_compiling():
            formula = _Exact.apply(formula, torch.from_numpy(self.form.model.table(values.detach().numpy(), self.dt_ms)))
        return formula.to(self.table.dtype)

    def now(self) -> torch.Tensor:
        """The present parameters, float64 [..., neurons, parameters], in the order of the neuron model."""
        bias = of_parts(self.bias_mv, self.part).double()
        columns = list(torch.as_tensor(self.of_motif, device=bias.device).expand(*bias.shape, -1).unbind(-1))
        columns[INDEX["bias_mv"]] = bias
        for name in self.form.times if self.times else ():
            limits, column = self.form.model.parameters[name], self.form.model.names.index(name)
            tau = columns[column] * of_parts(getattr(self, _logarithm(name)), self.part).double().exp()
            columns[column] = Between.apply(tau, limits.low, limits.high)
        if self.log_gap is not None:
            v_th = columns[INDEX["v_th_mv"]]
            columns[INDEX["v_th_mv"]] = (
                v_th + (v_th - columns[INDEX["v_reset_mv"]]) * of_parts(self.log_gap, self.part).double().expm1()
            )
        return torch.stack(columns, -1)


def _logarithm(name):
    return "log_" + name.removesuffix("_ms")


def _table(parameters, dt, form=FORMS[LIF_PSC_EXP.name]):
    """The columns of the neuron model as differentiable functions of the parameters."""
    return torch.stack(form.columns(dict(zip(form.model.names, parameters.unbind(-1), strict=True)), dt), -1)
