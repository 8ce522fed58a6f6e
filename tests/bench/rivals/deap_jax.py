"""A population in JAX: every circuit and trial in one compiled call, a scan over the steps; NSGA-II by DEAP.

As "vmap" it is written for one circuit and one trial and mapped over both, as most would write it. As "fastest" the trials are
the last axis of every array, and the circuits are mapped in whichever way is faster here, all at once or one by one. They are
shared out over two devices, one per core. Every delay is one step.
"""

import os
import time

import numpy as np
from deap_search import POPULATION, Shape, individual_of, search, toolbox
from direction import objectives
from protocol import serve, shifted

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
GENERATIONS = 20


def prepare(job, form, *population):
    import jax

    shape = Shape(int(job.channels), int(job.neurons))
    inputs = jax.numpy.array(shifted(job), "f4")

    def spikes(call, individuals, which):
        parts = [shape.parts(individual) for individual in individuals]
        weights, tau_m, _ = (np.stack(part).astype("f4") for part in zip(*parts, strict=True))
        return np.asarray(call(inputs, weights, tau_m[:, 0], which))

    def assess(_, individuals):
        found = spikes(call, individuals, job.readout)[..., 0]
        return list(zip(*objectives(found, job), strict=True))

    box = toolbox(job, objectives)
    box.register("map", assess)  # the whole generation at once, whatever the function
    sizes = [int(p) for p in population] or [POPULATION]
    some = box.population(*sizes)
    call, compiling = fastest(forms(jax, job, form == "vmap"), lambda call: spikes(call, some, job.readout))
    run, circuits = search(box, GENERATIONS, *sizes)
    own = [individual_of(job)] * 2
    about = {
        "result": spikes(call, own, np.arange(shape.neurons))[0].sum((0, 1)),
        "objectives": assess(None, own)[0],
        "circuits": circuits,
        "compile_seconds": compiling,
    }
    return run, about | {"version": jax.__version__, "leaves_out": ["delays"]}


def fastest(calls, use):
    """The call that is the fastest in use, and how long it took to compile."""
    found = []
    for call in calls:
        clock = [time.perf_counter()]
        for _ in range(3):
            use(call)
            clock.append(time.perf_counter())
        cold, *warm = np.diff(clock)
        found.append((min(warm), cold - min(warm), call))
    _, compiling, call = min(found, key=lambda one: one[0])
    return call, compiling


def forms(jax, job, mapped):
    """Calls (inputs [steps, trials, channels], weights [circuits, sources, neurons], tau_m [circuits, neurons], which) -> the
    spikes of the neurons `which`, bool [circuits, trials, steps, which]."""
    jnp = jax.numpy
    one = circuit(jax, job, mapped)
    if mapped:
        calls = [jax.vmap(jax.vmap(one, (1, None, None, None)), (None, 0, 0, None))]
    else:
        at_once = jax.vmap(one, (None, 0, 0, None))
        calls = [at_once, lambda x, w, tau, which: jax.lax.map(lambda own: one(x, *own, which), (w, tau))]
    mesh = jax.sharding.Mesh(jax.devices(), ("circuits",))
    here, all_alike = jax.sharding.PartitionSpec("circuits"), jax.sharding.PartitionSpec()

    def shared(call):
        def turned(inputs, weights, tau_m, which):
            which = jnp.atleast_1d(which)
            found = call(inputs if mapped else inputs.swapaxes(1, 2), weights, tau_m, which)
            return found if mapped else jnp.transpose(found, (0, 3, 1, 2))

        specs = (all_alike, here, here, all_alike)
        return jax.jit(jax.shard_map(turned, mesh=mesh, in_specs=specs, out_specs=here, check_vma=False))

    return [shared(call) for call in calls]


def circuit(jax, job, mapped):
    """One circuit: on one trial if it is to be mapped over them too, else on all, as the last axis."""
    jnp = jax.numpy
    n, channels, n_ref = int(job.neurons), int(job.channels), round(job.t_ref / job.dt)
    p11e, p11i = (float(jnp.exp(-job.dt / tau)) for tau in (job.tau_e, job.tau_i))
    excites = jnp.array(job.excitatory, "f4")[:, None]
    column = (lambda x: x) if mapped else (lambda x: x[:, None])

    def simulate(inputs, weights, tau_m, which):
        p22 = column(jnp.exp(-job.dt / tau_m))
        p21e, p21i = (column(p21(jnp, job.dt, tau_m, tau)) for tau in (job.tau_e, job.tau_i))
        into, between = weights[:channels].T, weights[channels:]
        recurrent = jnp.hstack([between * excites, between * (excites - 1)]).T

        def step(state, entering):
            v, i_e, i_i, held, past = state
            v = jnp.where(held > 0, 0.0, p22 * v + p21e * i_e + p21i * i_i)
            fired = v >= 1
            arriving = recurrent @ past
            i_e, i_i = p11e * i_e + into @ entering + arriving[:n], p11i * i_i + arriving[n:]
            held = jnp.where(fired, n_ref, held - 1)
            return (jnp.where(fired, 0.0, v), i_e, i_i, held, fired.astype("f4")), fired[which]

        zero = jnp.zeros((n, *inputs.shape[2:]), "f4")
        return jax.lax.scan(step, (zero, zero, zero, zero.astype("i4"), zero), inputs)[1]

    return simulate


def p21(jnp, dt, tau_m, tau_syn):
    a = 1 / tau_syn - 1 / tau_m
    return jnp.exp(-dt / tau_m) * -jnp.expm1(-a * dt) / a / tau_m


if __name__ == "__main__":
    serve(prepare)
