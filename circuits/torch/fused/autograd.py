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
from circuits.torch.fused.backward import COLUMNS, Credit, Found, Given, Workspace, run_backward
from circuits.torch.fused.forward import Left, Record, run_forward
from circuits.torch.fused.job import Job, Lists, chunk_of


@dataclass(frozen=True)
class Plan:
    """Parts of a run that are no tensors: arrays as in `Job`, and

    batch    lanes in use;   history  steps that a delay may reach back;   kind  of the surrogate
    credit   how gradients are passed back;   times  are those with respect to the propagators wanted?
    """

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
    """`apply(x, weight, table, start, past_x, past_spikes, plan)` -> spikes read, last spikes, state at the end, steps held.

    x            real [G, channels, T, B], any strides but 1 for the last;   weight, table  as in `Job`
    start        real [3, G, neurons, B]: V, I_e, I_i, or None: rest
    past_x       real [G, channels, D, B], past_spikes real [G, neurons, D, B] of 0 and 1: the steps before, or None: silence
    Returns [T, batch, G, slots], [G, neurons, tail, B], [3, G, neurons, B], int32 [G, neurons, B]; the tail is as long as the
    longest delay, or T. B is the batch filled up to a multiple of 64, T at least 1. Results do not depend on the number of
    threads.
    """

    @staticmethod
    def forward(ctx, x, weight, table, start, past_x, past_spikes, plan):
        job = _job(x, weight, table, start, past_x, past_spikes, plan)
        real, (groups, _, steps, lanes), neurons = x.dtype, x.shape, len(plan.lists.n_ref)
        read = torch.empty(steps, plan.batch, groups, len(plan.read), dtype=real)
        tail = torch.empty(groups, neurons, min(job.history, steps), lanes, dtype=real)
        final = torch.empty(3, groups, neurons, lanes, dtype=real)
        refractory = torch.zeros(groups, neurons, lanes, dtype=torch.int32)
        left = Left(read.numpy(), *map(_flat, (tail, final, refractory)))
        _in_threads(job, partial(aligned, neurons * 3 * LANES, job.x.dtype), partial(run_forward, job, left))
        kept = [torch.from_numpy(array) for array in (job.raster.view("i8"), job.marks, job.held.view("i8"))]
        ctx.save_for_backward(x, weight, table, past_x, *kept)
        ctx.plan, ctx.past_spikes = plan, 0 if past_spikes is None else past_spikes.shape[2]
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(refractory)
        return read, tail, final, refractory

    @staticmethod
    @once_differentiable
    def backward(ctx, read, tail, final, _):
        plan = ctx.plan
        x, weight, table, past_x, *kept = ctx.saved_tensors
        raster, marks, held = (tensor.numpy() for tensor in kept)
        job = _job(x, weight, table, None, past_x, None, plan, kept=(raster.view("u8"), marks, held.view("u8")))
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
        given = Given(_flat(read), read.stride()[:3], _flat(tail), _flat(final))

        shapes = (x.shape, None, None, (3, groups, neurons, lanes), None, (groups, neurons, job.history, lanes))
        if past_x is not None:
            shapes = (*shapes[:4], past_x.shape, shapes[5])
        of_x, _, _, of_start, of_past_x, of_past_spikes, _ = (
            torch.empty(shape, dtype=x.dtype) if wanted and shape else None
            for shape, wanted in zip((*shapes, None), ctx.needs_input_grad, strict=True)
        )
        by_weight = np.zeros((groups, blocks, weight.shape[1]))
        by_table = np.zeros((groups, blocks, neurons, len(COLUMNS)))
        outgoing = (empty if grad is None else grad for grad in (of_x, of_past_x, of_past_spikes, of_start))
        found = Found(*map(_flat, outgoing), by_weight, by_table)
        of_neurons = ctx.needs_input_grad[2]
        rooms = partial(_room, job, plan.times and of_neurons, of_neurons)
        _in_threads(job, rooms, partial(run_backward, job, plan.kind, plan.credit, given, found))
        of_table = torch.zeros_like(table)
        of_table[..., list(COLUMNS)] = _summed(by_table, table)
        if of_past_spikes is not None:
            of_past_spikes = of_past_spikes[:, :, job.history - ctx.past_spikes :]
        return of_x, _summed(by_weight, weight), of_table, of_start, of_past_x, of_past_spikes, None


def _job(x, weight, table, start, past_x, past_spikes, plan, kept=None) -> Job:
    groups, channels, steps, lanes = x.shape
    neurons, blocks, real = len(plan.lists.n_ref), lanes // LANES, torch.empty(0, dtype=x.dtype).numpy().dtype
    history, chunk = plan.history, chunk_of(steps, neurons)
    past = 0 if past_x is None else past_x.shape[2]
    if kept is None:
        chunks = -(-steps // chunk)
        raster = np.zeros((groups, blocks, history + steps, neurons), "u8")
        if past_spikes is not None:
            raster[:, :, history - past_spikes.shape[2] : history] = words(past_spikes > 0).transpose(0, 3, 2, 1)
        marks = aligned(groups * blocks * chunks * neurons * 3 * LANES, real)
        kept = raster, marks, np.empty((groups, blocks, chunks, neurons), "u8")
    column = np.full(neurons, -1)
    column[plan.read] = np.arange(len(plan.read))
    empty = x.new_empty(0)
    start, past_x = (empty if tensor is None else tensor.detach().contiguous() for tensor in (start, past_x))
    x = _lanes_last(x.detach())
    return Job(
        lists=plan.lists,
        weight=weight.detach().contiguous().numpy(),
        delay=plan.delay,
        table=table.detach().contiguous().numpy(),
        x=_flat(x),
        x_strides=x.stride()[:3],
        past_x=_flat(past_x),
        expiry=plan.expiry,
        read=plan.read,
        column=column,
        raster=kept[0],
        start=_flat(start),
        marks=kept[1],
        held=kept[2],
        groups=groups,
        channels=channels,
        blocks=blocks,
        steps=steps,
        history=history,
        past=past,
        chunk=chunk,
    )


def words(lanes: torch.Tensor) -> np.ndarray:
    """bool [G, neurons, rows, B] -> uint64 [G, neurons, rows, B / 64], bit b of a word for lane b."""
    packed = np.packbits(lanes.numpy().reshape(*lanes.shape[:3], -1, LANES), axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8")[..., 0].astype("u8", copy=False)


def _room(job, times, table) -> Workspace:
    neurons, real = len(job.lists.n_ref), job.x.dtype
    size = neurons * job.chunk * LANES
    record = Record(aligned(size, real), *(aligned(size if times else 0, real) for _ in range(3)))
    rows, sums = 2 * (1 + job.chunk + job.history), len(COLUMNS) if table else 0
    state, adjoint, met, summed = (aligned(neurons * n * LANES, real) for n in (3, rows, 1, sums))
    return Workspace(record, state, aligned(LANES, real), adjoint, met, summed, np.empty(job.chunk * neurons, "u8"))


def _in_threads(job, room, function):
    """Call the function with a thread's own room and with parts of the items."""
    threads, free = torch.get_num_threads(), []

    def part(span):
        mine = free.pop() if free else room()
        function(mine, *span)
        free.append(mine)

    in_threads(part, spans(job.groups * job.blocks, threads), threads)


def _flat(tensor) -> np.ndarray:
    """The memory from the first element of a tensor to its last one, as one array."""
    tensor = tensor.detach()
    span = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.as_strided((span if tensor.numel() else 0,), (1,)).numpy()


def _lanes_last(tensor):
    """The tensor [G, columns, T, B], copied if need be, so that lanes lie side by side; what is the same in all steps is kept
    once."""
    if tensor.stride(3) == 1 or tensor.shape[3] == 1:
        return tensor
    if tensor.stride(2) == 0:
        return tensor[:, :, :1].contiguous().expand(tensor.shape)
    return tensor.contiguous()


def _summed(found, like):
    """Gradients of groups and blocks together, float64 [G, blocks, ...], as a tensor like a parameter [1 | G, ...]."""
    found = found.sum(axis=1)
    if like.shape[0] == 1:
        found = found.sum(axis=0, keepdims=True)
    return torch.from_numpy(found).to(like.dtype)
