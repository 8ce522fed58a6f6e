"""The kernels as one differentiable operation on tensors."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from circuits.numerics.simd import LANES, aligned
from circuits.simulation.population import in_threads, spans
from circuits.torch.fused.adaptation import SUMMED
from circuits.torch.fused.backward import Credit, IncomingGradients, OutgoingGradients, Workspace, run_backward
from circuits.torch.fused.forward import Outputs, Record, run_forward, unpack
from circuits.torch.fused.job import Job, Lists, chunk_of


@dataclass(frozen=True)
class Plan:
    """Parts of a run other than tensors: arrays as in `Job`, and

    model    the kind of the neuron model;   batch    lanes in use;   history  maximal delay in steps;   kind  of the surrogate
    credit   options of the backward pass;   times  are gradients of the propagators needed?
    """

    model: Any
    lists: Lists
    delay: np.ndarray
    batch: int
    history: int
    read: np.ndarray
    expiry: np.ndarray
    kind: Any
    credit: Credit
    times: bool


class Run(torch.autograd.Function):
    """`apply(x, weight, table, start, past_x, past_spikes, plan)` -> spikes read, last spikes, final state, steps held.

    x            real [G, channels, T, B], with stride 1 of the last axis;   weight, table  as in `Job`
    start        real [states, G, neurons, B], or None: rest
    past_x       real [G, channels, D, B], past_spikes real [G, neurons, D, B] of 0 and 1: the steps before, or None: silence
    Returns [T, batch, G, slots], [G, neurons, tail, B], [states, G, neurons, B], int32 [G, neurons, B]; the tail is as long as
    the longest delay, or T. B is the batch padded to a multiple of 64, T at least 1. Results do not depend on the number of
    threads.
    """

    @staticmethod
    def forward(ctx, x, weight, table, start, past_x, past_spikes, plan):
        job = _job(x, weight, table, start, past_x, past_spikes, plan)
        real, (groups, _, steps, lanes), neurons = x.dtype, x.shape, len(plan.lists.n_ref)
        read = torch.empty(steps, plan.batch, groups, len(plan.read), dtype=real)
        tail = torch.empty(groups, neurons, min(job.history, steps), lanes, dtype=real)
        states = plan.model.states
        final = torch.empty(states, groups, neurons, lanes, dtype=real)
        refractory = torch.zeros(groups, neurons, lanes, dtype=torch.int32)
        outputs, items = Outputs(*map(_flat, (tail, final, refractory))), groups * job.blocks
        _in_threads(items, partial(aligned, neurons * states * LANES, job.x.dtype), partial(run_forward, job, outputs))
        rows = read.flatten(2).numpy()
        _in_threads(steps, partial(np.empty, rows.shape[2], "u8"), partial(unpack, job, rows))
        saved = [torch.from_numpy(array) for array in (job.raster.view("i8"), job.marks, job.held.view("i8"))]
        ctx.save_for_backward(x, weight, table, past_x, *saved)
        ctx.plan, ctx.past_spikes = plan, 0 if past_spikes is None else past_spikes.shape[2]
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(refractory)
        return read, tail, final, refractory

    @staticmethod
    @once_differentiable
    def backward(ctx, read, tail, final, _):
        plan = ctx.plan
        x, weight, table, past_x, *saved = ctx.saved_tensors
        raster, marks, held = (tensor.numpy() for tensor in saved)
        job = _job(x, weight, table, None, past_x, None, plan, saved=(raster.view("u8"), marks, held.view("u8")))
        groups, _, steps, lanes = x.shape
        neurons, blocks, empty = len(plan.lists.n_ref), job.blocks, x.new_empty(0)
        if read is None:
            read = x.new_zeros(1, 1, 1, lanes).expand(groups, len(plan.read), steps, lanes)
        elif plan.batch < lanes:
            read = functional.pad(read.permute(2, 3, 0, 1), (0, lanes - plan.batch))
        else:
            read = read.permute(2, 3, 0, 1)
        read = _lanes_last(read)
        tail, final = (empty if grad is None else grad.contiguous() for grad in (tail, final))
        incoming = IncomingGradients(_flat(read), read.stride()[:3], _flat(tail), _flat(final))

        shapes = (x.shape, None, None, (plan.model.states, groups, neurons, lanes), None, (groups, neurons, job.history, lanes))
        if past_x is not None:
            shapes = (*shapes[:4], past_x.shape, shapes[5])
        grad_x, _, _, grad_start, grad_past_x, grad_past_spikes, _ = (
            torch.empty(shape, dtype=x.dtype) if needed and shape else None
            for shape, needed in zip((*shapes, None), ctx.needs_input_grad, strict=True)
        )
        columns = SUMMED[type(plan.model)]
        weight_sums = np.zeros((groups, blocks, weight.shape[1]))
        table_sums = np.zeros((groups, blocks, neurons, len(columns)))
        arrays = (empty if grad is None else grad for grad in (grad_x, grad_past_x, grad_past_spikes, grad_start))
        outgoing = OutgoingGradients(*map(_flat, arrays), weight_sums, table_sums)
        needs_table = ctx.needs_input_grad[2]
        workspace = partial(_workspace, job, plan.times and needs_table, len(columns) if needs_table else 0)
        _in_threads(groups * blocks, workspace, partial(run_backward, job, plan.kind, plan.credit, incoming, outgoing))
        grad_table = torch.zeros_like(table)
        grad_table[..., list(columns)] = _summed(table_sums, table)
        if grad_past_spikes is not None:
            grad_past_spikes = grad_past_spikes[:, :, job.history - ctx.past_spikes :]
        return grad_x, _summed(weight_sums, weight), grad_table, grad_start, grad_past_x, grad_past_spikes, None


def _job(x, weight, table, start, past_x, past_spikes, plan, saved=None) -> Job:
    groups, channels, steps, lanes = x.shape
    neurons, blocks, real = len(plan.lists.n_ref), lanes // LANES, torch.empty(0, dtype=x.dtype).numpy().dtype
    history, chunk = plan.history, chunk_of(steps, neurons)
    past = 0 if past_x is None else past_x.shape[2]
    if saved is None:
        chunks = -(-steps // chunk)
        raster = np.zeros((groups, blocks, history + steps, neurons), "u8")
        if past_spikes is not None:
            raster[:, :, history - past_spikes.shape[2] : history] = words(past_spikes > 0).transpose(0, 3, 2, 1)
        marks = aligned(groups * blocks * chunks * neurons * plan.model.states * LANES, real)
        saved = raster, marks, np.empty((groups, blocks, chunks, neurons), "u8")
    column = np.full(neurons, -1)
    column[plan.read] = np.arange(len(plan.read))
    empty = x.new_empty(0)
    start, past_x = (empty if tensor is None else tensor.detach().contiguous() for tensor in (start, past_x))
    x = _lanes_last(x.detach())
    return Job(
        **{name: getattr(plan, name) for name in ("model", "lists", "delay", "expiry", "read", "history")},
        weight=weight.detach().contiguous().numpy(),
        table=table.detach().contiguous().numpy(),
        x=_flat(x),
        x_strides=x.stride()[:3],
        past_x=_flat(past_x),
        column=column,
        raster=saved[0],
        start=_flat(start),
        marks=saved[1],
        held=saved[2],
        groups=groups,
        channels=channels,
        blocks=blocks,
        steps=steps,
        past=past,
        chunk=chunk,
    )


def words(lanes: torch.Tensor) -> np.ndarray:
    """bool [G, neurons, rows, B] -> uint64 [G, neurons, rows, B / 64], bit b of a word for lane b."""
    packed = np.packbits(lanes.numpy().reshape(*lanes.shape[:3], -1, LANES), axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8")[..., 0].astype("u8", copy=False)


def _workspace(job, times, sums) -> Workspace:
    neurons, states, real = len(job.lists.n_ref), job.model.states, job.x.dtype
    size, rows = neurons * job.chunk * LANES, 2 * (1 + job.chunk + job.history)
    record = Record(aligned(size, real), aligned(size * states if times else 0, real))
    state, adjoint, u, further, summed = (aligned(neurons * n * LANES, real) for n in (states, rows, 1, states - 3, sums))
    return Workspace(record, state, aligned(LANES, real), adjoint, u, further, summed, np.empty(job.chunk * neurons, "u8"))


def _in_threads(items, new_workspace, function):
    """Call the function on spans of this many items in threads, each with its own workspace."""
    threads, free = torch.get_num_threads(), []

    def part(span):
        workspace = free.pop() if free else new_workspace()
        function(workspace, *span)
        free.append(workspace)

    in_threads(part, spans(items, threads), threads)


def _flat(tensor) -> np.ndarray:
    """The memory from the first to the last element of a tensor, as a flat array."""
    tensor = tensor.detach()
    span = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.as_strided((span if tensor.numel() else 0,), (1,)).numpy()


def _lanes_last(tensor):
    """The tensor [G, columns, T, B] with contiguous lanes, copied if necessary; steps that share memory are copied once."""
    if tensor.stride(3) == 1 or tensor.shape[3] == 1:
        return tensor
    if tensor.stride(2) == 0:
        return tensor[:, :, :1].contiguous().expand(tensor.shape)
    return tensor.contiguous()


def _summed(gradients, like):
    """Sum gradients, float64 [G, blocks, ...], to a tensor like a parameter [1 | G, ...]."""
    gradients = gradients.sum(axis=1)
    if like.shape[0] == 1:
        gradients = gradients.sum(axis=0, keepdims=True)
    return torch.from_numpy(gradients).to(like.dtype)
