"""e-prop: online learning with memory independent of the trial's length (Bellec et al., Nat. Commun. 11, 2020).

Each weight has an eligibility vector, the derivative of its neuron's states with respect to the weight. With U the potential
that is compared with the threshold, z spikes, psi the surrogate derivative, and x the input of the synapse:

    eU     <- P22 eU + P21 eI - P21_w ew            eU <- 0 after a spike and while refractory
    e      =  psi (eU - etheta)                     the eligibility: how the spike depends on the weight
    ew     <- P_w ew + w_jump e                     of adaptive neurons; so is etheta, from theta_jump
    eI     <- P11 eI + x

and the gradient is the sum over time of e times dE/dz, the external gradient of the spike. This is backpropagation through time
without gradients from a neuron to its presynaptic neurons: credit="local". Eligibilities continue from window to window, so
that windows of any length, even of one step, have the gradient of the whole trial.
"""

from typing import NamedTuple

import torch
from torch.autograd.function import once_differentiable

from circuits.neurons.alif_psc_exp import P21_W, P_THETA, P_W, THETA_JUMP, W_JUMP
from circuits.neurons.lif_psc_exp import P21_E, P21_I, P22
from circuits.neurons.model import P11_E, P11_I
from circuits.torch import eager
from circuits.torch.dale import of_parts
from circuits.torch.state import State


class EPropState(NamedTuple):
    """State of a layer trained by e-prop: that of its neurons, and the eligibility vectors of its weights."""

    state: State
    traces: tuple

    def detach(self) -> "EPropState":
        """The state itself: gradients never pass from window to window, eligibilities do."""
        return self


def run(layer, x, state) -> tuple[torch.Tensor, EPropState]:
    """Spikes of all neurons of a layer [steps, ..., neurons] and the next state; x is [steps, batch, features]."""
    cell = layer.cell
    with torch.no_grad():
        features = torch.cat([x.new_zeros(cell.longest_input, *x.shape[1:]) if state is None else state.traces[0], x])
        drive = layer._project(x)
        slopes: list = []
        before = cell.init_state(x.shape[1]) if state is None else state.state
        raster, after = eager.run(cell, drive, before, slopes.append)
        window = _Window(layer, features, torch.cat([before.spikes, raster]), slopes)
        first = window.rest() if state is None else state.traces[1]
        last = first
        for k in range(len(x)):
            last, _ = window.step(last, k)
    kinds = (cell.input.weight, cell.excitatory.weight, cell.inhibitory.weight)
    spikes = _Learn.apply(window, first, raster, layer.projection_weight, *kinds, of_parts(cell.lif.bias_mv, cell.lif.part))
    return spikes, EPropState(after, (features[len(x) :], last))


class _Learn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, window, first, raster, *parameters):
        ctx.window, ctx.first = window, first
        return raster.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, signal):
        """Gradients of the projection, of the three kinds of weights and of the biases."""
        window, traces = ctx.window, ctx.first
        sums = [torch.zeros_like(trace[0]) for trace in traces]
        for k in range(len(signal)):
            traces, eligibilities = window.step(traces, k)
            for target, total, e in zip(window.targets, sums, eligibilities, strict=True):
                total.addcmul_(e, window.per_synapse(signal[k], target, e))
        return None, None, None, *window.gradients(sums)


class _Window:
    """A window of a layer's trials, as input of the eligibilities.

    features  input, [past + steps, batch, features]; past is the longest delay
    rows      spikes, [past + steps, ..., neurons]
    slopes    of each step, psi and whether the potential is reset, both [..., neurons]
    Traces are of: input synapses [..., features, synapses], excitatory and inhibitory synapses, and biases [..., neurons].
    """

    def __init__(self, layer, features, rows, slopes):
        cell = self.cell = layer.cell
        self.layer, self.features, self.rows, self.slopes = layer, features, rows, slopes
        constants = cell.lif.constants()
        self.c = (constants[:, None] if constants.ndim == 3 else constants).unbind(-1)
        self.lead = rows.shape[1:-1]
        self.targets = (cell.input.target, cell.excitatory.target, cell.inhibitory.target, None)
        self.currents = ((P11_E, P21_E), (P11_E, P21_E), (P11_I, P21_I), None)
        self.adapts = cell.lif.form.states > 0

    def rest(self):
        """Zero eligibilities of all weights: eU, eI, and of adaptive neurons ew and etheta."""
        cell, features = self.cell, self.features
        shapes = ((features.shape[-1], len(cell.input.target)), (len(cell.excitatory.target),), (len(cell.inhibitory.target),))
        return tuple(
            tuple(features.new_zeros(*self.lead, *shape) for _ in range(4 if self.adapts else 2))
            for shape in (*shapes, (cell.neurons,))
        )

    def step(self, traces, k):
        """The traces after step k, and the eligibilities in it."""
        psi, reset = self.slopes[k]
        after, eligibilities = [], []
        inputs = (self._features(k), self._spikes(self.cell.excitatory, k), self._spikes(self.cell.inhibitory, k), None)
        for target, current, x, (e_u, e_i, *adaptation) in zip(self.targets, self.currents, inputs, traces, strict=True):

            def of(values, target=target, like=e_u):
                return self.per_synapse(values, target, like)

            e_u_next = of(self.c[P22]) * e_u + (self.cell.lif.bias_gain if current is None else of(self.c[current[1]]) * e_i)
            if adaptation:
                e_w, e_theta = adaptation
                e_u_next = e_u_next + of(self.c[P21_W]) * e_w
                e_theta = of(self.c[P_THETA]) * e_theta
                e = of(psi) * (e_u_next - e_theta)
                adaptation = [of(self.c[P_W]) * e_w + of(self.c[W_JUMP]) * e, e_theta + of(self.c[THETA_JUMP]) * e]
            else:
                e = of(psi) * e_u_next
            e_i = e_i if current is None else of(self.c[current[0]]) * e_i + x
            after.append((torch.where(of(reset), 0, e_u_next), e_i, *adaptation))
            eligibilities.append(e)
        return tuple(after), eligibilities

    def per_synapse(self, values, target, like):
        """Values of neurons, [..., neurons], for their synapses, as traces: [..., synapses] or [..., features, synapses]."""
        if target is None:
            return values
        values = values.index_select(-1, target)
        return values.unsqueeze(-2) if like.ndim > len(self.lead) + 1 and values.ndim > 1 else values

    def _features(self, k):
        kind, past = self.cell.input, self.cell.longest_input
        if not len(kind.target):
            return 0
        return self.features[past + k - kind.delay].permute(1, 2, 0)  # [batch, features, synapses]

    def _spikes(self, kind, k):
        past = self.cell.longest
        if not len(kind.target):
            return 0
        rows = self.rows[past + k - kind.delay]  # [synapses, ..., neurons]
        index = kind.source.view(-1, *[1] * (rows.ndim - 1)).expand(*rows.shape[:-1], 1)
        return rows.gather(-1, index)[..., 0].movedim(0, -1)

    def gradients(self, sums):
        """Gradients of the projection, the weights of each kind and the biases, from sums over time in the shape of traces."""
        cell, layer = self.cell, self.layer
        over_batch = (total.sum(-3 if k == 0 else -2) for k, total in enumerate(sums))
        feature_sums, excitatory, inhibitory, biases = over_batch
        channel = cell.input.source
        features = feature_sums.shape[-2]
        projection = layer.projection_weight.detach().view(features, layer.copies, layer.channels)
        if cell.copies:
            projection = projection.transpose(0, 1)  # [copies, features, channels]
        else:
            projection = projection.flatten(1)  # [features, copies * channels]
        weight = cell.input.weight.detach()
        weight = weight[:, None] if weight.ndim == 2 else weight
        grad_projection = torch.zeros_like(projection).index_add(-1, channel, feature_sums * weight)
        grad_projection = grad_projection.transpose(0, 1).flatten(1) if cell.copies else grad_projection
        grad_inputs = (feature_sums * projection.index_select(-1, channel)).sum(-2)
        grads = [grad_inputs, cell.excitatory.sign * excitatory, cell.inhibitory.sign * inhibitory, biases]
        separate = cell.copies is None or not cell.share
        return grad_projection, *(total if separate else total.sum(0) for total in grads)
