"""JAX, compiled: a scan over the steps. Same equations.

With "vmap" it is written for one trial and mapped over the 64, as most would write it; without, the trials are the last axis of
every array, which was the fastest of the forms tried (a batch axis first or last; pushing or pulling; scan unrolled or not).
Without "delays" every delay is one step and a step is one dense matrix product. With it the spikes of the last steps are kept
in a ring; a step gathers those of every synapse and sums them per neuron by a matrix product.
"""

import time

import numpy as np
from protocol import matrices, propagators, serve, shifted


def prepare(job, *more):
    import jax
    import jax.numpy as jnp

    n, trials = int(job.neurons), job.spikes.shape[2]
    if "vmap" in more:
        return mapped(jax, jnp, job)
    arrivals, first = with_delays(jnp, job) if "delays" in more else without_delays(jnp, job)
    entering = jnp.array(np.einsum("stc,cn->snt", shifted(job), matrices(job)[0]), "f4")
    p, n_ref = propagators(job), round(job.t_ref / job.dt)
    p22, p21e, p21i = (np.broadcast_to(x, n).astype("f4")[:, None] for x in (p.p22, p.p21e, p.p21i))

    def step(state, entering):
        v, i_e, i_i, held, past = state
        v = jnp.where(held > 0, 0.0, p22 * v + p21e * i_e + p21i * i_i)
        fired = v >= 1
        arriving, past = arrivals(past, fired)
        i_e, i_i = p.p11e * i_e + entering + arriving[:n], p.p11i * i_i + arriving[n:]
        held = jnp.where(fired, n_ref, held - 1)
        return (jnp.where(fired, 0.0, v), i_e, i_i, held, past), fired

    zero = jnp.zeros((n, trials), "f4")
    rest = zero, zero, zero, zero.astype("i4"), first
    simulate = jax.jit(lambda entering: jax.lax.scan(step, rest, entering)[1])

    def run():
        start = time.perf_counter()
        raster = simulate(entering).block_until_ready()
        return time.perf_counter() - start, np.asarray(raster).sum((0, 2))

    return run, {"version": jax.__version__, "leaves_out": [] if "delays" in more else ["delays"]}


def mapped(jax, jnp, job):
    """One trial, without delays, under vmap."""
    n = int(job.neurons)
    entering = jnp.array(np.einsum("stc,cn->tsn", shifted(job), matrices(job)[0]), "f4")
    weights = jnp.array(np.hstack(matrices(job)[1:]), "f4")
    p, n_ref = propagators(job), round(job.t_ref / job.dt)
    p22, p21e, p21i = (np.broadcast_to(x, n).astype("f4") for x in (p.p22, p.p21e, p.p21i))

    def step(state, entering):
        v, i_e, i_i, held, past = state
        v = jnp.where(held > 0, 0.0, p22 * v + p21e * i_e + p21i * i_i)
        fired = v >= 1
        arriving = past @ weights
        i_e, i_i = p.p11e * i_e + entering + arriving[:n], p.p11i * i_i + arriving[n:]
        held = jnp.where(fired, n_ref, held - 1)
        return (jnp.where(fired, 0.0, v), i_e, i_i, held, fired.astype("f4")), fired

    zero = jnp.zeros(n, "f4")
    rest = zero, zero, zero, zero.astype("i4"), zero
    simulate = jax.jit(jax.vmap(lambda entering: jax.lax.scan(step, rest, entering)[1]))

    def run():
        start = time.perf_counter()
        raster = simulate(entering).block_until_ready()
        return time.perf_counter() - start, np.asarray(raster).sum((0, 1))

    return run, {"version": jax.__version__, "leaves_out": ["delays"]}


def without_delays(jnp, job):
    """What arrives in a step, from the spikes of the step before: (past, fired) -> (arriving, past), and the first past."""
    _, excitatory, inhibitory = matrices(job)
    weights = jnp.array(np.hstack([excitatory, inhibitory]).T, "f4")
    return lambda past, fired: (weights @ past, fired.astype("f4")), jnp.zeros((job.neurons, job.spikes.shape[2]), "f4")


def with_delays(jnp, job):
    """The same from a ring of the last steps' spikes."""
    depth = int(job.delay.max())
    signed = np.where(job.excitatory[job.pre], job.weight, -job.weight)
    weights = np.zeros((2 * job.neurons, len(signed)))
    weights[np.where(job.excitatory[job.pre], job.post, job.post + job.neurons), np.arange(len(signed))] = signed
    weights = jnp.array(weights, "f4")

    def arrivals(past, fired):
        ring, k = past
        arriving = weights @ ring[(k - job.delay) % depth, job.pre]
        return arriving, (ring.at[k % depth].set(fired.astype("f4")), k + 1)

    return arrivals, (jnp.zeros((depth, job.neurons, job.spikes.shape[2]), "f4"), jnp.int32(0))


if __name__ == "__main__":
    serve(prepare)
